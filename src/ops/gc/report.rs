//! What gc found and did.

use serde::Serialize;

use crate::ops::requests::Requests;
use crate::path::{JsonPath, json_path};
use crate::transfer::gc::{Reason, Removed, Survey, Victim};

/// How far gc has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GcState {
    /// A repository that keeps data there was not given: nothing was looked at.
    Blocked,
    /// Nothing can be removed.
    Nothing,
    /// These packs would be condemned.
    Plan,
    /// These packs were condemned, and their time has not come yet.
    Waiting,
    /// These packs were condemned long enough ago, and would be removed.
    Due,
    /// These packs are condemned now.
    Condemned,
    /// These packs were removed.
    Removed,
    /// Another gc runs on this remote: nothing was removed.
    Raced,
}

/// A repository that keeps data on the remote.
#[derive(Clone, Debug, Serialize)]
pub struct RepoRow {
    /// Its identity on remotes.
    pub id: String,
    /// Where it may be found, as it was when it pushed first.
    pub url: Option<String>,
    /// Whether it was read, or said to be gone.
    pub given: bool,
}

/// A pack that nobody needs.
#[derive(Clone, Debug, Serialize)]
pub struct PackRow {
    /// The pack.
    pub pack: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// `unneeded`, `orphan` or `condemned`.
    pub reason: &'static str,
}

/// Live content that is not all there.
#[derive(Clone, Debug, Serialize)]
pub struct IncompleteRow {
    /// A path that needs it.
    #[serde(flatten)]
    pub path: JsonPath,
    /// The pack that is missing.
    pub pack: String,
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct RemovedFigures {
    /// Packs.
    pub packs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects of the catalogue.
    pub objects: u64,
    /// Files of writes that never ended.
    pub leftovers: u64,
    /// Their bytes.
    pub leftover_bytes: u64,
    /// Roots that came back since they were let go, and were recorded again.
    pub revived: u64,
}

/// What gc found and did.
#[derive(Clone, Debug, Serialize)]
pub struct GcReport {
    /// The remote's name.
    pub remote: String,
    /// How far it has come.
    pub state: GcState,
    /// Everybody who keeps data there.
    pub repositories: Vec<RepoRow>,
    /// Distinct pointers that count.
    pub roots: u64,
    /// Of them those whose content was never pushed there.
    pub never_pushed: Vec<JsonPath>,
    /// Live content of which packs are missing.
    pub incomplete: Vec<IncompleteRow>,
    /// Packs on the remote.
    pub packs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Packs that are needed.
    pub live_packs: u64,
    /// Bytes in them that are needed.
    pub live_bytes: u64,
    /// Packs that nobody needs.
    pub victims: Vec<PackRow>,
    /// Their bytes.
    pub victim_bytes: u64,
    /// Packs of which little is needed, that a repack would replace, or has replaced.
    pub sparse_packs: u64,
    /// Bytes in them that nobody needs.
    pub sparse_bytes: u64,
    /// Bytes that a repack has sent.
    pub repacked_bytes: u64,
    /// The baseline that condemns them.
    pub baseline: Option<String>,
    /// From when on they are removed, by the storage's clock: ms since 1970.
    pub remove_after_ms: Option<u64>,
    /// What was removed.
    pub removed: RemovedFigures,
    /// What was asked of the remote.
    pub requests: Requests,
}

impl GcReport {
    pub(super) fn new(remote: String) -> Self {
        Self {
            remote,
            state: GcState::Nothing,
            repositories: Vec::new(),
            roots: 0,
            never_pushed: Vec::new(),
            incomplete: Vec::new(),
            packs: 0,
            bytes: 0,
            live_packs: 0,
            live_bytes: 0,
            victims: Vec::new(),
            victim_bytes: 0,
            sparse_packs: 0,
            sparse_bytes: 0,
            repacked_bytes: 0,
            baseline: None,
            remove_after_ms: None,
            removed: RemovedFigures::default(),
            requests: Requests::default(),
        }
    }

    pub(super) fn take(&mut self, survey: &Survey, victims: &[Victim]) {
        (self.packs, self.bytes) = survey.packs;
        (self.live_packs, self.live_bytes) = survey.live;
        self.never_pushed = survey.unlisted.iter().map(|item| json_path(&item.path)).collect();
        let gaps = survey.gaps.iter();
        self.incomplete = gaps
            .map(|(path, pack)| IncompleteRow { path: json_path(path), pack: pack.to_string() })
            .collect();
        self.victim_bytes = victims.iter().map(|victim| victim.bytes).sum();
        self.victims = victims.iter().map(row).collect();
    }

    pub(super) fn count(&mut self, removed: Removed) {
        let Removed { packs, bytes, objects, revived } = removed;
        self.removed =
            RemovedFigures { packs, bytes, objects, revived, ..RemovedFigures::default() };
    }
}

fn row(victim: &Victim) -> PackRow {
    let reason = match victim.reason {
        Reason::Unneeded => "unneeded",
        Reason::Orphan => "orphan",
        Reason::Condemned => "condemned",
    };
    PackRow { pack: victim.pack.to_string(), bytes: victim.bytes, reason }
}
