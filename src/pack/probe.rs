//! A cheap guess which codec pays, from 4 KiB of the content.

use std::sync::LazyLock;

use super::planes::{WIDEST, Width};

/// Samples are taken at this many places.
const SAMPLES: usize = 4;
/// Bytes of one sample.
const SAMPLE: usize = 1024;
/// The same for a single plane, of which there are up to eight.
const PLANE_SAMPLES: usize = 8;
const PLANE_SAMPLE: usize = 128;
/// The same for a stream of a table, of which there may be some hundred.
const STREAM_SAMPLES: usize = 2;
const STREAM_SAMPLE: usize = 192;
/// Below this nothing is known from statistics, and trying costs nothing.
const SHORT: usize = 256;
/// Bits per byte from which data counts as incompressible. Tables lie near 5, weights between 6 and
/// 7.3, photographs at 7.9, noise at 8.
const BITS: f64 = 7.6;
/// How much more often than in noise two bytes must agree before a histogram counts as skewed. Noise
/// stays below in more than 99 of 100 samples, and a plane that does too would gain less than 2 %.
const CROWDED: f64 = 1.12;
/// Of this many sampled places, one at which bytes repeat makes a search for matches worth trying.
const REPEATS: usize = 16;
/// Of this many sampled bytes, all but one are printable in a text.
const UNPRINTABLE: u32 = 16;

/// How often each byte occurs.
type Counts = [u16; 256];

/// n log n for every count that a histogram may hold, because logarithms would cost half of the probe.
static WEIGHTS: LazyLock<Vec<f32>> = LazyLock::new(|| {
    let weights = (1..=4096u16).map(|n| f32::from(n) * f32::from(n).log2());
    std::iter::once(0.0).chain(weights).collect()
});

/// What to do with the content of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guess {
    /// Trying would be a waste of time.
    Stored,
    /// What repeats, or has few symbols.
    Zstd,
    /// Text, which may be a table.
    Text,
    /// Elements of this width, of which some bytes are skewed, and which hardly repeat.
    Planes(Width),
    /// As [`Guess::Planes`], but sequences of bytes repeat too: only trying both tells.
    PlanesOrZstd(Width),
}

/// Guesses from the histogram of each byte rank within eight, and from repetitions.
///
/// Reads at most 4 KiB, so that data which is compressed already costs next to nothing. Long
/// repetitions of noise are missed; chunks catch those.
pub(super) fn guess(bytes: &[u8]) -> Guess {
    look(bytes).0
}

/// Returns the share of itself that content takes as planes, within a hundredth; nothing if it is not
/// clear that planes are what it should be stored as.
pub(super) fn share_as_planes(bytes: &[u8]) -> Option<f64> {
    match look(bytes) {
        (Guess::Planes(_), bits) => Some(bits / 8.0),
        (Guess::PlanesOrZstd(_) | Guess::Text | Guess::Zstd | Guess::Stored, _) => None,
    }
}

/// Guesses, and says how many bits a byte would take, of which only planes make sure.
fn look(bytes: &[u8]) -> (Guess, f64) {
    if bytes.len() < SHORT {
        return (Guess::Zstd, 8.0);
    }
    let mut ranks = [[0u16; 256]; WIDEST];
    for sample in samples(bytes, SAMPLES, SAMPLE) {
        count_ranks(&mut ranks, sample);
    }
    let four: [Counts; 4] = fold_ranks(&ranks);
    let two: [Counts; 2] = fold_ranks(&four);
    let [one] = fold_ranks(&two);
    if is_text(&one) {
        return (Guess::Text, 8.0);
    }
    let whole = entropy(&one);
    // A wider element must promise clearly more: its planes are sampled more thinly, which makes
    // them look better than they are.
    let widths = [(Width::Two, mean(&two), 0.12), (Width::Four, mean(&four), 0.15)];
    let widths = widths.into_iter().chain([(Width::Eight, mean(&ranks), 0.2)]);
    let (width, bits) = widths.fold((None, whole), |(best, least), (width, bits, margin)| {
        if bits < least - margin { (Some(width), bits) } else { (best, least) }
    });
    let guess = match width {
        Some(width) if repeats::<1024>(bytes, (SAMPLES, SAMPLE / 2), u32::MAX.into()) => {
            Guess::PlanesOrZstd(width)
        }
        Some(width) => Guess::Planes(width),
        None if whole < BITS => Guess::Zstd,
        None => Guess::Stored,
    };
    (guess, bits)
}

/// Says whether a plane has symbols that are frequent enough for an entropy coder to gain by.
pub(super) fn is_skewed(plane: &[u8]) -> bool {
    let mut ranks = [[0u16; 256]; WIDEST];
    for sample in samples(plane, PLANE_SAMPLES, PLANE_SAMPLE) {
        count_ranks(&mut ranks, sample);
    }
    let [counts] = fold_ranks(&ranks);
    plane.len() < SHORT || crowding(&counts) > CROWDED
}

/// Says whether searching a stream of a table for repetitions is worth the time.
pub(super) fn stream_repeats(stream: &[u8]) -> bool {
    repeats::<256>(stream, (STREAM_SAMPLES, STREAM_SAMPLE), u64::MAX)
}

/// Returns parts at even distances, all beginning at the same rank; or everything, if that is little.
fn samples(bytes: &[u8], count: usize, len: usize) -> impl Iterator<Item = &[u8]> {
    let all = bytes.len() <= count * len;
    let (count, len) = if all { (1, bytes.len()) } else { (count, len) };
    let stride = (bytes.len() - len) / (count - 1).max(1) / WIDEST * WIDEST;
    (0..count).filter_map(move |n| bytes.get(n * stride..)?.get(..len))
}

fn count_ranks(ranks: &mut [Counts; WIDEST], sample: &[u8]) {
    for group in sample.as_chunks::<WIDEST>().0 {
        for (counts, byte) in ranks.iter_mut().zip(group) {
            if let Some(count) = counts.get_mut(usize::from(*byte)) {
                *count += 1;
            }
        }
    }
}

/// Adds up the ranks that are one and the same in narrower elements.
fn fold_ranks<const N: usize>(ranks: &[Counts]) -> [Counts; N] {
    let mut folded = [[0; 256]; N];
    for group in ranks.chunks(N) {
        for (to, add) in folded.as_flattened_mut().iter_mut().zip(group.as_flattened()) {
            *to += add;
        }
    }
    folded
}

fn is_text(counts: &Counts) -> bool {
    let (mut all, mut printable) = (0u32, 0u32);
    for (count, byte) in counts.iter().zip(0..=u8::MAX) {
        all += u32::from(*count);
        if matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r') {
            printable += u32::from(*count);
        }
    }
    (all - printable) * UNPRINTABLE <= all
}

/// How much more often two bytes agree than two of noise: 1 for noise, 256 if all are equal.
fn crowding(counts: &Counts) -> f64 {
    let (total, squares) = counts.iter().fold((0u32, 0u32), |(total, squares), count| {
        let count = u32::from(*count);
        (total + count, squares + count * count)
    });
    let pairs = f64::from(total) * f64::from(total.saturating_sub(1));
    if pairs == 0.0 { 1.0 } else { 256.0 * f64::from(squares - total) / pairs }
}

fn mean<const N: usize>(planes: &[Counts; N]) -> f64 {
    planes.iter().map(entropy).sum::<f64>() / f64::from(u32::try_from(N).unwrap_or(1))
}

/// Bits per byte of a histogram, corrected for how few bytes were seen; 8 if it is not skewed.
fn entropy(counts: &Counts) -> f64 {
    if crowding(counts) <= CROWDED {
        return 8.0;
    }
    let (mut total, mut weighted, mut kinds) = (0u32, 0.0, 0u32);
    for count in counts {
        total += u32::from(*count);
        weighted += WEIGHTS.get(usize::from(*count)).copied().unwrap_or_default();
        kinds += u32::from(*count > 0);
    }
    let (total, weighted, kinds) = (f64::from(total), f64::from(weighted), f64::from(kinds));
    let unseen = (kinds - 1.0) / (2.0 * total * std::f64::consts::LN_2);
    (total.log2() - weighted / total + unseen).min(8.0)
}

/// Says whether the bytes at a place that `mask` leaves often are the same as some before them in
/// their sample, which is remembered in so many slots.
fn repeats<const SLOTS: usize>(bytes: &[u8], (count, len): (usize, usize), mask: u64) -> bool {
    let (mut hits, mut places) = (0, 0);
    for sample in samples(bytes, count, len) {
        let mut seen = [0; SLOTS];
        for window in sample.windows(8).filter_map(|window| window.first_chunk()) {
            let word = u64::from_le_bytes(*window) & mask;
            let hash = word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
            if let Some(slot) = usize::try_from(hash).ok().and_then(|n| seen.get_mut(n % SLOTS)) {
                hits += usize::from(std::mem::replace(slot, word) == word);
            }
            places += 1;
        }
    }
    hits * REPEATS > places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize) -> Vec<u8> {
        let mut out = vec![0; len];
        blake3::Hasher::new().finalize_xof().fill(&mut out);
        out
    }

    #[test]
    fn text_and_skewed_bytes_look_compressible() {
        assert_eq!(guess(&b"id,name,value\n1,one,1.0\n".repeat(4000)), Guess::Text);
        let skewed: Vec<u8> = noise(65_536).iter().map(|b| b & 0x7f).collect();
        assert_eq!(guess(&skewed), Guess::Zstd);
        assert_eq!(guess(b""), Guess::Zstd);
    }

    #[test]
    fn text_in_rows_of_equal_length_is_not_taken_for_numbers() {
        let rows: Vec<u8> =
            (0..4000u32).flat_map(|n| format!("{:07},{:07}\n", n * 2417, n).into_bytes()).collect();
        assert_eq!(rows.len() % 16, 0);
        assert_eq!(guess(&rows), Guess::Text);
    }

    #[test]
    fn noise_does_not_look_compressible() {
        let noise = noise(4 << 20);
        for chunk in noise.chunks(65_536) {
            assert_eq!(guess(chunk), Guess::Stored);
        }
        assert_eq!(guess(&noise[..4097]), Guess::Stored);
        let skewed = noise.chunks(16_384).filter(|plane| is_skewed(plane)).count();
        assert_eq!(skewed, 0);
    }

    #[test]
    fn every_quarter_of_the_bytes_is_seen() {
        for quarter in 0..4 {
            let mut bytes = noise(65_536);
            bytes[quarter * 16_384..(quarter + 1) * 16_384].fill(0);
            assert_eq!(guess(&bytes), Guess::Zstd, "quarter {quarter}");
        }
    }

    #[test]
    fn the_width_of_elements_is_found_at_any_phase() {
        for (width, skewed) in [(Width::Two, 1), (Width::Four, 3), (Width::Eight, 6)] {
            let mut bytes = noise(65_536);
            for element in bytes.chunks_exact_mut(width.bytes()) {
                for byte in &mut element[skewed..] {
                    *byte = 0x3c | *byte & 1;
                }
            }
            for phase in 0..width.bytes() {
                let guess = guess(&bytes[phase..]);
                assert_eq!(guess, Guess::Planes(width), "{width:?} {phase}");
            }
        }
    }

    #[test]
    fn numbers_that_repeat_are_tried_both_ways() {
        let counter: Vec<u8> =
            (0..8192u64).flat_map(|n| (n * 3 + 1_700_000).to_le_bytes()).collect();
        assert_eq!(guess(&counter), Guess::PlanesOrZstd(Width::Eight));
    }
}
