//! Reading frames and finding objects in them.

use super::codec::Codecs;
use super::error::FrameError;
use super::layout::{FrameHead, MAX_NODE, NODE_HEADER_LEN};
use crate::fs::planted;
use crate::hash::ChunkId;
use crate::hash::Digest;
use crate::hash::NodeId;
use crate::hash::PackKind;
use crate::wire::Reader;

/// The decoded content of one frame. Nothing in it is proved until an id was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The objects' bytes, one after the other.
    pub raw: Vec<u8>,
    /// How many objects the frame holds.
    pub n_objects: u16,
}

impl Frame {
    /// Finds a chunk; see [`chunk_in`].
    pub fn chunk(&self, skip: u32, len: u32, id: ChunkId) -> Result<&[u8], FrameError> {
        chunk_in(&self.raw, skip, len, id)
    }

    /// Finds the node and its placement; see [`node_in`].
    pub fn node(&self, id: NodeId) -> Result<(&[u8], &[u8]), FrameError> {
        node_in(&self.raw, id)
    }
}

/// Decodes a frame; `bytes` must be that frame and nothing else.
///
/// All sizes are checked against the limits for `kind` before memory is taken, at most the declared
/// length is decoded, and exactly that length must come out.
pub fn decode_frame(
    codecs: &mut Codecs,
    kind: PackKind,
    bytes: &[u8],
) -> Result<Frame, FrameError> {
    let mut raw = Vec::new();
    let head = decode_into(codecs, kind, bytes, &mut raw)?;
    Ok(Frame { raw, n_objects: head.n_objects })
}

/// As [`decode_frame`], into a buffer that is used again.
pub(super) fn decode_into(
    codecs: &mut Codecs,
    kind: PackKind,
    bytes: &[u8],
    raw: &mut Vec<u8>,
) -> Result<FrameHead, FrameError> {
    let mut reader = Reader::new(bytes);
    let head = FrameHead::read(kind, &mut reader)?;
    if head.n_bases != 0 {
        return Err(FrameError::NeedsBase);
    }
    let payload = reader.rest();
    if payload.len() != head.payload_len as usize {
        return Err(FrameError::Malformed("it is not as long as it declares"));
    }
    codecs.unpack(head.codec, payload, head.raw_len as usize, raw)?;
    Ok(head)
}

/// Returns the chunk of `len` bytes at `skip` of a frame's content, its id checked.
pub fn chunk_in(raw: &[u8], skip: u32, len: u32, id: ChunkId) -> Result<&[u8], FrameError> {
    let chunk = raw
        .get(skip as usize..)
        .and_then(|rest| rest.get(..len as usize))
        .ok_or(FrameError::Malformed("it ends before the chunk that was looked for"))?;
    let actual = ChunkId::of(chunk);
    if actual == id || planted::is("hash-check-off") {
        Ok(chunk)
    } else {
        Err(FrameError::WrongId { expected: Digest(id.0), actual: Digest(actual.0) })
    }
}

/// Returns the node in a frame's content, its id checked, and the placement behind it, unproved.
pub fn node_in(raw: &[u8], id: NodeId) -> Result<(&[u8], &[u8]), FrameError> {
    let (node, placement) = first_node(raw)?;
    let actual = NodeId::of(node);
    if actual == id || planted::is("hash-check-off") {
        Ok((node, placement))
    } else {
        Err(FrameError::WrongId { expected: Digest(id.0), actual: Digest(actual.0) })
    }
}

/// Returns the node in a frame's content, whichever that is, and the placement behind it, unproved.
pub fn first_node(raw: &[u8]) -> Result<(&[u8], &[u8]), FrameError> {
    node_len(raw)
        .filter(|len| *len <= MAX_NODE as usize)
        .and_then(|len| raw.split_at_checked(len))
        .ok_or(FrameError::Malformed("it ends before its node does"))
}

/// Returns the length of a node as its header declares it.
pub(super) fn node_len(raw: &[u8]) -> Option<usize> {
    let (_, rest) = raw.split_at_checked(8)?;
    let body = u32::from_le_bytes(*rest.first_chunk::<4>()?);
    (body as usize).checked_add(NODE_HEADER_LEN as usize)
}
