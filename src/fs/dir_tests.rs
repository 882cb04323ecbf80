//! Open folders against links, other writers and what the dead left.

use std::io::Write;

use super::dir::Dir;

#[test]
fn a_link_on_the_way_is_never_followed() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("x")).unwrap();
    let root = Dir::open(folder.path()).unwrap();
    assert!(root.descend(b"x").is_err());
    assert!(root.descend_or_make(b"x/y").is_err());
    assert!(root.descend_or_make(b"x").is_err());
    assert!(root.descend(b"..").is_err());
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn placing_over_a_link_replaces_the_link() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("canary");
    std::os::unix::fs::symlink(&target, folder.path().join("d.bin")).unwrap();
    let root = Dir::open(folder.path()).unwrap();
    let temp = root.temp(false).unwrap();
    temp.file().write_all(b"data").unwrap();
    temp.place(b"d.bin").unwrap();
    assert!(!target.exists());
    assert_eq!(std::fs::read(folder.path().join("d.bin")).unwrap(), b"data");
}

#[test]
fn a_temporary_file_that_is_not_placed_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let root = Dir::open(folder.path()).unwrap();
    drop(root.temp(true).unwrap());
    assert!(root.entries().unwrap().is_empty());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test's own files need no durability")]
fn a_sweep_takes_what_the_dead_left_and_nothing_of_the_living() {
    let folder = tempfile::tempdir().unwrap();
    let root = Dir::open(folder.path()).unwrap();
    let living = root.temp(false).unwrap();
    // Without a lock, which a program that another test starts at that moment could hold for longer.
    std::fs::write(folder.path().join(".haul-tmp-0123456789abcdef"), b"dead").unwrap();
    root.write_durably(b"other", b"stays").unwrap();
    root.sweep().unwrap();
    let names: Vec<Vec<u8>> = root.entries().unwrap().into_iter().map(|e| e.name).collect();
    assert_eq!(names, [living.name.clone(), b"other".to_vec()]);
}

#[test]
fn a_sweep_takes_folders_of_the_dead_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let root = Dir::open(folder.path()).unwrap();
    root.descend_or_make(b".haul-tmp-0123456789abcdef/dead/deep").unwrap();
    root.descend_or_make(b".haul-tmp-mine/deep").unwrap();
    let living = root.temp_folder().unwrap();
    std::fs::create_dir(living.path().join("out")).unwrap();
    root.sweep().unwrap();
    assert!(living.path().join("out").exists());
    assert_eq!(root.entries().unwrap().len(), 2);
    drop(living);
    let names: Vec<Vec<u8>> = root.entries().unwrap().into_iter().map(|e| e.name).collect();
    assert_eq!(names, [b".haul-tmp-mine".to_vec()]);
}

#[test]
fn a_rename_never_replaces_what_stands_there() {
    let folder = tempfile::tempdir().unwrap();
    let root = Dir::open(folder.path()).unwrap();
    let other = root.descend_or_make(b"sub").unwrap();
    root.write_durably(b"from", b"moved").unwrap();
    other.write_durably(b"to", b"the user's").unwrap();
    assert!(root.rename(b"from", &other, b"to").is_err());
    assert_eq!(std::fs::read(folder.path().join("from")).unwrap(), b"moved");
    assert_eq!(std::fs::read(folder.path().join("sub/to")).unwrap(), b"the user's");
    root.rename(b"from", &other, b"free").unwrap();
    assert_eq!(std::fs::read(folder.path().join("sub/free")).unwrap(), b"moved");
}

#[test]
fn a_link_that_may_not_be_placed_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let root = Dir::open(folder.path()).unwrap();
    root.write_durably(b"x", b"the user's").unwrap();
    assert!(!root.symlink(b"target", b"x", || Ok(false)).unwrap());
    assert_eq!(root.entries().unwrap().len(), 1);
    assert!(root.symlink(b"target", b"x", || Ok(true)).unwrap());
    assert_eq!(root.read_link(b"x").unwrap(), b"target");
}

#[test]
fn a_fifo_is_not_opened_as_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let status = std::process::Command::new("mkfifo").arg(folder.path().join("f")).status();
    assert!(status.unwrap().success());
    let root = Dir::open(folder.path()).unwrap();
    assert!(root.open_file(b"f").is_err());
}
