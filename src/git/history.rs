//! Which pointers a range of commits brings, and which a path had before.

use std::collections::HashSet;

use super::command::os_path;
use super::lookalikes::Lookalikes;
use super::objects::{POINTER_LIMIT, is_file, is_pointer_path, lines, octal};
use super::{CommitId, Content, Git, GitError, ObjectId};

/// How far back earlier pointers of a path are looked for, in commits.
const LOOK_BACK: &str = "--max-count=1000";

/// A version of a pointer, told by its name or its attributes, and a commit that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointerBlob {
    /// Path from the root, `/`-separated, raw bytes.
    pub path: Vec<u8>,
    /// Git's name of the content.
    pub id: ObjectId,
    /// The content, at most [`POINTER_LIMIT`] bytes.
    pub content: Content,
    /// The commit that brought it.
    pub commit: CommitId,
}

/// What a commit did to a pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointerChange {
    /// The commit.
    pub commit: CommitId,
    /// Path from the root, `/`-separated, raw bytes.
    pub path: Vec<u8>,
    /// What it was, in the first parent; nothing if it was not there as a file.
    pub before: Option<ObjectId>,
    /// What it became; nothing if it went.
    pub after: Option<ObjectId>,
}

/// What a person wants to know of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitNote {
    /// Who wrote it.
    pub author: String,
    /// When, as ISO 8601 with the author's own zone.
    pub date: String,
    /// The first line of the message.
    pub subject: String,
}

struct Change {
    commit: CommitId,
    path: Vec<u8>,
    before: Vec<(u32, ObjectId)>,
    after: (u32, ObjectId),
}

impl Git {
    /// Reads the distinct pointers in all commits that can be reached from `tips` and not from
    /// `not`, oldest commit first. Of a merge only what differs from all its parents counts: the
    /// rest came with a parent. Commits of `not` that this repository lacks are passed over.
    /// Cost: the commits and changed folders of the range, whatever the length of history.
    pub fn new_pointers(
        &self,
        tips: &[ObjectId],
        not: &[ObjectId],
    ) -> Result<Vec<PointerBlob>, GitError> {
        if tips.is_empty() {
            return Ok(Vec::new());
        }
        let mut asked = lines(tips);
        for id in self.present(not)? {
            asked.extend(format!("^{id}\n").into_bytes());
        }
        let call = self.runner.git(&["rev-list", "--reverse", "--topo-order", "--stdin"]);
        let commits = call.stdin(&asked).output()?.stdout;
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        let mut others = Lookalikes::new(self);
        self.changes(&commits, &["-c"], Paths::All, |change| {
            let (mode, id) = change.after;
            if !is_file(mode) {
                return;
            }
            let version = (change.path, id, change.commit);
            if !is_pointer_path(&version.0) {
                others.take(version);
            } else if seen.insert((version.0.clone(), id)) {
                found.push(version);
            }
        })?;
        found.extend(others.filtered()?);
        let ids: Vec<ObjectId> = found.iter().map(|(_, id, _)| *id).collect();
        let contents = self.contents(&ids, POINTER_LIMIT)?;
        let whole = |((path, id, commit), content)| PointerBlob { path, id, content, commit };
        Ok(found.into_iter().zip(contents).map(whole).collect())
    }

    /// Reads up to `limit` distinct versions that each path had in `HEAD` and the 1000 newest
    /// commits behind it, newest first, in the order of `paths`. Versions longer than
    /// [`POINTER_LIMIT`] are left out. Cost: one walk for all paths together.
    pub fn previous_pointers(
        &self,
        paths: &[&[u8]],
        limit: usize,
    ) -> Result<Vec<Vec<Vec<u8>>>, GitError> {
        self.versions(&[], paths, limit)
    }

    /// As [`Self::previous_pointers`], in all branches and in every commit that was checked out here
    /// lately, as far as Git's reflogs go.
    pub fn known_pointers(
        &self,
        paths: &[&[u8]],
        limit: usize,
    ) -> Result<Vec<Vec<Vec<u8>>>, GitError> {
        self.versions(&["--all", "--reflog"], paths, limit)
    }

    /// Lists what the commits behind a revision did to files named like pointers, and to pointers at
    /// paths that its attributes hand to haul's filter, newest first. Of a merge only what differs from
    /// all its parents counts.
    pub fn pointer_changes(&self, rev: &str) -> Result<Vec<PointerChange>, GitError> {
        let tip = self.resolve(rev)?;
        let filters = self.filters_at(tip)?;
        let call = self.runner.git(&["rev-list", "--topo-order", &tip.to_string(), "--"]).globs();
        let paths: &[&str] = if filters { &[] } else { &[":(top,glob)**/*.haul"] };
        let commits = call.arguments(paths).output()?.stdout;
        let file = |(mode, id): (u32, ObjectId)| is_file(mode).then_some(id);
        let mut found = Vec::new();
        let paths = if filters { Paths::All } else { Paths::Pointers };
        self.changes(&commits, &["-c"], paths, |change| {
            let Change { commit, path, before, after } = change;
            let (before, after) = (before.first().copied().and_then(file), file(after));
            if before != after && (filters || is_pointer_path(&path)) {
                found.push(PointerChange { commit, path, before, after });
            }
        })?;
        if filters {
            self.keep_pointers(tip, &mut found)?;
        }
        Ok(found)
    }

    /// Reads pointers by Git's names of them, in order.
    pub fn pointer_contents(&self, ids: &[ObjectId]) -> Result<Vec<Content>, GitError> {
        self.contents(ids, POINTER_LIMIT)
    }

    /// Reads what a person wants to know of commits, in order.
    pub fn notes_of(&self, commits: &[CommitId]) -> Result<Vec<CommitNote>, GitError> {
        let ids: Vec<ObjectId> = commits.iter().map(|commit| commit.0).collect();
        let asked = lines(&ids);
        let call = self.runner.git(&[
            "log",
            "--no-walk=unsorted",
            "--stdin",
            "--no-show-signature",
            "--no-patch",
            "--encoding=UTF-8",
            "-z",
            "--format=tformat:%an%x00%aI%x00%s",
        ]);
        let call = call.stdin(&asked);
        let answer = if commits.is_empty() { Vec::new() } else { call.output()?.stdout };
        let text = |part: &[u8]| String::from_utf8_lossy(part).into_owned();
        let parts: Vec<&[u8]> = answer.split(|byte| *byte == 0).collect();
        let notes = parts.chunks_exact(3).map(|note| match note {
            [author, date, subject] => {
                CommitNote { author: text(author), date: text(date), subject: text(subject) }
            }
            _ => CommitNote { author: String::new(), date: String::new(), subject: String::new() },
        });
        let notes: Vec<CommitNote> = notes.collect();
        if notes.len() == commits.len() { Ok(notes) } else { Err(call.unexpected(&answer)) }
    }

    /// Finds the newest commit in which a file has this content: `HEAD` if it does, else the one of
    /// all branches and reflogs that last gave it to the file, among 1000 that changed the file.
    pub fn newest_with(&self, path: &[u8], content: &[u8]) -> Result<Option<CommitId>, GitError> {
        let Some(head) = self.head()? else { return Ok(None) };
        let same = |found: &Content| matches!(found, Content::Whole(bytes) if bytes == content);
        if self.file_at("HEAD", path, POINTER_LIMIT)?.as_ref().is_some_and(same) {
            return Ok(Some(head));
        }
        // By date alone, commits of one second would come in any order.
        let order = ["rev-list", LOOK_BACK, "--date-order", "--full-history", "--all", "--reflog"];
        let call = self.runner.git(&order);
        let call = call.arguments(["HEAD", "--"]).arguments([os_path(path)?]);
        let commits = call.output()?.stdout;
        let mut found = Vec::new();
        self.changes(&commits, &["-m"], Paths::These(&[path]), |change| {
            if is_file(change.after.0) {
                found.push((change.commit, change.after.1));
            }
        })?;
        let ids: Vec<ObjectId> = found.iter().map(|(_, id)| *id).collect();
        let at = self.contents(&ids, POINTER_LIMIT)?.iter().position(same);
        Ok(at.and_then(|at| found.get(at)).map(|(commit, _)| *commit))
    }

    fn versions(
        &self,
        more: &[&str],
        paths: &[&[u8]],
        limit: usize,
    ) -> Result<Vec<Vec<Vec<u8>>>, GitError> {
        let mut versions: Vec<Vec<ObjectId>> = vec![Vec::new(); paths.len()];
        let Some(head) = self.head()?.filter(|_| !paths.is_empty()) else {
            return Ok(vec![Vec::new(); paths.len()]);
        };
        let place: std::collections::HashMap<&[u8], usize> =
            paths.iter().enumerate().map(|(at, path)| (*path, at)).collect();
        let mut note = |path: &[u8], (mode, id): (u32, ObjectId)| {
            let list = place.get(path).and_then(|at| versions.get_mut(*at));
            if let Some(list) = list
                && is_file(mode)
                && list.len() < limit
                && !list.contains(&id)
            {
                list.push(id);
            }
        };
        let head = head.to_string();
        let call = self.runner.git(&["rev-list", LOOK_BACK]).arguments(more);
        let commits = call.arguments([&head]).output()?.stdout;
        self.changes(&commits, &["-m"], Paths::These(paths), |change| {
            note(&change.path, change.after);
            change.before.iter().for_each(|version| note(&change.path, *version));
        })?;
        // A path that did not change in all those commits still has the version of HEAD.
        for (path, list) in paths.iter().zip(&mut versions).filter(|(_, list)| list.is_empty()) {
            list.extend(self.file_id(&head, path)?.filter(|_| limit > 0));
        }
        versions.iter().map(|ids| self.whole(ids)).collect()
    }

    fn whole(&self, ids: &[ObjectId]) -> Result<Vec<Vec<u8>>, GitError> {
        let keep = |content| match content {
            Content::Whole(bytes) => Some(bytes),
            Content::TooLarge(_) => None,
        };
        Ok(self.contents(ids, POINTER_LIMIT)?.into_iter().filter_map(keep).collect())
    }

    /// Leaves out objects that this repository does not have, without fetching any.
    fn present(&self, ids: &[ObjectId]) -> Result<Vec<ObjectId>, GitError> {
        let known = self.library(|library| {
            let store = library.odb()?;
            let here = |id: &&ObjectId| {
                git2::Oid::from_bytes(id.as_bytes()).is_ok_and(|id| store.exists(id))
            };
            Ok(ids.iter().filter(here).copied().collect())
        });
        match known {
            Some(known) => Ok(known),
            None if ids.is_empty() => Ok(Vec::new()),
            None => self.present_by_command(ids),
        }
    }

    fn present_by_command(&self, ids: &[ObjectId]) -> Result<Vec<ObjectId>, GitError> {
        let asked = lines(ids);
        let mut runner = self.runner.clone();
        runner.set("GIT_NO_LAZY_FETCH", Some("1".as_ref()));
        let call = runner.git(&["cat-file", "--batch-check=%(objectname)"]);
        let answer = call.stdin(&asked).output()?.stdout;
        // An absent one answers `ID missing`, which is no id.
        Ok(answer.split(|c| *c == b'\n').filter_map(ObjectId::from_hex).collect())
    }

    /// Walks the differences of commits (one per line) to their parents, to nothing for a root.
    fn changes(
        &self,
        commits: &[u8],
        merges: &[&str],
        paths: Paths<'_>,
        mut take: impl FnMut(Change),
    ) -> Result<(), GitError> {
        if commits.is_empty() {
            return Ok(());
        }
        let call = self.runner.git(&["diff-tree", "--stdin", "-r", "--root", "-z", "--raw"]);
        let mut call = call.arguments(["--no-renames", "--no-abbrev"]).arguments(merges);
        // A long list of paths costs more than all pointers of the range.
        call = match paths {
            Paths::These(paths) if paths.len() <= 64 => {
                let paths: Result<Vec<_>, _> = paths.iter().map(|path| os_path(path)).collect();
                call.arguments(["--"]).arguments(paths?)
            }
            Paths::These(paths) if !paths.iter().all(|path| is_pointer_path(path)) => call,
            Paths::All => call,
            Paths::These(_) | Paths::Pointers => {
                call.arguments(["--", ":(top,glob)**/*.haul"]).globs()
            }
        };
        let call = call.stdin(commits);
        let mut commit = None;
        let mut pending = None;
        let mut wrong = None;
        call.each_record(|record| {
            if let Some((commit, before, after)) = pending.take() {
                take(Change { commit, path: record.to_vec(), before, after });
            } else if let Some(id) = ObjectId::from_hex(record) {
                commit = Some(CommitId(id));
            } else if let (Some(commit), Some((before, after))) = (commit, raw_record(record)) {
                pending = Some((commit, before, after));
            } else {
                wrong = Some(record.to_vec());
            }
        })?;
        wrong.map_or(Ok(()), |record| Err(call.unexpected(&record)))
    }
}

/// What of the changes of commits is looked at.
#[derive(Clone, Copy)]
enum Paths<'p> {
    /// Files named like pointers.
    Pointers,
    /// These paths.
    These(&'p [&'p [u8]]),
    /// All files.
    All,
}

/// Modes and names before (one per parent) and after.
type Sides = (Vec<(u32, ObjectId)>, (u32, ObjectId));

/// Reads `:MODE MODE ID ID LETTER`, with one more colon, mode and name for each further parent.
fn raw_record(record: &[u8]) -> Option<Sides> {
    let parents = record.iter().take_while(|c| **c == b':').count();
    let mut words = record.get(parents..)?.split(|c| *c == b' ');
    let modes: Option<Vec<u32>> = words.by_ref().take(parents + 1).map(octal).collect();
    let ids: Option<Vec<ObjectId>> =
        words.by_ref().take(parents + 1).map(ObjectId::from_hex).collect();
    let mut sides: Vec<(u32, ObjectId)> = modes?.into_iter().zip(ids?).collect();
    if parents == 0 || sides.len() != parents + 1 {
        return None;
    }
    let after = sides.pop()?;
    Some((sides, after))
}
