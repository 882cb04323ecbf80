//! Contact with a remote: its identity, its catalogue as of one listing, and where roots lie.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::cache::{Index, Layout};
use crate::catalogue::{
    CatalogueError, Entry, FeatureClass, Listed, MAX_OBJECT_LEN, Name, Need, Object, ObjectKind,
    RemoteFormat, View, key,
};
use crate::fs::{read_limited, replace};
use crate::hash::{Digest, Key, RemoteId};
use crate::progress::Job;
use crate::remote::{Fetch, Remote, RemoteError};
use crate::transfer::audit::files_in;
use crate::transfer::doubt::{find_format, format_of, lose_format, nameless};
use crate::transfer::error::TransferError;
use crate::transfer::land::Flaw;
use crate::transfer::listing::listing;
use crate::transfer::root::Wanted;
use crate::transfer::walk::Spot;

/// Longest `format` object in bytes.
pub(super) const TEXT_LIMIT: u64 = 4096;
/// How often a listing is taken again because an object in it vanished, or it lacked what is there.
const LISTINGS: usize = 3;

/// The remote as of the last listing.
pub struct Synced {
    /// Its identity; nothing before the first push.
    pub id: Option<RemoteId>,
    /// The catalogue.
    pub view: View,
}

/// What contact is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Finding and reading content.
    Read,
    /// Relying on what is there and adding to it.
    Push,
    /// Removing what nobody needs.
    Gc,
}

/// An open remote with its catalogue, and the local places that go with it.
pub struct Contact<'a> {
    pub(super) remote: Remote,
    pub(super) layout: &'a Layout,
    index: &'a Index,
    jobs: usize,
    purpose: Purpose,
    pub(super) synced: Synced,
    /// Push records that are damaged: no harm if all that they say stands in a run as well.
    broken: BTreeMap<Name, CatalogueError>,
}

impl<'a> Contact<'a> {
    /// Lists the catalogue and fetches what is new in it: two waves cold, one warm.
    pub fn make(
        remote: Remote,
        (layout, index): (&'a Layout, &'a Index),
        jobs: usize,
        purpose: Purpose,
        job: &Job,
    ) -> Result<Self, TransferError> {
        let mut contact = Self::begin(remote, (layout, index), jobs, purpose)?;
        contact.refresh(job)?;
        Ok(contact)
    }

    /// As [`Self::make`], to read these roots: asks nothing if the catalogue as it was seen last has
    /// all of them. What it says may hold no more; whoever finds that out lists again.
    pub fn make_for(
        roots: &[Key],
        remote: Remote,
        (layout, index): (&'a Layout, &'a Index),
        jobs: usize,
        job: &Job,
    ) -> Result<Self, TransferError> {
        let mut contact = Self::begin(remote, (layout, index), jobs, Purpose::Read)?;
        if !contact.recall(roots)? {
            contact.refresh(job)?;
        }
        Ok(contact)
    }

    pub(super) fn begin(
        remote: Remote,
        (layout, index): (&'a Layout, &'a Index),
        jobs: usize,
        purpose: Purpose,
    ) -> Result<Self, TransferError> {
        let view = View::build([], []).map_err(|e| catalogue_error(&remote, key::CATALOGUE, e))?;
        let id = remembered(layout, remote.label())?;
        let (synced, broken) = (Synced { id, view }, BTreeMap::new());
        Ok(Self { remote, layout, index, jobs, purpose, synced, broken })
    }

    /// Takes the catalogue from its local copies if they have all of the roots.
    fn recall(&mut self, roots: &[Key]) -> Result<bool, TransferError> {
        let Some(id) = self.synced.id else { return Ok(false) };
        let (mut listing, mut objects) = (Vec::new(), Vec::new());
        for (name, size) in files_in(&self.layout.remote(id))? {
            let Entry::Object(parsed) = Entry::parse(&name) else { continue };
            if let Some(object) = self.cached(&parsed, size) {
                listing.push(Listed { name, size, modified_ms: 0 });
                objects.push((parsed, Arc::new(object)));
            }
        }
        let view = View::build(listing, objects).map_err(|e| self.wrong(e))?;
        let all = roots.iter().all(|root| !view.locs(*root).is_empty());
        if all {
            self.synced.view = view;
        }
        Ok(all)
    }

    /// Lists the catalogue again and fetches what is new in it: once more where an object vanishes before
    /// it is read, as it was put together with others, where the listing was proved wrong, and where what
    /// came was damaged, as the line may have done that.
    pub fn refresh(&mut self, job: &Job) -> Result<(), TransferError> {
        let mut damaged = false;
        for _ in 0..LISTINGS {
            match self.refresh_once(job) {
                Err(TransferError::Catalogue { source, .. }) if source.is_damage() && !damaged => {
                    damaged = true;
                    self.broken.clear();
                }
                Err(TransferError::Remote(e)) if e.is_missing() => {}
                Err(TransferError::Unlisted { .. }) => {}
                result => return result,
            }
        }
        self.refresh_once(job)
    }

    fn refresh_once(&mut self, job: &Job) -> Result<(), TransferError> {
        let listing = listing(&self.remote, self.purpose)?;
        let mut doubted = self.doubt_identity(&listing)?;
        let need = match self.purpose {
            Purpose::Read => Need::Read,
            Purpose::Push => Need::Rely,
            Purpose::Gc => Need::Remove,
        };
        let mut objects: BTreeMap<Name, Arc<Object>> = BTreeMap::new();
        loop {
            job.check()?;
            let have = objects.iter().map(|(name, object)| (*name, Arc::clone(object)));
            self.synced.view =
                View::build(listing.iter().cloned(), have).map_err(|e| self.wrong(e))?;
            let class = match self.purpose {
                Purpose::Read => FeatureClass::Read,
                Purpose::Push => FeatureClass::Write,
                Purpose::Gc => FeatureClass::Gc,
            };
            self.synced.view.check_features(class, &[]).map_err(|e| self.strange(e, &listing))?;
            let mut missing = self.synced.view.missing(need);
            missing.retain(|(name, _)| !self.broken.contains_key(name));
            let first_contact = self.synced.id.is_none();
            if missing.is_empty() && !first_contact {
                return self.prove_whole(need);
            }
            let more = self.load(missing, &mut objects, job)?;
            if let Some(was) = doubted.take() {
                self.settle_doubt(was, &listing, job)?;
            }
            if !more {
                return self.prove_whole(need);
            }
        }
    }

    /// Brings catalogue objects from the local copies or the remote, and `format` if it is unknown;
    /// says whether there is more to look at.
    fn load(
        &mut self,
        missing: Vec<(Name, u64)>,
        objects: &mut BTreeMap<Name, Arc<Object>>,
        job: &Job,
    ) -> Result<bool, TransferError> {
        let mut asked = Vec::new();
        for (name, size) in missing {
            match self.cached(&name, size) {
                Some(object) => drop(objects.insert(name, Arc::new(object))),
                None => asked.push((name, size)),
            }
        }
        let mut fetches: Vec<Fetch> = asked
            .iter()
            .map(|(name, size)| Fetch {
                key: key::catalogue(name),
                range: None,
                limit: (*size).min(MAX_OBJECT_LEN),
            })
            .collect();
        let first_contact = self.synced.id.is_none();
        if first_contact {
            fetches.push(Fetch { key: key::FORMAT.to_owned(), range: None, limit: TEXT_LIMIT });
        }
        let mut format = None;
        let mut arrived = Vec::new();
        self.remote.get_ranges(fetches, self.jobs, job, |i, answer| {
            match asked.get(i) {
                Some((name, _)) => arrived.push((*name, answer?)),
                None => match answer {
                    Ok(bytes) => format = Some(bytes),
                    Err(e) if e.is_missing() => {}
                    Err(e) => return Err(e),
                },
            }
            Ok::<(), RemoteError>(())
        })?;
        if let Some(bytes) = &format {
            let alone = asked.is_empty() && objects.is_empty();
            self.learn(format_of(&self.remote, bytes, alone)?.id)?;
        }
        for (name, bytes) in arrived {
            let object = match Object::parse_named(&name, &bytes).map_err(CatalogueError::from) {
                Ok(object) => object,
                Err(e) if e.is_damage() && name.kind == ObjectKind::PushRecord => {
                    self.broken.insert(name, e);
                    continue;
                }
                Err(e) => return Err(self.wrong_object(&key::catalogue(&name), e)),
            };
            self.keep(&name, &bytes)?;
            objects.insert(name, Arc::new(object));
        }
        // Nobody can read a catalogue without `format`, but a push writes that again.
        if first_contact && format.is_none() && !asked.is_empty() && self.purpose != Purpose::Push {
            return Err(self.no_format());
        }
        Ok(!asked.is_empty() || (self.synced.id.is_some() && !objects.is_empty()))
    }

    /// Requires that nothing damaged counts.
    fn prove_whole(&self, need: Need) -> Result<(), TransferError> {
        let missing = self.synced.view.missing(need);
        let broken = missing.iter().find_map(|(name, _)| Some((name, self.broken.get(name)?)));
        broken.map_or(Ok(()), |(name, e)| Err(self.wrong_object(&key::catalogue(name), e.clone())))
    }

    fn no_format(&self) -> TransferError {
        TransferError::NoFormat { remote: self.label().to_owned() }
    }

    /// Requires that whoever meets this remote for the first time can read it. Where that is not so, the
    /// next push looks, and mends it.
    pub(super) fn prove_format(&self) -> Result<(), TransferError> {
        let Some(_) = self.synced.id else { return Ok(()) };
        match self.remote.get(key::FORMAT, TEXT_LIMIT) {
            Ok(bytes) => RemoteFormat::parse(&bytes).map(drop).or_else(|e| {
                lose_format(self.layout, self.label())?;
                Err(self.wrong_object(key::FORMAT, e))
            }),
            Err(e) if e.is_missing() => Err(nameless(self.layout, self.label())?),
            Err(e) => Err(e.into()),
        }
    }

    /// Remembers the remote's identity, now known.
    pub(super) fn learn(&mut self, id: RemoteId) -> Result<(), TransferError> {
        self.synced.id = Some(id);
        replace(&id_file(self.layout, self.label()), id.to_string().as_bytes())?;
        find_format(self.layout, self.label())?;
        self.end_doubt()
    }

    /// A local copy that cannot be read, has another size or is not sound is as good as none.
    fn cached(&self, name: &Name, size: u64) -> Option<Object> {
        let path = self.layout.remote(self.synced.id?).join(name.to_string());
        let bytes = read_limited(&path, size).ok()??;
        Object::parse_named(name, &bytes).ok()
    }

    pub(super) fn keep(&self, name: &Name, bytes: &[u8]) -> Result<(), TransferError> {
        match self.synced.id {
            Some(id) => Ok(replace(&self.layout.remote(id).join(name.to_string()), bytes)?),
            None => Ok(()),
        }
    }

    /// Returns where the catalogue says that an object lies, the best place first.
    pub(super) fn locate(&self, key: Key) -> Option<Spot> {
        self.places(key).into_iter().next()
    }

    /// Returns every place that the catalogue lists for an object and that can be one.
    pub(super) fn places(&self, key: Key) -> Vec<Spot> {
        let view = &self.synced.view;
        let all = view.locs(key).into_iter().map(|loc| Spot::from(loc.record));
        // A condemned pack may be gone tomorrow; where there is a choice, another is better.
        let (lasting, condemned): (Vec<Spot>, Vec<Spot>) =
            all.filter(Spot::can_be).partition(|spot| !view.condemned(spot.pack));
        [lasting, condemned].concat()
    }

    /// Returns the remote as of the last listing.
    pub fn synced(&self) -> &Synced {
        &self.synced
    }

    /// Returns the open remote.
    pub fn remote(&self) -> &Remote {
        &self.remote
    }

    /// Returns how many requests have asked something so far.
    pub(super) fn asked(&self) -> u64 {
        let counts = self.remote.counts();
        counts.list + counts.get + counts.head
    }

    /// Returns the remote's address for messages, without secrets.
    pub fn label(&self) -> &str {
        self.remote.label()
    }

    pub(super) fn layout(&self) -> &'a Layout {
        self.layout
    }

    pub(super) fn index(&self) -> &'a Index {
        self.index
    }

    pub(super) fn purpose(&self) -> Purpose {
        self.purpose
    }

    pub(super) fn jobs(&self) -> usize {
        self.jobs
    }

    pub(super) fn wrong(&self, error: impl Into<CatalogueError>) -> TransferError {
        catalogue_error(&self.remote, key::CATALOGUE, error)
    }

    pub(super) fn wrong_object(
        &self,
        object: &str,
        error: impl Into<CatalogueError>,
    ) -> TransferError {
        catalogue_error(&self.remote, object, error)
    }

    /// Turns an object that nobody placed into an error that names its path.
    pub(super) fn nobody_pushed(
        &self,
        wanted: &[Wanted],
        which: usize,
        id: &[u8; 32],
    ) -> TransferError {
        let path = path_of(wanted, which);
        TransferError::NobodyPushed { path, root: Digest(*id), remote: self.label().to_owned() }
    }

    /// Turns the flaw of a fetched frame into an error that names path, object and pack.
    pub(super) fn flawed(&self, wanted: &[Wanted], flaw: Flaw) -> TransferError {
        TransferError::Damaged {
            path: path_of(wanted, flaw.object.wanted),
            object: Digest(flaw.object.id),
            pack: flaw.pack,
            remote: self.label().to_owned(),
            why: flaw.why,
        }
    }
}

pub(super) fn id_file(layout: &Layout, label: &str) -> PathBuf {
    layout.state().join("remote/by-address").join(Digest::of(label.as_bytes()).to_string())
}

/// Returns the identity of the remote that was found at an address last.
pub fn remembered(layout: &Layout, label: &str) -> Result<Option<RemoteId>, TransferError> {
    let bytes = read_limited(&id_file(layout, label), TEXT_LIMIT)?;
    Ok(bytes.and_then(|b| String::from_utf8(b).ok()).and_then(|text| text.parse().ok()))
}

fn path_of(wanted: &[Wanted], which: usize) -> Vec<u8> {
    wanted.get(which).map_or(Vec::new(), |w| w.path.clone())
}

pub(super) fn catalogue_error(
    remote: &Remote,
    object: &str,
    source: impl Into<CatalogueError>,
) -> TransferError {
    let (object, remote) = (object.to_owned(), remote.label().to_owned());
    TransferError::Catalogue { object, remote, source: source.into() }
}
