//! Proving that a pack is whole, or finding what in it is not.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::ControlFlow;

use super::bases::Bases;
use super::codec::Codecs;
use super::delta::decode_delta_frame;
use super::error::{FrameError, PackError, VerifyError};
use super::footer::{Footer, FrameEntry, ObjectPlace};
use super::frame::{chunk_in, decode_into, node_in};
use super::layout::{FrameHead, HEADER_LEN, Header, TRAILER_LEN};
use super::write::{PackSummary, summarise};
use crate::hash::ChunkId;
use crate::hash::Digest;
use crate::hash::NodeId;
use crate::hash::PackId;
use crate::hash::PackKind;
use crate::wire::Reader;

/// Bytes read at a time where nothing is known of a pack but its name.
const PIECE: usize = 64 << 10;

/// What a pack is examined with.
pub struct Witness<'w> {
    /// Joins the chunks of a base, each checked against its id; nothing if one is not to be had.
    pub base_of: &'w mut dyn FnMut(&Bases) -> Option<Vec<u8>>,
    /// Says what is wrong with the content of a node's frame, whose id is right.
    pub node: &'w mut dyn FnMut(&[u8]) -> Result<(), FrameError>,
}

/// A frame that is not what the pack's own tables say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadFrame {
    /// The number of the frame, from 0.
    pub number: usize,
    /// Where it begins in the pack.
    pub offset: u32,
    /// The chunks or nodes that it should hold.
    pub objects: Vec<[u8; 32]>,
    /// What is wrong.
    pub source: FrameError,
}

/// Everything that can be told of a pack from its bytes.
#[derive(Debug)]
pub struct Examined {
    /// The name that the bytes have.
    pub actual: PackId,
    /// Kind and tables, or what is wrong with them.
    pub tables: Result<(PackKind, Footer), PackError>,
    /// The frames that are wrong, in order.
    pub frames: Vec<BadFrame>,
    /// Chunks that were not proved for want of their base.
    pub unproved: Vec<ChunkId>,
    /// The chunks that are stored as a delta, and to what.
    pub deltas: Vec<(ChunkId, Bases)>,
}

/// Reads a whole pack and finds everything in it that is wrong.
///
/// `reader` gives the pack from its first byte, and with it comes its length. Takes a few megabytes of
/// memory: the tables, one frame, its base and its content. Fails only if the bytes cannot be read.
pub fn examine_pack<R: Read + Seek>(
    codecs: &mut Codecs,
    (mut reader, size): (R, u64),
    witness: &mut Witness,
) -> io::Result<Examined> {
    let (header, kind, tail, footer) = match read_tables(&mut reader, size)? {
        Ok(tables) => tables,
        Err(source) => {
            let actual = name_of(&mut reader)?;
            let (frames, unproved, deltas) = (Vec::new(), Vec::new(), Vec::new());
            return Ok(Examined { actual, tables: Err(source), frames, unproved, deltas });
        }
    };
    let mut hasher = blake3::Hasher::new();
    hasher.update(&header);
    let mut found =
        Found { kind, codecs, witness, raw: Vec::new(), frames: Vec::new(), unproved: Vec::new() };
    let (mut deltas, mut bytes, mut objects) = (Vec::new(), Vec::new(), footer.objects.as_slice());
    for (number, entry) in footer.frames.iter().enumerate() {
        bytes.resize(entry.frame_len as usize, 0);
        reader.read_exact(&mut bytes)?;
        hasher.update(&bytes);
        let (own, rest) = objects.split_at_checked(entry.n_objects.into()).unwrap_or_default();
        objects = rest;
        match found.check(entry, own, &bytes) {
            Ok(bases) => deltas.extend(bases),
            Err(source) => {
                let objects = own.iter().map(|object| object.id).collect();
                let offset = entry.offset;
                found.frames.push(BadFrame { number, offset, objects, source });
            }
        }
    }
    hasher.update(&tail);
    let actual = PackId::from_digest(Digest(*hasher.finalize().as_bytes()));
    let Found { frames, unproved, .. } = found;
    Ok(Examined { actual, tables: Ok((kind, footer)), frames, unproved, deltas })
}

/// Reads a whole pack and checks its name, its footer, every frame and every id.
///
/// As [`examine_pack`]; gives the first thing that is wrong. What `base_of` does not have is no damage
/// of this pack, and is only said if all else is right.
pub fn verify_pack<R: Read + Seek>(
    codecs: &mut Codecs,
    id: PackId,
    reader: R,
    size: u64,
    mut base_of: impl FnMut(&Bases) -> Option<Vec<u8>>,
) -> Result<PackSummary, VerifyError> {
    let mut witness = Witness { base_of: &mut base_of, node: &mut |_| Ok(()) };
    let read = |source| VerifyError::Read { id, source };
    let mut found = examine_pack(codecs, (reader, size), &mut witness).map_err(read)?;
    let (kind, footer) = found.tables.map_err(|source| VerifyError::Pack { id, source })?;
    if !found.frames.is_empty() {
        let BadFrame { number, offset, source, .. } = found.frames.swap_remove(0);
        return Err(VerifyError::Frame { id, number, offset, source });
    }
    if found.actual != id {
        return Err(VerifyError::Name { id, actual: found.actual });
    }
    if !found.unproved.is_empty() {
        return Err(VerifyError::NoBase { id, chunks: found.unproved });
    }
    Ok(PackSummary { deltas: found.deltas, ..summarise(id, kind, size, footer) })
}

/// Reads kind and tables of a pack, or says what is wrong with them.
pub fn read_footer<R: Read + Seek>(
    reader: &mut R,
    size: u64,
) -> io::Result<Result<(PackKind, Footer), PackError>> {
    Ok(read_tables(reader, size)?.map(|(_, kind, _, footer)| (kind, footer)))
}

/// Header, kind, footer with trailer, and what the footer says.
type Tables = ([u8; HEADER_LEN as usize], PackKind, Vec<u8>, Footer);

/// Reads header and footer, and leaves the reader at the first frame.
fn read_tables<R: Read + Seek>(reader: &mut R, size: u64) -> io::Result<Result<Tables, PackError>> {
    match read_ends(reader, size) {
        Ok(ControlFlow::Continue((header, tail))) => Ok(parse(header, tail, size)),
        Ok(ControlFlow::Break(source)) => Ok(Err(source)),
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
            Ok(Err(PackError::Malformed("it is shorter than its size was said to be")))
        }
        Err(e) => Err(e),
    }
}

fn parse(header: [u8; HEADER_LEN as usize], tail: Vec<u8>, size: u64) -> Result<Tables, PackError> {
    let kind = Header::parse(&header)?.kind;
    let footer = Footer::parse(kind, &tail, size)?;
    Ok((header, kind, tail, footer))
}

type Ends = ([u8; HEADER_LEN as usize], Vec<u8>);

fn read_ends<R: Read + Seek>(
    reader: &mut R,
    size: u64,
) -> io::Result<ControlFlow<PackError, Ends>> {
    let least = size.checked_sub(TRAILER_LEN.into()).filter(|at| *at >= HEADER_LEN.into());
    let Some(trailer_at) = least else {
        return Ok(ControlFlow::Break(PackError::Malformed("it is too short to be a pack")));
    };
    let mut trailer = [0; TRAILER_LEN as usize];
    reader.seek(SeekFrom::Start(trailer_at))?;
    reader.read_exact(&mut trailer)?;
    let tail_len = match Footer::tail_len(&trailer, size) {
        Ok(len) => len,
        Err(source) => return Ok(ControlFlow::Break(source)),
    };
    let mut tail = vec![0; tail_len as usize];
    reader.seek(SeekFrom::Start(size - u64::from(tail_len)))?;
    reader.read_exact(&mut tail)?;
    let mut header = [0; HEADER_LEN as usize];
    reader.seek(SeekFrom::Start(0))?;
    reader.read_exact(&mut header)?;
    Ok(ControlFlow::Continue((header, tail)))
}

/// Hashes everything.
fn name_of<R: Read + Seek>(reader: &mut R) -> io::Result<PackId> {
    reader.seek(SeekFrom::Start(0))?;
    let (mut hasher, mut piece) = (blake3::Hasher::new(), vec![0; PIECE]);
    loop {
        match reader.read(&mut piece)? {
            0 => return Ok(PackId::from_digest(Digest(*hasher.finalize().as_bytes()))),
            n => hasher.update(piece.get(..n).unwrap_or_default()),
        };
    }
}

/// What an examination came to so far.
struct Found<'f, 'w> {
    kind: PackKind,
    codecs: &'f mut Codecs,
    witness: &'f mut Witness<'w>,
    raw: Vec<u8>,
    frames: Vec<BadFrame>,
    unproved: Vec<ChunkId>,
}

impl Found<'_, '_> {
    /// Checks one frame with everything in it; returns what it is a delta to, if it is one.
    fn check(
        &mut self,
        entry: &FrameEntry,
        own: &[ObjectPlace],
        bytes: &[u8],
    ) -> Result<Option<(ChunkId, Bases)>, FrameError> {
        check_head(self.kind, entry, bytes)?;
        if let Some(bases) = Bases::of_frame(bytes)? {
            let Some(object) = own.first() else { return Ok(None) };
            match (self.witness.base_of)(&bases) {
                Some(base) => {
                    let frame = decode_delta_frame(self.codecs, bytes, &base)?;
                    check_object(self.kind, object, &frame.raw)?;
                }
                None => self.unproved.push(ChunkId(object.id)),
            }
            return Ok(Some((ChunkId(object.id), bases)));
        }
        decode_into(self.codecs, self.kind, bytes, &mut self.raw)?;
        own.iter().try_for_each(|object| check_object(self.kind, object, &self.raw))?;
        match self.kind {
            PackKind::Data => Ok(None),
            PackKind::Nodes => (self.witness.node)(&self.raw).map(|()| None),
        }
    }
}

fn check_head(kind: PackKind, entry: &FrameEntry, bytes: &[u8]) -> Result<(), FrameError> {
    let head = FrameHead::read(kind, &mut Reader::new(bytes))?;
    let agrees = head.codec == entry.codec
        && head.n_objects == entry.n_objects
        && head.raw_len == entry.raw_len
        && head.n_bases == entry.n_bases;
    if agrees { Ok(()) } else { Err(FrameError::Malformed("it is not as the footer lists it")) }
}

fn check_object(kind: PackKind, object: &ObjectPlace, raw: &[u8]) -> Result<(), FrameError> {
    match kind {
        PackKind::Data => chunk_in(raw, object.skip, object.len, ChunkId(object.id)).map(|_| ()),
        PackKind::Nodes => {
            let (node, _) = node_in(raw, NodeId(object.id))?;
            let fits = node.len() == object.len as usize;
            let wrong = FrameError::Malformed("its node is not as long as the footer lists it");
            fits.then_some(()).ok_or(wrong)
        }
    }
}
