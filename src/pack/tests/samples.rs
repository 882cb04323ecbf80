//! What the tests of this folder are made from.

pub(super) use std::io::Cursor;

pub(super) use crate::hash::ChunkId;
pub(super) use crate::hash::Digest;
pub(super) use crate::hash::NodeId;
pub(super) use crate::hash::PackId;
pub(super) use crate::pack::{
    Codecs, EncodedFrame, PackKind, PackSummary, PackWriter, VerifyError, encode_data_frame,
    encode_node_frame, verify_pack,
};

/// Bytes that no coder can shrink, different for each `seed`.
pub(super) fn noise(seed: u8, len: usize) -> Vec<u8> {
    let mut out = vec![0; len];
    blake3::Hasher::new().update(&[seed]).finalize_xof().fill(&mut out);
    out
}

pub(super) fn text(rows: usize) -> Vec<u8> {
    (0..rows).flat_map(|n| format!("{n},row {n},{}\n", n * 7).into_bytes()).collect()
}

/// Bytes with the shape of a node: a 12-byte header that declares the length of the body.
pub(super) fn node(body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).unwrap();
    [&[1, 1, 0, 0, 1, 0, 0, 0][..], &len.to_le_bytes(), body].concat()
}

pub(super) fn data_frame(chunks: &[&[u8]]) -> EncodedFrame {
    let objects: Vec<_> = chunks.iter().map(|c| (ChunkId::of(c), *c)).collect();
    encode_data_frame(&mut Codecs::new(), &objects).unwrap()
}

pub(super) fn node_frame(node: &[u8], placement: &[u8]) -> EncodedFrame {
    encode_node_frame(&mut Codecs::new(), NodeId::of(node), node, placement).unwrap()
}

pub(super) fn pack_of(kind: PackKind, frames: &[EncodedFrame]) -> (PackSummary, Vec<u8>) {
    let mut writer = PackWriter::new(Vec::new(), kind, *b"a fixed nonce 16").unwrap();
    for frame in frames {
        writer.push(frame).unwrap();
    }
    writer.finish().unwrap()
}

pub(super) fn verify(id: PackId, bytes: &[u8]) -> Result<PackSummary, VerifyError> {
    verify_pack(&mut Codecs::new(), id, Cursor::new(bytes), bytes.len() as u64, |_| None)
}

/// Verifies under the name that the bytes have, so that only what is inside can be wrong.
pub(super) fn verify_content(bytes: &[u8]) -> Result<PackSummary, VerifyError> {
    verify(PackId::from_digest(Digest::of(bytes)), bytes)
}
