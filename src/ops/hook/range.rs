//! What Git says of the refs that a push is to move.

use crate::git::ObjectId;
use crate::ops::error::OpError;
use crate::path::show;

/// A ref of a Git remote that is to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Where it is to point; nothing if it is deleted.
    pub to: Option<ObjectId>,
    /// Where it points now, as Git has just heard from the remote; nothing if it is new.
    pub from: Option<ObjectId>,
}

impl Moved {
    /// Reads lines of `local ref, local id, remote ref, remote id`.
    pub fn parse_all(input: &[u8]) -> Result<Vec<Self>, OpError> {
        let lines = input.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines
            .map(|line| {
                Self::parse(line).ok_or_else(|| {
                    OpError::refused(
                        format!(
                            "Git said `{}` about a ref, which is no ref that moves",
                            show(line)
                        ),
                        "let Git call this command, in a `pre-push` hook",
                    )
                })
            })
            .collect()
    }

    fn parse(line: &[u8]) -> Option<Self> {
        // The local side may be an expression with blanks, such as `HEAD@{1 day ago}`.
        let mut words = line.rsplit(|byte| *byte == b' ');
        let from = ObjectId::from_hex(words.next()?)?;
        let _remote_ref = words.next()?;
        let to = ObjectId::from_hex(words.next()?)?;
        words.next()?;
        let there = |id: ObjectId| (!id.is_zero()).then_some(id);
        Some(Self { to: there(to), from: there(from) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "1111111111111111111111111111111111111111";
    const NONE: &str = "0000000000000000000000000000000000000000";

    #[test]
    fn lines_of_git_are_read_and_anything_else_is_refused() {
        let id = ObjectId::from_hex(ONE.as_bytes());
        let text =
            format!("refs/heads/a {ONE} refs/heads/a {NONE}\n(delete) {NONE} refs/heads/b {ONE}\n");
        let moved = Moved::parse_all(text.as_bytes()).unwrap();
        assert_eq!(moved, [Moved { to: id, from: None }, Moved { to: None, from: id }]);
        let text = format!("HEAD@{{1 day ago}} {ONE} refs/heads/a {NONE}\n");
        assert_eq!(Moved::parse_all(text.as_bytes()).unwrap().len(), 1);
        assert!(Moved::parse_all(b"").unwrap().is_empty());
        for bad in ["x", "a b c d", &format!("{ONE} refs/heads/a {ONE}")] {
            assert!(Moved::parse_all(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
