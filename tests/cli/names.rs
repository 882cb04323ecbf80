//! Names and kinds of things that real folders hold.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::harness::{Output, Repo, World, data};
use crate::scene::shared;

fn with_remote(world: &World) -> Repo<'_> {
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    a.haul(&["remote", "add", "origin", "../shared"]).ok();
    a
}

/// Adds, commits, pushes, clones and pulls; the clone must be the same byte for byte.
#[track_caller]
fn round_trip(a: &Repo, path: impl AsRef<OsStr>) {
    a.haul(&[OsStr::new("add"), path.as_ref()]).ok();
    a.haul(&["status", "--exit-code"]).ok();
    a.commit("data");
    assert_eq!(a.git(&["status", "--porcelain"]).ok().stdout(), "", "Git sees nothing else");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    a.tree().assert_same(&b.tree());
    b.haul(&["status", "--exit-code"]).ok();
    assert_eq!(b.git(&["status", "--porcelain"]).ok().stdout(), "");
}

fn raw(name: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(name))
}

#[test]
fn ignore_lines_of_odd_names_hide_just_these_names() {
    let names = [
        "star*",
        "what?",
        "range[a-b]",
        "open[",
        "!bang",
        "#hash",
        "blank ",
        "blanks  ",
        "tab\t",
        "back\\slash",
        "back\\",
        " leading",
        "quo\"te",
        "it's",
        "umläut",
        "**",
        "a b",
    ];
    let world = World::new();
    let a = with_remote(&world);
    for name in names {
        a.write(name, name.as_bytes());
        a.write(Path::new("set").join(name), name.as_bytes());
    }
    // Names that the unescaped lines would hide as well.
    let neighbours = ["starfish", "whatX", "rangea", "bang", "hash", "blank", "blanks", "tab", "x"];
    for name in neighbours {
        a.write(name, b"mine");
    }
    a.haul(&[&["add", "set", "--"][..], &names].concat()).ok();
    for name in names {
        assert_eq!(
            a.git(&["ls-files", "-o", "--exclude-standard", "--", &format!(":(literal){name}")])
                .ok()
                .stdout(),
            "",
            "`{name}`"
        );
        assert!(a.has(format!("{name}.haul")), "`{name}`");
    }
    let list = a.git(&["ls-files", "-z", "-o", "--exclude-standard"]).ok();
    let mut seen: Vec<&str> = list.stdout().split_terminator('\0').collect();
    seen.sort_unstable();
    let mut expected = neighbours.to_vec();
    expected.sort_unstable();
    assert_eq!(seen, expected);
    // Adding again adds no second line.
    let lines = a.text(".gitignore");
    a.haul(&[&["add", "--"][..], &names].concat()).ok();
    assert_eq!(a.text(".gitignore"), lines);
    for name in neighbours {
        a.remove(name);
    }
    round_trip(&a, "set");
}

#[test]
fn an_ignore_file_of_the_users_is_kept_as_it_is() {
    let world = World::new();
    let a = with_remote(&world);
    a.write(".gitignore", b"# mine\r\n*.tmp\r\n!keep.tmp");
    a.write("x", b"x");
    a.haul(&["add", "x"]).ok();
    assert_eq!(a.text(".gitignore"), "# mine\r\n*.tmp\r\n!keep.tmp\n/x\n");
}

#[test]
fn a_newline_in_a_tracked_name_is_refused_and_shown_escaped() {
    let world = World::new();
    let a = with_remote(&world);
    a.write("two\nlines", b"x");
    let before = a.tree();
    let output = a.haul(&["add", "two\nlines"]).fails_with(1).says("`two\\nlines`").says("hint: ");
    assert!(!output.stderr().contains("two\nlines"), "{output}");
    before.assert_same(&a.tree());
}

#[test]
fn names_that_are_not_utf_8_keep_their_bytes() {
    let world = World::new();
    let a = with_remote(&world);
    let (top, inner) = (b"caf\xe9.bin", b"set/\xff\xfe");
    a.write(raw(top), b"top");
    a.write(raw(inner), &data::bytes(1, 100_000));
    let report =
        a.haul(&[OsStr::new("add"), OsStr::new("--json"), raw(top).as_os_str()]).ok().json();
    assert_eq!(report["targets"][0]["path_base64"], "Y2Fm6S5iaW4=", "{report}");
    let path = report["targets"][0]["path"].as_str().expect("is text");
    assert!(path.contains("caf") && path.contains(".bin"), "{report}");
    round_trip(&a, "set");
    a.write(raw(inner), b"changed");
    let report = a.haul(&["status", "--json"]).ok().json();
    assert_eq!(report["entries"][0]["path_base64"], "c2V0L//+", "{report}");
    a.haul(&["status"]).ok().prints("\\xff\\xfe");
}

#[test]
fn newlines_and_escape_sequences_below_a_tracked_folder_are_kept_and_shown_escaped() {
    let world = World::new();
    let a = with_remote(&world);
    let names: [&[u8]; 5] = [
        b"two\nlines",
        b"\x1b[31mred\x1b[0m",
        b"bell\x07",
        b"tab\there",
        "right\u{202e}left".as_bytes(),
    ];
    for name in names {
        a.write(Path::new("set").join(raw(name)), name);
    }
    round_trip(&a, "set");
    for name in names {
        a.write(Path::new("set").join(raw(name)), b"changed");
    }
    for arguments in [&["status"][..], &["status", "--porcelain"], &["add", "-u"]] {
        let output = a.haul(arguments).ok();
        let bad = |c: char| (c.is_control() && !matches!(c, '\n' | '\t')) || c == '\u{202e}';
        assert!(!output.stdout().contains(bad), "{output}");
        assert!(!output.stderr().contains(bad), "{output}");
        assert!(!output.stdout().contains("\nlines"), "{output}");
        assert!(!output.stdout().contains("tab\t"), "{output}");
    }
}

#[test]
fn names_of_255_bytes_and_deep_folders_are_kept() {
    let world = World::new();
    let a = with_remote(&world);
    let long = "n".repeat(255);
    a.write(format!("set/{long}"), b"long");
    a.write(format!("set/{}/{}", "d".repeat(255), "e".repeat(255)), b"long folder");
    let deep = "d/".repeat(120);
    a.write(format!("set/{deep}file"), b"deep");
    a.mkdir(format!("set/{}empty", "f/".repeat(60)));
    a.write("n".repeat(250), b"the pointer has 255");
    a.haul(&["add", &"n".repeat(250)]).ok();
    round_trip(&a, "set");
    // One longer, and its pointer would have no name.
    a.write("m".repeat(251), b"too long");
    let before = a.tree();
    a.haul(&["add", &"m".repeat(251)]).fails_with(1).says("hint: ");
    before.assert_same(&a.tree());
}

#[test]
fn a_path_of_nearly_4096_bytes_is_kept() {
    let world = World::new();
    let a = with_remote(&world);
    // The system takes no longer path at once, so a program makes it folder by folder.
    let script = "mkdir set; cd set; for i in $(seq 15); do d=$(printf 'd%.0s' $(seq 250)); \
        mkdir $d; cd $d; done; echo deep > file";
    a.run("bash", &["-c", script]).ok();
    round_trip(&a, "set");
}

#[test]
fn links_are_kept_and_never_followed() {
    let world = World::new();
    let a = with_remote(&world);
    world.folder("outside").write("secret", b"never read");
    a.write("set/file", b"x");
    a.link("file", "set/to-file");
    a.link("nowhere", "set/dangling");
    a.link("../../outside", "set/to-outside");
    a.link("/etc/passwd", "set/absolute");
    a.link(".", "set/loop");
    a.link("t".repeat(4000), "set/long");
    a.link(raw(b"\xff\n"), "set/raw");
    round_trip(&a, "set");
    let report = a.haul(&["add", "--json", "set"]).ok().json();
    assert_eq!(report["targets"][0]["files"], 8, "{report}");
}

#[test]
fn modes_empty_folders_and_empty_files_are_kept() {
    let world = World::new();
    let a = with_remote(&world);
    a.write("set/empty-file", b"");
    a.write("set/tool", b"#!/bin/sh\n");
    a.set_executable("set/tool", true);
    a.write("set/empty-tool", b"");
    a.set_executable("set/empty-tool", true);
    a.mkdir("set/empty/er");
    a.mkdir("set/bare");
    a.write("top-empty", b"");
    a.haul(&["add", "top-empty"]).ok();
    round_trip(&a, "set");
}

#[test]
fn a_pointer_of_a_name_that_is_never_tracked_is_passed_over_with_a_warning() {
    let world = World::new();
    let a = shared(&world);
    a.write("f", b"one");
    a.haul(&["add", "f"]).ok();
    a.write("x.haul.haul", a.text("f.haul").as_bytes());
    a.git(&["add", "x.haul.haul"]).ok();
    a.commit("an odd name");
    let warned = |output: &Output| output.stderr().matches("`x.haul.haul` is passed over").count();
    let push = a.haul(&["push"]).ok();
    assert_eq!(warned(&push), 1, "{push}");
    let b = a.clone_as("b");
    let line = ["pull", "checkout", "fetch", "fetch --all", "pull --rev HEAD", "du", "add -u"];
    for line in line {
        let output = b.haul(&line.split(' ').collect::<Vec<_>>()).ok();
        assert_eq!(warned(&output), 1, "{output}");
        assert_eq!(warned(&b.haul(&["pull", "f"]).ok()), 0);
        assert_eq!(b.read("f"), b"one");
    }
    // Whoever asks for that path is refused, and so is a proof that all is well.
    b.haul(&["pull", "x.haul"]).fails_with(1).says("`x.haul`");
    b.haul(&["verify"]).fails_with(4).prints("x.haul.haul");
    b.haul(&["status"]).ok().prints("x.haul.haul");
}

#[test]
fn names_that_are_one_on_this_file_system_are_refused_with_both_and_one_can_be_renamed() {
    let world = World::new();
    let a = with_remote(&world);
    // As one letter, and as a letter with a mark.
    let pairs = [
        ("core.ignoreCase", "Read.bin", "read.bin"),
        ("core.precomposeUnicode", "\u{e9}", "e\u{301}"),
    ];
    for (setting, one, other) in pairs {
        a.write(format!("d/{one}"), b"one");
        a.write(format!("d/{other}"), b"other");
        a.haul(&["add", "d"]).ok().says("are one name");
        a.commit("two names");
        a.haul(&["push"]).ok();
        let b = a.clone_as(&format!("b-{setting}"));
        // What Git finds out where it makes a repository.
        b.git(&["config", setting, "true"]).ok();
        for verb in ["pull", "checkout"] {
            let refused = b.haul(&[verb]).fails_with(1).says(&format!("d/{one}"));
            refused.says(&format!("d/{other}")).says("are one name").says("haul mv ");
            assert!(!b.has("d"));
        }
        b.haul(&["pull", &format!("d/{one}")]).ok();
        assert_eq!(b.read(format!("d/{one}")), b"one");
        b.remove("d");
        b.haul(&["mv", &format!("d/{other}"), "d/third"]).ok();
        b.haul(&["pull"]).ok();
        assert_eq!(
            (b.read(format!("d/{one}")), b.read("d/third")),
            (b"one".into(), b"other".into())
        );
        a.haul(&["rm", &format!("d/{other}")]).ok();
    }
}

#[test]
fn one_folder_with_names_that_are_one_here_keeps_no_other_from_its_place() {
    let world = World::new();
    let a = with_remote(&world);
    a.write("d/Read", &data::bytes(1, 1000));
    a.write("d/read", &data::bytes(2, 1000));
    a.write("d/large.bin", &data::bytes(3, 6 << 20));
    a.write("other", &data::bytes(4, 70_000));
    a.haul(&["add", "d", "other"]).ok();
    a.commit("two names");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    b.git(&["config", "core.ignoreCase", "true"]).ok();
    let planned = b.haul(&["pull", "--dry-run"]).ok().says("`d/Read` and `d/read` are one name");
    planned.prints("colliding d\n");
    let pulled = b.haul(&["pull", "--json"]).fails_with(1);
    let report = pulled.json();
    assert_eq!(report["checkout"]["colliding"][0]["path"], "d", "{pulled}");
    assert_eq!(report["checkout"]["written"], 1, "{pulled}");
    // Of what is not placed, nothing comes.
    assert!(report["fetch"]["requests"]["received"].as_u64() < Some(1 << 20), "{pulled}");
    assert!(b.read("other") == a.read("other") && !b.has("d"));
    for verb in ["pull", "checkout"] {
        let again = b.haul(&[verb]).fails_with(1).says("`d` is passed over").says("1 unchanged");
        again.prints("colliding d\n").says("haul mv d/Read NAME");
        // One by one, the second finds the first in its place.
        b.haul(&["pull", "d/Read"]).ok();
        let second = b.haul(&[verb, "d/read"]).fails_with(1).says("`d/Read` and `d/read` are one");
        assert!(b.read("d/Read") == a.read("d/Read") && !b.has("d/read"), "{second}");
        b.haul(&["pull", "d/Read", "d/large.bin"]).ok();
    }
}
