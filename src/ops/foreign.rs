//! A Git repository elsewhere, of which one commit is looked at: what `get`, `import` and `update` take
//! data from.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::config::{Environment, Layer, redact_git};
use crate::fs::{Dir, TempFolder, remove_tree, temp_folder, write_durably};
use crate::git::{CommitId, Content, Git};
use crate::manifest::{EntryKind, FileEntry};
use crate::ops::at::{At, Inside};
use crate::ops::chosen::chosen;
use crate::ops::error::OpError;
use crate::ops::export::{self, ExportOptions, ExportReport};
use crate::ops::inside::{self, Folder};
use crate::ops::requests::ToFetch;
use crate::ops::select::Select;
use crate::ops::trees::Source;
use crate::path::show;
use crate::pointer::{Pointer, PointerKind};
use crate::progress::Job;
use crate::repo::Repo;

/// Longest `haul.toml` that is taken from there, in bytes.
const SETTINGS_LIMIT: u64 = 1 << 20;
/// Where its repository lies in the temporary folder.
const REPOSITORY: &str = "repository";
/// Variables that speak of the remotes of the repository around, and of no other.
const REMOTES: [&str; 2] = ["HAUL_REMOTES_", "HAUL_REMOTE_DEFAULT"];

/// Where data is taken from.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The address or folder of a Git repository.
    pub url: String,
    /// A branch, a tag or a whole commit hash; what is checked out there if absent.
    pub rev: Option<String>,
    /// Refuse to receive more than this many bytes of content.
    pub max_bytes: Option<u64>,
    /// Transfers at once.
    pub jobs: Option<usize>,
}

impl Origin {
    /// A folder is meant from the current one, and is noted from the root of the machine.
    pub(crate) fn from(&self, cwd: &Path) -> Self {
        let url = match cwd.join(&self.url).canonicalize() {
            Ok(folder) if !self.url.contains("://") => folder.display().to_string(),
            Ok(_) | Err(_) => self.url.clone(),
        };
        Self { url, ..self.clone() }
    }
}

/// The commit, in a repository of its own, which goes when this is dropped.
pub(crate) struct Foreign {
    repo: Repo,
    commit: CommitId,
    origin: Origin,
    folder: tempfile::TempDir,
}

/// Data that was taken from there and lies in a temporary folder, which goes when this is dropped.
pub(crate) struct Taken {
    /// The file or folder.
    pub(crate) path: PathBuf,
    pub(crate) report: ExportReport,
    pub(crate) commit: CommitId,
    _folders: (tempfile::TempDir, Option<TempFolder>),
}

impl Foreign {
    /// Fetches the commit into a new folder inside `place`, and no content yet.
    pub(crate) fn fetch(
        environment: &Environment,
        origin: &Origin,
        place: &Path,
    ) -> Result<Self, OpError> {
        let foreign = Self::look(environment, origin, place)?.ok_or_else(|| {
            let shown = redact_git(&origin.url);
            OpError::refused(
                format!("`{}` has no `haul.toml` at that revision", show(shown.as_bytes())),
                "name a repository that keeps data with haul, or another revision with `--rev`",
            )
        })?;
        foreign.check_remote()?;
        Ok(foreign)
    }

    /// As [`Self::fetch`], whatever its remote is; nothing if it does not use haul.
    pub(crate) fn look(
        environment: &Environment,
        origin: &Origin,
        place: &Path,
    ) -> Result<Option<Self>, OpError> {
        let folder = temp_folder(place)?;
        let root = folder.path().join(REPOSITORY);
        crate::fs::make_folder(&root, false)?;
        let address = (origin.url.as_str(), origin.rev.as_deref());
        let git = Git::fetch_apart(&root, environment.search.as_deref(), address)?;
        let settings = match git.file_at("HEAD", b"haul.toml", SETTINGS_LIMIT)? {
            Some(Content::Whole(text)) => text,
            Some(Content::TooLarge(_)) | None => return Ok(None),
        };
        write_durably(&root.join("haul.toml"), &settings)?;
        let commit = git.resolve("HEAD")?;
        let own = |name: &String| !REMOTES.iter().any(|start| name.starts_with(start));
        let mut environment = Environment { cwd: root, ..environment.clone() };
        environment.variables.retain(|name, _| own(name));
        let repo = Repo::of(git, &environment, &[])?;
        Ok(Some(Self { repo, commit, origin: origin.clone(), folder }))
    }

    /// A folder that is relative to a worktree means nothing where there is none.
    fn check_remote(&self) -> Result<(), OpError> {
        let config = self.repo.config();
        let Some(name) = config.default_remote() else { return Ok(()) };
        let Some(url) = config.remotes.get(name) else { return Ok(()) };
        let relative = !url.value.contains("://") && !Path::new(&url.value).is_absolute();
        if url.origin.layer() != Layer::Repo || !relative {
            return Ok(());
        }
        Err(OpError::refused(
            format!(
                "remote `{name}` of `{}` is the folder `{}`, relative to a worktree, and there is none",
                show(redact_git(&self.origin.url).as_bytes()),
                show(url.value.as_bytes())
            ),
            "clone the repository to where that folder can be reached, and run `haul export` there",
        ))
    }

    pub(crate) fn commit(&self) -> CommitId {
        self.commit
    }

    /// Returns the pointer of a path that is tracked there as a whole.
    pub(crate) fn pointer(&self, path: &str) -> Result<Option<Pointer>, OpError> {
        let name = format!("{}.haul", path.trim_end_matches('/'));
        let limit = crate::git::POINTER_LIMIT;
        Ok(match self.repo.git().file_at("HEAD", name.as_bytes(), limit)? {
            Some(Content::Whole(bytes)) => Pointer::parse(&bytes).ok(),
            Some(Content::TooLarge(_)) | None => None,
        })
    }

    /// Says how many files are tracked there and their bytes, as the pointers say it.
    pub(crate) fn tracked(&self) -> Result<(u64, u64), OpError> {
        let select = Select { rev: Some("HEAD".to_owned()), ..Select::default() };
        let (mut files, mut bytes) = (0u64, 0u64);
        for item in chosen(&self.repo, &select)? {
            let (own, size) = item.pointer.figures();
            files = files.saturating_add(own);
            bytes = bytes.saturating_add(size);
        }
        Ok((files, bytes))
    }

    /// Says whether a path is a folder there; fetches nodes at most.
    pub(crate) fn is_folder(&self, path: &str, job: &Job) -> Result<bool, OpError> {
        let at = At::parse(&self.repo, &word(path))?;
        let found = at.find(&self.repo)?;
        let [Inside { chosen, rest }] = found.as_slice() else { return Ok(true) };
        if rest.is_empty() {
            let is_dir = matches!(chosen.pointer.kind(), PointerKind::Dir { .. });
            return Ok(is_dir || at.path.as_ref() != Some(&chosen.path));
        }
        let folder = Folder { path: &chosen.path, pointer: &chosen.pointer };
        let there = inside::look(&self.repo, folder, std::slice::from_ref(rest), job);
        let is_file = |entry: &FileEntry| entry.path == *rest && entry.kind != EntryKind::EmptyDir;
        Ok(!there.map_err(unaccepted)?.entries.iter().any(is_file))
    }

    fn options(&self, path: &str, place: &Path) -> ExportOptions {
        ExportOptions {
            word: word(path),
            folder: place.join("out"),
            source: Source { jobs: self.origin.jobs, ..Source::default() },
            max_bytes: self.origin.max_bytes,
        }
    }

    /// Finds what fetching a path would take; fetches nodes at most.
    pub(crate) fn to_fetch(&self, path: &str, job: &Job) -> Result<ToFetch, OpError> {
        let options = self.options(path, self.folder.path());
        let plan = export::plan(&self.repo, &options, job).map_err(unaccepted)?;
        Ok(plan.fetch.figures())
    }

    /// Fetches what a path holds and writes it, proved, to where it can be renamed into `goal` from: to the
    /// temporary folder of this, or to another one in `goal`, which may lie on another file system.
    pub(crate) fn take(self, path: &str, goal: &Dir, job: &Job) -> Result<Taken, OpError> {
        let near = Dir::open(self.folder.path())?.renames_into(goal)?;
        let beside = if near { None } else { Some(goal.temp_folder()?) };
        let place = beside.as_ref().map_or(self.folder.path(), TempFolder::path);
        let options = self.options(path, place);
        let out = options.folder.clone();
        let plan = export::plan(&self.repo, &options, job).map_err(unaccepted)?;
        let report = export::run(&self.repo, plan, job).map_err(unaccepted)?;
        let path = match &report.lone {
            Some(name) => out.join(name.to_os()),
            None => out,
        };
        let Self { repo, commit, folder, .. } = self;
        drop(repo);
        // What was fetched is written; the rest may wait for others.
        remove_tree(&folder.path().join(REPOSITORY))?;
        Ok(Taken { path, report, commit, _folders: (folder, beside) })
    }
}

/// Names a path of the commit.
fn word(path: &str) -> OsString {
    OsString::from(format!("HEAD:{path}"))
}

/// There is no repository in which the remote could be accepted by its name.
fn unaccepted(error: OpError) -> OpError {
    let OpError::NotAccepted { url, .. } = error else { return error };
    OpError::NotAcceptedThere { url }
}

/// A folder and the name of something in it.
pub(crate) fn split(path: &Path) -> Result<(&Path, Vec<u8>), OpError> {
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => Ok((parent, name.as_encoded_bytes().to_vec())),
        _ => Err(OpError::refused(
            format!(
                "`{}` is no name for a file or folder",
                show(path.as_os_str().as_encoded_bytes())
            ),
            "name a path whose last part is a name",
        )),
    }
}

/// Renames something to a place where nothing stands, durably.
pub(crate) fn put(from: &Path, to: &Path) -> Result<(), OpError> {
    let ((source, old), (target, new)) = (split(from)?, split(to)?);
    let (source, target) = (Dir::open(source)?, Dir::open(target)?);
    source.rename(&old, &target, &new)?;
    Ok(target.sync_names()?)
}
