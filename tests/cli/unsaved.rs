//! What the user changed and did not add, in the way of a checkout.

use crate::harness::{Tree, World, data};
use crate::scene::{assert_clean, save, shared};

#[test]
fn a_changed_file_is_never_overwritten_and_nothing_else_is_touched() {
    let world = World::new();
    let a = shared(&world);
    a.write("d/mine", &data::bytes(1, 150_000));
    a.write("d/other", b"1");
    a.write("d/goes", b"2");
    a.write("single", b"3");
    a.write("moved", &data::bytes(5, 500));
    save(&a, &["d", "single", "moved"], "one");
    a.write("d/mine", &data::bytes(2, 150_000));
    a.write("d/other", b"4");
    a.remove("d/goes");
    a.write("single", b"5");
    save(&a, &["d", "single"], "two");
    a.git(&["checkout", "--quiet", "HEAD~1"]).ok();
    a.haul(&["checkout"]).ok();
    a.write("d/mine", &data::bytes(3, 150_000));
    a.write("single", b"6");
    a.git(&["checkout", "--quiet", "main"]).ok();
    a.git(&["mv", "moved.haul", "renamed.haul"]).ok();

    for delete_cache in [false, true] {
        if delete_cache {
            a.remove(".git/haul/stat.redb");
        }
        let before = a.tree();
        for arguments in [&["checkout"][..], &["pull"], &["checkout", "d"], &["pull", "d/mine"]] {
            let output = a.haul(arguments).fails_with(1).says("`d/mine`");
            output.says("nothing was changed").says("--force").says("haul add");
            a.tree().assert_same(&before);
        }
    }
    let report = a.haul(&["checkout", "--force", "--json"]).ok();
    let aside = report.json()["aside"].as_str().expect("names a folder").to_owned();
    assert_eq!(
        std::fs::read(format!("{aside}/d/mine")).expect("is aside"),
        data::bytes(3, 150_000)
    );
    assert_eq!(std::fs::read(format!("{aside}/single")).expect("is aside"), b"6");
    assert!(aside.contains(".git/haul/aside/"), "{aside}");
    assert_eq!(a.read("d/mine"), data::bytes(2, 150_000));
    assert_eq!(a.read("single"), b"5");
}

#[test]
fn force_says_where_changed_files_went() {
    let world = World::new();
    let a = shared(&world);
    a.write("x", b"1");
    save(&a, &["x"], "one");
    a.write("x", b"2");
    a.haul(&["checkout"]).fails_with(1);
    a.haul(&["checkout", "--force"]).ok().says("aside").says(".git/haul/aside/");
    assert_eq!(a.text("x"), "1");
}

#[test]
fn a_mode_that_the_user_changed_is_kept() {
    let world = World::new();
    let a = shared(&world);
    a.write("x", &data::bytes(1, 100));
    save(&a, &["x"], "one");
    a.set_executable("x", true);
    a.haul(&["checkout"]).fails_with(1).says("`x`");
    a.haul(&["status"]).ok();
    a.haul(&["checkout"]).fails_with(1).says("`x`");
    a.haul(&["checkout", "--force"]).ok();
    assert_clean(&a);
}

#[test]
fn the_users_file_where_a_folder_belongs_is_kept() {
    let world = World::new();
    let a = shared(&world);
    a.write("d/a", b"0");
    save(&a, &["d"], "one");
    a.write("d/sub/x", b"1");
    a.write("d/sub/y", b"2");
    save(&a, &["d"], "two");
    a.git(&["checkout", "--quiet", "HEAD~1"]).ok();
    a.haul(&["checkout"]).ok();
    for in_the_way in ["file", "link", "fifo"] {
        match in_the_way {
            "file" => a.write("d/sub", b"mine"),
            "link" => a.link(world.path("home"), "d/sub"),
            _ => {
                let made = std::process::Command::new("mkfifo").arg(a.path("d/sub")).status();
                assert!(made.is_ok_and(|status| status.success()));
            }
        }
        a.git(&["checkout", "--quiet", "main"]).ok();
        let home = Tree::of(&world.home());
        a.haul(&["checkout"]).fails_with(1).says("`d/sub`").says("nothing was changed");
        a.haul(&["checkout", "--force"]).ok();
        assert_clean(&a);
        Tree::of(&world.home()).assert_same(&home);
        a.git(&["checkout", "--quiet", "HEAD~1"]).ok();
        a.haul(&["checkout"]).ok();
        assert!(!a.has("d/sub"), "{in_the_way}");
    }
}

#[test]
fn the_users_file_in_a_folder_that_is_to_be_a_file_is_kept() {
    let world = World::new();
    let a = shared(&world);
    a.write("d/e", b"file");
    save(&a, &["d"], "one");
    a.remove("d/e");
    a.write("d/e/x", b"folder");
    save(&a, &["d"], "two");
    a.write("d/e/mine", b"mine");
    a.git(&["checkout", "--quiet", "HEAD~1"]).ok();
    let before = a.tree();
    a.haul(&["checkout"]).fails_with(1).says("`d/e`");
    a.tree().assert_same(&before);
    let aside = a.haul(&["checkout", "--force", "--json"]).ok().json();
    let aside = aside["aside"].as_str().expect("names a folder");
    assert_eq!(std::fs::read(format!("{aside}/d/e/mine")).expect("is aside"), b"mine");
    assert_clean(&a);
}

#[test]
fn a_same_size_change_right_after_a_checkout_is_seen() {
    let world = World::new();
    let a = shared(&world);
    a.write("x", b"original");
    save(&a, &["x"], "one");
    for round in 0..30 {
        a.remove("x");
        a.haul(&["checkout"]).ok();
        a.write("x", b"modified");
        a.haul(&["checkout"]).fails_with(1).says("`x`");
        assert_eq!(a.text("x"), "modified", "round {round}");
    }
}

#[test]
fn an_edit_made_while_a_checkout_builds_the_new_file_is_kept() {
    let world = World::new();
    let a = shared(&world);
    a.write("x.bin", &data::bytes(1, 200_000));
    save(&a, &["x.bin"], "one");
    a.write("x.bin", &data::bytes(2, 200_000));
    save(&a, &["x.bin"], "two");
    a.git(&["checkout", "--quiet", "HEAD~1"]).ok();
    let gate = world.path("gate");
    let armed = format!("place.built=wait:{}", gate.display());
    std::thread::scope(|scope| {
        let running = scope.spawn(|| a.haul_with(&["checkout"], &[("HAUL_FAILPOINT", &armed)]));
        while !gate.exists() && !running.is_finished() {
            std::thread::yield_now();
        }
        a.write("x.bin", b"an edit at the wrong moment");
        std::fs::remove_file(&gate).expect("opens the gate");
        running.join().expect("ran").fails_with(1).says("was changed while");
    });
    assert_eq!(a.read("x.bin"), b"an edit at the wrong moment");
}

#[test]
fn a_file_whose_content_haul_lost_is_not_replaced_by_another_version() {
    let world = World::new();
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    a.write("x.bin", &data::bytes(1, 200_000));
    save(&a, &["x.bin"], "one");
    let packs = || -> Vec<std::path::PathBuf> {
        let folders = std::fs::read_dir(a.path(".git/haul/unpushed")).expect("is a folder");
        let nested = folders.map(|entry| entry.expect("is there").path());
        let packs = nested.flat_map(|folder| std::fs::read_dir(folder).expect("is a folder"));
        packs.map(|entry| entry.expect("is there").path()).collect()
    };
    let first = packs();
    a.write("x.bin", &data::bytes(2, 200_000));
    save(&a, &["x.bin"], "two");
    // The second version's content is lost; its only copy stands in the worktree.
    for pack in packs().iter().filter(|pack| !first.contains(pack)) {
        if std::fs::metadata(pack).expect("is a pack").len() > 150_000 {
            std::fs::remove_file(pack).expect("is lost");
        }
    }
    a.remove(".git/haul/index.redb");
    a.git(&["checkout", "--quiet", "HEAD~1"]).ok();
    assert_ne!(a.haul(&["checkout"]).status(), Some(0));
    assert_eq!(a.read("x.bin"), data::bytes(2, 200_000));
}

#[test]
fn what_appears_where_a_link_or_an_empty_folder_is_about_to_be_placed_is_kept() {
    for (what, point) in [("link", "fs.symlink.made"), ("folder", "place.folder")] {
        let world = World::new();
        let a = shared(&world);
        a.mkdir("d/folder");
        a.link("elsewhere", "d/link");
        a.write("d/stays", b"1");
        save(&a, &["d"], "one");
        a.remove("d");
        let gate = world.path("gate");
        let armed = format!("{point}=wait:{}", gate.display());
        std::thread::scope(|scope| {
            let running = scope.spawn(|| a.haul_with(&["checkout"], &[("HAUL_FAILPOINT", &armed)]));
            while !gate.exists() && !running.is_finished() {
                std::thread::yield_now();
            }
            a.write(format!("d/{what}"), b"mine, at the wrong moment");
            std::fs::remove_file(&gate).expect("opens the gate");
            running.join().expect("ran").fails_with(1).says("was changed while").says("hint: ");
        });
        assert_eq!(a.text(format!("d/{what}")), "mine, at the wrong moment");
        assert!(a.tree().paths().iter().all(|path| !path.contains(".haul-tmp-")));
        a.remove(format!("d/{what}"));
        a.haul(&["checkout"]).ok();
        assert_clean(&a);
    }
}

#[test]
fn force_moves_nothing_aside_for_content_that_is_not_here() {
    let world = World::new();
    let remote = world.remote("r");
    let a = crate::push::ready(&world, "a", &remote);
    for (dir, size) in [("one", 1000), ("many", 500_000)] {
        a.write(format!("{dir}/x.bin"), &data::bytes(1, size));
        crate::push::take(&a, dir);
    }
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    for (dir, size) in [("one", 1000), ("many", 500_000)] {
        a.write(format!("{dir}/x.bin"), &data::bytes(2, size));
        crate::push::take(&a, dir);
    }
    a.haul(&["push"]).ok();
    b.git(&["pull", "--quiet"]).ok();
    // The manifests are here, the files' content is not.
    b.haul(&["fetch", "one/none"]).fails_with(1);
    b.haul(&["fetch", "many/none"]).fails_with(1);
    for dir in ["one", "many"] {
        let file = format!("{dir}/x.bin");
        b.write(&file, b"the user's own");
        let answer = b.haul(&["checkout", "--force", dir]).fails_with(1);
        answer.says(&file).says("haul pull --force");
        assert_eq!(b.text(&file), "the user's own", "{dir}");
        assert!(!b.has(".git/haul/aside"), "{dir}");
    }
    b.haul(&["pull", "--force"]).ok();
    assert_eq!(b.read("many/x.bin"), a.read("many/x.bin"));
    assert!(b.has(".git/haul/aside"));
}

#[test]
fn without_the_stat_cache_what_was_committed_is_told_from_what_was_changed() {
    let world = World::new();
    let a = shared(&world);
    let write = |seed: u64| {
        a.write("single.bin", &data::bytes(seed, 500_000));
        a.write("d/many.bin", &data::bytes(seed + 10, 500_000));
        a.write("d/few.bin", &data::bytes(seed + 20, 500));
    };
    write(1);
    a.write("d/goes.bin", &data::bytes(30, 500_000));
    save(&a, &["single.bin", "d"], "one");
    let one = a.tree();
    write(2);
    a.remove("d/goes.bin");
    save(&a, &["single.bin", "d"], "two");
    let two = a.tree();
    for (rev, tree) in [("HEAD~1", &one), ("main", &two)] {
        a.remove(".git/haul/stat.redb");
        a.git(&["checkout", "--quiet", rev]).ok();
        a.haul(&["checkout"]).ok();
        a.tree().assert_same(tree);
    }
    for file in ["single.bin", "d/many.bin"] {
        a.write(file, &data::bytes(9, 500_000));
        a.remove(".git/haul/stat.redb");
        a.git(&["checkout", "--quiet", "HEAD~1"]).ok();
        a.haul(&["checkout"]).fails_with(1).says(file).says("--force");
        assert_eq!(a.read(file), data::bytes(9, 500_000));
        a.git(&["checkout", "--quiet", "main"]).ok();
        a.haul(&["checkout", "--force"]).ok();
        a.tree().assert_same(&two);
    }
}
