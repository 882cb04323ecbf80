//! Packs: immutable files of compressed chunks or nodes (`docs/format/pack.md`).
//!
//! Turns bytes into frames and packs and back, and proves that a pack is whole. Knows no paths, no
//! threads, no network: whoever has bytes or a stream can use it.

mod batch;
mod codec;
mod encode;
mod error;
mod footer;
mod frame;
mod layout;
mod plane_coder;
mod planes;
mod probe;
#[cfg(test)]
mod tests;
mod verify;
mod write;

pub use crate::hash::PackKind;
pub use batch::{Batch, Batcher, needs_own_frame};
pub use codec::Codecs;
pub use encode::{EncodedFrame, encode_data_frame, encode_node_frame};
pub use error::{EncodeError, FrameError, PackError, VerifyError};
pub use footer::{Footer, FrameEntry, ObjectPlace};
pub use frame::{Frame, chunk_in, decode_frame, node_in};
pub use layout::{
    BATCH_BELOW, CODEC_PLANES, CODEC_STORED, CODEC_ZSTD, HEADER_LEN, Header, MAX_BATCH_RAW,
    MAX_CHUNK, MAX_FRAME_LEN, MAX_NODE, MAX_NODE_RAW, TRAILER_LEN,
};
pub use verify::verify_pack;
pub use write::{FramePlace, PackSummary, PackWriter};
