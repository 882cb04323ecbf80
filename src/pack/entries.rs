//! Finding columns that have few different fields, or numbers that grow.

use super::decimal;
use super::fields::SLACK;

/// Most different fields of such a column.
const MOST: usize = 128;
/// The longest of these fields, in bytes.
const LONGEST: usize = SLACK;
/// The entries may take one byte in this many of the fields.
const SHARE: usize = 4;
const SLOTS: usize = 512;

/// The different fields of a column, and for each row which of them it has.
#[derive(Default)]
pub(super) struct Entries {
    found: Vec<(u128, u8)>,
    /// The number of an entry plus one, where its hash leads or behind it.
    slots: Vec<u8>,
    numbers: Vec<u8>,
}

impl Entries {
    /// Looks for the entries of the fields that lie at the front of `fields`, which has slack behind
    /// them; false if they are too many or too long to pay.
    pub(super) fn find(&mut self, fields: &[u8], lens: &[u8], total: usize) -> bool {
        self.found.clear();
        self.numbers.clear();
        self.slots.clear();
        self.slots.resize(SLOTS, 0);
        let mut rest = fields;
        let mut left = total / SHARE;
        for len in lens {
            let Some(start) = rest.first_chunk::<LONGEST>() else { return false };
            let size = usize::from(*len);
            if size > LONGEST {
                return false;
            }
            let field = u128::from_le_bytes(*start) & first_bytes(*len);
            let Some((number, is_new)) = self.number(field, *len) else { return false };
            if is_new {
                let Some(less) = left.checked_sub(size + 1) else { return false };
                left = less;
            }
            self.numbers.push(number);
            rest = rest.get(size..).unwrap_or_default();
        }
        true
    }

    /// Fills the numbers with how much each field is above the one before; returns the first field.
    /// Nothing if one is no decimal number in its shortest form, or is not from 0 to 255 above.
    pub(super) fn find_steps(&mut self, fields: &[u8], lens: &[u8]) -> Option<u64> {
        self.numbers.clear();
        let mut rest = fields;
        let mut before = None;
        for len in lens {
            let number = decimal::parse(rest, *len)?;
            let step = number.checked_sub(before.unwrap_or(number))?;
            self.numbers.push(u8::try_from(step).ok()?);
            before = Some(number);
            rest = rest.get(usize::from(*len)..)?;
        }
        let grown: u64 = self.numbers.iter().map(|step| u64::from(*step)).sum();
        before?.checked_sub(grown)
    }

    /// Returns the number of an entry, and whether it is new; nothing if there are too many.
    fn number(&mut self, field: u128, len: u8) -> Option<(u8, bool)> {
        let [low, high] = decimal::halves(field);
        let mixed =
            (low ^ high.rotate_left(29) ^ u64::from(len)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut slot = usize::try_from(mixed >> 55).ok()?;
        loop {
            let number = self.slots.get_mut(slot)?;
            match number.checked_sub(1) {
                None => {
                    if self.found.len() >= MOST {
                        return None;
                    }
                    self.found.push((field, len));
                    *number = u8::try_from(self.found.len()).ok()?;
                    return Some((*number - 1, true));
                }
                Some(known) if self.found.get(usize::from(known)) == Some(&(field, len)) => {
                    return Some((known, false));
                }
                Some(_) => slot = (slot + 1) % SLOTS,
            }
        }
    }

    /// Returns which entry each row has.
    pub(super) fn numbers(&self) -> &[u8] {
        &self.numbers
    }

    /// Appends the entries: how many but one, then length and bytes of each.
    pub(super) fn write(&self, out: &mut Vec<u8>) -> Option<()> {
        out.push(u8::try_from(self.found.len().checked_sub(1)?).ok()?);
        for (field, len) in &self.found {
            out.push(*len);
            out.extend_from_slice(field.to_le_bytes().get(..usize::from(*len))?);
        }
        Some(())
    }
}

/// Returns the bits of the first bytes.
fn first_bytes(len: u8) -> u128 {
    u128::MAX.checked_shr(128 - 8 * u32::from(len)).unwrap_or_default()
}
