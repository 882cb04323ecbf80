//! The story.

use std::path::Path;

use crate::harness::{Repo, Tree, World, data};
use crate::real::random::Random;
use crate::real::story::{Scene, Strike, users};

/// Somebody who runs one command after the other.
struct Play<'p> {
    world: &'p World,
    strike: &'p mut dyn Strike,
    number: usize,
}

impl Play<'_> {
    fn haul(
        &mut self,
        repo: &Repo<'_>,
        arguments: &[&str],
        target: Option<&Tree>,
    ) -> Result<(), String> {
        let before = users(repo.tree());
        let scene =
            Scene { number: self.number, world: self.world, repo, arguments, before, target };
        self.number += 1;
        self.strike.strike(&scene)?;
        scene.check_lock()?;
        scene.check_files()
    }
}

/// Plays the story in a new world, with content of a seed.
pub(crate) fn play(seed: u64, strike: &mut dyn Strike) -> Result<(), String> {
    let world = World::new();
    let mut play = Play { world: &world, strike, number: 0 };
    let a = world.repo("a");
    play.haul(&a, &["init"], None)?;
    play.haul(&a, &["remote", "add", "origin", "../r"], None)?;
    for name in ["haul.toml", ".gitattributes"] {
        require(a.has(name), || format!("there is no `{name}`"))?;
    }
    write_first(&a, seed);
    play.haul(&a, &["add", "t.csv", "d"], None)?;
    all_staged(&a, &["t.csv.haul", "d.haul"])?;
    commit(&a, "first");
    play.haul(&a, &["push"], None)?;
    a.haul(&["verify"]).ok();
    let first = users(a.tree());

    let b = a.clone_as("b");
    play.haul(&b, &["fetch"], None)?;
    play.haul(&b, &["checkout"], Some(&first))?;
    same(&b, &first)?;

    write_second(&a, seed);
    play.haul(&a, &["add", "-u"], None)?;
    play.haul(&a, &["add", "n.bin"], None)?;
    all_staged(&a, &["t.csv.haul", "d.haul", "n.bin.haul"])?;
    commit(&a, "second");
    play.haul(&a, &["push"], None)?;
    a.haul(&["verify"]).ok();
    let second = users(a.tree());

    b.git(&["pull", "--quiet"]).ok();
    play.haul(&b, &["pull"], Some(&second))?;
    same(&b, &second)?;
    move_and_return(&mut play, &b, &first, &second)?;
    for (revision, tree) in [("HEAD~1", &first), ("HEAD", &second)] {
        let fresh = a.clone_as(&format!("fresh-{}", revision.len()));
        fresh.git(&["checkout", "--quiet", revision]).ok();
        fresh.haul(&["pull"]).ok();
        same(&fresh, tree)?;
    }
    Ok(())
}

fn move_and_return(
    play: &mut Play<'_>,
    b: &Repo<'_>,
    first: &Tree,
    second: &Tree,
) -> Result<(), String> {
    b.git(&["mv", "n.bin.haul", "moved.haul"]).ok();
    let content = b.read("n.bin");
    let mut target = second.clone().without("n.bin");
    target.adopt("moved", second, "n.bin");
    play.haul(b, &["checkout"], Some(&target))?;
    require(b.has("moved") && b.read("moved") == content, || {
        "`moved` is not as it was".to_owned()
    })?;
    require(!b.has("n.bin"), || "`n.bin` is still there".to_owned())?;
    b.git(&["reset", "--quiet", "--hard", "HEAD~1"]).ok();
    play.haul(b, &["checkout"], Some(first))?;
    same(b, first)?;
    b.git(&["reset", "--quiet", "--hard", "HEAD@{1}"]).ok();
    play.haul(b, &["pull"], Some(second))?;
    same(b, second)
}

fn write_first(a: &Repo<'_>, seed: u64) {
    let mut random = Random::new(seed);
    a.write("t.csv", &data::csv(seed, 2_000 + random.below(3_000)));
    a.write("d/one", &data::bytes(seed, 1 + random.below(9_000)));
    a.write("d/two", &data::bytes(seed + 1, 1 + random.below(300_000)));
    a.write("d/sub/three", b"three");
}

fn write_second(a: &Repo<'_>, seed: u64) {
    let table = a.read("t.csv");
    a.write("t.csv", &data::edit_csv(&table, seed + 1, 700..720));
    a.remove("d/one");
    a.write("d/sub/four", &data::bytes(seed + 2, 40_000));
    a.link("two", "d/link");
    a.write("n.bin", &data::bytes(seed + 3, 150_000));
}

fn commit(a: &Repo<'_>, message: &str) {
    a.git(&["add", "--all"]).ok();
    a.commit(message);
}

fn require(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

fn same(repo: &Repo<'_>, tree: &Tree) -> Result<(), String> {
    let differences = users(repo.tree()).differences(tree);
    require(differences.is_empty(), || format!("not as it is to be: {}", differences.join("\n")))
}

/// Requires that pointers and ignore lines are in Git's index as they are in the worktree, and data
/// is as the pointers say.
fn all_staged(a: &Repo<'_>, pointers: &[&str]) -> Result<(), String> {
    let unstaged = a.git(&["status", "--porcelain"]).ok();
    let line =
        unstaged.stdout().lines().find(|line| !line.starts_with("A  ") && !line.starts_with("M  "));
    require(line.is_none(), || format!("Git does not have all: {}", unstaged.stdout()))?;
    for pointer in pointers {
        let listed = a.git(&["ls-files", "--error-unmatch", pointer]).status();
        require(listed == Some(0), || format!("`{pointer}` is not in Git's index"))?;
        let listed = a.path(Path::new(pointer)).is_file();
        require(listed, || format!("there is no `{pointer}`"))?;
    }
    let status = a.haul(&["status", "--porcelain"]).ok();
    let wrong = status.stdout().lines().any(|line| line.starts_with('w'));
    require(!wrong, || format!("pointers do not say what is there\n{status}"))
}
