//! Reading catalogue objects.

use crate::hash::CatalogueId;
use crate::hash::Digest;
use crate::hash::PackId;
use crate::hash::RepoId;
use crate::wire::Reader;

use super::error::ObjectError;
use super::name::{Name, ObjectKind};
use super::object::{
    END_MAGIC, HEADER_LEN, MAGIC, MAX_OBJECT_LEN, MAX_SECTIONS, Object, UnknownSection, VERSION,
};
use super::record::{CoverRecord, HookRecord, LocRecord, PackRecord, Record};

const TRAILER_LEN: usize = 36;

/// One entry of the header.
#[derive(Clone, Copy)]
struct Section {
    tag: [u8; 4],
    record_size: u32,
    count: u64,
}

impl Section {
    fn len(&self) -> Result<usize, ObjectError> {
        self.count
            .checked_mul(self.record_size.into())
            .filter(|len| *len <= MAX_OBJECT_LEN)
            .and_then(|len| usize::try_from(len).ok())
            .ok_or(ObjectError::Malformed("a table is larger than the object"))
    }
}

impl Object {
    /// Reads an object and checks that it is the one that `name` stands for.
    ///
    /// Its hash comes first: what does not have it is damaged, whatever version it seems to be of.
    pub fn parse_named(name: &Name, bytes: &[u8]) -> Result<Self, ObjectError> {
        if CatalogueId::from_digest(Digest::of(bytes)) != name.id {
            return Err(ObjectError::Malformed("it does not hash to its name"));
        }
        let object = Self::parse(bytes)?;
        let agrees = object.kind == name.kind
            && object.generation == name.generation
            && object.locs.len() == name.locs as usize;
        if agrees { Ok(object) } else { Err(ObjectError::Malformed("its name does not fit it")) }
    }

    /// Reads an object: hash, sizes, order and rows are checked; unknown sections are kept.
    pub fn parse(bytes: &[u8]) -> Result<Self, ObjectError> {
        if bytes.len() as u64 > MAX_OBJECT_LEN {
            return Err(ObjectError::Malformed("it is larger than a catalogue object may be"));
        }
        let (content, trailer) = bytes
            .split_last_chunk::<TRAILER_LEN>()
            .ok_or(ObjectError::Malformed("it ends too early"))?;
        let mut reader = Reader::new(content);
        let header = reader.take(HEADER_LEN)?;
        let mut header = Reader::new(header);
        let (mut object, n_sections) = read_header(&mut header)?;
        if trailer.last_chunk::<4>() != Some(&END_MAGIC) {
            return Err(ObjectError::Malformed("it does not end as a catalogue object"));
        }
        if trailer.first_chunk::<32>() != Some(&Digest::of(content).0) {
            return Err(ObjectError::Malformed("it does not hash to what it declares"));
        }
        let mut sections = Vec::with_capacity(n_sections);
        for _ in 0..n_sections {
            let (tag, record_size, count) = (header.array()?, header.u32()?, header.u64()?);
            sections.push(Section { tag, record_size, count });
        }
        if header.rest().iter().any(|byte| *byte != 0) {
            return Err(ObjectError::Malformed("the fill of its header is not zero"));
        }
        read_sections(&mut object, &sections, &mut reader)?;
        if !reader.is_empty() {
            return Err(ObjectError::Malformed("its tables do not add up to its size"));
        }
        object.check()?;
        Ok(object)
    }
}

fn read_header(header: &mut Reader<'_>) -> Result<(Object, usize), ObjectError> {
    if header.array::<4>()? != MAGIC {
        return Err(ObjectError::Malformed("it does not begin as a catalogue object"));
    }
    let version = header.u8()?;
    if version != VERSION {
        return Err(ObjectError::Newer { what: "version", value: version.into() });
    }
    let kind = header.u8()?;
    let kind = ObjectKind::from_byte(kind)
        .ok_or(ObjectError::Newer { what: "kind", value: kind.into() })?;
    let sections = usize::from(header.u16()?);
    let generation = header.u32()?;
    let flags = header.u32()?;
    if flags != 0 {
        return Err(ObjectError::Newer { what: "flags", value: flags });
    }
    if sections > MAX_SECTIONS {
        return Err(ObjectError::Malformed("it has too many sections"));
    }
    let repo = RepoId(header.array()?);
    Ok((Object::new(kind, generation, repo, header.array()?), sections))
}

/// Reads the tables. Known ones stand in one order and only if they have records, except that LOC
/// always stands first; unknown ones follow, ascending by tag ([`Object::check`]): so there is one
/// encoding.
fn read_sections(
    object: &mut Object,
    sections: &[Section],
    reader: &mut Reader<'_>,
) -> Result<(), ObjectError> {
    let mut sections = sections.iter().copied().peekable();
    let loc = sections.next().filter(|s| s.tag == LocRecord::TAG);
    let loc = loc.ok_or(ObjectError::Malformed("its first table is not LOC"))?;
    object.locs = read_table(loc, reader)?;
    if let Some(section) = sections.next_if(|s| s.tag == PackRecord::TAG) {
        object.packs = read_filled(section, reader)?;
    }
    if let Some(section) = sections.next_if(|s| s.tag == HookRecord::TAG) {
        object.hooks = read_filled(section, reader)?;
    }
    if let Some(section) = sections.next_if(|s| s.tag == CoverRecord::TAG) {
        object.covers = read_filled(section, reader)?;
    }
    if let Some(section) = sections.next_if(|s| s.tag == PackId::TAG) {
        object.victims = read_filled(section, reader)?;
    }
    for section in sections {
        let bytes = reader.take(section.len()?)?.to_vec();
        let Section { tag, record_size, .. } = section;
        object.unknown.push(UnknownSection { tag, record_size, bytes });
    }
    Ok(())
}

fn read_filled<R: Record>(
    section: Section,
    reader: &mut Reader<'_>,
) -> Result<Vec<R>, ObjectError> {
    if section.count == 0 {
        return Err(ObjectError::Malformed("it has an empty table"));
    }
    read_table(section, reader)
}

fn read_table<R: Record>(section: Section, reader: &mut Reader<'_>) -> Result<Vec<R>, ObjectError> {
    if section.record_size != R::SIZE {
        return Err(ObjectError::Malformed("a table has records of another size"));
    }
    let bytes = reader.take(section.len()?)?;
    let mut table = Vec::with_capacity(bytes.len() / R::SIZE as usize);
    let mut reader = Reader::new(bytes);
    while !reader.is_empty() {
        table.push(R::read(&mut reader)?);
    }
    Ok(table)
}
