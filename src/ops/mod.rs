//! The verbs, one file or folder each: options in, plan, report out. The public interface.
//!
//! `plan` reads and changes nothing (`--dry-run` shows it), `run` takes the plan by value and acts,
//! and returns figures (`--json` prints them). Nothing here prints, exits or reads the environment.

pub mod add;
mod at;
mod bounds;
pub mod cat;
pub mod check_ignore;
pub mod checkout;
mod chosen;
pub mod ci;
pub mod clone;
pub mod complete;
pub mod config;
pub mod diff;
pub mod doctor;
pub mod du;
mod error;
pub mod evict;
pub mod export;
pub mod fetch;
pub mod filter_process;
mod foreign;
pub mod fsck;
pub mod gc;
pub mod get;
pub mod hook;
pub mod hooks;
mod idle;
pub mod import;
mod in_commit;
pub mod init;
mod inside;
mod linked;
mod listing;
pub mod log;
pub mod ls;
pub mod merge;
pub mod mv;
mod open;
mod provenance;
pub mod pull;
pub mod push;
pub mod remote;
mod requests;
mod retain;
pub mod rm;
mod select;
mod selection;
pub mod status;
mod supply;
pub mod track;
mod tracked;
mod trees;
pub mod uninstall;
pub mod untrack;
pub mod update;
pub mod verify;

pub use error::{Exit, OpError};
pub use foreign::Origin;
pub use requests::{Requests, ToFetch};
pub use select::Select;
pub use trees::{Recall, Source};
