//! Which paths Git hands to haul's filter: those with the attribute `filter=haul`.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use super::attribute_lines::names_filter;
use super::command::{Call, Runner};
use super::objects::{Content, is_file, is_pointer_path};
use super::{CommitId, Git, GitError, IndexEntry, ObjectId};

/// Longest file of attributes that is looked into, in bytes.
const LIMIT: u64 = 16 << 20;

/// Names that files of Git and haul have in any folder.
const OWN_NAMES: [&[u8]; 4] = [b".gitattributes", b".gitignore", b".gitmodules", b".haulignore"];

/// Tells whether a path is that of a file of attributes.
pub(super) fn is_attributes_path(path: &[u8]) -> bool {
    path == b".gitattributes" || path.ends_with(b"/.gitattributes")
}

/// Tells whether Git holds a file as it is, whatever the attributes say: what Git and haul read
/// themselves is no data.
pub fn stays_in_git(path: &[u8]) -> bool {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    is_pointer_path(path) || OWN_NAMES.contains(&name) || path == b"haul.toml"
}

impl Git {
    /// Lists the files of the index that the attributes of the worktree hand to haul's filter, with
    /// all sides of unresolved merges. What they hold may be pointers, or not yet.
    pub fn filtered(&self) -> Result<Vec<IndexEntry>, GitError> {
        if self.has_no_attributes() {
            return Ok(Vec::new());
        }
        let call = self.runner.git(&["ls-files", "-s", "-z", "--", ":(top,attr:filter=haul)"]);
        let mut entries = Self::index_entries(&call.globs())?;
        entries.retain(|entry| is_file(entry.mode) && !stays_in_git(&entry.path));
        Ok(entries)
    }

    /// Says whether something else stands for the root's file of attributes: Git follows no link there,
    /// and would wait for ever on a pipe.
    fn has_no_attributes(&self) -> bool {
        let there = fs::symlink_metadata(self.root().join(".gitattributes"));
        there.is_ok_and(|there| !there.is_file())
    }

    /// Tells which paths attributes hand to haul's filter: those of a commit, or of the worktree. What
    /// stays in Git in any case is not among them.
    pub fn is_filtered<'a>(
        &self,
        paths: impl IntoIterator<Item = &'a [u8]>,
        at: Option<CommitId>,
    ) -> Result<BTreeSet<Vec<u8>>, GitError> {
        let asked: Vec<u8> =
            paths.into_iter().flat_map(|path| path.iter().copied().chain([0])).collect();
        if asked.is_empty() || (at.is_none() && self.has_no_attributes()) {
            return Ok(BTreeSet::new());
        }
        let plain = || ask_filter(self.runner.git(&["check-attr"]), &asked);
        let Some(commit) = at else { return plain() };
        let source = [format!("--source={commit}")];
        // Gits before 2.40 know the attributes of the worktree only.
        ask_filter(self.runner.git(&["check-attr"]).arguments(&source), &asked).or_else(|_| plain())
    }

    /// As [`Self::is_filtered`] of the worktree, if its files of attributes were those in `worktree`, which
    /// need not have the paths.
    pub fn would_be_filtered<'a>(
        &self,
        paths: impl IntoIterator<Item = &'a [u8]>,
        worktree: &Path,
    ) -> Result<BTreeSet<Vec<u8>>, GitError> {
        let asked: Vec<u8> =
            paths.into_iter().flat_map(|path| path.iter().copied().chain([0])).collect();
        let mut runner = Runner { folder: worktree.to_owned(), ..self.runner.clone() };
        runner.set("GIT_WORK_TREE", Some(worktree.as_os_str()));
        ask_filter(runner.git(&["check-attr"]), &asked)
    }

    /// Says whether the attributes of a tree may hand anything to haul's filter, those of this clone
    /// alone included. `files` are the files of attributes that the tree has.
    pub(super) fn may_filter(&self, files: &[ObjectId]) -> Result<bool, GitError> {
        if self.own_attributes_say_filter() {
            return Ok(true);
        }
        let contents = self.contents(files, LIMIT)?;
        Ok(contents.iter().any(|content| match content {
            Content::Whole(bytes) => names_filter(bytes),
            Content::TooLarge(_) => true,
        }))
    }

    /// Says whether attributes of the worktree's root, or of this clone alone, hand anything to haul's
    /// filter. Asks no program.
    pub fn hands_over(&self) -> bool {
        let shared = self.root().join(".gitattributes");
        // Git follows no link there.
        let there = fs::symlink_metadata(&shared);
        says_filter(&shared, there) || self.own_attributes_say_filter()
    }

    /// As [`Self::hands_over`], or files of attributes of the index do, which lie in sub-folders too.
    pub fn may_hand_over(&self) -> Result<bool, GitError> {
        if self.hands_over() {
            return Ok(true);
        }
        let call = self.runner.git(&["ls-files", "-s", "-z", "--"]);
        let mut files =
            Self::index_entries(&call.arguments([":(top,glob)**/.gitattributes"]).globs())?;
        // Git looks into the index only where the worktree has none; the root's was looked into.
        let root = fs::symlink_metadata(self.root().join(".gitattributes")).is_ok();
        files.retain(|file| is_file(file.mode) && !(root && file.path == b".gitattributes"));
        let ids: Vec<ObjectId> = files.iter().map(|file| file.id).collect();
        self.may_filter(&ids)
    }

    fn own_attributes_say_filter(&self) -> bool {
        let own = self.common_dir().join("info/attributes");
        let there = fs::metadata(&own);
        says_filter(&own, there)
    }
}

fn says_filter(file: &Path, there: io::Result<fs::Metadata>) -> bool {
    let short = there.is_ok_and(|there| there.is_file() && there.len() <= LIMIT);
    short && fs::read(file).is_ok_and(|bytes| names_filter(&bytes))
}

/// Asks `git check-attr` what the attribute `filter` is for paths that are parted by zeros.
fn ask_filter<'a>(call: Call<'a>, asked: &'a [u8]) -> Result<BTreeSet<Vec<u8>>, GitError> {
    let call = call.arguments(["-z", "--stdin", "filter"]).globs().stdin(asked);
    let (mut found, mut record) = (BTreeSet::new(), Vec::new());
    call.each_record(|word| {
        record.push(word.to_vec());
        if let [path, _, value] = record.as_slice() {
            if value == b"haul" && !stays_in_git(path) {
                found.insert(path.clone());
            }
            record.clear();
        }
    })?;
    Ok(found)
}
