//! Everything that goes to stderr during one run.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use crate::cli::args::{Color, Globals, Progress};
use crate::cli::process::variable;
use crate::cli::render::bars::Bars;
use crate::cli::render::events::{Events, of_text};
use crate::cli::render::plain::Plain;
use crate::cli::render::say::{Voice, speak_through};
use crate::cli::render::{ErrorText, Style, Talking, say};
use crate::progress::Sink;

/// The sink that the flags ask for, and the style of the lines around it.
pub(crate) struct Talk {
    sink: Arc<dyn Sink>,
    style: Style,
    quiet: bool,
    /// Lines are JSON objects.
    events: bool,
}

impl Talk {
    /// Chooses by the flags and by whether stderr is a terminal.
    pub(crate) fn new(globals: &Globals) -> Self {
        let terminal = io::stderr().is_terminal();
        let style = Style::choose(globals.color, terminal);
        let quiet = globals.quiet;
        let talking = Talking { style, quiet };
        let progress = choose(globals, terminal);
        let sink: Arc<dyn Sink> = match progress {
            Progress::Json => {
                speak_through(Voice::Events);
                Arc::new(Events::default())
            }
            Progress::None => Arc::new(talking),
            Progress::Bars => Arc::new(Bars::new(talking)),
            Progress::Plain => Arc::new(Plain::new(talking)),
        };
        Self { sink, style, quiet, events: progress == Progress::Json }
    }

    /// Returns where the library reports to.
    pub(crate) fn sink(&self) -> &dyn Sink {
        &*self.sink
    }

    /// Returns the same for whom it cannot be lent to.
    pub(crate) fn kept_sink(&self) -> Arc<dyn Sink> {
        Arc::clone(&self.sink)
    }

    /// Prints the closing line.
    pub(crate) fn figures(&self, line: &str) {
        if self.events {
            say(&of_text("figures", line));
        } else if !self.quiet {
            say(line);
        }
    }

    /// Prints a line of the demo's story.
    pub(crate) fn step(&self, line: &str) {
        if self.events {
            say(&of_text("step", line));
        } else if !self.quiet {
            say(line);
        }
    }

    /// Prints an error.
    pub(crate) fn error(&self, error: &ErrorText) {
        if self.events {
            say(&of_text("error", &error.lines(Style::choose(Color::Never, false))));
        } else {
            say(&error.lines(self.style));
        }
    }
}

fn choose(globals: &Globals, terminal: bool) -> Progress {
    match globals.progress {
        Some(asked) => asked,
        None if globals.quiet => Progress::None,
        None if terminal && variable("TERM").is_none_or(|term| term != "dumb") => Progress::Bars,
        None => Progress::Plain,
    }
}
