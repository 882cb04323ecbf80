//! Packs: immutable files of compressed chunks or nodes (`docs/format/pack.md`).
//!
//! Turns bytes into frames and packs and back, and proves that a pack is whole. Knows no paths, no
//! threads, no network: whoever has bytes or a stream can use it.

mod bases;
mod batch;
mod codec;
mod column_coder;
mod column_decoder;
mod decimal;
mod delta;
mod delta_encode;
mod difference;
mod encode;
mod entries;
mod error;
mod fields;
mod footer;
mod frame;
mod layout;
mod numbers;
mod plane_coder;
mod planes;
mod probe;
mod table;
#[cfg(test)]
mod tests;
mod verify;
mod write;

pub use crate::hash::PackKind;
pub use bases::{Bases, declared_len};
pub use batch::{Batch, Batcher, needs_own_frame};
pub use codec::Codecs;
pub use delta::decode_delta_frame;
pub use delta_encode::{Candidate, encode_delta_frames};
pub use encode::{EncodedFrame, encode_data_frame, encode_node_frame};
pub use error::{EncodeError, FrameError, PackError, VerifyError};
pub use footer::{Footer, FrameEntry, ObjectPlace};
pub use frame::{Frame, chunk_in, decode_frame, first_node, node_in};
pub use layout::{
    BATCH_BELOW, CODEC_COLUMNS, CODEC_PLANES, CODEC_PLANES_DIFFERENCE, CODEC_PLANES_XOR,
    CODEC_STORED, CODEC_ZSTD, CODEC_ZSTD_BASE, FRAME_HEADER_LEN, HEADER_LEN, Header, MAX_BATCH_RAW,
    MAX_CHUNK, MAX_FRAME_LEN, MAX_NODE, MAX_NODE_RAW, TRAILER_LEN,
};
pub use verify::{BadFrame, Examined, Witness, examine_pack, read_footer, verify_pack};
pub use write::{FramePlace, PackSummary, PackWriter};
