//! What was being done when a remote failed, and what the causes of that mean.

use std::error::Error as StdError;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use super::error::{Action, RemoteError};
#[cfg(feature = "network")]
use super::refusal::Refusal;

/// Longest part of an answer that is shown, in characters.
const SHOWN: usize = 400;

/// What was being done, on what: everything an error needs but the reason.
#[derive(Clone, Copy)]
pub(super) struct Site<'a> {
    pub(super) remote: &'a Arc<str>,
    pub(super) action: Action,
    pub(super) key: &'a str,
}

impl Site<'_> {
    pub(super) fn missing(self) -> RemoteError {
        RemoteError::Missing { remote: Arc::clone(self.remote), key: self.key.to_owned() }
    }

    pub(super) fn gone(self, why: impl Into<String>) -> RemoteError {
        RemoteError::Gone { remote: Arc::clone(self.remote), why: why.into() }
    }

    pub(super) fn damaged(self, why: impl Into<String>) -> RemoteError {
        let (remote, key) = (Arc::clone(self.remote), self.key.to_owned());
        RemoteError::Damaged { remote, key, why: why.into() }
    }

    pub(super) fn unreachable(self, why: impl Into<String>) -> RemoteError {
        let (remote, action, key) = (Arc::clone(self.remote), self.action, self.key.to_owned());
        RemoteError::Unreachable { remote, action, key, why: why.into() }
    }

    /// Sorts an error of the file system by what the user can do.
    pub(super) fn io(self, error: &io::Error) -> RemoteError {
        let (remote, action, key) = (Arc::clone(self.remote), self.action, self.key.to_owned());
        let (kind, why) = (error.kind(), error.to_string());
        if matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
            RemoteError::Full { remote, key, why }
        } else if matches!(kind, ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) {
            RemoteError::Denied { remote, action, key, why }
        } else if kind == ErrorKind::Unsupported {
            RemoteError::Unsupported { remote, action, key, why }
        } else {
            RemoteError::Unreachable { remote, action, key, why }
        }
    }

    /// Sorts an error of the storage library by what the user can do.
    pub(super) fn store(self, error: &object_store::Error) -> RemoteError {
        use object_store::Error as E;
        #[cfg(feature = "network")]
        if let Some(refusal) = Refusal::of(error) {
            return refusal.at(self);
        }
        let (remote, action, key) = (Arc::clone(self.remote), self.action, self.key.to_owned());
        if matches!(error, E::NotFound { .. }) {
            return self.missing();
        }
        if matches!(error, E::AlreadyExists { .. } | E::Precondition { .. }) {
            return RemoteError::Conflict { remote, key };
        }
        let (innermost, io_error) = causes(error);
        let why = shown(&innermost.to_string());
        if matches!(error, E::PermissionDenied { .. } | E::Unauthenticated { .. }) {
            return RemoteError::Denied { remote, action, key, why };
        }
        if matches!(error, E::NotImplemented { .. } | E::NotSupported { .. }) {
            return RemoteError::Unsupported { remote, action, key, why };
        }
        #[cfg(feature = "network")]
        if let Some(refusal) = Refusal::by_words(&why) {
            return refusal.at(self);
        }
        match io_error {
            Some(error) => self.io(error),
            None => RemoteError::Unreachable { remote, action, key, why },
        }
    }
}

/// Makes what a server or a library said fit to be shown: one line, not long.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Finds the innermost cause and, anywhere in the chain, what the file system said.
fn causes(error: &object_store::Error) -> (&dyn StdError, Option<&io::Error>) {
    let mut innermost: &dyn StdError = error;
    let mut found = None;
    // A chain is a few links long; the bound only keeps a faulty library from hanging us.
    for _ in 0..32 {
        found = innermost.downcast_ref::<io::Error>().or(found);
        match innermost.source() {
            Some(next) => innermost = next,
            None => break,
        }
    }
    (innermost, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(kind: ErrorKind) -> RemoteError {
        let remote: Arc<str> = "/data".into();
        let wrapped = io::Error::from(kind);
        let error = object_store::Error::Generic { store: "test", source: Box::new(wrapped) };
        Site { remote: &remote, action: Action::Write, key: "p/a" }.store(&error)
    }

    #[test]
    fn what_the_file_system_said_is_found_below_the_library_error() {
        assert!(matches!(sorted(ErrorKind::StorageFull), RemoteError::Full { .. }));
        assert!(matches!(sorted(ErrorKind::QuotaExceeded), RemoteError::Full { .. }));
        assert!(matches!(sorted(ErrorKind::PermissionDenied), RemoteError::Denied { .. }));
        assert!(matches!(sorted(ErrorKind::ReadOnlyFilesystem), RemoteError::Denied { .. }));
        assert!(matches!(sorted(ErrorKind::Unsupported), RemoteError::Unsupported { .. }));
        assert!(matches!(sorted(ErrorKind::TimedOut), RemoteError::Unreachable { .. }));
    }

    #[test]
    fn messages_name_remote_and_key() {
        for kind in [ErrorKind::StorageFull, ErrorKind::PermissionDenied, ErrorKind::TimedOut] {
            let text = sorted(kind).to_string();
            assert!(text.contains("`/data`") && text.contains("`p/a`"), "{text}");
        }
    }
}
