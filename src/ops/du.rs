//! `haul du`: how much room tracked paths take, told from trees alone.

use serde::Serialize;

use crate::ops::chosen::{Chosen, chosen_or_warned, nothing_matches};
use crate::ops::error::OpError;
use crate::ops::requests::Requests;
use crate::ops::select::Select;
use crate::ops::supply::Supply;
use crate::ops::trees::Source;
use crate::path::{JsonPath, json_path};
use crate::pointer::PointerKind;
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{Choice, Filter, Wanted, Weight, weigh};

/// What to measure.
#[derive(Clone, Debug, Default)]
pub struct DuOptions {
    /// Which pointers, and which part of each.
    pub select: Select,
    /// The remote that absent trees come from; the default one if absent.
    pub remote: Option<String>,
    /// Transfers at once.
    pub jobs: Option<usize>,
}

/// How much room something takes. What several paths have in common counts for the first of them.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Room {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub logical_bytes: u64,
    /// Bytes that are in no earlier path, before compression. Files of up to 48 bytes inside a
    /// folder lie in its tree and are not counted.
    pub unique_bytes: u64,
    /// Bytes that the unique ones take in packs.
    pub stored_bytes: u64,
    /// Unique bytes that are stored as a delta to others.
    pub delta_bytes: u64,
}

/// One tracked path, or the selected part of it.
#[derive(Clone, Debug, Serialize)]
pub struct DuRow {
    /// The path.
    #[serde(flatten)]
    pub path: JsonPath,
    /// Whether all of the path is meant. Where patterns or several paths select parts of a folder,
    /// the row has the folder's path, and the parts together.
    pub whole: bool,
    /// Its room.
    #[serde(flatten)]
    pub room: Room,
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct DuReport {
    /// The revision; empty for the worktree.
    pub rev: String,
    /// The remote's name; empty if none was needed.
    pub remote: String,
    /// The paths, sorted.
    pub paths: Vec<DuRow>,
    /// All together.
    pub total: Room,
    /// What was asked of the remote.
    pub requests: Requests,
}

/// Measures the selected paths. Fetches trees that are not on this machine, and no content.
pub fn run(repo: &Repo, options: &DuOptions, job: &Job) -> Result<DuReport, OpError> {
    measure(repo, options, job).map_err(|e| e.with_commit(repo, &options.select))
}

fn measure(repo: &Repo, options: &DuOptions, job: &Job) -> Result<DuReport, OpError> {
    let found = chosen_or_warned(repo, &options.select, job)?;
    let any = !found.is_empty();
    let mut found: Vec<Chosen> = found.into_iter().filter(has_part).collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    let wanted: Vec<Wanted> = found.iter().map(Chosen::wanted).collect();
    let parts = (repo.layout(), repo.index()?);
    let (mut remote, mut requests) = (String::new(), Requests::default());
    let weights = if let Some(weights) = weigh(&wanted, parts, None, job)? {
        weights
    } else {
        let (name, jobs) = (options.remote.clone(), options.jobs);
        let mut supply = Supply::of(repo, &Source { remote: name, jobs, ..Source::default() })?;
        let weights =
            supply.serve(&[], job, |contact| Ok(weigh(&wanted, parts, Some(contact), job)?))?;
        if let Some((name, contact)) = supply.at_hand() {
            (remote, requests) = (name.to_owned(), contact.remote().counts().into());
        }
        weights.unwrap_or_default()
    };
    let total = weights.iter().fold(Room::default(), |sum, weight| sum.plus((*weight).into()));
    let only_parts = wanted.iter().all(|w| matches!(w.filter, Filter::Some(_)));
    if any && only_parts && total.files == 0 {
        return Err(nothing_matches(&options.select));
    }
    let paths = found.iter().zip(&weights).map(|(chosen, weight)| row(chosen, (*weight).into()));
    let rev = options.select.rev.clone().unwrap_or_default();
    Ok(DuReport { rev, remote, paths: paths.collect(), total, requests })
}

/// A file has no parts that could be selected.
fn has_part(chosen: &Chosen) -> bool {
    match (chosen.pointer.kind(), &chosen.filter) {
        (PointerKind::File { .. }, Filter::Some(_)) => false,
        (PointerKind::File { .. } | PointerKind::Dir { .. }, _) => true,
    }
}

fn row(chosen: &Chosen, room: Room) -> DuRow {
    let mut path = chosen.path.as_bytes().to_vec();
    let whole = match &chosen.filter {
        Filter::All => true,
        Filter::Some(choices) => match choices.as_slice() {
            [Choice::Under(part)] => {
                path.push(b'/');
                path.extend(part);
                true
            }
            _ => false,
        },
        Filter::Span { .. } => false,
    };
    DuRow { path: json_path(&path), whole, room }
}

impl Room {
    fn plus(self, other: Self) -> Self {
        Self {
            files: self.files.saturating_add(other.files),
            logical_bytes: self.logical_bytes.saturating_add(other.logical_bytes),
            unique_bytes: self.unique_bytes.saturating_add(other.unique_bytes),
            stored_bytes: self.stored_bytes.saturating_add(other.stored_bytes),
            delta_bytes: self.delta_bytes.saturating_add(other.delta_bytes),
        }
    }
}

impl From<Weight> for Room {
    fn from(weight: Weight) -> Self {
        let Weight { files, logical_bytes, unique_bytes, stored_bytes, delta_bytes } = weight;
        Self { files, logical_bytes, unique_bytes, stored_bytes, delta_bytes }
    }
}
