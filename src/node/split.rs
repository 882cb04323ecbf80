//! Where a row of entries is cut into nodes.
//!
//! Every entry has a weight that depends on nothing but itself and the level. A node ends behind
//! the lightest of its entries number 128 to 384; so a cut depends only on what follows the start
//! of its node, and rows that differ in one place soon agree on their cuts again.

/// Fewest entries of a node that is not the last of its level.
pub const MIN_ENTRIES: usize = 128;

/// Most entries of a node.
pub const MAX_ENTRIES: usize = 384;

/// Computes the weight of an entry from its key (manifest) or id (recipe).
pub fn weight(level: u8, input: &[u8]) -> u64 {
    let mut bytes = Vec::with_capacity(1 + input.len());
    bytes.push(level);
    bytes.extend_from_slice(input);
    let hash = blake3::hash(&bytes);
    u64::from_le_bytes(*hash.as_bytes().first_chunk::<8>().unwrap_or(&[0; 8]))
}

/// Returns how many entries the first node takes, given the weights of all that are left. Only
/// the first 385 are looked at.
pub fn cut_after(weights: impl IntoIterator<Item = u64>) -> usize {
    let mut best = (0, u64::MAX);
    let mut seen = 0;
    for weight in weights {
        seen += 1;
        if seen > MAX_ENTRIES {
            return best.0;
        }
        if seen >= MIN_ENTRIES && (best.0 == 0 || weight < best.1) {
            best = (seen, weight);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up_to_384_entries_are_one_node() {
        assert_eq!(cut_after([7; 0]), 0);
        assert_eq!(cut_after([7; 128]), 128);
        assert_eq!(cut_after(vec![7; 384]), 384);
    }

    #[test]
    fn the_first_of_the_lightest_ends_the_node() {
        assert_eq!(cut_after(vec![7; 385]), 128);
        assert_eq!(cut_after(vec![u64::MAX; 385]), 128);
        let light =
            |at: &[usize]| (1..=400).map(|i| u64::from(!at.contains(&i))).collect::<Vec<_>>();
        assert_eq!(cut_after(light(&[200, 300])), 200);
        assert_eq!(cut_after(light(&[127, 384, 385])), 384);
        assert_eq!(cut_after(light(&[127, 385])), 128);
    }
}
