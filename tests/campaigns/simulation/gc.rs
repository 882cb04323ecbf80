//! Gc, in the order of steps in which `haul gc --yes` takes them.

use std::sync::atomic::AtomicBool;

use haul::cache::Index;
use haul::catalogue::Name;
use haul::progress::{Job, Silent};
use haul::transfer::gc::{
    Survey, Written, begin, mentioned, now, pending, remove, repack, survey, survey_now, undo,
    write_baseline,
};
use haul::transfer::{Contact, Home, Purpose, TransferError, Wanted};

use super::client::Client;
use crate::faulty::Chance;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// How gc is run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gc {
    grace_ms: u64,
    repacks: bool,
    undoes: bool,
}

impl Gc {
    pub(super) fn draw(chance: &mut Chance) -> Self {
        Self {
            grace_ms: if chance.below(2) == 0 { 0 } else { DAY_MS },
            repacks: chance.below(3) == 0,
            undoes: chance.below(12) == 0,
        }
    }
}

/// Takes the next step of gc; returns what it was.
pub(super) fn gc(client: &Client, how: Gc) -> Result<&'static str, TransferError> {
    let stop = AtomicBool::new(false);
    let job = Job::new(&Silent, &stop);
    let index = Index::open(&client.layout)?;
    let here = (&client.layout, &index);
    let contact = Contact::make(client.remote(), here, 1, Purpose::Gc, &job)?;
    if how.undoes {
        undo(&contact, client.repo().0, &job)?;
        return Ok("undone");
    }
    mentioned(&contact)?;
    let now_ms = now(&contact)?;
    let mut run = Run { client, how, contact, now_ms, job };
    let wanted = run.roots()?;
    if let Some(removal) = pending(&wanted, &run.contact, now_ms, &job)?
        && (!removal.packs.is_empty() || !removal.objects.is_empty())
    {
        let due_ms = removal.written_ms.saturating_add(how.grace_ms);
        if due_ms > now_ms && !removal.packs.is_empty() {
            return Ok("waits");
        }
        return run.remove(removal.baseline);
    }
    let found = survey(&wanted, &run.contact, now_ms, &job)?;
    let (packs, _) = found.sparse(now_ms);
    if how.repacks && !packs.is_empty() {
        let by = (client.repo(), Home::Yes);
        let wanted = run.roots()?;
        repack((&found, packs), &wanted, by, &mut run.contact, &job)?;
        let wanted = run.roots()?;
        let found = survey(&wanted, &run.contact, now_ms, &job)?;
        run.condemn(&found)?;
        return Ok("repacked");
    }
    let raced = run.contact.synced().view.newest_baselines().len() > 1;
    if found.victims.is_empty() && !raced {
        return Ok("nothing to do");
    }
    run.condemn(&found)
}

struct Run<'c> {
    client: &'c Client,
    how: Gc,
    contact: Contact<'c>,
    now_ms: u64,
    job: Job<'c>,
}

impl Run<'_> {
    fn roots(&self) -> Result<Vec<Wanted>, TransferError> {
        let refs = self.client.refs()?;
        Ok(refs.into_iter().map(|(_, version)| version.wanted.clone()).collect())
    }

    fn condemn(&mut self, planned: &Survey) -> Result<&'static str, TransferError> {
        let written = if planned.held_back { self.write_two()? } else { self.write(planned)? };
        match written {
            Written::Raced(_) => Ok("raced"),
            Written::Alone(name) if self.how.grace_ms == 0 => self.remove(name),
            Written::Alone(_) => Ok("condemned"),
        }
    }

    fn write(&mut self, found: &Survey) -> Result<Written, TransferError> {
        let by = (self.client.repo().0, self.now_ms);
        write_baseline(found, &mut self.contact, by, &self.job)
    }

    fn write_two(&mut self) -> Result<Written, TransferError> {
        let first = survey_now(&self.roots()?, &self.contact, self.now_ms, &self.job)?;
        let written = self.write(&first)?;
        if matches!(written, Written::Raced(_)) {
            return Ok(written);
        }
        let second = survey_now(&self.roots()?, &self.contact, self.now_ms, &self.job)?;
        self.write(&second)
    }

    /// Reads again what counts, and removes what the baseline condemns and still nobody needs.
    fn remove(&mut self, baseline: Name) -> Result<&'static str, TransferError> {
        let lease = begin(&mut self.contact, &self.job)?;
        let wanted = self.roots()?;
        self.now_ms = now(&self.contact)?;
        let removal = pending(&wanted, &self.contact, self.now_ms, &self.job)?;
        let Some(removal) = removal.filter(|removal| removal.baseline == baseline) else {
            lease.end(&self.contact, self.now_ms, &self.job)?;
            return Ok("raced");
        };
        remove(&removal, &self.contact, self.client.repo().0, &self.job)?;
        lease.end(&self.contact, self.now_ms, &self.job)?;
        Ok("removed")
    }
}
