//! Where small files wait to be taken in together: a folder for each run, which outlives it if it is
//! killed. Its files were promised to Git, so that whoever comes next takes them in.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::cache::quarantine;
use crate::chunk::Profile;
use crate::fs::{Dir, IoResultExt, Lock, SparseFile, make_folder, nonce, remove_tree};
use crate::hash::Oid;
use crate::intake::{SMALL, Source};
use crate::ops::add::take_loose;
use crate::ops::error::OpError;
use crate::ops::filter_process::cut::Rule;
use crate::pointer::PointerKind;
use crate::progress::Job;
use crate::repo::Repo;

/// Files and bytes that wait at most.
const MAX_FILES: usize = 20_000;
const MAX_BYTES: u64 = 256 << 20;

/// Held by the run that a folder is of.
const LOCK: &str = "lock";

/// Holds the files, one behind the other, each behind a line that says how it is to be cut.
const FILES: &str = "files";
/// Bytes of such a line at most.
const LINE: u64 = 256;

/// The folder of this run.
pub(super) struct Spool {
    folder: PathBuf,
    lock: Lock,
    file: SparseFile,
    /// Where the next one goes.
    end: u64,
    waiting: Vec<Waiting>,
}

/// A file that waits.
struct Waiting {
    rule: Rule,
    at: u64,
    size: u64,
}

impl Spool {
    /// Makes a folder of its own.
    pub(super) fn new(repo: &Repo) -> Result<Self, OpError> {
        loop {
            let name = nonce::nonce().map_err(|source| crate::fs::FsError {
                doing: "draw a name in",
                path: repo.layout().spool(),
                source,
            })?;
            let folder = repo.layout().spool().join(Oid::of(&name).to_string());
            make_folder(&folder, true)?;
            let lock = Lock::exclusive(&folder.join(LOCK))?;
            // Who adopts might have taken it for one that was left, in the moment before the lock.
            if folder.join(LOCK).symlink_metadata().is_ok() {
                let file = Dir::open(&folder)?.open_pieces(FILES.as_bytes())?;
                return Ok(Self { folder, lock, file, end: 0, waiting: Vec::new() });
            }
        }
    }

    /// Puts a file in; it is there even if this process dies, and durable once it was taken in.
    pub(super) fn put(&mut self, bytes: &[u8], rule: Rule) -> Result<(), OpError> {
        let size = bytes.len() as u64;
        let line = line_of(size, &rule);
        // In one piece: a file of its own would cost several times as much as its bytes.
        self.file.write_at(self.end, &[line.as_bytes(), bytes].concat())?;
        let at = self.end + line.len() as u64;
        self.waiting.push(Waiting { rule, at, size });
        self.end = at + size;
        Ok(())
    }

    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= MAX_FILES || self.end >= MAX_BYTES
    }

    /// Takes its files in, and removes it.
    pub(super) fn drain(self, repo: &Repo, job: &Job) -> Result<(), OpError> {
        take_all(repo, (&self.folder, &self.waiting), job)?;
        remove_tree(&self.folder)?;
        drop(self.lock);
        Ok(())
    }
}

/// Takes in what runs that were killed left; says of how many files that was. What cannot be read of
/// that is put aside.
pub(crate) fn adopt(repo: &Repo, job: &Job) -> Result<u64, OpError> {
    let mut files = 0;
    for folder in folders(repo) {
        if let Some(lock) = Lock::try_exclusive(&folder.join(LOCK))? {
            let Left { waiting, is_all } = left_in(&folder)?;
            take_all(repo, (&folder, &waiting), job)?;
            files += waiting.len() as u64;
            if is_all {
                remove_tree(&folder)?;
            } else {
                let aside = quarantine(&folder, repo.layout())?;
                job.warn(&format!(
                    "files that Git handed over cannot be read to their end, and lie in `{}` now; `haul \
                     push` takes in again what of them the worktree still has, and names the rest",
                    aside.display()
                ));
            }
            drop(lock);
        }
    }
    Ok(files)
}

/// Reads what waits in all spools; of a run that has not ended, that is taken in without us.
pub(crate) fn waiting(repo: &Repo) -> Result<BTreeSet<Oid>, OpError> {
    let mut out = BTreeSet::new();
    for folder in folders(repo) {
        let waiting = left_in(&folder)?.waiting;
        if waiting.is_empty() {
            continue;
        }
        let (file, _) = Dir::open(&folder)?.open_file(FILES.as_bytes())?;
        for Waiting { at, size, .. } in waiting {
            let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
            file.read_exact_at(&mut bytes, at).at("read", &folder.join(FILES))?;
            out.insert(Oid::of(&bytes));
        }
    }
    Ok(out)
}

/// The folders of all runs, with a lock in each.
fn folders(repo: &Repo) -> impl Iterator<Item = PathBuf> {
    let all = std::fs::read_dir(repo.layout().spool()).into_iter().flatten().flatten();
    let folders = all.map(|entry| entry.path());
    folders.filter(|folder| folder.join(LOCK).symlink_metadata().is_ok())
}

/// Takes in what waits in a folder, durably.
fn take_all(repo: &Repo, (folder, waiting): (&Path, &[Waiting]), job: &Job) -> Result<(), OpError> {
    let sources: Vec<Source> = waiting
        .iter()
        .map(|Waiting { rule, at, size }| Source { at: Some(*at), ..rule.source(FILES, *size) })
        .collect();
    take_loose(repo, &Dir::open(folder)?, sources, job)?;
    Ok(())
}

/// What lies in a folder.
struct Left {
    waiting: Vec<Waiting>,
    /// Whether that is all: nothing is there that could not be read.
    is_all: bool,
}

/// Lists what lies in a folder, up to a line that cannot be read. What was cut short at the end was
/// promised to nobody.
fn left_in(folder: &Path) -> Result<Left, OpError> {
    let (path, dir) = (folder.join(FILES), Dir::open(folder)?);
    let own = |name: &[u8]| name == LOCK.as_bytes() || name == FILES.as_bytes();
    let mut left =
        Left { waiting: Vec::new(), is_all: dir.entries()?.iter().all(|entry| own(&entry.name)) };
    let (file, stamp) = match dir.open_file(FILES.as_bytes()) {
        Err(e) if e.is_missing() => return Ok(left),
        other => other?,
    };
    let mut reader = BufReader::new(file);
    let (mut end, mut line) = (0, Vec::new());
    loop {
        line.clear();
        reader.by_ref().take(LINE).read_until(b'\n', &mut line).at("read", &path)?;
        let at = end + line.len() as u64;
        let Some((rule, size)) = std::str::from_utf8(&line).ok().and_then(rule_of) else {
            // The file may end within a line.
            left.is_all &= at == stamp.size && !line.ends_with(b"\n");
            break;
        };
        if at + size > stamp.size {
            break;
        }
        end = at + size;
        reader.seek_relative(size.cast_signed()).at("read", &path)?;
        left.waiting.push(Waiting { rule, at, size });
    }
    Ok(left)
}

/// Takes in one file that lies in a folder of its own.
pub(super) fn take_one(
    repo: &Repo,
    (folder, name, size): (&Path, &str, u64),
    rule: &Rule,
    job: &Job,
) -> Result<PointerKind, OpError> {
    let kinds = take_loose(repo, &Dir::open(folder)?, vec![rule.source(name, size)], job)?;
    let kind = kinds.into_iter().next();
    kind.ok_or_else(|| OpError::Defect("a file was not taken in".to_owned()))
}

/// The line before a file: how long it is, and how it is to be cut.
fn line_of(size: u64, rule: &Rule) -> String {
    let whole = rule.whole.map_or_else(String::new, |oid| format!(" {oid}"));
    format!("{size} {}{whole}\n", rule.profile.name())
}

fn rule_of(line: &str) -> Option<(Rule, u64)> {
    let mut words = line.strip_suffix('\n')?.splitn(3, ' ');
    let size = words.next()?.parse().ok().filter(|size| (1..=SMALL).contains(size))?;
    let profile = Profile::by_name(words.next()?)?;
    let whole = words.next().map(str::parse::<Oid>).transpose().ok()?;
    Some((Rule { profile, whole, former: None }, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_how_a_file_is_cut() {
        for whole in [None, Some(Oid::of(b"x"))] {
            let rule = Rule { profile: Profile::M16, whole, former: None };
            let line = line_of(7, &rule);
            assert!(line.len() as u64 <= LINE);
            let (again, size) = rule_of(&line).unwrap();
            assert_eq!((again.profile, again.whole, size), (Profile::M16, whole, 7));
        }
        for line in ["", "7 m64.1", "7\n", "0 m64.1\n", "-1 m64.1\n", "7 m1\n", "7 m64.1 zz\n"] {
            assert!(rule_of(line).is_none(), "{line}");
        }
        assert!(rule_of(&format!("{} m64.1\n", SMALL + 1)).is_none());
    }

    /// Says where files lie in a spool of these bytes, and whether that is all.
    fn found(bytes: &[u8], other: Option<&str>) -> (Vec<(u64, u64)>, bool) {
        let folder = tempfile::tempdir().unwrap();
        let dir = Dir::open(folder.path()).unwrap();
        for name in other.into_iter().chain([FILES]) {
            dir.open_pieces(name.as_bytes()).unwrap().write_at(0, bytes).unwrap();
        }
        let left = left_in(folder.path()).unwrap();
        (left.waiting.iter().map(|waiting| (waiting.at, waiting.size)).collect(), left.is_all)
    }

    #[test]
    fn what_was_cut_short_was_promised_to_nobody() {
        let whole = b"3 m64.1\nabc5 m16.1\n12345";
        let both = vec![(8, 3), (19, 5)];
        assert_eq!(found(b"", None), (Vec::new(), true));
        for rest in [&b""[..], b"9 m64.1\n12345678", b"9 m6", b"9"] {
            assert_eq!(found(&[whole, rest].concat(), None), (both.clone(), true));
        }
    }

    #[test]
    fn what_cannot_be_read_was_not_cut_short() {
        let long = [b'x'; 300];
        for rest in [&b"5 m99.9\n123453 m64.1\nabc"[..], &[0, 0, b'\n', 0], b"\n", &long] {
            let bytes = [b"3 m64.1\nabc", rest].concat();
            assert_eq!(found(&bytes, None), (vec![(8, 3)], false), "{rest:?}");
        }
        assert_eq!(found(b"", Some("00000000-m64.1")), (Vec::new(), false), "an older layout");
    }
}
