//! The list of what was tried.

use std::error::Error;

use crate::hint::Hint;
use crate::ops::remote::{Check, Outcome};

/// What was tried so far, in order.
#[derive(Default)]
pub(super) struct Notes(pub(super) Vec<Check>);

impl Notes {
    pub(super) fn works(&mut self, what: &'static str, says: impl Into<String>) {
        self.0.push(Check { what, outcome: Outcome::Works, says: says.into(), follows: None });
    }

    /// Notes what haul does without, or what the user may want to know.
    pub(super) fn lacks(
        &mut self,
        what: &'static str,
        says: impl Into<String>,
        follows: impl Into<String>,
    ) {
        let (says, follows) = (says.into(), Some(follows.into()));
        self.0.push(Check { what, outcome: Outcome::Lacks, says, follows });
    }

    pub(super) fn fails(
        &mut self,
        what: &'static str,
        says: impl Into<String>,
        follows: impl Into<String>,
    ) {
        let (says, follows) = (says.into(), Some(follows.into()));
        self.0.push(Check { what, outcome: Outcome::Fails, says, follows });
    }

    /// Notes an error as a failure, with what to do next.
    pub(super) fn failed<E: Error + Hint>(&mut self, what: &'static str, error: &E) {
        let (says, follows) = (error.to_string(), error.hint());
        self.0.push(Check { what, outcome: Outcome::Fails, says, follows });
    }
}
