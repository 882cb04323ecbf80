//! One commit of a repository elsewhere, without its history and in a repository of its own.

use std::ffi::OsStr;
use std::path::Path;

use super::command::{REPOSITORY_VARIABLES, Runner};
use super::discover::Surroundings;
use super::quote::{printable, without_password};
use super::{CommitId, Git, GitError, ObjectId};

/// How Git may get there. An address may have come with a commit, and other ways start programs.
const PROTOCOLS: &str = "file:git:http:https:ssh";

impl Git {
    /// Makes a repository in the empty `folder` that has one commit of the repository at `url`, as its
    /// `HEAD`: that of a branch or tag, or one named by its whole hash; the `HEAD` there if none is named.
    ///
    /// Files are fetched only when they are read, where the server can do that. Nothing is checked out.
    /// `search` is as for [`Git::open`].
    pub fn fetch_apart(
        folder: &Path,
        search: Option<&OsStr>,
        (url, rev): (&str, Option<&str>),
    ) -> Result<Self, GitError> {
        let rev = rev.unwrap_or("HEAD");
        let unknown = || GitError::NotThere {
            rev: printable(rev.as_bytes()),
            url: printable(without_password(url).as_bytes()),
        };
        if rev.is_empty() || rev.starts_with(['-', '+']) || rev.contains([':', '\n', '\0']) {
            return Err(unknown());
        }
        let variables = Self::search_variables(search);
        let mut runner = Runner { folder: folder.to_path_buf(), variables };
        for name in REPOSITORY_VARIABLES {
            runner.set(name, None);
        }
        runner.set("GIT_ALLOW_PROTOCOL", Some(OsStr::new(PROTOCOLS)));
        let variables = runner.variables.clone();
        // What hashes look like there decides what the repository must be like.
        let [branch, tag] = ["heads", "tags"].map(|kind| format!("refs/{kind}/{rev}"));
        let ask = runner.git(&["ls-remote", "--quiet", "--", url, "HEAD"]);
        let refs = ask.arguments([&branch, &tag, &format!("{tag}^{{}}")]).output()?.stdout;
        let refs = Listing(String::from_utf8_lossy(&refs).into_owned());
        if refs.differ(&branch, &tag) {
            return Err(GitError::BranchAndTag { name: printable(rev.as_bytes()) });
        }
        let long = refs.0.split('\t').next().is_some_and(|hash| hash.len() == 64);
        let format = if long { "--object-format=sha256" } else { "--object-format=sha1" };
        runner.git(&["init", "--quiet", "--template=", format]).output()?;
        runner.git(&["config", "remote.origin.url", url]).output()?;
        let fetch = ["fetch", "--quiet", "--depth=1", "--no-tags", "--filter=blob:none", "origin"];
        match runner.git(&fetch).arguments([rev]).output() {
            Err(GitError::Command { stderr, .. }) if is_unknown(&stderr) => return Err(unknown()),
            fetched => fetched?,
        };
        let commit = runner.git(&["rev-parse", "--verify", "FETCH_HEAD^{commit}"]).output()?.stdout;
        let commit = ObjectId::from_hex(commit.trim_ascii()).map(CommitId).ok_or_else(unknown)?;
        runner.git(&["update-ref", "--no-deref", "HEAD", &commit.to_string()]).output()?;
        Self::discover(folder, Surroundings::Ignore, variables)
    }
}

/// What `git ls-remote` lists: a hash, a tab and a name in each line.
struct Listing(String);

impl Listing {
    fn hash(&self, name: &str) -> Option<&str> {
        let mut rows = self.0.lines().filter_map(|line| line.split_once('\t'));
        rows.find(|(_, found)| *found == name).map(|(hash, _)| hash)
    }

    /// Says whether a branch and a tag are both there, and are different commits.
    fn differ(&self, branch: &str, tag: &str) -> bool {
        // Of a tag with a message, that is the commit.
        let commit = self.hash(&format!("{tag}^{{}}")).or_else(|| self.hash(tag));
        self.hash(branch).zip(commit).is_some_and(|(branch, tag)| branch != tag)
    }
}

/// What Git says of a name that the other side does not have, or does not give.
fn is_unknown(stderr: &str) -> bool {
    ["couldn't find remote ref", "not our ref", "unadvertised object"]
        .iter()
        .any(|words| stderr.contains(words))
}
