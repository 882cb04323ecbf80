//! Names of Git objects, SHA-1 or SHA-256.

use std::fmt;
use std::str::FromStr;

/// Name of a Git object: 20 bytes of SHA-1 or 32 of SHA-256; prints as lower-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    length: u8,
    bytes: [u8; 32],
}

impl ObjectId {
    /// Takes raw bytes; nothing unless there are 20 or 32.
    pub fn from_bytes(raw: &[u8]) -> Option<Self> {
        let length = u8::try_from(raw.len()).ok().filter(|n| matches!(n, 20 | 32))?;
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(raw).for_each(|(to, from)| *to = *from);
        Some(Self { length, bytes })
    }

    /// Reads hexadecimal digits as Git prints them.
    pub fn from_hex(text: &[u8]) -> Option<Self> {
        let (pairs, rest) = text.as_chunks::<2>();
        if !rest.is_empty() || pairs.len() > 32 {
            return None;
        }
        let digit = |c: u8| match c {
            b'0'..=b'9' => Some(c - b'0'),
            b'a'..=b'f' => Some(c - b'a' + 10),
            _ => None,
        };
        let raw: Option<Vec<u8>> =
            pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
        Self::from_bytes(&raw?)
    }

    /// Returns the raw bytes: 20 or 32.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or(&self.bytes)
    }

    /// Tells whether all bytes are zero, which is how Git writes "no object".
    pub fn is_zero(&self) -> bool {
        self.bytes == [0; 32]
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectId({self})")
    }
}

/// Why a text is not the name of a Git object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected 40 or 64 lower-case hexadecimal digits")]
pub struct ParseObjectIdError;

impl FromStr for ObjectId {
    type Err = ParseObjectIdError;

    fn from_str(text: &str) -> Result<Self, ParseObjectIdError> {
        Self::from_hex(text.as_bytes()).ok_or(ParseObjectIdError)
    }
}

/// Name of a commit that was found in the repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId(pub ObjectId);

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_is_refused_or_prints_back_the_same(text in "[0-9a-fA-Fx]{0,70}|[0-9a-f]{40}|[0-9a-f]{64}") {
            if let Ok(id) = text.parse::<ObjectId>() {
                prop_assert_eq!(id.to_string(), text);
            } else {
                let right = matches!(text.len(), 40 | 64)
                    && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
                prop_assert!(!right);
            }
        }
    }
}
