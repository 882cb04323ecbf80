//! Reading all of a catalogue from the remote itself, whatever of it is damaged.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::cache::{Index, Layout};
use crate::catalogue::{
    CatalogueError, Entry, FeatureClass, Listed, MAX_OBJECT_LEN, Name, Need, Object, ObjectKind,
    PackRecord, Registration, RemoteFormat, View, key, run_of,
};
use crate::fs::{FsError, IoResultExt, read_limited};
use crate::hash::{PackId, RemoteId, RepoId};
use crate::progress::Job;
use crate::remote::{Fetch, Listed as Found, Remote, RemoteError};
use crate::transfer::catalogue::{Contact, Purpose};
use crate::transfer::doubt::{emptied, foreign, format_of, is_object};
use crate::transfer::error::TransferError;
use crate::transfer::root::Root;
use crate::transfer::upload::random;

impl Contact<'_> {
    /// Says whether the catalogue names a place of a root.
    pub fn lists(&self, root: &Root) -> bool {
        root.key().is_none_or(|key| self.locate(key).is_some())
    }
}

/// Longest text of a remote in bytes.
const TEXT_LIMIT: u64 = 4096;

/// Names and sizes of the files in a folder; none if there is no folder.
pub(super) fn files_in(folder: &Path) -> Result<Vec<(String, u64)>, FsError> {
    let entries = match std::fs::read_dir(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.at("list", folder)?,
    };
    let mut out = Vec::new();
    for entry in entries {
        let entry = entry.at("list", folder)?;
        let (name, found) = (entry.file_name(), entry.metadata().at("read", &entry.path())?);
        out.extend(name.into_string().ok().map(|name| (name, found.len())));
    }
    Ok(out)
}

/// An object of a remote, other than a pack, that is not sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadObject {
    /// Its key.
    pub key: String,
    /// What is wrong.
    pub why: String,
    /// Whether readers need it: a push record that stands in a run as well is not needed.
    pub counts: bool,
}

/// What a remote says of itself, as far as that can be read.
pub struct Audit<'a> {
    /// Contact by the sound part of the catalogue.
    pub contact: Contact<'a>,
    /// What is not sound.
    pub bad: Vec<BadObject>,
    /// Every pack that is listed.
    pub packs: Vec<Found>,
    /// Objects that were read, and their bytes.
    pub objects: u64,
    /// Bytes of these objects.
    pub bytes: u64,
    /// Whether other repositories keep content there, too.
    pub shared: bool,
    /// Which remote it is, where `format` does not say so any more.
    unnamed: Option<RemoteId>,
}

impl<'a> Audit<'a> {
    /// Lists everything and reads all that is no pack: four listings, and one wave.
    pub fn make(
        remote: Remote,
        (layout, index): (&'a Layout, &'a Index),
        jobs: usize,
        job: &Job,
    ) -> Result<Self, TransferError> {
        let contact = Contact::begin(remote, (layout, index), jobs, Purpose::Read)?;
        let (bad, packs) = (Vec::new(), Vec::new());
        let mut audit =
            Self { contact, bad, packs, objects: 0, bytes: 0, shared: false, unnamed: None };
        // The catalogue before the packs: what it names was there before it.
        let listing = audit.list(key::CATALOGUE)?;
        let repos = audit.list(key::REPOS)?;
        for prefix in [key::DATA_PACKS, key::NODE_PACKS] {
            job.check()?;
            let own = |found: &Found| key::parse_pack(&found.key).is_some();
            audit.packs.extend(audit.list(prefix)?.into_iter().filter(own));
        }
        audit.read_format(&listing)?;
        audit.read_catalogue(&listing, job)?;
        audit.read_repos(&repos, job)?;
        Ok(audit)
    }

    fn list(&self, prefix: &str) -> Result<Vec<Found>, TransferError> {
        Ok(self.contact.remote.list(prefix)?)
    }

    fn bad(&mut self, key: impl Into<String>, why: &(impl ToString + ?Sized)) {
        self.bad.push(BadObject { key: key.into(), why: why.to_string(), counts: true });
    }

    /// Reads which remote this is, and compares it with what this machine met at the same place. Where
    /// nothing of haul lies, nothing can be damaged.
    fn read_format(&mut self, listing: &[Found]) -> Result<(), TransferError> {
        let known = self.contact.synced.id.filter(|id| self.was_met(*id, listing));
        let name = |found: &Found| found.key.strip_prefix(key::CATALOGUE).is_some_and(is_object);
        let alone = self.packs.is_empty() && !listing.iter().any(name);
        match self.contact.remote.get(key::FORMAT, TEXT_LIMIT) {
            Ok(bytes) => {
                self.count(bytes.len());
                match RemoteFormat::parse(&bytes).map_err(CatalogueError::from) {
                    Ok(format) if known.is_none_or(|known| known == format.id) => {
                        return self.contact.learn(format.id);
                    }
                    Ok(_) => {
                        let why = "it does not name the remote that this machine knows here";
                        self.bad(key::FORMAT, why);
                    }
                    Err(e) if e.is_newer() => {
                        return Err(self.contact.wrong_object(key::FORMAT, e));
                    }
                    Err(e) => match format_of(&self.contact.remote, &bytes, alone) {
                        Err(other @ TransferError::Foreign { .. }) => return Err(other),
                        Ok(_) | Err(_) => self.lost_format(known, &e),
                    },
                }
            }
            Err(e) if e.is_missing() && alone => {
                if let Some(gone) = emptied(self.contact.layout, self.contact.label())? {
                    return Err(gone);
                }
                if let Some(first) = listing.first() {
                    return Err(foreign(&self.contact.remote, &first.key));
                }
            }
            // Beside packs, the catalogue is what is lost.
            Err(e) if e.is_missing() && listing.is_empty() => {}
            Err(e) if e.is_missing() => self.lost_format(known, "it is gone"),
            Err(e) if e.is_damaged() => self.lost_format(known, &e),
            Err(e) => return Err(e.into()),
        }
        self.contact.synced.id = known;
        Ok(())
    }

    /// Notes that `format` is lost, though this machine knows what it said.
    fn lost_format(&mut self, known: Option<RemoteId>, why: &(impl ToString + ?Sized)) {
        self.bad(key::FORMAT, why);
        self.unnamed = known;
    }

    /// Says whether this machine keeps copies of what is listed, as of a remote of this identity.
    fn was_met(&self, id: RemoteId, listing: &[Found]) -> bool {
        let folder = self.contact.layout.remote(id);
        let name = |found: &Found| found.key.strip_prefix(key::CATALOGUE).map(|n| folder.join(n));
        listing.iter().filter_map(name).any(|path| path.exists())
    }

    fn count(&mut self, len: usize) {
        self.objects += 1;
        self.bytes += len as u64;
    }

    fn read_catalogue(&mut self, listing: &[Found], job: &Job) -> Result<(), TransferError> {
        let mut names = Vec::new();
        for found in listing {
            let name = found.key.strip_prefix(key::CATALOGUE).map(Entry::parse);
            if let Some(Entry::Object(name)) = name {
                names.push((name, found.clone()));
            }
        }
        let mut objects: BTreeMap<Name, Arc<Object>> = BTreeMap::new();
        let answers = self.read(names.iter().map(|(_, found)| found), MAX_OBJECT_LEN, job)?;
        for ((name, found), answer) in names.iter().zip(answers) {
            let Some(answer) = answer else { continue };
            let bytes = match answer {
                Ok(bytes) => bytes,
                Err(why) => {
                    self.bad(&found.key, &why);
                    continue;
                }
            };
            self.count(bytes.len());
            match Object::parse_named(name, &bytes).map_err(CatalogueError::from) {
                Ok(object) => {
                    self.contact.keep(name, &bytes)?;
                    objects.insert(*name, Arc::new(object));
                }
                Err(e) if e.is_newer() => return Err(self.contact.wrong_object(&found.key, e)),
                Err(e) => self.bad(&found.key, &e),
            }
        }
        let listed = listing.iter().filter_map(|found| {
            let name = found.key.strip_prefix(key::CATALOGUE)?.to_owned();
            Some(Listed { name, size: found.size, modified_ms: found.modified_ms })
        });
        let view = View::build(listed, objects).map_err(|e| self.contact.wrong(e))?;
        view.check_features(FeatureClass::Read, &[]).map_err(|e| self.contact.wrong(e))?;
        let missing = view.missing(Need::Read);
        for bad in &mut self.bad {
            if let Some(Entry::Object(name)) =
                bad.key.strip_prefix(key::CATALOGUE).map(Entry::parse)
            {
                bad.counts = missing.iter().any(|(needed, _)| *needed == name);
            }
        }
        self.contact.synced.view = view;
        Ok(())
    }

    fn read_repos(&mut self, listing: &[Found], job: &Job) -> Result<(), TransferError> {
        let answers = self.read(listing.iter(), TEXT_LIMIT, job)?;
        for (found, answer) in listing.iter().zip(answers) {
            let why = match answer {
                None => continue,
                Some(Ok(bytes)) => {
                    self.count(bytes.len());
                    match Registration::parse(&bytes).map_err(CatalogueError::from) {
                        Ok(text) if key::repo(text.id) == found.key => continue,
                        Ok(_) => "it is of another repository than its name".to_owned(),
                        Err(e) if e.is_newer() => continue,
                        Err(e) => e.to_string(),
                    }
                }
                Some(Err(why)) => why,
            };
            self.bad(&found.key, &why);
        }
        self.shared = listing.len() > 1;
        Ok(())
    }

    /// Reads whole objects; nothing for one that vanished meanwhile, words for one that is damaged.
    fn read<'f>(
        &self,
        listing: impl Iterator<Item = &'f Found>,
        limit: u64,
        job: &Job,
    ) -> Result<Vec<Option<Result<bytes::Bytes, String>>>, TransferError> {
        let fetch = |found: &Found| Fetch {
            key: found.key.clone(),
            range: None,
            limit: found.size.min(limit),
        };
        let fetches: Vec<Fetch> = listing.map(fetch).collect();
        let mut out: Vec<Option<Result<bytes::Bytes, String>>> = vec![None; fetches.len()];
        self.contact.remote.get_ranges(fetches, self.contact.jobs(), job, |i, answer| {
            let answer = match answer {
                Ok(bytes) => Ok(bytes),
                Err(e) if e.is_missing() => return Ok(()),
                Err(e) if e.is_damaged() => Err(e.to_string()),
                Err(e) => return Err(e),
            };
            if let Some(place) = out.get_mut(i) {
                *place = Some(answer);
            }
            Ok::<(), RemoteError>(())
        })?;
        Ok(out)
    }

    /// Puts back, byte for byte, damaged runs and baselines of which this machine has a good copy, and
    /// `format` if this machine knows the remote; returns their keys.
    ///
    /// A name says what its bytes are, so that nobody can have read anything else there.
    pub fn put_back(&self) -> Result<Vec<String>, TransferError> {
        let Some(remote) = self.contact.synced.id else { return Ok(Vec::new()) };
        let folder = self.contact.layout.remote(remote);
        let mut out = Vec::new();
        for bad in self.bad.iter().filter(|bad| bad.counts) {
            let bytes = if bad.key == key::FORMAT {
                let text = self.unnamed.map(|id| RemoteFormat::new(id).print()).transpose();
                text.map_err(|e| self.contact.wrong(e))?.map(String::into_bytes)
            } else {
                good_copy(&folder, &bad.key)?
            };
            let Some(bytes) = bytes.map(bytes::Bytes::from) else { continue };
            // What gc has removed meanwhile must not come back.
            if self.contact.remote.head(&bad.key)?.is_some() {
                self.contact.remote.put(&bad.key, bytes)?;
            } else if bad.key == key::FORMAT {
                self.contact.remote.put_if_absent(&bad.key, bytes)?;
            } else {
                continue;
            }
            out.push(bad.key.clone());
        }
        Ok(out)
    }

    /// Writes runs of those damaged push records of which this machine has a good copy, one for each
    /// generation, so that nobody needs them any more; returns their keys.
    pub fn replace_damaged(&self, repo: RepoId) -> Result<Vec<String>, TransferError> {
        let Some(remote) = self.contact.synced.id else { return Ok(Vec::new()) };
        let folder = self.contact.layout.remote(remote);
        let (mut keys, mut whole) = (Vec::new(), BTreeMap::<u32, Vec<_>>::new());
        for bad in self.bad.iter().filter(|bad| bad.counts) {
            let name = bad.key.strip_prefix(key::CATALOGUE).map(Entry::parse);
            let Some(Entry::Object(name)) = name else { continue };
            if name.kind != ObjectKind::PushRecord {
                continue;
            }
            let path = folder.join(name.to_string());
            let Some(bytes) = read_limited(&path, MAX_OBJECT_LEN)? else { continue };
            if let Ok(object) = Object::parse_named(&name, &bytes) {
                keys.push(bad.key.clone());
                let listing = self.contact.synced.view.listing(&name);
                whole.entry(name.generation).or_default().push((name, listing, object));
            }
        }
        for (generation, records) in whole {
            let run = run_of(&records, generation, repo, random()?);
            let (name, bytes) =
                run.encode().map_err(|e| self.contact.wrong(CatalogueError::from(e)))?;
            self.contact.remote.put(&key::catalogue(&name), bytes::Bytes::from(bytes))?;
        }
        Ok(keys)
    }

    /// Returns every pack that the catalogue counts on, with what it says of it.
    pub fn expected(&self) -> BTreeMap<PackId, PackRecord> {
        let view = &self.contact.synced.view;
        let rows = view.counting().flat_map(|(_, _, object)| object.packs.iter());
        let counts =
            |row: &&PackRecord| view.pack_record(row.pack).is_some() && !view.condemned(row.pack);
        rows.filter(counts).map(|row| (row.pack, *row)).collect()
    }
}

/// The copy of a run or baseline on this machine, if it is what its name says.
fn good_copy(folder: &Path, key: &str) -> Result<Option<Vec<u8>>, TransferError> {
    let Some(Entry::Object(name)) = key.strip_prefix(key::CATALOGUE).map(Entry::parse) else {
        return Ok(None);
    };
    let bytes = match name.kind {
        ObjectKind::Run | ObjectKind::Baseline => {
            read_limited(&folder.join(name.to_string()), MAX_OBJECT_LEN)?
        }
        // A run takes its place.
        ObjectKind::PushRecord => None,
    };
    Ok(bytes.filter(|bytes| Object::parse_named(&name, bytes).is_ok()))
}
