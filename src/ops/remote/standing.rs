//! What lies at the address of a remote, as `haul remote test` and `haul doctor` say it.

use crate::ops::error::OpError;
use crate::ops::remote::probe::{Outcome, Probe};
use crate::repo::Repo;
use crate::transfer::{Glance, TransferError};

/// What lies there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// What haul pushed.
    Ours,
    /// Nothing yet.
    New,
    /// What haul pushed, without the `format` that says so: the next push writes it.
    Nameless,
    /// Another thing than a push would write to.
    Barred,
}

impl Standing {
    /// Says whether a push would write there.
    pub(super) fn may_write(self) -> bool {
        self != Self::Barred
    }
}

impl Probe {
    /// Asks for the catalogue and for `format`, as every command does first.
    pub(super) fn stand(&mut self, repo: &Repo) -> Result<(Standing, Glance), OpError> {
        let glance = Glance::take(&self.remote)?;
        let format = match glance.format(&self.remote, repo.layout()) {
            Err(e) if !is_finding(&e) => return Err(e.into()),
            format => format,
        };
        let standing = match &format {
            Ok(Some(_)) => Standing::Ours,
            Ok(None) => Standing::New,
            Err(TransferError::NoFormat { .. }) => Standing::Nameless,
            Err(_) => Standing::Barred,
        };
        self.reach(&glance, standing);
        let what = "identity";
        match format {
            Ok(Some(format)) => {
                self.note(what, Outcome::Works, format!("it is the haul remote {}", format.id));
            }
            Ok(None) => self.note(what, Outcome::Works, "nothing was pushed to it yet"),
            Err(e) => self.failed(what, &e),
        }
        Ok((standing, glance))
    }

    fn reach(&mut self, glance: &Glance, standing: Standing) {
        let what = "reach";
        if let Some(refused) = &glance.refused {
            self.note(what, Outcome::Lacks, refused.to_string());
            self.follows("nothing can be pushed to it, and it is read by its `index` object");
            return;
        }
        let says = format!("it answers, and lists {} catalogue objects", glance.objects.len());
        if glance.packs == 0 {
            return self.note(what, Outcome::Works, says);
        }
        self.note(what, Outcome::Fails, format!("{says} beside {} packs", glance.packs));
        let why = "its listing is wrong, its catalogue was lost, or the first push never ended";
        let next = ": run `haul push` in a clone that has the data";
        self.follows(format!("{why}{}", if standing.may_write() { next } else { "" }));
    }
}

/// Says whether it is about what lies there, and neither about the way there nor about this machine.
fn is_finding(error: &TransferError) -> bool {
    error.is_of_one_remote() && !matches!(error, TransferError::Remote(_))
}
