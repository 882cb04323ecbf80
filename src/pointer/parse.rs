//! Reading a pointer: one encoding, everything else refused with its line.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::str::FromStr;

use super::error::PointerError;
use super::text::{
    DIR_RULES, KEYED, MAX_NUMBER, MAX_POINTER, Pointer, PointerKind, Root, is_key, is_own_key,
    is_profile, is_value,
};
use crate::hash::{NodeId, Oid};
use crate::path::show;

/// A merge of two pointers may be this large, and still is told apart from content.
const MAX_CONFLICT: usize = 4 * MAX_POINTER;

/// Says whether bytes claim to be a pointer: at most 4096, and starting with `haul ` and a digit.
///
/// Everything else is content. What claims to be a pointer may still fail to parse.
pub fn looks_like_pointer(bytes: &[u8]) -> bool {
    bytes.len() <= MAX_POINTER && starts_like_pointer(bytes)
}

fn starts_like_pointer(bytes: &[u8]) -> bool {
    bytes.strip_prefix(b"haul ").and_then(<[u8]>::first).is_some_and(u8::is_ascii_digit)
}

fn malformed(line: usize, reason: impl Into<Cow<'static, str>>) -> PointerError {
    PointerError::Malformed { line, reason: reason.into() }
}

/// The lines behind the first two, each with its number.
type Fields<'a> = BTreeMap<&'a str, (usize, &'a str)>;

impl Pointer {
    /// Reads a pointer; allocates nothing before the length has been checked.
    pub fn parse(bytes: &[u8]) -> Result<Self, PointerError> {
        if let Some(line) = conflict_marker(bytes) {
            return Err(PointerError::Conflict { line });
        }
        if !starts_like_pointer(bytes) {
            return Err(PointerError::NotAPointer);
        }
        if bytes.len() > MAX_POINTER {
            return Err(PointerError::TooLong { len: bytes.len() });
        }
        let mut lines = lines_of(bytes)?.into_iter().zip(1..);
        let (version, _) = lines.next().unwrap_or_default();
        check_version(version)?;
        let (kind, _) = lines.next().unwrap_or_default();
        let is_dir = match kind {
            "kind file" => false,
            "kind dir" => true,
            _ => return Err(malformed(2, "expected `kind file` or `kind dir`")),
        };
        let mut fields = Fields::new();
        let mut last = 2;
        for (text, line) in lines {
            let (key, value) = field(text).map_err(|reason| malformed(line, reason))?;
            if let Some((previous, _)) = fields.last_key_value()
                && *previous >= key
            {
                let reason = format!("key `{key}` is not above `{previous}`: sorted, each once");
                return Err(malformed(line, reason));
            }
            fields.insert(key, (line, value));
            last = line;
        }
        let kind = if is_dir { dir_kind(&mut fields, last) } else { file_kind(&mut fields, last) }?;
        if let Some((key, (line, _))) = fields.iter().find(|(key, _)| is_own_key(key)) {
            return Err(malformed(*line, format!("key `{key}` does not belong to this kind")));
        }
        let own = |(key, (_, value)): (&str, (_, &str))| (key.to_owned(), value.to_owned());
        let extra = fields.into_iter().map(own).collect();
        if let Some((key, reason)) = kind.fault() {
            let line = lines_of(bytes)?
                .into_iter()
                .zip(1..)
                .find(|(text, _)| text.strip_prefix(key).is_some_and(|rest| rest.starts_with(' ')));
            return Err(malformed(line.map_or(last, |(_, line)| line), reason));
        }
        Self::from_parts(kind, extra)
    }
}

/// Finds the first line that Git writes where two sides of a pointer disagree.
fn conflict_marker(bytes: &[u8]) -> Option<usize> {
    if bytes.len() > MAX_CONFLICT {
        return None;
    }
    let mut lines = bytes.split(|b| *b == b'\n');
    let before = lines.clone().take_while(|line| !line.starts_with(b"<<<<<<< ")).count();
    // Where even the first line is in dispute, it stands behind the marker.
    let first = lines.clone().nth(usize::from(before == 0));
    if !first.is_some_and(starts_like_pointer) {
        return None;
    }
    let wanted: [&[u8]; 3] = [b"<<<<<<< ", b"=======", b">>>>>>> "];
    let all = wanted.iter().all(|marker| lines.any(|line| line.starts_with(marker)));
    all.then_some(before + 1)
}

fn lines_of(bytes: &[u8]) -> Result<Vec<&str>, PointerError> {
    let line_at = |at: usize| 1 + bytes.iter().take(at).filter(|b| **b == b'\n').count();
    let text = str::from_utf8(bytes)
        .map_err(|error| malformed(line_at(error.valid_up_to()), "it is not valid UTF-8"))?;
    let Some(body) = text.strip_suffix('\n') else {
        return Err(malformed(line_at(bytes.len()), "it does not end with a line feed"));
    };
    Ok(body.split('\n').collect())
}

fn check_version(line: &str) -> Result<(), PointerError> {
    let number = line.strip_prefix("haul ").unwrap_or_default();
    let digits = number.bytes().all(|b| b.is_ascii_digit());
    match number {
        "1" => Ok(()),
        _ if digits && !number.starts_with('0') => {
            Err(PointerError::Newer { line: 1, what: "the version of the format is unknown" })
        }
        _ => Err(malformed(1, "expected `haul 1`")),
    }
}

fn field(text: &str) -> Result<(&str, &str), Cow<'static, str>> {
    if text.ends_with('\r') {
        return Err("it ends with a carriage return".into());
    }
    let (key, value) = text.split_once(' ').ok_or("expected a key, a blank and a value")?;
    if !is_key(key) {
        return Err("the key is not a lower-case word of at most 32 letters".into());
    }
    if !is_value(value) {
        return Err(format!(
            "the value of `{key}` is empty, longer than 1000 bytes, or has a blank at an end or a \
             control character"
        )
        .into());
    }
    Ok((key, value))
}

fn take<'a>(
    fields: &mut Fields<'a>,
    key: &'static str,
    last: usize,
) -> Result<(usize, &'a str), PointerError> {
    fields.remove(key).ok_or_else(|| malformed(last, format!("no line for `{key}`")))
}

fn file_kind(fields: &mut Fields<'_>, last: usize) -> Result<PointerKind, PointerError> {
    let executable = match fields.remove("mode") {
        None => false,
        Some((_, "exec")) => true,
        Some((line, _)) => return Err(malformed(line, "`mode` can only be `exec`")),
    };
    let (line, oid) = take(fields, "oid", last)?;
    let ("b3", oid) = tagged::<Oid>(line, "oid", oid)? else {
        return Err(malformed(line, "`oid` has an unknown hash algorithm"));
    };
    let root = match fields.remove("root") {
        None => None,
        Some((line, root)) => match tagged::<NodeId>(line, "root", root)? {
            (tag, id) if is_profile(tag) => Some(Root { profile: tag.to_owned(), id }),
            _ => return Err(malformed(line, "`root` has a malformed profile")),
        },
    };
    let size = number(take(fields, "size", last)?, "size")?;
    Ok(PointerKind::File { oid, size, root, executable })
}

fn dir_kind(fields: &mut Fields<'_>, last: usize) -> Result<PointerKind, PointerError> {
    let files = number(take(fields, "files", last)?, "files")?;
    let (line, root) = take(fields, "root", last)?;
    let (tag, root) = tagged::<NodeId>(line, "root", root)?;
    if tag != DIR_RULES {
        let newer = tag.strip_prefix('p').is_some_and(|number| {
            (1..=15).contains(&number.len())
                && !number.starts_with('0')
                && number.bytes().all(|b| b.is_ascii_digit())
        });
        return Err(if newer {
            PointerError::Newer { line, what: "the manifest rules are unknown" }
        } else {
            malformed(line, "`root` of a directory must start with `p1:`")
        });
    }
    let size = number(take(fields, "size", last)?, "size")?;
    Ok(PointerKind::Dir { files, root, size })
}

/// Splits `tag:hash`; the tag is not judged beyond being no keyed hash.
fn tagged<'a, T: FromStr>(
    line: usize,
    key: &'static str,
    value: &'a str,
) -> Result<(&'a str, T), PointerError> {
    let Some((tag, hash)) = value.split_once(':') else {
        return Err(malformed(line, format!("`{key}` has no tag before its hash")));
    };
    if tag == KEYED {
        return Err(PointerError::Newer { line, what: "keyed hashes are unknown" });
    }
    let id = hash.parse().map_err(|_| {
        let shown: String = show(hash.as_bytes()).to_string().chars().take(80).collect();
        malformed(line, format!("`{shown}` in `{key}` is not 64 lower-case hexadecimal digits"))
    })?;
    Ok((tag, id))
}

fn number((line, text): (usize, &str), key: &'static str) -> Result<u64, PointerError> {
    let canonical = text == "0" || !text.starts_with('0');
    if !canonical || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(malformed(line, format!("`{key}` is not a decimal number without extras")));
    }
    let value = text.parse().ok().filter(|value| *value <= MAX_NUMBER);
    value.ok_or_else(|| malformed(line, format!("`{key}` is above 2^63-1")))
}
