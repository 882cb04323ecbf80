//! Telling whether the numbers of a chunk lie close to those of its base, as those of two
//! checkpoints of one model do, and in which form their difference is the smallest.

use super::difference::Numbers;
use super::planes::Width;
use super::probe::{Guess, guess};

/// Samples are taken at this many places.
const SAMPLES: usize = 4;
/// Bytes of one sample; its last numbers may need a few more.
const SAMPLE: usize = 512;
/// A difference must leave at most this share of the bits to be worth coding.
const CLOSE: f64 = 0.9;
/// Where more numbers than this are the same, a search for equal bytes does better.
const SAME: f64 = 0.5;

/// What to do with the bytes of a chunk before they are split into planes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    ExclusiveOr(Width),
    Subtract(Width, Numbers),
}

/// Returns the step that leaves the fewest bits; nothing if the chunk is no array of numbers, or
/// they have little to do with those of the base.
///
/// Reads 2 KiB of each. Where the numbers begin is not known: a chunk is cut at any byte.
pub(super) fn numeric(raw: &[u8], from: &[u8]) -> Option<Step> {
    let width = match guess(raw) {
        Guess::Planes(width) | Guess::PlanesOrZstd(width) => width,
        Guess::Text | Guess::Zstd | Guess::Stored => return None,
    };
    let both = raw.len().min(from.len());
    let room = SAMPLE + width.bytes();
    let stride = both.checked_sub(room)? / (SAMPLES - 1) / 8 * 8;
    let samples = (0..SAMPLES).filter_map(|n| {
        let at = n * stride..n * stride + room;
        Some((raw.get(at.clone())?, from.get(at)?))
    });
    let mut tallies = vec![Tally::default(); width.bytes()];
    for (raw, from) in samples {
        for (phase, tally) in tallies.iter_mut().enumerate() {
            let skip = |bytes| <[u8]>::get(bytes, phase..phase + SAMPLE).unwrap_or_default();
            match width {
                Width::Two => tally.add::<2>(skip(raw), skip(from)),
                Width::Four => tally.add::<4>(skip(raw), skip(from)),
                Width::Eight => tally.add::<8>(skip(raw), skip(from)),
            }
        }
    }
    choose(&tallies, width)
}

fn choose(tallies: &[Tally], width: Width) -> Option<Step> {
    let count = f64::from(tallies.first()?.count);
    let share = |bits: u32| f64::from(bits) / (count * 8.0 * f64::from(width.byte()));
    let first = tallies.first()?;
    if f64::from(first.same) > SAME * count {
        return None;
    }
    let (phase, least) = tallies.iter().enumerate().min_by_key(|(_, tally)| tally.subtracted)?;
    // One bit tells the sign of a difference, which its planes get for less.
    let step = if least.exclusive + least.count < least.subtracted {
        Step::ExclusiveOr(width)
    } else {
        Step::Subtract(width, Numbers { width: width.bytes(), phase })
    };
    (share(least.subtracted.min(least.exclusive)) <= CLOSE).then_some(step)
}

/// Bits that are left of the numbers of a sample.
#[derive(Clone, Copy, Default)]
struct Tally {
    exclusive: u32,
    subtracted: u32,
    same: u32,
    count: u32,
}

impl Tally {
    fn add<const K: usize>(&mut self, raw: &[u8], from: &[u8]) {
        for (a, b) in raw.as_chunks::<K>().0.iter().zip(from.as_chunks::<K>().0) {
            let (a, b) = (wide(*a), wide(*b));
            // The sign is brought to the front, so that a small step below zero stays small.
            let unused = 64 - 8 * u32::try_from(K).unwrap_or(8);
            let difference = (a.wrapping_sub(b) << unused).cast_signed() >> unused;
            self.exclusive += 64 - (a ^ b).leading_zeros();
            self.subtracted += 65 - difference.unsigned_abs().leading_zeros();
            self.same += u32::from(a == b);
            self.count += 1;
        }
    }
}

fn wide<const K: usize>(bytes: [u8; K]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize, seed: &[u8]) -> Vec<u8> {
        let mut out = vec![0; len];
        blake3::Hasher::new().update(seed).finalize_xof().fill(&mut out);
        out
    }

    /// Numbers whose high bytes are skewed, as those of weights are.
    fn weights(width: usize, step: u64) -> Vec<u8> {
        let low = noise(65_536, b"low");
        let numbers = low.chunks_exact(width).map(|low| {
            let low = low.iter().fold(0_u64, |n, b| n << 8 | u64::from(*b));
            let bits = 8 * u32::try_from(width).unwrap();
            0x3c << (bits - 8) | (low & ((1 << (bits - 7)) - 1)).wrapping_add(step)
        });
        numbers.flat_map(|n| n.to_le_bytes()[..width].to_vec()).collect()
    }

    #[test]
    fn steps_between_numbers_are_found_at_any_phase() {
        for (width, bytes) in [(Width::Two, 2), (Width::Four, 4), (Width::Eight, 8)] {
            let (new, old) = (weights(bytes, 5), weights(bytes, 0));
            for cut in 0..bytes {
                let phase = (bytes - cut) % bytes;
                let found = numeric(&new[cut..], &old[cut..]);
                let numbers = Numbers { width: bytes, phase };
                assert_eq!(found, Some(Step::Subtract(width, numbers)), "{bytes} {cut}");
            }
        }
    }

    #[test]
    fn other_numbers_equal_numbers_and_text_are_not_subtracted() {
        let new = weights(4, 0);
        assert_eq!(numeric(&new, &noise(65_536, b"other")), None);
        assert_eq!(numeric(&new, &new), None);
        let text = b"id,name,value\n1,one,1.0\n".repeat(4000);
        assert_eq!(numeric(&text, &text), None);
        assert_eq!(numeric(&new, &new[..100]), None);
    }
}
