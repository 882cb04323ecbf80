//! A disk that is full: each verb fails honestly, loses nothing, and works when it is given room.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::args::Args;
use crate::figures::Figures;
use crate::harness::{Output, Repo, Tree, World, data, skipped};
use crate::real::cases::guarded;

/// Between two sizes, in KiB.
const STEP: u64 = 256;
/// Enough for everything, in KiB.
const ENOUGH: u64 = 200 << 10;

/// Runs the campaign.
pub(crate) fn run(args: &Args) -> Figures {
    let mut figures = Figures::default();
    let sizes = args.cases(20, 6);
    let (mut refused, mut done) = (0, 0);
    for number in 0..sizes {
        // As far apart that the largest is enough, however few there are.
        let room = number * STEP * 20 / sizes.max(1);
        let outcome = squeeze(room, &[]).map(|case| {
            refused += case.refused;
            done += case.done;
        });
        if let Err(why) = outcome {
            figures.miss(format!("{room} KiB of room: {why}"));
        }
    }
    figures.row("sizes", sizes);
    figures.row("commands refused for want of room", refused);
    figures.row("commands that had enough", done);
    figures
}

/// Plays the case of one size with a bug, and returns what was found.
pub(super) fn first_miss(bug: &str) -> Option<String> {
    let rooms = (0..4).map(|number| number * STEP);
    rooms.into_iter().find_map(|room| squeeze(room, &[("HAUL_PLANTED", bug)]).err())
}

/// What became of the commands of a case.
#[derive(Default)]
struct Tally {
    refused: u64,
    done: u64,
}

/// Plays the case of one size.
fn squeeze(room: u64, variables: &[(&str, &str)]) -> Result<Tally, String> {
    let mut tally = Tally::default();
    guarded(|| {
        let world = World::new();
        let Some(disk) = Disk::mount(world.path("disk")) else { return Ok(()) };
        let mut case = Case { disk, room, variables, tally: &mut tally };
        case.play(&world);
        Ok(())
    })?;
    Ok(tally)
}

/// A file system in memory; gone when dropped.
struct Disk(PathBuf);

impl Disk {
    fn mount(path: PathBuf) -> Option<Self> {
        std::fs::create_dir(&path).expect("makes a folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={ENOUGH}k,mode=755"), "none"]).arg(&path);
        if mount.output().is_ok_and(|output| output.status.success()) {
            return Some(Self(path));
        }
        skipped("a small file system cannot be mounted");
        None
    }

    /// Leaves `room` KiB beyond what is in use.
    fn leave(&self, room: u64) {
        let output = Command::new("df").args(["-k", "--output=used"]).arg(&self.0).output();
        let text = String::from_utf8(output.expect("runs").stdout).expect("is text");
        let used: u64 =
            text.lines().nth(1).and_then(|line| line.trim().parse().ok()).expect("is a number");
        self.resize(used + room);
    }

    fn resize(&self, size: u64) {
        let option = format!("remount,size={size}k");
        let done = Command::new("mount").args(["-o", &option]).arg(&self.0).status();
        assert!(done.is_ok_and(|status| status.success()), "changes the size");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(&self.0).output());
    }
}

struct Case<'c> {
    disk: Disk,
    room: u64,
    variables: &'c [(&'c str, &'c str)],
    tally: &'c mut Tally,
}

impl Case<'_> {
    fn play(&mut self, world: &World) {
        let a = world.repo("disk/a");
        a.haul(&["init"]).ok();
        a.haul(&["remote", "add", "origin", "../r"]).ok();
        a.git(&["add", "--all"]).ok();
        a.commit("settings");
        a.write("x.bin", &data::bytes(1, 700_000));
        a.write("d/table.csv", &data::csv(2, 9_000));
        a.write("d/small", b"small");
        let whole = users(&a);
        self.squeezed(&a, &["add", "x.bin", "d"], &whole);
        users(&a).assert_same(&whole);
        a.commit("data");
        self.squeezed(&a, &["push"], &whole);
        a.haul(&["verify"]).ok();
        let b = a.clone_as("disk/b");
        self.squeezed(&b, &["pull"], &whole);
        users(&b).assert_same(&whole);
        // A small change of what is there.
        a.write("d/table.csv", &data::edit_csv(&data::csv(2, 9_000), 3, 100..110));
        let whole = users(&a);
        self.squeezed(&a, &["add", "-u"], &whole);
        a.commit("again");
        self.squeezed(&a, &["push"], &whole);
        b.git(&["pull", "--quiet"]).ok();
        let before = users(&b);
        self.leave_and_run(&b, &["pull"]);
        let between = users(&b);
        let half = between.differences(&whole).len() + between.differences(&before).len();
        assert!(half <= before.differences(&whole).len(), "a file is neither old nor new");
        self.disk.resize(ENOUGH);
        b.haul(&["pull"]).ok();
        users(&b).assert_same(&whole);
        let fresh = a.clone_as("disk/fresh");
        fresh.haul(&["pull"]).ok();
        users(&fresh).assert_same(&whole);
    }

    /// Runs a command with little room, and again with enough.
    fn squeezed(&mut self, repo: &Repo<'_>, arguments: &[&str], whole: &Tree) {
        let before = users(repo);
        self.leave_and_run(repo, arguments);
        let after = users(repo);
        let wrong = after.differences(whole);
        let lost = after.differences(&before).into_iter().filter(|line| wrong.contains(line));
        assert_eq!(lost.collect::<Vec<_>>(), Vec::<String>::new(), "files changed");
        self.disk.resize(ENOUGH);
        repo.haul(arguments).ok();
        assert!(!repo.has(".git/index.lock"), "a lock is left");
    }

    fn leave_and_run(&mut self, repo: &Repo<'_>, arguments: &[&str]) -> Output {
        self.disk.leave(self.room);
        let output = repo.haul_with(arguments, self.variables);
        if output.status() == Some(0) {
            self.tally.done += 1;
        } else {
            self.tally.refused += 1;
            assert!(
                matches!(output.status(), Some(1 | 3)),
                "such an end is not expected\n{output}"
            );
            assert!(output.stderr().contains("hint: "), "an error without a hint\n{output}");
        }
        output
    }
}

/// The user's files.
fn users(repo: &Repo<'_>) -> Tree {
    let tree = repo.tree();
    let own = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or_default();
        let pointer = Path::new(name).extension().is_some_and(|ending| ending == "haul");
        pointer
            || name == "haul.toml"
            || name.starts_with(".git")
            || name.starts_with(".haul-tmp")
            || name.starts_with("haul-")
    };
    let paths: Vec<String> =
        tree.paths().into_iter().filter(|path| own(path)).map(str::to_owned).collect();
    paths.into_iter().fold(tree, Tree::without)
}
