//! What gc would do.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::git::Retention;
use crate::hash::{PackId, RepoId};
use crate::ops::error::OpError;
use crate::ops::gc::report::{GcReport, GcState, RepoRow};
use crate::ops::gc::repositories::{Given, open_all};
use crate::ops::gc::roots::roots;
use crate::ops::open::choose;
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::gc::{Removal, RepoMention, Survey, mentioned, now, pending, survey};
use crate::transfer::{Contact, Purpose, Wanted};

/// What to keep, and whom to ask.
#[derive(Clone, Debug, Default)]
pub struct GcOptions {
    /// The other repositories that keep data on the remote: folders or URLs.
    pub repos: Vec<String>,
    /// Registered repositories that do not exist any more: nothing is kept for their sake.
    pub gone: Vec<RepoId>,
    /// Which commits count.
    pub retention: Retention,
    /// Whether what is needed of packs that are mostly dead is moved.
    pub repack: Repack,
    /// How long packs stay after they were condemned.
    pub grace: Duration,
    /// The remote; the default one if absent.
    pub remote: Option<String>,
    /// Transfers at once.
    pub jobs: Option<usize>,
}

/// Whether packs of which little is needed are replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repack {
    /// They stay as they are.
    #[default]
    No,
    /// What is needed of them is fetched and sent in new packs.
    Yes,
}

/// What gc would do next.
pub struct GcPlan<'r> {
    /// What it found.
    pub report: GcReport,
    pub(super) options: GcOptions,
    pub(super) contact: Contact<'r>,
    pub(super) now_ms: u64,
    pub(super) next: Next,
}

/// The next step of the protocol.
pub(super) enum Next {
    /// None.
    Nothing,
    /// Replacing packs of which little is needed, then condemning.
    Repack(Box<Survey>, BTreeSet<PackId>),
    /// Condemning.
    Condemn(Box<Survey>),
    /// Removing what a baseline condemned.
    Remove(Box<Removal>),
}

/// Reads everything that counts, and finds what could be condemned or removed. Writes nothing but the
/// object by which the storage tells its time.
pub fn plan<'r>(repo: &'r Repo, options: &GcOptions, job: &Job) -> Result<GcPlan<'r>, OpError> {
    let target = choose(repo, options.remote.as_deref(), options.jobs)?;
    let parts = (repo.layout(), repo.index()?);
    let contact = Contact::make(target.open()?, parts, target.jobs, Purpose::Gc, job)?;
    let mut report = GcReport::new(target.name);
    let given = open_all(repo, &options.repos, &options.retention)?;
    report.repositories = everybody(&mentioned(&contact)?, &given, &options.gone);
    let options = options.clone();
    if report.repositories.iter().any(|row| !row.given) {
        report.state = GcState::Blocked;
        let next = Next::Nothing;
        return Ok(GcPlan { report, options, contact, now_ms: 0, next });
    }
    let now_ms = now(&contact)?;
    let wanted = roots(&given, &options.retention, job)?;
    report.roots = wanted.len() as u64;
    let next = next(&wanted, &contact, (&options, now_ms), &mut report, job)?;
    report.requests = contact.remote().counts().into();
    Ok(GcPlan { report, options, contact, now_ms, next })
}

fn everybody(mentions: &[RepoMention], given: &[Given], gone: &[RepoId]) -> Vec<RepoRow> {
    let row = |mention: &RepoMention| RepoRow {
        id: mention.id.to_string(),
        url: mention.url.clone(),
        given: gone.contains(&mention.id) || given.iter().any(|one| one.is(mention)),
    };
    mentions.iter().map(row).collect()
}

fn next(
    wanted: &[Wanted],
    contact: &Contact,
    (options, now_ms): (&GcOptions, u64),
    report: &mut GcReport,
    job: &Job,
) -> Result<Next, OpError> {
    if let Some(removal) = pending(wanted, contact, now_ms, job)?
        && (!removal.packs.is_empty() || !removal.objects.is_empty())
    {
        report.take(&removal.survey, &removal.packs);
        report.baseline = Some(removal.baseline.to_string());
        let due_ms = removal.written_ms.saturating_add(millis(options.grace));
        if due_ms > now_ms && !removal.packs.is_empty() {
            report.state = GcState::Waiting;
            report.remove_after_ms = Some(due_ms);
            return Ok(Next::Nothing);
        }
        report.state = GcState::Due;
        return Ok(Next::Remove(Box::new(removal)));
    }
    let survey = survey(wanted, contact, now_ms, job)?;
    report.take(&survey, &survey.victims);
    let (packs, bytes) = survey.sparse(now_ms);
    (report.sparse_packs, report.sparse_bytes) = (packs.len() as u64, bytes);
    if options.repack == Repack::Yes && !packs.is_empty() {
        report.state = GcState::Plan;
        return Ok(Next::Repack(Box::new(survey), packs));
    }
    // Of two baselines that raced, only what both say counts: a third takes their place.
    let raced = contact.synced().view.newest_baselines().len() > 1;
    if survey.victims.is_empty() && !raced {
        return Ok(Next::Nothing);
    }
    report.state = GcState::Plan;
    Ok(Next::Condemn(Box::new(survey)))
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
