//! `haul filter-process`: what Git asks about files with the attribute `filter=haul` (ADR 0020).
//!
//! Git runs it for as long as its own command lasts. In between requests it holds neither the index
//! nor a lock: the command may wait for a hook that wants them.

mod clean;
mod cut;
mod pass;
mod regain;
mod serve;
mod smudge;
mod spool;

pub(crate) use regain::{find_again, regain, unknown};
pub use serve::{FilterOptions, Smudged, Taking, run};
pub(crate) use spool::{adopt, waiting};
