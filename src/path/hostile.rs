//! Which names are refused everywhere, which only trouble Windows, and which deserve a word of
//! caution. Every rule looks at one part of a path at a time, so a prefix, a suffix or a join of
//! accepted paths is accepted too (but for its total length).

use super::short_name::Guard;
use crate::fs::{TEMP_PREFIX, planted};

/// Longest path, in bytes.
pub(super) const MAX_PATH: usize = 4096;
/// Longest part of a path, in bytes: what Linux file systems hold.
pub(super) const MAX_PART: usize = 255;

/// Why bytes are not a path that haul would ever write to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathProblem {
    /// No bytes at all.
    #[error("it is empty")]
    Empty,
    /// More than 4096 bytes.
    #[error("it is longer than 4096 bytes")]
    TooLong,
    /// A part of more than 255 bytes.
    #[error("one of its parts is longer than 255 bytes")]
    LongPart,
    /// A NUL byte.
    #[error("it contains a NUL byte")]
    Nul,
    /// Starts with a slash or, as Windows sees it, at the root of a drive or of a network share.
    #[error("it is absolute")]
    Absolute,
    /// Starts with a drive letter and a colon.
    #[error("one of its parts starts with a Windows drive")]
    Drive,
    /// Ends with a slash.
    #[error("it ends with a slash")]
    TrailingSlash,
    /// Two slashes in a row.
    #[error("it has an empty part")]
    EmptyPart,
    /// A part `.` or `..`, also between backslashes or in overlong UTF-8.
    #[error("it has a part `.` or `..`")]
    DotPart,
    /// A part that ends with a line feed.
    #[error("one of its parts ends with a line feed")]
    TrailingNewline,
    /// A surrogate code point in UTF-8 clothing.
    #[error("it encodes a lone surrogate")]
    Surrogate,
    /// `.git`, or a name that some file system takes for it.
    #[error("one of its parts is, or passes for, `.git`")]
    GitFolder,
    /// `.gitmodules` or `.gitattributes`, or a name that some file system takes for them.
    #[error("one of its parts is, or passes for, a file that steers Git")]
    GitFile,
    /// `haul.toml`, or a name that some file system takes for it or for `.haulignore`.
    #[error("one of its parts is, or passes for, a file that steers haul")]
    OwnFile,
    /// A name of our own temporary files, which a later run would clear away.
    #[error("one of its parts is named like a file that haul left half written")]
    Temporary,
    /// A name that ends with `.haul.haul`: the pointer of a pointer.
    #[error("one of its parts is the pointer of a pointer")]
    DoubleSuffix,
    /// A pointer's name was wanted, and this one lacks `.haul` or has nothing before it.
    #[error("it is not the name of a pointer, which ends with `.haul`")]
    NotAPointer,
}

/// Returns the first rule that `path` breaks. Linear in its length, which is checked first.
pub(super) fn problem(path: &[u8]) -> Option<PathProblem> {
    if path.is_empty() {
        return Some(PathProblem::Empty);
    }
    if path.len() > MAX_PATH {
        return Some(PathProblem::TooLong);
    }
    if path.contains(&0) {
        return Some(PathProblem::Nul);
    }
    if path.starts_with(b"/") {
        return Some(PathProblem::Absolute);
    }
    if path.ends_with(b"/") {
        return Some(PathProblem::TrailingSlash);
    }
    let parts = if planted::is("only-first-part-checked") { 1 } else { usize::MAX };
    if let Some(found) = path.split(|b| *b == b'/').take(parts).find_map(part_problem) {
        return Some(found);
    }
    if str::from_utf8(path).is_ok() {
        return None;
    }
    if path.windows(3).any(|w| matches!(w, [0xed, 0xa0..=0xbf, 0x80..=0xbf])) {
        return Some(PathProblem::Surrogate);
    }
    // A decoder that does not insist on the shortest form would see other names here.
    decode_laxly(path)
        .split(|b| matches!(b, b'/' | b'\\'))
        .find_map(|part| if part == b".." { Some(PathProblem::DotPart) } else { guarded(part) })
}

fn part_problem(part: &[u8]) -> Option<PathProblem> {
    match part {
        b"" => return Some(PathProblem::EmptyPart),
        [b'\\', ..] => return Some(PathProblem::Absolute),
        _ if part.starts_with(TEMP_PREFIX) => return Some(PathProblem::Temporary),
        [.., b'\n'] => return Some(PathProblem::TrailingNewline),
        _ if part.len() > MAX_PART => return Some(PathProblem::LongPart),
        _ => {}
    }
    // Windows takes a backslash for a separator, so what lies between two of them is a part, too.
    part.split(|b| *b == b'\\').find_map(|name| match name {
        b"." | b".." => Some(PathProblem::DotPart),
        _ if has_drive(name) => Some(PathProblem::Drive),
        _ if has_double_suffix(name) => Some(PathProblem::DoubleSuffix),
        _ => guarded(name),
    })
}

/// Any single character before a colon counts: `subst` gives drives to letters of every script.
fn has_drive(name: &[u8]) -> bool {
    let Some(colon) = name.iter().take(5).position(|b| *b == b':') else { return false };
    let before = name.get(..colon).unwrap_or_default();
    match str::from_utf8(before) {
        Ok(text) => text.chars().count() == 1,
        Err(_) => before.len() == 1,
    }
}

fn has_double_suffix(name: &[u8]) -> bool {
    const SUFFIX: &[u8] = b".haul.haul";
    let name = trim_dots_and_blanks(name);
    let end = name.len().saturating_sub(SUFFIX.len());
    name.get(end..).is_some_and(|tail| tail.eq_ignore_ascii_case(SUFFIX))
}

/// Windows drops these from the end of every name.
fn trim_dots_and_blanks(mut name: &[u8]) -> &[u8] {
    while let [rest @ .., b'.' | b' '] = name {
        name = rest;
    }
    name
}

const GIT: [Guard; 1] = [Guard { name: b".git", short: b"git", ext: b"", hash: *b"gi2837" }];

const GIT_FILES: [Guard; 2] = [
    Guard { name: b".gitmodules", short: b"gitmod", ext: b"", hash: *b"gi7eba" },
    Guard { name: b".gitattributes", short: b"gitatt", ext: b"", hash: *b"gi7d29" },
];

const OWN_FILES: [Guard; 2] = [
    Guard { name: b"haul.toml", short: b"haul", ext: b"tom", hash: *b"ha4db0" },
    Guard { name: b".haulignore", short: b"haulig", ext: b"", hash: *b"ha56cf" },
];

const GIT_IGNORE: [Guard; 1] =
    [Guard { name: b".gitignore", short: b"gitign", ext: b"", hash: *b"gi250a" }];

const MAILMAP: [Guard; 1] =
    [Guard { name: b".mailmap", short: b"mailma", ext: b"", hash: *b"maba30" }];

/// A file with rules of this very name is a part of the folder that it has rules for: what it does is
/// keep files from being tracked.
const RULES: &[u8] = b".haulignore";

fn guarded(name: &[u8]) -> Option<PathProblem> {
    if name == RULES {
        return None;
    }
    let folded = fold(name)?;
    let among = |guards: &[Guard]| guards.iter().any(|guard| guard.catches(&folded));
    if among(&GIT) {
        Some(PathProblem::GitFolder)
    } else if among(&GIT_FILES) {
        Some(PathProblem::GitFile)
    } else if among(&OWN_FILES) {
        Some(PathProblem::OwnFile)
    } else {
        None
    }
}

/// Lower-cases ASCII and drops what HFS+ ignores; nothing for a name that no guard can match.
fn fold(name: &[u8]) -> Option<Vec<u8>> {
    let first = name.first()?;
    if !matches!(first.to_ascii_lowercase(), b'.' | b'g' | b'h' | b'm' | b'~' | 0xe2 | 0xef) {
        return None;
    }
    let mut out = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((byte, tail)) = rest.split_first() {
        rest = match rest {
            [0xe2, 0x80, 0x8c..=0x8f | 0xaa..=0xae, tail @ ..]
            | [0xe2, 0x81, 0xaa..=0xaf, tail @ ..]
            | [0xef, 0xbb, 0xbf, tail @ ..] => tail,
            _ => {
                out.push(byte.to_ascii_lowercase());
                tail
            }
        };
    }
    Some(out)
}

/// Decodes UTF-8 without minding overlong forms; what does not decode stays as it is.
fn decode_laxly(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((lead, tail)) = rest.split_first() {
        let ones = lead.leading_ones() as usize;
        let follow = if (2..=6).contains(&ones) { tail.get(..ones - 1) } else { None };
        let decoded = follow.filter(|f| f.iter().all(|b| b & 0xc0 == 0x80)).and_then(|follow| {
            let first = u32::from(lead & (0x7f >> ones));
            char::from_u32(follow.iter().fold(first, |code, b| code << 6 | u32::from(b & 0x3f)))
        });
        if let Some(c) = decoded {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            rest = tail.get(ones - 1..).unwrap_or_default();
        } else {
            out.push(*lead);
            rest = tail;
        }
    }
    out
}

/// Says what Windows could not do with `path`, or nothing.
pub(super) fn windows_problem(path: &[u8]) -> Option<&'static str> {
    if str::from_utf8(path).is_err() {
        return Some("is not valid UTF-8, which Windows cannot hold");
    }
    path.split(|b| *b == b'/').find_map(|part| match part {
        [.., b'.' | b' '] => {
            Some("has a part that ends with a dot or a blank, which Windows drops")
        }
        _ if part.contains(&b':') => Some("has a colon, which names a stream on Windows"),
        _ if part.contains(&b'\\') => Some("has a backslash, which separates folders on Windows"),
        _ if part.iter().any(|b| b.is_ascii_control() || b"\"*<>?|".contains(b)) => {
            Some("has a character that Windows does not allow")
        }
        _ if is_device(part) => Some("has a part that names a device on Windows"),
        _ => None,
    })
}

fn is_device(part: &[u8]) -> bool {
    let stem = part.split(|b| *b == b'.').next().unwrap_or_default();
    let stem = trim_dots_and_blanks(stem).to_ascii_lowercase();
    match stem.as_slice() {
        b"con" | b"prn" | b"aux" | b"nul" | b"conin$" | b"conout$" => true,
        [b'c', b'o', b'm', number @ ..] | [b'l', b'p', b't', number @ ..] => {
            // Superscript one, two and three count as digits there.
            matches!(number, [b'1'..=b'9'] | [0xc2, 0xb9 | 0xb2 | 0xb3])
        }
        _ => false,
    }
}

/// Says why tracking `path` as data is unwise although it is allowed, or nothing.
pub(super) fn caution(path: &[u8]) -> Option<&'static str> {
    path.split(|b| matches!(b, b'/' | b'\\')).find_map(|name| {
        let folded = fold(name)?;
        if GIT_IGNORE.iter().any(|guard| guard.catches(&folded)) {
            Some("is read by Git as ignore rules and would hide files")
        } else if MAILMAP.iter().any(|guard| guard.catches(&folded)) {
            Some("is read by Git as a map of authors")
        } else {
            None
        }
    })
}
