//! Where absent content comes from: the remote that is meant, and where that cannot serve, the others.

use std::collections::VecDeque;

use crate::cache::ObjectReader;
use crate::hash::{Digest, Key};
use crate::ops::error::OpError;
use crate::ops::open::{Chosen, choose};
use crate::ops::trees::Source;
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{Contact, Purpose, TransferError, Wanted, is_local};

/// Remotes in the order in which they are asked, with one of them in contact.
pub(crate) struct Supply<'r> {
    repo: &'r Repo,
    /// Those that were not asked yet.
    left: VecDeque<Chosen>,
    current: Option<(String, Contact<'r>)>,
}

/// Says why another remote is asked.
pub(crate) fn turn_to(remote: &str, why: &str, job: &Job) {
    job.warn(&format!("{why}; asking remote `{remote}` instead"));
}

impl<'r> Supply<'r> {
    /// Begins with the remote that `source` names, and asks no other; without a name with the default
    /// one, after which come all others that the user accepted.
    pub(crate) fn of(repo: &'r Repo, source: &Source) -> Result<Self, OpError> {
        let first = choose(repo, source.remote.as_deref(), source.jobs)?;
        let mut left = VecDeque::from([first]);
        if source.remote.is_none() {
            let names = repo.config().remotes.keys().map(String::as_str);
            let default = repo.config().default_remote();
            for name in names.filter(|name| Some(*name) != default) {
                // What is not accepted, or has settings that cannot be followed, is nobody to turn to.
                left.extend(choose(repo, Some(name), source.jobs));
            }
        }
        Ok(Self { repo, left, current: None })
    }

    /// Says whether there is a remote to turn to if the one at hand cannot serve.
    pub(crate) fn has_others(&self) -> bool {
        !self.left.is_empty()
    }

    /// Does `work` with the remote at hand, or with the next that can. A new contact asks nothing if
    /// `roots` are named and known; its catalogue is listed if none are.
    pub(crate) fn serve<T>(
        &mut self,
        roots: &[Key],
        job: &Job,
        mut work: impl FnMut(&mut Contact<'r>) -> Result<T, OpError>,
    ) -> Result<T, OpError> {
        match self.attempt(roots, job, &mut work) {
            Err(error) => self.instead(error, roots, job, work),
            done => done,
        }
    }

    /// Does `work` with another remote after it failed with one; where no other can serve, or none
    /// would do better, the failure stays what it was.
    pub(crate) fn instead<T>(
        &mut self,
        error: OpError,
        roots: &[Key],
        job: &Job,
        mut work: impl FnMut(&mut Contact<'r>) -> Result<T, OpError>,
    ) -> Result<T, OpError> {
        let mut why = error.to_string();
        let mut elsewhere = error.is_of_one_remote();
        while elsewhere && let Some(next) = self.left.front() {
            turn_to(&next.name, &why, job);
            self.current = None;
            match self.attempt(roots, job, &mut work) {
                Err(e) if e.is_of_one_remote() => (why, elsewhere) = (e.to_string(), true),
                done => return done,
            }
        }
        Err(error)
    }

    fn attempt<T>(
        &mut self,
        roots: &[Key],
        job: &Job,
        work: &mut impl FnMut(&mut Contact<'r>) -> Result<T, OpError>,
    ) -> Result<T, OpError> {
        if self.current.is_none() {
            let Some(target) = self.left.pop_front() else {
                return Err(OpError::Defect("no remote is left to ask".to_owned()));
            };
            let parts = (self.repo.layout(), self.repo.index()?);
            let (remote, jobs) = (target.open()?, target.jobs);
            let contact = match roots {
                [] => Contact::make(remote, parts, jobs, Purpose::Read, job)?,
                roots => Contact::make_for(roots, remote, parts, jobs, job)?,
            };
            self.current = Some((target.name, contact));
        }
        match &mut self.current {
            Some((_, contact)) => work(contact),
            None => Err(OpError::Defect("no remote is at hand".to_owned())),
        }
    }

    /// Returns the remote at hand, if one was asked.
    pub(crate) fn at_hand(&self) -> Option<(&str, &Contact<'r>)> {
        self.current.as_ref().map(|(name, contact)| (name.as_str(), contact))
    }

    /// Hands out the remote at hand; the next work begins with another one.
    pub(crate) fn take(&mut self) -> Option<(String, Contact<'r>)> {
        self.current.take()
    }
}

/// Lists the roots of what is wanted.
pub(crate) fn roots(wanted: &[Wanted]) -> Vec<Key> {
    wanted.iter().filter_map(|w| w.root.key()).collect()
}

/// Parts what comes from this remote from what it does not list and another one may.
pub(crate) fn split(
    repo: &Repo,
    wanted: &[Wanted],
    contact: &Contact,
    job: &Job,
) -> Result<(Vec<Wanted>, Vec<Wanted>), OpError> {
    let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
    let (mut own, mut rest) = (Vec::new(), Vec::new());
    for item in wanted {
        let listed = contact.lists(&item.root);
        let mut here = || is_local(std::slice::from_ref(item), &mut reader, job);
        if listed || here()?.is_some() { &mut own } else { &mut rest }.push(item.clone());
    }
    Ok((own, rest))
}

/// What is here or on a remote, and what is not, with the reason.
pub(crate) type Parted = (Vec<Wanted>, Vec<(Vec<u8>, OpError)>);

/// Parts what is here or listed by a remote from what nobody has, for all of it at once.
pub(crate) fn part(repo: &Repo, wanted: Vec<Wanted>, job: &Job) -> Result<Parted, OpError> {
    let mut supply = Supply::of(repo, &Source::default())?;
    let (mut known, mut left, mut asked) = (Vec::new(), wanted, None);
    while asked.is_none() || (!left.is_empty() && supply.has_others()) {
        let parted = supply.serve(&roots(&left), job, |contact| {
            Ok((split(repo, &left, contact, job)?, contact.label().to_owned()))
        });
        supply.take();
        match parted {
            Ok(((own, rest), label)) => {
                known.extend(own);
                left = rest;
                asked.get_or_insert(label);
            }
            Err(e) if asked.is_none() => return Err(e),
            // The first has said what it lacks.
            Err(_) => break,
        }
    }
    let remote = asked.unwrap_or_default();
    let absent = left.into_iter().filter_map(|Wanted { path, root, .. }| {
        let root = Digest(root.id()?);
        let why = TransferError::NobodyPushed { path: path.clone(), root, remote: remote.clone() };
        Some((path, why.into()))
    });
    Ok((known, absent.collect()))
}
