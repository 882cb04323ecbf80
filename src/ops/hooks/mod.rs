//! `haul hooks`: which Git hooks call haul, and getting them to.

mod advice;
mod verbs;

pub use verbs::{HookRow, HooksReport, install, plan_install, plan_uninstall, status, uninstall};
