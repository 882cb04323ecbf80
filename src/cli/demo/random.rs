//! Numbers that look random and are the same on every machine.

/// `SplitMix64`: small, quick, and good enough to defeat every compressor.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// Starts the sequence of a seed and a position, such as a row, independent of all others.
    pub(super) fn new(seed: u64, position: u64) -> Self {
        let mut mixed = Self(seed ^ position.wrapping_mul(0xd605_1d0b_84f9_a84d));
        Self(mixed.next())
    }

    /// Returns the next 64 bits.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number below `end`; 0 if `end` is 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or(0)
    }

    /// Returns one of the words.
    pub(super) fn pick(&mut self, words: &'static [&'static str]) -> &'static str {
        let place = self.below(u64::try_from(words.len()).unwrap_or(0));
        usize::try_from(place).ok().and_then(|place| words.get(place)).copied().unwrap_or("")
    }

    /// Returns a number around 0 with a spread of about 1, all 24 bits of its fraction in use.
    pub(super) fn normal(&mut self) -> f32 {
        let [a, b, c, d] = split(self.next());
        let [fine, ..] = split(self.next());
        (a + b + c + d - 131_070.0 + fine / 65_536.0) / 37_837.0
    }

    /// Fills a buffer.
    pub(super) fn fill(&mut self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(8) {
            for (to, from) in part.iter_mut().zip(self.next().to_le_bytes()) {
                *to = from;
            }
        }
    }
}

/// Splits 64 bits into four numbers of 16.
fn split(bits: u64) -> [f32; 4] {
    [0, 16, 32, 48].map(|shift| f32::from(u16::try_from(bits >> shift & 0xffff).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_never_changes() {
        let mut random = Random(1);
        assert_eq!(random.next(), 0x910a_2dec_8902_5cc1);
    }

    #[test]
    fn normal_numbers_lie_around_zero_with_a_spread_of_one() {
        let mut random = Random::new(1, 0);
        let values: Vec<f64> = (0..20_000).map(|_| f64::from(random.normal())).collect();
        let mean = values.iter().sum::<f64>() / 20_000.0;
        let spread = (values.iter().map(|v| v * v).sum::<f64>() / 20_000.0).sqrt();
        assert!(mean.abs() < 0.03 && (spread - 1.0).abs() < 0.03, "{mean} {spread}");
    }
}
