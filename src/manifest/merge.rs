//! What comes of two manifests that were made from one, found without reading what they share.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::error::Error;

use super::{Change, Content, Edit, EntryKind, FileEntry, diff};
use crate::hash::NodeId;
use crate::node::ReadError;

/// A path of which the two sides made different things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// The path.
    pub path: Vec<u8>,
    /// What it was; nothing if it was not there, or if nobody knows.
    pub base: Option<FileEntry>,
    /// What our side made of it; nothing if it is gone.
    pub ours: Option<FileEntry>,
    /// What their side made of it; nothing if it is gone.
    pub theirs: Option<FileEntry>,
}

/// How our manifest becomes the one of both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merge {
    /// What their side brings, sorted by path; at clashes ours stays.
    pub edits: Vec<Edit>,
    /// Paths that need a person, sorted.
    pub clashes: Vec<Clash>,
}

/// Merges two manifests that were made from `base`; without one, what only one side has is taken.
///
/// A file whose content changed on one side and whose mode on the other is merged. A path that is a
/// file on one side and a folder on the other is a clash. Cost: the nodes in which a side differs
/// from the base.
pub fn merge<B, S>(
    base: Option<NodeId>,
    ours: NodeId,
    theirs: NodeId,
    source: impl FnMut(NodeId) -> Result<B, S>,
) -> Result<Merge, ReadError<S>>
where
    B: AsRef<[u8]>,
    S: Error + 'static,
{
    let source = RefCell::new(source);
    let read = |id: NodeId| {
        let mut source = source.borrow_mut();
        source(id)
    };
    let mut joined = Joined::default();
    match base {
        None => {
            for change in diff(ours, theirs, read) {
                joined.without_base(change?);
            }
        }
        Some(base) => {
            let mut our_changes = diff(base, ours, read).peekable();
            let mut their_changes = diff(base, theirs, read).peekable();
            loop {
                let order = match (our_changes.peek(), their_changes.peek()) {
                    (None, None) => break,
                    (Some(Ok(a)), Some(Ok(b))) => a.path().cmp(b.path()),
                    (Some(_), None) | (Some(Err(_)), _) => Ordering::Less,
                    (None, Some(_)) | (_, Some(Err(_))) => Ordering::Greater,
                };
                let mine = if order.is_le() { our_changes.next().transpose()? } else { None };
                let yours = if order.is_ge() { their_changes.next().transpose()? } else { None };
                joined.step(mine, yours);
            }
        }
    }
    Ok(joined.settle())
}

/// The three states of one path.
struct States {
    base: Option<FileEntry>,
    ours: Option<FileEntry>,
    theirs: Option<FileEntry>,
}

#[derive(Default)]
struct Joined {
    /// What our side made anew or otherwise: their paths may not fit beside these.
    ours: BTreeMap<Vec<u8>, FileEntry>,
    edits: BTreeMap<Vec<u8>, Edit>,
    clashes: BTreeMap<Vec<u8>, Clash>,
}

fn sides(change: Change) -> (Option<FileEntry>, Option<FileEntry>) {
    match change {
        Change::Added(entry) => (None, Some(entry)),
        Change::Removed(entry) => (Some(entry), None),
        Change::Modified { old, new } => (Some(old), Some(new)),
    }
}

impl Joined {
    fn without_base(&mut self, change: Change) {
        let path = change.path().to_vec();
        let (ours, theirs) = sides(change);
        match (ours, theirs) {
            (Some(ours), None) => drop(self.ours.insert(path, ours)),
            (None, Some(theirs)) => drop(self.edits.insert(path, Edit::Put(theirs))),
            (ours, theirs) => self.both(path, States { base: None, ours, theirs }),
        }
    }

    fn step(&mut self, mine: Option<Change>, yours: Option<Change>) {
        match (mine, yours) {
            (Some(mine), Some(yours)) => {
                let path = mine.path().to_vec();
                let ((base, ours), (_, theirs)) = (sides(mine), sides(yours));
                self.both(path, States { base, ours, theirs });
            }
            (Some(mine), None) => {
                let path = mine.path().to_vec();
                self.ours.extend(sides(mine).1.map(|entry| (path, entry)));
            }
            (None, Some(yours)) => {
                let path = yours.path().to_vec();
                let edit = match sides(yours).1 {
                    Some(entry) => Edit::Put(entry),
                    None => Edit::Remove(path.clone()),
                };
                self.edits.insert(path, edit);
            }
            (None, None) => {}
        }
    }

    /// A path that both sides changed.
    fn both(&mut self, path: Vec<u8>, states: States) {
        self.ours.extend(states.ours.clone().map(|entry| (path.clone(), entry)));
        match (combine(&states), states) {
            (Both::AsOurs, _) => {}
            (Both::New(entry), _) => drop(self.edits.insert(path, Edit::Put(entry))),
            (Both::Clash, States { base, ours, theirs }) => {
                let clash = Clash { path: path.clone(), base, ours, theirs };
                self.clashes.insert(path, clash);
            }
        }
    }

    /// Takes back what would stand in or above a file of ours.
    fn settle(mut self) -> Merge {
        let put = |edit: &Edit| matches!(edit, Edit::Put(_));
        let paths: Vec<Vec<u8>> =
            self.edits.iter().filter(|(_, e)| put(e)).map(|(path, _)| path.clone()).collect();
        for path in paths {
            self.fit(&path);
        }
        Merge {
            edits: self.edits.into_values().collect(),
            clashes: self.clashes.into_values().collect(),
        }
    }

    fn fit(&mut self, path: &[u8]) {
        let Some(Edit::Put(entry)) = self.edits.get(path) else { return };
        let folder = [path, b"/"].concat();
        let below = self.ours.range(folder.clone()..).next();
        if below.is_some_and(|(ours, _)| ours.starts_with(&folder)) {
            // A folder that is empty on one side only is not empty.
            if entry.kind == EntryKind::EmptyDir {
                self.edits.remove(path);
            } else {
                self.take_back(path);
            }
            return;
        }
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let mut above = slashes.filter_map(|(at, _)| path.get(..at));
        let Some((at, kind)) =
            above.find_map(|at| self.ours.get(at).map(|entry| (at.to_vec(), entry.kind)))
        else {
            return;
        };
        if kind == EntryKind::EmptyDir && !self.clashes.contains_key(&at) {
            self.edits.insert(at.clone(), Edit::Remove(at));
        } else {
            self.take_back(path);
        }
    }

    fn take_back(&mut self, path: &[u8]) {
        if let Some(Edit::Put(theirs)) = self.edits.remove(path) {
            let (path, theirs) = (path.to_vec(), Some(theirs));
            let clash = Clash { path: path.clone(), base: None, ours: None, theirs };
            self.clashes.insert(path, clash);
        }
    }
}

/// What two sides together made of a path.
enum Both {
    /// What ours has.
    AsOurs,
    /// Something that ours has not.
    New(FileEntry),
    /// Nobody can say.
    Clash,
}

/// Puts together what both sides made of a path.
fn combine(states: &States) -> Both {
    if states.ours == states.theirs {
        return Both::AsOurs;
    }
    match merged_file(states) {
        None => Both::Clash,
        Some(entry) if states.ours.as_ref() == Some(&entry) => Both::AsOurs,
        Some(entry) => Both::New(entry),
    }
}

/// Merges content and mode of a file one by one; nothing where both sides changed the same of them.
fn merged_file(states: &States) -> Option<FileEntry> {
    let States { base, ours, theirs } = states;
    let (Some(ours), Some(theirs)) = (ours, theirs) else { return None };
    let is_file = |entry: &FileEntry| matches!(entry.kind, EntryKind::File | EntryKind::Executable);
    if !is_file(ours) || !is_file(theirs) || base.as_ref().is_some_and(|base| !is_file(base)) {
        return None;
    }
    let kind = pick(base.as_ref().map(|base| base.kind), ours.kind, theirs.kind)?;
    let content = match base {
        _ if ours.content.oid() == theirs.content.oid() => later(&ours.content, &theirs.content),
        Some(base) if base.content.oid() == ours.content.oid() => &theirs.content,
        Some(base) if base.content.oid() == theirs.content.oid() => &ours.content,
        _ => return None,
    };
    Some(FileEntry { path: ours.path.clone(), kind, content: content.clone() })
}

/// Of two trees of one content, cut by different profiles, the same one whichever side has it.
fn later<'c>(a: &'c Content, b: &'c Content) -> &'c Content {
    let rank = |content: &Content| match content {
        Content::Inline(_) | Content::Chunk { .. } => None,
        Content::Tree { profile_code, root, .. } => Some((*profile_code, *root)),
    };
    if rank(a) >= rank(b) { a } else { b }
}

fn pick<T: PartialEq>(base: Option<T>, ours: T, theirs: T) -> Option<T> {
    match base {
        _ if ours == theirs => Some(ours),
        Some(base) if base == ours => Some(theirs),
        Some(base) if base == theirs => Some(ours),
        _ => None,
    }
}
