//! Prints what the choice of codec costs and saves, beside bare loops of its parts.
//!
//!     cargo bench --bench codecs [-- FILE…]
//!     cargo bench --bench codecs -- --deltas
//!     cargo bench --bench codecs -- --alone zstd|planes|decode|known FILE
//!     cargo bench --bench codecs -- --alone stat FOLDER
//!
//! Without files it makes its own data, and deltas too. Each row is one kind of data, cut into
//! chunks as haul cuts files. Times are seconds of one thread per 10^9 bytes, the best of several
//! rounds taken in turns, so ratios hold on a machine with other work too. "unzstd" decodes what
//! zstd 1 alone made.
//!
//! With `--alone` it prints a single number: how many seconds per 10^9 bytes a bare loop, or the
//! decoding of what haul makes of the file, takes on all cores at the same time, median of the rounds.
//! "known" is what a file needs of which everything is known: reading, cutting, and two hashes.
//! "stat" is the seconds that looking at each name below a folder takes, and nothing else.
#![expect(clippy::unwrap_used, reason = "a bench stops by panicking")]
#![expect(clippy::indexing_slicing, reason = "a bench stops by panicking")]
#![expect(clippy::panic, reason = "a bench stops by panicking")]
#![expect(clippy::print_stdout, reason = "its figures are for whoever runs it")]
#![expect(clippy::cast_precision_loss, reason = "figures are rounded to three digits anyway")]
#![expect(clippy::cast_possible_truncation, reason = "made-up weights and planes are of few bits")]

#[path = "codecs/made_up.rs"]
mod made_up;

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use haul::chunk::{Profile, cut};
use haul::hash::{ChunkId, PackKind};
use haul::pack::{
    Bases, CODEC_COLUMNS, CODEC_PLANES, CODEC_PLANES_DIFFERENCE, CODEC_PLANES_XOR, CODEC_STORED,
    CODEC_ZSTD, CODEC_ZSTD_BASE, Candidate, Codecs, EncodedFrame, decode_delta_frame, decode_frame,
    encode_data_frame, encode_delta_frames,
};
use rayon::prelude::*;
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::{CParameter, ParamSwitch};

const ROUNDS: usize = 5;
/// Chunks that a thread of a bare loop takes at a time.
const TAKEN: usize = 8;
/// Bytes that a thread reads at a time.
const READ: usize = 4 << 20;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["--alone", "stat", folder] => println!("{:.4}", stat(Path::new(folder))),
        ["--alone", "known", file] => println!("{:.4}", known(Path::new(file))),
        ["--alone", work, file] => {
            println!("{:.4}", alone(Alone::by_name(work), &std::fs::read(file).unwrap()));
        }
        ["--deltas"] => print_deltas(&made_up::all()),
        [] => {
            let made = made_up::all();
            print_all(made.iter().map(|(name, data)| (*name, data.clone())));
            print_deltas(&made);
        }
        files => print_all(files.iter().map(|file| {
            let mut data = std::fs::read(file).unwrap();
            data.truncate(4 * made_up::BYTES);
            (*file, data)
        })),
    }
}

fn print_all<'a>(all: impl Iterator<Item = (&'a str, Vec<u8>)>) {
    println!(
        "{:<24}{:>8}{:>17}{:>8}{:>8}{:>8}{:>10}{:>8}{:>10}{:>8}{:>8}",
        "data",
        "stored",
        "codecs 0/1/2/3",
        "encode",
        "decode",
        "zstd 1",
        "zstd 1 by",
        "planes",
        "planes by",
        "unzstd",
        "by"
    );
    all.for_each(|(name, data)| measure(name, &data));
    println!(
        "seconds per GB; \"by\": time of that loop alone, which neither chooses nor proves, by ours\n"
    );
}

fn print_deltas(made: &[(&str, Vec<u8>)]) {
    let head = ("delta to a base", "stored", "codecs 17/18/19");
    println!("{:<24}{:>8}{:>17}{:>8}{:>8}", head.0, head.1, head.2, "encode", "decode");
    for (name, data) in made {
        measure_deltas(name, data);
    }
    println!("seconds per GB");
}

fn chunks_of(data: &[u8]) -> Vec<(ChunkId, &[u8])> {
    let mut rest = data;
    let take = |len| (ChunkId::of(&rest[..len]), rest.split_off(..len).unwrap());
    cut(Profile::DEFAULT, data).into_iter().map(take).collect()
}

/// Runs all loops in turns and prints one row.
fn measure(name: &str, data: &[u8]) {
    let chunks = chunks_of(data);
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
    let stored = share(&frames, data);
    let codecs = counts(&frames, [CODEC_STORED, CODEC_ZSTD, CODEC_PLANES, CODEC_COLUMNS]);
    let name = name.rsplit('/').next().unwrap_or(name);
    println!(
        "{name:<24}{stored:>8.3}{codecs:>17}{encode:>8.3}{decode:>8.3}{zstd:>8.3}{:>10.2}{planes:>8.3}{:>10.2}{zstd_decode:>8.3}{:>8.2}",
        zstd / encode,
        planes / encode,
        zstd_decode / decode
    );
    std::io::stdout().flush().unwrap();
}

/// Encodes a next version of the data against the data, chunk by chunk, and prints one row.
fn measure_deltas(name: &str, data: &[u8]) {
    let Some(next) = made_up::next_version(name, data) else { return };
    let chunks = chunks_of(&next);
    let mut at = 0;
    let bases: Vec<(Bases, &[u8])> = chunks
        .iter()
        .map(|(_, chunk)| {
            let base = &data[at..(at + chunk.len()).min(data.len())];
            at += chunk.len();
            (Bases { ids: vec![ChunkId::of(base)], skip: 0 }, base)
        })
        .collect();
    let candidates: Vec<Candidate> = chunks
        .iter()
        .zip(&bases)
        .map(|((id, raw), (bases, base))| Candidate { id: *id, raw, bases, base })
        .collect();
    let mut codecs = Codecs::new();
    let (mut encode, mut decode, mut frames) = (f64::MAX, f64::MAX, Vec::new());
    for _ in 0..ROUNDS {
        frames.clear();
        encode = encode.min(time(|| {
            for group in candidates.chunks(TAKEN) {
                frames.extend(encode_delta_frames(&mut codecs, group).unwrap());
            }
        }));
        decode = decode.min(time(|| {
            for (frame, (_, base)) in frames.iter().zip(&bases) {
                let bytes = frame.bytes();
                match frame.bases() {
                    Some(_) => decode_delta_frame(&mut codecs, bytes, base),
                    None => decode_frame(&mut codecs, PackKind::Data, bytes),
                }
                .unwrap();
            }
        }));
    }
    let stored = share(&frames, &next);
    let of = counts(&frames, [CODEC_ZSTD_BASE, CODEC_PLANES_XOR, CODEC_PLANES_DIFFERENCE]);
    let [encode, decode] = [encode, decode].map(|time| time / next.len() as f64 * 1e9);
    println!("{name:<24}{stored:>8.3}{of:>17}{encode:>8.3}{decode:>8.3}");
    std::io::stdout().flush().unwrap();
}

fn share(frames: &[EncodedFrame], data: &[u8]) -> f64 {
    frames.iter().map(|frame| frame.bytes().len()).sum::<usize>() as f64 / data.len() as f64
}

fn counts<const N: usize>(frames: &[EncodedFrame], codecs: [u8; N]) -> String {
    let of = |codec| frames.iter().filter(|frame| frame.codec() == codec).count().to_string();
    codecs.map(of).join("/")
}

fn time(act: impl FnOnce()) -> f64 {
    let start = Instant::now();
    act();
    start.elapsed().as_secs_f64()
}

/// What all cores do at the same time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Alone {
    Zstd,
    Planes,
    Decode,
}

impl Alone {
    fn by_name(name: &str) -> Self {
        match name {
            "zstd" => Self::Zstd,
            "planes" => Self::Planes,
            "decode" => Self::Decode,
            _ => panic!("no loop is called {name}"),
        }
    }
}

/// Seconds per 10^9 bytes on all cores, each thread with contexts of its own.
fn alone(work: Alone, data: &[u8]) -> f64 {
    let chunks = chunks_of(data);
    let mut codecs = Codecs::new();
    let wanted = chunks.iter().take(if work == Alone::Decode { usize::MAX } else { 0 });
    let frames = wanted.map(|c| encode_data_frame(&mut codecs, &[*c]).unwrap().into_bytes());
    let frames: Vec<Vec<u8>> = frames.collect();
    let next = AtomicUsize::new(0);
    let seconds = on_all_cores(&next, |start| {
        let (mut loops, mut codecs) = (Loops::new(), Codecs::new());
        start.wait();
        loop {
            let from = next.fetch_add(TAKEN, Ordering::Relaxed);
            if from >= chunks.len() {
                break;
            }
            for at in from..chunks.len().min(from + TAKEN) {
                match work {
                    Alone::Zstd => loops.zstd(chunks[at].1),
                    Alone::Planes => loops.planes(chunks[at].1),
                    Alone::Decode => {
                        decode_frame(&mut codecs, PackKind::Data, &frames[at]).unwrap();
                    }
                }
            }
        }
    });
    seconds / data.len() as f64 * 1e9
}

/// Seconds per 10^9 bytes of reading a file on all cores, cutting it, and hashing each chunk and the whole.
///
/// Pieces are cut each for itself: only the last chunk of each ends elsewhere than in the whole.
fn known(path: &Path) -> f64 {
    let file = File::open(path).unwrap();
    let length = file.metadata().unwrap().len();
    let next = AtomicUsize::new(0);
    let seconds = on_all_cores(&next, |start| {
        let mut buffer = vec![0; READ];
        let mut whole = blake3::Hasher::new();
        start.wait();
        loop {
            let from = (next.fetch_add(1, Ordering::Relaxed) * READ) as u64;
            if from >= length {
                break;
            }
            let piece = &mut buffer[..READ.min((length - from) as usize)];
            file.read_exact_at(piece, from).unwrap();
            std::hint::black_box(chunks_of(piece));
            whole.update(piece);
        }
        std::hint::black_box(whole.finalize());
    });
    seconds / length as f64 * 1e9
}

/// Median seconds of looking at each name below a folder, on all cores.
fn stat(folder: &Path) -> f64 {
    median([(); ROUNDS].map(|()| time(|| look(folder))))
}

/// Opens a folder, reads its names and looks at each through it (`fstatat`); then the folders in it, side by side.
fn look(folder: &Path) {
    let names = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let folders = names.filter(|name| name.metadata().unwrap().is_dir());
    let folders: Vec<PathBuf> = folders.map(|folder| folder.path()).collect();
    folders.par_iter().for_each(|folder| look(folder));
}

fn median(mut rounds: [f64; ROUNDS]) -> f64 {
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

/// Median seconds of some rounds in which each core runs `run` once, from when all wait at the barrier.
fn on_all_cores(next: &AtomicUsize, run: impl Fn(&Barrier) + Sync) -> f64 {
    let threads = std::thread::available_parallelism().unwrap().get();
    let start = Barrier::new(threads + 1);
    let mut rounds = [0.0; ROUNDS];
    for round in &mut rounds {
        next.store(0, Ordering::Relaxed);
        *round = std::thread::scope(|scope| {
            let running: Vec<_> = (0..threads).map(|_| scope.spawn(|| run(&start))).collect();
            start.wait();
            time(|| running.into_iter().for_each(|thread| thread.join().unwrap()))
        });
    }
    median(rounds)
}

/// The bare loops: no probe, no proof, no frame.
struct Loops {
    zstd: Compressor<'static>,
    huffman: Compressor<'static>,
    unzstd: Decompressor<'static>,
    planes: Vec<u8>,
    coded: Vec<u8>,
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
            planes: Vec::new(),
            coded: Vec::with_capacity(4 * Profile::DEFAULT.max()),
            out: Vec::with_capacity(4 * Profile::DEFAULT.max()),
        }
    }

    fn read(&mut self, payload: &[u8]) {
        self.out.clear();
        self.unzstd.decompress_to_buffer(payload, &mut self.out).unwrap();
    }

    fn zstd(&mut self, chunk: &[u8]) {
        self.out.clear();
        self.zstd.compress_to_buffer(chunk, &mut self.out).unwrap();
        std::hint::black_box(&self.out);
    }

    /// Splits into four planes, tries each of them with Huffman's code and keeps what is shorter.
    fn planes(&mut self, chunk: &[u8]) {
        let elements = chunk.as_chunks::<4>().0;
        self.planes.resize(4 * elements.len(), 0);
        self.out.clear();
        if elements.is_empty() {
            return;
        }
        for (plane, rank) in self.planes.chunks_exact_mut(elements.len()).zip(0..) {
            for (to, element) in plane.iter_mut().zip(elements) {
                *to = (u32::from_le_bytes(*element) >> (8 * rank)) as u8;
            }
            self.coded.clear();
            self.huffman.compress_to_buffer(plane, &mut self.coded).unwrap();
            let is_shorter = self.coded.len() < plane.len();
            self.out.extend_from_slice(if is_shorter { &self.coded } else { plane });
        }
        std::hint::black_box(&self.out);
    }
}
