//! Names of catalogue objects.

use std::fmt;

use crate::hash::CatalogueId;

/// What a catalogue object is; the byte value stands in its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ObjectKind {
    /// What one push added (`u-`).
    PushRecord = 1,
    /// Several push records put together (`r-`).
    Run = 2,
    /// What gc wrote (`b-`).
    Baseline = 3,
}

impl ObjectKind {
    /// Reads the byte value; nothing for a kind that only a newer release knows.
    pub fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::PushRecord),
            2 => Some(Self::Run),
            3 => Some(Self::Baseline),
            _ => None,
        }
    }

    /// Returns the byte value.
    pub fn byte(self) -> u8 {
        self as u8
    }

    fn letter(self) -> char {
        match self {
            Self::PushRecord => 'u',
            Self::Run => 'r',
            Self::Baseline => 'b',
        }
    }
}

/// The name of a catalogue object, below `i/`: prints as `u-<gen8>-<locs8>-<id16>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// What the object is.
    pub kind: ObjectKind,
    /// The generation of the newest baseline that its writer saw; of a baseline, its own.
    pub generation: u32,
    /// How many LOC records it has.
    pub locs: u32,
    /// The id, from the hash of its bytes.
    pub id: CatalogueId,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, generation, locs, id } = self;
        write!(f, "{}-{generation:08x}-{locs:08x}-{id}", kind.letter())
    }
}

/// The class of work for which a feature must be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FeatureClass {
    /// Everything that reads the remote.
    Read,
    /// Everything that adds to it.
    Write,
    /// Everything that removes from it.
    Gc,
}

impl FeatureClass {
    fn prefix(self) -> &'static str {
        match self {
            Self::Read => "f-read-",
            Self::Write => "f-write-",
            Self::Gc => "f-gc-",
        }
    }
}

impl fmt::Display for FeatureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "reading",
            Self::Write => "writing",
            Self::Gc => "gc",
        })
    }
}

/// A feature that the remote requires: an empty object, `f-read-<name>` and the like.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Feature {
    /// Who must know it.
    pub class: FeatureClass,
    /// Its name: 1 to 32 of `a-z`, `0-9` and `.`.
    pub name: String,
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.class.prefix(), self.name)
    }
}

/// What a name below `i/` stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A catalogue object.
    Object(Name),
    /// A required feature.
    Feature(Feature),
    /// Something that only a newer release knows, or that does not belong there.
    Unknown(String),
}

impl Entry {
    /// Reads a name below `i/`; every text is one of the three.
    pub fn parse(text: &str) -> Self {
        parse_name(text)
            .map(Self::Object)
            .or_else(|| parse_feature(text).map(Self::Feature))
            .unwrap_or_else(|| Self::Unknown(text.to_owned()))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(name) => name.fmt(f),
            Self::Feature(feature) => feature.fmt(f),
            Self::Unknown(text) => f.write_str(text),
        }
    }
}

fn parse_name(text: &str) -> Option<Name> {
    let mut parts = text.split('-');
    let kind = match parts.next()? {
        "u" => ObjectKind::PushRecord,
        "r" => ObjectKind::Run,
        "b" => ObjectKind::Baseline,
        _ => return None,
    };
    let (generation, locs) = (hex8(parts.next()?)?, hex8(parts.next()?)?);
    let id = parts.next()?.parse().ok()?;
    parts.next().is_none().then_some(Name { kind, generation, locs, id })
}

fn hex8(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (text.len() == 8 && digits).then(|| u32::from_str_radix(text, 16).ok()).flatten()
}

fn parse_feature(text: &str) -> Option<Feature> {
    let (class, name) = [FeatureClass::Read, FeatureClass::Write, FeatureClass::Gc]
        .into_iter()
        .find_map(|class| Some((class, text.strip_prefix(class.prefix())?)))?;
    let valid = name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.'));
    ((1..=32).contains(&name.len()) && valid).then(|| Feature { class, name: name.to_owned() })
}
