//! From a verb's flags to its options, and from its report to an answer. One file per verb.

mod add;
mod ask;
mod checkout;
mod demo;
mod dispatch;
mod du;
mod evict;
mod fetch;
mod fsck;
mod gc;
mod hook;
mod hooks;
mod init;
mod merge;
mod pull;
mod push;
mod remote;
mod select;
mod status;
mod uninstall;
mod verify;

pub(crate) use dispatch::run;
