//! Printing names that others chose: nothing in them may steer a terminal or deceive a reader.

use std::fmt::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

/// Bytes that print safely on a terminal; made by [`show`].
#[derive(Clone, Copy)]
pub struct Shown<'a>(&'a [u8]);

/// Prints bytes for a terminal.
///
/// Ordinary UTF-8, backslashes included, comes out as it is. Control characters, marks that change
/// the direction of text, invisible characters and invalid UTF-8 come out as `\n`, `\t`, `\r`,
/// `\x1b`, `\u{202e}`, `\xff`. Not reversible: use [`json_path`] where a program reads it.
pub fn show(bytes: &[u8]) -> Shown<'_> {
    Shown(bytes)
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in self.0.utf8_chunks() {
            for c in piece.valid().chars() {
                match c {
                    '\n' => f.write_str("\\n")?,
                    '\r' => f.write_str("\\r")?,
                    '\t' => f.write_str("\\t")?,
                    _ if !is_deceptive(c) => f.write_char(c)?,
                    _ if c.is_ascii() => write!(f, "\\x{:02x}", u32::from(c))?,
                    _ => write!(f, "\\u{{{:x}}}", u32::from(c))?,
                }
            }
            piece.invalid().iter().try_for_each(|b| write!(f, "\\x{b:02x}"))?;
        }
        Ok(())
    }
}

/// Says whether a character controls the terminal, turns the text around or cannot be seen.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// A path in a JSON document.
#[derive(Clone, Debug, Hash, PartialEq, Eq, Serialize)]
pub struct JsonPath {
    /// The exact path if it is UTF-8; else what a person would be shown.
    pub path: String,
    /// The exact bytes in base64, only where they are not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_base64: Option<String>,
}

/// Prepares a path for a JSON document; nothing is lost.
///
/// The text of the document still goes through [`escape_json`], as it may reach a terminal.
pub fn json_path(bytes: &[u8]) -> JsonPath {
    match str::from_utf8(bytes) {
        Ok(text) => JsonPath { path: text.to_owned(), path_base64: None },
        Err(_) => {
            JsonPath { path: show(bytes).to_string(), path_base64: Some(STANDARD.encode(bytes)) }
        }
    }
}

/// Escapes what JSON allows raw but a terminal obeys: DEL, C1 controls, direction marks.
///
/// Takes a whole JSON text. Such characters occur only inside its strings, so `\uXXXX` in their
/// place means the same to every reader. Line feeds between values stay.
pub fn escape_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_deceptive(c) && !matches!(c, '\n' | '\r' | '\t') {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let digits = [12, 8, 4, 0].map(|shift| u32::from(*unit >> shift & 0xf));
                out.push_str("\\u");
                out.extend(digits.iter().filter_map(|digit| char::from_digit(*digit, 16)));
            }
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::hostile_cases::{Case, cases};
    use proptest::prelude::*;

    #[test]
    fn what_steers_a_terminal_comes_out_escaped() {
        for (bytes, text) in [
            (&b"\x1b]0;t\x07"[..], r"\x1b]0;t\x07"),
            (b"a\nb\tc\rd", r"a\nb\tc\rd"),
            (b"\x9b31m\xff", r"\x9b31m\xff"),
            (b"a\x7f\x08", r"a\x7f\x08"),
            ("\u{202e}x\u{200b}\u{9b}".as_bytes(), r"\u{202e}x\u{200b}\u{9b}"),
            ("dätä/データ 🦀\\x".as_bytes(), "dätä/データ 🦀\\x"),
        ] {
            assert_eq!(show(bytes).to_string(), text);
        }
    }

    #[test]
    fn no_hostile_name_reaches_a_terminal_or_json_unescaped() {
        let terminal: Vec<Case> =
            cases().into_iter().filter(|case| case.expect == "escape-output").collect();
        assert!(terminal.len() >= 9, "the cases are gone");
        for case in terminal {
            let bytes = case.bytes();
            let shown = show(&bytes).to_string();
            assert!(!shown.chars().any(is_deceptive), "{shown:?}");
            assert_ne!(shown.as_bytes(), bytes, "nothing was escaped");
            let json = serde_json::to_string(&json_path(&bytes)).expect("is plain data");
            let json = escape_json(&json);
            assert!(!json.chars().any(is_deceptive), "{json:?}");
        }
    }

    #[test]
    fn a_path_that_is_not_utf8_goes_into_json_twice() {
        let json = serde_json::to_string(&json_path(b"\xff.bin")).expect("is plain data");
        assert_eq!(json, r#"{"path":"\\xff.bin","path_base64":"/y5iaW4="}"#);
        let json = serde_json::to_string(&json_path("ä".as_bytes())).expect("is plain data");
        assert_eq!(json, r#"{"path":"ä"}"#);
    }

    proptest! {
        #[test]
        fn shown_bytes_hold_nothing_deceptive(bytes: Vec<u8>) {
            prop_assert!(!show(&bytes).to_string().chars().any(is_deceptive));
        }

        #[test]
        fn escaped_json_still_means_the_same(text: String) {
            let json = serde_json::to_string_pretty(&[&text]).expect("is plain data");
            let again: Vec<String> = serde_json::from_str(&escape_json(&json)).expect("is JSON");
            prop_assert_eq!(again, [text]);
        }
    }
}
