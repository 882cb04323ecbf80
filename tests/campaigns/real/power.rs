//! Power cuts: the file system below stops at a system call, as if the power had gone, is mounted
//! anew, and has everything that was acknowledged.
//!
//! The file systems are asked to shut down (an `ioctl` of XFS that ext4 has too), either without
//! their journal's tail, or with metadata ahead of the bytes. Single sectors are not reordered.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::args::Args;
use crate::figures::Figures;
use crate::harness::{Disk, Repo, Tree, World, data};
use crate::real::cases;
use crate::real::random::Random;
use crate::real::trace::{self, Act, Call};

/// File systems, each with the options of its `mkfs`.
const KINDS: &[(&str, &[&str])] = &[("ext4", &["-q"]), ("xfs", &["-q"])];
/// Of this many calls one is drawn for the cut; a command has about half as many, so that every other
/// cut comes right after its end.
const CALLS: usize = 160;
/// What the file systems are asked: 2 drops the journal's tail, 1 writes metadata and no bytes.
const CUT: &str = "import fcntl,os,struct,sys\n\
    fcntl.ioctl(os.open(sys.argv[1],os.O_RDONLY),0x8004587d,struct.pack('I',int(sys.argv[2])))";

/// Runs the campaign.
pub(crate) fn run(args: &Args) -> Figures {
    let mut figures = Figures::default();
    let tally = Tally::default();
    cases::run(&mut figures, args, args.cases(100, 3), |seed| cut(seed, "", &tally));
    figures.row("cuts", tally.cuts.load(Ordering::Relaxed));
    figures.row("of them right after a command had ended", tally.after.load(Ordering::Relaxed));
    figures.row("acknowledged commands looked at", tally.acknowledged.load(Ordering::Relaxed));
    figures.row("commands that had to be run twice after it", tally.twice.load(Ordering::Relaxed));
    figures
}

/// Counts of all cuts.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) cuts: AtomicU64,
    after: AtomicU64,
    acknowledged: AtomicU64,
    twice: AtomicU64,
}

/// Has a file system stop as if the power had gone.
fn cut_power(disk: &Disk, way: usize) {
    let done =
        Command::new("python3").args(["-c", CUT]).arg(disk.place()).arg(way.to_string()).status();
    assert!(done.is_ok_and(|status| status.success()), "the file system does not shut down");
}

fn sync(disk: &Disk) {
    drop(Command::new("sync").arg("-f").arg(disk.place()).output());
}

/// Says whether this machine can make and mount a file system.
pub(super) fn can_cut(outside: &World) -> bool {
    KINDS.first().is_some_and(|kind| Disk::make(outside, *kind).is_some())
}

/// Plays one case; `planted` names a bug of the program, if one is to be there.
pub(super) fn cut(seed: u64, planted: &str, tally: &Tally) -> Result<(), String> {
    let mut random = Random::new(seed);
    let kind = KINDS.get(usize::try_from(seed % 2).expect("is small")).expect("are two");
    let outside = World::new();
    let Some(disk) = Disk::make(&outside, *kind) else { return Ok(()) };
    let way = 1 + random.below(2);
    let moment = (random.below(5), random.below(CALLS));
    let world = World::new_in(disk.place());
    let settings = "[user]\n\tname = Test\n\temail = test@example.com\n[init]\n\tdefaultBranch = main\n\
        [gc]\n\tauto = 0\n[core]\n\tfsync = all\n";
    std::fs::write(world.home().join(".gitconfig"), settings).expect("writes the settings");
    let mut case = Case { world: &world, disk: &disk, way, moment, planted, number: 0, tally };
    let outcome = case.play().map_err(|why| format!("{} {moment:?}, way {way}: {why}", kind.0));
    drop(world);
    outcome
}

struct Case<'c> {
    world: &'c World,
    disk: &'c Disk,
    way: usize,
    /// Which command is cut, and at which of its calls.
    moment: (usize, usize),
    planted: &'c str,
    number: usize,
    tally: &'c Tally,
}

impl Case<'_> {
    fn play(&mut self) -> Result<(), String> {
        let a = self.world.repo("a");
        a.haul(&["init"]).ok();
        a.haul(&["remote", "add", "origin", "../r"]).ok();
        self.commit(&a, "settings");
        a.write("t.csv", &data::csv(1, 3_000));
        a.write("d/one", &data::bytes(2, 300_000));
        a.write("d/two", b"two");
        sync(self.disk);
        self.run(&a, &["add", "t.csv", "d"])?;
        Self::same(&a, &a.tree())?;
        self.commit(&a, "first");
        self.run(&a, &["push"])?;
        let b = a.clone_as("b");
        sync(self.disk);
        self.run(&b, &["pull"])?;
        Self::compare(&b, &a)?;
        a.write("t.csv", &data::edit_csv(&data::csv(1, 3_000), 2, 50..60));
        a.write("d/three", &data::bytes(3, 90_000));
        sync(self.disk);
        self.run(&a, &["add", "-u"])?;
        self.commit(&a, "second");
        self.run(&a, &["push"])?;
        let fresh = a.clone_as("fresh");
        fresh.haul(&["pull"]).ok();
        Self::compare(&fresh, &a)
    }

    fn commit(&self, repo: &Repo<'_>, message: &str) {
        repo.git(&["add", "--all"]).ok();
        repo.git(&["commit", "--quiet", "--allow-empty", "--message", message]).ok();
        sync(self.disk);
    }

    /// Runs a command; if it is the one, the power goes meanwhile or right after, and comes back.
    fn run(&mut self, repo: &Repo<'_>, arguments: &[&str]) -> Result<(), String> {
        self.number += 1;
        let variables: &[(&str, &str)] =
            if self.planted.is_empty() { &[] } else { &[("HAUL_PLANTED", self.planted)] };
        if self.number != self.moment.0 + 1 {
            repo.haul_with(arguments, variables).ok();
            return Ok(());
        }
        let (mut seen, mut dead) = (0, false);
        let mut judge = |call: &Call| {
            seen += usize::from(call.changes());
            if dead || seen <= self.moment.1 {
                return Act::Go;
            }
            dead = true;
            cut_power(self.disk, self.way);
            Act::Kill
        };
        let ended = trace::haul(self.world, &repo.path(""), (arguments, variables), &mut judge);
        self.tally.cuts.fetch_add(1, Ordering::Relaxed);
        if !dead && ended.status != Some(0) {
            return Err(ended.to_string());
        }
        let acknowledged = (!dead).then(|| (repo.tree(), Pointers::of(repo)));
        if !dead {
            self.tally.after.fetch_add(1, Ordering::Relaxed);
            cut_power(self.disk, self.way);
        }
        self.disk.unmount();
        if !self.disk.mount() {
            return Err("the file system cannot be mounted again".to_owned());
        }
        if let Some((tree, pointers)) = acknowledged {
            self.tally.acknowledged.fetch_add(1, Ordering::Relaxed);
            self.check(repo, arguments, (&tree, &pointers))
                .map_err(|why| format!("{why}\n{ended}"))?;
        }
        let mut again = repo.haul(arguments);
        // What was fetched and not acknowledged may have holes, which that run puts aside.
        if again.status() == Some(4) && again.stderr().contains("run the same command again") {
            self.tally.twice.fetch_add(1, Ordering::Relaxed);
            again = repo.haul(arguments);
        }
        if again.status() == Some(0) { Ok(()) } else { Err(format!("again: {again}")) }
    }

    /// Requires that what a command acknowledged is there.
    fn check(
        &self,
        repo: &Repo<'_>,
        arguments: &[&str],
        (tree, pointers): (&Tree, &Pointers),
    ) -> Result<(), String> {
        let line = arguments.join(" ");
        match arguments.first() {
            Some(&"add") => {
                let found = Pointers::of(repo);
                if found.0 != pointers.0 {
                    return Err(format!("a pointer of `haul {line}` is gone or another"));
                }
                // The worktree's copy is not the one that was acknowledged.
                for data in ["t.csv", "d"] {
                    drop(std::fs::remove_dir_all(repo.path(data)));
                    drop(std::fs::remove_file(repo.path(data)));
                }
                let back = repo.haul(&["checkout"]);
                if back.status() != Some(0) {
                    return Err(format!("what was added cannot be had again: {back}"));
                }
                Self::same(repo, tree)
            }
            Some(&"push") => {
                let copy = self.world.repo("copy");
                pointers.0.iter().for_each(|(name, bytes)| copy.write(name, bytes));
                copy.git(&["add", "--all"]).ok();
                let pulled = copy.haul(&["pull"]);
                if pulled.status() != Some(0) {
                    return Err(format!("what was pushed cannot be pulled: {pulled}"));
                }
                Self::same(&copy, tree)
            }
            _ => Self::same(repo, tree),
        }
    }

    fn same(repo: &Repo<'_>, tree: &Tree) -> Result<(), String> {
        let data = |tree: Tree| tree.without(".gitignore").without(".gitattributes");
        let differences = data(repo.tree()).differences(&data(tree.clone()));
        if differences.is_empty() {
            Ok(())
        } else {
            Err(format!("not as it was: {}", differences.join("\n")))
        }
    }

    fn compare(one: &Repo<'_>, other: &Repo<'_>) -> Result<(), String> {
        Self::same(one, &other.tree())
    }
}

/// Pointers and settings as they lie in a worktree.
struct Pointers(Vec<(String, Vec<u8>)>);

impl Pointers {
    fn of(repo: &Repo<'_>) -> Self {
        let names = ["t.csv.haul", "d.haul", "haul.toml"].into_iter();
        let there = names.filter(|name| repo.path(Path::new(name)).is_file());
        Self(there.map(|name| (name.to_owned(), repo.read(name))).collect())
    }
}
