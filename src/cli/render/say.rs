//! Lines on stderr.

use std::io::{self, Write};

use crate::cli::render::{Style, Word};
use crate::path::show;
use crate::progress::{Event, Sink};

/// Writes a line to stderr; one that cannot be written is lost, as there is nowhere to say so.
pub(crate) fn say(line: &str) {
    drop(writeln!(io::stderr().lock(), "{line}"));
}

/// Which of the library's remarks a person wants to read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Talking {
    pub(crate) style: Style,
    /// Warnings only.
    pub(crate) quiet: bool,
}

impl Talking {
    /// Returns the line for a note or a warning, if it is to be shown.
    pub(crate) fn line(self, event: Event<'_>) -> Option<String> {
        let (word, text) = match event {
            Event::Note(_) if self.quiet => return None,
            Event::Note(text) => (Word::Note, text),
            Event::Warning(text) => (Word::Warning, text),
            Event::Begin { .. } | Event::Advance { .. } | Event::End { .. } => return None,
        };
        Some(format!("{} {}", self.style.word(word), show(text.as_bytes())))
    }
}

/// Notes and warnings without any progress.
impl Sink for Talking {
    fn on(&self, event: Event<'_>) {
        if let Some(line) = self.line(event) {
            say(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_are_one_line_each_and_quiet_keeps_warnings_only() {
        let talking = Talking { style: Style::PLAIN, quiet: false };
        assert_eq!(talking.line(Event::Note("a\nb")).as_deref(), Some("note: a\\nb"));
        let quiet = Talking { quiet: true, ..talking };
        assert_eq!(quiet.line(Event::Note("a")), None);
        assert_eq!(quiet.line(Event::Warning("a")).as_deref(), Some("warning: a"));
    }
}
