//! How fast the parts are, alone and on one core: cutting, hashing, packs, trees, pointers, the stat cache.
//!
//!     cargo bench --bench parts [-- NAME]
//!
//! Whole commands beside other programs are measured by `whole.py`, and codecs beside bare loops of
//! what they consist of, in turns, by `codecs.rs`.
#![expect(clippy::unwrap_used, reason = "a bench stops by panicking")]

use std::hint::black_box;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use haul::cache::{Known, StatCache, StatEntry};
use haul::chunk::{Profile, cut, cut_by_reference};
use haul::fs::{FileKind, Stamp, Time};
use haul::hash::{ChunkId, Oid, PackKind};
use haul::pack::{Codecs, PackWriter, encode_data_frame};
use haul::pointer::{Pointer, PointerKind};
use haul::recipe::{ChunkEntry, build};

const MIB: usize = 1 << 20;
const CHUNK: usize = 64 << 10;

fn main() {
    divan::main();
}

/// Bytes that no compressor can shorten.
fn noise(length: usize) -> Vec<u8> {
    let mut out = vec![0; length];
    blake3::Hasher::new().update(b"parts").finalize_xof().fill(&mut out);
    out
}

fn profile() -> Profile {
    Profile::by_name("m64.1").unwrap()
}

#[divan::bench]
fn cut_64_mib(bencher: Bencher) {
    let bytes = noise(64 * MIB);
    bencher.counter(BytesCount::new(bytes.len())).bench(|| cut(profile(), black_box(&bytes)));
}

/// Without vectors, as the format defines it.
#[divan::bench]
fn cut_4_mib_by_reference(bencher: Bencher) {
    let bytes = noise(4 * MIB);
    bencher
        .counter(BytesCount::new(bytes.len()))
        .bench(|| cut_by_reference(profile(), black_box(&bytes)));
}

#[divan::bench]
fn hash_a_file(bencher: Bencher) {
    let bytes = noise(64 * MIB);
    bencher.counter(BytesCount::new(bytes.len())).bench(|| Oid::of(black_box(&bytes)));
}

#[divan::bench]
fn hash_chunks(bencher: Bencher) {
    let bytes = noise(64 * MIB);
    let all = || black_box(&bytes).chunks(CHUNK).map(ChunkId::of).last();
    bencher.counter(BytesCount::new(bytes.len())).bench(all);
}

/// Frames of incompressible chunks into a pack in memory, with its hash and tables.
#[divan::bench]
fn write_a_pack(bencher: Bencher) {
    let bytes = noise(32 * MIB);
    let mut codecs = Codecs::new();
    let frames: Vec<_> = bytes
        .chunks(CHUNK)
        .map(|chunk| encode_data_frame(&mut codecs, &[(ChunkId::of(chunk), chunk)]).unwrap())
        .collect();
    bencher.counter(BytesCount::new(bytes.len())).bench_local(|| {
        let mut pack = PackWriter::new(std::io::sink(), PackKind::Data, [7; 16]).unwrap();
        for frame in &frames {
            pack.push(frame).unwrap();
        }
        pack.finish().unwrap().0.id
    });
}

/// The recipe of a file of 6 GiB.
#[divan::bench]
fn build_a_tree_of_100_000_chunks(bencher: Bencher) {
    let entry = |n: u32| ChunkEntry { id: ChunkId::of(&n.to_le_bytes()), size: CHUNK as u64 };
    let entries: Vec<ChunkEntry> = (0..100_000).map(entry).collect();
    bencher
        .counter(ItemsCount::new(entries.len()))
        .bench(|| build(black_box(&entries).iter().copied()).unwrap().1.len());
}

#[divan::bench]
fn write_and_read_a_pointer(bencher: Bencher) {
    let kind = PointerKind::File { oid: Oid([7; 32]), size: 5000, root: None, executable: false };
    let pointer = Pointer::new(kind).unwrap();
    bencher.bench(|| Pointer::parse(&black_box(&pointer).to_bytes()).unwrap());
}

fn entry(n: u64) -> StatEntry {
    let time = Time(1_700_000_000_000_000_000);
    let (kind, mode) = (FileKind::File, 0o644);
    let stamp = Stamp { kind, dev: 1, ino: n, size: 9000, mtime: time, ctime: time, mode };
    StatEntry { stamp, oid: Oid([7; 32]), tree: None, known: Known::Stored }
}

fn filled(entries: u64) -> (tempfile::TempDir, StatCache) {
    let folder = tempfile::tempdir().unwrap();
    let cache = StatCache::open(&folder.path().join("stat.redb")).unwrap();
    let paths: Vec<String> = (0..entries).map(|n| format!("d{}/{n}", n % 10)).collect();
    let rows = (0..).zip(&paths).map(|(n, path)| (path.as_bytes(), Some(entry(n))));
    cache.save(rows, []).unwrap();
    (folder, cache)
}

/// One of ten folders of 100,000 entries: what is asked counts, not what is held.
#[divan::bench]
fn ask_the_stat_cache_for_10_000_of_100_000(bencher: Bencher) {
    let (_folder, cache) = filled(100_000);
    bencher.counter(ItemsCount::new(10_000_usize)).bench(|| cache.under(b"d3").unwrap().len());
}

#[divan::bench]
fn ask_the_stat_cache_for_10_000_of_10_000(bencher: Bencher) {
    let (_folder, cache) = filled(10_000);
    let all =
        || (0..10).map(|n| cache.under(format!("d{n}").as_bytes()).unwrap().len()).sum::<usize>();
    bencher.counter(ItemsCount::new(10_000_usize)).bench(all);
}

#[divan::bench(sample_count = 10)]
fn save_10_000_entries_durably(bencher: Bencher) {
    let (_folder, cache) = filled(1);
    let paths: Vec<String> = (0..10_000).map(|n| format!("e/{n}")).collect();
    bencher.counter(ItemsCount::new(paths.len())).bench_local(|| {
        let rows = (0..).zip(&paths).map(|(n, path)| (path.as_bytes(), Some(entry(n))));
        cache.save(rows, []).unwrap();
    });
}
