//! Errors in three parts: what failed, why, what to do next.

use std::error::Error;

use serde::Serialize;

use crate::cli::exit;
use crate::cli::render::{Style, Word};
use crate::hint::Hint;
use crate::ops::Exit;
use crate::path::{escape_json, show};

/// What is told about an error. The texts are as they came; they are escaped when they are printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ErrorText {
    pub(crate) message: String,
    pub(crate) causes: Vec<String>,
    pub(crate) hint: Option<String>,
}

#[derive(Serialize)]
struct Document<'a> {
    haul: u32,
    verb: Option<&'a str>,
    error: ErrorDocument<'a>,
}

/// An error in a document.
#[derive(Serialize)]
pub(crate) struct ErrorDocument<'a> {
    message: &'a str,
    causes: &'a [String],
    hint: Option<&'a str>,
    exit: u8,
}

impl ErrorText {
    /// Collects the chain of an error; a cause that was already said is left out.
    pub(crate) fn of(error: &(impl Error + Hint)) -> Self {
        let message = error.to_string();
        let mut causes: Vec<String> = Vec::new();
        let mut next = error.source();
        while let Some(source) = next {
            let text = source.to_string();
            let said = causes.last().unwrap_or(&message).contains(&text);
            if !said {
                causes.push(text);
            }
            next = source.source();
        }
        Self { message, causes, hint: error.hint() }
    }

    /// Returns the lines for a person, without a line feed at the end.
    pub(crate) fn lines(&self, style: Style) -> String {
        let line = |indent: &str, word, text: &str| {
            format!("{indent}{} {}", style.word(word), show(text.as_bytes()))
        };
        let mut lines = vec![line("", Word::Error, &self.message)];
        lines.extend(self.causes.iter().map(|cause| line(" ", Word::Cause, cause)));
        lines.extend(self.hint.iter().map(|hint| line("  ", Word::Hint, hint)));
        lines.join("\n")
    }

    /// Returns the document for a program, with a line feed at the end.
    pub(crate) fn document(&self, verb: Option<&str>, exit: Exit) -> String {
        let text = serde_json::to_string(&Document { haul: 1, verb, error: self.part(exit) });
        escape_json(&text.unwrap_or_default()) + "\n"
    }

    /// Returns the part of a document that tells of the error.
    pub(crate) fn part(&self, exit: Exit) -> ErrorDocument<'_> {
        ErrorDocument {
            message: &self.message,
            causes: &self.causes,
            hint: self.hint.as_deref(),
            exit: exit::number(exit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("could not read `{path}`")]
    struct Outer {
        path: &'static str,
        source: Middle,
    }

    #[derive(Debug, thiserror::Error)]
    #[error("disk: {source}")]
    struct Middle {
        source: Inner,
    }

    #[derive(Debug, thiserror::Error)]
    #[error("no space left")]
    struct Inner;

    impl Hint for Outer {
        fn hint(&self) -> Option<String> {
            Some("free some space".to_owned())
        }
    }

    fn error() -> ErrorText {
        ErrorText::of(&Outer { path: "a\x1b[2Jb", source: Middle { source: Inner } })
    }

    #[test]
    fn an_error_has_three_parts_and_says_nothing_twice() {
        assert_eq!(
            error().lines(Style::PLAIN),
            "error: could not read `a\\x1b[2Jb`\n cause: disk: no space left\n  hint: free some space"
        );
    }

    #[test]
    fn an_error_is_one_json_document() {
        let text = error().document(Some("add"), Exit::No);
        let value: serde_json::Value = serde_json::from_str(&text).expect("is JSON");
        assert_eq!(value["haul"], 1);
        assert_eq!(value["verb"], "add");
        assert_eq!(value["error"]["message"], "could not read `a\x1b[2Jb`");
        assert_eq!(value["error"]["causes"][0], "disk: no space left");
        assert_eq!(value["error"]["exit"], 1);
        assert!(!text.contains('\x1b'), "control characters stay out of the raw text");
        assert_eq!(text.matches('\n').count(), 1);
    }
}
