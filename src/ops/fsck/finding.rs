//! What an fsck found to be damaged, before it is told.

use std::collections::BTreeSet;

use crate::cache::Held;
use crate::hash::{Digest, PackId};
use crate::ops::fsck::report::{NeedRow, State};
use crate::pack::{BadFrame, Examined, FrameError, PackError};
use crate::transfer::{Damage, FileIn};

/// Where something damaged lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Local,
    Remote,
}

/// What is damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A pack, and how this machine holds it if it lies here.
    Pack { pack: PackId, held: Option<Held> },
    /// Rows of the index that do not agree with a pack, which is sound.
    Index { pack: PackId },
    /// An entry of the stat cache.
    Stat { path: Vec<u8> },
    /// A copy of a catalogue object on this machine.
    Copy { path: std::path::PathBuf },
    /// A whole file of the cache.
    File { path: std::path::PathBuf },
    /// An object of the remote that is no pack, and whether readers need it.
    Object { counts: bool },
    /// Roots of which nobody says where they lie.
    Roots,
    /// A pack of this machine that the system refuses to read, which says nothing about the pack.
    Refused,
}

/// Something damaged.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) side: Side,
    pub(super) what: What,
    /// The pack, the catalogue object, or the path.
    pub(super) name: String,
    /// The file or the key.
    pub(super) at: String,
    pub(super) why: String,
    /// The frames that are damaged; of a pack without any, all of it is in doubt.
    pub(super) frames: BTreeSet<u32>,
    /// Chunks and nodes in them.
    pub(super) objects: BTreeSet<[u8; 32]>,
    /// Which pointers need it.
    pub(super) needs: Vec<NeedRow>,
    /// Their files, as paths of the repository, with what each of them holds.
    pub(super) files: BTreeSet<FileIn>,
    /// The pointers by number.
    pub(super) wanted: BTreeSet<usize>,
    /// Those of its chunks and nodes that some pointer needs.
    pub(super) needed: BTreeSet<[u8; 32]>,
    pub(super) copies: Vec<String>,
    /// Whether all that pointers need of it can still be read from it.
    pub(super) whole_within: bool,
    /// Whether the remote has packs that its catalogue does not name, in which it may lie.
    pub(super) may_lie_there: bool,
    pub(super) state: State,
    /// Whether other repositories keep content where it lies.
    pub(super) shared: bool,
}

impl Finding {
    pub(super) fn new(
        side: Side,
        what: What,
        name: &(impl ToString + ?Sized),
        at: &(impl ToString + ?Sized),
    ) -> Self {
        Self {
            side,
            what,
            name: name.to_string(),
            at: at.to_string(),
            why: String::new(),
            frames: BTreeSet::new(),
            objects: BTreeSet::new(),
            needs: Vec::new(),
            files: BTreeSet::new(),
            wanted: BTreeSet::new(),
            needed: BTreeSet::new(),
            copies: Vec::new(),
            whole_within: false,
            may_lie_there: false,
            state: State::Damaged,
            shared: false,
        }
    }

    pub(super) fn because(mut self, why: &(impl ToString + ?Sized)) -> Self {
        self.why = why.to_string();
        self
    }

    /// Says more of why, or of what became of it.
    pub(super) fn go_on(&mut self, text: &str) {
        self.why += text;
    }

    /// Returns the pack whose content is damaged.
    pub(super) fn pack(&self) -> Option<PackId> {
        match self.what {
            What::Pack { pack, .. } => Some(pack),
            What::Index { .. }
            | What::Stat { .. }
            | What::Copy { .. }
            | What::File { .. }
            | What::Object { .. }
            | What::Roots
            | What::Refused => None,
        }
    }

    /// Takes over which frames are damaged.
    pub(super) fn with_frames(mut self, frames: &[BadFrame]) -> Self {
        if let Some(first) = frames.first() {
            self.why = format!("frame {} at byte {}: {}", first.number, first.offset, first.source);
            if frames.len() > 1 {
                let more = format!("; and {} more frames", frames.len() - 1);
                self.why += &more;
            }
        }
        for frame in frames {
            self.frames.insert(frame.offset);
            self.objects.extend(&frame.objects);
        }
        self
    }
}

/// What an examination means: nothing if the pack is sound, or only a newer haul can tell.
pub(super) fn judge(finding: Finding, pack: PackId, examined: &Examined) -> Option<Finding> {
    let own_name = examined.actual == pack;
    match &examined.tables {
        // Bytes that have their name are as they were written.
        Err(PackError::Newer { .. }) if own_name => None,
        Err(PackError::Newer { .. }) => {
            Some(finding.because(&format!("it hashes to {}", examined.actual)))
        }
        Err(e) => Some(finding.because(e)),
        Ok(_) => {
            let newer = |frame: &&BadFrame| matches!(frame.source, FrameError::Newer { .. });
            let all_newer = examined.frames.iter().filter(newer).count() == examined.frames.len();
            if own_name && all_newer {
                None
            } else if examined.frames.is_empty() {
                let why =
                    format!("its bytes hash to {}; each object in it is whole", examined.actual);
                Some(finding.because(&why))
            } else {
                Some(finding.with_frames(&examined.frames))
            }
        }
    }
}

/// Puts the damaged packs of one side together.
pub(super) fn damage_of(findings: &[Finding], side: Side) -> Damage {
    let mut out = Damage::default();
    for finding in findings.iter().filter(|finding| finding.side == side) {
        let Some(pack) = finding.pack() else { continue };
        if finding.frames.is_empty() {
            out.packs.insert(pack);
        }
        out.frames.extend(finding.frames.iter().map(|offset| (pack, *offset)));
    }
    out
}

/// Returns ids as text, the first few.
pub(super) fn shown(ids: &BTreeSet<[u8; 32]>) -> Vec<String> {
    const SHOWN: usize = 20;
    ids.iter().take(SHOWN).map(|id| Digest(*id).to_string()).collect()
}
