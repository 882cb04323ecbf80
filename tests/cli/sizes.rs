//! Sizes at which something changes: nothing, inline content, one chunk, many chunks, 32 bits.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use crate::harness::{World, data};

/// Smallest and largest chunk of the default profile.
const CHUNK_MIN: usize = 32 << 10;
const CHUNK_MAX: usize = 96 << 10;
/// Most memory that any command may take, in KiB.
const MEMORY: u64 = 300 << 10;

#[test]
fn files_of_every_border_size_come_back_alone_and_in_a_folder() {
    let world = World::new();
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    a.haul(&["remote", "add", "origin", "../shared"]).ok();
    let borders = [CHUNK_MIN, CHUNK_MAX].into_iter().flat_map(|n| [n - 1, n, n + 1]);
    let sizes: Vec<usize> = [0, 1, 47, 48, 49].into_iter().chain(borders).collect();
    let mut paths = vec!["add".to_owned(), "noise".to_owned(), "zeros".to_owned()];
    for (seed, size) in sizes.iter().enumerate() {
        let noise = data::bytes(seed as u64, *size);
        a.write(format!("noise-{size}"), &noise);
        a.write(format!("zeros-{size}"), &vec![0; *size]);
        // Bytes of their own, so that no chunk of the single files helps.
        a.write(format!("noise/{size}"), &data::bytes(seed as u64 + 100, *size));
        a.write(format!("zeros/{size}"), &vec![1; *size]);
        paths.extend([format!("noise-{size}"), format!("zeros-{size}")]);
    }
    a.haul(&paths).ok();
    for size in sizes {
        let pointer = a.text(format!("noise-{size}.haul"));
        let oid = blake3::hash(&a.read(format!("noise-{size}"))).to_hex();
        assert!(pointer.contains(&format!("\noid b3:{oid}\n")), "{pointer}");
        assert!(pointer.ends_with(&format!("\nsize {size}\n")), "{pointer}");
        assert_eq!(pointer.contains("\nroot "), size > CHUNK_MAX, "{pointer}");
    }
    a.commit("data");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    a.tree().assert_same(&b.tree());
}

#[test]
fn a_sparse_file_of_4_gib_and_one_byte_makes_the_round_trip_in_little_memory() {
    let world = World::new();
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    a.haul(&["remote", "add", "origin", "../shared"]).ok();
    let size = (4 << 30) + 1;
    let file = File::create(a.path("big.bin")).expect("makes a file");
    file.set_len(size).expect("is sparse");
    file.write_all_at(&data::bytes(1, 50_001), (1 << 32) - 50_000).expect("crosses 32 bits");
    file.write_all_at(&data::bytes(2, 1_000_000), 1 << 20).expect("writes");
    drop(file);
    let memory = peak_memory(a.start_haul(&["add", "big.bin"]));
    assert!(memory < MEMORY, "add took {memory} KiB");
    let pointer = a.text("big.bin.haul");
    assert!(pointer.ends_with("\nsize 4294967297\n"), "{pointer}");
    a.commit("data");
    let memory = peak_memory(a.start_haul(&["push"]));
    assert!(memory < MEMORY, "push took {memory} KiB");
    assert!(world.remote("shared").bytes("") < 4 << 20, "nothing is stored twice");
    // Room for the other copy is made first.
    let b = a.clone_as("b");
    a.remove("big.bin");
    let memory = peak_memory(b.start_haul(&["pull"]));
    assert!(memory < MEMORY, "pull took {memory} KiB");
    let oid = hash(&b.path("big.bin"));
    assert!(pointer.contains(&format!("\noid b3:{oid}\n")), "{pointer}");
    assert_eq!(b.path("big.bin").metadata().expect("is there").len(), size);
}

fn hash(path: &Path) -> blake3::Hash {
    let mut file = File::open(path).expect("is there");
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 4 << 20];
    loop {
        let n = file.read(&mut buffer).expect("is readable");
        if n == 0 {
            return hasher.finalize();
        }
        hasher.update_rayon(buffer.get(..n).expect("was read"));
    }
}

/// Waits for a command that must succeed; returns the most memory that it had, in KiB.
#[track_caller]
fn peak_memory(mut child: Child) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().expect("is our child").is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        peak = peak.max(number.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().expect("has ended");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(peak > 0, "no memory was measured");
    peak
}
