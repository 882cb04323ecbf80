//! Proving that a remote is complete: every pack that the wanted pointers need is there, in the size
//! that the catalogue says.

use std::collections::BTreeMap;

use crate::cache::ObjectReader;
use crate::catalogue::key;
use crate::hash::{Digest, PackId, PackKind};
use crate::progress::{Job, Kind};
use crate::remote::Listed;
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;
use crate::transfer::nodes::walk;
use crate::transfer::root::{Root, Wanted};

/// Up to this many packs are asked for one by one; beyond, the remote is listed.
const ASK_EACH: usize = 64;

/// Something that a pointer needs and the remote does not have as it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The tracked path.
    pub path: Vec<u8>,
    /// What is missing: a root, a node or a pack.
    pub object: String,
    /// What is wrong with it.
    pub why: String,
}

/// What a proof looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// Packs that the pointers need.
    pub packs: u64,
    /// Bytes of files that they stand for.
    pub bytes: u64,
    /// What is missing; empty if everything is there.
    pub gaps: Vec<Gap>,
}

/// A pack that is needed: its kind, how far into it, and one path that needs it.
struct Need {
    kind: PackKind,
    end: u64,
    path: Vec<u8>,
}

/// Proves each pointer's closure against the remote as it is listed now.
pub fn verify(wanted: &[Wanted], contact: &Contact, job: &Job) -> Result<Proof, TransferError> {
    let mut proof = Proof::default();
    let mut listed = Vec::new();
    for (i, item) in wanted.iter().enumerate() {
        match unlisted(item, contact) {
            Some(gap) => proof.gaps.push(gap),
            None => listed.push(i),
        }
    }
    let mut needs = BTreeMap::new();
    let all: Vec<Wanted> = listed.iter().filter_map(|i| wanted.get(*i).cloned()).collect();
    match closure(&all, contact, &mut needs, job) {
        Ok(bytes) => proof.bytes = bytes,
        // Something is damaged: look at each pointer by itself, to name all that suffer from it.
        Err(e) if e.is_damage() => one_by_one(&all, contact, &mut needs, &mut proof, job)?,
        Err(e) => return Err(e),
    }
    proof.packs = needs.len() as u64;
    let found = look(&needs, contact, job)?;
    let task = job.begin(Kind::Verify, Some(proof.packs));
    for (pack, need) in &needs {
        task.advance(1);
        if let Some(why) = flaw(contact, *pack, need, found.get(pack)) {
            let (path, object) = (need.path.clone(), format!("pack {pack}"));
            proof.gaps.push(Gap { path, object, why });
        }
    }
    Ok(proof)
}

fn one_by_one(
    wanted: &[Wanted],
    contact: &Contact,
    needs: &mut BTreeMap<PackId, Need>,
    proof: &mut Proof,
    job: &Job,
) -> Result<(), TransferError> {
    for item in wanted {
        job.check()?;
        match closure(std::slice::from_ref(item), contact, needs, job) {
            Ok(bytes) => proof.bytes += bytes,
            Err(e) if e.is_damage() => {
                let object = item.root.id().map_or_else(String::new, |id| Digest(id).to_string());
                proof.gaps.push(Gap { path: item.path.clone(), object, why: e.to_string() });
            }
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// A root that the catalogue does not list cannot be found by anybody else.
fn unlisted(item: &Wanted, contact: &Contact) -> Option<Gap> {
    let key = item.root.key()?;
    if contact.locate(key).is_some() {
        return None;
    }
    let object = item.root.id().map_or_else(String::new, |id| Digest(id).to_string());
    let why = "the catalogue does not list it: it was never pushed here".to_owned();
    Some(Gap { path: item.path.clone(), object, why })
}

/// Collects the packs that the pointers need; returns the bytes that they stand for.
fn closure(
    wanted: &[Wanted],
    contact: &Contact,
    needs: &mut BTreeMap<PackId, Need>,
    job: &Job,
) -> Result<u64, TransferError> {
    let mut reader = ObjectReader::new(contact.layout(), contact.index())?;
    let walked = walk(wanted, &mut reader, Some(contact), job)?;
    let mut add = |pack: PackId, kind: PackKind, end: u64, which: usize| {
        let path = wanted.get(which).map_or(Vec::new(), |w| w.path.clone());
        let need = needs.entry(pack).or_insert(Need { kind, end, path });
        need.end = need.end.max(end);
    };
    for (i, item) in wanted.iter().enumerate() {
        if let Root::Tree { id, .. } = &item.root
            && let Some(spot) = contact.locate(id.key())
        {
            add(spot.pack, PackKind::Nodes, spot.end(), i);
        }
    }
    for (_, pack, which) in &walked.nodes {
        add(*pack, PackKind::Nodes, 0, *which);
    }
    for step in &walked.chunks {
        let spot = step.spot.or_else(|| contact.locate(step.id.key()));
        let spot = spot.ok_or_else(|| contact.nobody_pushed(wanted, step.wanted, &step.id.0))?;
        add(spot.pack, PackKind::Data, spot.end(), step.wanted);
    }
    Ok(walked.bytes)
}

fn look(
    needs: &BTreeMap<PackId, Need>,
    contact: &Contact,
    job: &Job,
) -> Result<BTreeMap<PackId, Listed>, TransferError> {
    if needs.len() <= ASK_EACH {
        let keys = needs.iter().map(|(pack, need)| key::pack(need.kind, *pack)).collect();
        let found = contact.remote().head_many(keys, contact.jobs(), job)?;
        return Ok(needs.keys().zip(found).filter_map(|(pack, l)| Some((*pack, l?))).collect());
    }
    let mut out = BTreeMap::new();
    for prefix in [key::DATA_PACKS, key::NODE_PACKS] {
        for listed in contact.remote().list(prefix)? {
            if let Some((_, pack)) = key::parse_pack(&listed.key) {
                out.insert(pack, listed);
            }
        }
    }
    Ok(out)
}

fn flaw(contact: &Contact, pack: PackId, need: &Need, found: Option<&Listed>) -> Option<String> {
    let Some(listed) = found else { return Some("it is not on the remote".to_owned()) };
    let said = contact.synced().view.pack_record(pack).map(|record| u64::from(record.size));
    match said {
        Some(size) if size != listed.size => {
            Some(format!("it has {} bytes, the catalogue says {size}", listed.size))
        }
        _ if listed.size < need.end => {
            Some(format!("it has {} bytes, content lies up to byte {}", listed.size, need.end))
        }
        _ => None,
    }
}
