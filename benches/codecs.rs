//! Prints what the choice of codec costs and saves, beside bare loops of its parts.
//!
//!     cargo bench --bench codecs [-- FILE…]
//!
//! Without files it makes its own data. Each row is one kind of data, cut into chunks of 64 KiB. Times
//! are seconds of one thread per 10^9 bytes, the best of several rounds taken in turns, so ratios
//! hold on a machine with other work too. "unzstd" decodes what zstd 1 alone made.
#![expect(clippy::unwrap_used, reason = "a bench stops by panicking")]
#![expect(clippy::print_stdout, reason = "its figures are for whoever runs it")]
#![expect(clippy::cast_precision_loss, reason = "figures are rounded to three digits anyway")]
#![expect(clippy::cast_possible_truncation, reason = "made-up weights are kept in few bits")]

use std::io::Write as _;
use std::time::Instant;

use haul::hash::{ChunkId, PackKind};
use haul::pack::{
    CODEC_COLUMNS, CODEC_PLANES, CODEC_STORED, CODEC_ZSTD, Codecs, EncodedFrame, decode_frame,
    encode_data_frame,
};
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::{CParameter, ParamSwitch};

const CHUNK: usize = 65_536;
const BYTES: usize = 24 << 20;
const ROUNDS: usize = 5;

fn main() {
    let files: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    println!(
        "{:<24}{:>8}{:>17}{:>8}{:>8}{:>8}{:>10}{:>11}{:>8}{:>8}",
        "data",
        "stored",
        "codecs 0/1/2/3",
        "encode",
        "decode",
        "zstd 1",
        "zstd 1 by",
        "planes by",
        "unzstd",
        "by"
    );
    if files.is_empty() {
        for (name, data) in made_up() {
            measure(name, &data);
        }
    }
    for file in files {
        let mut data = std::fs::read(&file).unwrap();
        data.truncate(4 * BYTES);
        measure(&file, &data);
    }
    println!(
        "seconds per GB; \"by\": time of that loop alone, which neither chooses nor proves, by ours"
    );
}

/// Runs all loops in turns and prints one row.
fn measure(name: &str, data: &[u8]) {
    let chunks: Vec<(ChunkId, &[u8])> = data.chunks(CHUNK).map(|c| (ChunkId::of(c), c)).collect();
    let mut codecs = Codecs::new();
    let frames: Vec<EncodedFrame> =
        chunks.iter().map(|c| encode_data_frame(&mut codecs, &[*c]).unwrap()).collect();
    let mut loops = Loops::new();
    let packed: Vec<Vec<u8>> = chunks
        .iter()
        .map(|(_, chunk)| {
            loops.zstd(chunk);
            loops.out.clone()
        })
        .collect();
    let mut best = [f64::MAX; 5];
    for _ in 0..ROUNDS {
        let times = [
            time(|| {
                for chunk in &chunks {
                    std::hint::black_box(encode_data_frame(&mut codecs, &[*chunk]).unwrap());
                }
            }),
            time(|| {
                for frame in &frames {
                    std::hint::black_box(
                        decode_frame(&mut codecs, PackKind::Data, frame.bytes()).unwrap(),
                    );
                }
            }),
            time(|| chunks.iter().for_each(|(_, chunk)| loops.zstd(chunk))),
            time(|| chunks.iter().for_each(|(_, chunk)| loops.planes(chunk))),
            time(|| packed.iter().for_each(|payload| loops.read(payload))),
        ];
        for (best, time) in best.iter_mut().zip(times) {
            *best = best.min(time / data.len() as f64 * 1e9);
        }
    }
    let [encode, decode, zstd, planes, zstd_decode] = best;
    let stored: usize = frames.iter().map(|frame| frame.bytes().len()).sum();
    let of = |codec| frames.iter().filter(|frame| frame.codec() == codec).count();
    let codecs = [CODEC_STORED, CODEC_ZSTD, CODEC_PLANES, CODEC_COLUMNS].map(of);
    let codecs = codecs.map(|count| count.to_string()).join("/");
    let name = name.rsplit('/').next().unwrap_or(name);
    println!(
        "{name:<24}{:>8.3}{codecs:>17}{encode:>8.3}{decode:>8.3}{zstd:>8.3}{:>10.2}{:>11.2}{zstd_decode:>8.3}{:>8.2}",
        stored as f64 / data.len() as f64,
        zstd / encode,
        planes / encode,
        zstd_decode / decode
    );
    std::io::stdout().flush().unwrap();
}

fn time(act: impl FnOnce()) -> f64 {
    let start = Instant::now();
    act();
    start.elapsed().as_secs_f64()
}

/// The bare loops: no probe, no proof, no frame.
struct Loops {
    zstd: Compressor<'static>,
    huffman: Compressor<'static>,
    unzstd: Decompressor<'static>,
    plane: Vec<u8>,
    out: Vec<u8>,
}

impl Loops {
    fn new() -> Self {
        let zstd = Compressor::new(1).unwrap();
        let mut huffman = Compressor::new(-1).unwrap();
        huffman.set_parameter(CParameter::TargetLength(1 << 17)).unwrap();
        huffman.set_parameter(CParameter::LiteralCompressionMode(ParamSwitch::Enable)).unwrap();
        Self {
            zstd,
            huffman,
            unzstd: Decompressor::new().unwrap(),
            plane: Vec::new(),
            out: Vec::with_capacity(2 * CHUNK),
        }
    }

    fn read(&mut self, payload: &[u8]) {
        self.out.clear();
        self.unzstd.decompress_to_buffer(payload, &mut self.out).unwrap();
    }

    fn zstd(&mut self, chunk: &[u8]) {
        self.out.clear();
        self.zstd.compress_to_buffer(chunk, &mut self.out).unwrap();
    }

    /// Four planes: the last one through Huffman's code, the others copied.
    fn planes(&mut self, chunk: &[u8]) {
        for rank in 0..4 {
            self.plane.clear();
            self.plane.extend(chunk.as_chunks::<4>().0.iter().filter_map(|e| e.get(rank)));
            self.out.clear();
            if rank == 3 {
                self.huffman.compress_to_buffer(&self.plane, &mut self.out).unwrap();
            } else {
                self.out.extend_from_slice(&self.plane);
            }
            std::hint::black_box(&self.out);
        }
    }
}

fn made_up() -> Vec<(&'static str, Vec<u8>)> {
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
