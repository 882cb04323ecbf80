//! The moments at which Git calls haul.

/// A moment at which Git runs a program, if there is one of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before a commit is made; may refuse it.
    PreCommit,
    /// Before refs of a Git remote move; may refuse it.
    PrePush,
    /// After `HEAD` or files changed by `git checkout`, `git switch` or `git worktree add`.
    PostCheckout,
    /// After a merge, or a pull that merged.
    PostMerge,
    /// After a rebase or an amended commit.
    PostRewrite,
}

impl Moment {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::PreCommit, Self::PrePush, Self::PostCheckout, Self::PostMerge, Self::PostRewrite];

    /// Returns Git's name for it, which is that of the program too.
    pub fn name(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::PrePush => "pre-push",
            Self::PostCheckout => "post-checkout",
            Self::PostMerge => "post-merge",
            Self::PostRewrite => "post-rewrite",
        }
    }

    /// Finds the moment of a name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|moment| moment.name() == name)
    }

    /// Says whether Git tells it something on its standard input.
    pub fn has_input(self) -> bool {
        match self {
            Self::PrePush | Self::PostRewrite => true,
            Self::PreCommit | Self::PostCheckout | Self::PostMerge => false,
        }
    }

    /// Says whether a failure stops what Git is about to do.
    pub fn may_refuse(self) -> bool {
        match self {
            Self::PreCommit | Self::PrePush => true,
            Self::PostCheckout | Self::PostMerge | Self::PostRewrite => false,
        }
    }
}
