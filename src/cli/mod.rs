//! The command line: flags in, text or JSON out. Knows the verbs' public interface and nothing below
//! it; the only place that prints.

mod args;
mod command;
mod complete;
mod demo;
mod exit;
mod failure;
mod process;
mod reference;
mod render;
mod run;
mod session;
mod version;

pub use reference::{cli_reference, config_reference, exit_code_reference};
pub use run::main;
