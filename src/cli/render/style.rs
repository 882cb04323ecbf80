//! Colours, and when to use them.

use crate::cli::args::Color;
use crate::cli::process::variable;

/// Whether words are coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    coloured: bool,
}

/// A word that begins a line of talk.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Word {
    Error,
    Cause,
    Hint,
    Warning,
    Note,
}

impl Style {
    /// No colours.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { coloured: false };

    /// Follows the flag; by default colours only what goes to a terminal that wants them.
    pub(crate) fn choose(color: Color, terminal: bool) -> Self {
        let coloured = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                let is_on = |name| variable(name).map(|value| value != "0");
                let insists = is_on("CLICOLOR_FORCE") == Some(true);
                let suits = terminal && variable("TERM").is_none_or(|term| term != "dumb");
                variable("NO_COLOR").is_none()
                    && (insists || suits && is_on("CLICOLOR") != Some(false))
            }
        };
        Self { coloured }
    }

    /// Returns the word with its colon.
    pub(crate) fn word(self, word: Word) -> String {
        let (text, code) = match word {
            Word::Error => ("error:", "1;31"),
            Word::Cause => ("cause:", "31"),
            Word::Hint => ("hint:", "36"),
            Word::Warning => ("warning:", "1;33"),
            Word::Note => ("note:", "36"),
        };
        self.paint(text, code)
    }

    /// Returns a heading.
    pub(crate) fn heading(self, text: &str) -> String {
        self.paint(text, "1")
    }

    fn paint(self, text: &str, code: &str) -> String {
        if self.coloured { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_used_only_where_asked_for_or_seen() {
        assert_eq!(Style::choose(Color::Never, true), Style::PLAIN);
        assert_eq!(Style::choose(Color::Auto, false), Style::PLAIN);
        let always = Style::choose(Color::Always, false);
        assert_eq!(always.word(Word::Error), "\x1b[1;31merror:\x1b[0m");
        assert_eq!(Style::PLAIN.word(Word::Error), "error:");
    }
}
