//! Named crash points: a test arms one, and the process dies there as if the power had gone, or
//! waits there until the test has done something else.
//!
//! Compiled into debug builds and with the feature `failpoints`; elsewhere [`hit`] is empty.

#[cfg(any(debug_assertions, feature = "failpoints"))]
mod armed {
    use std::path::PathBuf;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::time::Duration;

    static WAITED: AtomicBool = AtomicBool::new(false);

    static ARMED: OnceLock<(String, AtomicU64)> = OnceLock::new();
    static WAITING: OnceLock<(String, PathBuf)> = OnceLock::new();

    /// Arms the crash point `name` or `name:n`: the process aborts at its n-th hit (first: 1).
    ///
    /// `name=wait:PATH` waits at the first hit instead: makes the file `PATH` and goes on once
    /// somebody has removed it.
    pub fn arm(spec: &str) {
        if let Some((name, path)) = spec.split_once("=wait:") {
            drop(WAITING.set((name.to_owned(), PathBuf::from(path))));
            return;
        }
        let (name, count) = spec.rsplit_once(':').unwrap_or((spec, "1"));
        let count = count.parse().unwrap_or(1);
        drop(ARMED.set((name.to_owned(), AtomicU64::new(count))));
    }

    #[expect(clippy::disallowed_methods, reason = "the file is the test's own signal")]
    /// Dies here if this point is armed and its count is reached.
    pub fn hit(name: &str) {
        if let Some((armed, left)) = ARMED.get()
            && armed == name
            && left.fetch_sub(1, Ordering::Relaxed) == 1
        {
            std::process::abort();
        }
        if let Some((waiting, path)) = WAITING.get()
            && waiting == name
            && !WAITED.swap(true, Ordering::Relaxed)
            && std::fs::File::create(path).is_ok()
        {
            while path.exists() {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

#[cfg(not(any(debug_assertions, feature = "failpoints")))]
mod armed {
    /// Does nothing in this build.
    pub fn arm(_: &str) {}

    /// Does nothing in this build.
    #[inline]
    pub fn hit(_: &str) {}
}

pub use armed::{arm, hit};
