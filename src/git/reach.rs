//! Everything that a repository reaches, whatever a tree or a ref is called: what must not lose its
//! content. Bare repositories too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::command::{REPOSITORY_VARIABLES, Runner, os_path};
use super::objects::{POINTER_LIMIT, lines};
use super::{GitError, ObjectId};

/// Objects read in one go: with [`POINTER_LIMIT`] bytes each this bounds the memory of an answer.
const BATCH: usize = 4096;
/// Files of a Git folder that are longer are no notes of commits.
const NOTE_LIMIT: u64 = 64 << 10;

/// Which commits count. Without any rule everything that is reachable does, reflogs included. With
/// one, a commit counts if any rule names it; what each ref, worktree, index and stash holds now
/// counts always.
#[derive(Clone, Debug, Default)]
pub struct Retention {
    /// This many of the newest commits of each ref.
    pub last: Option<u32>,
    /// Commits since then, in a form that Git reads in one way only.
    pub since: Option<String>,
    /// The whole history of refs whose full or short name matches one of these globs.
    pub refs: Vec<String>,
}

impl Retention {
    /// Says whether everything reachable counts.
    pub fn is_everything(&self) -> bool {
        self.last.is_none() && self.since.is_none() && self.refs.is_empty()
    }
}

/// A file that is short enough for a pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmallBlob {
    /// One of the paths that it has, for messages.
    pub path: Vec<u8>,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// A repository of any kind, opened to read all that it reaches.
#[derive(Debug)]
pub struct Reach {
    runner: Runner,
    git_dir: PathBuf,
    common_dir: PathBuf,
    /// The worktree that it was opened in; nothing if there is none.
    root: Option<PathBuf>,
}

/// Commits and other objects to begin at.
struct Starts {
    /// With everything behind them.
    whole: BTreeSet<String>,
    /// They alone.
    alone: BTreeSet<String>,
    /// Whether refs and reflogs are to be followed as well.
    all: bool,
}

impl Reach {
    /// Opens the repository that `folder` lies in.
    pub fn open(folder: &Path) -> Result<Self, GitError> {
        let mut runner = runner_in(folder);
        let ask = |question: &str| -> Result<PathBuf, GitError> {
            let mut answer = runner.git(&["rev-parse", question]).output()?.stdout;
            if answer.last() == Some(&b'\n') {
                answer.pop();
            }
            os_path(&answer)
        };
        let git_dir = ask("--absolute-git-dir")?;
        let common = folder.join(ask("--git-common-dir")?);
        let common_dir = common.canonicalize().unwrap_or(common);
        // A bare one has none, and says so in words.
        let root = ask("--show-toplevel").ok().filter(|root| !root.as_os_str().is_empty());
        runner.set("GIT_DIR", Some(git_dir.as_os_str()));
        Ok(Self { runner, git_dir, common_dir, root })
    }

    /// Copies the repository at `url` into `folder`, which does not exist; takes objects from the
    /// repository at `near`, if there are the same ones.
    pub fn mirror(url: &str, folder: &Path, near: &Path) -> Result<Self, GitError> {
        let parent = folder.parent().unwrap_or(Path::new("."));
        let runner = runner_in(parent);
        let call = runner.git(&["clone", "--mirror", "--quiet", "--reference-if-able"]);
        call.arguments([near.as_os_str(), "--".as_ref(), url.as_ref(), folder.as_os_str()])
            .output()?;
        Self::open(folder)
    }

    /// Returns the Git folder that all worktrees share.
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// Says whether `folder` is this repository: its Git folder, or the worktree around that.
    pub fn is_at(&self, folder: &Path) -> bool {
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let dot_git = |git: &Path| git.file_name().is_some_and(|name| name == ".git");
        [&self.git_dir, &self.common_dir]
            .into_iter()
            .any(|git| folder == *git || (dot_git(git) && Some(folder.as_path()) == git.parent()))
    }

    /// Says whether history was cut off.
    pub fn is_shallow(&self) -> Result<bool, GitError> {
        let answer = self.runner.git(&["rev-parse", "--is-shallow-repository"]).output()?.stdout;
        Ok(answer.trim_ascii() == b"true")
    }

    /// Tells which of these objects the repository has.
    pub fn has_all(&self, ids: &[ObjectId]) -> Result<bool, GitError> {
        let asked = lines(ids);
        let mut runner = self.runner.clone();
        runner.set("GIT_NO_LAZY_FETCH", Some("1".as_ref()));
        let call = runner.git(&["cat-file", "--batch-check=%(objectname)"]);
        let answer = call.stdin(&asked).output()?.stdout;
        let found = answer.split(|c| *c == b'\n').filter_map(ObjectId::from_hex);
        Ok(ids.is_empty() || found.count() == ids.len())
    }

    /// Reads every distinct file of at most [`POINTER_LIMIT`] bytes that counts, and those of `more`.
    ///
    /// Reached are refs, `HEAD`, index and reflogs of all worktrees, the stash, what an unfinished
    /// merge, rebase or bisection notes, and pointers in worktrees that were never staged. An object
    /// that is missing is an error.
    pub fn small_files(
        &self,
        retention: &Retention,
        more: &[ObjectId],
        mut take: impl FnMut(SmallBlob),
    ) -> Result<(), GitError> {
        let starts = self.starts(retention, more)?;
        let mut found: BTreeMap<ObjectId, Vec<u8>> = BTreeMap::new();
        self.list(&starts.whole, starts.all, &[], &mut found)?;
        self.list(&starts.alone, false, &["--no-walk", "--indexed-objects"], &mut found)?;
        let ids: Vec<ObjectId> = found.keys().copied().collect();
        for ids in ids.chunks(BATCH) {
            self.runner.read_all(ids, |id, body| {
                let path = found.remove(&id).unwrap_or_default();
                take(SmallBlob { path, bytes: body.to_vec() });
            })?;
        }
        for worktree in self.worktrees()? {
            unstaged(&worktree, &mut take)?;
        }
        Ok(())
    }

    fn starts(&self, retention: &Retention, more: &[ObjectId]) -> Result<Starts, GitError> {
        let mut now: BTreeSet<String> = more.iter().map(ToString::to_string).collect();
        now.extend(self.noted()?);
        if retention.is_everything() {
            return Ok(Starts { whole: now, alone: BTreeSet::new(), all: true });
        }
        let globs = globs(&retention.refs)?;
        let (mut whole, mut commits) = (BTreeSet::new(), now.clone());
        for (name, id, is_commit) in self.refs()? {
            if name_matches(&globs, &name) {
                whole.insert(id.clone());
            }
            if is_commit {
                commits.insert(id.clone());
            }
            now.insert(id);
        }
        now.extend(
            self.ids(&["rev-list", "--walk-reflogs", "--ignore-missing", "refs/stash"], b"")?,
        );
        let mut alone = now;
        let commits = self.commits_of(&commits)?;
        if let Some(last) = retention.last {
            let last = format!("--max-count={last}");
            for tip in &commits {
                alone.extend(self.ids(&["rev-list", &last, tip], b"")?);
            }
        }
        if let Some(since) = &retention.since {
            let since = format!("--since-as-filter={since}");
            let asked = commits.iter().fold(String::new(), |all, id| all + id + "\n");
            alone.extend(self.ids(&["rev-list", &since, "--stdin"], asked.as_bytes())?);
        }
        Ok(Starts { whole, alone, all: false })
    }

    /// Lists files that are short enough below some objects, each with one of its paths.
    fn list(
        &self,
        starts: &BTreeSet<String>,
        all: bool,
        how: &[&str],
        found: &mut BTreeMap<ObjectId, Vec<u8>>,
    ) -> Result<(), GitError> {
        if starts.is_empty() && !all && how.is_empty() {
            return Ok(());
        }
        let limit = format!("--filter=blob:limit={}", POINTER_LIMIT + 1);
        let call = self.runner.git(&["rev-list", "--objects", "--filter=object:type=blob", &limit]);
        let call = call.arguments(["--filter-provided-objects"]).arguments(how);
        let every: &[&str] = if all { &["--all", "--reflog", "--indexed-objects"] } else { &[] };
        let asked = starts.iter().fold(String::new(), |all, id| all + id + "\n");
        let call = call.arguments(every).arguments(["--stdin"]).stdin(asked.as_bytes());
        let answer = call.output()?.stdout;
        for line in answer.split(|c| *c == b'\n').filter(|line| !line.is_empty()) {
            let (id, path) =
                line.split_at(line.iter().position(|c| *c == b' ').unwrap_or(line.len()));
            let id = ObjectId::from_hex(id).ok_or_else(|| call.unexpected(line))?;
            let path = path.get(1..).unwrap_or_default();
            let known = found.entry(id).or_default();
            if known.is_empty() {
                *known = path.to_vec();
            }
        }
        Ok(())
    }

    /// Full names of all refs, what they point to, and whether that is, or tags, a commit.
    fn refs(&self) -> Result<Vec<(String, String, bool)>, GitError> {
        let form = "--format=%(objectname) %(objecttype) %(*objecttype) %(refname)";
        let answer = self.runner.git(&["for-each-ref", form]).output()?.stdout;
        let text = String::from_utf8_lossy(&answer).into_owned();
        let row = |line: &str| {
            let mut words = line.splitn(4, ' ');
            let (id, kind, tagged) = (words.next()?, words.next()?, words.next()?);
            let is_commit = kind == "commit" || tagged == "commit";
            Some((words.next()?.to_owned(), id.to_owned(), is_commit))
        };
        Ok(text.lines().filter_map(row).collect())
    }

    /// Those of some objects that are commits, or tags of commits.
    fn commits_of(&self, ids: &BTreeSet<String>) -> Result<Vec<String>, GitError> {
        let asked = ids.iter().fold(String::new(), |all, id| all + id + "^{commit}\n");
        let call = self.runner.git(&["cat-file", "--batch-check=%(objectname)"]);
        let answer = call.stdin(asked.as_bytes()).output()?.stdout;
        let found = answer.split(|c| *c == b'\n').filter_map(ObjectId::from_hex);
        Ok(found.map(|id| id.to_string()).collect())
    }

    fn ids(&self, arguments: &[&str], stdin: &[u8]) -> Result<Vec<String>, GitError> {
        let call = self.runner.git(arguments).stdin(stdin).accept(128..=128);
        let answer = call.output()?;
        // Without a stash there is no such ref; every other failure is one.
        if answer.code != 0 && !arguments.contains(&"refs/stash") {
            return Err(call.unexpected(&answer.stdout));
        }
        let ids = answer.stdout.split(|c| *c == b'\n').filter_map(ObjectId::from_hex);
        Ok(ids.map(|id| id.to_string()).collect())
    }

    /// Objects that files of the Git folders note: `HEAD` and its like in each worktree, and what an
    /// unfinished merge, rebase, cherry-pick or bisection goes by.
    fn noted(&self) -> Result<BTreeSet<String>, GitError> {
        let mut words = BTreeSet::new();
        let mut folders = vec![self.git_dir.clone(), self.common_dir.clone()];
        folders.extend(files_in(&self.common_dir.join("worktrees")));
        for folder in folders {
            let heads = files_in(&folder).into_iter().filter(|path| {
                path.file_name().is_some_and(|name| name.to_string_lossy().ends_with("HEAD"))
            });
            let mut files: Vec<PathBuf> = heads.collect();
            let notes =
                ["rebase-merge", "rebase-apply", "sequencer", "refs/bisect", "refs/rewritten"];
            files.extend(notes.iter().flat_map(|name| files_in(&folder.join(name))));
            for file in files {
                let short = fs::metadata(&file).is_ok_and(|m| m.is_file() && m.len() <= NOTE_LIMIT);
                let bytes = if short { fs::read(&file).unwrap_or_default() } else { Vec::new() };
                let ids = bytes.split(|c| !c.is_ascii_hexdigit()).filter_map(ObjectId::from_hex);
                words.extend(ids.map(|id| id.to_string()));
            }
        }
        let asked = words.iter().fold(String::new(), |all, id| all + id + "\n");
        let call = self.runner.git(&["cat-file", "--batch-check=%(objectname)"]);
        let answer = call.stdin(asked.as_bytes()).output()?.stdout;
        let here = answer.split(|c| *c == b'\n').filter_map(ObjectId::from_hex);
        Ok(here.map(|id| id.to_string()).collect())
    }

    /// The folders of all worktrees that are there.
    fn worktrees(&self) -> Result<Vec<PathBuf>, GitError> {
        let call = self.runner.git(&["worktree", "list", "--porcelain", "-z"]);
        let (mut out, mut bare) = (Vec::new(), false);
        call.each_record(|record| {
            if let Some(path) = record.strip_prefix(b"worktree ") {
                bare = false;
                out.extend(os_path(path).ok());
            } else if record == b"bare" {
                bare = true;
                out.pop();
            }
        })?;
        // Git does not know the worktree of a Git folder that lies elsewhere, and names the folder itself.
        if let Some(root) = self.root.as_ref().filter(|_| self.git_dir == self.common_dir) {
            out.iter_mut().filter(|path| **path == self.git_dir).for_each(|p| p.clone_from(root));
        }
        out.retain(|path| path.is_dir());
        Ok(out)
    }
}

fn runner_in(folder: &Path) -> Runner {
    let mut runner = Runner { folder: folder.to_owned(), variables: Vec::new() };
    for name in REPOSITORY_VARIABLES {
        runner.set(name, None);
    }
    // What was replaced counts as well as what replaces it, which a ref names.
    runner.set("GIT_NO_REPLACE_OBJECTS", Some("1".as_ref()));
    runner
}

/// Pointers that lie in a worktree and are not what the index holds.
fn unstaged(worktree: &Path, take: &mut impl FnMut(SmallBlob)) -> Result<(), GitError> {
    let runner = runner_in(worktree);
    let call = runner.git(&["ls-files", "-z", "--others", "--modified", "--exclude-standard"]);
    let call = call.arguments(["--full-name", "--", ":(top,glob)**/*.haul"]).globs();
    let mut paths = Vec::new();
    call.each_record(|path| paths.push(path.to_vec()))?;
    for path in paths {
        let file = worktree.join(os_path(&path)?);
        let short =
            fs::symlink_metadata(&file).is_ok_and(|m| m.is_file() && m.len() <= POINTER_LIMIT);
        if let Some(bytes) = short.then(|| fs::read(&file).ok()).flatten() {
            take(SmallBlob { path, bytes });
        }
    }
    Ok(())
}

/// What lies in a folder; nothing if it is none.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

fn globs(patterns: &[String]) -> Result<GlobSet, GitError> {
    let wrong = |pattern: &str| GitError::UnknownRevision { rev: pattern.to_owned(), meant: None };
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(Glob::new(pattern).map_err(|_| wrong(pattern))?);
    }
    set.build().map_err(|_| wrong(&patterns.join(" ")))
}

fn name_matches(globs: &GlobSet, name: &str) -> bool {
    let short = ["refs/heads/", "refs/tags/", "refs/remotes/"];
    let short = short.iter().find_map(|prefix| name.strip_prefix(prefix));
    globs.is_match(name) || short.is_some_and(|short| globs.is_match(short))
}
