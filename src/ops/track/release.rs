//! Taking patterns back: the lines go, the files stay.

use crate::ops::checkout::is_unfilled;
use crate::ops::error::OpError;
use crate::ops::init::write;
use crate::ops::track::attributes::{FILE, Rule, pattern_of, read, rules, without};
use crate::path::{RepoPath, show};
use crate::repo::Repo;
use crate::worktree::{TrackedState, load_in_place};
use std::ffi::OsString;

/// Splits words into the lines of patterns that they name, and the rest.
pub(crate) fn named_rules(
    repo: &Repo,
    words: &[OsString],
) -> Result<(Vec<Rule>, Vec<OsString>), OpError> {
    let all = rules(repo)?;
    let (mut named, mut rest): (Vec<Rule>, Vec<OsString>) = (Vec::new(), Vec::new());
    for word in words {
        let own = pattern_of(repo, word).ok();
        let means = |rule: &&Rule| {
            rule.pattern == word.as_encoded_bytes() || Some(&rule.pattern) == own.as_ref()
        };
        let before = named.len();
        named.extend(all.iter().filter(means).cloned());
        if named.len() == before {
            rest.push(word.clone());
        }
    }
    Ok((named, rest))
}

/// Removes the lines and stages that; returns the paths that Git no longer hands over, of which it holds
/// pointers for now. Refuses if one of them has no content here.
pub(crate) fn release(repo: &Repo, gone: &[Rule]) -> Result<Vec<RepoPath>, OpError> {
    if gone.is_empty() {
        return Ok(Vec::new());
    }
    let (held, _) = load_in_place(repo.git())?;
    let old = read(repo)?;
    write(repo, FILE, &without(&old, gone))?;
    let left = repo.git().is_filtered(held.iter().map(|item| item.path.as_bytes()), None)?;
    let mut released = Vec::new();
    for item in held {
        if left.contains(item.path.as_bytes()) {
            continue;
        }
        if let TrackedState::Sound(_, bytes) = &item.state
            && is_unfilled(repo, &item.path, bytes)?
        {
            write(repo, FILE, &old)?;
            return Err(OpError::refused(
                format!(
                    "nothing was changed: `{}` holds its pointer, and its content is not here",
                    show(item.path.as_bytes())
                ),
                "run `haul pull` first",
            ));
        }
        released.push(item.path);
    }
    repo.git().stage(&[FILE.as_bytes()])?;
    Ok(released)
}
