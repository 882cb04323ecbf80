//! The frames of a few neighbouring chunks that nobody stored yet.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use crate::chunk::Profile;
use crate::hash::{ChunkId, NodeId};
use crate::intake::base::{Base, Finder};
use crate::intake::error::IntakeError;
use crate::intake::shared::Shared;
use crate::intake::survey::survey;
use crate::pack::{
    Candidate, Codecs, EncodeError, EncodedFrame, encode_data_frame, encode_delta_frames,
};
use crate::recipe::{ChunkEntry, Chunks, Former};

/// When a former version was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// Before this intake.
    Before,
    /// By this intake, to its end: of each of its chunks it is settled how it is stored.
    JustNow,
}

/// Chunks of a former version that are looked into, of some 256 GiB; what a pointer claims can be any
/// number.
const MAX_FORMER: usize = 4 << 20;

/// A former version that is ready to be looked into.
pub(super) struct OpenFormer {
    pub(super) chunks: Former,
    /// A file that may have its bytes.
    pub(super) file: Option<(Arc<[u8]>, File)>,
    pub(super) stored: When,
}

impl OpenFormer {
    /// Opens what was stored before; what is not on this machine only means fewer bases.
    pub(super) fn stored(
        shared: &Shared,
        (root, size, profile): (NodeId, u64, Profile),
        path: Option<&[u8]>,
    ) -> Result<Option<Self>, IntakeError> {
        let recipe = shared.deltas.with_reader(|reader| {
            let chunks = Chunks::all(root, size, |id| reader.node_bytes(id));
            let chunks = chunks.map(|at| at.map(|at| at.entry)).take(MAX_FORMER + 1);
            Ok(chunks.collect::<Result<Vec<_>, _>>().ok())
        })?;
        if recipe.as_ref().is_some_and(|chunks| chunks.len() > MAX_FORMER) {
            return Ok(None);
        }
        let chunks = match (recipe, path) {
            (None, Some(path)) => cut_again(shared, path, profile)?,
            (recipe, _) => recipe,
        };
        Ok(chunks.map(|chunks| Self::of(shared, chunks, path, When::Before)))
    }

    /// Opens the content that these chunks are, of which a file may have the bytes.
    pub(super) fn of(
        shared: &Shared,
        chunks: Vec<ChunkEntry>,
        path: Option<&[u8]>,
        stored: When,
    ) -> Self {
        let file = path.and_then(|path| Some((path.into(), shared.open(path)?)));
        Self { chunks: Former::new(chunks), file, stored }
    }
}

/// The chunks of a file whose recipe is not here any more; nothing if it cannot be read.
fn cut_again(
    shared: &Shared,
    path: &[u8],
    profile: Profile,
) -> Result<Option<Vec<ChunkEntry>>, IntakeError> {
    let Some(file) = shared.open(path) else { return Ok(None) };
    let mut chunks = Vec::new();
    let whole = survey(&file, profile, shared.job, |window| chunks.extend(window))?;
    Ok(whole.then_some(chunks))
}

/// A chunk to store in a frame of its own, and the bytes of the former version in its place.
pub(super) struct Fresh<'b> {
    pub(super) id: ChunkId,
    pub(super) bytes: &'b [u8],
    pub(super) former: Option<Range<u64>>,
}

/// Encodes chunks, in their order; as a delta to the former version where that pays.
pub(super) fn frames(
    shared: &Shared,
    codecs: &mut Codecs,
    former: Option<&OpenFormer>,
    chunks: &[Fresh],
) -> Result<Vec<EncodedFrame>, IntakeError> {
    let path = former.and_then(|former| former.file.as_ref()).map(|(path, _)| path);
    let bases = match former {
        Some(former) => bases(shared, former, chunks)?,
        None => chunks.iter().map(|_| None).collect(),
    };
    let candidates: Vec<Candidate> = chunks
        .iter()
        .zip(&bases)
        .filter_map(|(chunk, base)| {
            let Base { bases, bytes, .. } = base.as_ref()?;
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
        if let (Some(_), Some(path), Some(base)) = (frame.bases(), path, base) {
            shared.deltas.note_origins(path, &base.from_file);
        }
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
        let mut finder = Finder::new(shared, former, reader);
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
