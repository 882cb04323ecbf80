//! The repository, its users, and what is held against what they did.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use haul::pointer::{Pointer, PointerKind};
use rustix::process::{Pid, Signal, kill_process};

use crate::args::Args;
use crate::eight_processes::inside::{BOTH, Inside};
use crate::figures::Figures;
use crate::plant::hand_on;

/// How long one command may take: longer, and it waits for something that does not come.
const HANG: Duration = Duration::from_secs(240);
/// Seconds of the short and of the long form.
const SECONDS: (u64, u64) = (15, 1800);
/// Commits that have to be published at least, and how long after the end a busy machine has for them.
const LEAST: (usize, Duration) = (2, Duration::from_secs(300));
/// How far into a command, and how long, it is halted at most, in milliseconds: what it has half done
/// then lies there while the others go on.
const HALTED_AFTER: u64 = 60;
const HALTED_FOR: u64 = 400;
/// Largest file in bytes.
const LARGEST: u64 = 300_000;

/// Runs the campaign.
pub(crate) fn run(args: &Args) -> Figures {
    let seconds = args.seconds.unwrap_or(if args.long { SECONDS.1 } else { SECONDS.0 });
    let folder = tempfile::tempdir().expect("makes a folder");
    let scene = Scene::new(folder.path(), args.seed);
    let end = Instant::now() + Duration::from_secs(seconds);
    thread::scope(|scope| {
        for writer in 0..2 {
            let scene = &scene;
            scope.spawn(move || scene.write_and_push(writer, end));
        }
        for (number, name) in ["a", "a", "b", "b", "c", "d"].iter().enumerate() {
            let scene = &scene;
            scope.spawn(move || scene.use_it(name, 100 + number as u64, end));
        }
    });
    let restored = scene.restore_all();
    let Tally { runs, answers, misses, published } =
        scene.tally.into_inner().expect("no thread died");
    let mut figures = Figures::default();
    figures.row("seconds", seconds);
    figures.row("commands", runs);
    for ((verb, code), count) in answers {
        figures.row(format!("{verb}: exit {code}"), count);
    }
    figures.row("commits published", published.len());
    figures.row("commits restored", restored);
    for miss in misses {
        figures.miss(miss);
    }
    if published.len() < LEAST.0 {
        figures.miss("hardly anything was published");
    }
    figures
}

/// What happened so far.
#[derive(Default)]
struct Tally {
    runs: u64,
    answers: BTreeMap<(String, i32), u64>,
    misses: Vec<String>,
    published: BTreeSet<String>,
}

/// One repository, three clones, one remote, one bare repository, one cache.
pub(super) struct Scene {
    pub(super) root: PathBuf,
    seed: u64,
    tally: Mutex<Tally>,
    /// Git itself lets only one process change an index.
    git: Mutex<()>,
    /// Commands so far.
    commands: AtomicU64,
}

/// A small generator, so that a seed says what each thread does.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % sides
    }
}

impl Scene {
    fn new(root: &Path, seed: u64) -> Self {
        let root = root.canonicalize().expect("is there");
        let scene = Self {
            root,
            seed,
            tally: Mutex::default(),
            git: Mutex::default(),
            commands: AtomicU64::new(0),
        };
        fs::create_dir(scene.root.join("home")).expect("makes a folder");
        let settings = "[user]\n\tname = T\n\temail = t@example.com\n[gc]\n\tauto = 0\n\
            [init]\n\tdefaultBranch = main\n[advice]\n\tdetachedHead = false\n";
        fs::write(scene.root.join("home/.gitconfig"), settings).expect("writes");
        fs::create_dir(scene.root.join("a")).expect("makes a folder");
        scene.git("a", &["init", "--quiet"]);
        let remote = scene.root.join("remote");
        let remote = remote.to_str().expect("is UTF-8");
        for arguments in [&["init"][..], &["remote", "add", "r", remote]] {
            assert!(scene.haul("a", arguments).0 == Some(0), "{arguments:?}");
        }
        fs::create_dir(scene.root.join("a").join(BOTH)).expect("makes a folder");
        fs::write(scene.root.join("a").join(BOTH).join("first"), "first").expect("writes");
        assert!(scene.haul("a", &["add", BOTH]).0 == Some(0), "can be added");
        scene.git("a", &["add", "-A"]);
        scene.git("a", &["commit", "--quiet", "-m", "begin"]);
        assert!(scene.haul("a", &["push"]).0 == Some(0), "can be pushed");
        let (bare, a) = (scene.root.join("bare"), scene.root.join("a"));
        let (bare, a) = (bare.to_str().expect("is UTF-8"), a.to_str().expect("is UTF-8"));
        scene.git("a", &["clone", "--quiet", "--bare", a, bare]);
        scene.git("a", &["remote", "add", "origin", bare]);
        scene.git("a", &["fetch", "--quiet", "origin"]);
        for clone in ["b", "c", "d", "judge"] {
            let path = scene.root.join(clone);
            scene.git("a", &["clone", "--quiet", bare, path.to_str().expect("is UTF-8")]);
        }
        scene
    }

    pub(super) fn command(&self, program: &str, folder: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.root.join(folder)).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.root.join("home"));
        let cache = if folder == "judge" { "judges-cache" } else { "cache" };
        command.env("HAUL_CACHE_DIR", self.root.join(cache));
        command.env("GIT_CONFIG_NOSYSTEM", "1");
        hand_on(&mut command);
        command
    }

    fn git(&self, folder: &str, arguments: &[&str]) -> Output {
        let output = self.command("git", folder).args(arguments).stdin(Stdio::null()).output();
        output.expect("runs git")
    }

    /// Runs `haul`; returns its exit code, and what it said.
    fn haul(&self, folder: &str, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = self.command(env!("CARGO_BIN_EXE_haul"), folder);
        let said = tempfile::tempfile().expect("makes a file");
        let writer = said.try_clone().expect("is open");
        command.args(["--quiet", "--progress", "none"]);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(writer);
        let mut child = command.spawn().expect("starts haul");
        let begun = Instant::now();
        let mut halt = self.next_halt();
        let status = loop {
            if let Some((_, long)) = halt.take_if(|(after, _)| begun.elapsed() >= *after) {
                let child = Pid::from_child(&child);
                kill_process(child, Signal::STOP).expect("is not waited for yet");
                thread::sleep(long);
                kill_process(child, Signal::CONT).expect("is not waited for yet");
            }
            match child.try_wait().expect("can be waited for") {
                Some(status) => break status.code(),
                None if begun.elapsed() > HANG => {
                    child.kill().expect("can be ended");
                    child.wait().expect("ends");
                    break None;
                }
                None => thread::sleep(Duration::from_millis(2)),
            }
        };
        let mut words = String::new();
        let mut said = said;
        std::io::Seek::rewind(&mut said).expect("is a file");
        std::io::Read::read_to_string(&mut said, &mut words).expect("is text");
        (status, words)
    }

    /// Says when every second command is halted, and for how long.
    fn next_halt(&self) -> Option<(Duration, Duration)> {
        let number = self.commands.fetch_add(1, Ordering::Relaxed);
        let mut dice = Dice(self.seed.wrapping_mul(0x9e37_79b9).wrapping_add(number));
        (dice.roll(2) == 0).then(|| {
            let after = Duration::from_millis(dice.roll(HALTED_AFTER));
            (after, Duration::from_millis(dice.roll(HALTED_FOR)))
        })
    }

    pub(super) fn miss(&self, what: String) {
        self.tally.lock().expect("no thread died").misses.push(what);
    }

    /// Runs `haul`; a hang, a crash, damage, and a refusal that is not one of these are misses.
    pub(super) fn expect(&self, folder: &str, arguments: &[&str], refusals: &[&str]) -> bool {
        let (status, words) = self.haul(folder, arguments);
        let line = format!("{folder}$ haul {}", arguments.join(" "));
        let mut tally = self.tally.lock().expect("no thread died");
        tally.runs += 1;
        let verb = (*arguments.first().expect("has a verb")).to_owned();
        *tally.answers.entry((verb, status.unwrap_or(-1))).or_default() += 1;
        let refused = status == Some(1) && refusals.iter().any(|refusal| words.contains(refusal));
        if status != Some(0) && !refused {
            tally.misses.push(format!("{line}: {status:?}: {words}"));
        }
        status == Some(0)
    }

    /// Says whether a writer goes on; after the end only where hardly anything is published, and nothing
    /// went wrong.
    fn goes_on(&self, end: Instant) -> bool {
        let now = Instant::now();
        let tally = self.tally.lock().expect("no thread died");
        let wanting = tally.published.len() < LEAST.0 && tally.misses.is_empty();
        now < end || (wanting && now < end + LEAST.1)
    }

    /// Changes one tracked folder over and over, and publishes it: content first, then Git.
    fn write_and_push(&self, writer: u64, end: Instant) {
        let mut dice = Dice(self.seed * 1000 + writer);
        let name = format!("w{writer}");
        let mut inside = Inside::new(writer);
        while self.goes_on(end) {
            for _ in 0..=dice.roll(3) {
                let file = self.root.join("a").join(&name).join(format!("{}.bin", dice.roll(5)));
                fs::create_dir_all(file.parent().expect("has one")).expect("makes a folder");
                let mut bytes = vec![0; usize::try_from(1 + dice.roll(LARGEST)).expect("fits")];
                let seed = dice.roll(u64::MAX);
                let mut hasher = blake3::Hasher::new();
                hasher.update(&seed.to_le_bytes());
                hasher.finalize_xof().fill(&mut bytes);
                fs::write(file, bytes).expect("writes");
            }
            for _ in 0..=dice.roll(3) {
                inside.change(self, &mut dice);
            }
            // Another process may hold Git's index for a moment: the content is kept all the same.
            if !self.expect("a", &["add", &name], &["git add"]) {
                continue;
            }
            if !self.expect("a", &["push"], &[]) {
                continue;
            }
            self.publish(&name);
        }
        inside.compare(self);
    }

    fn publish(&self, name: &str) {
        let _git = self.git.lock().expect("no thread died");
        let (pointer, both) = (format!("{name}.haul"), format!("{BOTH}.haul"));
        self.git("a", &["commit", "--quiet", "-m", name, "--only", &pointer, &both, ".gitignore"]);
        // The pointer of the other writer may have been added since: what is published is pushed.
        if !self.expect("a", &["push", "--rev", "HEAD"], &[]) {
            return;
        }
        if self.git("a", &["push", "--quiet", "origin", "main"]).status.success() {
            let head = self.git("a", &["rev-parse", "HEAD"]).stdout;
            let head = String::from_utf8(head).expect("is hexadecimal").trim().to_owned();
            self.tally.lock().expect("no thread died").published.insert(head);
        }
    }

    /// Pulls, checks out, evicts and looks, in any order.
    fn use_it(&self, clone: &str, number: u64, end: Instant) {
        let mut dice = Dice(self.seed * 1000 + number);
        // Where the writers work, files differ from their pointers now and then.
        let busy = ["not added", "was changed", "hint: run `haul pull`", "haul pull` brings"];
        let in_use = ["another haul uses the cache"];
        while Instant::now() < end {
            match dice.roll(8) {
                0 => drop(self.expect(clone, &["status"], &[])),
                1 => drop(self.expect(clone, &["evict", "--all", "--yes"], &in_use)),
                2 => drop(self.expect(clone, &["evict", "--max-size", "400K", "--yes"], &in_use)),
                3 => drop(self.expect(clone, &["fetch"], &[])),
                4 if clone != "a" => drop(self.expect(clone, &["checkout"], &busy)),
                _ if clone == "a" => drop(self.expect(clone, &["verify", "origin/main"], &[])),
                _ => self.update(clone),
            }
        }
    }

    /// Takes the newest commit, and everything that its pointers name; two share a clone.
    fn update(&self, clone: &str) {
        {
            let _git = self.git.lock().expect("no thread died");
            self.git(clone, &["fetch", "--quiet"]);
            self.git(clone, &["reset", "--quiet", "--hard", "origin/main"]);
        }
        // The other one may change the pointers under its feet.
        let turned: &[&str] =
            if clone == "b" { &["run the same command again", "not added"] } else { &[] };
        self.expect(clone, &["pull"], turned);
    }

    /// Restores every published commit in a clone with a cache of its own; returns how many are right.
    fn restore_all(&self) -> u64 {
        let published = self.tally.lock().expect("no thread died").published.clone();
        self.git("judge", &["fetch", "--quiet"]);
        let mut right = 0;
        for commit in &published {
            self.git("judge", &["checkout", "--quiet", commit]);
            if !self.expect("judge", &["pull"], &[]) || !self.expect("judge", &["verify"], &[]) {
                self.miss(format!("commit {commit} cannot be restored"));
                continue;
            }
            match self.wrong("judge") {
                None => right += 1,
                Some(wrong) => self.miss(format!("commit {commit}: {wrong}")),
            }
        }
        right
    }

    /// Says what of a worktree is not what its pointers name.
    fn wrong(&self, clone: &str) -> Option<String> {
        let root = self.root.join(clone);
        for name in ["w0", "w1", BOTH] {
            let Ok(bytes) = fs::read(root.join(format!("{name}.haul"))) else { continue };
            let Ok(pointer) = Pointer::parse(&bytes) else {
                return Some(format!("{name}: no pointer"));
            };
            let PointerKind::Dir { files, size, .. } = pointer.kind() else {
                return Some(format!("{name}: is no folder"));
            };
            let found: Vec<u64> = fs::read_dir(root.join(name))
                .map(|all| {
                    all.map(|e| e.expect("is listed").metadata().expect("is").len()).collect()
                })
                .unwrap_or_default();
            if (found.len() as u64, found.iter().sum::<u64>()) != (*files, *size) {
                return Some(format!("{name}: {} files, not {files}", found.len()));
            }
        }
        // Whether each byte is right is what adding it again tells: then the pointer stays the same. It
        // is read for that, as nothing vouches for its stamps any more.
        fs::remove_file(root.join(".git/haul/stat.redb")).expect("is there");
        for name in ["w0", "w1", BOTH] {
            if root.join(name).exists() {
                let (status, words) = self.haul(clone, &["add", name]);
                if status != Some(0) {
                    return Some(format!("{name} cannot be added again: {status:?}: {words}"));
                }
            }
        }
        let looked = self.git(clone, &["status", "--porcelain"]);
        let (status, changed) = (looked.status, String::from_utf8_lossy(&looked.stdout));
        if !status.success() {
            return Some(format!("git cannot tell: {status}"));
        }
        (!changed.is_empty()).then(|| changed.into_owned())
    }
}
