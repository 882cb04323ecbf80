//! What an error offers the user beyond its message.

/// What the user can do next about an error; printed below it by the command line.
pub trait Hint {
    /// Returns one sentence that starts with a verb, or nothing.
    fn hint(&self) -> Option<String>;
}

/// Returns the candidate that is at most two letters away, the nearest one.
pub fn nearest(given: &str, candidates: impl IntoIterator<Item = String>) -> Option<String> {
    let near = candidates.into_iter().map(|name| (distance(given, &name), name));
    near.filter(|(steps, _)| *steps <= 2).min_by_key(|(steps, _)| *steps).map(|(_, name)| name)
}

/// Letters to insert, remove or replace. Long names are never near: bounds the work on hostile keys.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    if a.len() > 128 || b.len() > 128 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for (y, pair) in b.iter().zip(row.windows(2)) {
            let (diagonal, above) = match pair {
                [diagonal, above] => (*diagonal, *above),
                _ => (usize::MAX, usize::MAX),
            };
            let left = next.last().copied().unwrap_or(usize::MAX);
            let replaced = diagonal + usize::from(x != *y);
            next.push(replaced.min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}
