//! Doing what was planned.

use std::collections::BTreeSet;

use crate::catalogue::Name;
use crate::hash::PackId;
use crate::ops::error::OpError;
use crate::ops::gc::plan::{GcOptions, GcPlan, Next, millis};
use crate::ops::gc::report::{GcReport, GcState};
use crate::ops::gc::repositories::open_all;
use crate::ops::gc::roots::roots;
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::gc::{
    Survey, Written, begin, now, pending, remove, remove_leftovers, repack, survey, survey_now,
    write_baseline,
};
use crate::transfer::{Home, Wanted};

/// Takes the next step: condemns, or removes what was condemned long enough ago. Both at once where
/// there is no time to wait.
pub fn run(repo: &Repo, plan: GcPlan, job: &Job) -> Result<GcReport, OpError> {
    let _working = repo.lock_for_work()?;
    let mut acting = Acting { repo, plan, job };
    match std::mem::replace(&mut acting.plan.next, Next::Nothing) {
        Next::Nothing if acting.plan.report.state == GcState::Nothing => acting.tidy(),
        Next::Nothing => {}
        Next::Remove(removal) => acting.remove(removal.baseline)?,
        Next::Repack(survey, packs) => acting.repack(&survey, packs)?,
        Next::Condemn(survey) => acting.condemn(&survey)?,
    }
    let GcPlan { mut report, contact, .. } = acting.plan;
    report.requests = contact.remote().counts().into();
    Ok(report)
}

struct Acting<'a, 'r> {
    repo: &'a Repo,
    plan: GcPlan<'r>,
    job: &'a Job<'a>,
}

impl Acting<'_, '_> {
    fn condemn(&mut self, planned: &Survey) -> Result<(), OpError> {
        let written = if planned.held_back { self.write_two()? } else { self.write(planned)? };
        match written {
            Written::Raced(name) => self.raced(name),
            Written::Alone(name) if self.plan.options.grace.is_zero() => self.remove(name)?,
            Written::Alone(name) => self.condemned(name),
        }
        Ok(())
    }

    fn write(&mut self, survey: &Survey) -> Result<Written, OpError> {
        let by = (self.repo.identity()?.0, self.plan.now_ms);
        Ok(write_baseline(survey, &mut self.plan.contact, by, self.job)?)
    }

    /// Writes a baseline that does no more than begin a generation, so that the next one may cover what
    /// was pushed in this one. All that counts is read again in between.
    fn write_two(&mut self) -> Result<Written, OpError> {
        let first = self.survey_now()?;
        let written = self.write(&first)?;
        if matches!(written, Written::Raced(_)) {
            return Ok(written);
        }
        let second = self.survey_now()?;
        self.plan.report.take(&second, &second.victims);
        self.write(&second)
    }

    fn survey_now(&self) -> Result<Survey, OpError> {
        let GcPlan { contact, now_ms, .. } = &self.plan;
        Ok(survey_now(&self.roots()?, contact, *now_ms, self.job)?)
    }

    /// Moves what is needed of some packs; then they are condemned with what else nobody needs.
    fn repack(&mut self, before: &Survey, packs: BTreeSet<PackId>) -> Result<(), OpError> {
        let wanted = self.roots()?;
        let GcPlan { report, contact, .. } = &mut self.plan;
        let is_home = self.repo.config().default_remote() == Some(report.remote.as_str());
        let home = if is_home { Home::Yes } else { Home::No };
        let by = (self.repo.identity()?, home);
        let pushed = repack((before, packs), &wanted, by, contact, self.job)?;
        // That may have taken long. What was published meanwhile may be covered by now, so that Git alone
        // names it: refs are read after the listing, always.
        let wanted = self.roots()?;
        let GcPlan { report, contact, now_ms, .. } = &mut self.plan;
        let after = survey(&wanted, contact, *now_ms, self.job)?;
        report.take(&after, &after.victims);
        report.repacked_bytes = pushed.sent_bytes;
        self.condemn(&after)
    }

    fn roots(&self) -> Result<Vec<Wanted>, OpError> {
        let GcOptions { repos, retention, .. } = &self.plan.options;
        roots(&open_all(self.repo, repos, retention)?, retention, self.job)
    }

    fn raced(&mut self, baseline: Name) {
        self.plan.report.state = GcState::Raced;
        self.plan.report.baseline = Some(baseline.to_string());
    }

    fn condemned(&mut self, baseline: Name) {
        let GcPlan { report, options, now_ms, .. } = &mut self.plan;
        report.state = GcState::Condemned;
        report.baseline = Some(baseline.to_string());
        report.remove_after_ms = Some(now_ms.saturating_add(millis(options.grace)));
    }

    /// Reads again what counts, and removes what the baseline condemns and still nobody needs.
    fn remove(&mut self, baseline: Name) -> Result<(), OpError> {
        let lease = begin(&mut self.plan.contact, self.job)?;
        let wanted = self.roots()?;
        let GcPlan { report, contact, now_ms, .. } = &mut self.plan;
        *now_ms = now(contact)?;
        let removal = pending(&wanted, contact, *now_ms, self.job)?;
        let Some(removal) = removal.filter(|removal| removal.baseline == baseline) else {
            lease.end(contact, *now_ms, self.job)?;
            self.raced(baseline);
            return Ok(());
        };
        let by = self.repo.identity()?.0;
        let removed = remove(&removal, contact, by, self.job)?;
        lease.end(contact, *now_ms, self.job)?;
        report.take(&removal.survey, &removal.packs);
        report.count(removed);
        report.state = GcState::Removed;
        report.baseline = Some(baseline.to_string());
        self.tidy();
        Ok(())
    }

    /// Removes what writes that died have left, which no protocol needs to know of.
    fn tidy(&mut self) {
        let GcPlan { report, contact, now_ms, .. } = &mut self.plan;
        let (files, bytes) = remove_leftovers(contact, *now_ms, self.job);
        (report.removed.leftovers, report.removed.leftover_bytes) = (files, bytes);
    }
}
