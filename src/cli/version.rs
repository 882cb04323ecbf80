//! What this build is: its version, the commit it was made from, and the formats it writes.

use std::sync::LazyLock;

/// The formats that this build writes; it reads these and all before them.
const FORMATS: &str = "pointer 1, node 1, pack 1, catalogue 1";

static VERSION: LazyLock<String> = LazyLock::new(|| {
    let commit = option_env!("HAUL_COMMIT").filter(|commit| !commit.is_empty());
    let commit = commit.unwrap_or("unknown");
    format!("{} (commit {commit}; formats: {FORMATS})", env!("CARGO_PKG_VERSION"))
});

/// Returns `0.1.0 (commit 1a2b3c4d5e6f; formats: pointer 1, …)`. A build that was not told its commit
/// knows none.
pub(crate) fn version() -> &'static str {
    &VERSION
}
