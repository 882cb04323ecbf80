//! Where the children of a node lie: an unhashed hint that stands behind the node in its frame.
//!
//! A placement may be out of date or damaged. Whatever is wrong with it, the remedy is the same:
//! look the node up in the catalogue. What is fetched through it is checked by its id.

use crate::hash::PackId;
use crate::wire::{Reader, WireError, put_varint};

const PACK: u8 = 1;
const OFFSET: u8 = 2;
const SAME: u8 = 4;
const SKIP: u8 = 8;
const BASES: u8 = 16;

/// What stands for the pack that holds the node.
const THIS: PackId = PackId([0; PackId::LEN]);

const MAX_PACKS: usize = 2048;
const MAX_BASES: usize = 4;
const MAX_PACK_LEN: u64 = 64 << 20;
const MAX_FRAME_LEN: u64 = 9 << 20;
const MAX_SKIP: u64 = 8 << 20;

/// The pack that a location names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PackRef {
    /// The pack that holds the node itself. No pack can state its own name, which is a hash of
    /// its bytes; so this is written as sixteen zero bytes.
    This,
    /// Another pack.
    Pack(PackId),
}

/// Where a chunk lies that a frame needs as its base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BaseLoc {
    /// The pack.
    pub pack: PackRef,
    /// Bytes of the pack before the frame.
    pub offset: u32,
    /// Bytes of the frame, 1 to 9 MiB.
    pub frame_len: u32,
    /// Bytes before the chunk once the frame is decoded.
    pub skip: u32,
}

/// Where a child lies.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Loc {
    /// The pack.
    pub pack: PackRef,
    /// Bytes of the pack before the frame.
    pub offset: u32,
    /// Bytes of the frame, 1 to 9 MiB.
    pub frame_len: u32,
    /// Bytes before the child once the frame is decoded; 0 for a node.
    pub skip: u32,
    /// Where the bases of the frame lie, in its order; at most four.
    pub bases: Vec<BaseLoc>,
}

/// Why bytes are not a usable placement; to be treated as a placement that is out of date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlacementError {
    /// The bytes end early, or hold a number in a longer form than needed.
    #[error("the placement of a node cannot be decoded: {0}")]
    Wire(#[from] WireError),
    /// A limit is passed.
    #[error("the {0} in the placement of a node is outside its limits")]
    Limit(&'static str),
    /// The bytes are not the one way to write these locations.
    #[error("the placement of a node is not in its canonical form")]
    Form,
}

/// Writes the locations of all children of a node, in their order.
pub fn encode_placement(locs: &[Loc]) -> Result<Vec<u8>, PlacementError> {
    let mut packs = Packs::default();
    let mut body = Vec::with_capacity(locs.len() * 6);
    let mut previous: Option<&Loc> = None;
    for loc in locs {
        check_frame(loc.offset.into(), loc.frame_len.into(), loc.skip.into())?;
        let same = previous.is_some_and(|p| {
            (p.pack, p.offset, p.frame_len) == (loc.pack, loc.offset, loc.frame_len)
        });
        let other_pack = previous.is_none_or(|p| p.pack != loc.pack);
        let gap = previous.is_none_or(|p| p.offset.checked_add(p.frame_len) != Some(loc.offset));
        let own_frame = if same { SAME } else { flag(other_pack, PACK) };
        let offset = flag(!same && (other_pack || gap), OFFSET);
        let flags =
            own_frame | offset | flag(loc.skip != 0, SKIP) | flag(!loc.bases.is_empty(), BASES);
        body.push(flags);
        if flags & PACK != 0 {
            packs.put(loc.pack, &mut body)?;
        }
        if flags & OFFSET != 0 {
            put_varint(&mut body, loc.offset.into());
        }
        if !same {
            put_varint(&mut body, loc.frame_len.into());
        }
        if loc.skip != 0 {
            put_varint(&mut body, loc.skip.into());
        }
        put_bases(&loc.bases, &mut packs, &mut body)?;
        previous = Some(loc);
    }
    Ok(packs.with_body(&body))
}

/// Reads the locations of `children` children. Accepts exactly what [`encode_placement`] writes.
pub fn decode_placement(bytes: &[u8], children: usize) -> Result<Vec<Loc>, PlacementError> {
    let mut reader = Reader::new(bytes);
    let n = within(reader.varint()?, MAX_PACKS as u64, "number of packs")?;
    let mut packs = Vec::with_capacity(n.min(bytes.len() / PackId::LEN));
    for _ in 0..n {
        let id = PackId(reader.array()?);
        packs.push(if id == THIS { PackRef::This } else { PackRef::Pack(id) });
    }
    // Each child takes at least one byte of flags.
    let mut locs: Vec<Loc> = Vec::with_capacity(children.min(reader.rest().len()));
    for _ in 0..children {
        let loc = take_loc(&mut reader, &packs, locs.last())?;
        locs.push(loc);
    }
    if encode_placement(&locs)? == bytes { Ok(locs) } else { Err(PlacementError::Form) }
}

fn take_loc(
    reader: &mut Reader<'_>,
    packs: &[PackRef],
    previous: Option<&Loc>,
) -> Result<Loc, PlacementError> {
    let flags = reader.u8()?;
    let first_lacks = previous.is_none() && flags & (PACK | OFFSET) != PACK | OFFSET;
    let clash = flags & SAME != 0 && flags & (PACK | OFFSET) != 0;
    if flags >= 2 * BASES || first_lacks || clash {
        return Err(PlacementError::Form);
    }
    let mut loc = match previous {
        Some(previous) => Loc { skip: 0, bases: Vec::new(), ..*previous },
        None => Loc { pack: PackRef::This, offset: 0, frame_len: 0, skip: 0, bases: Vec::new() },
    };
    if flags & PACK != 0 {
        loc.pack = take_pack(reader, packs)?;
    }
    if flags & SAME == 0 {
        loc.offset = match flags & OFFSET {
            0 => loc.offset.saturating_add(loc.frame_len),
            _ => take_u32(reader)?,
        };
        loc.frame_len = take_u32(reader)?;
    }
    if flags & SKIP != 0 {
        loc.skip = take_u32(reader)?;
    }
    check_frame(loc.offset.into(), loc.frame_len.into(), loc.skip.into())?;
    if flags & BASES != 0 {
        let n = within(reader.u8()?.into(), MAX_BASES as u64, "number of bases")?;
        for _ in 0..n {
            let pack = take_pack(reader, packs)?;
            let (offset, frame_len) = (take_u32(reader)?, take_u32(reader)?);
            let skip = take_u32(reader)?;
            check_frame(offset.into(), frame_len.into(), skip.into())?;
            loc.bases.push(BaseLoc { pack, offset, frame_len, skip });
        }
    }
    Ok(loc)
}

fn put_bases(
    bases: &[BaseLoc],
    packs: &mut Packs,
    body: &mut Vec<u8>,
) -> Result<(), PlacementError> {
    if bases.is_empty() {
        return Ok(());
    }
    let limit = PlacementError::Limit("number of bases");
    let n = u8::try_from(bases.len()).ok().filter(|n| usize::from(*n) <= MAX_BASES).ok_or(limit)?;
    body.push(n);
    for base in bases {
        check_frame(base.offset.into(), base.frame_len.into(), base.skip.into())?;
        packs.put(base.pack, body)?;
        for number in [base.offset, base.frame_len, base.skip] {
            put_varint(body, number.into());
        }
    }
    Ok(())
}

/// The packs of a placement, in the order in which they are first named.
#[derive(Default)]
struct Packs {
    order: Vec<PackRef>,
    numbers: std::collections::HashMap<PackRef, u64>,
}

impl Packs {
    fn put(&mut self, pack: PackRef, out: &mut Vec<u8>) -> Result<(), PlacementError> {
        let next = self.order.len();
        let number = *self.numbers.entry(pack).or_insert(next as u64);
        if number == next as u64 {
            within(number + 1, MAX_PACKS as u64, "number of packs")?;
            self.order.push(pack);
        }
        put_varint(out, number);
        Ok(())
    }

    fn with_body(&self, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(2 + self.order.len() * PackId::LEN + body.len());
        put_varint(&mut out, self.order.len() as u64);
        for pack in &self.order {
            out.extend_from_slice(match pack {
                PackRef::This => THIS.as_bytes(),
                PackRef::Pack(id) => id.as_bytes(),
            });
        }
        out.extend_from_slice(body);
        out
    }
}

fn take_pack(reader: &mut Reader<'_>, packs: &[PackRef]) -> Result<PackRef, PlacementError> {
    let number = usize::try_from(reader.varint()?).unwrap_or(usize::MAX);
    packs.get(number).copied().ok_or(PlacementError::Limit("number of a pack"))
}

fn take_u32(reader: &mut Reader<'_>) -> Result<u32, PlacementError> {
    u32::try_from(reader.varint()?).map_err(|_| PlacementError::Limit("position of a frame"))
}

fn check_frame(offset: u64, frame_len: u64, skip: u64) -> Result<(), PlacementError> {
    let frame = (1..=MAX_FRAME_LEN).contains(&frame_len) && offset + frame_len <= MAX_PACK_LEN;
    if frame && skip <= MAX_SKIP {
        return Ok(());
    }
    Err(PlacementError::Limit("position of a frame"))
}

fn within(value: u64, limit: u64, what: &'static str) -> Result<usize, PlacementError> {
    usize::try_from(value).ok().filter(|_| value <= limit).ok_or(PlacementError::Limit(what))
}

fn flag(set: bool, bit: u8) -> u8 {
    if set { bit } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pack() -> impl Strategy<Value = PackRef> {
        prop_oneof![Just(PackRef::This), (1_u8..4).prop_map(|n| PackRef::Pack(PackId([n; 16])))]
    }

    fn number() -> impl Strategy<Value = u32> {
        prop_oneof![Just(0), 0_u32..200, 0_u32..8 << 20]
    }

    fn loc() -> impl Strategy<Value = Loc> {
        let base = (pack(), number(), 1_u32..300, number())
            .prop_map(|(pack, offset, frame_len, skip)| BaseLoc { pack, offset, frame_len, skip });
        let bases = prop_oneof![Just(Vec::new()), proptest::collection::vec(base, 0..5)];
        (pack(), prop_oneof![Just(24), Just(34), number()], Just(10), number(), bases).prop_map(
            |(pack, offset, frame_len, skip, bases)| Loc { pack, offset, frame_len, skip, bases },
        )
    }

    proptest! {
        #[test]
        fn locations_read_back_as_written(locs in proptest::collection::vec(loc(), 0..9)) {
            let bytes = encode_placement(&locs).unwrap();
            prop_assert_eq!(decode_placement(&bytes, locs.len()), Ok(locs.clone()));
            prop_assert!(decode_placement(&bytes, locs.len() + 1).is_err());
            for len in 0..bytes.len() {
                prop_assert!(decode_placement(&bytes[..len], locs.len()).is_err());
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic_and_what_is_accepted_has_one_form(
            bytes in proptest::collection::vec(prop_oneof![0_u8..32, any::<u8>()], 0..80),
            children in 0_usize..6,
        ) {
            if let Ok(locs) = decode_placement(&bytes, children) {
                prop_assert_eq!(encode_placement(&locs).unwrap(), bytes);
            }
        }
    }

    #[test]
    fn frames_beyond_a_pack_and_too_many_bases_are_refused() {
        let base = BaseLoc { pack: PackRef::This, offset: 24, frame_len: 9, skip: 0 };
        let good = Loc { pack: PackRef::This, offset: 24, frame_len: 9, skip: 0, bases: vec![] };
        let bad = [
            Loc { frame_len: 0, ..good.clone() },
            Loc { frame_len: (9 << 20) + 1, ..good.clone() },
            Loc { offset: 64 << 20, ..good.clone() },
            Loc { offset: u32::MAX, ..good.clone() },
            Loc { bases: vec![base; 5], ..good.clone() },
            Loc { bases: vec![BaseLoc { frame_len: 0, ..base }], ..good.clone() },
        ];
        for loc in bad {
            assert!(encode_placement(std::slice::from_ref(&loc)).is_err(), "{loc:?}");
        }
        assert!(encode_placement(&[Loc { bases: vec![base; 4], ..good }]).is_ok());
    }

    #[test]
    fn a_count_of_packs_that_lies_is_refused_without_allocating() {
        assert!(decode_placement(&[0xff, 0xff, 0xff, 0xff, 0x0f], 0).is_err());
        assert!(decode_placement(&[0x80, 0x10], usize::MAX).is_err());
        assert_eq!(decode_placement(&[0], 0), Ok(Vec::new()));
    }
}
