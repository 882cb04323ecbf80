//! Moving content between the cache and a remote: the push protocol, fetching in waves, proof that
//! a remote is complete (`docs/format/protocol.md`). Knows no worktree and no Git.

mod ahead;
mod audit;
mod bases;
mod catalogue;
mod dedup;
mod detour;
mod error;
mod evict;
mod fetch;
mod filter;
pub mod gc;
mod inspect;
mod land;
mod listing;
mod local;
mod lone;
mod needs;
mod nodes;
mod push;
mod ranges;
mod record;
mod recut;
mod root;
mod sight;
mod survey;
mod upload;
mod verify;
mod walk;
mod wave;
mod weight;

pub use audit::{Audit, BadObject};
pub use bases::Absent;
pub use catalogue::{Contact, Purpose, Synced, remembered};
pub use error::{TransferError, object_hint};
pub use evict::{Kept, chunks_here, prove_there};
pub use fetch::{FetchPlan, Fetched, fetch_data, is_local, plan_fetch};
pub use filter::{Choice, Filter};
pub use inspect::{Here, Seen, There};
pub use listing::write_index;
pub use needs::Avoid;
pub use push::{Home, PushRequest, Pushed, Stage, push};
pub use root::{Root, Wanted};
pub use survey::{Affected, Damage, FileIn, survey_here, survey_there};
pub use verify::{Gap, Proof, verify};
pub use weight::{Weight, weigh};
