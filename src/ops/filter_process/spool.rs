//! Where small files wait to be taken in together: a folder for each run, which outlives it if it is
//! killed. Its files were promised to Git, so that whoever comes next takes them in.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use crate::cache::hash_file;
use crate::chunk::Profile;
use crate::fs::{Dir, IoResultExt, Lock, make_folder, nonce, remove_tree, replace};
use crate::hash::Oid;
use crate::intake::Source;
use crate::ops::add::take_loose;
use crate::ops::error::OpError;
use crate::ops::filter_process::cut::Rule;
use crate::pointer::PointerKind;
use crate::progress::Job;
use crate::repo::Repo;

/// Files and bytes that wait at most.
const MAX_FILES: u64 = 20_000;
const MAX_BYTES: u64 = 256 << 20;

/// Held by the run that a folder is of.
const LOCK: &str = "lock";

/// The folder of this run.
pub(super) struct Spool {
    folder: PathBuf,
    lock: Lock,
    rules: HashMap<String, Rule>,
    bytes: u64,
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
                return Ok(Self { folder, lock, rules: HashMap::new(), bytes: 0 });
            }
        }
    }

    /// Puts a file in; it is there even if this process dies, and durable once it was taken in.
    pub(super) fn put(&mut self, bytes: &[u8], rule: Rule) -> Result<(), OpError> {
        let name = name_of(self.rules.len(), &rule);
        replace(&self.folder.join(&name), bytes)?;
        self.rules.insert(name, rule);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    pub(super) fn is_full(&self) -> bool {
        self.rules.len() as u64 >= MAX_FILES || self.bytes >= MAX_BYTES
    }

    /// Takes its files in, and removes it.
    pub(super) fn drain(self, repo: &Repo, job: &Job) -> Result<(), OpError> {
        drain(repo, (&self.folder, &self.rules), job)?;
        drop(self.lock);
        Ok(())
    }
}

/// Takes in what runs that were killed left; says of how many files that was.
pub(crate) fn adopt(repo: &Repo, job: &Job) -> Result<u64, OpError> {
    let mut files = 0;
    for folder in folders(repo) {
        if let Some(lock) = Lock::try_exclusive(&folder.join(LOCK))? {
            files += drain(repo, (&folder, &HashMap::new()), job)?;
            drop(lock);
        }
    }
    Ok(files)
}

/// Reads what waits in all spools; of a run that has not ended, that is taken in without us.
pub(crate) fn waiting(repo: &Repo) -> Result<BTreeSet<Oid>, OpError> {
    let mut out = BTreeSet::new();
    for folder in folders(repo) {
        let dir = Dir::open(&folder)?;
        for entry in dir.entries()? {
            if std::str::from_utf8(&entry.name).is_ok_and(|name| rule_of(name).is_some()) {
                let (mut file, _) = dir.open_file(&entry.name)?;
                out.insert(hash_file(&mut file).at("read", &dir.path_of(&entry.name))?);
            }
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

/// Takes in what lies in a folder, durably, then removes it.
fn drain(
    repo: &Repo,
    (folder, rules): (&Path, &HashMap<String, Rule>),
    job: &Job,
) -> Result<u64, OpError> {
    let dir = Dir::open(folder)?;
    let mut sources: Vec<Source> = Vec::new();
    for entry in dir.entries()? {
        let Ok(name) = String::from_utf8(entry.name) else { continue };
        // What was not given its name was promised to nobody.
        let Some(rule) = rules.get(&name).cloned().or_else(|| rule_of(&name)) else { continue };
        let Some(stamp) = dir.stamp(name.as_bytes())? else { continue };
        sources.push(rule.source(name.as_str(), stamp.size));
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    take_loose(repo, &dir, &sources, job)?;
    remove_tree(folder)?;
    Ok(sources.len() as u64)
}

/// Takes in one file that lies in a folder of its own.
pub(super) fn take_one(
    repo: &Repo,
    (folder, name, size): (&Path, &str, u64),
    rule: &Rule,
    job: &Job,
) -> Result<PointerKind, OpError> {
    let kinds = take_loose(repo, &Dir::open(folder)?, &[rule.source(name, size)], job)?;
    let kind = kinds.into_iter().next();
    kind.ok_or_else(|| OpError::Defect("a file was not taken in".to_owned()))
}

/// The name of a file says how it is to be cut.
fn name_of(number: usize, rule: &Rule) -> String {
    let whole = rule.whole.map_or_else(String::new, |oid| format!("-{oid}"));
    format!("{number:08}-{}{whole}", rule.profile.name())
}

fn rule_of(name: &str) -> Option<Rule> {
    let mut words = name.splitn(3, '-');
    let number = words.next()?;
    if number.len() < 8 || !number.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let profile = Profile::by_name(words.next()?)?;
    let whole = words.next().map(str::parse::<Oid>).transpose().ok()?;
    Some(Rule { profile, whole, former: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_how_a_file_is_cut() {
        for whole in [None, Some(Oid::of(b"x"))] {
            let rule = Rule { profile: Profile::M16, whole, former: None };
            let again = rule_of(&name_of(7, &rule)).unwrap();
            assert_eq!((again.profile, again.whole), (Profile::M16, whole));
        }
        for name in ["lock", "haul-x", "7-m64.1", "00000007-m1", "00000007-m64.1-zz", "00000007"] {
            assert!(rule_of(name).is_none(), "{name}");
        }
    }
}
