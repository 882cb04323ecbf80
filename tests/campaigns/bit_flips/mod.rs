//! Bit flips: a byte that changed is found by `fsck`, and never becomes a wrong byte of a file.
//!
//! Pointers, golden packs and catalogue objects byte by byte against the library, packs of a real
//! remote byte by byte (`--long`) or in a sample, and a sample of everything that lies on a remote and
//! in a cache against the program itself.

mod catalogue;
mod packs;
mod pointers;
mod program;

use crate::args::Args;
use crate::figures::Figures;
use crate::plant::is_planted;

/// The bits that are changed: one at a time, and all at once.
const MASKS: [u8; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 255];

/// Runs the campaign.
pub(crate) fn run(args: &Args) -> Figures {
    let mut figures = Figures::default();
    packs::oversized(&mut figures);
    // One miss is enough, and a build without the cap takes gigabytes for a length that was changed.
    if is_planted() && figures.misses() > 0 {
        return figures;
    }
    pointers::run(&mut figures);
    catalogue::run(&mut figures);
    packs::golden(&mut figures);
    program::run(args, &mut figures);
    figures
}

/// Changes one byte for as long as `look` looks, and says whether that ended without a panic.
fn flipped<T>(
    bytes: &mut [u8],
    (at, mask): (usize, u8),
    look: impl FnOnce(&[u8]) -> T,
) -> Option<T> {
    *bytes.get_mut(at).expect("is that long") ^= mask;
    let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| look(bytes)));
    *bytes.get_mut(at).expect("is that long") ^= mask;
    seen.ok()
}

/// Draws numbers, the same for the same seed.
struct Dice(blake3::OutputReader);

impl Dice {
    fn new(seed: u64) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"haul campaign").update(&seed.to_le_bytes());
        Self(hasher.finalize_xof())
    }

    fn below(&mut self, limit: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        let limit = u64::try_from(limit.max(1)).expect("fits");
        usize::try_from(u64::from_le_bytes(bytes) % limit).expect("fits")
    }

    fn mask(&mut self) -> u8 {
        MASKS.get(self.below(MASKS.len())).copied().unwrap_or(255)
    }
}

/// Reads the files of one kind of fixture that are sound, with their names.
fn fixtures(kind: &str, ending: &str) -> Vec<(String, Vec<u8>)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats/v1");
    let entries = std::fs::read_dir(folder.join(kind)).expect("is a folder");
    let mut out = Vec::new();
    for entry in entries {
        let path = entry.expect("is listed").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("is text").to_owned();
        if name.ends_with(ending) && !name.starts_with("bad-") {
            out.push((name, std::fs::read(path).expect("is readable")));
        }
    }
    assert!(!out.is_empty(), "no fixtures of {kind}");
    out.sort();
    out
}
