use super::profile::Profile;
use super::simd;

/// Bytes that the hash of a cut position looks at: those right before it.
pub(crate) const WINDOW: usize = 8;

/// Multiplier of the older half of a window, bytes 0-3 of BLAKE3 of `haul mincdc 1 0`, made odd.
pub(crate) const A: u32 = 0x6026_1dd3;
/// Multiplier of the younger half of a window, bytes 4-7 of the same hash, made odd.
pub(crate) const B: u32 = 0x2b0f_3981;
/// Added to every hash, bytes 8-11 of the same; keeps runs of one byte away from the minimum.
pub(crate) const C: u32 = 0x6bbe_4ef3;

/// Says whether a file goes on behind the bytes at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The bytes reach the end of the file.
    File,
    /// More bytes follow.
    More,
}

impl Profile {
    /// Returns the length of the chunk that `window` starts with, or nothing if that needs more
    /// bytes.
    ///
    /// `window` starts where the chunk starts. A cut is known once the window is longer than
    /// [`Profile::max`], or reaches the end of the file; an empty window has no chunk. The result
    /// depends on nothing before the window, and never on how far it reaches beyond `max`.
    pub fn next_cut(self, window: &[u8], end: End) -> Option<usize> {
        self.next_cut_with(window, end, simd::first_smallest)
    }

    fn next_cut_with(
        self,
        window: &[u8],
        end: End,
        first_smallest: fn(&[u8]) -> usize,
    ) -> Option<usize> {
        if window.len() > self.max()
            && let Some(candidates) = window.get(self.min() - WINDOW..self.max())
        {
            return Some(self.min() + first_smallest(candidates));
        }
        (end == End::File && !window.is_empty()).then_some(window.len())
    }
}

/// Cuts a whole file that lies in memory; returns the lengths of its chunks in order.
///
/// An empty file has no chunk. One pass on the calling thread.
pub fn cut(profile: Profile, bytes: &[u8]) -> Vec<usize> {
    cut_with(profile, bytes, simd::first_smallest)
}

/// Cuts like [`cut`] by the plain rule, one position after the other.
///
/// Some ten times slower; what tests and fuzzing hold the fast path against.
pub fn cut_by_reference(profile: Profile, bytes: &[u8]) -> Vec<usize> {
    cut_with(profile, bytes, first_smallest)
}

fn cut_with(profile: Profile, mut bytes: &[u8], first_smallest: fn(&[u8]) -> usize) -> Vec<usize> {
    let mut lengths = Vec::with_capacity(bytes.len() / profile.target() + 1);
    while let Some(length) = profile.next_cut_with(bytes, End::File, first_smallest) {
        lengths.push(length);
        bytes = bytes.get(length..).unwrap_or_default();
    }
    lengths
}

/// Hashes the window that ends at a cut position.
pub(crate) fn hash(window: [u8; WINDOW]) -> u32 {
    let [a0, a1, a2, a3, b0, b1, b2, b3] = window;
    let a = u32::from_le_bytes([a0, a1, a2, a3]);
    let b = u32::from_le_bytes([b0, b1, b2, b3]);
    a.wrapping_mul(A).wrapping_add(b.wrapping_mul(B)).wrapping_add(C)
}

/// Hashes every window of `bytes` in order; none if there are fewer than 8 bytes.
pub(crate) fn hashes(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.windows(WINDOW).filter_map(|window| window.first_chunk()).map(|window| hash(*window))
}

/// Returns the index of the first window of `bytes` whose hash is smallest; 0 if there is none.
///
/// This is the rule as the format states it; the fast path must agree with it.
pub(crate) fn first_smallest(bytes: &[u8]) -> usize {
    // `min_by_key` returns the first of several equal minima.
    hashes(bytes).enumerate().min_by_key(|(_, hash)| *hash).map_or(0, |(index, _)| index)
}
