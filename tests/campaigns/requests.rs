//! Requests: many small files cost few of them, and few rounds of waiting for each other.
//!
//! Pushes and fetches run in this process over storage that counts; the content is made by `haul add`
//! before, and put into a worktree by `haul checkout` after.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use object_store::memory::InMemory;

use haul::hash::RepoId;
use haul::remote::Remote;
use haul::transfer::Wanted;

use crate::args::Args;
use crate::counting::{Answers, Asked, Counting, Tally};
use crate::faulty::Chance;
use crate::figures::Figures;
use crate::store_faults::{fetch, git, haul, send, wanted};

/// Length of each file, so that the short form fills more than one pack, in bytes.
const LENGTH: u64 = 4000;
const FOLDERS: u64 = 100;
/// Longest pack of content.
const PACK: u64 = 64 << 20;
/// So many at once that nobody waits for a place.
const JOBS: usize = 256;
/// Packs of content that a push may have left half full, one for each thread that adds.
const HALF_FULL: u64 = 2;
/// Objects of a first push that are no packs of content: `format`, registration, push record, and packs
/// of nodes, of 16 MiB, of which even a hundred thousand files need one.
const OTHERS: u64 = 4;
/// Requests of a push of nothing new, of a repository that knows the remote and of one that does not.
const WARM: u64 = 3;
const COLD: u64 = 6;
/// Rounds of a first fetch besides those of content.
const ROUNDS: usize = 4;
/// Bytes of a round of content, which lie in memory together.
const IN_MEMORY: u64 = 64 << 20;
/// A busy machine makes two rounds of one, so the best of some tries counts.
const TRIES: usize = 3;

/// Runs the campaign once: a hundred thousand files, or enough of them to be many.
pub(crate) fn run(args: &Args) -> Figures {
    let mut figures = Figures::default();
    let files = args.cases(100_000, 20_000);
    let dir = tempfile::tempdir().expect("a temporary folder");
    let origin = dir.path().join("origin");
    make(&origin, files, args.seed);
    let wanted = vec![wanted(&origin, "tree")];
    let scene = Scene { root: dir.path(), wanted, store: Arc::new(InMemory::new()) };
    figures.row("files", files);
    pushes(&scene, files * LENGTH, &mut figures);
    let tries = (0..TRIES).map(|number| scene.pull(number)).collect::<Vec<Tally>>();
    let best = tries.into_iter().min_by_key(|tally| tally.rounds.len()).expect("there were some");
    for (number, asked) in best.rounds.iter().enumerate() {
        figures.row(format!("first fetch, round {}", number + 1), shown(asked));
    }
    let content = |asked: &&Asked| asked.keys().all(|what| what == "get p");
    let rounds = best.rounds.iter().filter(|asked| !content(asked)).count();
    if rounds > ROUNDS {
        figures.miss(format!("first fetch: {rounds} rounds besides content, at most {ROUNDS}"));
    }
    let most = (files * LENGTH).div_ceil(IN_MEMORY) + 1;
    let content = best.rounds.len() - rounds;
    if content as u64 > most {
        figures.miss(format!("first fetch: {content} rounds of content, at most {most}"));
    }
    figures
}

fn pushes(scene: &Scene<'_>, bytes: u64, figures: &mut Figures) {
    let origin = scene.root.join("origin");
    let first = scene.push(&origin);
    figures.row("first push", shown(&first.asked));
    let written = first.asked.iter().filter(|(what, _)| what.starts_with("put "));
    let packs = first.of("put p");
    let others = written.map(|(_, count)| count).sum::<u64>() - packs;
    let most = bytes.div_ceil(PACK) + HALF_FULL;
    if packs > most || others > OTHERS {
        let other = format!("{others} other objects, at most {OTHERS}");
        figures.miss(format!("first push: {packs} packs of content, at most {most}; {other}"));
    }
    let warm = scene.push(&origin);
    let cold = scene.push(&scene.clone("cold"));
    for (what, tally, most) in [("warm", warm, WARM), ("cold", cold, COLD)] {
        let what = format!("push of nothing new, {what}");
        if tally.all() > most {
            figures.miss(format!("{what}: {} requests, at most {most}", tally.all()));
        }
        figures.row(what, shown(&tally.asked));
    }
}

/// A repository of many small files, all in one tracked folder.
fn make(origin: &Path, files: u64, seed: u64) {
    for folder in 0..FOLDERS {
        std::fs::create_dir_all(origin.join(format!("tree/{folder}"))).expect("a folder");
    }
    let mut chance = Chance::new(seed);
    for number in 0..files {
        let words = (0..LENGTH / 8).flat_map(|_| chance.below(u64::MAX).to_le_bytes());
        let name = format!("tree/{}/{number}.bin", number % FOLDERS);
        std::fs::write(origin.join(name), words.collect::<Vec<u8>>()).expect("a file");
    }
    git(origin, &["init", "-q", "-b", "main"]);
    haul(origin, &["init"]);
    haul(origin, &["add", "tree"]);
    git(origin, &["add", "-A"]);
    git(origin, &["commit", "-q", "-m", "many files"]);
}

/// Storage, and what was added.
struct Scene<'s> {
    root: &'s Path,
    wanted: Vec<Wanted>,
    store: Arc<InMemory>,
}

impl Scene<'_> {
    /// Opens the storage anew, so that it counts from nothing.
    fn open(&self, answers: Answers) -> (Remote, Counting) {
        let counting = Counting::new(Arc::clone(&self.store), answers);
        (Remote::over(Arc::new(counting.clone()), "counted"), counting)
    }

    fn push(&self, from: &Path) -> Tally {
        let (remote, counting) = self.open(Answers::AtOnce);
        let sent = send(&from.join(".git"), &self.wanted, (remote, JOBS), RepoId([7; 16]));
        sent.expect("a push over sound storage ends well");
        counting.tally()
    }

    fn clone(&self, name: &str) -> PathBuf {
        git(self.root, &["clone", "-q", "origin", name]);
        self.root.join(name)
    }

    /// Fetches into a new clone; the first time, all files are placed and compared.
    fn pull(&self, number: usize) -> Tally {
        let clone = self.clone(&format!("clone-{number}"));
        let (remote, counting) = self.open(Answers::InRounds);
        let fetched = fetch(&clone, &self.wanted, (remote, JOBS));
        fetched.expect("a fetch over sound storage ends well");
        let tally = counting.tally();
        if number == 0 {
            haul(&clone, &["checkout"]);
            let mut same = Command::new("diff");
            same.arg("-r").arg(self.root.join("origin/tree")).arg(clone.join("tree"));
            assert!(same.status().expect("diff runs").success(), "files differ");
        }
        std::fs::remove_dir_all(&clone).expect("is there");
        tally
    }
}

/// Prints what was asked, as `3 get p, 1 list i`.
fn shown(asked: &Asked) -> String {
    let parts: Vec<String> = asked.iter().map(|(what, count)| format!("{count} {what}")).collect();
    parts.join(", ")
}
