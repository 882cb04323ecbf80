//! Reads the Git index, always through `git`: right for sparse and split indexes and any filter.

use std::collections::{BTreeSet, HashSet};

use super::command::{Call, os_path};
use super::objects::{is_file, is_pointer_path, octal};
use super::{Git, GitError, ObjectId};

/// Path arguments up to this many bytes go on the command line; beyond, the whole index is read.
const ARGUMENTS_LIMIT: usize = 64 * 1024;
/// More path arguments than this cost `git` more than reading the whole index.
const ARGUMENTS_COUNT: usize = 64;

/// The tree without entries, which every repository knows without storing it.
const EMPTY_TREE_SHA1: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
const EMPTY_TREE_SHA256: &str = "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321";
/// The empty file, which is also what `git add --intent-to-add` records.
const EMPTY_FILE_SHA1: &str = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
const EMPTY_FILE_SHA256: &str = "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813";

/// One line of the Git index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexEntry {
    /// Path from the root, `/`-separated, raw bytes.
    pub path: Vec<u8>,
    /// Git's file mode: `0o100644`, `0o100755`, `0o120000` (link), `0o160000` (submodule).
    pub mode: u32,
    /// Git's name of the content.
    pub id: ObjectId,
    /// 0, or in an unresolved merge 1 (base), 2 (ours), 3 (theirs).
    pub stage: u8,
    /// Made by `git add --intent-to-add`: a name without content yet.
    pub intent_to_add: bool,
    /// Left out of the worktree by a sparse checkout. Told by [`Git::pointers`] only.
    pub skipped: bool,
}

impl Git {
    /// Lists what the index holds of the given paths and below them; of everything if none is given.
    pub fn tracked(&self, paths: &[&[u8]]) -> Result<Vec<IndexEntry>, GitError> {
        let wanted: HashSet<&[u8]> = paths.iter().copied().collect();
        let mut entries = Vec::new();
        let call = self.list_files(&["ls-files", "-s", "-z"], paths)?;
        let mut wrong = None;
        call.each_record(|record| match index_record(record) {
            Some(entry) if wanted.is_empty() || lies_in(&entry.path, &wanted).is_some() => {
                entries.push(entry);
            }
            Some(_) => {}
            None => wrong = Some(record.to_vec()),
        })?;
        if let Some(record) = wrong {
            return Err(call.unexpected(&record));
        }
        self.mark_intents(&mut entries)?;
        Ok(entries)
    }

    /// Tells which of the given paths Git tracks, itself or anything below it.
    pub fn is_tracked(&self, paths: &[&[u8]]) -> Result<BTreeSet<Vec<u8>>, GitError> {
        let wanted: HashSet<&[u8]> = paths.iter().copied().collect();
        let mut found = BTreeSet::new();
        if wanted.is_empty() {
            return Ok(found);
        }
        self.list_files(&["ls-files", "-z"], paths)?.each_record(|path| {
            for prefix in prefixes(path).filter(|prefix| wanted.contains(prefix)) {
                if !found.contains(prefix) {
                    found.insert(prefix.to_vec());
                }
            }
        })?;
        Ok(found)
    }

    /// Lists all files of the index that are named like pointers (`NAME.haul`), with the two or
    /// three sides of unresolved merges. Their content: [`Git::index_contents`].
    pub fn pointers(&self) -> Result<Vec<IndexEntry>, GitError> {
        let call = self.runner.git(&["ls-files", "-s", "-t", "-z", "--"]);
        let call = call.arguments([":(top,glob)**/*.haul"]).globs();
        let mut entries = Vec::new();
        let mut wrong = None;
        call.each_record(|record| match tagged_record(record) {
            Some(entry) if is_file(entry.mode) && is_pointer_path(&entry.path) => {
                entries.push(entry);
            }
            Some(_) => {}
            None => wrong = Some(record.to_vec()),
        })?;
        if let Some(record) = wrong {
            return Err(call.unexpected(&record));
        }
        self.mark_intents(&mut entries)?;
        Ok(entries)
    }

    /// Reads what `git ls-files -s -z` prints.
    pub(super) fn index_entries(call: &Call<'_>) -> Result<Vec<IndexEntry>, GitError> {
        let (mut entries, mut wrong) = (Vec::new(), None);
        call.each_record(|record| match index_record(record) {
            Some(entry) => entries.push(entry),
            None => wrong = Some(record.to_vec()),
        })?;
        wrong.map_or(Ok(entries), |record| Err(call.unexpected(&record)))
    }

    /// Reads the content of entries in their order, up to `limit` bytes each, in one batch.
    pub fn index_contents(
        &self,
        entries: &[IndexEntry],
        limit: u64,
    ) -> Result<Vec<super::Content>, GitError> {
        let ids: Vec<ObjectId> = entries.iter().map(|entry| entry.id).collect();
        self.contents(&ids, limit)
    }

    /// Tells which of the given paths ignore rules exclude, whether or not Git tracks them.
    pub fn ignored(&self, paths: &[&[u8]]) -> Result<BTreeSet<Vec<u8>>, GitError> {
        let mut found = BTreeSet::new();
        if paths.is_empty() {
            return Ok(found);
        }
        // This command refuses literal path arguments; `./` keeps a leading `:` from meaning more.
        let asked: Vec<u8> = paths.iter().flat_map(|path| [b"./", *path, b"\0"].concat()).collect();
        let call = self.runner.git(&["check-ignore", "-z", "--stdin", "--no-index"]).globs();
        // 1: none is ignored.
        call.stdin(&asked).accept(1..=1).each_record(|path| {
            found.insert(path.strip_prefix(b"./").unwrap_or(path).to_vec());
        })?;
        Ok(found)
    }

    /// `git ls-files` of the paths, or of everything where that is cheaper.
    fn list_files(&self, arguments: &[&str], paths: &[&[u8]]) -> Result<Call<'_>, GitError> {
        let call = self.runner.git(arguments);
        let bytes: usize = paths.iter().map(|path| path.len()).sum();
        if paths.is_empty() || paths.len() > ARGUMENTS_COUNT || bytes > ARGUMENTS_LIMIT {
            return Ok(call);
        }
        let paths: Result<Vec<_>, _> = paths.iter().map(|path| os_path(path)).collect();
        Ok(call.arguments(["--"]).arguments(paths?))
    }

    /// `git ls-files` shows an intent as an empty file; a comparison with nothing leaves it out.
    fn mark_intents(&self, entries: &mut [IndexEntry]) -> Result<(), GitError> {
        let empty = |entry: &IndexEntry| {
            let id = entry.id.to_string();
            entry.stage == 0 && (id == EMPTY_FILE_SHA1 || id == EMPTY_FILE_SHA256)
        };
        let Some(first) = entries.iter().find(|entry| empty(entry)) else { return Ok(()) };
        let tree =
            if first.id.as_bytes().len() == 20 { EMPTY_TREE_SHA1 } else { EMPTY_TREE_SHA256 };
        let call = self.runner.git(&[
            "diff-index",
            "--cached",
            "--name-only",
            "-z",
            "--no-renames",
            "--ita-invisible-in-index",
            tree,
        ]);
        let mut unsure: HashSet<Vec<u8>> =
            entries.iter().filter(|entry| empty(entry)).map(|entry| entry.path.clone()).collect();
        call.each_record(|path| {
            unsure.remove(path);
        })?;
        for entry in entries {
            entry.intent_to_add = empty(entry) && unsure.contains(&entry.path);
        }
        Ok(())
    }
}

/// Reads `MODE ID STAGE TAB PATH`.
fn index_record(record: &[u8]) -> Option<IndexEntry> {
    let tab = record.iter().position(|c| *c == b'\t')?;
    let (head, path) = record.split_at_checked(tab)?;
    let mut words = head.split(|c| *c == b' ');
    let mode = octal(words.next()?)?;
    let id = ObjectId::from_hex(words.next()?)?;
    let stage = match words.next()? {
        b"0" => 0,
        b"1" => 1,
        b"2" => 2,
        b"3" => 3,
        _ => return None,
    };
    Some(IndexEntry {
        path: path.get(1..)?.to_vec(),
        mode,
        id,
        stage,
        intent_to_add: false,
        skipped: false,
    })
}

/// Reads `TAG MODE ID STAGE TAB PATH`; the tag of what a sparse checkout leaves out is `S`.
fn tagged_record(record: &[u8]) -> Option<IndexEntry> {
    let (tag, rest) = record.split_at_checked(2)?;
    Some(IndexEntry { skipped: tag == b"S ", ..index_record(rest)? })
}

/// The path itself and every folder above it.
fn prefixes(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let slashes = path.iter().enumerate().filter(|(_, c)| **c == b'/').map(|(at, _)| at);
    slashes.chain([path.len()]).filter_map(|end| path.get(..end))
}

fn lies_in<'a>(path: &'a [u8], wanted: &HashSet<&[u8]>) -> Option<&'a [u8]> {
    prefixes(path).find(|prefix| wanted.contains(prefix))
}
