//! A clone whose attributes hand files to haul, and whose Git does not know haul.

use crate::filter::{held, save, tracking};
use crate::harness::{Repo, World, data};
use crate::scene::shared;

const NEXT: &str = "run `haul init`, then `haul pull`";

/// A clone of a repository with a pushed file, where Git calls haul's hooks and nothing else of it.
fn scene(world: &World) -> (Repo<'_>, Repo<'_>) {
    let a = tracking(world);
    a.write("x.bin", &data::bytes(1, 100_000));
    save(&a, "x");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    b.haul(&["hooks", "install"]).ok();
    assert_eq!(b.text("x.bin"), held(&a, "HEAD", "x.bin"), "the pointer stands there");
    (a, b)
}

#[test]
fn status_doctor_and_pull_say_that_pointers_stand_where_content_should_be() {
    let world = World::new();
    let (a, b) = scene(&world);
    let status = b.haul(&["status"]).ok().says("`x.bin` holds a pointer").says(NEXT);
    status.prints("after `haul init`");
    b.haul(&["doctor"]).fails_with(1).prints("FAIL  filter").prints(NEXT);
    for verb in ["pull", "checkout"] {
        b.haul(&[verb]).ok().says("`x.bin` holds a pointer").says(NEXT);
    }
    assert_eq!(b.text("x.bin"), held(&a, "HEAD", "x.bin"));
    // And that helps.
    b.haul(&["init"]).ok();
    b.haul(&["pull"]).ok();
    assert_eq!(b.read("x.bin"), data::bytes(1, 100_000));
    b.haul(&["doctor"]).ok().prints("ok    filter");
    assert!(!a.haul(&["doctor", "--offline"]).ok().stdout().contains("FAIL "));
}

#[test]
fn a_checkout_and_a_merge_say_so_through_the_hooks() {
    let world = World::new();
    let (a, b) = scene(&world);
    b.git_hooked(&["checkout", "--quiet", "-b", "other"]).ok().says(NEXT);
    a.write("y.bin", &data::bytes(2, 5000));
    save(&a, "y");
    b.git_hooked(&["pull", "--quiet", "origin", "main"]).ok().says(NEXT);
    b.haul(&["init"]).ok();
    let quiet = b.git_hooked(&["checkout", "--quiet", "main"]).ok();
    assert!(!quiet.stderr().contains(NEXT), "{quiet}");
}

#[test]
fn a_commit_that_would_put_content_into_git_is_refused_and_what_it_says_helps() {
    let world = World::new();
    let (_, b) = scene(&world);
    b.write("y z.bin", &data::bytes(2, 5000));
    b.write("empty.bin", b"");
    b.write("plain.txt", b"text");
    b.git(&["add", "-A"]).ok();
    let refused = b.git_hooked(&["commit", "--message", "y"]).fails_with(1);
    let refused = refused.says("`y z.bin` is to hold a pointer in Git");
    refused.says("run `haul init`, then `git add --renormalize -- ':/y z.bin'`");
    b.haul(&["init"]).ok();
    // Git knows how by now, and what is staged is still content.
    let refused = b.git_hooked(&["commit", "--message", "y"]).fails_with(1);
    refused.says("run `git add --renormalize -- ':/y z.bin'`");
    b.git(&["add", "--renormalize", "--", "y z.bin"]).ok();
    b.git_hooked(&["commit", "--message", "y"]).ok();
    assert!(held(&b, "HEAD", "y z.bin").starts_with("haul 1\n"));
    assert_eq!(held(&b, "HEAD", "empty.bin"), "");
    assert_eq!(b.read("y z.bin"), data::bytes(2, 5000));
}

#[test]
fn attributes_of_a_sub_folder_count_and_what_is_said_can_be_run_from_there() {
    let world = World::new();
    let a = shared(&world);
    a.write("sub/.gitattributes", b"*.bin filter=haul merge=haul -text\n");
    save(&a, "attributes");
    let b = a.clone_as("b");
    b.haul(&["hooks", "install"]).ok();
    b.write("sub/y[1] z.bin", &data::bytes(2, 5000));
    b.write("sub/plain.txt", b"text");
    b.write("other.bin", b"Git's own");
    b.git(&["add", "-A"]).ok();
    let refused = b.git_hooked(&["commit", "--message", "y"]).fails_with(1);
    let refused = refused.says("`sub/y[1] z.bin` is to hold a pointer in Git");
    let refused = refused.says("run `haul init`, then");
    b.haul(&["doctor", "--offline"]).fails_with(1).prints("FAIL  filter");
    b.git_hooked(&["checkout", "--quiet", "-b", "other"]).ok().says(NEXT);
    let sub = world.folder("b/sub");
    sub.haul(&["init"]).ok();
    sub.haul(&["doctor", "--offline"]).prints("ok    filter");
    let step = "git add --renormalize -- ':(top,literal)sub/y[1] z.bin'";
    assert!(refused.stderr().contains(step), "{refused}");
    sub.run("sh", &["-c", step]).ok();
    b.git_hooked(&["commit", "--message", "y"]).ok();
    assert!(held(&b, "HEAD", "sub/y[1] z.bin").starts_with("haul 1\n"));
    assert_eq!(held(&b, "HEAD", "other.bin"), "Git's own");
}

#[test]
fn comments_and_other_filters_hand_nothing_over() {
    let world = World::new();
    let a = shared(&world);
    a.write(".gitattributes", b"*.q filter=haulage\n# *.r filter=haul\n");
    a.write("sub/.gitattributes", b"# *.bin filter=haul\n");
    save(&a, "attributes");
    let b = a.clone_as("b");
    b.haul(&["hooks", "install"]).ok();
    let doctor = b.haul(&["doctor", "--offline"]);
    assert!(!doctor.stdout().contains("filter "), "{doctor}");
    let quiet = b.git_hooked(&["checkout", "--quiet", "-b", "other"]).ok();
    assert!(!quiet.stderr().contains(NEXT), "{quiet}");
    b.write("x.q", &data::bytes(2, 5000));
    b.write("sub/x.bin", &data::bytes(3, 5000));
    b.git(&["add", "-A"]).ok();
    b.git_hooked(&["commit", "--message", "x"]).ok();
}
