//! The text `index`: a listing of `i/` for readers whose server cannot list.

use std::fmt::Write;

use super::error::TextError;
use super::text::malformed;
use super::view::Listed;

/// Longest text of an index, in bytes: a full catalogue of 100,000 names fits.
pub const MAX_INDEX_LEN: u64 = 16 << 20;

/// How the text of every version begins.
pub const INDEX_KIND: &str = KIND;

const KIND: &str = "haul-index";
const FIRST: &str = "haul-index 1";
const MAX_NAME: usize = 64;

/// Writes the text of a listing, in any order.
pub fn print_index(listing: &[Listed]) -> String {
    let mut listing: Vec<&Listed> = listing.iter().filter(|listed| is_name(&listed.name)).collect();
    listing.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let mut text = format!("{FIRST}\n");
    for Listed { name, size, modified_ms } in listing {
        // Writing to a string does not fail.
        let _: std::fmt::Result = writeln!(text, "{name} {size} {modified_ms}");
    }
    text
}

/// Reads the text; exactly one form is accepted.
pub fn parse_index(bytes: &[u8]) -> Result<Vec<Listed>, TextError> {
    let wrong = |reason| malformed(KIND, reason);
    let text = str::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8"))?;
    let text = text.strip_suffix('\n').ok_or(wrong("its last line does not end"))?;
    let mut lines = text.split('\n');
    match lines.next() {
        Some(FIRST) => {}
        Some(line) => match line.strip_prefix("haul-index ") {
            Some(version) if version.bytes().all(|c| c.is_ascii_digit()) => {
                let version = version.chars().take(20).collect();
                return Err(TextError::Newer { kind: KIND, version });
            }
            _ => return Err(wrong("its first line is another")),
        },
        None => return Err(wrong("it is empty")),
    }
    let mut listing: Vec<Listed> = Vec::new();
    for line in lines {
        let listed = row(line).ok_or(wrong("a line is no name, size and time"))?;
        if listing.last().is_some_and(|last| last.name >= listed.name) {
            return Err(wrong("its lines are not in order"));
        }
        listing.push(listed);
    }
    Ok(listing)
}

fn row(line: &str) -> Option<Listed> {
    let mut parts = line.split(' ');
    let (name, size, modified) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = parts.next().is_none() && is_name(name);
    whole.then_some(())?;
    Some(Listed { name: name.to_owned(), size: number(size)?, modified_ms: number(modified)? })
}

/// A number in its only form: no sign, no zeros in front.
fn number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

fn is_name(name: &str) -> bool {
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'.' | b'-');
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(name: &str, size: u64) -> Listed {
        Listed { name: name.into(), size, modified_ms: 7 }
    }

    #[test]
    fn a_listing_comes_back_in_order() {
        let listing = [listed("u-2", 5), listed("b-1", 0)];
        let text = print_index(&listing);
        assert_eq!(text, "haul-index 1\nb-1 0 7\nu-2 5 7\n");
        assert_eq!(parse_index(text.as_bytes()).unwrap(), [listed("b-1", 0), listed("u-2", 5)]);
        assert_eq!(parse_index(b"haul-index 1\n").unwrap(), []);
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            "haul-index 1",
            "haul-index 1\n\n",
            "haul-index 1\na 1 1",
            "haul-index 1\na 01 1\n",
            "haul-index 1\na +1 1\n",
            "haul-index 1\na 1 1 1\n",
            "haul-index 1\na 1\n",
            "haul-index 1\n../a 1 1\n",
            "haul-index 1\nb 1 1\na 1 1\n",
            "haul-index 1\na 1 1\na 1 1\n",
            "<html>\n",
        ] {
            assert!(parse_index(text.as_bytes()).is_err(), "{text:?}");
        }
        let newer = parse_index(b"haul-index 2\nx\n");
        assert!(matches!(newer, Err(TextError::Newer { .. })));
    }
}
