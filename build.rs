//! Tells the program which commit it is built from, where that can be told: `HAUL_COMMIT` says it, or Git
//! does in a checkout of this repository. Only for release builds: others would be made again at each
//! commit, and are used before there is one.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The variable that says the commit, to this script and from here to the compiler.
const COMMIT: &str = "HAUL_COMMIT";

fn main() {
    let commit = variable(COMMIT).filter(|commit| !commit.is_empty());
    let release = variable("PROFILE").is_some_and(|profile| profile == "release");
    tell(&format!("rerun-if-env-changed={COMMIT}"));
    let found = match commit {
        Some(commit) => Some(commit),
        None if release => {
            variable("CARGO_MANIFEST_DIR").and_then(|root| of_checkout(Path::new(&root)))
        }
        None => None,
    };
    if let Some(commit) = found {
        tell(&format!("rustc-env={COMMIT}={commit}"));
    }
    // Said in any case: without a line like this, each change of any file would call for a new build.
    tell("rerun-if-changed=build.rs");
}

/// The commit of a checkout, and whether its files differ. Nothing where there is no Git, or this is a
/// folder of another repository.
fn of_checkout(root: &Path) -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(root).args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    let top = PathBuf::from(git(&["rev-parse", "--show-toplevel"])?);
    if top.canonicalize().ok()? != root.canonicalize().ok()? {
        return None;
    }
    git(&["ls-files", "--error-unmatch", "build.rs"])?;
    let commit = git(&["rev-parse", "--verify", "--short=12", "HEAD"])?;
    // What changes with each commit and checkout, in the folder of this worktree; and what is built.
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    let names = ["HEAD", "logs/HEAD", "packed-refs"].into_iter().map(str::to_owned).chain(branch);
    for name in names {
        let path = git(&["rev-parse", "--git-path", &name]).map(|path| root.join(path));
        if let Some(path) = path.filter(|path| path.exists()) {
            tell(&format!("rerun-if-changed={}", path.display()));
        }
    }
    for name in ["src", "Cargo.toml", "Cargo.lock"] {
        tell(&format!("rerun-if-changed={name}"));
    }
    let changes = git(&["status", "--porcelain", "--untracked-files=no"])?;
    Some(if changes.is_empty() { commit } else { format!("{commit}, with changes") })
}

#[expect(clippy::disallowed_methods, reason = "what Cargo says to a build script is said this way")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn tell(line: &str) {
    println!("cargo::{line}");
}
