//! The order of keys: strictly rising, and none a directory of another.

use super::NodeError;
use super::error::shown;

/// Checks a stream of keys one by one, across node borders if it is kept.
///
/// Holds the last key and the lengths of those earlier keys that are byte prefixes of it. A new
/// key can only lie below one of these, and of those that stay prefixes only the longest needs a
/// look: for the others the longest was checked when it came. So a key costs its own length.
#[derive(Clone, Debug, Default)]
pub struct KeyOrder {
    last: Vec<u8>,
    prefixes: Vec<usize>,
}

impl KeyOrder {
    /// Starts before the first key.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next key, or refuses it.
    pub fn push(&mut self, key: &[u8]) -> Result<(), NodeError> {
        let shared = self.last.iter().zip(key).take_while(|(a, b)| a == b).count();
        let rises = match (self.last.get(shared), key.get(shared)) {
            (Some(last), Some(next)) => last < next,
            (None, Some(_)) => true,
            (_, None) => false,
        };
        if !rises {
            return Err(NodeError::Order { key: shown(key) });
        }
        while self.prefixes.last().is_some_and(|&len| len > shared) {
            self.prefixes.pop();
        }
        if let Some(&len) = self.prefixes.last()
            && let Some((file, [b'/', ..])) = key.split_at_checked(len)
        {
            return Err(NodeError::Nested { file: shown(file), below: shown(key) });
        }
        self.prefixes.push(key.len());
        self.last.truncate(shared);
        self.last.extend_from_slice(key.get(shared..).unwrap_or_default());
        Ok(())
    }
}

/// Says whether all keys above `floor` up to `last` lie in one and the same folder directly below `top`.
pub fn in_one_folder(top: &[u8], floor: Option<&[u8]>, last: &[u8]) -> bool {
    floor.and_then(|floor| folder_below(top, floor)).is_some_and(|folder| last.starts_with(folder))
}

/// Returns the path, with its slash, of the folder directly below `top` that a key lies in.
fn folder_below<'k>(top: &[u8], key: &'k [u8]) -> Option<&'k [u8]> {
    let start = if top.is_empty() { 0 } else { top.len() + 1 };
    let below = key.strip_prefix(top)?.get(start - top.len()..)?;
    if start > 0 && key.get(start - 1) != Some(&b'/') {
        return None;
    }
    let slash = below.iter().position(|byte| *byte == b'/')?;
    key.get(..=start + slash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(keys: &[Vec<u8>]) -> bool {
        let mut order = KeyOrder::new();
        keys.iter().all(|key| order.push(key).is_ok())
    }

    #[test]
    fn keys_between_two_of_one_folder_lie_in_it() {
        let one = |top: &str, floor: Option<&str>, last: &str| {
            in_one_folder(top.as_bytes(), floor.map(str::as_bytes), last.as_bytes())
        };
        assert!(one("", Some("a/1"), "a/2") && one("", Some("a/1/x"), "a/2/y"));
        assert!(one("t", Some("t/a/1"), "t/a/2") && !one("t/a", Some("t/a/1"), "t/a/2"));
        assert!(!one("", Some("a/1"), "b/1") && !one("", Some("a"), "b") && !one("", None, "a/2"));
        assert!(!one("t", Some("ta/x/1"), "ta/x/2") && !one("t", Some("a/1"), "t/a/2"));
        assert!(!one("", Some("a"), "a/2") && !one("", Some("a/9"), "a0"));
    }

    #[test]
    fn a_file_beside_a_path_below_it_is_found_over_other_keys_between() {
        let keys = |list: &[&str]| list.iter().map(|k| k.as_bytes().to_vec()).collect::<Vec<_>>();
        assert!(!check(&keys(&["a", "a/b"])));
        assert!(!check(&keys(&["a", "a-", "a-b", "a.", "a/b"])));
        assert!(check(&keys(&["a-", "a-b", "a/b", "a0"])));
        assert!(!check(&keys(&["a/b", "a/b"])));
    }

    proptest! {
        #[test]
        fn the_stack_finds_what_comparing_all_pairs_finds(
            list in proptest::collection::btree_set("[ab/-]{1,5}", 1..12)
        ) {
            let keys: Vec<Vec<u8>> = list.into_iter().map(String::into_bytes).collect();
            let nested = keys.iter().any(|a| keys.iter().any(|b| {
                b.strip_prefix(&a[..]).is_some_and(|rest| rest.first() == Some(&b'/'))
            }));
            prop_assert_eq!(check(&keys), !nested);
        }
    }
}
