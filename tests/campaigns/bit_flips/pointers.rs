//! Every byte of pointers: refused, or another pointer, of which Git's own hash tells that it is.

use haul::pointer::Pointer;

use super::{MASKS, fixtures, flipped};
use crate::figures::Figures;

pub(super) fn run(figures: &mut Figures) {
    let (mut flips, mut refused) = (0_u64, 0_u64);
    for (name, mut bytes) in fixtures("pointer", ".haul") {
        let sound = Pointer::parse(&bytes).expect("is sound");
        for at in 0..bytes.len() {
            for mask in MASKS {
                flips += 1;
                match flipped(&mut bytes, (at, mask), Pointer::parse) {
                    None => figures.miss(format!("{name}, byte {at} ^ {mask:#04x}: panic")),
                    Some(Ok(other)) if other == sound => {
                        figures.miss(format!("{name}, byte {at} ^ {mask:#04x}: not noticed"));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) => refused += 1,
                }
            }
        }
    }
    figures.row("pointers: flips", flips);
    figures.row("pointers: refused", refused);
    figures.row("pointers: another pointer", flips - refused);
}
