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
    /// As that, each root at a place of its own, and no other way where that does not lead on.
    At(&'c Contact<'c>, &'c [Spot]),
}

impl<'c> Sight<'c> {
    pub(super) fn contact(self) -> Option<&'c Contact<'c>> {
        match self {
            Self::Local => None,
            Self::Content(contact)
            | Self::Own(contact)
            | Self::Theirs(contact)
            | Self::At(contact, _) => Some(contact),
        }
    }

    /// Where the walk below a root begins, by its number, if this machine is not to say so.
    pub(super) fn root(self, wanted: usize, key: Key) -> Option<Spot> {
        match self {
            Self::Local | Self::Own(_) => None,
            Self::Content(contact) | Self::Theirs(contact) => contact.locate(key),
            Self::At(_, spots) => spots.get(wanted).copied(),
        }
    }

    /// Whether what is not at its place may be looked for elsewhere, as readers do. What is about to
    /// be pushed has to be where it says.
    pub(super) fn detours(self) -> bool {
        match self {
            Self::Content(_) | Self::Theirs(_) => true,
            Self::Local | Self::Own(_) | Self::At(..) => false,
        }
    }

    pub(super) fn any_copy(self) -> bool {
        match self {
            Self::Local | Self::Content(_) => true,
            Self::Own(_) | Self::Theirs(_) | Self::At(..) => false,
        }
    }
}
