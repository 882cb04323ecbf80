//! Every byte of catalogue objects: damaged, and never "a newer haul is needed".

use haul::catalogue::{CatalogueError, Name, Object};
use haul::hash::{CatalogueId, Digest};

use super::{MASKS, fixtures, flipped};
use crate::figures::Figures;

pub(super) fn run(figures: &mut Figures) {
    let mut flips = 0_u64;
    for (file, mut bytes) in fixtures("catalogue", ".bin") {
        let object = Object::parse(&bytes).expect("is sound");
        let name = Name {
            kind: object.kind,
            generation: object.generation,
            locs: u32::try_from(object.locs.len()).expect("are few"),
            id: CatalogueId::from_digest(Digest::of(&bytes)),
        };
        for at in 0..bytes.len() {
            for mask in MASKS {
                flips += 1;
                let case = format!("{file}, byte {at} ^ {mask:#04x}");
                match flipped(&mut bytes, (at, mask), |bytes| Object::parse_named(&name, bytes)) {
                    None => figures.miss(format!("{case}: panic")),
                    Some(Ok(_)) => figures.miss(format!("{case}: not noticed")),
                    Some(Err(e)) if !CatalogueError::from(e.clone()).is_damage() => {
                        figures.miss(format!("{case}: not called damage: {e}"));
                    }
                    Some(Err(_)) => {}
                }
            }
        }
    }
    figures.row("catalogue objects: flips", flips);
}
