//! Lines of a file of attributes.

/// What a line says that hands files to haul.
const WORD: &[u8] = b"filter=haul";

/// Returns the pattern of a line that hands files to haul's filter, without quotes.
pub fn filter_pattern(line: &[u8]) -> Option<Vec<u8>> {
    let trimmed = line.trim_ascii();
    if trimmed.starts_with(b"#") {
        return None;
    }
    // Quotes that do not end are part of the name, as Git reads it.
    let (pattern, rest) = unquoted(trimmed).or_else(|| plain(trimmed))?;
    rest.split(u8::is_ascii_whitespace).any(|word| word == WORD).then_some(pattern)
}

/// Says whether a line of a file hands anything to haul's filter.
pub(super) fn names_filter(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n').any(|line| filter_pattern(line).is_some())
}

/// Splits the pattern from the front of a line.
fn plain(line: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let end = line.iter().position(u8::is_ascii_whitespace)?;
    line.split_at_checked(end).map(|(pattern, rest)| (pattern.to_vec(), rest))
}

/// As [`plain`], of a pattern in quotes.
fn unquoted(line: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let quoted = line.strip_prefix(b"\"")?;
    let (mut out, mut bytes) = (Vec::new(), quoted.iter().enumerate());
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Some((out, quoted.get(at + 1..)?)),
            b'\\' => out.push(escaped(&mut bytes.by_ref().map(|(_, byte)| *byte))?),
            other => out.push(*other),
        }
    }
    None
}

/// Reads what follows a backslash.
fn escaped(bytes: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(8).and_then(|digit| u8::try_from(digit).ok());
    match bytes.next()? {
        b'n' => Some(b'\n'),
        b't' => Some(b'\t'),
        first @ b'0'..=b'3' => {
            let (high, middle, low) = (digit(first)?, digit(bytes.next()?)?, digit(bytes.next()?)?);
            Some(high * 64 + middle * 8 + low)
        }
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_hand_files_over_count() {
        for text in [
            "*.bin filter=haul -text",
            "#\n\t*.bin -text filter=haul\r\n",
            "[attr]d filter=haul",
            "\"x filter=haul",
        ] {
            assert!(names_filter(text.as_bytes()), "{text}");
        }
        for text in
            ["", "*.q filter=haulage", "# *.q filter=haul", "*.q xfilter=haul", "filter=haul x"]
        {
            assert!(!names_filter(text.as_bytes()), "{text}");
        }
    }
}
