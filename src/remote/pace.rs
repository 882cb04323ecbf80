//! How fast bytes may go over the line.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Longest time to sleep without a look around.
const NAP: Duration = Duration::from_millis(50);

/// Keeps what goes over the line to a rate, on the average of a second or of a piece that takes longer.
#[derive(Debug)]
pub(super) struct Pace {
    /// Bytes per second; nothing: as fast as it goes.
    rate: Option<u64>,
    /// When what was let through so far has had its time.
    free: Mutex<Instant>,
}

impl Pace {
    pub(super) fn new(rate: Option<u64>) -> Self {
        Self { rate: rate.filter(|rate| *rate > 0), free: Mutex::new(Instant::now()) }
    }

    /// Books bytes; returns how long they take, and all that was booked before them.
    pub(super) fn book(&self, bytes: u64) -> Duration {
        let Some(rate) = self.rate else { return Duration::ZERO };
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let begin = (*free).max(now);
        let micros = u128::from(bytes) * 1_000_000 / u128::from(rate);
        *free = begin + Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX >> 8));
        *free - now
    }

    pub(super) async fn wait(&self, bytes: u64) {
        let time = self.book(bytes);
        if !time.is_zero() {
            tokio::time::sleep(time).await;
        }
    }

    /// As [`Self::wait`], on a thread that waits for the file system; false once `wanted` says no.
    pub(super) fn wait_here(&self, bytes: u64, wanted: impl Fn() -> bool) -> bool {
        let mut left = self.book(bytes);
        while !left.is_zero() && wanted() {
            let nap = left.min(NAP);
            std::thread::sleep(nap);
            left -= nap;
        }
        wanted()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_take_as_long_as_the_rate_says_whoever_sends_them() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let pace = Pace::new(Some(1000));
            let start = Instant::now();
            futures::future::join_all((0..10).map(|_| pace.wait(500))).await;
            assert_eq!(start.elapsed().as_millis(), 5000);
            // A rest is not saved up.
            tokio::time::sleep(Duration::from_secs(60)).await;
            let start = Instant::now();
            futures::future::join_all((0..3).map(|_| pace.wait(500))).await;
            assert_eq!(start.elapsed().as_millis(), 1500);
            let free = Pace::new(None);
            free.wait(u64::MAX).await;
            free.wait(u64::MAX).await;
            assert_eq!(start.elapsed().as_millis(), 1500);
        });
    }
}
