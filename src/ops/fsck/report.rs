//! What an fsck tells.

use serde::Serialize;

use crate::ops::error::Exit;
use crate::ops::fsck::finding::{Finding, Side, What, shown};
use crate::ops::requests::Requests;
use crate::path::JsonPath;
use crate::transfer::object_hint;

/// What became of something damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is damaged still.
    Damaged,
    /// Good content has taken its place.
    Repaired,
    /// No pointer of this repository needs it.
    Unneeded,
    /// The system refused to read it, so that nothing can be said of it.
    Unread,
}

/// A pointer that needs something damaged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NeedRow {
    /// The tracked path.
    #[serde(flatten)]
    pub path: JsonPath,
    /// Files below it, as paths of the repository; some of them if there are many.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<JsonPath>,
    /// The commit that brought this version; empty for what is not committed.
    pub commit: String,
    /// Branches and tags that have the commit; some of them if there are many.
    pub refs: Vec<String>,
}

/// Something that is damaged.
#[derive(Clone, Debug, Serialize)]
pub struct FindingRow {
    /// `local`, or `remote`.
    pub side: &'static str,
    /// `pack`, `index`, `stat`, `catalogue` or `root`.
    pub kind: &'static str,
    /// The pack, the catalogue object, or the path.
    pub object: String,
    /// The file or the key in which it lies.
    pub at: String,
    /// What is wrong.
    pub why: String,
    /// Damaged chunks and nodes; some of them if there are many.
    pub contents: Vec<String>,
    /// Which pointers need it.
    pub needed_by: Vec<NeedRow>,
    /// Where good content is.
    pub copies: Vec<String>,
    /// What became of it.
    pub state: State,
    /// The next command; empty if nothing is left to do.
    pub next: String,
}

/// What one side holds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct TallyRow {
    /// Packs that were found.
    pub packs: u64,
    /// Chunks, nodes and catalogue objects in what was looked at.
    pub objects: u64,
    /// Bytes that were read.
    pub bytes: u64,
}

/// What an fsck found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FsckReport {
    /// The remote's name; empty if none was looked at.
    pub remote: String,
    /// `quick`, `sample` or `full`.
    pub depth: &'static str,
    /// Pointers of all branches, tags and the worktree.
    pub pointers: u64,
    /// This machine.
    pub here: TallyRow,
    /// The remote.
    pub there: TallyRow,
    /// What is damaged.
    pub findings: Vec<FindingRow>,
    /// How many of them are damaged still.
    pub damaged: u64,
    /// How many of them were repaired.
    pub repaired: u64,
    /// How many of them could not be read.
    pub unread: u64,
    /// Why the remote could not be looked at; empty if it was.
    pub unreachable: String,
    /// What was asked of the remote.
    pub requests: Requests,
}

impl FsckReport {
    /// Returns the exit code that this means.
    pub fn exit(&self) -> Exit {
        match (self.damaged, self.unreachable.is_empty(), self.unread) {
            (1.., ..) => Exit::Damaged,
            (0, false, _) => Exit::Remote,
            (0, true, 1..) => Exit::No,
            (0, true, 0) => Exit::Done,
        }
    }

    pub(super) fn tell(&mut self, findings: Vec<Finding>) {
        let count = |state| findings.iter().filter(|f| f.state == state).count() as u64;
        (self.damaged, self.repaired) = (count(State::Damaged), count(State::Repaired));
        self.unread = count(State::Unread);
        self.findings = findings.into_iter().map(row).collect();
    }
}

fn row(finding: Finding) -> FindingRow {
    let side = match finding.side {
        Side::Local => "local",
        Side::Remote => "remote",
    };
    let kind = match finding.what {
        What::Pack { .. } | What::Refused => "pack",
        What::Index { .. } => "index",
        What::Stat { .. } => "stat",
        What::Copy { .. } | What::Object { .. } => "catalogue",
        What::File { .. } => "file",
        What::Roots => "root",
    };
    FindingRow {
        side,
        kind,
        contents: shown(&finding.objects),
        next: next(&finding),
        object: finding.name,
        at: finding.at,
        why: finding.why,
        needed_by: finding.needs,
        copies: finding.copies,
        state: finding.state,
    }
}

/// What helps, for each kind of damage.
fn next(finding: &Finding) -> String {
    let text = match (finding.state, &finding.what) {
        (State::Unneeded, _) if finding.shared => {
            "run `haul fsck` in the other repositories that use the remote"
        }
        (State::Repaired | State::Unneeded, _) => "",
        (State::Unread, _) | (State::Damaged, What::Refused) => {
            "look at the permissions and at the system's log, then run `haul fsck` again"
        }
        (State::Damaged, What::Roots | What::Pack { .. }) if !finding.copies.is_empty() => {
            "run `haul fsck --repair`"
        }
        (State::Damaged, What::Roots) if finding.may_lie_there => {
            "run `haul fsck --repair`, which counts packs of the remote that its catalogue does not name; \
             if that does not mend it, run `haul push` in the clone that has the data"
        }
        (State::Damaged, What::Roots) => "run `haul push` in the clone that has the data",
        (State::Damaged, What::Object { .. }) => return object_hint(&finding.at),
        (
            State::Damaged,
            What::Index { .. } | What::Stat { .. } | What::Copy { .. } | What::File { .. },
        ) => "run `haul fsck --repair`",
        (State::Damaged, What::Pack { .. })
            if finding.side == Side::Local && finding.wanted.is_empty() =>
        {
            "run `haul fsck --repair`, which puts it aside: no pointer needs it"
        }
        (State::Damaged, What::Pack { .. }) if finding.whole_within => {
            "run `haul fsck --repair`: what pointers need of it can still be read, and is saved"
        }
        (State::Damaged, What::Pack { .. }) => {
            "put the files back into the worktree and run `haul fsck --repair`, or run that in a clone \
             that has the data"
        }
    };
    text.to_owned()
}
