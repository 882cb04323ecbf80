//! Eight processes at a time on one repository, its clones and one shared cache: whatever gets in
//! whose way, nothing hangs, and every pointer that was published can be restored.

mod inside;
mod run;

pub(crate) use run::run;
