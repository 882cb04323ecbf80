//! What links of ours must not lose: work that is put aside, moved or only seen through them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use crate::foreign::{others, ours, url};
use crate::hard_times::{as_nobody, set_mode};
use crate::harness::{Repo, World, data};
use crate::push::{ready, take};
use crate::scene::{assert_clean, number, save, states};
use crate::whole_files::{bytes, cached, is_link, scene, write_in_place};

/// The folder of the only run that put something aside.
fn aside(repo: &Repo) -> PathBuf {
    let mut runs = fs::read_dir(repo.path(".git/haul/aside")).expect("something was put aside");
    runs.next().expect("something was put aside").expect("the system does it").path()
}

/// Requires a file that is no link, with these bytes also after the cache let go of all it can.
#[track_caller]
fn assert_kept(repo: &Repo, name: &str, content: &[u8]) {
    repo.haul(&["evict", "--all", "--yes"]).ok();
    let file = aside(repo).join(name);
    assert!(file.symlink_metadata().expect("it was put aside").is_file(), "`{name}` is a link");
    assert!(fs::read(file).expect("the system does it") == content, "`{name}`");
}

#[test]
fn a_removed_folder_of_links_is_put_aside_as_files_of_its_own() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.write("d/x.bin", &bytes(1));
    a.write("d/sub/y.bin", &bytes(2));
    a.haul(&["add", "d"]).ok();
    a.haul(&["checkout", "--as", "symlink", "d"]).ok();
    assert!(is_link(&a, "d/x.bin", "symlink"));
    a.haul(&["rm", "--force", "d"]).ok().says("aside");
    assert_kept(&a, "d/x.bin", &bytes(1));
    assert_kept(&a, "d/sub/y.bin", &bytes(2));
}

#[test]
fn work_that_was_done_through_a_link_is_put_aside_with_its_folder() {
    let world = World::new();
    let a = scene(&world, "symlink");
    write_in_place(a.path("d/x.bin"), b"my work");
    let mine = a.read("d/x.bin");
    a.haul(&["rm", "--force", "d"]).ok();
    assert_kept(&a, "d/x.bin", &mine);
}

#[test]
fn a_folder_of_links_in_the_way_is_put_aside_as_files_of_its_own() {
    let world = World::new();
    let a = scene(&world, "symlink");
    let y = a.read("d/y.bin");
    a.remove("d/x.bin");
    a.mkdir("d/x.bin");
    fs::rename(a.path("d/y.bin"), a.path("d/x.bin/y.bin")).unwrap();
    a.haul(&["checkout", "--force"]).ok();
    assert_clean(&a);
    a.remove("d");
    assert_kept(&a, "d/x.bin/y.bin", &y);
}

#[test]
fn links_of_a_clone_that_was_moved_are_missing_files_and_never_content() {
    let world = World::new();
    let a = scene(&world, "symlink");
    fs::rename(a.path(""), world.path("b")).unwrap();
    let b = world.folder("b");
    assert_eq!(states(&b), ["missing d/x.bin", "missing d/y.bin"]);
    for add in [&["add", "d"][..], &["add", "-u"], &["add", "d/x.bin"]] {
        b.haul(add).fails_with(1).says("d/x.bin").says("haul pull");
    }
    b.haul(&["checkout"]).ok();
    assert_eq!(b.read("d/x.bin"), bytes(2));
    assert_clean(&b);
}

#[test]
fn links_into_a_cache_that_is_spelled_in_two_ways_stand_for_their_files() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    let cache = world.folder("cache");
    symlink(cache.path(""), world.path("alias")).unwrap();
    let alias = world.path("alias");
    let (one, other) = (cache.path(""), alias.as_path());
    let with = |place: &std::path::Path, words: &[&str]| {
        a.haul_with(words, &[("HAUL_CACHE_DIR", place.to_str().unwrap())]).ok()
    };
    a.write("d/x.bin", &bytes(1));
    take(&a, "d");
    with(other, &["checkout", "--as", "symlink"]);
    assert!(is_link(&a, "d/x.bin", "symlink"));
    for place in [&one, other] {
        with(place, &["status"]).says("no path differs");
        with(place, &["add", "d"]).says("nothing changed");
        with(place, &["checkout", "--as", "symlink"]).says("placed 0 files");
    }
    // Also by its text alone.
    let target = fs::read_link(a.path("d/x.bin")).unwrap();
    let below = target.strip_prefix(&one).expect("links are spelled without other links");
    a.remove("d/x.bin");
    symlink(alias.join(below), a.path("d/x.bin")).unwrap();
    with(&one, &["add", "d"]).says("nothing changed");
    assert_eq!(a.read("d/x.bin"), bytes(1));
}

#[test]
fn links_that_are_placed_again_keep_their_files_in_the_cache() {
    let world = World::new();
    let a = scene(&world, "symlink");
    a.write("d/z.bin", &bytes(3));
    take(&a, "d");
    a.haul(&["push"]).ok();
    a.remove("d");
    a.haul(&["checkout"]).ok();
    // Another worktree has no more than the notes to go by.
    a.git(&["worktree", "add", "--quiet", "--detach", "../b"]).ok();
    world.folder("b").haul(&["evict", "--all", "--yes"]).ok();
    for (name, seed) in [("d/x.bin", 2), ("d/y.bin", 9), ("d/z.bin", 3)] {
        assert!(is_link(&a, name, "symlink"));
        assert_eq!(a.read(name), bytes(seed), "{name}");
    }
}

#[test]
fn a_link_that_leads_nowhere_is_no_removed_file() {
    let world = World::new();
    let a = scene(&world, "symlink");
    let pointer = a.read("d.haul");
    let lost = fs::read_link(a.path("d/x.bin")).unwrap();
    fs::remove_file(lost).unwrap();
    for add in [&["add", "d"][..], &["add", "-u"]] {
        a.haul(add).fails_with(1).says("d/x.bin").says("haul pull");
    }
    assert_eq!(a.read("d.haul"), pointer);
    a.haul(&["pull"]).ok();
    assert_clean(&a);
    // One that is not tracked shows, and can be removed.
    let lost = fs::read_link(a.path("d/x.bin")).unwrap();
    fs::remove_file(&lost).unwrap();
    symlink(lost, a.path("d/stray")).unwrap();
    assert_eq!(states(&a), ["untrackable d/stray", "missing d/x.bin"]);
}

#[test]
fn links_that_the_user_moved_keep_their_files_in_the_cache() {
    let world = World::new();
    let a = scene(&world, "symlink");
    fs::rename(a.path("d/x.bin"), a.path("d/moved.bin")).unwrap();
    a.haul(&["evict", "--all", "--yes"]).ok();
    assert_eq!(a.read("d/moved.bin"), bytes(2), "this worktree is looked at");
    take(&a, "d");
    a.haul(&["push"]).ok();
    a.git(&["worktree", "add", "--quiet", "--detach", "../b"]).ok();
    let b = world.folder("b");
    b.haul(&["evict", "--all", "--yes"]).ok();
    assert_eq!(a.read("d/moved.bin"), bytes(2), "others go by what `add` noted");
    // What the stat cache does not know moves too.
    a.remove(".git/haul/stat.redb");
    a.haul(&["mv", "d", "e"]).ok();
    b.haul(&["evict", "--all", "--yes"]).ok();
    assert_eq!(a.read("e/moved.bin"), bytes(2));
    assert_eq!(a.read("e/y.bin"), bytes(9));
    assert!(!cached(&a).is_empty());
}

#[test]
fn no_whole_file_goes_where_a_noted_link_cannot_be_seen() {
    let world = World::new();
    let a = scene(&world, "symlink");
    a.git(&["worktree", "add", "--quiet", "--detach", "../b"]).ok();
    let b = world.folder("b");
    b.haul(&["checkout"]).ok();
    a.remove("d");
    // Its folder is there, and nobody can look into it.
    fs::rename(b.path(""), world.path("hidden")).unwrap();
    symlink("b", world.path("b")).unwrap();
    a.haul(&["evict", "--all", "--yes"]).ok().says("no whole file leaves the cache");
    assert_eq!(cached(&a).len(), 2);
    fs::remove_file(world.path("b")).unwrap();
    a.haul(&["evict", "--all", "--yes"]).ok();
    assert_eq!(cached(&a).len(), 0, "a worktree that is gone needs nothing");
}

#[test]
fn packs_go_and_whole_files_stay_where_a_folder_of_the_worktree_cannot_be_seen() {
    let world = World::new();
    let a = scene(&world, "symlink");
    a.write("sub/d/x/deep.bin", &bytes(4));
    take(&a, "sub/d");
    a.haul(&["push"]).ok();
    let (files, closed) = (cached(&a).len(), a.path("sub/d/x"));
    set_mode(&closed, 0);
    let Some(output) = as_nobody(&world, &a, &["evict", "--all", "--yes", "--json"]) else {
        return;
    };
    set_mode(&closed, 0o755);
    let output = output.ok().says("no whole file leaves the cache");
    let output = output.says("which links lead into the cache").says("a/sub/d/x`");
    assert!(number(&output, "/packs") > 0, "{output}");
    assert_eq!(cached(&a).len(), files);
}

#[test]
fn repair_leaves_work_that_was_done_through_a_link_where_it_is() {
    let world = World::new();
    let a = scene(&world, "symlink");
    write_in_place(a.path("d/x.bin"), b"my work");
    let mine = a.read("d/x.bin");
    let repaired = a.haul(&["fsck", "--local", "--repair"]).ok();
    let quarantine = a.path(".git/haul/quarantine");
    let repaired = repaired.prints("a/d/x.bin").prints(quarantine.to_str().unwrap());
    drop(repaired);
    assert!(a.path("d/x.bin").symlink_metadata().unwrap().is_file());
    assert!(a.read("d/x.bin") == mine);
    assert_eq!(states(&a), ["modified d/x.bin"]);
    a.haul(&["fsck", "--local"]).ok();
    // What lay there from an earlier repair is not overwritten.
    a.haul(&["checkout", "--force"]).ok();
    write_in_place(a.path("d/x.bin"), b"more work");
    a.haul(&["fsck", "--local", "--repair"]).ok();
    assert_eq!(fs::read_dir(quarantine).unwrap().count(), 2);
    assert!(a.read("d/x.bin").starts_with(b"more work"));
}

#[test]
fn repair_leaves_a_file_to_which_a_link_leads_that_cannot_be_seen() {
    let world = World::new();
    let a = scene(&world, "symlink");
    a.git(&["worktree", "add", "--quiet", "--detach", "../b"]).ok();
    let b = world.folder("b");
    b.haul(&["checkout"]).ok();
    write_in_place(b.path("d/x.bin"), b"my work");
    fs::rename(b.path(""), world.path("hidden")).unwrap();
    symlink("b", world.path("b")).unwrap();
    a.haul(&["fsck", "--local", "--repair"]).fails_with(4).prints("it was left");
    assert!(world.folder("hidden").read("d/x.bin").starts_with(b"my work"));
}

#[test]
fn files_of_the_worktree_are_shared_though_their_packs_are_gone() {
    for link in ["hardlink", "symlink", "reflink"] {
        let world = World::new();
        let a = ready(&world, "a", &world.remote("r"));
        a.haul(&["config", "cache.keep", "unpushed"]).ok();
        a.write("d/x.bin", &bytes(1));
        a.write("d/run", &bytes(1));
        a.set_executable("d/run", true);
        a.write("large.bin", &data::bytes(3, 9 << 20));
        a.haul(&["add", "--push", "d", "large.bin"]).ok();
        a.commit("all");
        a.haul(&["checkout", "--as", link]).ok();
        for (name, content) in
            [("d/x.bin", bytes(1)), ("d/run", bytes(1)), ("large.bin", data::bytes(3, 9 << 20))]
        {
            assert_eq!(is_link(&a, name, link), link != "reflink", "{link} {name}");
            assert!(a.read(name) == content, "{link} {name}");
        }
        assert_clean(&a);
        a.haul(&["checkout", "--as", "copy"]).ok();
        assert!(!is_link(&a, "d/x.bin", link), "{link}");
        assert_clean(&a);
    }
}

#[test]
fn a_link_that_leads_nowhere_goes_with_its_pointer() {
    let world = World::new();
    let a = scene(&world, "symlink");
    a.remove(".git/haul/files");
    a.git(&["rm", "--quiet", "d.haul"]).ok();
    a.commit("gone");
    a.haul(&["checkout"]).ok();
    assert!(a.path("d").symlink_metadata().is_err(), "nothing is left of it");
    a.git(&["revert", "--no-edit", "HEAD"]).ok();
    a.haul(&["checkout"]).ok();
    a.remove(".git/haul/files");
    a.haul(&["rm", "d"]).ok();
    assert!(a.path("d").symlink_metadata().is_err(), "nothing is left of it");
}

#[test]
fn status_notes_links_of_a_worktree_that_was_moved() {
    let world = World::new();
    let a = scene(&world, "symlink");
    a.git(&["worktree", "add", "--quiet", "--detach", "../b"]).ok();
    let b = world.folder("b");
    b.haul(&["checkout"]).ok();
    a.git(&["worktree", "move", "../b", "../c"]).ok();
    let c = world.folder("c");
    assert_clean(&c);
    a.remove("d");
    a.haul(&["evict", "--all", "--yes"]).ok();
    assert_eq!(c.read("d/x.bin"), bytes(2));
}

#[test]
fn an_update_and_an_import_take_the_place_of_links_that_lead_nowhere() {
    let world = World::new();
    let (a, b) = (others(&world), ours(&world));
    b.haul(&["config", "cache.link", "symlink"]).ok();
    for path in ["model.bin", "data/train"] {
        b.haul(&["import", &url(&a), path]).ok();
    }
    b.git(&["add", "-A"]).ok();
    b.commit("import");
    b.haul(&["push"]).ok();
    b.remove("model.bin");
    b.remove("train");
    b.haul(&["checkout"]).ok();
    assert!(is_link(&b, "model.bin", "symlink") && is_link(&b, "train/x.bin", "symlink"));
    a.write("model.bin", &bytes(5));
    a.write("data/train/x.bin", &bytes(6));
    save(&a, &["model.bin", "data"], "three");
    a.haul(&["push"]).ok();
    fs::rename(b.path(""), world.path("c")).unwrap();
    let c = world.folder("c");
    symlink(fs::read_link(c.path("model.bin")).unwrap(), c.path("again.bin")).unwrap();
    c.haul(&["import", &url(&a), "model.bin", "again.bin"]).ok();
    c.haul(&["update"]).ok();
    for name in ["model.bin", "again.bin"] {
        assert_eq!(c.read(name), bytes(5), "{name}");
    }
    c.tree_of("train").assert_same(&a.tree_of("data/train"));
    assert_eq!(states(&c), Vec::<String>::new());
}

#[test]
fn links_that_lead_nowhere_move_with_their_pointers() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.haul(&["config", "cache.link", "symlink"]).ok();
    for path in ["top", "other", "d/x.bin"] {
        a.write(path, &bytes(path.len() as u64));
    }
    for path in ["top", "other", "d"] {
        take(&a, path);
    }
    a.haul(&["push"]).ok();
    for path in ["top", "other", "d"] {
        a.remove(path);
    }
    a.haul(&["checkout"]).ok();
    assert!(is_link(&a, "top", "symlink") && is_link(&a, "d/x.bin", "symlink"));
    fs::rename(a.path(""), world.path("b")).unwrap();
    let b = world.folder("b");
    let moves =
        [("top", "newtop"), ("newtop", "sub/d/top"), ("d/x.bin", "d/y.bin"), ("other", "d/other")];
    for (from, to) in moves {
        b.haul(&["mv", "--json", from, to]).ok().prints("\"data\":false");
        assert!(b.path(from).symlink_metadata().is_err(), "{from}");
        assert!(b.path(to).symlink_metadata().is_ok(), "{to}");
        let status = b.git(&["status", "--porcelain"]).ok();
        assert!(!status.stdout().contains('?'), "{from} {to}: {status}");
    }
    // One that lies where something is to go is in the way.
    b.link(fs::read_link(b.path("sub/d/top")).unwrap(), "taken");
    b.haul(&["mv", "sub/d/top", "taken"]).fails_with(1).says("`taken` is there already");
    b.haul(&["pull"]).ok();
    assert_eq!(b.read("sub/d/top"), bytes(3));
    assert_eq!(b.read("d/y.bin"), bytes(7));
    assert_eq!(b.read("d/other"), bytes(5));
    assert_eq!(states(&b), Vec::<String>::new());
}
