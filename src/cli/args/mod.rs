//! The flags of each verb, as clap reads them. No logic.

mod add;
mod checkout;
mod demo;
mod du;
mod evict;
mod fetch;
mod fsck;
mod gc;
mod globals;
mod hooks;
mod init;
mod pull;
mod push;
mod remote;
mod select;
mod span;
mod status;
mod verify;

pub(crate) use add::AddArgs;
pub(crate) use checkout::CheckoutArgs;
pub(crate) use demo::DemoArgs;
pub(crate) use du::DuArgs;
pub(crate) use evict::EvictArgs;
pub(crate) use fetch::{FetchArgs, TransferArgs};
pub(crate) use fsck::FsckArgs;
pub(crate) use gc::{GcArgs, GcVerb};
pub(crate) use globals::{Cli, Color, Globals, Progress, Verb};
pub(crate) use hooks::{HookArgs, HooksArgs, HooksVerb};
pub(crate) use init::InitArgs;
pub(crate) use pull::PullArgs;
pub(crate) use push::PushArgs;
pub(crate) use remote::{RemoteArgs, RemoteVerb};
pub(crate) use select::SelectArgs;
pub(crate) use status::StatusArgs;
pub(crate) use verify::VerifyArgs;
