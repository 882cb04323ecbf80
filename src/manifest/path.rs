//! Which byte strings are paths in a manifest.

use crate::fs::planted;
use crate::node::{EntryError, MAX_KEY};

/// Longest part of a path between slashes, in bytes.
const MAX_PART: usize = 255;

/// Why a byte string is not a path in a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.reason())]
#[non_exhaustive]
pub enum PathError {
    /// No byte at all, or more than 4096.
    Length,
    /// A slash at an end, or two in a row.
    EmptyPart,
    /// `.` or `..`.
    Dots,
    /// A part longer than file systems take.
    LongPart,
    /// A zero byte.
    Nul,
}

impl PathError {
    /// Returns the rule that is broken.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Length => "a path has 1 to 4096 bytes",
            Self::EmptyPart => "a part of the path is empty",
            Self::Dots => "a part of the path is `.` or `..`",
            Self::LongPart => "a part of the path is longer than 255 bytes",
            Self::Nul => "the path holds a zero byte",
        }
    }
}

impl From<PathError> for EntryError {
    fn from(error: PathError) -> Self {
        Self::Rule(error.reason())
    }
}

/// Checks the rules of the format: parts divided by `/`, none empty, `.` or `..`, each of at most
/// 255 bytes, no zero byte, 4096 bytes in all. UTF-8 is not required; what a file system makes of
/// a name is checked at checkout.
pub fn check_path(path: &[u8]) -> Result<(), PathError> {
    if path.is_empty() || path.len() > MAX_KEY {
        return Err(PathError::Length);
    }
    if path.contains(&0) {
        return Err(PathError::Nul);
    }
    let parts = if planted::is("only-first-part-checked") { 1 } else { usize::MAX };
    for part in path.split(|byte| *byte == b'/').take(parts) {
        match part {
            b"" => return Err(PathError::EmptyPart),
            b"." | b".." => return Err(PathError::Dots),
            _ if part.len() > MAX_PART => return Err(PathError::LongPart),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_could_leave_the_directory_or_break_a_file_system_are_refused() {
        let part = "a".repeat(256);
        let long = "a/".repeat(2048) + "b";
        let deep = "a/".repeat(100_000) + "b";
        let cases: [(&[u8], PathError); 12] = [
            (b"", PathError::Length),
            (b"/a", PathError::EmptyPart),
            (b"a/", PathError::EmptyPart),
            (b"a//b", PathError::EmptyPart),
            (b".", PathError::Dots),
            (b"..", PathError::Dots),
            (b"../a", PathError::Dots),
            (b"a/./b", PathError::Dots),
            (b"a\0b", PathError::Nul),
            (part.as_bytes(), PathError::LongPart),
            (long.as_bytes(), PathError::Length),
            (deep.as_bytes(), PathError::Length),
        ];
        for (path, error) in cases {
            assert_eq!(check_path(path), Err(error), "{}", path.escape_ascii());
        }
    }

    #[test]
    fn odd_but_harmless_names_are_paths() {
        for path in [&b"..."[..], b"a/.../b", b".git2", b"\xff\xfe", b" ", b"a\nb", b"-rf"] {
            assert_eq!(check_path(path), Ok(()));
        }
        assert_eq!(check_path("a".repeat(255).as_bytes()), Ok(()));
        assert_eq!(check_path("a/".repeat(2047).as_bytes().get(..4093).unwrap()), Ok(()));
    }
}
