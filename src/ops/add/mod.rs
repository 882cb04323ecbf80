//! `haul add`: files and directories into packs, their pointers into Git.
//!
//! Order of what becomes durable: packs, index, pointer, ignore line, Git's index; so an
//! interruption never leaves a pointer without its content, and `add` again completes the rest.

mod alike;
mod build;
mod contents;
mod find;
mod formers;
mod ignore;
mod loose;
mod old_files;
mod part;
mod previous;
mod publish;
mod recall;
mod resolve;
mod run;
mod sources;
mod stream;
mod touched;
mod unmerged;
mod update;
mod worth;

pub(crate) use ignore::ignore_lines;
pub(crate) use loose::take_loose;
pub(crate) use resolve::{check_filtered, check_name};
pub(crate) use run::store_again;
pub use run::{AddOptions, AddPlan, AddReport, AddedTarget, PlannedTarget, plan, run};
pub use stream::{AddedAndPushed, run_and_push};
