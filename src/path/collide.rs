//! Paths that are different for Git but one and the same on some file system.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::mem;

use unicode_normalization::UnicodeNormalization;

use super::repo_path::RepoPath;
use super::short_name::ShortName;

/// How the paths of a set get in each other's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CollisionKind {
    /// A file where another path needs a folder: possible on no system.
    FileAndFolder,
    /// The names differ in Unicode normalisation or in characters that HFS+ ignores.
    Unicode,
    /// The names differ in case, perhaps in normalisation too.
    Case,
    /// One name is what Windows calls another for short: `LONGNA~1.BIN` and `longname123.bin`.
    ShortName,
}

impl std::fmt::Display for CollisionKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::FileAndFolder => {
                "cannot both exist: one is a file where the other needs a folder"
            }
            Self::Unicode => "are one name on systems that normalise Unicode, such as macOS",
            Self::Case => "are one name on systems that ignore case, such as macOS and Windows",
            Self::ShortName => "are one name on Windows, where one is the short form of the other",
        })
    }
}

/// Two or more paths that cannot all exist side by side everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collision {
    /// What the file system mixes up.
    pub kind: CollisionKind,
    /// The paths, ascending and without repetition. A folder above tracked files may be among them.
    pub paths: Vec<RepoPath>,
}

/// A file, or a folder that holds files, under the name that a forgetful file system keeps.
struct Place {
    /// First half of the hash of the folded path.
    key: [u8; 16],
    /// The same of the folder that holds it; that of nothing at the top.
    parent: [u8; 16],
    /// Row of the input, and how many bytes of it are this path.
    row: u32,
    end: u32,
    is_file: bool,
}

/// Finds the sets of `paths` that collide by case, Unicode normalisation or 8.3 names, and files
/// where others need folders.
///
/// `paths` should be sorted bytewise; unsorted ones cost more memory but give the same answer.
/// Takes O(n log n) time and 44 bytes per path and folder. Sets come sorted by first path.
pub fn find_collisions<P: Borrow<RepoPath>>(paths: &[P]) -> Vec<Collision> {
    let mut places = places_of(paths);
    let mut found = short_names(paths, &places);
    places.sort_unstable_by_key(|place| place.key);
    for group in places.chunk_by(|a, b| a.key == b.key) {
        found.extend(collision_of(paths, group));
    }
    found.sort_by(|a, b| (&a.paths, a.kind).cmp(&(&b.paths, b.kind)));
    found
}

fn places_of<P: Borrow<RepoPath>>(paths: &[P]) -> Vec<Place> {
    let mut places = Vec::with_capacity(paths.len());
    // Folders of the previous path: where each ends and its key, so that siblings share one place.
    let mut open: Vec<(usize, [u8; 16])> = Vec::new();
    let mut previous: &[u8] = b"";
    for (row, path) in (0..).zip(paths) {
        let bytes = path.borrow().as_bytes();
        let shared = open.iter().take_while(|(end, _)| {
            previous.get(..*end) == bytes.get(..*end) && bytes.get(*end) == Some(&b'/')
        });
        let shared = shared.count();
        open.truncate(shared);
        let mut start = open.last().map_or(0, |(end, _)| end + 1);
        let mut parent = open.last().map_or([0; 16], |(_, key)| *key);
        for part in bytes.get(start..).unwrap_or_default().split(|b| *b == b'/') {
            let end = start + part.len();
            let key = key_of(parent, part);
            let is_file = end == bytes.len();
            let place = u32::try_from(end).map(|end| Place { key, parent, row, end, is_file });
            places.extend(place);
            if !is_file {
                open.push((end, key));
            }
            (parent, start) = (key, end + 1);
        }
        previous = bytes;
    }
    places
}

/// Chains the hash of the folder with the folded name: no path is folded twice.
fn key_of(parent: [u8; 16], part: &[u8]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&parent).update(&fold_case(part));
    *hasher.finalize().as_bytes().first_chunk().unwrap_or(&[0; 16])
}

/// Folds a name so that names which some file system takes for one come out equal.
fn fold_case(name: &[u8]) -> Vec<u8> {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    fold_valid(name, |text| {
        // Upper case first: it joins the two small sigmas, and long s with s. No file system takes
        // the dotless i for the dotted one, which its upper case would.
        let upper = text.nfd().flat_map(|c| {
            let (kept, folded) = if c == 'ı' { (Some(c), None) } else { (None, Some(c)) };
            kept.into_iter().chain(folded.into_iter().flat_map(char::to_uppercase))
        });
        let lower: String = upper.flat_map(char::to_lowercase).collect();
        lower.nfc().collect()
    })
}

/// Folds a name as far as normalisation goes.
fn fold_unicode(name: &[u8]) -> Vec<u8> {
    fold_valid(name, |text| text.nfc().collect())
}

fn fold_valid(name: &[u8], fold: impl Fn(&str) -> String) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    for piece in name.utf8_chunks() {
        let seen: String = piece.valid().chars().filter(|c| !ignored_by_hfs(*c)).collect();
        out.extend_from_slice(fold(&seen).as_bytes());
        out.extend_from_slice(piece.invalid());
    }
    out
}

fn ignored_by_hfs(c: char) -> bool {
    matches!(c,
        '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

/// Judges places of one folded path.
fn collision_of<P: Borrow<RepoPath>>(paths: &[P], group: &[Place]) -> Option<Collision> {
    if group.len() < 2 {
        return None;
    }
    let mut named: Vec<(RepoPath, bool)> =
        group.iter().filter_map(|p| Some((path_of(paths, p)?, p.is_file))).collect();
    named.sort_unstable();
    named.dedup();
    let both = named.windows(2).any(|w| matches!(w, [(a, _), (b, _)] if a == b));
    let mut paths: Vec<RepoPath> = named.into_iter().map(|(path, _)| path).collect();
    paths.dedup();
    let (first, rest) = paths.split_first()?;
    let kind = if both {
        CollisionKind::FileAndFolder
    } else if rest.is_empty() {
        return None;
    } else {
        let wanted = fold_unicode(first.as_bytes());
        if rest.iter().all(|path| fold_unicode(path.as_bytes()) == wanted) {
            CollisionKind::Unicode
        } else {
            CollisionKind::Case
        }
    };
    Some(Collision { kind, paths })
}

fn path_of<P: Borrow<RepoPath>>(paths: &[P], place: &Place) -> Option<RepoPath> {
    RepoPath::new(bytes_of(paths, place)?).ok()
}

fn name_of<'a, P: Borrow<RepoPath>>(paths: &'a [P], place: &Place) -> &'a [u8] {
    let path = bytes_of(paths, place);
    path.and_then(|path| path.rsplit(|b| *b == b'/').next()).unwrap_or_default()
}

fn bytes_of<'a, P: Borrow<RepoPath>>(paths: &'a [P], place: &Place) -> Option<&'a [u8]> {
    paths.get(place.row as usize)?.borrow().as_bytes().get(..place.end as usize)
}

/// Pairs names of the form `STEM~1.EXT` with the first long name beside them that may get it.
///
/// Each such name is reported once, so the answer stays linear whatever the input.
fn short_names<P: Borrow<RepoPath>>(paths: &[P], places: &[Place]) -> Vec<Collision> {
    let mut shorts: HashMap<([u8; 16], ShortName), Vec<&Place>> = HashMap::new();
    for place in places {
        if let Some(short) = ShortName::parse(name_of(paths, place)) {
            shorts.entry((place.parent, short)).or_default().push(place);
        }
    }
    let mut found = Vec::new();
    if shorts.is_empty() {
        return found;
    }
    for place in places {
        for short in ShortName::candidates(name_of(paths, place)) {
            let Some(taken) = shorts.get_mut(&(place.parent, short)).map(mem::take) else {
                continue;
            };
            if taken.is_empty() {
                continue;
            }
            let all = taken.into_iter().chain([place]);
            let mut set: Vec<RepoPath> = all.filter_map(|place| path_of(paths, place)).collect();
            set.sort_unstable();
            set.dedup();
            found.push(Collision { kind: CollisionKind::ShortName, paths: set });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::hostile_cases::{cases, expand};

    fn collisions(texts: &[&[u8]]) -> Vec<(CollisionKind, Vec<String>)> {
        let mut paths: Vec<RepoPath> =
            texts.iter().map(|text| RepoPath::new(text).expect("is a path")).collect();
        paths.sort();
        let shown = |c: Collision| (c.kind, c.paths.iter().map(ToString::to_string).collect());
        find_collisions(&paths).into_iter().map(shown).collect()
    }

    fn kinds(texts: &[&str]) -> Vec<CollisionKind> {
        let bytes: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).collect();
        collisions(&bytes).into_iter().map(|(kind, _)| kind).collect()
    }

    #[test]
    fn every_hostile_set_of_names_is_found() {
        let mut seen = 0;
        for case in cases() {
            if case.carrier == "path-set" && case.category == "collision" {
                let set: Vec<Vec<u8>> = case.value.split(" | ").map(expand).collect();
                let set: Vec<&[u8]> = set.iter().map(Vec::as_slice).collect();
                let found = collisions(&set);
                assert_eq!(found.len(), 1, "{case:?}");
                let impossible = found[0].0 == CollisionKind::FileAndFolder;
                assert_eq!(impossible, case.expect == "reject", "{case:?}");
                seen += 1;
            }
        }
        assert!(seen >= 4, "the cases are gone");
    }

    #[test]
    fn each_kind_of_collision_has_its_name() {
        use CollisionKind::{Case, FileAndFolder, ShortName, Unicode};
        assert_eq!(kinds(&["a", "a/b", "a-b"]), [FileAndFolder]);
        assert_eq!(kinds(&["x/A", "x/a"]), [Case]);
        assert_eq!(kinds(&["caf\u{e9}", "cafe\u{301}"]), [Unicode]);
        assert_eq!(kinds(&["caf\u{c9}", "cafe\u{301}"]), [Case]);
        assert_eq!(kinds(&["\u{130}", "i\u{307}"]), [Case]);
        assert_eq!(kinds(&["a\u{200d}b", "ab"]), [Unicode]);
        assert_eq!(kinds(&["Straße", "STRASSE", "ſtraße"]), [Case]);
        assert_eq!(kinds(&["λόγος", "ΛΌΓΟΣ"]), [Case]);
        assert_eq!(kinds(&["longname123.bin", "LONGNA~1.BIN"]), [ShortName]);
        assert_eq!(kinds(&["A", "a/b"]), [Case]);
    }

    #[test]
    fn folders_collide_like_files() {
        let found = collisions(&[b"A/x", b"A/y", b"a/y", b"a/z"]);
        let set = |a: &str, b: &str| (CollisionKind::Case, vec![a.to_owned(), b.to_owned()]);
        assert_eq!(found, [set("A", "a"), set("A/y", "a/y")]);
    }

    #[test]
    fn names_that_only_look_alike_do_not_collide() {
        assert!(kinds(&["a", "a.b", "a-b/c", "a0/a", "b/a"]).is_empty());
        assert!(kinds(&["ı", "i"]).is_empty());
        assert!(kinds(&["x/longname123.bin", "y/LONGNA~1.BIN"]).is_empty());
        assert!(kinds(&["longname123.bin", "LONGNA~1.TXT", "other~1.bin"]).is_empty());
        assert!(kinds(&["ﬁle", "Ａ", "A"]).is_empty());
        assert!(collisions(&[b"\xff", b"\xfe", b"\xffA"]).is_empty());
        assert!(kinds(&["a", "a"]).is_empty());
    }

    #[test]
    fn names_that_are_not_utf8_fold_around_what_is_invalid() {
        assert_eq!(collisions(&[b"\xffA", b"\xffa"]).len(), 1);
    }

    #[test]
    fn many_short_names_beside_many_long_ones_are_each_told_once() {
        let mut texts: Vec<String> = (0..2000).map(|i| format!("longname{i}.bin")).collect();
        texts.extend((1..=9).map(|i| format!("LONGNA~{i}.BIN")));
        let bytes: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
        let found = collisions(&bytes);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].1.len(), 10);
    }
}
