//! From an address to storage that answers.

use std::fmt;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;

use super::batch::MAX_JOBS;
use super::count::{Counters, Counts};
use super::error::{Action, RemoteError};
use super::folder::{self, Folder};
use super::pace::Pace;
#[cfg(feature = "sftp")]
use super::service::Cloud;
#[cfg(feature = "sftp")]
use super::sftp::{self, Sftp};
use super::site::Site;
use super::spec::{Place, RemoteSpec};
use super::upload::Parts;
use crate::fs::planted;
use crate::progress::StopFlag;

/// The least bytes per second for each request, where a rate is set.
#[cfg(feature = "network")]
const SHARE: u64 = 64 << 10;

/// What to do about a folder that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Create {
    /// Fail: a disk may not be mounted.
    No,
    /// Make it, and the folders above it.
    Yes,
}

/// How much of the line is used.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Requests at once at most; services are asked for fewer where more would not be faster.
    pub jobs: usize,
    /// Bytes per second, in both directions together; nothing: as fast as it goes.
    pub rate: Option<u64>,
    /// How the user asks to stop, which ends single requests to services.
    pub stop: StopFlag,
}

impl Default for Limits {
    fn default() -> Self {
        Self { jobs: MAX_JOBS, rate: None, stop: StopFlag::default() }
    }
}

/// An open remote; clones share connections and counts.
///
/// All methods block, may be called from many threads, and must not be called from asynchronous
/// code.
#[derive(Clone)]
pub struct Remote {
    pub(super) inner: Arc<Inner>,
}

/// What the requests of a remote share.
pub(super) struct Inner {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) label: Arc<str>,
    /// How errors call it: with the server, where a variable chose that.
    pub(super) shown: Arc<str>,
    /// The guard of a folder; `None` for storage that has no links.
    pub(super) folder: Option<Folder>,
    /// The same folder, for what is not storage: making it, and what died in it.
    #[cfg(feature = "sftp")]
    pub(super) behind_ssh: Option<Sftp>,
    /// Whether it takes large objects in parts.
    pub(super) parts: Parts,
    pub(super) counts: Counters,
    pub(super) pace: Arc<Pace>,
    /// Never set for a folder, which leaves no piece of a file that it was told to write.
    pub(super) stop: StopFlag,
}

impl Remote {
    /// Opens the remote at `spec`; a folder that does not exist is [`RemoteError::Gone`], and of a
    /// service nothing is asked yet.
    ///
    /// Everything written to a folder is on disk, file and folder entry, before it is acknowledged.
    pub fn open(spec: &RemoteSpec, create: Create) -> Result<Self, RemoteError> {
        Self::open_within(spec, create, Limits::default())
    }

    /// As [`Self::open`], and uses no more of the line than `limits` allow.
    pub fn open_within(
        spec: &RemoteSpec,
        create: Create,
        limits: Limits,
    ) -> Result<Self, RemoteError> {
        let label: Arc<str> = spec.to_string().into();
        match spec.place() {
            Place::Folder(folder) => Self::open_folder((folder, label), create, limits),
            #[cfg(feature = "network")]
            Place::Service(service) => {
                let site = Site { remote: &label, action: Action::Open, key: "/" };
                let store = super::network::open(service, limits.gentle_jobs());
                let store = store.map_err(|e| site.misfit(&e))?;
                let shown = match super::network::chosen_by_variable(service) {
                    Some(server) => format!("{label} {server}").into(),
                    None => Arc::clone(&label),
                };
                let inner = Inner {
                    parts: service.parts(),
                    shown,
                    #[cfg(feature = "sftp")]
                    behind_ssh: (service.cloud == Cloud::Sftp).then(|| sftp::open(service, 1)),
                    ..Inner::new(store, label, None, limits)
                };
                Ok(Self { inner: Arc::new(inner) })
            }
            // No address means a service in such a build.
            #[cfg(not(feature = "network"))]
            Place::Service(_) => {
                let site = Site { remote: &label, action: Action::Open, key: "/" };
                Err(site.gone("this build reaches no services"))
            }
        }
    }

    fn open_folder(
        (path, label): (&Path, Arc<str>),
        create: Create,
        limits: Limits,
    ) -> Result<Self, RemoteError> {
        let site = Site { remote: &label, action: Action::Open, key: "/" };
        if create == Create::Yes {
            folder::make(path).map_err(|e| site.io(&e))?;
        }
        let root = path.canonicalize().map_err(|e| {
            if e.kind() == ErrorKind::NotFound { site.gone("no such folder") } else { site.io(&e) }
        })?;
        let folder = Folder { root, remote: Arc::clone(&label) };
        folder.present(site)?;
        let store = LocalFileSystem::new_with_prefix(&folder.root)
            .map_err(|e| site.store(&e))?
            .with_automatic_cleanup(false)
            .with_fsync(!planted::is("no-fsync"));
        let inner = Inner::new(Arc::new(store), label, Some(folder), limits);
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Takes storage that the caller opened; `label` is how messages call it.
    pub fn over(store: Arc<dyn ObjectStore>, label: &str) -> Self {
        Self { inner: Arc::new(Inner::new(store, label.into(), None, Limits::default())) }
    }

    /// Makes the folder behind `ssh` that the remote is; of any other service nothing is asked. Nobody
    /// else makes it: where it is missing later, a disk may not be mounted.
    pub fn make_behind_ssh(&self) -> Result<(), RemoteError> {
        #[cfg(feature = "sftp")]
        if let Some(folder) = &self.inner.behind_ssh {
            let site = self.inner.site(Action::Open, "/");
            return folder.make().map_err(|e| site.store(&e));
        }
        Ok(())
    }

    /// Returns the address as it may be shown: without secrets.
    pub fn label(&self) -> &str {
        &self.inner.label
    }

    /// Returns what went over the line since the remote was opened.
    pub fn counts(&self) -> Counts {
        self.inner.counts.now()
    }
}

impl Limits {
    /// So few requests at once that at this rate none of them is so slow that a server gives it up.
    #[cfg(feature = "network")]
    fn gentle_jobs(&self) -> usize {
        let share = self.rate.map_or(u64::MAX, |rate| rate / SHARE);
        self.jobs.min(usize::try_from(share).unwrap_or(usize::MAX)).max(1)
    }
}

impl Inner {
    fn new(
        store: Arc<dyn ObjectStore>,
        label: Arc<str>,
        folder: Option<Folder>,
        limits: Limits,
    ) -> Self {
        let (counts, pace) = (Counters::default(), Arc::new(Pace::new(limits.rate)));
        let shown = Arc::clone(&label);
        let stop = if folder.is_some() { StopFlag::default() } else { limits.stop };
        Self {
            store,
            label,
            shown,
            folder,
            #[cfg(feature = "sftp")]
            behind_ssh: None,
            parts: Parts::Taken,
            counts,
            pace,
            stop,
        }
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remote({})", self.inner.label)
    }
}
