//! Taking in files that do not lie in the worktree, for pointers that somebody else writes.

use std::collections::HashMap;

use crate::cache::{Held, NodeSink, Stale};
use crate::fs::Dir;
use crate::intake::{Exceptions, Source, take};
use crate::ops::add::build::kind_of;
use crate::ops::add::run::home;
use crate::ops::error::OpError;
use crate::pointer::PointerKind;
use crate::progress::Job;
use crate::repo::Repo;

/// Takes in files below `dir`; returns what each is, in order. They are durable and known then.
pub(crate) fn take_loose(
    repo: &Repo,
    dir: &Dir,
    sources: Vec<Source>,
    job: &Job,
) -> Result<Vec<PointerKind>, OpError> {
    if sources.is_empty() {
        return Ok(Vec::new());
    }
    let _working = repo.lock_for_work()?;
    let index = repo.index()?;
    index.adopt(repo.layout())?;
    index.notice_removed(repo.layout())?;
    let lost = index.out_of_reach(home(repo)?)?;
    let exceptions = Exceptions { lost: &lost, elsewhere: &HashMap::new() };
    let began = repo.door().now()?;
    let (total, mut rest, mut taken) = (sources.iter().map(|s| s.size).sum(), sources, Vec::new());
    let next = |done| {
        taken.extend(done);
        Ok::<_, OpError>(std::mem::take(&mut rest))
    };
    let intake =
        take((dir, began), (total, next), (repo.layout(), None), (index, exceptions), job)?;
    let view = index.reader()?;
    let stale = Stale { packs: &lost, ..Stale::NONE };
    let mut sink = NodeSink::new(repo.layout(), &view, &intake.places, stale);
    sink = sink.with_deltas(&intake.packs);
    let kinds: Result<Vec<_>, OpError> =
        taken.into_iter().map(|taken| kind_of(taken, &mut sink)).collect();
    let kinds = kinds?;
    let nodes = sink.finish()?;
    intake.record(index, Held::Unpushed, &nodes)?;
    Ok(kinds)
}
