//! Proving that a pack is whole.

use std::io::{self, Read, Seek, SeekFrom};

use super::codec::Codecs;
use super::error::{FrameError, PackError, VerifyError};
use super::footer::{Footer, FrameEntry, ObjectPlace};
use super::frame::{chunk_in, decode_into, node_in};
use super::layout::{HEADER_LEN, Header, TRAILER_LEN};
use super::write::{PackSummary, summarise};
use crate::hash::ChunkId;
use crate::hash::Digest;
use crate::hash::NodeId;
use crate::hash::PackId;
use crate::hash::PackKind;

/// Reads a whole pack and checks its name, its footer, every frame and every id.
///
/// `reader` gives the pack from its first byte and `size` is its length. Takes a few megabytes of
/// memory: the tables, one frame and its content. Stops at the first thing that is wrong.
pub fn verify_pack<R: Read + Seek>(
    codecs: &mut Codecs,
    id: PackId,
    mut reader: R,
    size: u64,
) -> Result<PackSummary, VerifyError> {
    let pack = |source| VerifyError::Pack { id, source };
    let (header, tail) = read_ends(&mut reader, id, size)?;
    let kind = Header::parse(&header).map_err(pack)?.kind;
    let footer = Footer::parse(kind, &tail, size).map_err(pack)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&header);
    let (mut bytes, mut raw) = (Vec::new(), Vec::new());
    let mut objects = footer.objects.iter();
    for (number, entry) in footer.frames.iter().enumerate() {
        bytes.resize(entry.frame_len as usize, 0);
        reader.read_exact(&mut bytes).map_err(|source| read_error(id, source))?;
        hasher.update(&bytes);
        check_frame(codecs, kind, entry, &bytes, &mut raw)
            .and_then(|()| {
                let mut own = objects.by_ref().take(entry.n_objects.into());
                own.try_for_each(|object| check_object(kind, object, &raw))
            })
            .map_err(|source| VerifyError::Frame { id, number, offset: entry.offset, source })?;
    }
    hasher.update(&tail);
    let actual = PackId::from_digest(Digest(*hasher.finalize().as_bytes()));
    if actual != id {
        return Err(VerifyError::Name { id, actual });
    }
    Ok(summarise(id, kind, size, footer))
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

fn check_frame(
    codecs: &mut Codecs,
    kind: PackKind,
    entry: &FrameEntry,
    bytes: &[u8],
    raw: &mut Vec<u8>,
) -> Result<(), FrameError> {
    let head = decode_into(codecs, kind, bytes, raw)?;
    let agrees = head.codec == entry.codec
        && head.n_objects == entry.n_objects
        && head.raw_len == entry.raw_len
        && entry.n_bases == 0;
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
