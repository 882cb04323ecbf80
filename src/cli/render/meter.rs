//! How far the running tasks are; several tasks of one kind count as one.

use std::time::{Duration, Instant};

use crate::progress::{Event, Kind};
use crate::units::{ByteSize, Count};

/// All running tasks.
#[derive(Debug, Default)]
pub(super) struct Meter {
    running: Vec<Running>,
}

/// A running kind of task.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) kind: Kind,
    pub(super) done: u64,
    pub(super) total: Option<u64>,
    new: u64,
    tasks: usize,
    begun: Instant,
    shown: Option<Instant>,
}

impl Meter {
    /// Takes an event; returns the kind that it ended for good, with its last state.
    pub(super) fn on(&mut self, event: Event<'_>, now: Instant) -> Option<Running> {
        match event {
            Event::Begin { kind, total } => self.begin(kind, total, now),
            Event::Advance { kind, amount } => {
                if let Some(running) = self.find(kind) {
                    running.done = running.done.saturating_add(amount);
                }
            }
            Event::New { kind, amount } => {
                if let Some(running) = self.find(kind) {
                    running.new = running.new.saturating_add(amount);
                }
            }
            Event::End { kind } => return self.end(kind),
            Event::Note(_) | Event::Warning(_) => {}
        }
        None
    }

    fn begin(&mut self, kind: Kind, total: Option<u64>, now: Instant) {
        if let Some(running) = self.find(kind) {
            running.tasks += 1;
            running.total = running.total.zip(total).map(|(a, b)| a.saturating_add(b));
        } else {
            self.running.push(Running {
                kind,
                done: 0,
                total,
                new: 0,
                tasks: 1,
                begun: now,
                shown: None,
            });
        }
    }

    fn end(&mut self, kind: Kind) -> Option<Running> {
        let running = self.find(kind)?;
        running.tasks = running.tasks.saturating_sub(1);
        if running.tasks > 0 {
            return None;
        }
        let place = self.running.iter().position(|running| running.kind == kind)?;
        Some(self.running.remove(place))
    }

    /// Returns the state of a kind that runs.
    pub(super) fn find(&mut self, kind: Kind) -> Option<&mut Running> {
        self.running.iter_mut().find(|running| running.kind == kind)
    }

    /// Returns what was not shown for `every`, and takes it as shown.
    pub(super) fn due(&mut self, now: Instant, every: Duration) -> Vec<Running> {
        let due = |running: &&mut Running| running.is_due(now, every);
        self.running.iter_mut().filter(due).map(|running| running.show(now)).collect()
    }
}

impl Running {
    fn is_due(&self, now: Instant, every: Duration) -> bool {
        now.duration_since(self.shown.unwrap_or(self.begun)) >= every
    }

    /// Takes it as shown.
    pub(super) fn show(&mut self, now: Instant) -> Self {
        self.shown = Some(now);
        self.clone()
    }

    /// Returns whether it was shown at least once.
    pub(super) fn was_shown(&self) -> bool {
        self.shown.is_some()
    }

    /// Returns when it was shown last.
    pub(super) fn shown_at(&self) -> Option<Instant> {
        self.shown
    }

    /// Returns how long it has been running.
    pub(super) fn age(&self, now: Instant) -> Duration {
        now.duration_since(self.begun)
    }

    /// Returns `adding: 1.2 GiB of 3.0 GiB, 350.0 MiB/s, 5 s left, 0.4 GiB new`.
    pub(super) fn line(&self, now: Instant) -> String {
        let of = |total| format!(" of {}", amount(self.kind, total));
        let of = self.total.map_or_else(String::new, of);
        let left = self.seconds_left(now);
        let left = left.map_or_else(String::new, |seconds| format!(", {} left", rough(seconds)));
        let (kind, done) = (words(self.kind), amount(self.kind, self.done));
        let new = self.new_bytes().map_or_else(String::new, |new| format!(", {new} new"));
        format!("{kind}: {done}{of}, {}/s{left}{new}", amount(self.kind, self.per_second(now)))
    }

    /// Returns how much of it was not known before, for tasks that find that out on their way.
    pub(super) fn new_bytes(&self) -> Option<ByteSize> {
        (self.kind == Kind::Add).then_some(ByteSize(self.new))
    }

    /// Returns how much was done in a second, on the average.
    pub(super) fn per_second(&self, now: Instant) -> u64 {
        let millis = self.age(now).as_millis().max(1);
        let rate = u128::from(self.done).saturating_mul(1000) / millis;
        u64::try_from(rate).unwrap_or(u64::MAX)
    }

    /// Returns how long the rest takes if it goes on like that; nothing where that is unknown.
    pub(super) fn seconds_left(&self, now: Instant) -> Option<u64> {
        let left = self.total.map(|total| total.saturating_sub(self.done)).filter(|left| *left > 0);
        left?.checked_div(self.per_second(now))
    }
}

/// Returns what a task does, in a word.
pub(super) fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::Scan => "scanning",
        Kind::Add => "adding",
        Kind::Upload => "sending",
        Kind::Download => "fetching",
        Kind::Place => "placing",
        Kind::Verify => "verifying",
        Kind::Check => "checking",
    }
}

/// Says whether a task counts bytes.
pub(super) fn counts_bytes(kind: Kind) -> bool {
    match kind {
        Kind::Add | Kind::Upload | Kind::Download | Kind::Place | Kind::Check => true,
        Kind::Scan | Kind::Verify => false,
    }
}

fn amount(kind: Kind, amount: u64) -> String {
    if counts_bytes(kind) { ByteSize(amount).to_string() } else { Count(amount).to_string() }
}

fn rough(seconds: u64) -> String {
    if seconds < 120 { format!("{seconds} s") } else { format!("{} min", seconds / 60) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind = Kind::Add;

    #[test]
    fn a_line_says_how_far_how_fast_and_how_long_still() {
        let start = Instant::now();
        let mut meter = Meter::default();
        meter.on(Event::Begin { kind: KIND, total: Some(3 << 30) }, start);
        meter.on(Event::Advance { kind: KIND, amount: 1 << 30 }, start);
        meter.on(Event::New { kind: KIND, amount: 1 << 20 }, start);
        let later = start + Duration::from_secs(4);
        let line = meter.find(KIND).expect("runs").line(later);
        assert_eq!(line, "adding: 1.0 GiB of 3.0 GiB, 256.0 MiB/s, 8 s left, 1.0 MiB new");
    }

    #[test]
    fn a_task_is_due_only_when_it_ran_for_a_while() {
        let start = Instant::now();
        let every = Duration::from_secs(3);
        let mut meter = Meter::default();
        meter.on(Event::Begin { kind: KIND, total: None }, start);
        assert!(meter.due(start + Duration::from_secs(2), every).is_empty());
        assert_eq!(meter.due(start + Duration::from_secs(3), every).len(), 1);
        assert!(meter.due(start + Duration::from_secs(5), every).is_empty());
        assert_eq!(meter.due(start + Duration::from_secs(6), every).len(), 1);
    }

    #[test]
    fn tasks_of_one_kind_count_as_one_until_the_last_ends() {
        let now = Instant::now();
        let mut meter = Meter::default();
        meter.on(Event::Begin { kind: KIND, total: Some(1) }, now);
        meter.on(Event::Begin { kind: KIND, total: Some(2) }, now);
        meter.on(Event::Advance { kind: KIND, amount: 3 }, now);
        assert!(meter.on(Event::End { kind: KIND }, now).is_none());
        let ended = meter.on(Event::End { kind: KIND }, now).expect("the last one");
        assert_eq!((ended.done, ended.total), (3, Some(3)));
        assert!(meter.on(Event::End { kind: KIND }, now).is_none());
    }

    #[test]
    fn a_rate_of_nothing_does_not_divide() {
        let now = Instant::now();
        let mut meter = Meter::default();
        meter.on(Event::Begin { kind: Kind::Verify, total: Some(5) }, now);
        assert_eq!(meter.find(Kind::Verify).expect("runs").line(now), "verifying: 0 of 5, 0/s");
    }
}
