//! Proof that what keeps data alive is what others read: placements are not hashed, and those that
//! were gone by may have come from copies on this machine. So each node pack is proved against its
//! name, and what its placements name is compared with what was found needed.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::key;
use crate::hash::{Digest, NodeId, PackId, PackKind};
use crate::pack::{Codecs, decode_frame, node_in};
use crate::progress::{Job, Kind};
use crate::remote::Fetch;
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;
use crate::transfer::gc::closure::Uses;
use crate::transfer::gc::stock::Stock;
use crate::transfer::walk::{Spot, children_of};
use crate::transfer::walked::Visited;

/// Reads every node pack that is there whole, once, and proves the walk by it.
pub(super) fn prove(
    nodes: &[Visited],
    uses: &Uses,
    (stock, contact): (&Stock, &Contact),
    job: &Job,
) -> Result<(), TransferError> {
    let mut packs: BTreeMap<PackId, BTreeSet<(NodeId, Spot)>> = BTreeMap::new();
    for node in nodes.iter().filter(|node| stock.has(&node.at)) {
        packs.entry(node.at.pack).or_default().insert((node.id, node.at));
    }
    let task = job.begin(Kind::Verify, Some(packs.len() as u64));
    let packs: Vec<_> = packs.into_iter().collect();
    let size = |pack: &PackId| stock.packs.get(pack).map_or(0, |stored| stored.size);
    let fetches = packs.iter().map(|(pack, _)| Fetch {
        key: key::pack(PackKind::Nodes, *pack),
        range: None,
        limit: size(pack).min(PackKind::Nodes.max_size().into()),
    });
    let mut codecs = Codecs::new();
    contact.remote().get_ranges(fetches.collect(), contact.jobs(), job, |n, answer| {
        let bytes = answer?;
        task.advance(1);
        let Some((pack, nodes)) = packs.get(n) else { return Ok(()) };
        let is_it = PackId::from_digest(Digest::of(&bytes)) == *pack;
        let same =
            is_it && nodes.iter().all(|(id, at)| agrees(&mut codecs, &bytes, (*id, *at), uses));
        if same {
            return Ok(());
        }
        let object = nodes.first().map_or(Digest([0; 32]), |(id, _)| Digest(id.0));
        let why = if is_it {
            "what it says of the places of other objects is not what a copy on this machine says"
        } else {
            "its bytes do not hash to its name"
        };
        let (path, remote) = (b"a live root".to_vec(), contact.label().to_owned());
        Err(TransferError::Damaged { path, object, pack: *pack, remote, why: why.to_owned() })
    })
}

/// Says whether all that a node's placement names, as it lies in its pack, was found needed.
fn agrees(codecs: &mut Codecs, pack: &[u8], (id, at): (NodeId, Spot), uses: &Uses) -> bool {
    let frame =
        pack.get(at.offset as usize..(at.offset as usize).saturating_add(at.frame_len as usize));
    let raw = frame.and_then(|bytes| decode_frame(codecs, PackKind::Nodes, bytes).ok());
    let Some(raw) = raw else { return false };
    let Ok((node, placement)) = node_in(&raw.raw, id) else { return false };
    let Ok(children) = children_of(node, placement, at.pack) else { return false };
    children.iter().all(|(_, spot, bases)| spot.iter().chain(bases).all(|spot| uses.has(*spot)))
}
