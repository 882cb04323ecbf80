//! The files that have to be read, each with how it was cut before and what it is compared with.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::cache::ObjectReader;
use crate::chunk::Profile;
use crate::config::DeltaBase;
use crate::hash::NodeId;
use crate::intake::{FormerVersion, Inlining, SMALL, Source};
use crate::ops::add::find::Target;
use crate::ops::add::former::{Need, New, Old, Pick, extension, natural, pick, sibling_of};
use crate::ops::add::previous::{Previous, previous};
use crate::ops::add::run::Content;
use crate::ops::error::OpError;
use crate::path::RepoPath;
use crate::pointer::PointerKind;
use crate::repo::Repo;
use crate::worktree::{Parent, Tracked, TrackedState, What};

/// A file of several chunks that a pointer or a manifest names.
#[derive(Clone, Debug)]
pub(super) struct OldFile {
    path: RepoPath,
    /// The tracked folder that it is in; empty for a file that is tracked by itself.
    top: Vec<u8>,
    root: NodeId,
    profile: Profile,
    size: u64,
}

/// Files to take in, in the order of [`natural`].
pub(super) struct Sources {
    pub(super) list: Vec<Source>,
    /// One for each of them.
    pub(super) notes: Vec<Note>,
}

/// What else is known of a former version.
#[derive(Clone, Debug, Default)]
pub(super) struct Note {
    /// Whether it was only guessed that the two have something to do with each other.
    pub(super) guessed: bool,
    /// The tracked folder whose old manifest names it, and its path in there.
    pub(super) inside: Option<(Vec<u8>, Vec<u8>)>,
}

/// Lists the files that are tracked by themselves and have several chunks.
pub(super) fn single_files(tracked: &[Tracked]) -> Vec<OldFile> {
    let old = |item: &Tracked| match item.pointer()?.kind() {
        PointerKind::File { size, root: Some(root), .. } => {
            let (path, top) = (item.path.clone(), Vec::new());
            let profile = Profile::by_name(&root.profile)?;
            Some(OldFile { path, top, root: root.id, profile, size: *size })
        }
        PointerKind::File { root: None, .. } | PointerKind::Dir { .. } => None,
    };
    tracked.iter().filter_map(old).collect()
}

/// Finds the newest sibling of each target that is a folder, among the folders tracked before.
pub(super) fn sibling_folders<'t>(
    tracked: &[Tracked],
    targets: impl Iterator<Item = &'t Target>,
) -> Vec<Target> {
    let is_dir = |item: &&Tracked| {
        item.pointer().is_some_and(|pointer| matches!(pointer.kind(), PointerKind::Dir { .. }))
    };
    let folders: Vec<&Tracked> = tracked.iter().filter(is_dir).collect();
    let paths: Vec<&[u8]> = folders.iter().map(|item| item.path.as_bytes()).collect();
    let found: BTreeSet<usize> = targets
        .filter(|target| target.is_dir && target.outer.is_none())
        .filter_map(|target| sibling_of(target.path.as_bytes(), &paths))
        .collect();
    let found = found.into_iter().filter_map(|i| folders.get(i));
    let target = |item: &&Tracked| match &item.state {
        TrackedState::Sound(pointer, bytes) => {
            let (path, old) = (item.path.clone(), Some((pointer.clone(), bytes.clone())));
            let further = BTreeMap::new();
            let outer = None;
            let (found, links) = (Vec::new(), Vec::new());
            Some(Target { path, old, outer, found, links, is_dir: true, further })
        }
        TrackedState::Missing | TrackedState::Unsound(_) => None,
    };
    found.filter_map(target).collect()
}

/// Lists the files of all targets that have to be read; files that are tracked by themselves, and
/// those of other folders, may be their former versions.
pub(super) fn sources(
    repo: &Repo,
    targets: &[Target],
    remembered: &HashMap<Vec<u8>, Content>,
    (single, folders): (&[OldFile], &[Target]),
) -> Result<Sources, OpError> {
    let base = repo.config().delta_base.value;
    let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
    let (mut found, mut olds) = (Vec::new(), Vec::new());
    for target in targets {
        one_target(repo, target, (remembered, &mut reader), (&mut found, &mut olds))?;
    }
    found.sort_by(|a: &Unlinked, b| natural(&a.source.path, &b.source.path));
    let mut out = Sources { list: Vec::new(), notes: Vec::new() };
    let picks = if base == DeltaBase::Never {
        vec![None; found.len()]
    } else {
        olds.extend(candidates(single, &found));
        if found.iter().any(|new| !new.top.is_empty() && need(new) != Need::Nothing) {
            let known: HashSet<Vec<u8>> = olds.iter().map(|old| old.top.clone()).collect();
            for folder in folders.iter().filter(|f| !known.contains(f.top().as_bytes())) {
                old_files(folder, previous(folder, &mut reader)?, &mut olds)?;
            }
        }
        link(repo, targets, &olds, &found)?
    };
    for (unlinked, pick) in found.into_iter().zip(picks) {
        let Unlinked { mut source, top } = unlinked;
        let (former, note) = match pick {
            _ if base == DeltaBase::Never => (None, Note::default()),
            Some((former, note)) => (Some(former), note),
            None => {
                let inside = inside(top, &source.path);
                (source.former, Note { guessed: false, inside })
            }
        };
        source.former = former;
        out.list.push(source);
        out.notes.push(note);
    }
    Ok(out)
}

/// A file to take in, and the tracked folder that it is in.
struct Unlinked<'t> {
    source: Source,
    top: &'t [u8],
}

/// Splits a path at the tracked folder that it is in.
fn inside(top: &[u8], path: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let rest = path.strip_prefix(top)?.strip_prefix(b"/")?;
    Some((top.to_vec(), rest.to_vec()))
}

/// Lists the files of one target that have to be read, and the other files of its old manifest.
fn one_target<'t>(
    repo: &Repo,
    target: &'t Target,
    (remembered, reader): (&HashMap<Vec<u8>, Content>, &mut ObjectReader),
    (out, olds): (&mut Vec<Unlinked<'t>>, &mut Vec<OldFile>),
) -> Result<(), OpError> {
    let in_folder = target.is_dir || target.outer.is_some();
    let inlining = if in_folder { Inlining::Allowed } else { Inlining::Never };
    let top = if in_folder { target.top().as_bytes() } else { &[] };
    let mut wanted = target.found.iter().filter_map(|found| match &found.what {
        What::File(stamp) if !remembered.contains_key(found.path.as_bytes()) => {
            Some((found.path.as_bytes(), stamp.size))
        }
        What::File(_) | What::Symlink(_) | What::EmptyFolder => None,
    });
    let Some(first) = wanted.next() else { return Ok(()) };
    let before = previous(target, reader)?;
    let from = out.len();
    out.extend(std::iter::once(first).chain(wanted).map(|(path, size)| {
        let (profile, whole, former) = match before.get(path) {
            Some(Previous::By { profile, root, size }) => {
                let (root, size, profile) = (*root, *size, *profile);
                (profile, None, Some(FormerVersion::Stored { root, size, profile, path: None }))
            }
            Some(Previous::Whole(oid)) => (repo.profile(), Some(*oid), None),
            None => (repo.profile(), None, None),
        };
        let source =
            Source { path: path.to_vec(), at: None, size, profile, whole, inlining, former };
        Unlinked { source, top }
    }));
    let any = out.iter().skip(from).any(|new| need(new) != Need::Nothing);
    if in_folder && any {
        old_files(target, before, olds)?;
    }
    Ok(())
}

/// Lists the files of several chunks in the old manifest of a tracked folder.
fn old_files(
    folder: &Target,
    before: HashMap<Vec<u8>, Previous>,
    olds: &mut Vec<OldFile>,
) -> Result<(), OpError> {
    for (path, previous) in before {
        if let Previous::By { profile, root, size } = previous {
            let (path, top) = (RepoPath::new(&path)?, folder.top().as_bytes().to_vec());
            olds.push(OldFile { path, top, root, profile, size });
        }
    }
    Ok(())
}

/// Those of the files tracked by themselves that a file without a previous version may be like.
fn candidates<'s>(
    single: &'s [OldFile],
    found: &[Unlinked],
) -> impl Iterator<Item = OldFile> + use<'s> {
    let alone = found.iter().filter(|new| need(new) != Need::Nothing);
    let extensions: HashSet<Vec<u8>> =
        alone.map(|new| extension(&new.source.path).to_vec()).collect();
    single.iter().filter(move |old| extensions.contains(extension(old.path.as_bytes()))).cloned()
}

fn need(new: &Unlinked) -> Need {
    // A file that the profile cannot cut in two is one chunk.
    let short = new.source.size <= new.source.profile.min() as u64;
    if new.source.former.is_some() || new.source.whole.is_some() || short {
        Need::Nothing
    } else if new.source.size > SMALL {
        Need::Any
    } else {
        Need::Stored
    }
}

/// Finds what each file without a previous version is compared with.
fn link(
    repo: &Repo,
    targets: &[Target],
    olds: &[OldFile],
    found: &[Unlinked],
) -> Result<Vec<Option<(FormerVersion, Note)>>, OpError> {
    let news: Vec<New> = found
        .iter()
        .map(|new| {
            let Source { path, size, .. } = &new.source;
            New { path, top: new.top, size: *size, need: need(new) }
        })
        .collect();
    if news.iter().all(|new| new.need == Need::Nothing) {
        return Ok(vec![None; news.len()]);
    }
    let all = targets.iter().flat_map(|target| &target.found);
    let here: HashSet<&[u8]> = all.map(|found| found.path.as_bytes()).collect();
    let scanned = targets.iter().filter(|target| target.is_dir);
    let scanned: HashSet<&[u8]> = scanned.map(|target| target.path.as_bytes()).collect();
    let mut parent = Parent::default();
    let mut looked = Vec::with_capacity(olds.len());
    for old in olds {
        let OldFile { path, top, size, .. } = old;
        let gone = if here.contains(path.as_bytes()) || scanned.contains(top.as_slice()) {
            !here.contains(path.as_bytes())
        } else {
            parent.stamp(repo.door(), path)?.is_none()
        };
        looked.push(Old { path: path.as_bytes(), top, size: *size, gone });
    }
    let changed: HashSet<&[u8]> = news.iter().map(|new| new.path).collect();
    let stored = |i: usize, guessed: bool| {
        let OldFile { path, top, root, size, profile } = olds.get(i)?;
        let note = Note { guessed, inside: inside(top, path.as_bytes()) };
        let gone = looked.get(i).is_none_or(|old| old.gone);
        let has_bytes = !gone && !changed.contains(path.as_bytes());
        let path = has_bytes.then(|| path.as_bytes().to_vec());
        let (root, size, profile) = (*root, *size, *profile);
        Some((FormerVersion::Stored { root, size, profile, path }, note))
    };
    let linked = pick(&looked, &news).into_iter().map(|pick| match pick? {
        Pick::Old(i) => stored(i, false),
        Pick::Guess(i) => stored(i, true),
        Pick::New(i) => Some((FormerVersion::Source(i), Note::default())),
    });
    Ok(linked.collect())
}
