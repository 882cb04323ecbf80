//! Making one remote have all that another one has, without any content on this machine.
//!
//! To the remote that receives, this is a push: packs, then a push record, then one more listing. What is
//! copied are the packs that roots need which it does not list yet, byte for byte under their own names.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::catalogue::{
    HookRecord, LocRecord, Object, ObjectKind, Registration, SOURCE_PUSH_RECORD, key,
};
use crate::fs::{Temp, failpoint};
use crate::hash::{Key, PackId, RepoId};
use crate::progress::{Job, Kind, Task};
use crate::remote::{Fetch, Listed, RemoteError, Upload};
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;
use crate::transfer::gc::{
    Books, Cover, RepoMention, Stock, Stored, close, loc, mentioned, of_records, unreadable,
};
use crate::transfer::listing::keep_index;
use crate::transfer::needs::missing_pins;
use crate::transfer::record::publish;
use crate::transfer::rows::Rows;
use crate::transfer::stored::prove_catalogue;
use crate::transfer::upload::{prepare, random};
use crate::transfer::walk::Spot;

/// Bytes of packs that lie on this machine at once, on their way.
const ON_THE_WAY: u64 = 256 << 20;
/// Bytes that one request asks for.
const PIECE: u64 = 8 << 20;
/// How often it starts over because gc got between.
const ROUNDS: u32 = 5;

/// What a sync did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// Roots that the receiving remote lists now and did not list before.
    pub roots: u64,
    /// Roots that both had.
    pub reused_roots: u64,
    /// Packs that were copied.
    pub packs: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Copies what `to` lacks of what `from` lists. Interrupted anywhere, it goes on when it is run again.
pub fn sync(
    from: &Contact,
    to: &mut Contact,
    repo: RepoId,
    job: &Job,
) -> Result<Carried, TransferError> {
    prove_used(from)?;
    let mut carried = Carried::default();
    prepare(to, job)?;
    for round in 0..ROUNDS {
        let (lacking, listed) = lacking(from, to);
        if round == 0 {
            carried.reused_roots = listed;
        }
        carried.roots = listed.saturating_sub(carried.reused_roots);
        if lacking.is_empty() {
            return Ok(carried);
        }
        let load = Load::plan(from, to, &lacking, job)?;
        let rows = load.carry(from, to, &mut carried, job)?;
        let owner = register_all(from, to, repo)?;
        failpoint::hit("sync.before-record");
        publish(to, load.record(from, to, owner, rows)?)?;
        let before = to.synced().view.generation();
        to.refresh(job)?;
        if to.synced().view.generation() == before {
            load.prove(to, job)?;
            carried.roots += load.roots.len() as u64;
            keep_index(to.remote(), job);
            return Ok(carried);
        }
    }
    Err(TransferError::Outrun { remote: to.label().to_owned(), rounds: ROUNDS })
}

/// What a sync would copy, and how many requests to both remotes it would take in all, at most.
pub fn to_carry(from: &Contact, to: &Contact, job: &Job) -> Result<(Carried, u64), TransferError> {
    prove_used(from)?;
    let (lacking, reused_roots) = lacking(from, to);
    let mut carried = Carried { roots: lacking.len() as u64, reused_roots, ..Carried::default() };
    let identity = u64::from(to.synced().id.is_none());
    if lacking.is_empty() {
        return Ok((carried, from.asked() + to.asked() + identity));
    }
    let load = Load::plan(from, to, &lacking, job)?;
    let absent = load.absent(to, &Rows::of(from), job)?;
    let sizes = || absent.iter().map(|(_, (_, size))| *size);
    (carried.packs, carried.bytes) = (absent.len() as u64, sizes().sum());
    let pieces: u64 = sizes().map(|size| size.div_ceil(PIECE)).sum();
    let owners = mentioned(from)?.len() as u64;
    // What was asked for this is asked again. Then each piece is read, each pack and each missing owner
    // written, and owners are listed; record, run and listing; packs are proved; and the index is kept.
    let asked = from.asked() + to.asked() + identity;
    let requests = asked + pieces + carried.packs + 1 + owners + 3 + load.own.len() as u64 + 3;
    Ok((carried, requests))
}

/// Requires that somebody pushed to a remote, and that its catalogue says so.
fn prove_used(from: &Contact) -> Result<(), TransferError> {
    if from.synced().id.is_none() {
        return Err(TransferError::NeverUsed { remote: from.label().to_owned() });
    }
    prove_catalogue(from, b"")
}

/// Roots that one remote lists and the other does not, and how many both do.
fn lacking(from: &Contact, to: &Contact) -> (BTreeSet<Key>, u64) {
    let wanted = roots_of(from);
    let all = wanted.len();
    let lacking: BTreeSet<Key> = wanted.into_iter().filter(|key| !relies_on(to, *key)).collect();
    let reused = (all - lacking.len()) as u64;
    (lacking, reused)
}

/// Every root that the catalogue lists.
fn roots_of(from: &Contact) -> BTreeSet<Key> {
    let objects = from.synced().view.counting();
    let keys: BTreeSet<Key> =
        objects.flat_map(|(_, _, object)| object.locs.iter().map(|loc| loc.key)).collect();
    keys.into_iter().filter(|key| from.locate(*key).is_some()).collect()
}

/// Says whether a remote lists a root so that a push may rely on it.
fn relies_on(to: &Contact, key: Key) -> bool {
    let view = &to.synced().view;
    view.current_locs(key).any(|loc| view.may_rely_on(loc.pack))
}

/// A pack with its key and size.
type Pack<'l> = (PackId, &'l (String, u64));

/// What is to be copied, and what it is for.
struct Load {
    /// Each root with the place that leads to all of it.
    roots: BTreeMap<Key, Spot>,
    /// Packs that have to be there in the end, with their keys and sizes.
    packs: BTreeMap<PackId, (String, u64)>,
    /// Those of them that the receiving remote does not list.
    own: BTreeSet<PackId>,
}

impl Load {
    fn plan(
        from: &Contact,
        to: &Contact,
        lacking: &BTreeSet<Key>,
        job: &Job,
    ) -> Result<Self, TransferError> {
        let stock = Stock::take(from)?;
        let condemned = |spot: &Spot| from.synced().view.condemned(spot.pack);
        let places = lacking.iter().map(|key| {
            let key = *key;
            let mut spots: BTreeSet<Spot> = from.places(key).into_iter().collect();
            if spots.iter().any(|spot| stock.has(spot) && !condemned(spot)) {
                spots.retain(|spot| stock.has(spot) && !condemned(spot));
            }
            (key, spots)
        });
        let (mut candidates, mut lone) = of_records(places.collect(), &stock, from, job)?;
        lone.retain(|(_, spot)| stock.has(spot));
        for candidate in &mut candidates {
            candidate.kept.clear();
        }
        let closure = close(&candidates, &stock, from, job)?;
        if let Some((path, pack)) = closure.gaps.first() {
            return Err(incomplete(from, path, *pack));
        }
        let mut roots: BTreeMap<Key, Spot> =
            closure.chosen.iter().map(|(key, (_, spot))| (*key, *spot)).collect();
        let mut needed: BTreeSet<PackId> = closure.uses.packs.keys().copied().collect();
        needed.extend(lone.iter().map(|(_, spot)| spot.pack));
        roots.extend(lone);
        if let Some(key) = lacking.iter().find(|key| !roots.contains_key(key)) {
            return Err(unreadable(*key, &from.places(*key).into_iter().collect(), from));
        }
        let packs = sized(needed, &stock, from)?;
        let view = &to.synced().view;
        if let Some(pack) = packs.keys().find(|pack| view.condemned(**pack)) {
            return Err(TransferError::Condemned { pack: *pack, remote: to.label().to_owned() });
        }
        let pins = || packs.keys().copied().filter(|pack| view.may_rely_on(*pack));
        let lost = missing_pins(to, pins(), job)?;
        let relied: BTreeSet<PackId> = pins().filter(|pack| !lost.contains(pack)).collect();
        let own = packs.keys().copied().filter(|pack| !relied.contains(pack)).collect();
        Ok(Self { roots, packs, own })
    }

    /// Finds those of its packs that the receiving remote does not have.
    fn absent(&self, to: &Contact, rows: &Rows, job: &Job) -> Result<Vec<Pack<'_>>, TransferError> {
        let keys = || self.own.iter().filter_map(|pack| Some((*pack, self.packs.get(pack)?)));
        let there =
            to.remote().head_many(keys().map(|(_, p)| p.0.clone()).collect(), to.jobs(), job)?;
        let lacks = |((pack, (_, size)), found): &(Pack<'_>, Option<Listed>)| {
            let same = found.as_ref().is_some_and(|found| found.size == *size);
            !(same && rows.packs.contains_key(pack))
        };
        Ok(keys().zip(there).filter(lacks).map(|(item, _)| item).collect())
    }

    /// Copies packs, as many at a time as may lie here; returns what the catalogue says of each.
    fn carry(
        &self,
        from: &Contact,
        to: &Contact,
        carried: &mut Carried,
        job: &Job,
    ) -> Result<Rows, TransferError> {
        let mut rows = Rows::of(from);
        let absent = self.absent(to, &rows, job)?;
        let task = job.begin(Kind::Upload, Some(absent.iter().map(|(_, (_, size))| size).sum()));
        let mut left = absent.as_slice();
        while !left.is_empty() {
            let mut bytes = 0u64;
            let fits = |(_, (_, size)): &&Pack<'_>| {
                bytes = bytes.saturating_add(*size);
                bytes <= ON_THE_WAY
            };
            let count = left.iter().take_while(fits).count().max(1);
            let (now, later) = left.split_at(count.min(left.len()));
            left = later;
            carry_some(now, (from, to), &mut rows, &task, job)?;
            carried.packs += now.len() as u64;
            carried.bytes += now.iter().map(|(_, (_, size))| size).sum::<u64>();
        }
        Ok(rows)
    }

    fn record(
        &self,
        from: &Contact,
        to: &Contact,
        repo: RepoId,
        rows: Rows,
    ) -> Result<Object, TransferError> {
        let generation = to.synced().view.generation();
        let mut object = Object::new(ObjectKind::PushRecord, generation, repo, random()?);
        object.locs = self
            .roots
            .iter()
            .map(|(key, spot)| -> LocRecord { loc(*key, *spot, SOURCE_PUSH_RECORD) })
            .collect();
        let mut numbers: BTreeMap<PackId, u32> = BTreeMap::new();
        for (number, pack) in (0u32..).zip(&self.own) {
            let row = rows.packs.get(pack).ok_or_else(|| incomplete(from, b"", *pack))?;
            numbers.insert(*pack, number);
            object.packs.push(*row);
        }
        let mut hooks: BTreeMap<[u8; 8], u32> = BTreeMap::new();
        for (chunk, pack) in rows.hooks {
            if let Some(row) = numbers.get(&pack) {
                hooks.entry(chunk).or_insert(*row);
            }
        }
        object.hooks =
            hooks.into_iter().map(|(chunk, pack_row)| HookRecord { chunk, pack_row }).collect();
        Ok(object)
    }

    /// Requires that what was recorded is there: some of it may be from an earlier try.
    fn prove(&self, to: &Contact, job: &Job) -> Result<(), TransferError> {
        let own = || self.own.iter().filter_map(|pack| Some((pack, self.packs.get(pack)?)));
        let keys = own().map(|(_, (key, _))| key.clone()).collect();
        let found = to.remote().head_many(keys, to.jobs(), job)?;
        for ((pack, (_, size)), found) in own().zip(found) {
            if found.is_none_or(|found| found.size != *size) {
                return Err(incomplete(to, b"", *pack));
            }
        }
        Ok(())
    }
}

/// Finds keys and sizes of packs. A size that is listed and cannot be is no reason to fill a disk.
fn sized(
    packs: BTreeSet<PackId>,
    stock: &Stock,
    from: &Contact,
) -> Result<BTreeMap<PackId, (String, u64)>, TransferError> {
    let rows = Books::new(&from.synced().view, Cover::AsListed).rows();
    let sized = packs.into_iter().map(|pack| {
        let right = |stored: &&Stored| match rows.get(&pack) {
            Some(row) => stored.size == u64::from(row.size),
            None => stored.size <= u64::from(stored.kind.max_size()),
        };
        let stored = stock.packs.get(&pack).filter(right);
        let stored = stored.ok_or_else(|| incomplete(from, b"", pack))?;
        Ok((pack, (key::pack(stored.kind, pack), stored.size)))
    });
    sized.collect()
}

fn incomplete(contact: &Contact, path: &[u8], pack: PackId) -> TransferError {
    let (path, remote) = (path.to_vec(), contact.label().to_owned());
    TransferError::PackGone { pack, path, remote }
}

/// Copies packs by way of temporary files, each proved against its name before it is sent.
fn carry_some(
    packs: &[Pack<'_>],
    (from, to): (&Contact, &Contact),
    rows: &mut Rows,
    task: &Task,
    job: &Job,
) -> Result<(), TransferError> {
    let folder = to.layout().temp();
    let (mut files, mut fetches, mut places) = (Vec::new(), Vec::new(), Vec::new());
    for (number, (_, (key, size))) in packs.iter().enumerate() {
        files.push(Temp::new_in(&folder)?);
        for start in (0..*size).step_by(usize::try_from(PIECE).unwrap_or(usize::MAX)) {
            let end = size.min(&start.saturating_add(PIECE)).to_owned();
            let range = Some(start..end);
            fetches.push(Fetch { key: key.clone(), range, limit: end - start });
            places.push((number, start));
        }
    }
    from.remote().get_ranges(fetches, from.jobs(), job, |i, answer| {
        let bytes = answer?;
        if let Some((number, start)) = places.get(i)
            && let Some(file) = files.get(*number)
        {
            file.write_at(*start, &bytes)?;
        }
        Ok::<(), TransferError>(())
    })?;
    for ((pack, place), file) in packs.iter().zip(&files) {
        // One that cannot be read is not what its name says, which shows when it is sent.
        rows.complete(*pack, place, file).unwrap_or_default();
    }
    let upload = |((pack, (key, size)), file): (&Pack<'_>, &Temp)| Upload {
        key: key.clone(),
        path: file.path().to_owned(),
        size: *size,
        name: *pack,
    };
    let uploads = packs.iter().zip(&files).map(upload).collect();
    let sent = to.remote().put_files(uploads, to.jobs(), job, |i| {
        task.advance(packs.get(i).map_or(0, |(_, (_, size))| *size));
        failpoint::hit("sync.sent-one");
        Ok::<(), RemoteError>(())
    });
    if let Err(RemoteError::Differs { path }) = &sent {
        let bad = files.iter().position(|file| file.path() == path);
        let key = bad.and_then(|n| packs.get(n)).map_or("", |(_, (key, _))| key.as_str());
        let (remote, key) = (from.label().into(), key.to_owned());
        let why = "it does not hash to its name".to_owned();
        return Err(RemoteError::Damaged { remote, key, why }.into());
    }
    Ok(sent?)
}

/// Registers with the receiving remote whoever keeps data on the other one, so that its gc asks for them.
/// Returns in whose name the roots are recorded: theirs, as a clone that only copies may soon be gone.
fn register_all(from: &Contact, to: &Contact, own: RepoId) -> Result<RepoId, TransferError> {
    let known: BTreeSet<String> =
        to.remote().list(key::REPOS)?.into_iter().map(|listed| listed.key).collect();
    let owners = mentioned(from)?;
    for RepoMention { id, url } in &owners {
        if known.contains(&key::repo(*id)) {
            continue;
        }
        let text = Registration::new(*id, url.clone()).print().map_err(|e| to.wrong(e))?;
        to.remote().put_if_absent(&key::repo(*id), Bytes::from(text))?;
    }
    let ids = || owners.iter().map(|owner| owner.id);
    Ok(ids().find(|id| *id == own).or(ids().next()).unwrap_or(own))
}
