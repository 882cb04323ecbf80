//! A world with one repository, fenced off: whatever changes outside of it is seen.

use std::ffi::{OsStr, OsString};

use crate::harness::{Output, Repo, Tree, World};

/// What a run did with a name.
pub(super) enum Verdict {
    /// Placed or stored, byte for byte.
    Kept,
    /// Refused, as it should be or may be.
    Refused,
    /// This verb does not touch names.
    Unasked,
    /// Refused, and harmless.
    LegalRefused,
    /// Accepted, and hostile.
    LetIn,
}

/// The world and its repository `a`, with the remote `r` beside it.
pub(super) struct Yard {
    world: World,
}

/// Everything that no verb has business with.
pub(super) struct Outside {
    around: Tree,
    hooks: Tree,
    config: Vec<u8>,
}

impl Outside {
    /// Returns what differs.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let mut out = self.around.differences(&other.around);
        out.extend(self.hooks.differences(&other.hooks));
        if self.config != other.config {
            out.push("`.git/config` differs".to_owned());
        }
        out
    }
}

impl Yard {
    /// Makes the repository, with a remote, both committed, and files around it to be hit.
    pub(super) fn new() -> Self {
        let yard = Self { world: World::new() };
        let a = yard.world.repo("a");
        a.haul(&["init"]).ok();
        a.haul(&["remote", "add", "r", "../r"]).ok();
        a.git(&["add", "-A"]).ok();
        a.commit("settings");
        for name in ["canary-escape.bin", "outside/config", "home/.bashrc", "home/.ssh/config"] {
            yard.world.folder("").write(name, b"sentinel");
        }
        yard
    }

    /// Returns the repository.
    pub(super) fn repo(&self) -> Repo<'_> {
        self.world.folder("a")
    }

    /// Takes in what lies outside: all but the repository, the remote, and what `git` steers by.
    pub(super) fn outside(&self) -> Outside {
        let a = self.repo();
        let around = Tree::of(&self.world.path("")).without("a").without("r");
        let canary = a.has("canary-exec") || self.world.path("r/canary-exec").exists();
        assert!(!canary, "something was run");
        Outside { around, hooks: a.tree_of(".git/hooks"), config: a.read(".git/config") }
    }

    /// Runs `haul` with 10 s of processor time and 1 GiB of addresses at most.
    pub(super) fn haul(&self, words: &[OsString], variables: &[(&str, &str)]) -> Output {
        let bug = std::env::var("HAUL_PLANTED").unwrap_or_default();
        let set: Vec<String> = [("HAUL_PLANTED", &*bug)]
            .iter()
            .chain(variables)
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("export {name}='{value}'; "))
            .collect();
        let set = set.concat();
        let line = format!("{set}ulimit -t 10; ulimit -v 1048576; exec timeout 60 haul \"$@\"");
        let own = [OsStr::new("-c"), OsStr::new(&line), OsStr::new("haul")];
        let words = words.iter().map(OsString::as_os_str);
        self.repo().run("sh", &own.into_iter().chain(words).collect::<Vec<_>>())
    }
}

/// Says what of an answer nobody may ever see; a failure must say what to do.
pub(super) fn flaw(output: &Output) -> Option<&'static str> {
    let silent = output.status() != Some(0) && !explained(output);
    output.flaw().or_else(|| silent.then_some("it does not say what to do"))
}

/// Says whether this build has no such verb.
pub(super) fn is_no_verb(output: &Output) -> bool {
    output.status() == Some(2) && output.stderr().contains("unrecognized subcommand")
}

/// A failure says what to do next, or reports what it found, item by item.
fn explained(output: &Output) -> bool {
    is_no_verb(output)
        || output.stderr().contains("hint: ")
        || output.stderr().contains("not complete")
        || output.stderr().contains("missing")
        || output.stderr().contains("the remote was not checked")
        || output.stdout().contains("next: ")
}
