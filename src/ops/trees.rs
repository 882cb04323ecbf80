//! Looking into trees: from what is on this machine if that is enough, else in contact with a remote.

use crate::cache::ObjectReader;
use crate::ops::error::OpError;
use crate::ops::open::spec_of;
use crate::ops::requests::Requests;
use crate::ops::supply::Supply;
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{Contact, TransferError};

/// Whether the catalogue of a remote as it was seen last is believed without asking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recall {
    /// It is: whoever is led astray by it lists again.
    #[default]
    Yes,
    /// It is listed now: a plan that nobody acts on finds out nothing later.
    No,
}

/// Which remote absent trees come from, and how.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// The remote; the default one if absent.
    pub remote: Option<String>,
    /// Transfers at once.
    pub jobs: Option<usize>,
    /// What is believed without asking.
    pub recall: Recall,
}

/// What had to be asked for an answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// The remote's name; empty if none was needed.
    pub(crate) remote: String,
    pub(crate) requests: Requests,
}

/// Does `work` with what is on this machine; if that lacks something, once more with the remote.
pub(crate) fn look_into<'r, T>(
    repo: &'r Repo,
    source: &Source,
    mut work: impl FnMut(&mut ObjectReader<'r>, Option<&Contact<'r>>) -> Result<T, OpError>,
    job: &Job,
) -> Result<(T, Asked), OpError> {
    if let Some(name) = &source.remote {
        // A wrong name is an error also where nothing has to be asked.
        spec_of(repo, name)?;
    }
    let parts = (repo.layout(), repo.index()?);
    match work(&mut ObjectReader::new(parts.0, parts.1)?, None) {
        Err(OpError::Transfer(TransferError::NobodyPushed { .. })) => {}
        result => return Ok((result?, Asked::default())),
    }
    let mut supply = Supply::of(repo, source)?;
    let found = supply.serve(&[], job, |contact| {
        work(&mut ObjectReader::new(parts.0, parts.1)?, Some(contact))
    })?;
    let asked = supply.at_hand().map(|(remote, contact)| Asked {
        remote: remote.to_owned(),
        requests: contact.remote().counts().into(),
    });
    Ok((found, asked.unwrap_or_default()))
}
