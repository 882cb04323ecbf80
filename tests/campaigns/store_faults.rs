//! Store faults: whatever the storage does, a push that ends well can be restored by anybody, and a
//! fetch that ends well gives the right bytes. Both end, and end well once enough is tried.
//!
//! The binary cannot be given such storage, so pushes and fetches run in this process; the content
//! is made by `haul add` before, and put into a worktree by `haul checkout` after.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use object_store::memory::InMemory;

use haul::cache::{Index, Layout};
use haul::hash::RepoId;
use haul::pointer::Pointer;
use haul::progress::{Job, Silent};
use haul::remote::Remote;
use haul::transfer::{
    Avoid, Contact, Filter, Home, Purpose, PushRequest, Root, Stage, TransferError, Wanted,
    fetch_data, plan_fetch, push,
};

use crate::args::Args;
use crate::faulty::{Chance, Faulty};
use crate::figures::Figures;

/// Requests at once.
const JOBS: usize = 4;
/// How often a command is run again before that counts as never ending well.
const TRIES: u32 = 200;
/// A command that takes longer hangs; sound ones take some milliseconds.
const HANG: Duration = Duration::from_secs(300);

/// Runs the campaign: rounds until enough requests went wrong.
pub(crate) fn run(args: &Args) -> Figures {
    let mut figures = Figures::default();
    let wanted_faults = args.cases(10_000, 300);
    let dir = tempfile::tempdir().expect("a temporary folder");
    let world = World::make(dir.path());
    let progress = Arc::new(AtomicU64::new(0));
    watch(Arc::clone(&progress));
    let (mut faults, mut requests, mut rounds) = (BTreeMap::<&str, u64>::new(), 0, 0);
    let mut ends = BTreeMap::<String, u64>::new();
    while faults.values().sum::<u64>() < wanted_faults {
        rounds += 1;
        let seed = args.seed.wrapping_mul(1_000_003).wrapping_add(rounds);
        let percent = match rounds % 3 {
            0 => 1,
            1 => 5,
            _ => 20,
        };
        let store = Arc::new(InMemory::new());
        let faulty = Arc::new(Faulty::new(Arc::clone(&store), percent, seed));
        let round = Round { world: &world, store, faulty: &faulty, progress: &progress, seed };
        if let Err(why) = round.play(&mut ends) {
            figures.miss(format!("round {rounds}, seed {}: {why}", args.seed));
        }
        let tally = faulty.tally();
        requests += tally.requests;
        for (fault, count) in tally.faults {
            *faults.entry(fault).or_default() += count;
        }
    }
    progress.store(u64::MAX, Ordering::Relaxed);
    figures.row("rounds of two pushes and two fetches", rounds);
    figures.row("requests", requests);
    for (fault, count) in &faults {
        figures.row(*fault, count);
    }
    figures.row("requests that went wrong", faults.values().sum::<u64>());
    for (end, count) in ends {
        figures.row(end, count);
    }
    figures
}

/// Ends the process if nothing moves any more: a thread that hangs cannot be stopped.
fn watch(progress: Arc<AtomicU64>) {
    std::thread::spawn(move || {
        let mut last = progress.load(Ordering::Relaxed);
        loop {
            std::thread::sleep(HANG);
            let now = progress.load(Ordering::Relaxed);
            assert!(now != last || now == u64::MAX, "a command hangs: step {now}");
            if now == last {
                return;
            }
            last = now;
        }
    });
}

/// Paths and what is in them.
type Files = BTreeMap<PathBuf, Vec<u8>>;

/// A repository with two versions of its content, and the same without content.
struct World {
    root: PathBuf,
    /// What the pointers of each version name, and the files that they stand for.
    versions: [(Vec<Wanted>, Files); 2],
}

impl World {
    fn make(root: &Path) -> Self {
        let origin = root.join("origin");
        std::fs::create_dir_all(origin.join("tree/deep")).expect("a folder");
        git(&origin, &["init", "-q", "-b", "main"]);
        haul(&origin, &["init"]);
        let mut chance = Chance::new(7);
        let mut body =
            |len: usize| (0..len).map(|_| chance.below(256).to_le_bytes()[0]).collect::<Vec<_>>();
        let mut files = BTreeMap::from([
            (PathBuf::from("large.bin"), body(400_000)),
            (
                PathBuf::from("small.txt"),
                b"one chunk, and not many bytes of it, but more than 48\n".to_vec(),
            ),
        ]);
        for i in 0..12 {
            files.insert(PathBuf::from(format!("tree/deep/{i}.bin")), body(5_000 * i));
        }
        let first = Self::version(root, &origin, &files, 0);
        let large = files.get_mut(Path::new("large.bin")).expect("was put there");
        large.splice(200_000..200_010, *b"something else, longer");
        files.insert(PathBuf::from("tree/new.bin"), body(70_000));
        let second = Self::version(root, &origin, &files, 1);
        Self { root: root.to_owned(), versions: [(first, files.clone()), (second, files)] }.fix()
    }

    /// The files of the first version are those of the second without the change.
    fn fix(mut self) -> Self {
        let kept = self.root.join("files-0");
        let (_, files) = &mut self.versions[0];
        files.remove(Path::new("tree/new.bin"));
        let large = std::fs::read(kept).expect("was kept");
        files.insert(PathBuf::from("large.bin"), large);
        self
    }

    /// Adds and commits the files; keeps the state of this machine, and a clone without content.
    fn version(
        root: &Path,
        origin: &Path,
        files: &BTreeMap<PathBuf, Vec<u8>>,
        number: usize,
    ) -> Vec<Wanted> {
        for (path, body) in files {
            std::fs::write(origin.join(path), body).expect("a file");
        }
        let large = files.get(Path::new("large.bin")).expect("is there");
        std::fs::write(root.join(format!("files-{number}")), large).expect("a file");
        haul(origin, &["add", "large.bin", "small.txt", "tree"]);
        git(origin, &["add", "-A"]);
        git(origin, &["commit", "-q", "-m", "a version"]);
        let kept = root.join(format!("pushes-{number}"));
        copy(&origin.join(".git/haul"), &kept.join("haul"));
        let clone = root.join(format!("clone-{number}"));
        git(root, &["clone", "-q", "origin", &clone.to_string_lossy()]);
        ["large.bin", "small.txt", "tree"].map(|path| wanted(origin, path)).to_vec()
    }
}

pub(crate) fn wanted(origin: &Path, path: &str) -> Wanted {
    let text = std::fs::read(origin.join(format!("{path}.haul"))).expect("a pointer");
    let pointer = Pointer::parse(&text).expect("a sound pointer");
    Wanted { path: path.into(), root: Root::of(&pointer), filter: Filter::All }
}

/// One store and what happens to it.
struct Round<'w> {
    world: &'w World,
    store: Arc<InMemory>,
    faulty: &'w Arc<Faulty>,
    progress: &'w AtomicU64,
    seed: u64,
}

impl Round<'_> {
    /// Two machines push one version each; after each push it is fetched over sound storage, and
    /// over this.
    fn play(&self, ends: &mut BTreeMap<String, u64>) -> Result<(), String> {
        for (number, (roots, files)) in self.world.versions.iter().enumerate() {
            let here = tempfile::tempdir_in(&self.world.root).map_err(|e| e.to_string())?;
            copy(&self.world.root.join(format!("pushes-{number}/haul")), &here.path().join("haul"));
            self.until("push", ends, || self.push(here.path(), roots))?;
            for faulty in [false, true] {
                let clone = tempfile::tempdir_in(&self.world.root).map_err(|e| e.to_string())?;
                let clone = clone.path().join("clone");
                copy(&self.world.root.join(format!("clone-{number}")), &clone);
                if faulty {
                    self.until("fetch", ends, || fetch(&clone, roots, (self.over_faulty(), JOBS)))?;
                } else {
                    let sound = Remote::over(Arc::clone(&self.store) as Arc<_>, "sound");
                    let fetched = fetch(&clone, roots, (sound, JOBS));
                    fetched.map_err(|e| format!("version {number} cannot be restored: {e}"))?;
                }
                let placed = said_by(&clone, haul_command(&["checkout"]));
                placed.map_err(|said| format!("version {number} cannot be placed: {said}"))?;
                for (path, body) in files {
                    if std::fs::read(clone.join(path)).ok().as_ref() != Some(body) {
                        return Err(format!("version {number}: wrong bytes in {}", path.display()));
                    }
                }
            }
        }
        Ok(())
    }

    /// Runs a command again until it ends well.
    fn until(
        &self,
        what: &str,
        ends: &mut BTreeMap<String, u64>,
        command: impl Fn() -> Result<(), TransferError>,
    ) -> Result<(), String> {
        let mut said = BTreeMap::<String, u32>::new();
        for _ in 0..TRIES {
            self.progress.fetch_add(1, Ordering::Relaxed);
            match command() {
                Ok(()) => {
                    *ends.entry(format!("{what}: done")).or_default() += 1;
                    return Ok(());
                }
                Err(error) => {
                    *ends.entry(format!("{what}: {}", name_of(&error))).or_default() += 1;
                    *said.entry(error.to_string()).or_default() += 1;
                }
            }
        }
        let most = said.into_iter().max_by_key(|(_, times)| *times);
        Err(format!("{what} failed {TRIES} times, most often so: {most:?}"))
    }

    fn over_faulty(&self) -> Remote {
        Remote::over(Arc::clone(self.faulty) as Arc<_>, "faulty")
    }

    fn push(&self, git_dir: &Path, roots: &[Wanted]) -> Result<(), TransferError> {
        let repo = RepoId([self.seed.to_le_bytes()[0]; 16]);
        send(git_dir, roots, (self.over_faulty(), JOBS), repo)
    }
}

/// Pushes what these roots name, with as many requests at once, in this process.
pub(crate) fn send(
    git_dir: &Path,
    roots: &[Wanted],
    (remote, jobs): (Remote, usize),
    repo: RepoId,
) -> Result<(), TransferError> {
    let stop = AtomicBool::new(false);
    let job = Job::new(&Silent, &stop);
    let layout = Layout::new(git_dir, git_dir, None);
    let index = Index::open(&layout)?;
    let mut contact = Contact::make(remote, (&layout, &index), jobs, Purpose::Push, &job)?;
    let request = PushRequest {
        roots: roots.iter().map(|wanted| (wanted.clone(), Stage::Unpublished)).collect(),
        earlier: Vec::new(),
        repo: (repo, None),
        home: Home::Yes,
        avoid: Avoid::Nothing,
        sent: BTreeMap::new(),
    };
    push(&request, &mut contact, &job).map(drop)
}

/// Fetches what these roots name into a clone, with as many requests at once, in this process.
pub(crate) fn fetch(
    clone: &Path,
    roots: &[Wanted],
    (remote, jobs): (Remote, usize),
) -> Result<(), TransferError> {
    let stop = AtomicBool::new(false);
    let job = Job::new(&Silent, &stop);
    let git_dir = clone.join(".git");
    let layout = Layout::new(&git_dir, &git_dir, None);
    let index = Index::open(&layout)?;
    let mut contact = Contact::make(remote, (&layout, &index), jobs, Purpose::Read, &job)?;
    let plan = plan_fetch(roots.to_vec(), &mut contact, &job)?;
    fetch_data(&plan, &mut contact, &job).map(drop)
}

/// The variant of an error, which says what the user is told.
pub(crate) fn name_of(error: &TransferError) -> String {
    let text = format!("{error:?}");
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '(').unwrap_or(text.len());
    text.get(..end).unwrap_or_default().replace('(', " ")
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).map(drop).expect("a copy");
        }
    }
}

pub(crate) fn git(at: &Path, args: &[&str]) {
    let mut command = Command::new("git");
    command.args(args);
    let said = said_by(at, command);
    assert!(said.is_ok(), "git {args:?}: {said:?}");
}

pub(crate) fn haul(at: &Path, args: &[&str]) {
    let said = said_by(at, haul_command(args));
    assert!(said.is_ok(), "haul {args:?}: {said:?}");
}

fn haul_command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_haul"));
    command.args(args);
    command
}

/// Runs a program with nothing of the user's home; what it says is an error if it fails.
fn said_by(at: &Path, mut command: Command) -> Result<(), String> {
    let (name, mail) = ("A Tester", "tester@example.com");
    let home = at.parent().unwrap_or(at);
    command.current_dir(at).env("HOME", home).env("XDG_CONFIG_HOME", home.join(".config"));
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_AUTHOR_NAME", name);
    command.env("GIT_AUTHOR_EMAIL", mail).env("GIT_COMMITTER_NAME", name);
    command.env("GIT_COMMITTER_EMAIL", mail);
    let out = command.output().expect("a program that runs");
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    if out.status.success() { Ok(()) } else { Err(said) }
}
