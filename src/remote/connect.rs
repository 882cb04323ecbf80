//! From an address to storage that answers.

use std::fmt;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;

use super::count::{Counters, Counts};
use super::error::{Action, RemoteError};
use super::folder::{self, Folder};
use super::site::Site;
use super::spec::{Place, RemoteSpec};
use super::upload::Parts;
use crate::fs::planted;

/// What to do about a folder that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Create {
    /// Fail: a disk may not be mounted.
    No,
    /// Make it, and the folders above it.
    Yes,
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
    /// The guard of a folder; `None` for storage that has no links.
    pub(super) folder: Option<Folder>,
    /// Whether it takes large objects in parts.
    pub(super) parts: Parts,
    pub(super) counts: Counters,
}

impl Remote {
    /// Opens the remote at `spec`; a folder that does not exist is [`RemoteError::Gone`], and of a
    /// service nothing is asked yet.
    ///
    /// Everything written to a folder is on disk, file and folder entry, before it is acknowledged.
    pub fn open(spec: &RemoteSpec, create: Create) -> Result<Self, RemoteError> {
        let label: Arc<str> = spec.to_string().into();
        match spec.place() {
            Place::Folder(folder) => Self::open_folder(folder, label, create),
            #[cfg(feature = "network")]
            Place::Service(service) => {
                let site = Site { remote: &label, action: Action::Open, key: "/" };
                let store = super::network::open(service).map_err(|e| site.misfit(&e))?;
                let inner = Inner { parts: service.parts(), ..Inner::new(store, label, None) };
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

    fn open_folder(path: &Path, label: Arc<str>, create: Create) -> Result<Self, RemoteError> {
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
        Ok(Self::assemble(Arc::new(store), label, Some(folder)))
    }

    /// Takes storage that the caller opened; `label` is how messages call it.
    pub fn over(store: Arc<dyn ObjectStore>, label: &str) -> Self {
        Self::assemble(store, label.into(), None)
    }

    pub(super) fn assemble(
        store: Arc<dyn ObjectStore>,
        label: Arc<str>,
        folder: Option<Folder>,
    ) -> Self {
        Self { inner: Arc::new(Inner::new(store, label, folder)) }
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

impl Inner {
    fn new(store: Arc<dyn ObjectStore>, label: Arc<str>, folder: Option<Folder>) -> Self {
        Self { store, label, folder, parts: Parts::Taken, counts: Counters::default() }
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remote({})", self.inner.label)
    }
}
