//! What a commit would bring: the files of the index that differ from `HEAD`.

use std::collections::HashSet;

use super::objects::{is_file, octal};
use super::{Git, GitError, IndexEntry, ObjectId};

impl Git {
    /// Lists the files that the index has and `HEAD` has not, or has differently; in a merge, only those
    /// that the other side has not either. Links, submodules and what is not merged are left out.
    /// Cost: the index, and the folders that differ.
    pub fn staged_files(&self) -> Result<Vec<IndexEntry>, GitError> {
        let base = match self.head()? {
            Some(commit) => commit.to_string(),
            None => self.empty_tree()?,
        };
        let mut files = self.staged_against(&base)?;
        if self.git_dir().join("MERGE_HEAD").symlink_metadata().is_ok() && !files.is_empty() {
            let other = self.resolve("MERGE_HEAD")?.to_string();
            let new: HashSet<Vec<u8>> =
                self.staged_against(&other)?.into_iter().map(|entry| entry.path).collect();
            files.retain(|entry| new.contains(&entry.path));
        }
        Ok(files)
    }

    fn staged_against(&self, base: &str) -> Result<Vec<IndexEntry>, GitError> {
        let options = ["--cached", "--raw", "--no-abbrev", "--no-renames", "-z"];
        let call = self.runner.git(&["diff-index"]).arguments(options);
        let call = call.arguments(["--diff-filter=AMT", base, "--"]);
        let (mut entries, mut pending, mut wrong) = (Vec::new(), None, None);
        call.each_record(|record| match pending.take() {
            Some((mode, id)) if is_file(mode) => {
                let path = record.to_vec();
                entries.push(IndexEntry {
                    path,
                    mode,
                    id,
                    stage: 0,
                    intent_to_add: false,
                    skipped: false,
                });
            }
            Some(_) => {}
            None => match after(record) {
                Some(found) => pending = Some(found),
                None => wrong = Some(record.to_vec()),
            },
        })?;
        wrong.map_or(Ok(entries), |record| Err(call.unexpected(&record)))
    }

    /// Says whether a commit under way takes only the paths it was given: Git then has an index for
    /// it alone, and what is staged there is not staged afterwards.
    pub fn is_partial_commit(&self) -> Result<bool, GitError> {
        let index = self.index_path()?;
        let name = index.file_name().and_then(|name| name.to_str());
        Ok(name.is_some_and(|name| name.starts_with("next-index-")))
    }

    fn empty_tree(&self) -> Result<String, GitError> {
        let call = self.runner.git(&["hash-object", "-t", "tree", "--stdin"]);
        let answer = call.output()?.stdout;
        let id = ObjectId::from_hex(answer.trim_ascii());
        Ok(id.ok_or_else(|| call.unexpected(&answer))?.to_string())
    }
}

/// Reads the new mode and content of `:MODE MODE ID ID LETTER`.
fn after(record: &[u8]) -> Option<(u32, ObjectId)> {
    let mut words = record.strip_prefix(b":")?.split(|byte| *byte == b' ');
    let mode = octal(words.nth(1)?)?;
    Some((mode, ObjectId::from_hex(words.nth(1)?)?))
}
