//! `haul demo`: made-up data through the real commands, each checked. Spawns this program and `git`,
//! so that what it shows is what a user gets; knows no part of the library that does the work.

mod content;
mod error;
mod images;
mod model;
mod random;
mod report;
mod script;
mod shell;
mod table;

pub(crate) use error::DemoError;
pub(crate) use script::{Options, run};
