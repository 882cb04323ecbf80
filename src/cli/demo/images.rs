//! Files that look like photographs to a program that stores bytes: a header, then noise.

use std::io::{self, Write};

use crate::cli::demo::random::Random;

const SEED: u64 = 3;
const START: &[u8] = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00";
const END: &[u8] = b"\xff\xd9";
const CLASSES: u64 = 20;

/// Returns where an image lies, with `/`.
pub(super) fn name(image: u64) -> String {
    format!("class-{:02}/img-{image:05}.jpg", image % CLASSES)
}

/// Writes an image of 4 to 30 KB.
pub(super) fn write(image: u64, out: &mut impl Write) -> io::Result<()> {
    let mut random = Random::new(SEED, image);
    let length = 4_000 + random.below(26_000);
    let mut noise = vec![0; usize::try_from(length).unwrap_or(4_000)];
    random.fill(&mut noise);
    out.write_all(START)?;
    out.write_all(&noise)?;
    out.write_all(END)
}
