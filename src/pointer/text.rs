//! What a pointer says, and its one encoding.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::error::PointerError;
use crate::hash::{NodeId, Oid};

/// Largest pointer, in bytes.
pub const MAX_POINTER: usize = 4096;

/// Largest number in a pointer: what signed 64-bit tools can hold.
pub(super) const MAX_NUMBER: u64 = (1 << 63) - 1;

/// Manifest rules that this build writes and reads.
pub(super) const DIR_RULES: &str = "p1";

/// Names the tree of a file of more than one chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// The cutting rule that wrote it, `[a-z][a-z0-9.]{0,15}`; readers do not need to know it.
    pub profile: String,
    /// Its topmost node.
    pub id: NodeId,
}

/// What a pointer stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PointerKind {
    /// One file.
    File {
        /// Identity of its content.
        oid: Oid,
        /// Its length in bytes.
        size: u64,
        /// Its tree; absent exactly if the content is one chunk or none.
        root: Option<Root>,
        /// Whether it may be run.
        executable: bool,
    },
    /// A tracked directory.
    Dir {
        /// Entries of its manifest: files, symlinks, empty directories.
        files: u64,
        /// The topmost node of its manifest.
        root: NodeId,
        /// Bytes of all its files together.
        size: u64,
    },
}

/// A valid pointer: what it stands for, and keys that this build does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    kind: PointerKind,
    extra: BTreeMap<String, String>,
}

/// Words with a meaning of their own; no other key may use them, whatever the kind.
pub(super) fn is_own_key(key: &str) -> bool {
    matches!(key, "files" | "haul" | "kind" | "mode" | "oid" | "root" | "size")
}

/// Keys of this form outlive the content that they were written for.
fn outlives_content(key: &str) -> bool {
    key.starts_with("keep-")
}

/// Says whether a key has the right form: `[a-z][a-z0-9-]{0,31}`.
pub(super) fn is_key(key: &str) -> bool {
    key.len() <= 32
        && key.starts_with(|c: char| c.is_ascii_lowercase())
        && key.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// Says whether a value has the right form: 1…1000 bytes, no control character, no blank around.
pub(super) fn is_value(value: &str) -> bool {
    (1..=1000).contains(&value.len())
        && !value.starts_with(' ')
        && !value.ends_with(' ')
        && !value.contains(char::is_control)
}

/// Says whether a profile has the right form: `[a-z][a-z0-9.]{0,15}`.
pub(super) fn is_profile(name: &str) -> bool {
    name.len() <= 16
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.'))
}

/// The tag of keyed hashes, which a later format may use.
pub(super) const KEYED: &str = "b3k";

/// A contradiction: the key that shows it, and what is wrong.
pub(super) type Fault = (&'static str, &'static str);

impl PointerKind {
    /// Returns what contradicts the format, or nothing.
    pub(super) fn fault(&self) -> Option<Fault> {
        match self {
            Self::File { oid, size, root, .. } => file_fault(oid, *size, root.as_ref()),
            Self::Dir { files, .. } if *files > MAX_NUMBER => Some(("files", TOO_LARGE)),
            Self::Dir { size, .. } if *size > MAX_NUMBER => Some(("size", TOO_LARGE)),
            Self::Dir { root: NodeId(ZEROS), .. } => Some(("root", NO_HASH)),
            Self::Dir { files: 0, size: 1.., .. } => {
                Some(("size", "`size` must be 0 where `files` is 0"))
            }
            Self::Dir { .. } => None,
        }
    }

    /// Says whether both stand for the same bytes, however they are cut and whoever may run them.
    fn same_content(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File { oid, .. }, Self::File { oid: other, .. }) => oid == other,
            (Self::Dir { .. }, Self::Dir { .. }) => self == other,
            (Self::File { .. }, Self::Dir { .. }) | (Self::Dir { .. }, Self::File { .. }) => false,
        }
    }
}

const TOO_LARGE: &str = "the number is above 2^63-1";
const NO_HASH: &str = "all zeros are no hash";
const ZEROS: [u8; 32] = [0; 32];

fn file_fault(oid: &Oid, size: u64, root: Option<&Root>) -> Option<Fault> {
    if oid.0 == ZEROS {
        return Some(("oid", NO_HASH));
    }
    if size > MAX_NUMBER {
        return Some(("size", TOO_LARGE));
    }
    if (size == 0) != (*oid == Oid::EMPTY) {
        return Some(("size", "`size` is 0 exactly if `oid` is the hash of no bytes"));
    }
    let root = root?;
    if size == 0 {
        Some(("root", "an empty file has no `root`"))
    } else if root.id.0 == ZEROS {
        Some(("root", NO_HASH))
    } else if root.profile == KEYED || !is_profile(&root.profile) {
        Some(("root", "the profile is malformed or reserved"))
    } else {
        None
    }
}

impl Pointer {
    /// Makes a pointer without further keys; fails if the parts contradict each other.
    pub fn new(kind: PointerKind) -> Result<Self, PointerError> {
        Self::from_parts(kind, BTreeMap::new())
    }

    /// Puts checked parts together; keys and values of `extra` must have the right form.
    pub(super) fn from_parts(
        kind: PointerKind,
        extra: BTreeMap<String, String>,
    ) -> Result<Self, PointerError> {
        if let Some((key, reason)) = kind.fault() {
            return Err(PointerError::Invalid { reason: format!("`{key}`: {reason}").into() });
        }
        let pointer = Self { kind, extra };
        let len = pointer.to_bytes().len();
        if len > MAX_POINTER {
            return Err(PointerError::TooLong { len });
        }
        Ok(pointer)
    }

    /// Returns what the pointer stands for.
    pub fn kind(&self) -> &PointerKind {
        &self.kind
    }

    /// Returns the keys that the format leaves open, sorted.
    pub fn extra(&self) -> &BTreeMap<String, String> {
        &self.extra
    }

    /// Returns the bytes that a checkout of it takes.
    pub fn size(&self) -> u64 {
        match self.kind {
            PointerKind::File { size, .. } | PointerKind::Dir { size, .. } => size,
        }
    }

    /// Returns how many files it stands for, and their bytes.
    pub fn figures(&self) -> (u64, u64) {
        match self.kind {
            PointerKind::File { size, .. } => (1, size),
            PointerKind::Dir { files, size, .. } => (files, size),
        }
    }

    /// Sets a key that the format leaves open, such as where an import came from.
    ///
    /// Fails for a key of the format's own, a malformed key or value, and a pointer that grows
    /// above 4096 bytes.
    pub fn with_extra(mut self, key: &str, value: &str) -> Result<Self, PointerError> {
        if is_own_key(key) || !is_key(key) || !is_value(value) {
            let reason = "a key or value is malformed, or the key has a meaning of its own".into();
            return Err(PointerError::Invalid { reason });
        }
        self.extra.insert(key.to_owned(), value.to_owned());
        Self::from_parts(self.kind, self.extra)
    }

    /// Makes the pointer that takes the place of `old` once its path has the content `new`.
    ///
    /// For the same content `old` stays byte for byte, root and all, but for the executable bit.
    /// Otherwise the keys that described the old content go and those in `keep-` stay.
    pub fn with_new_content(old: &Self, new: PointerKind) -> Result<Self, PointerError> {
        if !old.kind.same_content(&new) {
            let kept = old.extra.iter().filter(|(key, _)| outlives_content(key));
            let kept = kept.map(|(key, value)| (key.clone(), value.clone())).collect();
            return Self::from_parts(new, kept);
        }
        let mut same = old.clone();
        if let (
            PointerKind::File { executable, .. },
            PointerKind::File { executable: wanted, .. },
        ) = (&mut same.kind, &new)
        {
            *executable = *wanted;
        }
        Self::from_parts(same.kind, same.extra)
    }

    /// Encodes the pointer; there is no other encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut lines: BTreeMap<&str, Cow<'_, str>> = BTreeMap::new();
        for (key, value) in &self.extra {
            lines.insert(key, value.into());
        }
        let kind = match &self.kind {
            PointerKind::File { oid, size, root, executable } => {
                lines.insert("oid", format!("b3:{oid}").into());
                lines.insert("size", size.to_string().into());
                if let Some(Root { profile, id }) = root {
                    lines.insert("root", format!("{profile}:{id}").into());
                }
                if *executable {
                    lines.insert("mode", "exec".into());
                }
                "file"
            }
            PointerKind::Dir { files, root, size } => {
                lines.insert("files", files.to_string().into());
                lines.insert("root", format!("{DIR_RULES}:{root}").into());
                lines.insert("size", size.to_string().into());
                "dir"
            }
        };
        let mut text = format!("haul 1\nkind {kind}\n");
        for (key, value) in lines {
            text.push_str(key);
            text.push(' ');
            text.push_str(&value);
            text.push('\n');
        }
        text.into_bytes()
    }
}
