//! Making frames.

use super::bases::Bases;
use super::codec::Codecs;
use super::error::EncodeError;
use super::layout::{FRAME_HEADER_LEN, FrameHead, MAX_CHUNK, MAX_NODE, NODE_HEADER_LEN, check_raw};
use crate::hash::ChunkId;
use crate::hash::NodeId;
use crate::hash::PackKind;
use crate::wire::Reader;

/// A finished frame, ready to be written into a pack of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedFrame {
    pub(super) kind: PackKind,
    pub(super) codec: u8,
    pub(super) raw_len: u32,
    pub(super) bytes: Vec<u8>,
    pub(super) objects: Vec<([u8; 32], u32)>,
    pub(super) bases: Option<Bases>,
}

impl EncodedFrame {
    /// Takes the frame of a chunk that is stored as a delta, as it lies in another pack; nothing
    /// if it is none. The id is believed.
    pub fn of_delta(id: ChunkId, bytes: Vec<u8>) -> Option<Self> {
        let bases = Bases::of_frame(&bytes).ok()??;
        let head = FrameHead::read(PackKind::Data, &mut Reader::new(&bytes)).ok()?;
        let (kind, codec, raw_len) = (PackKind::Data, head.codec, head.raw_len);
        let objects = vec![(id.0, raw_len)];
        Some(Self { kind, codec, raw_len, bytes, objects, bases: Some(bases) })
    }

    /// Returns the kind of pack that the frame belongs into.
    pub fn kind(&self) -> PackKind {
        self.kind
    }

    /// Returns the codec byte that was chosen.
    pub fn codec(&self) -> u8 {
        self.codec
    }

    /// Returns the length of the content in bytes, before compression.
    pub fn raw_len(&self) -> u32 {
        self.raw_len
    }

    /// Returns the frame as it lies in a pack.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Gives up the frame for its bytes, whose memory can be used again.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Returns what the frame is a delta to, if it is one; then it holds a single chunk.
    pub fn bases(&self) -> Option<&Bases> {
        self.bases.as_ref()
    }

    /// Returns id and length of each object, in the order of the content.
    pub fn objects(&self) -> &[([u8; 32], u32)] {
        &self.objects
    }
}

/// Encodes one chunk, or several small ones that share a frame, in the order given.
///
/// The ids are believed. Fails if a chunk is empty or above [`super::MAX_CHUNK`], or several are
/// above [`super::MAX_BATCH_RAW`] together.
pub fn encode_data_frame(
    codecs: &mut Codecs,
    objects: &[(ChunkId, &[u8])],
) -> Result<EncodedFrame, EncodeError> {
    let table = objects.iter().map(|(id, bytes)| (id.0, bytes.len()));
    if let [(_, only)] = objects {
        return encode(codecs, PackKind::Data, only, table);
    }
    with_joined(codecs, objects.iter().map(|(_, bytes)| *bytes), |codecs, raw| {
        encode(codecs, PackKind::Data, raw, table)
    })
}

/// Encodes a node with its placement behind it.
///
/// The id is believed. Fails if the node is not as long as its own header says, is above
/// [`super::MAX_NODE`], or both together are above [`super::MAX_NODE_RAW`].
pub fn encode_node_frame(
    codecs: &mut Codecs,
    id: NodeId,
    node: &[u8],
    placement: &[u8],
) -> Result<EncodedFrame, EncodeError> {
    if super::frame::node_len(node) != Some(node.len()) {
        let reason = "the node is not as long as its header says";
        return Err(EncodeError { objects: 1, raw: node.len(), reason });
    }
    with_joined(codecs, [node, placement].into_iter(), |codecs, raw| {
        encode(codecs, PackKind::Nodes, raw, std::iter::once((id.0, node.len())))
    })
}

/// Lends the join buffer out of `codecs` for one call.
fn with_joined<'a, T>(
    codecs: &mut Codecs,
    parts: impl Iterator<Item = &'a [u8]>,
    act: impl FnOnce(&mut Codecs, &[u8]) -> T,
) -> T {
    let mut joined = std::mem::take(&mut codecs.joined);
    joined.clear();
    parts.for_each(|part| joined.extend_from_slice(part));
    let result = act(codecs, &joined);
    codecs.joined = joined;
    result
}

/// Encodes content that is already joined.
pub(super) fn encode(
    codecs: &mut Codecs,
    kind: PackKind,
    raw: &[u8],
    table: impl ExactSizeIterator<Item = ([u8; 32], usize)>,
) -> Result<EncodedFrame, EncodeError> {
    let objects = table.len();
    let fail = |reason| EncodeError { objects, raw: raw.len(), reason };
    let too_large = |_| fail("it is larger than a frame may hold");
    let n_objects = u16::try_from(objects).map_err(too_large)?;
    let raw_len = u32::try_from(raw.len()).map_err(too_large)?;
    check_raw(kind, n_objects, raw_len).map_err(fail)?;
    let (least, most) = match kind {
        PackKind::Data => (1, MAX_CHUNK),
        PackKind::Nodes => (NODE_HEADER_LEN, MAX_NODE),
    };
    let mut entries = Vec::with_capacity(objects);
    for (id, len) in table {
        let len = u32::try_from(len).map_err(too_large)?;
        if len < least || len > most {
            return Err(fail("the length of an object is out of its limits"));
        }
        entries.push((id, len));
    }
    let mut bytes = codecs.spares.pop().unwrap_or_default();
    let (codec, payload) = codecs.pack(kind, n_objects, raw);
    let payload_len = u32::try_from(payload.len()).map_err(too_large)?;
    bytes.clear();
    bytes.reserve_exact(FRAME_HEADER_LEN as usize + payload.len());
    FrameHead { codec, n_bases: 0, n_objects, raw_len, payload_len }.encode_into(&mut bytes);
    bytes.extend_from_slice(payload);
    Ok(EncodedFrame { kind, codec, raw_len, bytes, objects: entries, bases: None })
}
