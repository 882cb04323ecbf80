//! Git's own remotes: which there are and what they hold.

use super::command::Call;
use super::quote::printable;
use super::{Git, GitError, ObjectId};

/// A branch or tag of a Git remote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteRef {
    /// Full name, such as `refs/heads/main`; bytes that are not UTF-8 are replaced.
    pub name: String,
    /// What it points to: a commit, or the tag object of an annotated tag.
    pub id: ObjectId,
}

impl Git {
    /// Asks a Git remote, by name or URL, for its refs as they are now. Goes over the network.
    pub fn remote_refs(&self, git_remote: &str) -> Result<Vec<RemoteRef>, GitError> {
        let call = self.runner.git(&["ls-remote", "--quiet", "--refs", "--", git_remote]);
        let answer = call.output()?.stdout;
        let records = answer.split(|c| *c == b'\n').filter(|line| !line.is_empty());
        records.map(|line| remote_ref(line).ok_or_else(|| call.unexpected(line))).collect()
    }

    /// Returns the names of the Git remotes.
    pub fn remotes(&self) -> Result<Vec<String>, GitError> {
        text_lines(&self.runner.git(&["remote"]))
    }

    /// Returns the Git remote that is meant when none is named: the one the branch follows, else
    /// `origin`, else the only one.
    pub fn default_remote(&self) -> Result<String, GitError> {
        let remotes = self.remotes()?;
        if let Some(branch) = self.branch()? {
            // A branch that follows another local one has the remote `.`.
            let followed = self.setting(&format!("branch.{branch}.remote"))?;
            if let Some(remote) = followed.filter(|name| name != ".") {
                return Ok(remote);
            }
        }
        match remotes.as_slice() {
            [only] => Ok(only.clone()),
            all if all.iter().any(|name| name == "origin") => Ok("origin".to_owned()),
            all => Err(GitError::NoDefaultRemote { count: all.len() }),
        }
    }

    /// Returns where a Git remote is fetched from, after `insteadOf`; nothing if there is none of
    /// that name. May contain a password: do not print it.
    pub fn remote_url(&self, name: &str) -> Result<Option<String>, GitError> {
        if !self.remotes()?.iter().any(|known| known == name) {
            return Ok(None);
        }
        let call = self.runner.git(&["remote", "get-url", "--", name]);
        Ok(text_lines(&call)?.into_iter().next())
    }

    /// Returns the short name of the branch that is checked out; nothing if `HEAD` is detached.
    pub fn branch(&self) -> Result<Option<String>, GitError> {
        let call = self.runner.git(&["symbolic-ref", "--quiet", "HEAD"]).accept(1..=1);
        let name = text_lines(&call)?.into_iter().next();
        Ok(name.and_then(|name| Some(name.strip_prefix("refs/heads/")?.to_owned())))
    }
}

fn text_lines(call: &Call<'_>) -> Result<Vec<String>, GitError> {
    let answer = call.output()?.stdout;
    let text = String::from_utf8(answer)
        .map_err(|error| call.unexpected(printable(error.as_bytes()).as_bytes()))?;
    Ok(text.lines().map(str::to_owned).collect())
}

fn remote_ref(line: &[u8]) -> Option<RemoteRef> {
    let tab = line.iter().position(|c| *c == b'\t')?;
    let (id, name) = line.split_at_checked(tab)?;
    let name = String::from_utf8_lossy(name.get(1..)?).into_owned();
    Some(RemoteRef { name, id: ObjectId::from_hex(id)? })
}
