//! Named crash points: a test arms one, and the process dies there as if the power had gone.
//!
//! Compiled into debug builds and with the feature `failpoints`; elsewhere [`hit`] is empty.

#[cfg(any(debug_assertions, feature = "failpoints"))]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static ARMED: OnceLock<(String, AtomicU64)> = OnceLock::new();

    /// Arms the crash point `name` or `name:n`: the process aborts at its n-th hit (first: 1).
    pub fn arm(spec: &str) {
        let (name, count) = spec.rsplit_once(':').unwrap_or((spec, "1"));
        let count = count.parse().unwrap_or(1);
        drop(ARMED.set((name.to_owned(), AtomicU64::new(count))));
    }

    /// Dies here if this point is armed and its count is reached.
    pub fn hit(name: &str) {
        if let Some((armed, left)) = ARMED.get()
            && armed == name
            && left.fetch_sub(1, Ordering::Relaxed) == 1
        {
            std::process::abort();
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
