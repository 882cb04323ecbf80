//! The frames of a few neighbouring chunks that nobody stored yet.

use std::fs::File;
use std::ops::Range;

use crate::hash::ChunkId;
use crate::intake::base::{Base, Finder};
use crate::intake::error::IntakeError;
use crate::intake::shared::Shared;
use crate::intake::small::split;
use crate::intake::{FormerVersion, Source};
use crate::pack::{
    Candidate, Codecs, EncodeError, EncodedFrame, encode_data_frame, encode_delta_frames,
};

/// A former version that is ready to be looked into.
pub(super) struct OpenFormer<'f> {
    pub(super) version: &'f FormerVersion,
    file: Option<File>,
}

impl<'f> OpenFormer<'f> {
    /// Opens what a source names; a file that cannot be opened only means fewer bases.
    pub(super) fn open(shared: &Shared, source: &'f Source) -> Option<Self> {
        let version = source.former.as_deref()?;
        let open = |path: &[u8]| {
            let (parent, name) = split(path);
            shared.root.descend(parent)?.open_file(name)
        };
        let file = version.path.as_deref().and_then(|path| open(path).ok()).map(|(file, _)| file);
        Some(Self { version, file })
    }
}

/// A chunk to store in a frame of its own, and the bytes of the former version in its place.
pub(super) struct Fresh<'b> {
    pub(super) id: ChunkId,
    pub(super) bytes: &'b [u8],
    pub(super) former: Option<Range<u64>>,
}

/// Encodes chunks, in their order; as a difference to the former version where that pays.
pub(super) fn frames(
    shared: &Shared,
    codecs: &mut Codecs,
    former: Option<&OpenFormer>,
    chunks: &[Fresh],
) -> Result<Vec<EncodedFrame>, IntakeError> {
    let bases = match former {
        Some(former) => bases(shared, former, chunks)?,
        None => chunks.iter().map(|_| None).collect(),
    };
    let candidates: Vec<Candidate> = chunks
        .iter()
        .zip(&bases)
        .filter_map(|(chunk, base)| {
            let Base { bases, bytes } = base.as_ref()?;
            Some(Candidate { id: chunk.id, raw: chunk.bytes, bases, base: bytes })
        })
        .collect();
    let mut deltas = encode_delta_frames(codecs, &candidates).map_err(defect)?.into_iter();
    let mut out = Vec::with_capacity(chunks.len());
    for (chunk, base) in chunks.iter().zip(&bases) {
        let frame = match base.as_ref().and_then(|_| deltas.next()) {
            Some(frame) => frame,
            None => encode_data_frame(codecs, &[(chunk.id, chunk.bytes)]).map_err(defect)?,
        };
        shared.deltas.note(chunk.id, frame.bases(), chunk.bytes.len());
        out.push(frame);
    }
    Ok(out)
}

fn bases(
    shared: &Shared,
    former: &OpenFormer,
    chunks: &[Fresh],
) -> Result<Vec<Option<Base>>, IntakeError> {
    shared.deltas.with_reader(|reader| {
        let mut finder = Finder::new(shared, &former.version.chunks, reader, former.file.as_ref());
        let find = |chunk: &Fresh| match &chunk.former {
            Some(range) => finder.find(range),
            None => Ok(None),
        };
        chunks.iter().map(find).collect()
    })
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn defect(error: EncodeError) -> IntakeError {
    IntakeError::Defect(error.to_string())
}
