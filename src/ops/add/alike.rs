//! Which content a file without a previous version is compared with: a file that is gone and that
//! it may have been, or its newest sibling. Names and sizes only; nothing is looked up.

use std::cmp::Ordering;
use std::collections::HashMap;

/// A tracked file of several chunks, as its pointer or manifest has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Old<'a> {
    pub(super) path: &'a [u8],
    /// The tracked folder that it is in; empty for a file that is tracked by itself.
    pub(super) top: &'a [u8],
    pub(super) size: u64,
    /// Whether the worktree has nothing at its path.
    pub(super) gone: bool,
}

/// A file that is about to be taken in.
#[derive(Clone, Copy, Debug)]
pub(super) struct New<'a> {
    pub(super) path: &'a [u8],
    /// The tracked folder that it is in; empty for a file that is tracked by itself.
    pub(super) top: &'a [u8],
    pub(super) size: u64,
    pub(super) need: Need,
}

/// Whether a file is to be given something to be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// It has a previous version, or is one chunk: no.
    Nothing,
    /// Content that was stored before.
    Stored,
    /// That, or a file of this kind that is taken in before it.
    Any,
}

/// What a file is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pick {
    /// This one of the old files; their names have something in common.
    Old(usize),
    /// This one of the old files, which has its extension and about its size.
    Guess(usize),
    /// This one of the new files, which comes before it.
    New(usize),
}

/// Numbers of files, by what their names have in common.
pub(super) struct Names<'a> {
    olds: Vec<Old<'a>>,
    gone_by_name: HashMap<(&'a [u8], &'a [u8]), Vec<usize>>,
    gone_by_extension: HashMap<(&'a [u8], &'a [u8]), Vec<usize>>,
    siblings: HashMap<Stem, Vec<(Numbers<'a>, Pick)>>,
}

impl<'a> Names<'a> {
    /// Goes by these old files, and by those of the new ones that others may be compared with; these are in the
    /// order of [`natural`].
    pub(super) fn new(olds: Vec<Old<'a>>, news: &[New<'a>]) -> Self {
        let (mut gone_by_name, mut gone_by_extension) = (HashMap::new(), HashMap::new());
        let mut siblings: HashMap<_, Vec<_>> = HashMap::new();
        let mut add = |path, pick| {
            for (stem, numbers) in [stem(path), folder_stem(path)].into_iter().flatten() {
                siblings.entry(stem).or_default().push((numbers, pick));
            }
        };
        for (i, old) in olds.iter().enumerate() {
            add(old.path, Pick::Old(i));
            if old.gone {
                let name = file_name(old.path);
                gone_by_name.entry((old.top, name)).or_insert_with(Vec::new).push(i);
                let extension = (old.top, extension(old.path));
                gone_by_extension.entry(extension).or_insert_with(Vec::new).push(i);
            }
        }
        for (i, new) in news.iter().enumerate().filter(|(_, new)| new.need == Need::Any) {
            add(new.path, Pick::New(i));
        }
        for files in siblings.values_mut() {
            files.sort_by(|a, b| a.0.cmp(&b.0));
        }
        for files in gone_by_extension.values_mut() {
            files.sort_by_key(|i| olds.get(*i).map(|old| old.size));
        }
        Self { olds, gone_by_name, gone_by_extension, siblings }
    }

    /// Chooses for a new file, which comes before the one with the number `place`.
    ///
    /// First comes a file of the same name that is gone from the same tracked folder; then, in the same
    /// folder, the nearest lower number of a name that differs in numbers only, or else the nearest
    /// higher one; then the same among files of this very name in folders that differ in numbers only;
    /// then a gone file of the same extension and at most twice or half the size.
    pub(super) fn pick(&self, place: usize, new: &New) -> Option<Pick> {
        let stems = [stem, folder_stem];
        let sibling = || stems.into_iter().find_map(|stem| self.sibling(place, new, stem));
        match new.need {
            Need::Nothing => None,
            Need::Stored | Need::Any => {
                self.moved(new).or_else(sibling).or_else(|| self.renamed(new))
            }
        }
    }

    fn size(&self, i: usize) -> u64 {
        self.olds.get(i).map_or(0, |old| old.size)
    }

    fn moved(&self, new: &New) -> Option<Pick> {
        let same = self.gone_by_name.get(&(new.top, file_name(new.path)))?;
        same.iter().min_by_key(|i| self.size(**i).abs_diff(new.size)).map(|i| Pick::Old(*i))
    }

    fn renamed(&self, new: &New) -> Option<Pick> {
        let same = self.gone_by_extension.get(&(new.top, extension(new.path)))?;
        let above = same.partition_point(|i| self.size(*i) < new.size);
        let near = above.checked_sub(1).into_iter().chain([above]).filter_map(|at| same.get(at));
        let near = near.filter(|i| {
            let size = self.size(**i);
            size <= new.size.saturating_mul(2) && new.size <= size.saturating_mul(2)
        });
        near.min_by_key(|i| self.size(**i).abs_diff(new.size)).map(|i| Pick::Guess(*i))
    }

    fn sibling(
        &self,
        place: usize,
        new: &New,
        stem: fn(&[u8]) -> Option<(Stem, Numbers<'_>)>,
    ) -> Option<Pick> {
        let (stem, numbers) = stem(new.path)?;
        let all = self.siblings.get(&stem)?;
        let may = |(_, pick): &&(Numbers, Pick)| match *pick {
            Pick::New(i) => new.need == Need::Any && i < place,
            Pick::Old(_) | Pick::Guess(_) => true,
        };
        let own = all.partition_point(|(other, _)| *other < numbers);
        let end = all.partition_point(|(other, _)| *other <= numbers);
        let below = all.get(..own).unwrap_or_default().iter().rev().find(may);
        let above = all.get(end..).unwrap_or_default().iter().find(may);
        below.or(above).map(|(_, pick)| *pick)
    }
}

/// The numbers in a name, in order: digits without leading zeros.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Numbers<'a>(Vec<(usize, &'a [u8])>);

/// What a path has in common with its siblings: that of its folder, and that of its name.
type Stem = (Vec<u8>, Vec<u8>);

/// Splits a path at the numbers in its name.
fn stem(path: &[u8]) -> Option<(Stem, Numbers<'_>)> {
    let name = file_name(path);
    let (common, numbers) = split(name)?;
    Some(((path.get(..path.len() - name.len())?.to_vec(), common), numbers))
}

/// Splits a path at the numbers in the folders above it. These are marked, so that it is no sibling
/// of what has the same name in the one folder of that stem.
fn folder_stem(path: &[u8]) -> Option<(Stem, Numbers<'_>)> {
    let name = file_name(path);
    let (mut common, numbers) = split(path.get(..path.len() - name.len())?)?;
    common.push(0);
    Some(((common, name.to_vec()), numbers))
}

/// Splits a text at its numbers; nothing if there is none, or if one counts the parts of a whole
/// (`model-00001-of-00005`).
fn split(text: &[u8]) -> Option<(Vec<u8>, Numbers<'_>)> {
    let (mut common, mut numbers) = (Vec::with_capacity(text.len()), Vec::new());
    for run in runs(text) {
        if let Some(number) = number(run) {
            numbers.push(number);
            common.push(b'0');
        } else {
            common.extend(run);
        }
    }
    let is_part = common.windows(6).any(|part| part == b"0-of-0");
    (!numbers.is_empty() && !is_part).then_some((common, Numbers(numbers)))
}

/// Returns which of these paths is the newest sibling of a tracked folder: the nearest lower number
/// of a path that differs in numbers only, or else the nearest higher one.
pub(super) fn sibling_of(folder: &[u8], others: &[&[u8]]) -> Option<usize> {
    let (common, own) = split(folder)?;
    let split = others.iter().enumerate().filter_map(|(i, other)| Some((i, split(other)?)));
    let alike = split.filter(|(_, (other, _))| *other == common).map(|(i, (_, of))| (of, i));
    let (below, above): (Vec<_>, Vec<_>) =
        alike.filter(|(of, _)| *of != own).partition(|(of, _)| *of < own);
    below.into_iter().max().or_else(|| above.into_iter().min()).map(|(_, i)| i)
}

/// Runs of digits and what lies between them.
fn runs(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    name.chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit())
}

/// A run of digits, so that a higher number is greater.
fn number(run: &[u8]) -> Option<(usize, &[u8])> {
    run.first().filter(|b| b.is_ascii_digit())?;
    let zeros = run.iter().take_while(|b| **b == b'0').count();
    let digits = run.get(zeros..).unwrap_or_default();
    Some((digits.len(), digits))
}

/// The order of paths in which `9` comes before `10`.
pub(super) fn natural(a: &[u8], b: &[u8]) -> Ordering {
    for (x, y) in runs(a).zip(runs(b)) {
        let order = match (number(x), number(y)) {
            (Some(x), Some(y)) => x.cmp(&y),
            _ => x.cmp(y),
        };
        if order.is_ne() {
            return order;
        }
    }
    runs(a).count().cmp(&runs(b).count()).then_with(|| a.cmp(b))
}

fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit(|b| *b == b'/').next().unwrap_or(path)
}

/// What follows the last dot of a path's name; nothing where that is the first letter.
pub(super) fn extension(path: &[u8]) -> &[u8] {
    let name = file_name(path);
    let dot = name.iter().rposition(|b| *b == b'.').filter(|at| *at > 0);
    dot.and_then(|at| name.get(at + 1..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn old(path: &str, size: u64, gone: bool) -> Old<'_> {
        Old { path: path.as_bytes(), top: b"", size, gone }
    }

    fn new(path: &str, size: u64) -> New<'_> {
        New { path: path.as_bytes(), top: b"", size, need: Need::Any }
    }

    fn pick(olds: &[Old], news: &[New]) -> Vec<Option<Pick>> {
        let names = Names::new(olds.to_vec(), news);
        news.iter().enumerate().map(|(i, new)| names.pick(i, new)).collect()
    }

    fn picked(olds: &[Old], path: &str, size: u64) -> Option<Pick> {
        pick(olds, &[new(path, size)])[0]
    }

    #[test]
    fn a_file_of_the_same_name_that_is_gone_comes_first() {
        let olds = [old("b/x.csv", 10, true), old("c/x.csv", 100, true), old("x.csv", 99, false)];
        assert_eq!(picked(&olds, "a/x.csv", 99), Some(Pick::Old(1)));
        assert_eq!(picked(&olds, "a/x.bin", 99), None);
    }

    #[test]
    fn a_gone_file_of_the_same_extension_is_taken_only_if_its_size_is_near() {
        let olds = [
            old("a.csv", 49, true),
            old("b.csv", 60, true),
            old("c.csv", 120, true),
            old("d.csv", 100, false),
            old("e.bin", 100, true),
        ];
        assert_eq!(picked(&olds, "n.csv", 100), Some(Pick::Guess(2)));
        assert_eq!(picked(&olds, "n.csv", 61), Some(Pick::Guess(1)));
        assert_eq!(picked(&olds, "n.csv", 24), None);
        assert_eq!(picked(&olds, "n.csv", 241), None);
        assert_eq!(picked(&olds, "n", 100), None);
    }

    #[test]
    fn nothing_is_taken_out_of_another_tracked_folder() {
        let inside = Old { top: b"data", ..old("data/a.csv", 100, true) };
        assert_eq!(picked(&[inside], "a.csv", 100), None);
        let other = New { top: b"data", ..new("data/b.csv", 100) };
        assert_eq!(pick(&[inside], &[other]), [Some(Pick::Guess(0))]);
    }

    #[test]
    fn the_newest_sibling_is_the_nearest_lower_number_or_else_the_nearest_higher() {
        let olds = [
            old("m-0100.bin", 1, false),
            old("m-9.bin", 1, true),
            old("m-300.bin", 1, false),
            old("sub/m-250.bin", 1, false),
            old("n-250.bin", 1, false),
        ];
        assert_eq!(picked(&olds, "m-0200.bin", 9), Some(Pick::Old(0)));
        assert_eq!(picked(&olds, "m-0010.bin", 9), Some(Pick::Old(1)));
        assert_eq!(picked(&olds, "m-5.bin", 9), Some(Pick::Old(1)));
        assert_eq!(picked(&olds, "m-.bin", 9), None);
        assert_eq!(picked(&olds, "n-1.bin", 9), Some(Pick::Old(4)));
    }

    #[test]
    fn a_file_of_the_same_name_in_a_folder_of_another_number_is_a_sibling_too() {
        let olds = [
            old("out/checkpoint-500/model.bin", 1, false),
            old("out/checkpoint-900/model.bin", 1, false),
            old("out/checkpoint-900/optimizer.bin", 1, false),
            old("out/checkpoint-2000/model.bin", 1, false),
            old("out/checkpoint-500/part-00001-of-00002.bin", 1, false),
            old("old-9/checkpoint-990/model.bin", 1, false),
        ];
        let sibling = |path| picked(&olds, path, 9);
        assert_eq!(sibling("out/checkpoint-1000/model.bin"), Some(Pick::Old(1)));
        assert_eq!(sibling("out/checkpoint-100/model.bin"), Some(Pick::Old(0)));
        assert_eq!(sibling("out/checkpoint-1000/part-00001-of-00002.bin"), Some(Pick::Old(4)));
        assert_eq!(sibling("out/checkpoint-1000/part-00002-of-00002.bin"), None);
        assert_eq!(sibling("out/checkpoint/model.bin"), None);
        assert_eq!(sibling("old-10/checkpoint-10/model.bin"), Some(Pick::Old(5)));
        // A number of the name comes first.
        let olds = [old("run-1/m-2", 1, false), old("run-2/m-1", 1, false)];
        assert_eq!(picked(&olds, "run-2/m-2", 1), Some(Pick::Old(1)));
        assert_eq!(picked(&olds, "run-3/m-2", 1), Some(Pick::Old(0)));
    }

    #[test]
    fn the_newest_sibling_of_a_folder_is_found_by_its_number() {
        let others: [&[u8]; 5] = [b"c-500", b"c-900", b"c-2000", b"d-950", b"c-1000/x"];
        assert_eq!(sibling_of(b"c-1000", &others), Some(1));
        assert_eq!(sibling_of(b"c-9", &others), Some(0));
        assert_eq!(sibling_of(b"c-500", &others), Some(1));
        assert_eq!(sibling_of(b"c", &others), None);
        assert_eq!(sibling_of(b"e-1", &others), None);
    }

    #[test]
    fn numbers_that_count_the_parts_of_a_whole_make_no_siblings() {
        let olds = [old("m-00001-of-00002.bin", 1, false)];
        assert_eq!(picked(&olds, "m-00002-of-00002.bin", 1), None);
    }

    #[test]
    fn a_new_file_takes_the_one_before_it_and_never_one_after_it() {
        let mut news = [new("m-10", 9), new("m-9", 9), new("m-11", 9), new("m-8", 9)];
        news.sort_by(|a, b| natural(a.path, b.path));
        let expected = [None, Some(Pick::New(0)), Some(Pick::New(1)), Some(Pick::New(2))];
        assert_eq!(pick(&[], &news), expected);
        news[1].need = Need::Stored;
        assert_eq!(pick(&[], &news), [None, None, Some(Pick::New(0)), Some(Pick::New(2))]);
        news[2].need = Need::Nothing;
        assert_eq!(pick(&[], &news)[3], Some(Pick::New(0)));
    }

    #[test]
    fn paths_are_ordered_by_their_numbers() {
        let mut paths = ["a10/b", "a9/c", "a9", "a09/b", "b", "a9/b", "a"];
        paths.sort_by(|a, b| natural(a.as_bytes(), b.as_bytes()));
        assert_eq!(paths, ["a", "a9", "a09/b", "a9/b", "a9/c", "a10/b", "b"]);
    }
}
