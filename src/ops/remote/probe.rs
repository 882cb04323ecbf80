//! `haul remote test`: tries what haul asks of a remote, and says what works and what follows.

use std::error::Error;
use std::fmt::Write as _;

use bytes::Bytes;
use serde::Serialize;

use crate::catalogue::key;
use crate::fs::nonce::nonce;
use crate::hint::Hint;
use crate::ops::error::OpError;
use crate::ops::open::choose;
use crate::ops::remote::standing::Standing;
use crate::progress::Job;
use crate::remote::{Creation, Remote, RemoteError};
use crate::repo::Repo;
use crate::transfer::Glance;

/// Bytes of the object that is written and read.
const PROBE_BYTES: usize = 4096;

/// How far the storage's clock may be from ours before signatures and people get confused.
const CLOCK_MS: u64 = 5 * 60 * 1000;

/// What reading a part of an object is called.
const RANGES: &str = "ranges";

/// How one thing went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It works.
    Works,
    /// It does not, and haul does without.
    Lacks,
    /// It does not, and haul needs it.
    Fails,
}

/// One thing that was tried.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What it is about.
    pub what: &'static str,
    /// How it went.
    pub outcome: Outcome,
    /// What was seen.
    pub says: String,
    /// What to do, or what follows.
    pub follows: Option<String>,
}

/// What was seen of a remote.
#[derive(Clone, Debug, Serialize)]
pub struct TestReport {
    /// The remote's name.
    pub name: String,
    /// Its address, without secrets.
    pub url: String,
    /// All that was tried, in order; after a failure that makes the rest pointless, no more.
    pub checks: Vec<Check>,
    /// Whether content can be fetched from it.
    pub readable: bool,
    /// Whether content can be pushed to it.
    pub writable: bool,
}

/// Tries a remote; `now_ms` is the time of this machine since 1970.
///
/// Writes one small object under a name of its own and removes it. A remote that cannot be reached is
/// an error; one that can, and cannot do everything, is a report.
pub fn test(
    repo: &Repo,
    name: Option<&str>,
    now_ms: u64,
    job: &Job,
) -> Result<TestReport, OpError> {
    let chosen = choose(repo, name, None)?;
    let remote = chosen.open()?;
    let mut probe = Probe { remote, key: probe_key()?, checks: Vec::new() };
    let (standing, glance) = probe.stand(repo)?;
    job.check()?;
    let writable = standing.may_write() && glance.refused.is_none() && probe.write();
    if writable {
        let steps = [Probe::ranges, Probe::listing, Probe::creation];
        for step in steps.iter().take_while(|_| job.check().is_ok()) {
            step(&mut probe);
        }
        probe.clock(now_ms);
    } else if standing == Standing::Ours {
        probe.part_of_format();
    }
    // Also what a wish to stop found on its way there.
    if writable || job.check().is_err() {
        probe.remove();
    }
    job.check()?;
    let failed = |check: &Check| check.outcome == Outcome::Fails;
    let listed = standing == Standing::New && glance.refused.is_none();
    let in_part = !probe.checks.iter().any(|check| check.what == RANGES && failed(check));
    Ok(TestReport {
        name: chosen.name.clone(),
        url: chosen.url(),
        readable: (standing == Standing::Ours || listed) && in_part,
        writable: writable && !probe.checks.iter().any(failed),
        checks: probe.checks,
    })
}

/// Reads of a remote what every command reads first, and changes nothing there. As [`test`], but a
/// remote that cannot be reached is a check that fails.
pub(crate) fn look(repo: &Repo, name: Option<&str>, now_ms: u64) -> Result<Vec<Check>, OpError> {
    let chosen = choose(repo, name, None)?;
    let (what, says) = ("remote", format!("`{}` is {}", chosen.name, chosen.url()));
    let outcome = Outcome::Works;
    let mut probe = Probe { remote: chosen.open()?, key: String::new(), checks: Vec::new() };
    probe.note(what, outcome, says);
    let (standing, glance) = probe.stand(repo)?;
    if standing == Standing::Ours {
        probe.part_of_format();
    }
    if glance.refused.is_none() {
        probe.newest(&glance, now_ms);
    }
    Ok(probe.checks)
}

fn probe_key() -> Result<String, OpError> {
    let random = nonce().map_err(|e| OpError::Defect(format!("no random bytes: {e}")))?;
    let mut key = format!("{}-", key::GC_PROBE);
    for byte in random {
        // Writing to a string does not fail.
        let _: std::fmt::Result = write!(key, "{byte:02x}");
    }
    Ok(key)
}

/// A remote on trial, and what was found so far.
pub(super) struct Probe {
    pub(super) remote: Remote,
    key: String,
    checks: Vec<Check>,
}

impl Probe {
    pub(super) fn note(&mut self, what: &'static str, outcome: Outcome, says: impl Into<String>) {
        self.checks.push(Check { what, outcome, says: says.into(), follows: None });
    }

    pub(super) fn follows(&mut self, next: impl Into<String>) {
        if let Some(check) = self.checks.last_mut() {
            check.follows = Some(next.into());
        }
    }

    pub(super) fn failed<E: Error + Hint>(&mut self, what: &'static str, error: &E) {
        self.note(what, Outcome::Fails, error.to_string());
        if let Some(hint) = error.hint() {
            self.follows(hint);
        }
    }

    fn bytes(&self) -> Bytes {
        self.key.bytes().cycle().take(PROBE_BYTES).collect()
    }

    /// Writes the probe and reads it back.
    fn write(&mut self) -> bool {
        let bytes = self.bytes();
        match self.remote.put(&self.key, bytes.clone()) {
            Ok(()) => self.note("write", Outcome::Works, "an object was written"),
            Err(e) => {
                self.note("write", Outcome::Lacks, e.to_string());
                self.follows("it can be read only, as it stands");
                return false;
            }
        }
        match self.remote.get(&self.key, PROBE_BYTES as u64) {
            Ok(found) if found == bytes => self.note("read", Outcome::Works, "and read back"),
            Ok(_) => {
                self.note("read", Outcome::Fails, "other bytes came back than were written");
                self.follows("do not use this storage, or what lies between it and this machine");
            }
            Err(e) => self.failed("read", &e),
        }
        true
    }

    fn ranges(&mut self) {
        let wanted = self.bytes().slice(1000..1100);
        let found = self.remote.get_range(&self.key, 1000..1100);
        self.in_part(found, &wanted);
    }

    /// Reads a part of `format`, where nothing else is known to lie: packs are read in parts.
    fn part_of_format(&mut self) {
        let found = self.remote.get_range(key::FORMAT, 0..4);
        self.in_part(found, b"haul");
    }

    fn in_part(&mut self, found: Result<Bytes, RemoteError>, wanted: &[u8]) {
        match found {
            Ok(found) if found == wanted => {
                self.note(RANGES, Outcome::Works, "a part of an object was read");
            }
            Ok(_) => self.note(RANGES, Outcome::Fails, "a range came back with other bytes"),
            Err(e) => {
                self.failed(RANGES, &e);
                self.follows("use a server that answers ranges; haul reads parts of packs");
            }
        }
    }

    fn listing(&mut self) {
        match self.remote.list("gc") {
            Ok(found) if found.iter().any(|object| object.key == self.key) => {
                self.note("list", Outcome::Works, "and shown by the next listing");
            }
            Ok(_) => {
                self.note(
                    "list",
                    Outcome::Fails,
                    "the next listing does not show what was written",
                );
                self.follows("use storage whose listings are up to date; gc and push rely on them");
            }
            Err(e) => self.failed("list", &e),
        }
    }

    fn creation(&mut self) {
        let key = format!("{}-new", self.key);
        match self.remote.creation(&key) {
            Ok(Creation::Honoured) => {
                self.note("create", Outcome::Works, "what is there is not overwritten if so asked");
            }
            Ok(Creation::Ignored) => {
                self.note("create", Outcome::Lacks, "the wish not to overwrite is ignored");
                self.follows("haul writes, reads back and compares instead");
            }
            Ok(Creation::NotOffered) => {
                self.note("create", Outcome::Lacks, "it cannot be asked not to overwrite");
                self.follows("haul looks, writes, reads back and compares instead");
            }
            Err(e) => self.failed("create", &e),
        }
    }

    fn clock(&mut self, now_ms: u64) {
        let seen = match self.remote.head(&self.key) {
            Ok(found) => found.map_or(0, |found| found.modified_ms),
            Err(e) => return self.failed("clock", &e),
        };
        let apart = seen.abs_diff(now_ms);
        if seen == 0 {
            self.note("clock", Outcome::Lacks, "it does not say when something was written");
            self.follows("`haul gc` refuses to remove anything there");
        } else if apart > CLOCK_MS {
            let minutes = apart / 60_000;
            let says = format!("its clock and that of this machine are {minutes} minutes apart");
            self.note("clock", Outcome::Lacks, says);
            self.follows("haul goes by the storage's clock; set the one that is wrong");
        } else {
            let says = format!("its clock is {} seconds from ours", apart / 1000);
            self.note("clock", Outcome::Works, says);
        }
    }

    /// Without a write, only a clock that is ahead of ours shows.
    fn newest(&mut self, glance: &Glance, now_ms: u64) {
        let newest = glance.objects.iter().map(|object| object.modified_ms).max().unwrap_or(0);
        if newest > now_ms.saturating_add(CLOCK_MS) {
            let minutes = (newest - now_ms) / 60_000;
            let says = format!("something was written there {minutes} minutes from now");
            self.note("clock", Outcome::Lacks, says);
            self.follows("haul goes by the storage's clock; set the one that is wrong");
        } else if newest > 0 {
            self.note("clock", Outcome::Works, "nothing was written there later than now");
        }
    }

    fn remove(&mut self) {
        let gone = self.remote.remove(&self.key).and_then(|()| self.remote.head(&self.key));
        match gone {
            Ok(None) => self.note("remove", Outcome::Works, "and removed"),
            Ok(Some(_)) => {
                self.note("remove", Outcome::Lacks, "what was removed is still there");
                self.follows("`haul gc` frees nothing there");
            }
            Err(e) => {
                self.note("remove", Outcome::Lacks, e.to_string());
                self.follows("pushing works; `haul gc` needs the right to remove");
            }
        }
    }
}
