//! Catalogue objects in memory, and writing them.

use crate::hash::CatalogueId;
use crate::hash::Digest;
use crate::hash::PackId;
use crate::hash::RepoId;

use super::error::ObjectError;
use super::name::{Name, ObjectKind};
use super::record::{
    CoverRecord, HookRecord, LocRecord, PackRecord, Record, SOURCE_BASELINE, SOURCE_CONDEMNED,
    SOURCE_PUSH_RECORD,
};

/// Largest catalogue object in bytes.
pub const MAX_OBJECT_LEN: u64 = 1 << 30;

pub(super) const MAGIC: [u8; 4] = *b"HAUI";
pub(super) const END_MAGIC: [u8; 4] = *b"IUAH";
pub(super) const VERSION: u8 = 1;
pub(super) const HEADER_LEN: usize = 512;
pub(super) const FIXED_LEN: usize = 48;
pub(super) const SECTION_LEN: usize = 16;
pub(super) const MAX_SECTIONS: usize = (HEADER_LEN - FIXED_LEN) / SECTION_LEN;

/// A section that this build does not know; it is kept as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownSection {
    /// Its four letters.
    pub tag: [u8; 4],
    /// The size of each record in bytes, at least 1.
    pub record_size: u32,
    /// The records.
    pub bytes: Vec<u8>,
}

impl UnknownSection {
    /// Says whether it can be told apart from known sections and holds whole records.
    fn is_whole(&self) -> bool {
        let known = [*b"LOC ", *b"PACK", *b"HOOK", *b"COVR", *b"VICT"].contains(&self.tag);
        !known && self.record_size > 0 && self.bytes.len().is_multiple_of(self.record_size as usize)
    }
}

/// A catalogue object: a push record, a run or a baseline.
///
/// The tables may be filled in any order: [`Object::encode`] sorts them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// What it is.
    pub kind: ObjectKind,
    /// The generation of the newest baseline that its writer saw; of a baseline, its own.
    pub generation: u32,
    /// The repository whose push or gc wrote it.
    pub repo: RepoId,
    /// Random bytes that keep two objects of equal content apart.
    pub nonce: [u8; 16],
    /// Where roots lie.
    pub locs: Vec<LocRecord>,
    /// Packs.
    pub packs: Vec<PackRecord>,
    /// Samples of chunks; `pack_row` counts in `packs` as it stands.
    pub hooks: Vec<HookRecord>,
    /// Push records that a run contains or a baseline replaces.
    pub covers: Vec<CoverRecord>,
    /// Condemned packs; in a baseline only.
    pub victims: Vec<PackId>,
    /// What a newer release added.
    pub unknown: Vec<UnknownSection>,
}

impl Object {
    /// Starts an object without records.
    pub fn new(kind: ObjectKind, generation: u32, repo: RepoId, nonce: [u8; 16]) -> Self {
        Self {
            kind,
            generation,
            repo,
            nonce,
            locs: Vec::new(),
            packs: Vec::new(),
            hooks: Vec::new(),
            covers: Vec::new(),
            victims: Vec::new(),
            unknown: Vec::new(),
        }
    }

    /// Sorts the tables and writes the object: its name and its bytes.
    ///
    /// Fails if a reader would refuse it: a record twice, a row that does not exist, a table that the
    /// kind may not have.
    pub fn encode(mut self) -> Result<(Name, Vec<u8>), ObjectError> {
        self.sort()?;
        self.check()?;
        let locs = u32::try_from(self.locs.len())
            .map_err(|_| ObjectError::Malformed("it has too many LOC records"))?;
        let out = self.to_bytes()?;
        let id = CatalogueId::from_digest(Digest::of(&out));
        Ok((Name { kind: self.kind, generation: self.generation, locs, id }, out))
    }

    /// Brings the tables into their order; rows that point into a sorted table move along.
    fn sort(&mut self) -> Result<(), ObjectError> {
        let pack_rows = sort_with_rows(&mut self.packs);
        for hook in &mut self.hooks {
            hook.pack_row = moved(&pack_rows, hook.pack_row)?;
        }
        let cover_rows = sort_with_rows(&mut self.covers);
        if self.kind == ObjectKind::Run {
            for loc in &mut self.locs {
                loc.source = moved(&cover_rows, loc.source)?;
            }
        }
        self.locs.sort_unstable_by_key(Record::order);
        self.hooks.sort_unstable_by_key(Record::order);
        self.victims.sort_unstable();
        self.unknown.sort_by_key(|section| section.tag);
        Ok(())
    }

    /// Checks everything that sorted tables must keep.
    pub(super) fn check(&self) -> Result<(), ObjectError> {
        let sorted = ascending(&self.locs)
            && ascending(&self.packs)
            && ascending(&self.hooks)
            && ascending(&self.covers)
            && ascending(&self.victims);
        if !sorted {
            return Err(ObjectError::Malformed("a table is not strictly ascending"));
        }
        if !self.unknown.is_sorted_by(|a, b| a.tag < b.tag)
            || !self.unknown.iter().all(UnknownSection::is_whole)
        {
            return Err(ObjectError::Malformed("a table that is not known is out of place"));
        }
        let rows = |row: u32, len: usize| (row as usize) < len;
        if !self.hooks.iter().all(|hook| rows(hook.pack_row, self.packs.len())) {
            return Err(ObjectError::Malformed("a hook names a row that does not exist"));
        }
        let source = |loc: &LocRecord| match self.kind {
            ObjectKind::PushRecord => loc.source == SOURCE_PUSH_RECORD,
            ObjectKind::Run => rows(loc.source, self.covers.len()),
            ObjectKind::Baseline => [SOURCE_BASELINE, SOURCE_CONDEMNED].contains(&loc.source),
        };
        if !self.locs.iter().all(source) {
            return Err(ObjectError::Malformed("the source of a LOC record is wrong"));
        }
        let tables = match self.kind {
            ObjectKind::PushRecord => self.covers.is_empty() && self.victims.is_empty(),
            ObjectKind::Run => self.victims.is_empty(),
            ObjectKind::Baseline => true,
        };
        if tables { Ok(()) } else { Err(ObjectError::Malformed("a table is not of its kind")) }
    }

    fn to_bytes(&self) -> Result<Vec<u8>, ObjectError> {
        let mut sections = Vec::new();
        let mut body = Vec::new();
        put(&self.locs, &mut sections, &mut body);
        if !self.packs.is_empty() {
            put(&self.packs, &mut sections, &mut body);
        }
        if !self.hooks.is_empty() {
            put(&self.hooks, &mut sections, &mut body);
        }
        if !self.covers.is_empty() {
            put(&self.covers, &mut sections, &mut body);
        }
        if !self.victims.is_empty() {
            put(&self.victims, &mut sections, &mut body);
        }
        for section in &self.unknown {
            let size = (section.record_size as usize).max(1);
            sections.push((section.tag, section.record_size, (section.bytes.len() / size) as u64));
            body.extend_from_slice(&section.bytes);
        }
        let n_sections = u16::try_from(sections.len())
            .ok()
            .filter(|n| usize::from(*n) <= MAX_SECTIONS)
            .ok_or(ObjectError::Malformed("it has too many sections"))?;
        let mut out = Vec::with_capacity(HEADER_LEN + body.len() + 36);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&[VERSION, self.kind.byte()]);
        out.extend_from_slice(&n_sections.to_le_bytes());
        out.extend_from_slice(&self.generation.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&self.repo.0);
        out.extend_from_slice(&self.nonce);
        for (tag, size, count) in sections {
            out.extend_from_slice(&tag);
            out.extend_from_slice(&size.to_le_bytes());
            out.extend_from_slice(&count.to_le_bytes());
        }
        out.resize(HEADER_LEN, 0);
        out.append(&mut body);
        let hash = Digest::of(&out);
        out.extend_from_slice(&hash.0);
        out.extend_from_slice(&END_MAGIC);
        if out.len() as u64 > MAX_OBJECT_LEN {
            return Err(ObjectError::Malformed("it is larger than a catalogue object may be"));
        }
        Ok(out)
    }
}

fn put<R: Record>(records: &[R], sections: &mut Vec<([u8; 4], u32, u64)>, body: &mut Vec<u8>) {
    sections.push((R::TAG, R::SIZE, records.len() as u64));
    for record in records {
        record.write(body);
    }
}

fn ascending<R: Record>(records: &[R]) -> bool {
    records.is_sorted_by(|a, b| a.order() < b.order())
}

/// Sorts and tells where each row went.
fn sort_with_rows<R: Record + Copy>(records: &mut [R]) -> Vec<u32> {
    let mut order: Vec<(R, usize)> = records.iter().copied().zip(0..).collect();
    order.sort_by_key(|(record, _)| record.order());
    let mut rows = vec![0; records.len()];
    for ((slot, (record, old)), new) in records.iter_mut().zip(order).zip(0u32..) {
        *slot = record;
        if let Some(row) = rows.get_mut(old) {
            *row = new;
        }
    }
    rows
}

fn moved(rows: &[u32], row: u32) -> Result<u32, ObjectError> {
    let missing = ObjectError::Malformed("a record names a row that does not exist");
    rows.get(row as usize).copied().ok_or(missing)
}
