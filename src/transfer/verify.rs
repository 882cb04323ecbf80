//! Proving that a remote is complete: every pack that the wanted pointers need is there, in the size
//! that the catalogue says.

use std::collections::BTreeMap;

use crate::cache::ObjectReader;
use crate::hash::{Digest, PackId, PackKind};
use crate::progress::{Job, Kind};
use crate::remote::Listed;
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;
use crate::transfer::nodes::walk;
use crate::transfer::root::Wanted;
use crate::transfer::sight::Sight;
use crate::transfer::stored::{look_up, prove_catalogue};
use crate::transfer::walk::Spot;

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
    /// Packs among them that gc has condemned: they are there, and may be gone tomorrow.
    pub condemned: u64,
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
    contact.prove_format()?;
    if let Some(first) = wanted.first() {
        prove_catalogue(contact, &first.path)?;
    }
    let mut proof = Proof::default();
    let mut needs: BTreeMap<PackId, Need> = BTreeMap::new();
    let (unlisted, listed): (Vec<&Wanted>, Vec<&Wanted>) =
        wanted.iter().partition(|item| is_unlisted(item, contact));
    for item in unlisted {
        let why = "the catalogue does not list it: it was never pushed here".to_owned();
        proof.gaps.push(Gap { path: item.path.clone(), object: object_of(item), why });
    }
    let listed: Vec<Wanted> = listed.into_iter().cloned().collect();
    // All together, for few requests; one by one only to tell which of them is damaged.
    match closure(&listed, contact, job) {
        Ok((bytes, found)) => {
            proof.bytes = proof.bytes.saturating_add(bytes);
            note(&mut needs, found);
        }
        Err(e) if e.is_damage() => {
            for item in &listed {
                job.check()?;
                match closure(std::slice::from_ref(item), contact, job) {
                    Ok((bytes, found)) => {
                        proof.bytes = proof.bytes.saturating_add(bytes);
                        note(&mut needs, found);
                    }
                    Err(e) if e.is_damage() => {
                        let (path, object) = (item.path.clone(), object_of(item));
                        proof.gaps.push(Gap { path, object, why: e.to_string() });
                    }
                    Err(e) => return Err(e),
                }
            }
        }
        Err(e) => return Err(e),
    }
    proof.packs = needs.len() as u64;
    let view = &contact.synced().view;
    proof.condemned = needs.keys().filter(|pack| view.condemned(**pack)).count() as u64;
    let packs = needs.iter().map(|(pack, need)| (*pack, need.kind)).collect();
    let found = look_up(contact, packs, job)?;
    let task = job.begin(Kind::Verify, Some(proof.packs));
    for (pack, need) in &needs {
        task.advance(1);
        if let Some(why) = flaw(contact, *pack, need, found.get(pack)) {
            let path = need.path.clone();
            proof.gaps.push(Gap { path, object: format!("pack {pack}"), why });
        }
    }
    Ok(proof)
}

/// A root that the catalogue does not list cannot be found by anybody else.
fn is_unlisted(item: &Wanted, contact: &Contact) -> bool {
    item.root.key().is_some_and(|key| contact.locate(key).is_none())
}

fn object_of(item: &Wanted) -> String {
    item.root.id().map_or_else(String::new, |id| Digest(id).to_string())
}

/// Bytes of files, and the packs that they need.
type Closure = (u64, Vec<(PackId, Need)>);

fn note(needs: &mut BTreeMap<PackId, Need>, found: Vec<(PackId, Need)>) {
    for (pack, new) in found {
        let end = new.end;
        let need = needs.entry(pack).or_insert(new);
        need.end = need.end.max(end);
    }
}

fn closure(items: &[Wanted], contact: &Contact, job: &Job) -> Result<Closure, TransferError> {
    let mut reader = ObjectReader::new(contact.layout(), contact.index())?;
    let walked = walk(items, &mut reader, Sight::Theirs(contact), job)?;
    let path = |wanted: usize| items.get(wanted).map_or(Vec::new(), |w| w.path.clone());
    let end = |spot: Spot| u64::from(spot.offset) + u64::from(spot.frame_len);
    let mut out = BTreeMap::new();
    for node in &walked.nodes {
        let need = Need { kind: PackKind::Nodes, end: end(node.at), path: path(node.wanted) };
        note(&mut out, vec![(node.at.pack, need)]);
    }
    for step in walked.chunks.iter() {
        let spot = step.spot.or_else(|| contact.locate(step.id.key()));
        let spot = spot.ok_or_else(|| contact.nobody_pushed(items, step.wanted, &step.id.0))?;
        for spot in step.bases.iter().chain([&spot]) {
            let need = Need { kind: PackKind::Data, end: end(*spot), path: path(step.wanted) };
            note(&mut out, vec![(spot.pack, need)]);
        }
    }
    Ok((walked.bytes, out.into_iter().collect()))
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
