//! Looking, naming, healing, telling.

use crate::ops::error::{Exit, OpError};
use crate::ops::fsck::finding::{Finding, Side, What, damage_of};
use crate::ops::fsck::names::{Pointers, name};
use crate::ops::fsck::options::{Depth, FsckOptions, Repair, Sampler, Sides};
use crate::ops::fsck::report::{FsckReport, State};
use crate::ops::fsck::sources::Sources;
use crate::ops::fsck::{local, remote, repair, resend, whole, worktree};
use crate::ops::open::choose;
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{Audit, Contact, Wanted, survey_here, survey_there};

/// Looks at what the options ask for; heals it if they ask for that.
pub fn run(repo: &Repo, options: &FsckOptions, job: &Job) -> Result<FsckReport, OpError> {
    let _working = repo.lock_for_work()?;
    let sampler = Sampler::new(options.depth);
    let pointers = Pointers::collect(repo, job)?;
    let mut report = FsckReport {
        depth: match options.depth {
            Depth::Quick => "quick",
            Depth::Sample(_) => "sample",
            Depth::Full => "full",
        },
        pointers: pointers.list.len() as u64,
        ..FsckReport::default()
    };
    let mut findings = Vec::new();
    if options.sides.here() {
        (findings, report.here) = local::look(repo, sampler, job)?;
        if options.depth == Depth::Full {
            findings.extend(worktree::look(repo, job)?);
            findings.extend(whole::look(repo, job)?);
        }
        let damage = damage_of(&findings, Side::Local);
        if !damage.is_empty() {
            let parts = (repo.layout(), repo.index()?);
            let affected = survey_here(&pointers.wanted, parts, &damage, job)?;
            name(repo, Side::Local, &pointers, affected, &mut findings)?;
        }
    }
    let there = match there(repo, options, (sampler, &pointers), &mut findings, job) {
        Ok(there) => there,
        Err(e) if e.exit() == Exit::Remote => {
            report.unreachable = unreachable(&e);
            None
        }
        Err(e) => return Err(e),
    };
    if let Some(there) = &there {
        (report.remote, report.there) = (there.name.clone(), there.tally);
    }
    let audit = there.as_ref().map(|there| (there.name.as_str(), &there.audit));
    let sources = Sources { repo, pointers: &pointers, audit, jobs: options.jobs, job };
    if !findings.is_empty() {
        sources.find(&mut findings)?;
    }
    if options.repair == Repair::Yes && !findings.is_empty() {
        heal(&sources, &mut findings)?;
    }
    if let Some(there) = &there {
        settle_unneeded(&mut findings, there.audit.shared);
        report.requests = there.audit.contact.remote().counts().into();
    }
    report.tell(findings);
    Ok(report)
}

fn unreachable(error: &OpError) -> String {
    use crate::hint::Hint;
    let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("{error}{hint}")
}

/// A remote that was looked at.
struct There<'t> {
    name: String,
    audit: Audit<'t>,
    tally: crate::ops::fsck::report::TallyRow,
}

/// Looks at the remote; nothing if none is asked for, or none is set up and none was named.
fn there<'r>(
    repo: &'r Repo,
    options: &FsckOptions,
    (sampler, pointers): (Sampler, &Pointers),
    findings: &mut Vec<Finding>,
    job: &Job,
) -> Result<Option<There<'r>>, OpError> {
    let none = options.sides == Sides::Both
        && options.remote.is_none()
        && repo.config().remotes.is_empty();
    if !options.sides.there() || none {
        return Ok(None);
    }
    let target = choose(repo, options.remote.as_deref(), options.jobs)?;
    let parts = (repo.layout(), repo.index()?);
    let audit = Audit::make(target.open()?, parts, target.jobs, job)?;
    let (found, tally) = remote::look(repo, &audit, sampler, job)?;
    findings.extend(found);
    let is_home = repo.config().default_remote() == Some(target.name.as_str());
    remote::unlisted(repo, &audit, pointers, (findings, is_home), job)?;
    let damage = damage_of(findings, Side::Remote);
    // A quick look asks for nodes only if it has found something.
    if options.depth != Depth::Quick || !damage.is_empty() {
        let place = |at: &(usize, &Wanted)| audit.contact.lists(&at.1.root);
        let listed: Vec<(usize, &Wanted)> =
            pointers.wanted.iter().enumerate().filter(place).collect();
        let wanted: Vec<Wanted> = listed.iter().map(|(_, wanted)| (*wanted).clone()).collect();
        let mut affected = survey_there(&wanted, &audit.contact, &damage, job)?;
        for row in &mut affected {
            row.wanted = listed.get(row.wanted).map_or(row.wanted, |(at, _)| *at);
        }
        name(repo, Side::Remote, pointers, affected, findings)?;
    }
    Ok(Some(There { name: target.name, audit, tally }))
}

/// Heals this machine before the remote, which is healed from it; but without the remote's catalogue
/// nothing can be had from there.
fn heal(sources: &Sources, findings: &mut [Finding]) -> Result<(), OpError> {
    if let Some((_, audit)) = sources.audit {
        resend::put_back(audit, findings)?;
    }
    let (mut others, mut all): (Vec<Contact>, Vec<Contact>) = (Vec::new(), Vec::new());
    others.extend(sources.others().into_iter().map(|(_, contact)| contact));
    if let Some((name, _)) = sources.audit {
        all.extend(sources.contact(name));
    }
    all.extend(sources.others().into_iter().map(|(_, contact)| contact));
    repair::repair(sources, findings, &mut all)?;
    if let Some((name, audit)) = sources.audit {
        resend::cover(sources, audit, findings)?;
        resend::resend(sources, name, findings, &mut others)?;
    }
    Ok(())
}

/// What no pointer needs does no harm here; who else keeps content there may need it.
fn settle_unneeded(findings: &mut [Finding], shared: bool) {
    let harmless = |f: &&mut Finding| {
        let unneeded = match f.what {
            What::Object { counts } => !counts,
            What::Pack { .. } => f.wanted.is_empty(),
            What::Index { .. }
            | What::Stat { .. }
            | What::Copy { .. }
            | What::File { .. }
            | What::Roots
            | What::Refused => false,
        };
        f.side == Side::Remote && f.state == State::Damaged && unneeded
    };
    for finding in findings.iter_mut().filter(harmless) {
        finding.state = State::Unneeded;
        finding.shared = shared;
    }
}
