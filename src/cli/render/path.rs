//! Paths in listings.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::path::{JsonPath, show};

/// Returns a path as a person reads it.
pub(crate) fn shown(path: &JsonPath) -> String {
    match path.path_base64 {
        // It was made for reading already, and escaping it twice would double its backslashes.
        Some(_) => path.path.clone(),
        None => show(path.path.as_bytes()).to_string(),
    }
}

/// Returns a path so that a program gets its exact bytes back: `\\`, `\n`, `\t`, `\r` and `\xNN`
/// stand for backslashes, control characters and bytes that are not UTF-8.
pub(crate) fn porcelain(path: &JsonPath) -> String {
    let bytes = path.path_base64.as_ref().and_then(|text| STANDARD.decode(text).ok());
    let bytes = bytes.as_deref().unwrap_or(path.path.as_bytes());
    let mut out = String::with_capacity(bytes.len());
    for piece in bytes.utf8_chunks() {
        for c in piece.valid().chars() {
            match c {
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\r' => out.push_str("\\r"),
                c if needs_escape(c) => {
                    let mut buffer = [0; 4];
                    push_hex(&mut out, c.encode_utf8(&mut buffer).as_bytes());
                }
                c => out.push(c),
            }
        }
        push_hex(&mut out, piece.invalid());
    }
    out
}

/// What [`show`] does not print as it is must not reach a terminal from here either.
fn needs_escape(c: char) -> bool {
    let mut buffer = [0; 4];
    let raw = c.encode_utf8(&mut buffer);
    c.is_control() || show(raw.as_bytes()).to_string() != *raw
}

fn push_hex(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        out.push_str("\\x");
        out.extend(
            [byte >> 4, byte & 15]
                .map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('?')),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(bytes: &[u8]) -> JsonPath {
        match str::from_utf8(bytes) {
            Ok(text) => JsonPath { path: text.to_owned(), path_base64: None },
            Err(_) => JsonPath {
                path: "as a person reads it".to_owned(),
                path_base64: Some(STANDARD.encode(bytes)),
            },
        }
    }

    fn unescape(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = text.as_bytes();
        while let [first, more @ ..] = rest {
            rest = match (first, more) {
                (b'\\', [b'\\', tail @ ..]) => (out.push(b'\\'), tail).1,
                (b'\\', [b'n', tail @ ..]) => (out.push(b'\n'), tail).1,
                (b'\\', [b't', tail @ ..]) => (out.push(b'\t'), tail).1,
                (b'\\', [b'r', tail @ ..]) => (out.push(b'\r'), tail).1,
                (b'\\', [b'x', a, b, tail @ ..]) => {
                    let digits = [*a, *b];
                    let digits = str::from_utf8(&digits).expect("are digits");
                    out.push(u8::from_str_radix(digits, 16).expect("are digits"));
                    tail
                }
                (byte, tail) => (out.push(*byte), tail).1,
            };
        }
        out
    }

    #[test]
    fn porcelain_keeps_a_path_on_its_line() {
        assert_eq!(porcelain(&path(b"a\\b\n\t\x1b\xff\xc3\xa4")), "a\\\\b\\n\\t\\x1b\\xffä");
        assert_eq!(porcelain(&path(b"two words")), "two words");
    }

    proptest! {
        #[test]
        fn porcelain_paths_read_back(bytes: Vec<u8>) {
            let text = porcelain(&path(&bytes));
            prop_assert!(!text.chars().any(char::is_control));
            prop_assert_eq!(unescape(&text), bytes);
        }
    }
}
