//! The files that have to be read, some at a time, each with how it was cut before and what it is compared with.

use crate::intake::{FormerVersion, Inlining, SMALL, Source, Taken};
use crate::ops::add::alike::{Names, New, Pick};
use crate::ops::add::contents::Content;
use crate::ops::add::find::Target;
use crate::ops::add::formers::{Formers, Large, Place, wanted};
use crate::ops::add::previous::{OldCut, Previous};
use crate::worktree::What;

/// Small files that are taken in together.
const WINDOW: usize = 16_384;
/// Files up to this size may be one chunk.
const LONE: u64 = 1 << 20;

/// Gives the files to take in: small ones in byte order, then all large ones in the order of their numbers.
pub(super) struct Sources<'f> {
    formers: &'f Formers,
    names: Names<'f>,
    /// Whether a file that is tracked by itself is stored whole, if it may be one chunk: what a pointer names as
    /// one chunk must not be a delta on a remote.
    lone_whole: bool,
    /// Where the next small files are looked for; nothing once there are no more.
    next: Option<Place>,
    /// What was given last.
    given: Vec<Place>,
}

/// What else is known of a former version.
#[derive(Clone, Debug, Default)]
pub(super) struct Note {
    /// Whether it was only guessed that the two have something to do with each other.
    pub(super) guessed: bool,
    /// The tracked folder whose old manifest names it, and its path in there.
    pub(super) inside: Option<(Vec<u8>, Vec<u8>)>,
}

impl<'f> Sources<'f> {
    /// Begins with the first.
    pub(super) fn new(formers: &'f Formers, lone_whole: bool) -> Self {
        let news: Vec<New> = formers.large.iter().map(Large::named).collect();
        let names = Names::new(formers.old(), &news);
        let next = Some(Place { target: 0, found: 0 });
        Self { formers, names, lone_whole, next, given: Vec::new() }
    }

    /// Notes what became of the files that were given last, and gives the next; none at the end.
    pub(super) fn next(&mut self, targets: &mut [Target], taken: Vec<Taken>) -> Vec<Source> {
        for (place, taken) in self.given.drain(..).zip(taken) {
            let Some(target) = targets.get_mut(place.target) else { continue };
            if let Some(found) = target.found.get_mut(place.found) {
                found.what = What::File(taken.stamp);
            }
            if let Some(content) = target.contents.get_mut(place.found) {
                *content = Content::taken(taken);
            }
        }
        let (places, mut sources) = (self.next_places(targets), Vec::new());
        for (place, at) in places.into_iter().zip(0..) {
            if let Some((source, _)) = self.source(place, at, targets) {
                self.given.push(place);
                sources.push(source);
            }
        }
        sources
    }

    /// Gives all of them at once, with what else is known of their former versions.
    pub(super) fn all(mut self, targets: &[Target]) -> Vec<(Source, Note)> {
        let mut out = Vec::new();
        loop {
            let places = self.next_places(targets);
            if places.is_empty() {
                return out;
            }
            for (place, at) in places.into_iter().zip(0..) {
                let Some(target) = targets.get(place.target) else { continue };
                if let Some((source, pick)) = self.source(place, at, targets) {
                    let note = self.note(pick, target, &source.path);
                    out.push((source, note));
                }
            }
        }
    }

    fn next_places(&mut self, targets: &[Target]) -> Vec<Place> {
        let mut out = Vec::new();
        let Some(Place { target: first, mut found }) = self.next else { return out };
        for (number, target) in targets.iter().enumerate().skip(first) {
            let small = wanted(target, found).filter(|(.., size)| *size <= SMALL);
            out.extend(
                small.map(|(found, ..)| Place { target: number, found }).take(WINDOW - out.len()),
            );
            if let (WINDOW, Some(last)) = (out.len(), out.last()) {
                self.next = Some(Place { found: last.found + 1, ..*last });
                return out;
            }
            found = 0;
        }
        if out.is_empty() {
            self.next = None;
            out.extend(self.formers.large.iter().map(|large| large.place));
        } else {
            self.next = Some(Place { target: targets.len(), found: 0 });
        }
        out
    }

    /// Returns a file of which `at` more are given before it.
    fn source(
        &self,
        place: Place,
        at: usize,
        targets: &[Target],
    ) -> Option<(Source, Option<Pick>)> {
        let target = targets.get(place.target)?;
        let found = target.found.get(place.found)?;
        let What::File(stamp) = &found.what else { return None };
        let (path, size) = (found.path.as_bytes(), stamp.size);
        let inlining = if target.in_folder() { Inlining::Allowed } else { Inlining::Never };
        let (whole, mut former) = match self.formers.previous(place) {
            Some(Previous::Cut(cut)) => (None, Some(stored(cut, None))),
            Some(Previous::Whole(oid)) => (Some(*oid), None),
            None => (None, None),
        };
        let need = self.formers.need(place, size);
        let pick = self.names.pick(at, &New { path, top: target.folder(), size, need });
        match pick {
            Some(Pick::Old(old) | Pick::Guess(old)) => {
                let old = self.formers.olds.get(old);
                former = old.map(|old| {
                    let path = old.is_here.then(|| old.path.as_bytes().to_vec());
                    stored(&old.cut, path)
                });
            }
            Some(Pick::New(other)) => former = Some(FormerVersion::Source(other)),
            None => {}
        }
        let is_lone = self.lone_whole && !target.is_dir && size <= LONE;
        let former = former.filter(|_| self.formers.compares() && !is_lone);
        let (path, profile) = (path.to_vec(), self.formers.profile(place));
        Some((Source { path, at: None, size, profile, whole, inlining, former }, pick))
    }

    fn note(&self, pick: Option<Pick>, target: &Target, path: &[u8]) -> Note {
        let old = |number: usize| {
            let old = self.formers.olds.get(number)?;
            inside(&old.top, old.path.as_bytes())
        };
        match pick {
            Some(Pick::Old(number)) => Note { guessed: false, inside: old(number) },
            Some(Pick::Guess(number)) => Note { guessed: true, inside: old(number) },
            Some(Pick::New(_)) => Note::default(),
            None => Note { guessed: false, inside: inside(target.folder(), path) },
        }
    }
}

fn stored(cut: &OldCut, path: Option<Vec<u8>>) -> FormerVersion {
    let OldCut { root, size, profile } = *cut;
    FormerVersion::Stored { root, size, profile, path }
}

/// Splits a path at the tracked folder that it is in.
fn inside(top: &[u8], path: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let rest = path.strip_prefix(top)?.strip_prefix(b"/")?;
    Some((top.to_vec(), rest.to_vec()))
}
