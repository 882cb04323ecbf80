//! Bringing bases that are only on the remote, where `delta.base` is `worth-it`.
//!
//! The trees of former versions are fetched, which are small; then each file is read once to find
//! which of their chunks its new ones would be compared with, and of those are fetched the ones that
//! take no more bytes than the new chunks have. Nothing here is needed: what cannot be had is a
//! warning.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use crate::cache::{ObjectReader, Place};
use crate::config::DeltaBase;
use crate::hash::ChunkId;
use crate::intake::{FormerVersion, Source, compare};
use crate::node::{Expectation, Kind as Tree};
use crate::ops::Exit;
use crate::ops::add::find::Target;
use crate::ops::add::sources::Note;
use crate::ops::error::OpError;
use crate::ops::open::choose;
use crate::pointer::PointerKind;
use crate::progress::{Job, Kind};
use crate::recipe::{Chunks, Former};
use crate::repo::Repo;
use crate::transfer::{
    Absent, Choice, Contact, FetchPlan, Filter, Purpose, Root, TransferError, Wanted, fetch_data,
    is_local, plan_fetch,
};

/// Files of a folder that are looked up one by one; of a folder with more changed ones all trees are
/// fetched.
const EACH: usize = 1000;

/// The remote that bases come from; it is asked only for what is not here.
pub(super) struct Afar<'r> {
    repo: &'r Repo,
    state: State<'r>,
}

enum State<'r> {
    NotAsked,
    Open(Box<Contact<'r>>),
    /// The setting says so, there is no remote, or it did not answer.
    Closed,
}

impl<'r> Afar<'r> {
    /// Asks nobody yet.
    pub(super) fn new(repo: &'r Repo) -> Self {
        let config = repo.config();
        let asks = config.delta_base.value == DeltaBase::WorthIt;
        let may = asks && config.default_remote().is_some();
        Self { repo, state: if may { State::NotAsked } else { State::Closed } }
    }

    /// Says whether nobody is to be asked.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// Asks the remote; after the first failure it is not asked again, and the answer is nothing.
    fn ask<T>(
        &mut self,
        job: &Job,
        work: impl FnOnce(&mut Contact<'r>) -> Result<T, TransferError>,
    ) -> Result<Option<T>, OpError> {
        let answer = match self.contact(job) {
            Ok(None) => return Ok(None),
            Ok(Some(contact)) => work(contact).map_err(OpError::from),
            Err(e) => Err(e),
        };
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(e) if e.exit() == Exit::Interrupted => Err(e),
            Err(e) => {
                self.state = State::Closed;
                job.warn(&format!("no bases are fetched, so that more may be stored: {e}"));
                Ok(None)
            }
        }
    }

    fn contact(&mut self, job: &Job) -> Result<Option<&mut Contact<'r>>, OpError> {
        if let State::NotAsked = self.state {
            let target = choose(self.repo, None, None)?;
            let parts = (self.repo.layout(), self.repo.index()?);
            // What is found is relied on, as in a push.
            let contact = Contact::make(target.open()?, parts, target.jobs, Purpose::Push, job)?;
            self.state = State::Open(Box::new(contact));
        }
        Ok(match &mut self.state {
            State::Open(contact) => Some(contact),
            State::NotAsked | State::Closed => None,
        })
    }

    /// Fetches the manifests of the targets' previous versions.
    pub(super) fn bring_names(&mut self, targets: &[&Target], job: &Job) -> Result<(), OpError> {
        let mut wanted = Vec::new();
        for target in targets.iter().filter(|_| !self.is_closed()) {
            let Some((pointer, _)) = &target.old else { continue };
            if matches!(pointer.kind(), PointerKind::Dir { .. }) {
                let filter = Filter::names_below(&target.rest());
                let path = target.top().as_bytes().to_vec();
                wanted.push(Wanted { path, root: Root::of(pointer), filter });
            }
        }
        let absent = self.absent(wanted, job)?;
        if !absent.is_empty() {
            self.ask(job, |contact| plan_fetch(absent, contact, job))?;
        }
        Ok(())
    }

    fn absent(&self, wanted: Vec<Wanted>, job: &Job) -> Result<Vec<Wanted>, OpError> {
        let mut reader = ObjectReader::new(self.repo.layout(), self.repo.index()?)?;
        let mut out = Vec::new();
        for item in wanted {
            if is_local(std::slice::from_ref(&item), &mut reader, job)?.is_none() {
                out.push(item);
            }
        }
        Ok(out)
    }

    /// Fetches the bases of the sources that are worth it. Returns where chunks lie that the sources
    /// have, this machine has not, and the remote has.
    pub(super) fn bring(
        &mut self,
        (sources, targets): (&[(Source, Note)], &[&Target]),
        job: &Job,
    ) -> Result<HashMap<[u8; 32], Place>, OpError> {
        let all = sources.iter().filter(|_| !self.is_closed());
        let all = all.filter_map(|(source, note)| wanted(source, note, targets));
        let wanted = self.absent(all.collect(), job)?;
        let paths: HashSet<Vec<u8>> = wanted.iter().map(|w| w.path.clone()).collect();
        if paths.is_empty() {
            return Ok(HashMap::new());
        }
        let found = self.ask(job, |contact| {
            let plan = plan_fetch(together(wanted), contact, job)?;
            let absent = plan.absent(contact);
            Ok((plan, absent))
        })?;
        let Some((plan, absent)) = found else { return Ok(HashMap::new()) };
        let mut wishes = Wishes { absent, ..Wishes::default() };
        let _reading = job.begin(Kind::Scan, None);
        let mut reader = ObjectReader::new(self.repo.layout(), self.repo.index()?)?;
        for (source, note) in sources {
            if paths.contains(&source.path) {
                wishes.read(self.repo, source, (&mut reader, note.guessed), job)?;
            }
        }
        self.fetch(plan, wishes, job)
    }

    fn fetch(
        &mut self,
        mut plan: FetchPlan,
        wishes: Wishes,
        job: &Job,
    ) -> Result<HashMap<[u8; 32], Place>, OpError> {
        plan.retain(&wishes.chosen);
        if wishes.chosen.is_empty() {
            return Ok(wishes.elsewhere);
        }
        let fetched = self.ask(job, |contact| fetch_data(&plan, contact, job))?;
        Ok(fetched.map(|_| wishes.elsewhere).unwrap_or_default())
    }
}

/// A source's former version, below the root that was pushed; one whose bytes the worktree has needs
/// no remote.
fn wanted(source: &Source, note: &Note, targets: &[&Target]) -> Option<Wanted> {
    let (root, size) = match &source.former {
        Some(FormerVersion::Stored { root, size, path: None, .. }) => (*root, *size),
        Some(FormerVersion::Stored { .. } | FormerVersion::Source(_)) | None => return None,
    };
    let path = source.path.clone();
    let Some((top, inner)) = &note.inside else {
        let expectation = Expectation::root(Tree::Recipe).with_size(size);
        let root = Root::Tree { id: root, expectation };
        return Some(Wanted { path, root, filter: Filter::All });
    };
    let target = targets.iter().find(|target| target.top().as_bytes() == top)?;
    let root = Root::of(&target.old.as_ref()?.0);
    Some(Wanted { path, root, filter: Filter::Some(vec![Choice::Under(inner.clone())]) })
}

/// Joins what is wanted of one root, so that its manifest is walked once.
fn together(wanted: Vec<Wanted>) -> Vec<Wanted> {
    let mut out: BTreeMap<Option<[u8; 32]>, Wanted> = BTreeMap::new();
    for item in wanted {
        match out.entry(item.root.id()) {
            Entry::Vacant(place) => {
                place.insert(item);
            }
            Entry::Occupied(mut place) => {
                if let (Filter::Some(all), Filter::Some(more)) =
                    (&mut place.get_mut().filter, item.filter)
                {
                    all.extend(more);
                    if all.len() > EACH {
                        place.get_mut().filter = Filter::All;
                    }
                }
            }
        }
    }
    out.into_values().collect()
}

/// What is to be fetched, and what need not be stored.
#[derive(Default)]
struct Wishes {
    /// Chunks of former versions that are not on this machine.
    absent: HashMap<ChunkId, Absent>,
    /// Those that are worth their bytes.
    chosen: HashSet<ChunkId>,
    /// Those that a source has as they are.
    elsewhere: HashMap<[u8; 32], Place>,
}

impl Wishes {
    /// Reads a source. A former version that was guessed by its size is believed only if the two
    /// have a chunk in common.
    fn read(
        &mut self,
        repo: &Repo,
        source: &Source,
        (reader, guessed): (&mut ObjectReader, bool),
        job: &Job,
    ) -> Result<(), OpError> {
        let Some(FormerVersion::Stored { root, size, .. }) = source.former else { return Ok(()) };
        let chunks = Chunks::all(root, size, |id| reader.node_bytes(id));
        let chunks: Result<Vec<_>, _> = chunks.map(|at| at.map(|at| at.entry)).collect();
        // A recipe that is damaged is for the intake to pass over.
        let Ok(chunks) = chunks else { return Ok(()) };
        let ids: HashSet<ChunkId> = chunks.iter().map(|chunk| chunk.id).collect();
        let former = Former::new(chunks);
        let mut mine = HashSet::new();
        let mut run = Run::default();
        let mut related = !guessed;
        compare(repo.door().root(), source, &former, job, |chunk, bases| {
            related |= ids.contains(&chunk.id);
            let bases = match self.absent.get(&chunk.id) {
                Some(Absent { place: Some(place), .. }) => {
                    self.elsewhere.insert(chunk.id.0, *place);
                    return;
                }
                // It is a delta: with its base it need not be stored again.
                Some(Absent { place: None, .. }) => vec![chunk.id],
                None if reader.view().find(&chunk.id.0).is_some() => return,
                None => bases,
            };
            let far = bases.into_iter().filter(|id| self.absent.contains_key(id));
            let far: Vec<ChunkId> = far.collect();
            if far.first().is_none_or(|first| !run.bases.contains(first)) {
                std::mem::take(&mut run).end(&self.absent, &mut mine);
            }
            run.size = run.size.saturating_add(chunk.size);
            run.bases.extend(far);
        })?;
        run.end(&self.absent, &mut mine);
        if related {
            self.chosen.extend(mine);
        }
        Ok(())
    }
}

/// New chunks that follow each other and share chunks of their bases.
#[derive(Default)]
struct Run {
    size: u64,
    bases: HashSet<ChunkId>,
}

impl Run {
    /// Chooses the bases if fetching them takes no more bytes than the new chunks have.
    fn end(self, absent: &HashMap<ChunkId, Absent>, chosen: &mut HashSet<ChunkId>) {
        let bytes = self.bases.iter().filter_map(|id| absent.get(id)).map(|absent| absent.bytes);
        if bytes.fold(0, u64::saturating_add) <= self.size {
            chosen.extend(self.bases);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases_are_fetched_only_if_they_take_no_more_bytes_than_what_is_compared_with_them() {
        let absent = (0..3).map(|n| (ChunkId([n; 32]), Absent { bytes: 70, place: None }));
        let absent: HashMap<ChunkId, Absent> = absent.collect();
        for (size, bases, fetched) in [(70, 1, 1), (69, 1, 0), (140, 2, 2), (139, 2, 0), (9, 0, 0)]
        {
            let run = Run { size, bases: absent.keys().take(bases).copied().collect() };
            let mut chosen = HashSet::new();
            run.end(&absent, &mut chosen);
            assert_eq!(chosen.len(), fetched, "{size} {bases}");
        }
    }
}
