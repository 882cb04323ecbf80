//! Proving that a pack is whole.

use std::io::{self, Read, Seek, SeekFrom};

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

/// Reads a whole pack and checks its name, its footer, every frame and every id.
///
/// `reader` gives the pack from its first byte and `size` is its length. `base_of` joins the chunks
/// of a base, each checked against its id; what it does not have is no damage of this pack, and is
/// only said if all else is right. Takes a few megabytes of memory: the tables, one frame, its base
/// and its content. Stops at the first thing that is wrong.
pub fn verify_pack<R: Read + Seek>(
    codecs: &mut Codecs,
    id: PackId,
    mut reader: R,
    size: u64,
    mut base_of: impl FnMut(&Bases) -> Option<Vec<u8>>,
) -> Result<PackSummary, VerifyError> {
    let pack = |source| VerifyError::Pack { id, source };
    let (header, tail) = read_ends(&mut reader, id, size)?;
    let kind = Header::parse(&header).map_err(pack)?.kind;
    let footer = Footer::parse(kind, &tail, size).map_err(pack)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&header);
    let (mut bytes, mut raw) = (Vec::new(), Vec::new());
    let mut objects = footer.objects.iter();
    let (mut unproved, mut deltas) = (Vec::new(), Vec::new());
    for (number, entry) in footer.frames.iter().enumerate() {
        bytes.resize(entry.frame_len as usize, 0);
        reader.read_exact(&mut bytes).map_err(|source| read_error(id, source))?;
        hasher.update(&bytes);
        let wrong = |source| VerifyError::Frame { id, number, offset: entry.offset, source };
        let mut own = objects.by_ref().take(entry.n_objects.into());
        check_head(kind, entry, &bytes).map_err(wrong)?;
        if let Some(bases) = Bases::of_frame(&bytes).map_err(wrong)? {
            let Some(object) = own.next() else { continue };
            match base_of(&bases) {
                Some(base) => {
                    let frame = decode_delta_frame(codecs, &bytes, &base);
                    frame.and_then(|f| check_object(kind, object, &f.raw)).map_err(wrong)?;
                }
                None => unproved.push(ChunkId(object.id)),
            }
            deltas.push((ChunkId(object.id), bases));
            continue;
        }
        decode_into(codecs, kind, &bytes, &mut raw)
            .and_then(|_| own.try_for_each(|object| check_object(kind, object, &raw)))
            .map_err(wrong)?;
    }
    hasher.update(&tail);
    let actual = PackId::from_digest(Digest(*hasher.finalize().as_bytes()));
    if actual != id {
        return Err(VerifyError::Name { id, actual });
    }
    if !unproved.is_empty() {
        return Err(VerifyError::NoBase { id, chunks: unproved });
    }
    Ok(PackSummary { deltas, ..summarise(id, kind, size, footer) })
}

fn read_error(id: PackId, source: io::Error) -> VerifyError {
    if source.kind() == io::ErrorKind::UnexpectedEof {
        let source = PackError::Malformed("it is shorter than its size was said to be");
        return VerifyError::Pack { id, source };
    }
    VerifyError::Read { id, source }
}

/// Reads header and footer, and leaves the reader at the first frame.
fn read_ends<R: Read + Seek>(
    reader: &mut R,
    id: PackId,
    size: u64,
) -> Result<([u8; HEADER_LEN as usize], Vec<u8>), VerifyError> {
    let read = |source| read_error(id, source);
    let pack = |source| VerifyError::Pack { id, source };
    let trailer_at = size
        .checked_sub(TRAILER_LEN.into())
        .filter(|at| *at >= HEADER_LEN.into())
        .ok_or_else(|| pack(PackError::Malformed("it is too short to be a pack")))?;
    let mut trailer = [0; TRAILER_LEN as usize];
    reader.seek(SeekFrom::Start(trailer_at)).map_err(read)?;
    reader.read_exact(&mut trailer).map_err(read)?;
    let tail_len = Footer::tail_len(&trailer, size).map_err(pack)?;
    let mut tail = vec![0; tail_len as usize];
    reader.seek(SeekFrom::Start(size - u64::from(tail_len))).map_err(read)?;
    reader.read_exact(&mut tail).map_err(read)?;
    let mut header = [0; HEADER_LEN as usize];
    reader.seek(SeekFrom::Start(0)).map_err(read)?;
    reader.read_exact(&mut header).map_err(read)?;
    Ok((header, tail))
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
