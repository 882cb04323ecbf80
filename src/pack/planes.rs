//! Bytes of equal rank brought together: what makes numbers compressible that are noise but for an
//! exponent or a few high bits.
//!
//! Knows nothing of payloads, so that a difference to a base can be split the same way.

/// How many bytes one element of the content has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    Two,
    Four,
    Eight,
}

/// The widest element in bytes.
pub(super) const WIDEST: usize = 8;

impl Width {
    pub(super) const ALL: [Self; 3] = [Self::Two, Self::Four, Self::Eight];

    /// Returns the width that a byte of a payload names.
    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|width| width.byte() == byte)
    }

    pub(super) fn byte(self) -> u8 {
        match self {
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }

    /// Returns the bytes of one element, which is also the number of planes.
    pub(super) fn bytes(self) -> usize {
        usize::from(self.byte())
    }
}

/// Moves byte `rank` of each element into a plane, which is as long as there are whole elements.
pub(super) fn extract(raw: &[u8], width: Width, rank: u32, plane: &mut [u8]) {
    // A pass for each plane, a shift and a narrowing, is what compilers turn into vector code.
    match width {
        Width::Two => narrow(raw, plane, |element| low(u16::from_le_bytes(element) >> (8 * rank))),
        Width::Four => narrow(raw, plane, |element| low(u32::from_le_bytes(element) >> (8 * rank))),
        Width::Eight => {
            narrow(raw, plane, |element| low(u64::from_le_bytes(element) >> (8 * rank)));
        }
    }
}

/// Says whether a plane is what [`extract`] makes of the elements.
pub(super) fn is_extract(raw: &[u8], width: Width, rank: u32, plane: &[u8]) -> bool {
    let same = match width {
        Width::Two => agrees(raw, plane, |element| low(u16::from_le_bytes(element) >> (8 * rank))),
        Width::Four => agrees(raw, plane, |element| low(u32::from_le_bytes(element) >> (8 * rank))),
        Width::Eight => {
            agrees(raw, plane, |element| low(u64::from_le_bytes(element) >> (8 * rank)))
        }
    };
    same && plane.len() == raw.len() / width.bytes()
}

/// Undoes [`extract`] for all planes, one behind the other: appends the elements to `raw`. The length of `planes` is a multiple of the width.
pub(super) fn join(planes: &[u8], width: Width, raw: &mut Vec<u8>) {
    let from = raw.len();
    raw.resize(from + planes.len(), 0);
    let len = planes.len() / width.bytes();
    let Some(elements) = raw.get_mut(from..).filter(|_| len > 0) else { return };
    for (plane, rank) in planes.chunks_exact(len).zip(0u32..) {
        match width {
            Width::Two => widen(plane, elements.as_chunks_mut().0, |byte, element| {
                (u16::from_le_bytes(element) | u16::from(byte) << (8 * rank)).to_le_bytes()
            }),
            Width::Four => widen(plane, elements.as_chunks_mut().0, |byte, element| {
                (u32::from_le_bytes(element) | u32::from(byte) << (8 * rank)).to_le_bytes()
            }),
            Width::Eight => widen(plane, elements.as_chunks_mut().0, |byte, element| {
                (u64::from_le_bytes(element) | u64::from(byte) << (8 * rank)).to_le_bytes()
            }),
        }
    }
}

/// Returns the lowest byte.
#[inline]
fn low(word: impl Into<u64>) -> u8 {
    let [low, ..] = word.into().to_le_bytes();
    low
}

#[inline]
fn narrow<const K: usize>(raw: &[u8], plane: &mut [u8], byte: impl Fn([u8; K]) -> u8) {
    for (to, element) in plane.iter_mut().zip(raw.as_chunks().0) {
        *to = byte(*element);
    }
}

#[inline]
fn agrees<const K: usize>(raw: &[u8], plane: &[u8], byte: impl Fn([u8; K]) -> u8) -> bool {
    // Without a way out of the loop it is vector code too.
    let both = plane.iter().zip(raw.as_chunks().0);
    both.fold(0, |differing, (is, element)| differing | (is ^ byte(*element))) == 0
}

#[inline]
fn widen<const K: usize>(
    plane: &[u8],
    elements: &mut [[u8; K]],
    add: impl Fn(u8, [u8; K]) -> [u8; K],
) {
    for (byte, element) in plane.iter().zip(elements) {
        *element = add(*byte, *element);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(raw: &[u8], width: Width) -> Vec<u8> {
        let len = raw.len() / width.bytes();
        let mut planes = vec![9; len * width.bytes()];
        for (plane, rank) in planes.chunks_exact_mut(len.max(1)).zip(0..) {
            extract(raw, width, rank, plane);
        }
        planes
    }

    #[test]
    fn plane_j_is_the_bytes_j_of_all_elements() {
        let raw: Vec<u8> = (0..19).collect();
        let two = [0, 2, 4, 6, 8, 10, 12, 14, 16, 1, 3, 5, 7, 9, 11, 13, 15, 17];
        assert_eq!(split(&raw, Width::Two), two);
        let four = [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15];
        assert_eq!(split(&raw, Width::Four), four);
        let eight = [0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15];
        assert_eq!(split(&raw, Width::Eight), eight);
        assert!(split(&raw[..7], Width::Eight).is_empty());
    }

    #[test]
    fn one_other_byte_or_another_length_is_seen() {
        let raw: Vec<u8> = (0..=255).collect();
        for width in Width::ALL {
            let planes = split(&raw, width);
            let len = raw.len() / width.bytes();
            for (plane, rank) in planes.chunks_exact(len).zip(0..) {
                assert!(is_extract(&raw, width, rank, plane));
                assert!(!is_extract(&raw, width, rank, &plane[..len - 1]));
                for at in 0..len {
                    let mut other = plane.to_vec();
                    other[at] ^= 0x10;
                    assert!(!is_extract(&raw, width, rank, &other), "{width:?} {rank} {at}");
                }
            }
        }
    }

    #[test]
    fn only_two_four_and_eight_are_widths() {
        let known: Vec<u8> = (0..=255).filter(|n| Width::from_byte(*n).is_some()).collect();
        assert_eq!(known, [2, 4, 8]);
    }

    proptest! {
        #[test]
        fn joining_undoes_splitting(raw in proptest::collection::vec(any::<u8>(), 0..300)) {
            for width in Width::ALL {
                let planes = split(&raw, width);
                let mut back = b"before".to_vec();
                join(&planes, width, &mut back);
                let whole = raw.len() / width.bytes() * width.bytes();
                prop_assert_eq!(&back[6..], &raw[..whole]);
            }
        }
    }
}
