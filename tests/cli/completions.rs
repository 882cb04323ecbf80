//! `haul completions` and `haul man`: what shells and `man` are told.

use crate::harness::{Output, Repo, World, data, skipped};
use crate::push::{ready, take};

/// Types a line in a real bash and asks for completions at its end.
fn in_bash(repo: &Repo, words: &[&str]) -> Output {
    let line = words.join(" ");
    let (last, index) = (words.last().copied().unwrap_or_default(), words.len() - 1);
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let script = format!(
        "source <(haul completions bash)
         COMP_WORDS=({}) COMP_CWORD={index} COMP_TYPE=9 COMP_LINE='{line}' COMP_POINT={}
         _clap_complete_haul haul '{last}' '' && printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        quoted.join(" "),
        line.len(),
    );
    repo.run("bash", &["--norc", "-c", &script]).ok()
}

fn lines(output: &Output) -> Vec<&str> {
    output.stdout().lines().map(str::trim_end).collect()
}

#[test]
fn bash_completes_verbs_flags_and_tracked_paths_that_are_not_here() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.write("data/train/x.bin", &data::bytes(1, 100));
    a.write("data/test.bin", &data::bytes(2, 100));
    take(&a, "data/train");
    take(&a, "data/test.bin");
    let b = a.clone_as("b");
    assert_eq!(lines(&in_bash(&b, &["haul", "unt"])), ["untrack"]);
    assert_eq!(lines(&in_bash(&b, &["haul", "diff", "--mark"])), ["--markdown"]);
    let inside = in_bash(&b, &["haul", "ls", "data/t"]);
    for path in ["data/test.bin", "data/train"] {
        assert!(lines(&inside).contains(&path), "{inside}");
    }
    let top = in_bash(&b, &["haul", "pull", "da"]);
    assert!(lines(&top).contains(&"data/"), "{top}");
    assert!(!b.has("data/train"));
    // Outside of a repository there is nothing to offer, and nothing to complain about.
    let any = in_bash(&world.folder("any"), &["haul", "ls", "da"]);
    assert_eq!(any.stderr(), "", "{any}");
}

/// Says whether a shell is there to be tested with.
fn has(shell: &str) -> bool {
    let there = std::process::Command::new(shell).arg("--version").output().is_ok();
    if !there {
        skipped(&format!("there is no `{shell}`"));
    }
    there
}

/// Types a line and a tab in a real zsh; returns the line that this makes.
fn in_zsh(repo: &Repo, line: &str) -> String {
    let set_up = "PS1=; autoload -Uz compinit; compinit -u -D; source <(haul completions zsh); \
                  dump() { print -r -- \"<<$BUFFER>>\" }; zle -N dump; bindkey ^X dump; print READ\"\"Y";
    let script = format!(
        "export TERM=xterm
         zmodload zsh/zpty
         zpty z zsh -f -i
         zpty -w z '{set_up}'
         zpty -r z seen '*READY*'
         zpty -w -n z '{line}'$'\\t'
         zpty -w -n z $'\\x18'
         zpty -r z seen '*<<*>>*'
         print -r -- ${{${{seen##*<<}}%%>>*}}"
    );
    let output = repo.run("zsh", &["-f", "-c", &script]).ok();
    output.stdout().trim_end_matches('\n').to_owned()
}

/// Asks a real fish for completions of a line.
fn in_fish(repo: &Repo, line: &str) -> Vec<String> {
    let script = format!("haul completions fish | source; complete -C '{line}'");
    let output = repo.run("fish", &["--no-config", "-c", &script]).ok();
    let words = output.stdout().lines().map(|line| line.split('\t').next().unwrap_or_default());
    words.map(str::to_owned).collect()
}

/// A clone of a repository that tracks `data/train`, without data; its trees are here.
fn without_data<'a>(a: &Repo<'a>) -> Repo<'a> {
    for name in ["x.bin", "deep/y.bin", "deep/z.bin", "other.bin"] {
        a.write(format!("data/train/{name}"), &data::bytes(1, 100));
    }
    take(a, "data/train");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    b.haul(&["ls", "-r"]).ok();
    b
}

#[test]
fn zsh_completes_verbs_and_paths_that_are_not_here() {
    if !has("zsh") {
        return;
    }
    let world = World::new();
    let b = without_data(&ready(&world, "a", &world.remote("r")));
    assert_eq!(in_zsh(&b, "haul unt"), "haul untrack ");
    assert_eq!(in_zsh(&b, "haul ls data/train/o"), "haul ls data/train/other.bin ");
    assert_eq!(in_zsh(&b, "haul ls data/train/d"), "haul ls data/train/deep/");
}

#[test]
fn fish_completes_verbs_and_paths_that_are_not_here() {
    if !has("fish") {
        return;
    }
    let world = World::new();
    let b = without_data(&ready(&world, "a", &world.remote("r")));
    assert_eq!(in_fish(&b, "haul unt"), ["untrack"]);
    let inside = in_fish(&b, "haul ls data/train/");
    for path in ["data/train/deep/", "data/train/other.bin", "data/train/x.bin"] {
        assert!(inside.iter().any(|found| found == path), "{inside:?}");
    }
}

#[test]
fn paths_inside_tracked_folders_are_completed_without_data() {
    let world = World::new();
    let b = without_data(&ready(&world, "a", &world.remote("r")));
    let inside = in_bash(&b, &["haul", "ls", "data/train/"]);
    for path in ["data/train/deep/", "data/train/other.bin", "data/train/x.bin"] {
        assert!(lines(&inside).contains(&path), "{inside}");
    }
    let deep = in_bash(&b, &["haul", "ls", "data/train/deep/"]);
    assert_eq!(lines(&deep), ["data/train/deep/y.bin", "data/train/deep/z.bin"]);
    let deep = in_bash(&world.folder("b/data"), &["haul", "ls", "train/deep/z"]);
    assert_eq!(lines(&deep), ["train/deep/z.bin"]);
}

#[test]
fn each_shell_gets_a_script_of_its_own_kind() {
    let world = World::new();
    let any = world.folder("any");
    for (shell, words) in [("bash", "complete -"), ("zsh", "#compdef haul"), ("fish", "complete ")]
    {
        any.haul(&["completions", shell]).ok().prints(words);
        let script = any.path(shell);
        std::fs::write(&script, any.haul(&["completions", shell]).ok().bytes()).expect("writes");
        let there = std::process::Command::new(shell).arg("--version").output().is_ok();
        if shell == "bash" || there {
            any.run(shell, &["-n".as_ref(), script.as_os_str()]).ok();
        }
    }
    any.haul(&["completions", "tcsh"]).fails_with(2);
    let report = any.haul(&["completions", "--json", "fish"]).ok().json();
    assert_eq!(report["shell"], "fish");
}

#[test]
fn every_verb_has_a_manual_page() {
    let world = World::new();
    let any = world.folder("any");
    let report = any.haul(&["man", "--json", "pages"]).ok().json();
    let pages = report["pages"].as_array().expect("is a list");
    for page in ["haul.1", "haul-add.1", "haul-remote-add.1", "haul-check-ignore.1"] {
        assert!(pages.iter().any(|found| found == page), "{report}");
    }
    let page = any.text("pages/haul-diff.1");
    assert!(page.contains("haul\\-diff") && page.contains("\\-\\-markdown"), "{page}");
    assert!(page.contains("haul diff v1.0 v2.0"), "{page}");
}
