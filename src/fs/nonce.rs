//! Random bytes for names that must never be used twice.
//!
//! In debug builds a test can make what one thread draws the same each time it runs.

/// Length of a nonce in bytes.
pub const LEN: usize = 16;

/// Draws random bytes from the system.
pub fn nonce() -> std::io::Result<[u8; LEN]> {
    if let Some(drawn) = sown::draw() {
        return Ok(drawn);
    }
    let mut out = [0; LEN];
    getrandom::fill(&mut out).map_err(std::io::Error::other)?;
    Ok(out)
}

#[cfg(any(debug_assertions, feature = "failpoints"))]
mod sown {
    use std::cell::RefCell;

    use super::LEN;

    thread_local! {
        static SOWN: RefCell<Option<blake3::OutputReader>> = const { RefCell::new(None) };
    }

    /// Makes all that this thread draws from now on follow from a seed.
    pub fn sow(seed: &[u8]) {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"haul sown nonces").update(seed);
        let reader = hasher.finalize_xof();
        SOWN.with(|sown| *sown.borrow_mut() = Some(reader));
    }

    pub(super) fn draw() -> Option<[u8; LEN]> {
        SOWN.with(|sown| {
            let mut out = [0; LEN];
            sown.borrow_mut().as_mut()?.fill(&mut out);
            Some(out)
        })
    }
}

#[cfg(not(any(debug_assertions, feature = "failpoints")))]
mod sown {
    use super::LEN;

    /// Does nothing in this build.
    pub fn sow(_: &[u8]) {}

    #[inline]
    pub(super) fn draw() -> Option<[u8; LEN]> {
        None
    }
}

pub use sown::sow;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_sown_is_drawn_anew_and_what_was_is_the_same_again() {
        assert_ne!(nonce().unwrap(), nonce().unwrap());
        let drawn = |seed: &'static [u8]| {
            let thread = std::thread::spawn(move || {
                sow(seed);
                [nonce().unwrap(), nonce().unwrap()]
            });
            thread.join().unwrap()
        };
        let [first, second] = drawn(b"seven");
        assert_ne!(first, second);
        assert_eq!(drawn(b"seven"), [first, second]);
        assert_ne!(drawn(b"eight"), [first, second]);
    }
}
