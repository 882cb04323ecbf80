//! Paths inside a repository: which names may ever reach a worktree, how names collide on other
//! file systems, and how untrusted names are printed. Knows nothing of Git, trees or files on disk.

mod collide;
mod hostile;
#[cfg(test)]
#[path = "../../tests/support/hostile.rs"]
pub(crate) mod hostile_cases;
mod ignore_line;
mod quote;
mod repo_path;
mod short_name;
mod show;
#[cfg(test)]
mod tests;

pub use collide::{Collision, CollisionKind, find_collisions};
pub use hostile::PathProblem;
pub use ignore_line::{IgnoreLineError, gitignore_line};
pub use quote::{for_git, in_shell};
pub use repo_path::{PathError, RepoPath};
pub use show::{JsonPath, Shown, escape_json, json_path, show};
