//! What a walk over trees may look at.

use crate::hash::Key;
use crate::transfer::catalogue::Contact;
use crate::transfer::walk::Spot;

/// Which copies of a node a walk may read. Copies hold the same node beside different placements,
/// so it matters where the aim is to know which packs a reader needs.
#[derive(Clone, Copy)]
pub(super) enum Sight<'c> {
    /// Any copy on this machine; nobody is asked.
    Local,
    /// Any copy: only the content counts.
    Content(&'c Contact<'c>),
    /// Roots from this machine, and below them the very copies that placements name: what readers
    /// will meet once it is pushed.
    Own(&'c Contact<'c>),
    /// The copies that the catalogue and placements name: what readers meet on the remote.
    Theirs(&'c Contact<'c>),
}

impl<'c> Sight<'c> {
    pub(super) fn contact(self) -> Option<&'c Contact<'c>> {
        match self {
            Self::Local => None,
            Self::Content(contact) | Self::Own(contact) | Self::Theirs(contact) => Some(contact),
        }
    }

    /// Where a walk begins, if the catalogue is to say so.
    pub(super) fn root(self, key: Key) -> Option<Spot> {
        match self {
            Self::Local | Self::Own(_) => None,
            Self::Content(contact) | Self::Theirs(contact) => contact.locate(key),
        }
    }

    /// Whether what is not at its place may be looked for elsewhere, as readers do. What is about to
    /// be pushed has to be where it says.
    pub(super) fn detours(self) -> bool {
        match self {
            Self::Content(_) | Self::Theirs(_) => true,
            Self::Local | Self::Own(_) => false,
        }
    }

    pub(super) fn any_copy(self) -> bool {
        match self {
            Self::Local | Self::Content(_) => true,
            Self::Own(_) | Self::Theirs(_) => false,
        }
    }
}
