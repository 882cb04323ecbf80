//! Which commits revisions name.

use crate::hint::nearest;

use super::objects::converted;
use super::quote::printable;
use super::{CommitId, Git, GitError, ObjectId};

/// Fewest characters by which Git takes the start of an id for the whole.
const SHORTEST: usize = 4;

impl Git {
    /// Finds the commit that a revision names: a branch, a tag, a hash, `HEAD~2`.
    pub fn resolve(&self, rev: &str) -> Result<CommitId, GitError> {
        let unknown = || GitError::UnknownRevision {
            rev: printable(rev.as_bytes()),
            meant: self.near_revision(rev),
        };
        // Git would take a leading dash for an option.
        if rev.is_empty() || rev.starts_with('-') || rev.contains(['\n', '\0']) {
            return Err(unknown());
        }
        self.require_one_kind(rev)?;
        let found =
            self.library(|library| converted(library.revparse_single(rev)?.peel_to_commit()?.id()));
        if let Some(id) = found {
            return Ok(CommitId(id));
        }
        let Some(object) = self.rev_parse(rev)? else {
            return Err(self.ambiguous(rev)?.unwrap_or_else(unknown));
        };
        let commit = self.rev_parse(&format!("{object}^{{commit}}"))?.ok_or_else(unknown)?;
        Ok(CommitId(commit))
    }

    /// Finds the branch or tag that an unknown revision was probably meant to be: of a range, what is
    /// wrong in one of its ends.
    pub fn near_revision(&self, rev: &str) -> Option<String> {
        if let Some((old, new)) = rev.split_once("..") {
            let ends = [old, new.trim_start_matches('.')].map(|end| self.near_revision(end));
            let [old_meant, new_meant] = &ends;
            let whole = |meant: &Option<String>, end: &str| {
                meant.clone().unwrap_or_else(|| printable(end.as_bytes()))
            };
            let any = old_meant.is_some() || new_meant.is_some();
            return any.then(|| format!("{}..{}", whole(old_meant, old), whole(new_meant, new)));
        }
        let end = rev.find(['~', '^', '@', ':']).unwrap_or(rev.len());
        let (name, rest) = rev.split_at_checked(end)?;
        let names = self.library(|library| {
            let all = library.references()?;
            let short = |found: git2::Reference<'_>| found.shorthand().ok().map(str::to_owned);
            Ok(all.filter_map(Result::ok).filter_map(short).collect::<Vec<_>>())
        })?;
        // Of letters so few everything is near.
        let found =
            (name.len() > 2).then(|| nearest(name, names.into_iter().filter(|n| n != name)));
        found.flatten().map(|found| printable(format!("{found}{rest}").as_bytes()))
    }

    /// Refuses a name that is a branch and a tag, of different commits: Git would take the tag.
    fn require_one_kind(&self, rev: &str) -> Result<(), GitError> {
        let name = rev.split(['~', '^', '@', ':']).next().unwrap_or_default();
        let refs = ["heads", "tags"].map(|kind| format!("refs/{kind}/{name}"));
        let found = self.library(|library| {
            let commit = |name: &String| library.find_reference(name).ok()?.peel_to_commit().ok();
            Ok(refs.each_ref().map(|name| commit(name).map(|commit| commit.id().to_string())))
        });
        let [branch, tag] = if let Some(found) = found {
            found
        } else {
            let ask = |name| self.rev_parse(&format!("{name}^{{commit}}"));
            let [branch, tag] = refs.each_ref().map(ask);
            [branch?.map(|id| id.to_string()), tag?.map(|id| id.to_string())]
        };
        if branch.is_some() && tag.is_some() && branch != tag {
            return Err(GitError::BranchAndTag { name: printable(name.as_bytes()) });
        }
        Ok(())
    }

    /// Says which objects an unknown revision may mean, if it begins as the ids of several do.
    fn ambiguous(&self, rev: &str) -> Result<Option<GitError>, GitError> {
        let start = rev.split(['~', '^', '@', ':']).next().unwrap_or_default();
        if start.len() < SHORTEST || !start.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let ask = format!("--disambiguate={start}");
        let found = self.runner.git(&["rev-parse", &ask]).output()?.stdout;
        let found = String::from_utf8_lossy(&found);
        let ids: Vec<&str> = found.lines().collect();
        if ids.len() < 2 {
            return Ok(None);
        }
        let such: Vec<String> = ids.iter().take(3).map(|id| format!("`{id}`")).collect();
        let (rev, count) = (printable(rev.as_bytes()), ids.len());
        Ok(Some(GitError::AmbiguousRevision { rev, count, such: such.join(", ") }))
    }

    fn rev_parse(&self, rev: &str) -> Result<Option<ObjectId>, GitError> {
        let call = self.runner.git(&["rev-parse", "--verify", "--quiet", rev]);
        match call.accept(1..=1).output() {
            Ok(answer) if answer.code == 0 => Ok(ObjectId::from_hex(answer.stdout.trim_ascii())),
            // Git itself dies on some names, such as one outside of a reflog.
            Ok(_) | Err(GitError::Command { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the commit of `HEAD`; nothing in a repository without a first commit.
    pub fn head(&self) -> Result<Option<CommitId>, GitError> {
        match self.resolve("HEAD") {
            Ok(id) => Ok(Some(id)),
            Err(GitError::UnknownRevision { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
