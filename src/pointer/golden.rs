//! The fixtures of format 1: pointers that must read for ever, and texts that never may.

use super::{Pointer, PointerError, PointerKind, Root};
use crate::hint::Hint;
use crate::path::hostile_cases::expand;

macro_rules! golden {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../fixtures/formats/v1/pointer/", $name, ".haul")))),*]
    };
}

pub(super) const GOOD: &[(&str, &[u8])] = golden![
    "file-one-chunk",
    "file-tree",
    "file-exec",
    "file-empty",
    "file-unknown-profile",
    "dir",
    "dir-empty",
    "unknown-keys",
    "keep-keys",
];

pub(super) fn good(name: &str) -> Pointer {
    let (_, bytes) = GOOD.iter().find(|(known, _)| *known == name).expect("is a fixture");
    Pointer::parse(bytes).expect("is a pointer")
}

#[test]
fn every_golden_pointer_reads_and_writes_back_byte_for_byte() {
    for (name, bytes) in GOOD {
        let pointer = Pointer::parse(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(pointer.to_bytes(), *bytes, "{name}");
        assert!(super::looks_like_pointer(bytes), "{name}");
    }
}

#[test]
fn golden_pointers_say_what_their_names_say() {
    let file = |name: &str| match good(name).kind() {
        PointerKind::File { size, root, executable, .. } => (*size, root.clone(), *executable),
        PointerKind::Dir { .. } => panic!("{name} is a file"),
    };
    let profile = |root: Option<Root>| root.map(|root| root.profile);
    assert_eq!(file("file-one-chunk"), (11, None, false));
    assert_eq!(file("file-empty"), (0, None, false));
    let (size, root, executable) = file("file-tree");
    assert_eq!((size, executable), (123_456_789, false));
    assert_eq!(profile(root).as_deref(), Some("m64.1"));
    let (size, _, executable) = file("file-exec");
    assert_eq!((size, executable), ((1 << 63) - 1, true));
    assert_eq!(profile(file("file-unknown-profile").1).as_deref(), Some("zz.9.abcdefghijk"));
    let (dir, empty) = (good("dir"), good("dir-empty"));
    assert!(matches!(dir.kind(), PointerKind::Dir { files: 1_048_576, size: 98_765_432_100, .. }));
    assert!(matches!(empty.kind(), PointerKind::Dir { files: 0, size: 0, .. }));
    let keys: Vec<String> = good("unknown-keys").extra().keys().cloned().collect();
    assert_eq!(keys, ["a", "from", "md5", "zz-9"]);
    assert_eq!(good("keep-keys").extra().len(), 3);
}

/// What is said about a text, in the words of the table.
fn verdict(text: &[u8]) -> String {
    match Pointer::parse(text) {
        Ok(_) => "accepted".to_owned(),
        Err(PointerError::NotAPointer) => "not".to_owned(),
        Err(PointerError::TooLong { .. }) => "long".to_owned(),
        Err(PointerError::Conflict { line }) => format!("conflict line {line}"),
        Err(PointerError::Newer { line, .. }) => format!("newer line {line}"),
        Err(PointerError::Malformed { line, .. }) => format!("line {line}"),
        Err(PointerError::Folder) => "folder".to_owned(),
        Err(PointerError::Invalid { .. }) => "invalid".to_owned(),
    }
}

#[test]
fn every_refused_text_is_refused_at_its_line() {
    let table = include_str!("../../fixtures/formats/v1/pointer/refused.tsv");
    let mut seen = 0;
    for row in table.lines().filter(|row| !row.starts_with('#')) {
        let fields: Vec<&str> = row.split('\t').collect();
        let [name, wanted, text] = fields[..] else { panic!("three fields: {row:?}") };
        assert_eq!(verdict(&expand(text)), wanted, "{name}");
        seen += 1;
    }
    assert!(seen >= 80, "only {seen} texts are left");
}

#[test]
fn errors_say_the_line_the_reason_and_what_to_do() {
    let told = |text: &str| {
        let error = Pointer::parse(text.as_bytes()).expect_err("is refused");
        (error.to_string(), error.hint().unwrap_or_default())
    };
    let (text, hint) = told("haul 2\nkind file\n");
    assert!(text.contains("line 1") && text.contains("a newer haul is needed"), "{text}");
    assert!(hint.contains("newer haul"), "{hint}");
    let (text, hint) = told("haul 1\n<<<<<<< a\nkind file\n=======\nkind dir\n>>>>>>> b\n");
    assert!(text.contains("line 2") && text.contains("conflict"), "{text}");
    assert_eq!(hint, "resolve the conflict with git, then run `haul checkout`");
    let (text, _) = told("haul 1\nkind file\noid b3:\u{202e}x\nsize 1\n");
    assert!(text.contains(r"\u{202e}x"), "{text}");
}
