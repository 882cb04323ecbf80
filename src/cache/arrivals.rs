//! Word that the index was written, for threads that wait for what another of this process fetches.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The longest that one wait lasts: who waits may be asked to stop.
const PATIENCE: Duration = Duration::from_millis(50);

/// Counts how often an index was written by this process.
#[derive(Debug, Default)]
pub struct Arrivals {
    count: Mutex<u64>,
    told: Condvar,
}

impl Arrivals {
    pub(super) fn tell(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.told.notify_all();
    }

    /// Returns the count once it is not `seen` any more, or after 50 ms.
    pub fn wait(&self, seen: u64) -> u64 {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.told.wait_timeout_while(count, PATIENCE, |count| *count == seen);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Returns the count.
    pub fn count(&self) -> u64 {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
