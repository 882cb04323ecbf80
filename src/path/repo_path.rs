//! The one type for a path inside a repository.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::hostile::{self, PathProblem};
use super::show::show;
use crate::hint::Hint;

const SUFFIX: &[u8] = b".haul";

/// A validated relative path: raw bytes, `/`-separated, safe to join to the root of a worktree.
///
/// At most 4096 bytes, each part 1 to 255; ordered bytewise, as manifests are. It need not be UTF-8.
/// Symbolic links in the worktree are not its concern: whoever writes must not follow them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath(Box<[u8]>);

/// Why bytes were refused as a path; names the path, shortened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` cannot be the path of tracked data: {problem}", shortened(path))]
pub struct PathError {
    /// The refused bytes, up to the first 256.
    path: Box<[u8]>,
    /// Which rule they break.
    pub problem: PathProblem,
}

/// A hostile path may be megabytes long, and a message must not be.
const KEPT: usize = 256;

fn shortened(path: &[u8]) -> String {
    match path.get(..KEPT.saturating_sub(1)) {
        Some(head) => format!("{}…", show(head)),
        None => show(path).to_string(),
    }
}

impl PathError {
    fn new(path: &[u8], problem: PathProblem) -> Self {
        Self { path: path.get(..KEPT).unwrap_or(path).into(), problem }
    }
}

impl Hint for PathError {
    fn hint(&self) -> Option<String> {
        let next = match self.problem {
            PathProblem::LongPart
            | PathProblem::Drive
            | PathProblem::Nul
            | PathProblem::TrailingNewline
            | PathProblem::Surrogate
            | PathProblem::Temporary
            | PathProblem::DoubleSuffix => "rename it, then add it again",
            PathProblem::TooLong => "move it up, or shorten the names of the folders above it",
            PathProblem::GitFolder | PathProblem::GitFile | PathProblem::OwnFile => {
                "rename it, or leave it to Git"
            }
            PathProblem::Empty
            | PathProblem::Absolute
            | PathProblem::TrailingSlash
            | PathProblem::EmptyPart
            | PathProblem::DotPart => {
                "name it by its path from the root of the repository, without `.`, `..` and \
                 needless slashes"
            }
            PathProblem::NotAPointer => "give its pointer a name before `.haul`, with `git mv`",
        };
        Some(next.to_owned())
    }
}

impl RepoPath {
    /// Checks `bytes` against every rule that holds on all systems; linear in their number.
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, PathError> {
        let bytes = bytes.as_ref();
        match hostile::problem(bytes) {
            Some(problem) => Err(PathError::new(bytes, problem)),
            None => Ok(Self(bytes.into())),
        }
    }

    /// Names one of haul's or Git's own settings files at the worktree root, which [`Self::new`]
    /// refuses: no content of a repository may ever be written there.
    pub(crate) fn new_settings_file(name: &'static [u8]) -> Self {
        Self(name.into())
    }

    /// Takes back the bytes of a path that was checked when it was made, from who kept them in another form.
    pub(crate) fn recalled(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// Returns the raw bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the same path for the operating system; still relative to the root of a worktree.
    pub fn to_os(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }

    /// Returns the parts from the top down; at least one.
    pub fn parts(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|b| *b == b'/')
    }

    /// Returns the last part.
    pub fn file_name(&self) -> &[u8] {
        self.split_last().1
    }

    /// Returns the folder that holds this path; nothing at the top of the repository.
    pub fn parent(&self) -> Option<Self> {
        // A prefix of an accepted path that ends between two parts is accepted.
        self.split_last().0.map(|folder| Self(folder.into()))
    }

    fn split_last(&self) -> (Option<&[u8]>, &[u8]) {
        match self.0.iter().rposition(|b| *b == b'/') {
            Some(slash) => (self.0.get(..slash), self.0.get(slash + 1..).unwrap_or_default()),
            None => (None, &self.0),
        }
    }

    /// Appends `rest` below this folder; fails only if that makes it too long.
    pub fn join(&self, rest: &Self) -> Result<Self, PathError> {
        Self::new([self.as_bytes(), rest.as_bytes()].join(&b'/'))
    }

    /// Says whether this path lies below the folder `dir`, at any depth; a path is not below itself.
    pub fn starts_with_dir(&self, dir: &Self) -> bool {
        self.below(dir).is_some()
    }

    /// Returns what is left of this path below the folder `dir`; nothing if it lies elsewhere.
    pub fn relative_to(&self, dir: &Self) -> Option<Self> {
        self.below(dir).map(|rest| Self(rest.into()))
    }

    fn below(&self, dir: &Self) -> Option<&[u8]> {
        self.0.strip_prefix(dir.as_bytes())?.strip_prefix(b"/")
    }

    /// Returns the path of the pointer that stands for this one: `data/x` → `data/x.haul`.
    ///
    /// Fails for a path that is a pointer's already, and where the longer name would be too long.
    pub fn pointer_path(&self) -> Result<Self, PathError> {
        Self::new([self.as_bytes(), SUFFIX].concat())
    }

    /// Says whether the name is a pointer's: it ends with `.haul`, with something before it.
    pub fn is_pointer_path(&self) -> bool {
        self.file_name().strip_suffix(SUFFIX).is_some_and(|name| !name.is_empty())
    }

    /// Returns the path that a pointer stands for: `data/x.haul` → `data/x`.
    ///
    /// Fails for a name without `.haul`, and for a target that may not be written (`.git.haul`).
    pub fn target_of_pointer(&self) -> Result<Self, PathError> {
        match self.0.strip_suffix(SUFFIX).filter(|_| self.is_pointer_path()) {
            Some(target) => Self::new(target),
            None => Err(PathError::new(&self.0, PathProblem::NotAPointer)),
        }
    }

    /// Says what is wrong with this path on Windows, for a warning when it is added.
    pub fn windows_problem(&self) -> Option<&'static str> {
        hostile::windows_problem(&self.0)
    }

    /// Says why it is unwise to track this path, which Git itself reads, for a warning.
    pub fn caution(&self) -> Option<&'static str> {
        hostile::caution(&self.0)
    }
}

impl fmt::Display for RepoPath {
    /// Prints the path for a terminal, with everything dangerous escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(&self.0).fmt(f)
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RepoPath({self})")
    }
}

impl AsRef<[u8]> for RepoPath {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<Path> for RepoPath {
    fn as_ref(&self) -> &Path {
        self.to_os()
    }
}
