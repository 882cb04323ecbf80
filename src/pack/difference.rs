//! Bytes and numbers as their difference to those of a base, and back.
//!
//! Both ways keep the length. Where the base is too short it counts as zero.

/// What stands before the first whole number of a chunk, and how wide the numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numbers {
    /// Bytes of one number: 2, 4 or 8.
    pub(super) width: usize,
    /// Bytes before the first number; less than `width`.
    pub(super) phase: usize,
}

/// Replaces each byte by its exclusive or with that of the base; doing it again undoes it.
pub(super) fn exclusive_or(bytes: &mut [u8], base: &[u8]) {
    for (byte, base) in bytes.iter_mut().zip(base) {
        *byte ^= base;
    }
}

/// Replaces each number by its difference to that of the base, wrapping, small ones of either sign
/// as small numbers. Bytes before the first number and behind the last one stay.
pub(super) fn subtract(bytes: &mut [u8], base: &[u8], numbers: Numbers) {
    each(bytes, base, numbers, Step::Subtract);
}

/// Undoes [`subtract`].
pub(super) fn add(bytes: &mut [u8], base: &[u8], numbers: Numbers) {
    each(bytes, base, numbers, Step::Add);
}

#[derive(Clone, Copy)]
enum Step {
    Subtract,
    Add,
}

fn each(bytes: &mut [u8], base: &[u8], Numbers { width, phase }: Numbers, step: Step) {
    let bytes = bytes.get_mut(phase..).unwrap_or_default();
    let base = base.get(phase..).unwrap_or_default();
    match (width, step) {
        (2, Step::Subtract) => run(bytes, base, |n, b| zigzag16(u16::from_le_bytes(n), b)),
        (2, Step::Add) => run(bytes, base, |n, b| unzigzag16(u16::from_le_bytes(n), b)),
        (4, Step::Subtract) => run(bytes, base, |n, b| zigzag32(u32::from_le_bytes(n), b)),
        (4, Step::Add) => run(bytes, base, |n, b| unzigzag32(u32::from_le_bytes(n), b)),
        (8, Step::Subtract) => run(bytes, base, |n, b| zigzag64(u64::from_le_bytes(n), b)),
        (8, Step::Add) => run(bytes, base, |n, b| unzigzag64(u64::from_le_bytes(n), b)),
        _ => {}
    }
}

fn run<const K: usize>(bytes: &mut [u8], base: &[u8], act: impl Fn([u8; K], [u8; K]) -> [u8; K]) {
    let bytes = bytes.as_chunks_mut::<K>().0;
    let base = base.as_chunks::<K>().0;
    let (with, without) = bytes.split_at_mut(base.len().min(bytes.len()));
    for (number, base) in with.iter_mut().zip(base) {
        *number = act(*number, *base);
    }
    for number in without {
        *number = act(*number, [0; K]);
    }
}

macro_rules! zigzag {
    ($there:ident, $back:ident, $unsigned:ty, $k:literal) => {
        fn $there(n: $unsigned, base: [u8; $k]) -> [u8; $k] {
            let d = n.wrapping_sub(<$unsigned>::from_le_bytes(base));
            let sign = (d >> ($k * 8 - 1)).wrapping_neg();
            ((d << 1) ^ sign).to_le_bytes()
        }

        fn $back(z: $unsigned, base: [u8; $k]) -> [u8; $k] {
            let d = (z >> 1) ^ (z & 1).wrapping_neg();
            d.wrapping_add(<$unsigned>::from_le_bytes(base)).to_le_bytes()
        }
    };
}

zigzag!(zigzag16, unzigzag16, u16, 2);
zigzag!(zigzag32, unzigzag32, u32, 4);
zigzag!(zigzag64, unzigzag64, u64, 8);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_taken_off_comes_back(
            bytes in proptest::collection::vec(any::<u8>(), 0..100),
            base in proptest::collection::vec(any::<u8>(), 0..100),
            phase in 0_usize..8,
        ) {
            let mut changed = bytes.clone();
            exclusive_or(&mut changed, &base);
            exclusive_or(&mut changed, &base);
            prop_assert_eq!(&changed, &bytes);
            for width in [2, 4, 8] {
                let numbers = Numbers { width, phase: phase % width };
                subtract(&mut changed, &base, numbers);
                prop_assert_eq!(&changed[..numbers.phase.min(bytes.len())],
                    &bytes[..numbers.phase.min(bytes.len())]);
                add(&mut changed, &base, numbers);
                prop_assert_eq!(&changed, &bytes);
            }
        }
    }

    #[test]
    fn small_steps_of_either_sign_become_small_numbers() {
        let numbers = Numbers { width: 4, phase: 1 };
        let mut bytes = [&[9][..], &7_u32.to_le_bytes(), &u32::MAX.to_le_bytes(), &[1]].concat();
        let base = [&[5][..], &9_u32.to_le_bytes()].concat();
        subtract(&mut bytes, &base, numbers);
        assert_eq!(bytes, [&[9][..], &3_u32.to_le_bytes(), &1_u32.to_le_bytes(), &[1]].concat());
    }
}
