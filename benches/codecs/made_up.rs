//! The data of the bench: kinds that differ in which codec pays.

use std::io::Write as _;

/// Bytes of each kind.
pub(crate) const BYTES: usize = 24 << 20;

/// A weight after some training: up to 2 % away from where it was.
fn moved(weight: f32, draw: u8) -> f32 {
    weight * (1.0 + (f32::from(draw) - 127.5) / 6_400.0)
}

/// Makes what a next version of the data may be: numbers moved a little, rows edited.
pub(crate) fn next_version(name: &str, data: &[u8]) -> Option<Vec<u8>> {
    let draws = noise(b"next", data.len());
    let mut next = data.to_vec();
    match name {
        "float32 weights" => {
            for (number, draw) in next.as_chunks_mut::<4>().0.iter_mut().zip(&draws) {
                *number = moved(f32::from_le_bytes(*number), *draw).to_le_bytes();
            }
        }
        "bfloat16 weights" => {
            for (number, draw) in next.as_chunks_mut::<2>().0.iter_mut().zip(&draws) {
                let [low, high] = *number;
                let [_, _, low, high] =
                    moved(f32::from_le_bytes([0, 0, low, high]), *draw).to_le_bytes();
                *number = [low, high];
            }
        }
        "CSV" => {
            for at in (0..next.len()).step_by(60_000) {
                next[at] = b'7';
            }
        }
        _ => return None,
    }
    Some(next)
}

/// Makes each kind of data.
pub(crate) fn all() -> Vec<(&'static str, Vec<u8>)> {
    let random = noise(b"noise", BYTES);
    let weights: Vec<f64> = normal(BYTES / 8).collect();
    let f32s = weights.iter().flat_map(|w| (*w as f32).to_le_bytes());
    let bf16s = weights.iter().flat_map(|w| (*w as f32).to_le_bytes().into_iter().skip(2));
    let counters = (0..BYTES as u64 / 8).flat_map(|n| (1_700_000_000_000 + 3 * n).to_le_bytes());
    let tokens = random.as_chunks::<4>().0.iter();
    let tokens = tokens.flat_map(|n| (u32::from_le_bytes(*n) % 50_000).to_le_bytes());
    vec![
        ("float32 weights", f32s.collect()),
        ("bfloat16 weights", bf16s.collect()),
        ("float64 weights", weights.iter().flat_map(|w| w.to_le_bytes()).collect()),
        ("int64 counters", counters.collect()),
        ("int32 tokens", tokens.collect()),
        ("CSV", csv(&random)),
        ("noise", random),
    ]
}

fn noise(label: &[u8], len: usize) -> Vec<u8> {
    let mut out = vec![0; len];
    blake3::Hasher::new().update(label).finalize_xof().fill(&mut out);
    out
}

/// Box and Muller's way from even to normal numbers, spread as weights are.
fn normal(count: usize) -> impl Iterator<Item = f64> {
    let random = noise(b"normal", count * 16);
    (0..count).map(move |n| {
        let draw = |at: usize| {
            let bytes: [u8; 8] = random.get(at..).and_then(|b| b.first_chunk()).copied().unwrap();
            ((u64::from_le_bytes(bytes) >> 11) as f64 + 1.0) / 2f64.powi(53)
        };
        let (a, b) = (draw(n * 16), draw(n * 16 + 8));
        0.02 * (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    })
}

/// Rows with an id, a time, a few words, numbers and a token.
fn csv(random: &[u8]) -> Vec<u8> {
    const WORDS: [&str; 8] =
        ["books", "garden", "toys", "music", "kitchen", "sports", "office", "pets"];
    let mut out = Vec::with_capacity(BYTES + 100);
    for (number, draw) in random.as_chunks::<16>().0.iter().enumerate() {
        if out.len() >= BYTES {
            break;
        }
        let [a, b] = [&draw[..8], &draw[8..]]
            .map(|half| half.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes)));
        let word = WORDS.get((b % 8) as usize).copied().unwrap_or_default();
        let (price, user) = (b / 8 % 99_999, b / 800_000 % 2_000_000);
        let time = 1_700_000_000 + 2 * number;
        writeln!(
            out,
            "{number},{time},u{user:07},{word},{}.{:02},{a:016x}",
            price / 100,
            price % 100
        )
        .unwrap();
    }
    out
}
