use crate::harness::{Repo, World, data};
use crate::scene::{assert_clean, identity, number, save, shared, states};

fn ignored(repo: &Repo<'_>, file: &str) -> Vec<String> {
    repo.text(file).lines().map(str::to_owned).collect()
}

#[test]
fn data_follows_a_renamed_pointer() {
    let world = World::new();
    let a = shared(&world);
    a.write("f", &data::bytes(1, 150_000));
    a.write("d/x", &data::bytes(2, 100));
    a.write("d/sub/y", b"2");
    a.mkdir("d/empty");
    save(&a, &["f", "d"], "one");
    let inodes = [identity(&a, "f").0, identity(&a, "d/sub/y").0];
    let folder = a.tree_of("d");

    a.git(&["mv", "f.haul", "g.haul"]).ok();
    a.mkdir("other/deep");
    a.git(&["mv", "d.haul", "other/deep/e.haul"]).ok();
    let report = a.haul(&["checkout", "--json"]).ok();
    assert_eq!(number(&report, "/moved"), 2);
    assert!(!a.has("f") && !a.has("d"));
    assert_eq!([identity(&a, "g").0, identity(&a, "other/deep/e/sub/y").0], inodes);
    a.tree_of("other/deep/e").assert_same(&folder);
    assert_eq!(ignored(&a, ".gitignore"), ["/g"]);
    assert_eq!(ignored(&a, "other/deep/.gitignore"), ["/e"]);
}

#[test]
fn a_renamed_pointer_is_followed_back_and_forth_between_commits() {
    let world = World::new();
    let a = shared(&world);
    a.write("f", &data::bytes(1, 150_000));
    a.write("d/x", &data::bytes(2, 100));
    save(&a, &["f", "d"], "one");
    let old = a.tree();
    a.mkdir("sub");
    a.git(&["mv", "f.haul", "sub/f.haul"]).ok();
    a.git(&["mv", "d.haul", "e.haul"]).ok();
    a.haul(&["checkout"]).ok();
    a.git(&["add", "-A"]).ok();
    a.commit("two");
    let new = a.tree();
    assert_clean(&a);
    for _ in 0..2 {
        a.git(&["checkout", "--quiet", "HEAD~1"]).ok();
        a.haul(&["checkout"]).ok();
        a.tree().assert_same(&old);
        assert_clean(&a);
        a.git(&["checkout", "--quiet", "main"]).ok();
        let report = a.haul(&["checkout", "--json"]).ok();
        assert_eq!((number(&report, "/moved"), number(&report, "/written")), (2, 0));
        a.tree().assert_same(&new);
        assert_clean(&a);
    }
}

#[test]
fn changed_data_is_not_lost_when_its_pointer_is_renamed() {
    let world = World::new();
    let a = shared(&world);
    a.write("f", &data::bytes(1, 1000));
    a.write("d/x", &data::bytes(2, 100));
    a.write("d/y", &data::bytes(3, 100));
    save(&a, &["f", "d"], "one");
    a.write("f", b"mine");
    a.write("d/x", b"mine too");
    a.git(&["mv", "f.haul", "g.haul"]).ok();
    a.git(&["mv", "d.haul", "e.haul"]).ok();
    a.haul(&["checkout"]).ok();
    assert_eq!((a.text("f"), a.text("d/x")), ("mine".to_owned(), "mine too".to_owned()));
    assert_eq!(a.read("g"), data::bytes(1, 1000));
    assert_eq!(a.tree_of("e").paths(), ["x", "y"]);
    assert_eq!(a.tree_of("d").paths(), ["x"]);
    assert!(["/e", "/g"].iter().all(|l| ignored(&a, ".gitignore").contains(&(*l).to_owned())));
    assert_eq!(states(&a), Vec::<String>::new());
}

#[test]
fn what_stands_in_the_new_place_is_kept() {
    let world = World::new();
    let a = shared(&world);
    a.write("f", &data::bytes(1, 1000));
    save(&a, &["f"], "one");
    a.write("g", b"mine");
    a.git(&["mv", "f.haul", "g.haul"]).ok();
    let before = a.tree();
    a.haul(&["checkout"]).fails_with(1).says("`g`");
    a.tree().assert_same(&before);
}

#[test]
fn a_move_that_died_half_way_is_finished_by_the_next() {
    let world = World::new();
    let a = shared(&world);
    a.write("d/x", &data::bytes(1, 1000));
    save(&a, &["d"], "one");
    a.git(&["mv", "d.haul", "e.haul"]).ok();
    a.haul_with(&["checkout"], &[("HAUL_FAILPOINT", "fs.durable.written")]).dies();
    a.haul(&["checkout"]).ok();
    assert_eq!(a.tree_of("e").paths(), ["x"]);
    assert!(!a.has("d"));
    assert_eq!(ignored(&a, ".gitignore"), ["/e"]);
    a.git(&["add", "-A"]).ok();
    a.commit("two");
    assert_clean(&a);
}

#[test]
fn data_of_a_removed_pointer_goes_unless_it_was_changed() {
    let world = World::new();
    let a = shared(&world);
    a.write("f", &data::bytes(1, 150_000));
    a.write("changed", b"2");
    a.write("sub/d/x/y", b"3");
    a.write("sub/d/changed", b"4");
    a.mkdir("sub/d/empty");
    a.write("sub/whole/x/y", b"5");
    a.mkdir("sub/whole/empty");
    save(&a, &["f", "changed", "sub/d", "sub/whole"], "one");
    a.write("changed", b"mine");
    a.write("sub/d/changed", b"mine");
    a.git(&["rm", "-q", "f.haul", "changed.haul", "sub/d.haul", "sub/whole.haul"]).ok();
    a.haul(&["checkout"]).ok();
    assert_eq!(a.tree_of("sub").without(".gitignore").paths(), ["d", "d/changed"]);
    assert!(!a.has("f"));
    assert_eq!(a.text("changed"), "mine");
}

#[test]
fn data_goes_and_comes_with_the_commit_that_names_it() {
    let world = World::new();
    let a = shared(&world);
    a.write("keep", b"1");
    save(&a, &["keep"], "one");
    let old = a.tree();
    a.write("sub/f", &data::bytes(1, 150_000));
    save(&a, &["sub/f"], "two");
    let new = a.tree();
    a.git(&["checkout", "--quiet", "HEAD~1"]).ok();
    a.haul(&["checkout"]).ok();
    a.tree().assert_same(&old);
    a.git(&["checkout", "--quiet", "main"]).ok();
    a.haul(&["checkout"]).ok();
    a.tree().assert_same(&new);
}

#[test]
fn a_folder_split_into_its_parts_keeps_its_files() {
    let world = World::new();
    let a = shared(&world);
    a.write("d/x", &data::bytes(1, 1000));
    a.write("d/y", &data::bytes(2, 1000));
    save(&a, &["d"], "one");
    a.git(&["rm", "-q", "d.haul"]).ok();
    a.write(".gitignore", b"");
    save(&a, &["d/x", "d/y"], "two");
    let split = a.tree();
    a.git(&["checkout", "--quiet", "HEAD~1"]).ok();
    a.haul(&["checkout"]).ok();
    assert_eq!(a.read("d/y"), data::bytes(2, 1000));
    assert_clean(&a);
    a.git(&["checkout", "--quiet", "main"]).ok();
    a.haul(&["checkout"]).ok();
    a.tree().assert_same(&split);
    assert_clean(&a);
}
