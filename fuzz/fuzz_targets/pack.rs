//! Header and footer of a pack that are accepted have one encoding, and name only bytes of the pack.
#![no_main]

use haul::hash::{Digest, PackId};
use haul::pack::{Codecs, Footer, HEADER_LEN, Header, TRAILER_LEN, decode_frame, verify_pack};
use libfuzzer_sys::fuzz_target;
use std::io::Cursor;

fuzz_target!(|input: &[u8]| {
    let mut pack = input.to_vec();
    let Some(head) = pack.first_chunk::<{ HEADER_LEN as usize }>() else { return };
    let Ok(header) = Header::parse(head) else { return };
    assert_eq!(header.encode(), *head);
    let Some(tail) = seal(&mut pack) else { return };
    let size = pack.len() as u64;
    let tail = &pack[pack.len() - tail..];
    let Ok(footer) = Footer::parse(header.kind, tail, size) else { return };
    assert_eq!(footer.encode(), tail);
    let mut codecs = Codecs::new();
    for frame in &footer.frames {
        let (from, len) = (frame.offset as usize, frame.frame_len as usize);
        let bytes = &pack[from..from + len];
        drop(decode_frame(&mut codecs, header.kind, bytes));
    }
    let id = PackId::from_digest(Digest::of(&pack));
    if let Ok(summary) = verify_pack(&mut codecs, id, Cursor::new(&pack), size, |_| None) {
        assert_eq!(summary.id, id);
        assert_eq!(summary.objects, footer.objects);
    }
});

/// Puts the right hash into the trailer, which no fuzzer finds, and returns the footer's length.
fn seal(pack: &mut [u8]) -> Option<usize> {
    let size = pack.len() as u64;
    let trailer = pack.last_chunk::<{ TRAILER_LEN as usize }>()?;
    let len = Footer::tail_len(trailer, size).ok()? as usize;
    let tail = pack.len().checked_sub(len)?;
    let hashed = pack.len() - 36;
    let hash = Digest::of(pack.get(tail..hashed)?);
    pack.get_mut(hashed..hashed + 32)?.copy_from_slice(&hash.0);
    Some(len)
}
