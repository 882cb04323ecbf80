//! Reads commits, trees and the pointers in them.

use std::collections::HashMap;

use git2::ObjectType;

use super::attributes::is_attributes_path;
use super::command::{Runner, os_path};
use super::{CommitId, Git, GitError, ObjectId};

/// The longest a pointer can be, in bytes. Longer files under a pointer's name are reported, not read.
pub const POINTER_LIMIT: u64 = 4096;

/// The bytes of a file that Git holds, if they are few enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// All of it.
    Whole(Vec<u8>),
    /// Its size in bytes, which is over the limit.
    TooLarge(u64),
}

/// A file of a revision that is a pointer by its name, or by its attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreePointer {
    /// Path from the root, `/`-separated, raw bytes.
    pub path: Vec<u8>,
    /// Git's name of the content.
    pub id: ObjectId,
    /// The content, at most [`POINTER_LIMIT`] bytes.
    pub content: Content,
}

struct TreeFile {
    path: Vec<u8>,
    mode: u32,
    id: ObjectId,
}

/// Tells whether a path has the name of a pointer: something before `.haul`.
pub(super) fn is_pointer_path(path: &[u8]) -> bool {
    let name = path.rsplit(|c| *c == b'/').next().unwrap_or_default();
    name.len() > b".haul".len() && name.ends_with(b".haul")
}

/// Tells whether a mode is that of a plain or executable file.
pub(super) fn is_file(mode: u32) -> bool {
    mode & 0o170_000 == 0o100_000
}

/// Reads an octal mode.
pub(super) fn octal(text: &[u8]) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(text).ok()?, 8).ok()
}

pub(super) fn converted(id: git2::Oid) -> Result<ObjectId, git2::Error> {
    ObjectId::from_bytes(id.as_bytes()).ok_or_else(|| git2::Error::from_str("unknown kind of id"))
}

impl Git {
    /// Reads all files named like pointers (`NAME.haul`) in the tree of a revision, and those that its
    /// attributes hand to haul's filter, sorted by path. Links and submodules are left out.
    /// Cost: the whole tree once; twice if there is such an attribute.
    pub fn pointers_at(&self, rev: &str) -> Result<Vec<TreePointer>, GitError> {
        let commit = self.resolve(rev)?;
        let wanted = |path: &[u8]| is_pointer_path(path) || is_attributes_path(path);
        let mut files = self.files_of(commit, wanted)?;
        let filters = self.may_filter(&attributes_of(&files))?;
        files.retain(|file| is_pointer_path(&file.path));
        if filters {
            let mut others = self.files_of(commit, |path| !is_pointer_path(path))?;
            let paths = others.iter().map(|file| file.path.as_slice());
            let filtered = self.is_filtered(paths, Some(commit))?;
            others.retain(|file| filtered.contains(&file.path));
            files.extend(others);
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let ids: Vec<ObjectId> = files.iter().map(|file| file.id).collect();
        let contents = self.contents(&ids, POINTER_LIMIT)?;
        let pair = |(file, content): (TreeFile, Content)| TreePointer {
            path: file.path,
            id: file.id,
            content,
        };
        Ok(files.into_iter().zip(contents).map(pair).collect())
    }

    /// Reads the file at a path of a revision, up to `limit` bytes; nothing if there is no file.
    pub fn file_at(&self, rev: &str, path: &[u8], limit: u64) -> Result<Option<Content>, GitError> {
        match self.file_id(rev, path)? {
            Some(id) => Ok(self.contents(&[id], limit)?.pop()),
            None => Ok(None),
        }
    }

    /// Finds the file at a path of a revision.
    pub(super) fn file_id(&self, rev: &str, path: &[u8]) -> Result<Option<ObjectId>, GitError> {
        let commit = self.resolve(rev)?;
        let found = self.library(|library| entry_by_library(library, commit, path));
        let file = match found {
            Some(file) => file,
            None => self.entry_by_command(commit, path)?,
        };
        Ok(file.filter(|file| is_file(file.mode)).map(|file| file.id))
    }

    /// Says whether the attributes of a commit may hand anything to haul's filter.
    pub(super) fn filters_at(&self, commit: CommitId) -> Result<bool, GitError> {
        self.may_filter(&attributes_of(&self.files_of(commit, is_attributes_path)?))
    }

    /// Lists files of a commit whose paths are wanted.
    fn files_of(
        &self,
        commit: CommitId,
        wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<Vec<TreeFile>, GitError> {
        match self.library(|library| list_by_library(library, commit, &wanted)) {
            Some(files) => Ok(files),
            None => self.list_by_command(commit, &wanted),
        }
    }

    fn list_by_command(
        &self,
        commit: CommitId,
        wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<Vec<TreeFile>, GitError> {
        let commit = commit.to_string();
        let call = self.runner.git(&["ls-tree", "-r", "-z", "--full-tree", &commit]);
        let mut files = Vec::new();
        let mut wrong = None;
        call.each_record(|record| match tree_record(record) {
            Some(file) if is_file(file.mode) && wanted(&file.path) => files.push(file),
            Some(_) => {}
            None => wrong = Some(record.to_vec()),
        })?;
        wrong.map_or(Ok(files), |record| Err(call.unexpected(&record)))
    }

    fn entry_by_command(
        &self,
        commit: CommitId,
        path: &[u8],
    ) -> Result<Option<TreeFile>, GitError> {
        let commit = commit.to_string();
        let call = self.runner.git(&["ls-tree", "-z", "--full-tree", &commit, "--"]);
        let answer = call.arguments([os_path(path)?]).output()?.stdout;
        let mut records = answer.split(|c| *c == 0).filter_map(tree_record);
        Ok(records.find(|file| file.path == path))
    }

    /// Reads objects in the order asked, local ones from libgit2, others through one batch of `git`.
    pub(super) fn contents(&self, ids: &[ObjectId], limit: u64) -> Result<Vec<Content>, GitError> {
        let mut known: HashMap<ObjectId, Content> = HashMap::new();
        let mut absent: Vec<ObjectId> = Vec::new();
        for id in ids {
            if known.contains_key(id) {
                continue;
            }
            match self.library(|library| content_by_library(library, id, limit)) {
                Some(content) => drop(known.insert(*id, content)),
                None => absent.push(*id),
            }
        }
        absent.sort_unstable();
        absent.dedup();
        if !absent.is_empty() {
            self.contents_by_command(&absent, limit, &mut known)?;
        }
        let missing = |id: &ObjectId| GitError::MissingObject { id: *id };
        ids.iter().map(|id| known.get(id).cloned().ok_or_else(|| missing(id))).collect()
    }

    fn contents_by_command(
        &self,
        ids: &[ObjectId],
        limit: u64,
        known: &mut HashMap<ObjectId, Content>,
    ) -> Result<(), GitError> {
        self.prefetch(ids);
        let call = self.runner.git(&["cat-file", "--batch-check=%(objectname) %(objectsize)"]);
        let asked = lines(ids);
        let call = call.stdin(&asked);
        let answer = call.output()?.stdout;
        let mut small = Vec::new();
        for line in answer.split(|c| *c == b'\n').filter(|line| !line.is_empty()) {
            let (id, size) = named_size(line).ok_or_else(|| call.unexpected(line))?;
            match size {
                Some(size) if size > limit => drop(known.insert(id, Content::TooLarge(size))),
                Some(_) => small.push(id),
                None => return Err(GitError::MissingObject { id }),
            }
        }
        if small.is_empty() {
            return Ok(());
        }
        self.runner.read_all(&small, |id, body| {
            known.insert(id, Content::Whole(body.to_vec()));
        })
    }

    /// Fetches absent objects of a partial clone in one request; `git cat-file` would make one each.
    fn prefetch(&self, ids: &[ObjectId]) {
        if ids.len() < 2 {
            return;
        }
        let Ok(Some(remote)) = self.setting("extensions.partialclone") else { return };
        let asked = lines(ids);
        let call = self.runner.git(&[
            "-c",
            "fetch.negotiationAlgorithm=noop",
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--recurse-submodules=no",
            "--filter=blob:none",
            "--stdin",
            "--",
            &remote,
        ]);
        // If it fails, the reads that follow fetch what they need, or say why they cannot.
        if let Err(error) = call.stdin(&asked).output() {
            tracing::debug!(%error, "could not fetch objects of a partial clone at once");
        }
    }
}

pub(super) fn lines(ids: &[ObjectId]) -> Vec<u8> {
    ids.iter().flat_map(|id| format!("{id}\n").into_bytes()).collect()
}

fn attributes_of(files: &[TreeFile]) -> Vec<ObjectId> {
    files.iter().filter(|file| is_attributes_path(&file.path)).map(|file| file.id).collect()
}

/// Reads `ID SIZE`, or `ID missing`.
pub(super) fn named_size(line: &[u8]) -> Option<(ObjectId, Option<u64>)> {
    let (id, size) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    let id = id.parse().ok()?;
    if size == "missing" { Some((id, None)) } else { Some((id, Some(size.parse().ok()?))) }
}

impl Runner {
    /// Reads whole objects, all of which are there.
    pub(super) fn read_all(
        &self,
        ids: &[ObjectId],
        mut take: impl FnMut(ObjectId, &[u8]),
    ) -> Result<(), GitError> {
        let asked = lines(ids);
        let call = self.git(&["cat-file", "--batch=%(objectname) %(objectsize)"]);
        let call = call.stdin(&asked);
        let answer = call.output()?.stdout;
        let mut rest = answer.as_slice();
        while !rest.is_empty() {
            let (id, body, after) = batch_item(rest).ok_or_else(|| call.unexpected(rest))?;
            take(id, body);
            rest = after;
        }
        Ok(())
    }
}

/// Splits `ID SIZE LF BODY LF` from the front of a batch.
fn batch_item(bytes: &[u8]) -> Option<(ObjectId, &[u8], &[u8])> {
    let end = bytes.iter().position(|c| *c == b'\n')?;
    let (line, rest) = bytes.split_at_checked(end)?;
    let (id, size) = named_size(line)?;
    let (body, rest) = rest.get(1..)?.split_at_checked(usize::try_from(size?).ok()?)?;
    Some((id, body, rest.strip_prefix(b"\n")?))
}

/// Reads `MODE TYPE ID TAB PATH`.
fn tree_record(record: &[u8]) -> Option<TreeFile> {
    let tab = record.iter().position(|c| *c == b'\t')?;
    let (head, path) = record.split_at_checked(tab)?;
    let mut words = head.split(|c| *c == b' ');
    let mode = octal(words.next()?)?;
    let id = ObjectId::from_hex(words.nth(1)?)?;
    Some(TreeFile { path: path.get(1..)?.to_vec(), mode, id })
}

fn root_tree(library: &git2::Repository, commit: CommitId) -> Result<git2::Tree<'_>, git2::Error> {
    library.find_commit(git2::Oid::from_bytes(commit.0.as_bytes())?)?.tree()
}

fn list_by_library(
    library: &git2::Repository,
    commit: CommitId,
    wanted: impl Fn(&[u8]) -> bool,
) -> Result<Vec<TreeFile>, git2::Error> {
    let mut files = Vec::new();
    let mut open = vec![(Vec::new(), root_tree(library, commit)?.id())];
    while let Some((prefix, id)) = open.pop() {
        for entry in &library.find_tree(id)? {
            let path = [prefix.as_slice(), entry.name_bytes()].concat();
            if entry.kind() == Some(ObjectType::Tree) {
                open.push(([path.as_slice(), b"/"].concat(), entry.id()));
                continue;
            }
            let mode = u32::try_from(entry.filemode()).unwrap_or_default();
            if is_file(mode) && wanted(&path) {
                files.push(TreeFile { path, mode, id: converted(entry.id())? });
            }
        }
    }
    Ok(files)
}

fn entry_by_library(
    library: &git2::Repository,
    commit: CommitId,
    path: &[u8],
) -> Result<Option<TreeFile>, git2::Error> {
    let mut tree = root_tree(library, commit)?;
    let mut parts = path.split(|c| *c == b'/').peekable();
    while let Some(part) = parts.next() {
        if part.contains(&0) {
            return Ok(None);
        }
        let Some((id, mode)) = tree.get_name_bytes(part).map(|e| (e.id(), e.filemode())) else {
            return Ok(None);
        };
        let mode = u32::try_from(mode).unwrap_or_default();
        if parts.peek().is_none() {
            return Ok(Some(TreeFile { path: path.to_vec(), mode, id: converted(id)? }));
        }
        if mode & 0o170_000 != 0o040_000 {
            return Ok(None);
        }
        tree = library.find_tree(id)?;
    }
    Ok(None)
}

pub(super) fn content_by_library(
    library: &git2::Repository,
    id: &ObjectId,
    limit: u64,
) -> Result<Content, git2::Error> {
    let id = git2::Oid::from_bytes(id.as_bytes())?;
    let store = library.odb()?;
    let (size, _) = store.read_header(id)?;
    match u64::try_from(size) {
        Ok(size) if size <= limit => Ok(Content::Whole(store.read(id)?.data().to_vec())),
        Ok(size) => Ok(Content::TooLarge(size)),
        Err(_) => Ok(Content::TooLarge(u64::MAX)),
    }
}
