//! A cache or a worktree on another file system, a cache that two clones share, and sizes that add up to
//! too much.

use std::path::{Path, PathBuf};

use crate::foreign::{assert_clean_data, go_on, others, ours, url};
use crate::harness::{World, data, skipped};
use crate::scene::{assert_clean, save, shared, states};

/// A folder on a file system other than that of temporary folders; gone when dropped.
struct Elsewhere(tempfile::TempDir);

impl Elsewhere {
    fn new(world: &World) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let device = |path: &Path| path.metadata().map(|m| m.dev()).ok();
        let places = ["/dev/shm", env!("CARGO_TARGET_TMPDIR")].map(PathBuf::from);
        let other = |place: &&PathBuf| device(place) != device(&world.path(""));
        let made = places
            .iter()
            .filter(other)
            .find_map(|place| tempfile::Builder::new().prefix("haul-test-").tempdir_in(place).ok());
        if made.is_none() {
            skipped("there is no second file system to write to");
        }
        made.map(Self)
    }

    fn as_str(&self) -> &str {
        self.0.path().to_str().expect("is UTF-8")
    }
}

#[test]
fn a_cache_on_another_file_system_serves_like_one_beside_the_repository() {
    let world = World::new();
    let Some(cache) = Elsewhere::new(&world) else { return };
    let variables = [("HAUL_CACHE_DIR", cache.as_str())];
    let a = shared(&world);
    a.write("d/large", &data::bytes(1, 3_000_000));
    a.write("d/small", b"small");
    a.haul_with(&["add", "d"], &variables).ok();
    a.commit("data");
    let before = a.tree();
    a.haul_with(&["push"], &variables).ok();
    let unpushed = crate::harness::Remote::at(a.path(".git/haul/unpushed"));
    assert_eq!(unpushed.keys(""), Vec::<String>::new(), "confirmed packs moved into the cache");
    let packs = crate::harness::Remote::at(cache.0.path().join("packs"));
    assert!(packs.bytes("") > 2_900_000);
    a.remove("d");
    a.haul_with(&["checkout"], &variables).ok();
    before.assert_same(&a.tree());
    let b = a.clone_as("b");
    b.haul_with(&["pull", "d/small"], &variables).ok();
    b.haul_with(&["pull"], &variables).ok();
    before.assert_same(&b.tree());
    a.write("d/small", b"changed, and put aside");
    a.haul_with(&["checkout", "--force"], &variables).ok();
    before.assert_same(&a.tree());
}

#[test]
fn two_clones_that_share_a_cache_do_not_get_into_each_others_way() {
    let world = World::new();
    let cache = world.path("cache");
    let variables = [("HAUL_CACHE_DIR", cache.to_str().expect("is UTF-8"))];
    let a = shared(&world);
    for n in 0..4 {
        a.write(format!("d/{n}"), &data::bytes(n, 400_000));
    }
    a.haul_with(&["add", "d"], &variables).ok();
    a.commit("data");
    a.haul_with(&["push"], &variables).ok();
    let (b, c) = (a.clone_as("b"), a.clone_as("c"));
    // Parts of one pack come from both sides, at the same time and one after the other.
    std::thread::scope(|scope| {
        scope.spawn(|| b.haul_with(&["pull", "d/0", "d/1"], &variables).ok());
        scope.spawn(|| c.haul_with(&["pull", "d/1", "d/2"], &variables).ok());
    });
    std::thread::scope(|scope| {
        scope.spawn(|| b.haul_with(&["pull"], &variables).ok());
        scope.spawn(|| c.haul_with(&["pull"], &variables).ok());
    });
    a.tree().assert_same(&b.tree());
    a.tree().assert_same(&c.tree());
    // Whoever loses its index learns again what the cache holds, and nothing that it does not.
    for repo in [&a, &b, &c] {
        repo.remove(".git/haul/index.redb");
        repo.remove("d");
        repo.haul_with(&["pull"], &variables).ok();
        a.tree().assert_same(&repo.tree());
    }
    // New content of one reaches the other through the remote.
    b.write("d/0", &data::bytes(9, 400_000));
    b.haul_with(&["add", "d"], &variables).ok();
    b.commit("more");
    b.haul_with(&["push"], &variables).ok();
    c.git(&["pull", "--quiet", b.path("").to_str().expect("is UTF-8"), "main"]).ok();
    c.haul_with(&["pull"], &variables).ok();
    b.tree().assert_same(&c.tree());
    c.haul_with(&["verify"], &variables).ok();
}

#[test]
fn sizes_that_add_up_to_more_than_there_are_numbers_are_refused_and_never_wrap() {
    let world = World::new();
    let a = shared(&world);
    a.write("real", &data::bytes(1, 1000));
    save(&a, &["real"], "real");
    a.haul(&["push"]).ok();
    let oid =
        a.text("real.haul").lines().find(|l| l.starts_with("oid")).expect("is there").to_owned();
    let most = i64::MAX;
    for name in ["p", "q", "r"] {
        a.write(
            format!("{name}.haul"),
            format!("haul 1\nkind file\n{oid}\nsize {most}\n").as_bytes(),
        );
    }
    let root = "1".repeat(64);
    let folder = format!("haul 1\nkind dir\nfiles {most}\nroot p1:{root}\nsize {most}\n");
    a.write("s.haul", folder.as_bytes());
    a.write("t.haul", folder.as_bytes());
    a.git(&["add", "-f", "p.haul", "q.haul", "r.haul", "s.haul", "t.haul"]).ok();
    a.commit("hostile");
    let missing = ["missing p", "missing q", "missing r", "missing s", "missing t"];
    assert_eq!(states(&a), missing);
    let before = a.tree();
    for (verb, exit) in [("checkout", 1), ("fetch", 4), ("pull", 4), ("verify", 4), ("push", 4)] {
        let output = a.haul(&[verb]);
        assert!(output.status() == Some(exit), "{verb} should end with {exit}\n{output}");
        before.assert_same(&a.tree());
    }
    a.haul(&["checkout", "p"]).fails_with(1).says("are needed").says("hint: ");
    a.git(&["rm", "--quiet", "p.haul", "q.haul", "r.haul", "s.haul", "t.haul"]).ok();
    a.commit("gone");
    assert_clean(&a);
}

#[test]
fn imports_work_where_the_worktree_lies_on_another_file_system_than_git() {
    let world = World::new();
    let Some(place) = Elsewhere::new(&world) else { return };
    let (a, b) = (others(&world), ours(&world));
    let worktree = format!("{}/w", place.as_str());
    b.git(&["worktree", "add", "--quiet", "-b", "w", &worktree]).ok();
    let w = world.folder(&worktree);
    w.haul(&["import", &url(&a), "data/train", "in/train"]).ok();
    w.haul(&["import", &url(&a), "model.bin"]).ok();
    w.tree_of("in/train").assert_same(&a.tree_of("data/train"));
    w.commit("imports");
    w.haul(&["push"]).ok();
    go_on(&a);
    let before = w.tree_of("in/train");
    w.haul_with(&["update"], &[("HAUL_FAILPOINT", "place.built")]).dies();
    w.tree_of("in/train").assert_same(&before);
    let left = || w.tree_of("in").paths().iter().any(|path| path.starts_with(".haul-tmp-"));
    assert!(left(), "{:?}", w.tree_of("in").paths());
    assert_eq!(w.git(&["status", "--porcelain", "-uall"]).ok().stdout(), "");
    // With other files of the import here, which stay, each is replaced by itself.
    w.write(".haulignore", b"*.log\n");
    w.write("in/train/mine.log", b"mine");
    w.haul(&["update"]).ok();
    assert!(!left(), "{:?}", w.tree_of("in").paths());
    assert_eq!(w.text("in/train/mine.log"), "mine");
    w.remove("in/train/mine.log");
    w.tree_of("in/train").assert_same(&a.tree_of("data/train"));
    assert_eq!(w.read("model.bin"), a.read("model.bin"));
    assert_clean_data(&w);
}
