//! The tables at the end of a pack.

use std::collections::HashSet;

use super::error::PackError;
use super::layout::{
    CODEC_BASE_BIT, CODEC_STORED, CODEC_ZSTD, END_MAGIC, FRAME_ENTRY_LEN, FRAME_HEADER_LEN,
    HEADER_LEN, MAX_BASES, MAX_CHUNK, MAX_COUNT, MAX_GROWTH, MAX_NODE, NODE_HEADER_LEN,
    OBJECT_ENTRY_LEN, TRAILER_LEN, check_raw,
};
use crate::hash::PackKind;
use crate::wire::Reader;

/// One frame as the footer lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameEntry {
    /// Where the frame starts in the pack.
    pub offset: u32,
    /// Its length in the pack, in bytes.
    pub frame_len: u32,
    /// The length of its content, in bytes.
    pub raw_len: u32,
    /// How many objects it holds.
    pub n_objects: u16,
    /// Its codec byte; may be one that this build cannot decode.
    pub codec: u8,
    /// How many base chunks it needs.
    pub n_bases: u8,
}

/// Where one object lies in a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectPlace {
    /// The bytes of its chunk id or node id.
    pub id: [u8; 32],
    /// Where its frame starts in the pack.
    pub offset: u32,
    /// The length of the frame in the pack.
    pub frame_len: u32,
    /// Where the object starts in the content of the frame; 0 for a node.
    pub skip: u32,
    /// The object's length in bytes, for a node without its placement.
    pub len: u32,
    /// Whether the frame can only be decoded with the chunks that it names as its base.
    pub has_base: bool,
}

/// The tables of one pack: frames in the order of the file, and objects in the order of the frames.
///
/// A frame with a codec that this build does not know is listed; only decoding it is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Footer {
    /// The frames, without gaps from the header on.
    pub frames: Vec<FrameEntry>,
    /// The objects; each id occurs once.
    pub objects: Vec<ObjectPlace>,
}

impl Footer {
    /// Returns how many bytes at the end of a pack hold footer and trailer together.
    ///
    /// `trailer` is the last 44 bytes of a pack of `size` bytes. The answer is at most 3.2 MB and
    /// less than `size`.
    pub fn tail_len(trailer: &[u8; TRAILER_LEN as usize], size: u64) -> Result<u32, PackError> {
        let (n_frames, n_objects) = counts(trailer)?;
        let tail = tail_len(n_frames, n_objects);
        let least = u64::from(HEADER_LEN + n_frames * FRAME_HEADER_LEN + tail);
        if size < least {
            return Err(PackError::Malformed("it is shorter than its footer says"));
        }
        Ok(tail)
    }

    /// Reads the tables from `tail`, the last [`Footer::tail_len`] bytes of a pack.
    ///
    /// Checks the footer's hash, all limits, that an id occurs once, and that header, frames and
    /// footer make up exactly `size`.
    pub fn parse(kind: PackKind, tail: &[u8], size: u64) -> Result<Self, PackError> {
        if size > kind.max_size().into() {
            return Err(PackError::Malformed("it is larger than a pack may be"));
        }
        let (tables, trailer) = tail
            .split_last_chunk::<{ TRAILER_LEN as usize }>()
            .ok_or(PackError::Malformed("it ends too early"))?;
        if u64::from(Self::tail_len(trailer, size)?) != tail.len() as u64 {
            return Err(PackError::Malformed("its footer is not as long as it declares"));
        }
        let mut reader = Reader::new(trailer);
        let declared = reader.take(8)?;
        if reader.array::<32>()? != footer_hash(tables, declared) {
            return Err(PackError::Malformed("its footer does not hash to what it declares"));
        }
        let (n_frames, n_objects) = counts(trailer)?;
        let mut reader = Reader::new(tables);
        let frames = read_frames(&mut reader, kind, n_frames)?;
        let objects = read_objects(&mut reader, kind, &frames, n_objects)?;
        let frames_end = frames.last().map_or(0, |f| u64::from(f.offset) + u64::from(f.frame_len));
        if frames_end + tail.len() as u64 != size {
            return Err(PackError::Malformed("its frames do not add up to its size"));
        }
        Ok(Self { frames, objects })
    }

    /// Writes footer and trailer.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for frame in &self.frames {
            out.extend_from_slice(&frame.frame_len.to_le_bytes());
            out.extend_from_slice(&frame.raw_len.to_le_bytes());
            out.extend_from_slice(&frame.n_objects.to_le_bytes());
            out.extend_from_slice(&[frame.codec, frame.n_bases]);
        }
        for object in &self.objects {
            out.extend_from_slice(&object.id);
            out.extend_from_slice(&object.len.to_le_bytes());
        }
        let mut declared = Vec::new();
        for count in [self.frames.len(), self.objects.len()] {
            // A writer never passes 65,535; a reader refuses what would be written beyond.
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            declared.extend_from_slice(&count.to_le_bytes());
        }
        let hash = footer_hash(&out, &declared);
        out.extend_from_slice(&declared);
        out.extend_from_slice(&hash);
        out.extend_from_slice(&END_MAGIC);
        out
    }
}

/// The length of footer and trailer; counts are at most 65,535 each.
pub(super) fn tail_len(n_frames: u32, n_objects: u32) -> u32 {
    n_frames * FRAME_ENTRY_LEN + n_objects * OBJECT_ENTRY_LEN + TRAILER_LEN
}

fn footer_hash(tables: &[u8], declared: &[u8]) -> [u8; 32] {
    *blake3::Hasher::new().update(tables).update(declared).finalize().as_bytes()
}

fn counts(trailer: &[u8; TRAILER_LEN as usize]) -> Result<(u32, u32), PackError> {
    if trailer.last_chunk::<4>() != Some(&END_MAGIC) {
        return Err(PackError::Malformed("it does not end as a pack"));
    }
    let mut reader = Reader::new(trailer);
    let (n_frames, n_objects) = (reader.u32()?, reader.u32()?);
    if n_frames == 0 || n_objects < n_frames || n_objects > MAX_COUNT {
        return Err(PackError::Malformed("its counts are out of their limits"));
    }
    Ok((n_frames, n_objects))
}

fn read_frames(
    reader: &mut Reader<'_>,
    kind: PackKind,
    n_frames: u32,
) -> Result<Vec<FrameEntry>, PackError> {
    let mut frames = Vec::with_capacity(n_frames as usize);
    let mut offset = HEADER_LEN;
    for _ in 0..n_frames {
        let frame = FrameEntry {
            offset,
            frame_len: reader.u32()?,
            raw_len: reader.u32()?,
            n_objects: reader.u16()?,
            codec: reader.u8()?,
            n_bases: reader.u8()?,
        };
        check_frame(kind, &frame).map_err(PackError::Malformed)?;
        offset = offset
            .checked_add(frame.frame_len)
            .filter(|end| *end <= kind.max_size())
            .ok_or(PackError::Malformed("its frames pass the largest size of a pack"))?;
        frames.push(frame);
    }
    Ok(frames)
}

fn check_frame(kind: PackKind, frame: &FrameEntry) -> Result<(), &'static str> {
    check_raw(kind, frame.n_objects, frame.raw_len)?;
    let has_base = frame.codec & CODEC_BASE_BIT != 0;
    if has_base != (frame.n_bases > 0) || frame.n_bases > MAX_BASES {
        return Err("the number of bases of a frame does not fit its codec");
    }
    if has_base && (frame.n_objects > 1 || kind == PackKind::Nodes) {
        return Err("a frame that may not have bases has some");
    }
    let fixed = FRAME_HEADER_LEN + if has_base { 4 + 32 * u32::from(frame.n_bases) } else { 0 };
    let payload = frame.frame_len.checked_sub(fixed).ok_or("a frame is shorter than its header")?;
    let fits = match frame.codec {
        CODEC_STORED => payload == frame.raw_len,
        CODEC_ZSTD => payload > 0 && payload <= frame.raw_len + MAX_GROWTH,
        _ => payload <= frame.raw_len + MAX_GROWTH,
    };
    if fits { Ok(()) } else { Err("a frame is longer than its content allows") }
}

fn read_objects(
    reader: &mut Reader<'_>,
    kind: PackKind,
    frames: &[FrameEntry],
    n_objects: u32,
) -> Result<Vec<ObjectPlace>, PackError> {
    let listed: u64 = frames.iter().map(|f| u64::from(f.n_objects)).sum();
    if listed != u64::from(n_objects) {
        return Err(PackError::Malformed("its frames hold another number of objects"));
    }
    let mut seen = HashSet::with_capacity(n_objects as usize);
    let mut objects = Vec::with_capacity(n_objects as usize);
    for frame in frames {
        let mut skip = 0u32;
        for _ in 0..frame.n_objects {
            let id = reader.array()?;
            let len = reader.u32()?;
            let (least, most) = match kind {
                PackKind::Data => (1, MAX_CHUNK),
                PackKind::Nodes => (NODE_HEADER_LEN, MAX_NODE),
            };
            if len < least || len > most.min(frame.raw_len - skip) {
                return Err(PackError::Malformed("the length of an object is out of its limits"));
            }
            if !seen.insert(id) {
                return Err(PackError::Malformed("it lists an object twice"));
            }
            let FrameEntry { offset, frame_len, n_bases, .. } = *frame;
            let has_base = n_bases > 0;
            objects.push(ObjectPlace { id, offset, frame_len, skip, len, has_base });
            skip += len;
        }
        if kind == PackKind::Data && skip != frame.raw_len {
            return Err(PackError::Malformed(
                "the objects of a frame do not add up to its content",
            ));
        }
    }
    Ok(objects)
}
