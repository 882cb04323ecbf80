//! Progress for people: bars that go away when their task ends.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::render::meter::{Meter, counts_bytes, words};
use crate::cli::render::say::{Voice, speak_through};
use crate::cli::render::{Talking, say};
use crate::progress::{Event, Kind, Sink};

const DRAWS_PER_SECOND: u8 = 10;

/// One bar per kind of running task.
pub(super) struct Bars {
    talking: Talking,
    all: MultiProgress,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    meter: Meter,
    bars: Vec<(Kind, ProgressBar)>,
}

impl Bars {
    /// Draws on stderr.
    pub(super) fn new(talking: Talking) -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND);
        let all = MultiProgress::with_draw_target(target);
        speak_through(Voice::Bars(all.clone()));
        Self { talking, all, state: Mutex::default() }
    }

    fn draw(&self, event: Event<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        let ended = state.meter.on(event, Instant::now());
        if let Some(ended) = ended {
            state.bars.retain(|(kind, bar)| {
                let over = *kind == ended.kind;
                if over {
                    bar.finish_and_clear();
                }
                !over
            });
        }
        let (Event::Begin { kind, .. } | Event::Advance { kind, .. }) = event else { return };
        let Some(running) = state.meter.find(kind) else { return };
        if running.total == Some(0) {
            return;
        }
        let place = state.bars.iter().position(|(bar_kind, _)| *bar_kind == kind);
        let bar = if let Some((_, bar)) = place.and_then(|place| state.bars.get(place)) {
            bar.clone()
        } else {
            let bar = self.all.add(new_bar(kind, running.total));
            state.bars.push((kind, bar.clone()));
            bar
        };
        if matches!(event, Event::Begin { .. }) {
            style(&bar, kind, running.total);
        }
        if let Some(new) = running.new_bytes() {
            bar.set_prefix(format!(", {new} new"));
        }
        bar.set_position(running.done);
    }
}

fn new_bar(kind: Kind, total: Option<u64>) -> ProgressBar {
    // Hidden until it is added, and styled by then: it would be drawn once in the default style.
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
    style(&bar, kind, total);
    bar.with_message(words(kind))
}

/// A second task of the kind may change what is known of the total.
fn style(bar: &ProgressBar, kind: Kind, total: Option<u64>) {
    if let Some(total) = total {
        bar.set_length(total);
    } else {
        bar.unset_length();
    }
    if let Ok(style) = ProgressStyle::with_template(template(kind, total)) {
        bar.set_style(style.progress_chars("=> "));
    }
}

fn template(kind: Kind, total: Option<u64>) -> &'static str {
    match (counts_bytes(kind), total) {
        (true, Some(_)) => {
            "{msg:>10} [{wide_bar}] {binary_bytes} of {binary_total_bytes}, {binary_bytes_per_sec}, {eta} left{prefix}"
        }
        (true, None) => "{msg:>10} {binary_bytes}, {binary_bytes_per_sec}{prefix}",
        (false, Some(_)) => "{msg:>10} [{wide_bar}] {human_pos} of {human_len}, {eta} left",
        (false, None) => "{msg:>10} {human_pos}",
    }
}

impl Sink for Bars {
    fn on(&self, event: Event<'_>) {
        match event {
            Event::Note(_) | Event::Warning(_) => {
                if let Some(line) = self.talking.line(event) {
                    self.all.suspend(|| say(&line));
                }
            }
            Event::Begin { .. } | Event::Advance { .. } | Event::New { .. } | Event::End { .. } => {
                self.draw(event);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_one_that_indicatif_knows() {
        for kind in [Kind::Add, Kind::Scan] {
            for total in [None, Some(1)] {
                assert!(ProgressStyle::with_template(template(kind, total)).is_ok());
            }
        }
    }
}
