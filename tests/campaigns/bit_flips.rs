//! Bit flips: each changed byte is refused or means something else, and never goes unnoticed.

use haul::pointer::Pointer;

use crate::args::Args;
use crate::figures::Figures;

/// The bits that are changed: one at a time, and all at once.
const MASKS: [u8; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 255];

/// Runs the campaign.
pub(crate) fn run(_: &Args) -> Figures {
    let mut figures = Figures::default();
    pointers(&mut figures);
    figures
}

/// Every byte of pointers: refused, or another pointer. Git's own hash tells that it is another.
fn pointers(figures: &mut Figures) {
    let oid = "b3:2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213";
    let root = "1b2f0c3a4d5e6f708192a3b4c5d6e7f80a1b2c3d4e5f60718293a4b5c6d7e8f9";
    let pointers = [
        format!("haul 1\nkind file\noid {oid}\nsize 1\n"),
        format!("haul 1\nkind file\nmode exec\noid {oid}\nroot m64.1:{root}\nsize 123456789\n"),
        format!("haul 1\nkind dir\nfiles 1048576\nroot p1:{root}\nsize 98765432100\n"),
    ];
    let (mut flips, mut refused) = (0_u64, 0_u64);
    for text in &pointers {
        let sound = Pointer::parse(text.as_bytes()).expect("is sound");
        for at in 0..text.len() {
            for mask in MASKS {
                let mut bytes = text.clone().into_bytes();
                *bytes.get_mut(at).expect("is that long") ^= mask;
                flips += 1;
                match Pointer::parse(&bytes) {
                    Ok(other) if other == sound => {
                        figures
                            .miss(format!("pointer `{text}`, byte {at} ^ {mask:#04x}: the same"));
                    }
                    Ok(_) => {}
                    Err(_) => refused += 1,
                }
            }
        }
    }
    figures.row("pointer: flips", flips);
    figures.row("pointer: refused", refused);
    figures.row("pointer: another pointer", flips - refused);
}
