//! Named crash points: a test arms one, and the process dies there as if the power had gone, or
//! waits there until the test has done something else.
//!
//! Compiled into debug builds and with the feature `failpoints`; elsewhere [`hit`] is empty.

#[cfg(any(debug_assertions, feature = "failpoints"))]
mod armed {
    use std::path::PathBuf;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    static ARMED: OnceLock<Point> = OnceLock::new();
    static WAITING: OnceLock<(Point, PathBuf)> = OnceLock::new();

    /// A name, and how many hits are left until it counts.
    struct Point(String, AtomicU64);

    impl Point {
        fn parse(spec: &str) -> Self {
            let (name, count) = spec.rsplit_once(':').unwrap_or((spec, "1"));
            Self(name.to_owned(), AtomicU64::new(count.parse().unwrap_or(1)))
        }

        fn is_reached(&self, name: &str) -> bool {
            self.0 == name && self.1.fetch_sub(1, Ordering::Relaxed) == 1
        }
    }

    /// Arms the crash point `name` or `name:n`: the process aborts at its n-th hit (first: 1).
    ///
    /// `name=wait:PATH` or `name:n=wait:PATH` waits there instead: makes the file `PATH` and goes on
    /// once somebody has removed it.
    pub fn arm(spec: &str) {
        if let Some((point, path)) = spec.split_once("=wait:") {
            drop(WAITING.set((Point::parse(point), PathBuf::from(path))));
        } else {
            drop(ARMED.set(Point::parse(spec)));
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the file is the test's own signal")]
    /// Dies here if this point is armed and its count is reached.
    pub fn hit(name: &str) {
        if ARMED.get().is_some_and(|point| point.is_reached(name)) {
            std::process::abort();
        }
        if let Some((point, path)) = WAITING.get()
            && point.is_reached(name)
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
