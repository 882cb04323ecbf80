//! Lines on stderr.

use std::io::{self, Write};
use std::sync::OnceLock;

use indicatif::MultiProgress;

use crate::cli::render::events::of_text;
use crate::cli::render::{Style, Word};
use crate::path::show;
use crate::progress::{Event, Sink};

/// Writes a line to stderr; one that cannot be written is lost, as there is nowhere to say so.
pub(crate) fn say(line: &str) {
    drop(writeln!(io::stderr().lock(), "{line}"));
}

/// What lines that no sink knows of have to mind.
pub(super) enum Voice {
    /// Bars stand where the line would go.
    Bars(MultiProgress),
    /// Every line is a JSON object.
    Events,
}

static VOICE: OnceLock<Voice> = OnceLock::new();

/// Sets how [`say_between`] speaks in this process; the first word counts.
pub(super) fn speak_through(voice: Voice) {
    drop(VOICE.set(voice));
}

/// Writes a line to stderr from outside the run, a signal's say, in the form of everything else there.
pub(crate) fn say_between(line: &str) {
    match VOICE.get() {
        Some(Voice::Bars(all)) => all.suspend(|| say(line)),
        Some(Voice::Events) => say(&of_text("note", line)),
        None => say(line),
    }
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
            Event::Begin { .. } | Event::Advance { .. } | Event::New { .. } | Event::End { .. } => {
                return None;
            }
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
