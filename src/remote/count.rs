//! What went over the line, for reports and for tests that hold the protocol to its budgets.

use std::sync::atomic::{AtomicU64, Ordering};

/// Requests and bytes since a remote was opened, all clones together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Listings, each with all its pages.
    pub list: u64,
    /// Reads of whole objects or ranges, answered or not.
    pub get: u64,
    /// Objects whose writing was begun; one object counts once, however many parts it has.
    pub put: u64,
    /// Look-ups of sizes, those made to settle an unclear answer included.
    pub head: u64,
    /// Public calls that reached the remote: requests of one wave go out together.
    pub waves: u64,
    /// Bytes of objects whose writing was acknowledged.
    pub bytes_sent: u64,
    /// Bytes of objects that were read and had the length asked for.
    pub bytes_received: u64,
}

/// Counters that many requests advance at once.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) list: Counter,
    pub(super) get: Counter,
    pub(super) put: Counter,
    pub(super) head: Counter,
    pub(super) waves: Counter,
    pub(super) sent: Counter,
    pub(super) received: Counter,
}

/// One counter.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    pub(super) fn now(&self) -> Counts {
        Counts {
            list: self.list.now(),
            get: self.get.now(),
            put: self.put.now(),
            head: self.head.now(),
            waves: self.waves.now(),
            bytes_sent: self.sent.now(),
            bytes_received: self.received.now(),
        }
    }
}
