//! Progress for programs: one JSON object per line on stderr.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::cli::render::meter::{Meter, Running};
use crate::cli::render::say;
use crate::path::escape_json;
use crate::progress::{Event, Kind, Sink};

/// At most this often is one task reported between its begin and its end.
const EVERY: Duration = Duration::from_millis(100);

/// Prints events as they come, with `advance` thinned out.
#[derive(Default)]
pub(super) struct Events {
    meter: Mutex<Meter>,
}

#[derive(Serialize)]
struct Line<'a> {
    haul: u32,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    done: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_second: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds_left: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Scan => "scan",
        Kind::Add => "add",
        Kind::Upload => "upload",
        Kind::Download => "download",
        Kind::Place => "place",
        Kind::Verify => "verify",
        Kind::Check => "check",
    }
}

fn of_task(event: &'static str, running: &Running, now: Instant) -> String {
    line(&Line {
        task: Some(name(running.kind)),
        done: Some(running.done),
        total: running.total,
        // Of nothing there is no speed.
        per_second: (running.done > 0).then(|| running.per_second(now)),
        seconds_left: running.seconds_left(now),
        new: running.new_bytes().map(|new| new.0),
        ..Line::of(event)
    })
}

impl Line<'_> {
    fn of(event: &'static str) -> Self {
        let (task, text) = (None, None);
        let (done, total, per_second, seconds_left, new) = (None, None, None, None, None);
        Self { haul: 1, event, task, done, total, per_second, seconds_left, new, text }
    }
}

/// Returns the line of something said.
pub(super) fn of_text(event: &'static str, text: &str) -> String {
    line(&Line { text: Some(text), ..Line::of(event) })
}

fn line(line: &Line<'_>) -> String {
    escape_json(&serde_json::to_string(line).unwrap_or_default())
}

/// Returns the line that an event is worth.
fn line_of(meter: &mut Meter, event: Event<'_>, now: Instant) -> Option<String> {
    let ended = meter.on(event, now);
    match event {
        Event::Note(text) => Some(of_text("note", text)),
        Event::Warning(text) => Some(of_text("warning", text)),
        Event::New { .. } => None,
        Event::End { .. } => ended.map(|running| of_task("end", &running, now)),
        Event::Begin { kind, .. } => {
            meter.find(kind).map(|running| of_task("begin", &running.show(now), now))
        }
        Event::Advance { kind, .. } => {
            let running = meter.find(kind)?;
            let shown = running.shown_at()?;
            (now.duration_since(shown) >= EVERY)
                .then(|| of_task("advance", &running.show(now), now))
        }
    }
}

impl Sink for Events {
    fn on(&self, event: Event<'_>) {
        // Held until the line is out, or a later one could get before it.
        let mut meter = self.meter.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = line_of(&mut meter, event, Instant::now()) {
            say(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_json_lines_and_advance_is_thinned_out() {
        let mut meter = Meter::default();
        let start = Instant::now();
        let kind = Kind::Upload;
        let mut at =
            |millis, event| line_of(&mut meter, event, start + Duration::from_millis(millis));
        assert_eq!(
            at(0, Event::Begin { kind, total: Some(9) }).as_deref(),
            Some(r#"{"haul":1,"event":"begin","task":"upload","done":0,"total":9}"#)
        );
        assert_eq!(at(50, Event::Advance { kind, amount: 4 }), None);
        assert_eq!(
            at(100, Event::Advance { kind, amount: 4 }).as_deref(),
            Some(
                r#"{"haul":1,"event":"advance","task":"upload","done":8,"total":9,"per_second":80,"seconds_left":0}"#
            )
        );
        assert_eq!(
            at(110, Event::End { kind }).as_deref(),
            Some(
                r#"{"haul":1,"event":"end","task":"upload","done":8,"total":9,"per_second":72,"seconds_left":0}"#
            )
        );
        assert_eq!(
            at(120, Event::Warning("a\"b")).as_deref(),
            Some(r#"{"haul":1,"event":"warning","text":"a\"b"}"#)
        );
    }
}
