//! What a verb asked of the remote, or would ask, as reports show it.

use serde::Serialize;

use crate::remote::Counts;

/// Requests and bytes of one verb.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Requests {
    /// Listings.
    pub list: u64,
    /// Reads of objects or ranges.
    pub get: u64,
    /// Objects written.
    pub put: u64,
    /// Look-ups of sizes.
    pub head: u64,
    /// Rounds of requests that went out together.
    pub waves: u64,
    /// Bytes sent.
    pub sent: u64,
    /// Bytes received.
    pub received: u64,
}

/// The figures of a plan, for verbs that fetch on the way.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct ToFetch {
    /// Files wanted.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes of packs to receive for them.
    pub receive_bytes: u64,
    /// Requests that this takes.
    pub requests: u64,
}

impl Requests {
    /// Adds those that were asked before.
    pub(crate) fn plus(self, earlier: Self) -> Self {
        Self {
            list: self.list + earlier.list,
            get: self.get + earlier.get,
            put: self.put + earlier.put,
            head: self.head + earlier.head,
            waves: self.waves + earlier.waves,
            sent: self.sent + earlier.sent,
            received: self.received + earlier.received,
        }
    }
}

impl From<Counts> for Requests {
    fn from(counts: Counts) -> Self {
        let Counts { list, get, put, head, waves, bytes_sent, bytes_received } = counts;
        Self { list, get, put, head, waves, sent: bytes_sent, received: bytes_received }
    }
}
