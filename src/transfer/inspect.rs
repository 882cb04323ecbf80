//! Examining packs byte by byte, on this machine and on a remote.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

use bytes::Bytes;

use crate::cache::{
    CacheError, Held, Index, Layout, LocalPack, ObjectReader, PackState, Place, Row,
};
use crate::catalogue::key;
use crate::fs::{IoResultExt, Links, Scratch, open_plain};
use crate::hash::{ChunkId, NodeId, PackId, PackKind};
use crate::node::decode_placement;
use crate::pack::{
    BadFrame, Bases, Codecs, Examined, FrameError, MAX_FRAME_LEN, Witness, decode_delta_frame,
    decode_frame, examine_pack, read_footer,
};
use crate::progress::{Job, Task};
use crate::remote::{Fetch, Listed, Remote, RemoteError};
use crate::transfer::error::TransferError;
use crate::transfer::walk::children_in;

/// Bytes of a pack that are read from a remote at a time.
const PIECE: u64 = 4 << 20;
/// Chunks from a remote that are kept as bases of the next deltas.
const KEPT: usize = 8;
/// Objects that wait to be noted before they are written down.
const RECORD_AT: usize = 256 << 10;

/// What examinations on this machine share.
#[derive(Clone, Copy)]
pub struct Here<'h> {
    /// Where content lies.
    pub layout: &'h Layout,
    /// What is known of it.
    pub index: &'h Index,
    /// Counts the bytes that were read.
    pub task: &'h Task<'h>,
    /// Whether to go on.
    pub job: &'h Job<'h>,
}

impl Here<'_> {
    /// Reads a whole pack of this machine; deltas whose base is not here are not proved.
    pub fn examine(&self, pack: &LocalPack) -> Result<Examined, TransferError> {
        let file = open_plain(&pack.path, Links::Refuse).at("read", &pack.path)?;
        let mut reader = ObjectReader::observing(self.layout, self.index)?;
        let mut base_of = |bases: &Bases| joined(bases, |id| plain(&mut reader, id));
        let mut witness = Witness { base_of: &mut base_of, node: &mut |raw| check_node(raw) };
        let watched = Watched { file, task: self.task, job: self.job };
        let examined = examine_pack(&mut Codecs::new(), (watched, pack.size), &mut witness);
        self.job.check()?;
        Ok(examined.at("read", &pack.path)?)
    }

    /// Reads those frames of a pack that the index places here; returns the offsets of those that are
    /// not what it says, with the objects and what is wrong.
    pub fn examine_part(
        &self,
        pack: &LocalPack,
        kind: PackKind,
        rows: &[Row],
    ) -> Result<Vec<BadFrame>, TransferError> {
        let mut rows: Vec<&Row> = rows.iter().collect();
        rows.sort_unstable_by_key(|(_, place)| (place.offset, place.skip));
        let file = open_plain(&pack.path, Links::Refuse).at("read", &pack.path)?;
        let mut reader = ObjectReader::observing(self.layout, self.index)?;
        let mut codecs = Codecs::new();
        let (mut out, mut bytes) = (Vec::new(), Vec::new());
        let frames = rows.chunk_by(|(_, a), (_, b)| a.offset == b.offset);
        for (number, own) in frames.enumerate() {
            self.job.check()?;
            let Some((_, place)) = own.first() else { continue };
            bytes.resize(place.frame_len.min(MAX_FRAME_LEN) as usize, 0);
            self.task.advance(u64::from(place.frame_len));
            let read = match file.read_exact_at(&mut bytes, place.offset.into()) {
                Ok(()) => check_part(&mut codecs, &mut reader, kind, (own, &bytes)),
                Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
                    Err(FrameError::Malformed("it ends too early"))
                }
                Err(e) => Err(e).at("read", &pack.path)?,
            };
            if let Err(source) = read {
                let objects = own.iter().map(|(id, _)| *id).collect();
                out.push(BadFrame { number, offset: place.offset, objects, source });
            }
        }
        Ok(out)
    }
}

fn check_part(
    codecs: &mut Codecs,
    reader: &mut ObjectReader,
    kind: PackKind,
    (own, bytes): (&[&Row], &[u8]),
) -> Result<(), FrameError> {
    let frame = match Bases::of_frame(bytes)? {
        Some(bases) if kind == PackKind::Data => {
            let Some(base) = joined(&bases, |id| plain(reader, id)) else { return Ok(()) };
            decode_delta_frame(codecs, bytes, &base)?
        }
        _ => decode_frame(codecs, kind, bytes)?,
    };
    own.iter().try_for_each(|(id, place)| match kind {
        PackKind::Data => frame.chunk(place.skip, place.len, ChunkId(*id)).map(drop),
        PackKind::Nodes => {
            frame.node(NodeId(*id))?;
            check_node(&frame.raw)
        }
    })
}

/// A chunk of this machine that may serve as a base; what is damaged is as good as absent.
fn plain(reader: &mut ObjectReader, id: ChunkId) -> Option<Vec<u8>> {
    reader.plain_chunk(id).ok().flatten().map(<[u8]>::to_vec)
}

fn joined(bases: &Bases, mut chunk: impl FnMut(ChunkId) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for id in &bases.ids {
        out.extend(chunk(*id)?);
    }
    Some(out)
}

/// Says what is wrong with a node whose id is right, or with the placement behind it.
fn check_node(raw: &[u8]) -> Result<(), FrameError> {
    let body = raw.get(8..12).and_then(|len| len.first_chunk::<4>()).copied().unwrap_or_default();
    let len = (u32::from_le_bytes(body) as usize).saturating_add(12);
    let (node, placement) =
        raw.split_at_checked(len).ok_or(FrameError::Malformed("it ends before its node does"))?;
    let children = match children_in(node) {
        Ok(children) => children,
        Err(e) if e.is_newer() => return Ok(()),
        Err(_) => return Err(FrameError::Malformed("its node breaks a rule of trees")),
    };
    decode_placement(placement, children.len())
        .map(drop)
        .map_err(|_| FrameError::Malformed("the placement behind its node cannot be read"))
}

/// A file of which each read counts, and that ends early once the user asked to stop.
struct Watched<'w> {
    file: File,
    task: &'w Task<'w>,
    job: &'w Job<'w>,
}

impl Read for Watched<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.job.check().map_err(io::Error::other)?;
        let n = self.file.read(out)?;
        self.task.advance(n as u64);
        Ok(n)
    }
}

impl Seek for Watched<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// What examinations of a remote share.
pub struct There<'t> {
    remote: &'t Remote,
    here: Here<'t>,
    /// The data packs of the remote, in which bases are looked for.
    data: Vec<(PackId, Listed)>,
    bases: OnceLock<Option<Places>>,
}

/// Where all chunks of a remote lie, kept in a file.
struct Places {
    index: Index,
    _folder: Scratch,
}

/// What became of a pack of a remote.
pub enum Seen {
    /// It was read.
    Examined(Box<Examined>),
    /// It could not be read as long as it was listed.
    Unreadable(String),
}

impl<'t> There<'t> {
    /// Will examine packs of a remote that lists these.
    pub fn new(remote: &'t Remote, listed: &[Listed], here: Here<'t>) -> Self {
        let data = listed.iter().filter_map(|listed| match key::parse_pack(&listed.key) {
            Some((PackKind::Data, pack)) => Some((pack, listed.clone())),
            _ => None,
        });
        Self { remote, here, data: data.collect(), bases: OnceLock::new() }
    }

    /// Reads a whole pack in pieces. A delta counts as proved only if its base lies on the remote.
    pub fn examine(&self, listed: &Listed) -> Result<Seen, TransferError> {
        let mut far = self.open(listed);
        let mut base = Base { there: self, reader: self.here.reader()?, kept: VecDeque::new() };
        let mut base_of = |bases: &Bases| joined(bases, |id| base.chunk(id));
        let mut witness = Witness { base_of: &mut base_of, node: &mut |raw| check_node(raw) };
        let examined = examine_pack(&mut Codecs::new(), (&mut far, listed.size), &mut witness);
        self.here.job.check()?;
        match (examined, far.failure) {
            (Ok(examined), _) => Ok(Seen::Examined(Box::new(examined))),
            (Err(_), Some(e)) if e.is_missing() || e.is_damaged() => {
                Ok(Seen::Unreadable(e.to_string()))
            }
            (Err(_), Some(e)) => Err(e.into()),
            (Err(e), None) => Ok(Seen::Unreadable(e.to_string())),
        }
    }

    fn open(&self, listed: &Listed) -> FarPack<'_> {
        let (key, size) = (listed.key.clone(), listed.size);
        let (remote, here) = (self.remote, self.here);
        FarPack { remote, here, key, size, at: 0, from: 0, piece: Bytes::new(), failure: None }
    }

    /// Finds where every chunk of the remote lies, by the tables of its packs; nothing if that fails,
    /// and then no delta is proved.
    fn places(&self) -> Option<&Places> {
        self.bases.get_or_init(|| self.find_places().ok()).as_ref()
    }

    fn find_places(&self) -> Result<Places, TransferError> {
        let folder = Scratch::new_in(&self.here.layout.temp())?;
        let layout = Layout::new(folder.path(), folder.path(), None);
        let index = Index::open(&layout)?;
        let (mut packs, mut objects) = (Vec::new(), Vec::new());
        for (pack, listed) in &self.data {
            self.here.job.check()?;
            let Ok(Ok((kind, footer))) = read_footer(&mut self.open(listed), listed.size) else {
                continue;
            };
            packs.push((*pack, PackState { held: Held::Part, kind: kind.byte(), size: 0 }));
            objects.extend(footer.objects.iter().filter(|o| !o.has_base).map(|o| {
                let (offset, frame_len, skip, len) = (o.offset, o.frame_len, o.skip, o.len);
                (o.id, Place { pack: *pack, offset, frame_len, skip, len, delta: false })
            }));
            if objects.len() >= RECORD_AT {
                index.record(&packs, &mut objects, &[])?;
                packs.clear();
                objects.clear();
            }
        }
        index.record(&packs, &mut objects, &[])?;
        Ok(Places { index, _folder: folder })
    }
}

impl Here<'_> {
    fn reader(&self) -> Result<ObjectReader<'_>, CacheError> {
        ObjectReader::observing(self.layout, self.index)
    }
}

/// Brings the bases of deltas.
struct Base<'b> {
    there: &'b There<'b>,
    reader: ObjectReader<'b>,
    kept: VecDeque<(ChunkId, Vec<u8>)>,
}

impl Base<'_> {
    fn chunk(&mut self, id: ChunkId) -> Option<Vec<u8>> {
        if let Some((_, bytes)) = self.kept.iter().find(|(kept, _)| *kept == id) {
            return Some(bytes.clone());
        }
        let view = self.there.places()?.index.reader().ok()?;
        let (place, _) = view.find_frame(&id.0)?;
        // Which copy of the bytes is read does not matter: they are checked.
        let bytes = plain(&mut self.reader, id).or_else(|| self.fetch(id, place))?;
        self.kept.truncate(KEPT - 1);
        self.kept.push_front((id, bytes.clone()));
        Some(bytes)
    }

    fn fetch(&self, id: ChunkId, place: Place) -> Option<Vec<u8>> {
        let (from, len) = (u64::from(place.offset), u64::from(place.frame_len));
        let key = key::pack(PackKind::Data, place.pack);
        let bytes = get(self.there.remote, key, from..from + len, self.there.here.job).ok()?;
        let frame = decode_frame(&mut Codecs::new(), PackKind::Data, &bytes).ok()?;
        frame.chunk(place.skip, place.len, id).ok().map(<[u8]>::to_vec)
    }
}

/// Reads a range so that a wish to stop is heard.
fn get(
    remote: &Remote,
    key: String,
    range: std::ops::Range<u64>,
    job: &Job,
) -> Result<Bytes, RemoteError> {
    let limit = range.end.saturating_sub(range.start);
    let mut out = Bytes::new();
    remote.get_ranges(vec![Fetch { key, range: Some(range), limit }], 1, job, |_, answer| {
        out = answer?;
        Ok::<(), RemoteError>(())
    })?;
    Ok(out)
}

/// A pack of a remote, as a file that is read in pieces.
struct FarPack<'f> {
    remote: &'f Remote,
    here: Here<'f>,
    key: String,
    size: u64,
    at: u64,
    /// Where the piece at hand begins.
    from: u64,
    piece: Bytes,
    failure: Option<RemoteError>,
}

impl Read for FarPack<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let end = self.from + self.piece.len() as u64;
        if !(self.from..end).contains(&self.at) {
            // A small pack is read whole, however it is gone through.
            let from = if self.size <= PIECE { 0 } else { self.at };
            let to = from.saturating_add(PIECE).min(self.size);
            if self.at >= to {
                return Ok(0);
            }
            match get(self.remote, self.key.clone(), from..to, self.here.job) {
                Ok(piece) => (self.from, self.piece) = (from, piece),
                Err(e) => {
                    let text = io::Error::other(e.to_string());
                    self.failure = Some(e);
                    return Err(text);
                }
            }
            self.here.task.advance(to - from);
        }
        let skip = usize::try_from(self.at - self.from).unwrap_or(usize::MAX);
        let n = self.piece.get(skip..).unwrap_or_default().read(out)?;
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for FarPack<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(by) => self.size.saturating_add_signed(by),
            SeekFrom::Current(by) => self.at.saturating_add_signed(by),
        };
        Ok(self.at)
    }
}
