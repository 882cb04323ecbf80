//! From a verb's flags to its options, and from its report to an answer. One file per verb.

mod add;
mod ask;
mod cat;
mod check_ignore;
mod checkout;
mod completions;
mod config;
mod demo;
mod diff;
mod dispatch;
mod doctor;
mod du;
mod evict;
mod export;
mod fetch;
mod fsck;
mod gc;
mod hook;
mod hooks;
mod init;
mod log;
mod ls;
mod man;
mod merge;
mod mv;
mod pull;
mod push;
mod remote;
mod rm;
mod select;
mod status;
mod uninstall;
mod untrack;
mod verify;

pub(crate) use dispatch::run;
