//! Removing from a remote what nobody needs, by the protocol of `docs/format/protocol.md`: what is
//! alive, which packs are not, the baseline that condemns them, their removal after a while, and the
//! way back until then.

mod baseline;
mod books;
mod clock;
mod closure;
mod lease;
mod proof;
mod remove;
mod repack;
mod revive;
mod stock;
mod survey;

pub(super) use baseline::loc;
pub(super) use books::{Books, Cover};
pub(super) use closure::close;
pub(super) use stock::{Stock, Stored};
pub(super) use survey::{of_records, unreadable};

pub use baseline::{Written, write_baseline};
pub use books::{RepoMention, mentioned};
pub use clock::{OLD_MS, now};
pub use lease::{Lease, begin};
pub use remove::{Removal, Removed, pending, remove, remove_leftovers};
pub use repack::repack;
pub use revive::{Revived, undo};
pub use survey::{Reason, Survey, Victim, survey, survey_now};
