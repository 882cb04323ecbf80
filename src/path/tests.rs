//! The hostile table against [`RepoPath`], and its own arithmetic.

use super::hostile_cases::cases;
use super::{PathProblem, RepoPath};
use crate::hint::Hint;
use proptest::prelude::*;

fn path(text: &str) -> RepoPath {
    RepoPath::new(text).expect("is a path")
}

fn problem(bytes: &[u8]) -> Option<PathProblem> {
    RepoPath::new(bytes).err().map(|error| error.problem)
}

#[test]
fn every_hostile_path_meets_its_expectation() {
    let mut seen = 0;
    for case in cases().into_iter().filter(|case| case.carrier == "path") {
        let bytes = case.bytes();
        let made = RepoPath::new(&bytes);
        if let Ok(made) = &made {
            assert_eq!(made.as_bytes(), bytes, "kept byte for byte: {case:?}");
        }
        let accepted = made.as_ref().ok();
        match case.expect {
            "reject" => assert!(accepted.is_none(), "{case:?}"),
            "accept-inside" | "accept-never-run" | "reject-or-exact" => {
                assert!(accepted.is_some(), "{case:?}");
            }
            "reject-windows" => {
                assert!(accepted.and_then(RepoPath::windows_problem).is_some(), "{case:?}");
            }
            "reject-or-warn" => {
                assert!(accepted.and_then(RepoPath::caution).is_some(), "{case:?}");
            }
            // Two slashes in a row make one of them no path at all.
            "escape-output" => {
                assert_eq!(accepted.is_none(), bytes.windows(2).any(|w| w == b"//"), "{case:?}");
            }
            other => panic!("unknown expectation {other}"),
        }
        if case.category == "windows-negative-control" {
            assert_eq!(accepted.and_then(RepoPath::windows_problem), None, "{case:?}");
        }
        seen += 1;
    }
    assert!(seen >= 106, "only {seen} cases are left");
}

#[test]
fn each_rule_names_itself() {
    use PathProblem as P;
    for (bytes, wanted) in [
        (&b""[..], P::Empty),
        (b"a\0", P::Nul),
        (b"/a", P::Absolute),
        (b"a/\\b", P::Absolute),
        (b"a/", P::TrailingSlash),
        (b"a//b", P::EmptyPart),
        (b"a/../b", P::DotPart),
        (b"a\\..\\b", P::DotPart),
        (b"\xc0\xae\xe0\x80\xae/x", P::DotPart),
        (b"..\xc0\xafx", P::DotPart),
        (b"\xf8\x80\x80\x80\xae.", P::DotPart),
        (b"a/Z:x", P::Drive),
        (b"a\n/b", P::TrailingNewline),
        (b"\xed\xa0\x80", P::Surrogate),
        (b"a/.gIt", P::GitFolder),
        (b"gi2837~1", P::GitFolder),
        (b".g\xc1\xa9t", P::GitFolder),
        (b".gitmodules .", P::GitFile),
        (b"gi7d~123", P::GitFile),
        (b"a/HAUL.toml", P::OwnFile),
        (b"haul~1.tom/x", P::OwnFile),
        (b"HA4DB0~1.TOM", P::OwnFile),
        (b".haulignore:s", P::OwnFile),
        (b"haulig~2", P::OwnFile),
        (b"a/.haulIgnore", P::OwnFile),
        (b"a.HAUL.haul. /b", P::DoubleSuffix),
    ] {
        assert_eq!(problem(bytes), Some(wanted), "{}", super::show(bytes));
    }
}

#[test]
fn names_that_only_resemble_guarded_ones_are_accepted() {
    for name in [
        ".gitx",
        ".git-old",
        ".gi",
        "git~",
        "git~0",
        "git~1x",
        "haul~1",
        "haul.tom",
        "haul.toml.bin",
        ".haulignored",
        ".haulignore",
        ".gitattributes~",
        "gi7d29~",
        "a.haul",
        "haul",
        ".haul",
        "ab:c",
        "a\\b",
    ] {
        assert_eq!(problem(name.as_bytes()), None, "{name}");
    }
    // 来 and 喇 in the GBK encoding: overlong only to a reader of UTF-8.
    assert_eq!(problem(b"\xc0\xb4.bin"), None);
    assert_eq!(problem(b"\xc0\xae.bin"), None);
}

#[test]
fn the_limits_hold_to_the_byte() {
    assert_eq!(problem("a".repeat(255).as_bytes()), None);
    assert_eq!(problem("a".repeat(256).as_bytes()), Some(PathProblem::LongPart));
    let deep = "a/".repeat(2047) + "ab";
    assert_eq!(deep.len(), 4096);
    assert_eq!(problem(deep.as_bytes()), None);
    assert_eq!(problem((deep + "c").as_bytes()), Some(PathProblem::TooLong));
}

#[test]
fn an_error_shows_the_path_shortened_and_escaped() {
    let error = RepoPath::new(b"\x1b[2J/..").expect_err("has a part of two dots");
    let text = error.to_string();
    assert_eq!(text, r"`\x1b[2J/..` cannot be the path of tracked data: it has a part `.` or `..`");
    let error = RepoPath::new(vec![b'a'; 1 << 20]).expect_err("is too long");
    assert!(error.to_string().len() < 400);
    assert!(RepoPath::new(".git").expect_err("is Git's").hint().is_some());
}

#[test]
fn a_pointer_and_its_target_name_each_other() {
    let target = path("data/x.bin");
    let pointer = target.pointer_path().expect("is short");
    assert_eq!(pointer, path("data/x.bin.haul"));
    assert!(pointer.is_pointer_path() && !target.is_pointer_path());
    assert_eq!(pointer.target_of_pointer(), Ok(target.clone()));
    let failed = |text: &str| path(text).target_of_pointer().err().map(|error| error.problem);
    assert_eq!(failed("data/x.bin"), Some(PathProblem::NotAPointer));
    assert_eq!(failed("data/.haul"), Some(PathProblem::NotAPointer));
    assert_eq!(failed(".git.haul"), Some(PathProblem::GitFolder));
    assert_eq!(failed("haul.toml.haul"), Some(PathProblem::OwnFile));
    let again = pointer.pointer_path().map_err(|error| error.problem);
    assert_eq!(again, Err(PathProblem::DoubleSuffix));
    let long = path(&"a".repeat(251)).pointer_path().map_err(|error| error.problem);
    assert_eq!(long, Err(PathProblem::LongPart));
}

#[test]
fn folders_and_names_come_apart_and_together() {
    let whole = path("a/b/c");
    assert_eq!(whole.file_name(), b"c");
    assert_eq!(whole.parent(), Some(path("a/b")));
    assert_eq!(path("a").parent(), None);
    assert_eq!(whole.parts().count(), 3);
    assert_eq!(path("a").join(&path("b/c")), Ok(whole.clone()));
    assert!(path(&"a/".repeat(2000)[..3999]).join(&path(&"b/".repeat(99)[..197])).is_err());
    assert!(whole.starts_with_dir(&path("a")) && whole.starts_with_dir(&path("a/b")));
    assert!(!whole.starts_with_dir(&whole) && !path("ab/c").starts_with_dir(&path("a")));
    assert_eq!(whole.relative_to(&path("a")), Some(path("b/c")));
    assert_eq!(whole.to_os(), std::path::Path::new("a/b/c"));
    assert!(path("a-b") < path("a/b"), "ordered by bytes, not by parts");
}

#[test]
fn windows_problems_are_told_only_where_there_are_some() {
    for name in ["CONIN$", "aux .txt", "lpt\u{b3}", "a?b", "a\x01b", "a\\b", "x/nul/y"] {
        assert!(path(name).windows_problem().is_some(), "{name}");
    }
    for name in ["console", "com", "com10", "com0", "lpt", "aux_", "ä/b c.bin", "nulx"] {
        assert_eq!(path(name).windows_problem(), None, "{name}");
    }
    assert!(RepoPath::new(b"\xff").expect("is a path").windows_problem().is_some());
}

#[test]
fn a_word_of_caution_goes_to_what_git_reads() {
    for name in [".gitignore", "a/.GITIGNORE", "GI250A~1", ".mailmap", "mailma~1"] {
        assert!(path(name).caution().is_some(), "{name}");
    }
    assert_eq!(path("gitignore").caution(), None);
}

fn part() -> impl Strategy<Value = Vec<u8>> {
    let odd = prop::sample::select(&b"./\\:~ \n\0gitGIT1.haul\xc0\xae\xe2\x80\x8c\xed\xa0\xff"[..]);
    prop::collection::vec(prop_oneof![3 => odd, 1 => any::<u8>()], 0..12)
}

proptest! {
    #[test]
    fn whatever_is_accepted_stays_below_the_root(bytes in part()) {
        if let Ok(path) = RepoPath::new(&bytes) {
            prop_assert_eq!(path.as_bytes(), &bytes[..]);
            let mut parts = path.to_os().components();
            prop_assert!(parts.all(|part| matches!(part, std::path::Component::Normal(_))));
            prop_assert!(!path.parts().any(|part| part.eq_ignore_ascii_case(b".git")));
        }
    }

    #[test]
    fn parents_rests_and_joins_of_accepted_paths_are_accepted(a in part(), b in part()) {
        if let (Ok(a), Ok(b)) = (RepoPath::new(&a), RepoPath::new(&b)) {
            let whole = a.join(&b).expect("is short");
            prop_assert!(whole.starts_with_dir(&a));
            prop_assert_eq!(whole.relative_to(&a), Some(b));
            let parent = whole.parent().expect("has two parts at least");
            prop_assert_eq!(RepoPath::new(&parent), Ok(parent));
        }
    }
}
