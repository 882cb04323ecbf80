//! Decimal numbers as text, eight digits at a time.

/// Digits of the largest number: what one load of a field has room for.
const MOST: usize = 16;
/// One more than the largest number.
const LIMIT: u64 = 10_000_000_000_000_000;
const ZEROS: u128 = 0x3030_3030_3030_3030_3030_3030_3030_3030;

/// Reads the number of `len` digits at the front of `bytes`, of which [`MOST`] must be there; nothing
/// if that is not how [`Decimal`] would write it.
pub(super) fn parse(bytes: &[u8], len: u8) -> Option<u64> {
    let start = bytes.first_chunk::<MOST>()?;
    if len == 0 || usize::from(len) > MOST || (start.first() == Some(&b'0') && len > 1) {
        return None;
    }
    let missing = 128 - 8 * u32::from(len);
    let digits = u128::from_le_bytes(*start) << missing | (ZEROS & ((1 << missing) - 1));
    let high = u128::from_le_bytes([0xf0; MOST]);
    let above_nine = digits.wrapping_add(u128::from_le_bytes([6; MOST]));
    if digits & high != ZEROS || above_nine & high != ZEROS {
        return None;
    }
    let [low, high] = [digits, digits >> 64].map(|half| eight((half & u128::from(u64::MAX)) as u64));
    Some(low * 100_000_000 + high)
}

/// The value of eight digits, the first in the lowest byte.
fn eight(digits: u64) -> u64 {
    let pairs = (digits & 0x0f0f_0f0f_0f0f_0f0f).wrapping_mul(10 << 8 | 1) >> 8;
    let fours = (pairs & 0x00ff_00ff_00ff_00ff).wrapping_mul(100 << 16 | 1) >> 16;
    (fours & 0x0000_ffff_0000_ffff).wrapping_mul(10_000 << 32 | 1) >> 32
}

/// A number that is kept as its digits.
pub(super) struct Decimal {
    /// Each from 0 to 9, the last one of the number first.
    digits: [u8; MOST],
    len: u8,
}

impl Decimal {
    /// Takes a number; nothing if it has too many digits.
    pub(super) fn new(mut number: u64) -> Option<Self> {
        let mut decimal = Self { digits: [0; MOST], len: 1 };
        if number >= LIMIT {
            return None;
        }
        for (digit, len) in decimal.digits.iter_mut().zip(1..) {
            *digit = u8::try_from(number % 10).ok()?;
            if *digit > 0 {
                decimal.len = len;
            }
            number /= 10;
        }
        Some(decimal)
    }

    /// Adds a step; nothing if the sum has too many digits.
    pub(super) fn add(&mut self, step: u8) -> Option<()> {
        let mut carry = u16::from(step);
        for (digit, len) in self.digits.iter_mut().zip(1..) {
            if carry == 0 {
                return Some(());
            }
            let sum = u16::from(*digit) + carry;
            *digit = u8::try_from(sum % 10).ok()?;
            carry = sum / 10;
            self.len = self.len.max(len);
        }
        (carry == 0).then_some(())
    }

    /// Returns the digits as text, at the front, and how many they are.
    pub(super) fn digits(&self) -> ([u8; MOST], u8) {
        let missing = 128 - 8 * u32::from(self.len);
        let text = (u128::from_be_bytes(self.digits) | ZEROS) >> missing;
        (text.to_le_bytes(), self.len)
    }
}
