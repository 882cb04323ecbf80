//! Decimal numbers as text, eight digits at a time.

/// Digits of the largest number: what one load of a field has room for.
const MOST: usize = 16;

/// Reads the number of `len` digits at the front of `bytes`, of which [`MOST`] must be there; nothing
/// if that is not how [`Decimal`] would write it.
pub(super) fn parse(bytes: &[u8], len: u8) -> Option<u64> {
    let start = bytes.first_chunk::<MOST>()?;
    if len == 0 || usize::from(len) > MOST || (start.first() == Some(&b'0') && len > 1) {
        return None;
    }
    let word = |at: usize| start.get(at..)?.first_chunk().map(|word| u64::from_le_bytes(*word));
    match len.checked_sub(8).filter(|more| *more > 0) {
        None => digits(word(0)?, len),
        Some(more) => Some(digits(word(0)?, more)? * 100_000_000 + digits(word(more.into())?, 8)?),
    }
}

/// The value of the first bytes of a word, one to eight of them; nothing if one is no digit.
fn digits(word: u64, len: u8) -> Option<u64> {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    const HIGH: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    const SIX: u64 = 0x0606_0606_0606_0606;
    let missing = 64 - 8 * u32::from(len);
    let digits = word << missing | (ZEROS & ((1 << missing) - 1));
    // Six more than a nine would reach the high bits.
    let are = digits & HIGH == ZEROS && digits.wrapping_add(SIX) & HIGH == ZEROS;
    are.then(|| eight(digits))
}

/// Cuts 16 bytes into two words, the lower one first.
pub(super) fn halves(bytes: u128) -> [u64; 2] {
    let word =
        |shift: u32| u64::try_from(bytes >> shift & u128::from(u64::MAX)).unwrap_or_default();
    [word(0), word(64)]
}

/// The value of eight digits, the first in the lowest byte.
fn eight(digits: u64) -> u64 {
    let pairs = (digits & 0x0f0f_0f0f_0f0f_0f0f).wrapping_mul(10 << 8 | 1) >> 8;
    let fours = (pairs & 0x00ff_00ff_00ff_00ff).wrapping_mul(100 << 16 | 1) >> 16;
    (fours & 0x0000_ffff_0000_ffff).wrapping_mul(10_000 << 32 | 1) >> 32
}

/// A number that is kept as its text.
pub(super) struct Decimal {
    /// The digits, the first one in the lowest byte; zeros in place of the bytes behind them.
    text: u128,
    len: u8,
}

impl Decimal {
    /// Takes a number; nothing if it has too many digits.
    pub(super) fn new(mut number: u64) -> Option<Self> {
        let (mut text, mut len) = (0, 0);
        loop {
            text = text << 8 | u128::from(b'0') | u128::from(number % 10);
            len += 1;
            number /= 10;
            if number == 0 {
                return (usize::from(len) <= MOST).then_some(Self { text, len });
            }
        }
    }

    /// Adds a step; nothing if the sum has too many digits.
    pub(super) fn add(&mut self, step: u8) -> Option<()> {
        if step < 10 && self.add_in_place(step).is_some() {
            return Some(());
        }
        let number = parse(&self.text.to_le_bytes(), self.len)?;
        *self = Self::new(number + u64::from(step))?;
        Some(())
    }

    /// Adds less than ten; nothing if that takes one digit more.
    fn add_in_place(&mut self, step: u8) -> Option<()> {
        let mut place = 8 * u32::from(self.len - 1);
        // Digits end below 0x3a, so nothing carries out of a byte before it is looked at.
        let mut text = self.text + (u128::from(step) << place);
        while (text >> place) & 0xff > u128::from(b'9') {
            text -= 10 << place;
            place = place.checked_sub(8)?;
            text += 1 << place;
        }
        self.text = text;
        Some(())
    }

    /// Returns the digits as text, at the front, and how many they are.
    pub(super) fn digits(&self) -> ([u8; MOST], u8) {
        (self.text.to_le_bytes(), self.len)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn padded(text: &str) -> Vec<u8> {
        [text.as_bytes(), &[b'7'; MOST]].concat()
    }

    #[test]
    fn what_is_no_number_in_its_shortest_form_is_not_read() {
        for text in ["", "00", "01", "-1", "1.5", "1e5", "a", "12:4", "12/4", "12345678901234567"] {
            let len = u8::try_from(text.len()).unwrap();
            assert_eq!(parse(&padded(text), len), None, "{text}");
        }
        assert_eq!(parse(b"12345", 5), None, "a load reads more than the digits");
    }

    #[test]
    fn the_largest_number_cannot_grow() {
        assert!(Decimal::new(10_000_000_000_000_000).is_none());
        let mut largest = Decimal::new(9_999_999_999_999_998).unwrap();
        assert_eq!(largest.add(1), Some(()));
        assert_eq!(largest.digits(), ([b'9'; MOST], 16));
        assert_eq!(largest.add(1), None);
        assert_eq!(largest.add(255), None);
    }

    proptest! {
        #[test]
        fn numbers_read_and_grow_as_they_are_written(
            number in 0u64..9_999_999_999_999_000, digits in 1u32..16, steps in proptest::collection::vec(any::<u8>(), 0..40)
        ) {
            let mut number = number % 10u64.pow(digits);
            let mut decimal = Decimal::new(number).unwrap();
            for step in steps {
                number += u64::from(step);
                decimal.add(step).unwrap();
                let (text, len) = decimal.digits();
                let expected = number.to_string();
                prop_assert_eq!(&text[..usize::from(len)], expected.as_bytes());
                prop_assert_eq!(parse(&padded(&expected), len), Some(number));
            }
        }
    }
}
