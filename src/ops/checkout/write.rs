//! Writing the files of a checkout, each proved before it has its name.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use crate::cache::{Link, ObjectReader, WholeFiles, WholeName, note_links};
use crate::config::Keep;
use crate::fs::{Dir, FileKind, Stamp};
use crate::manifest::{Content, EntryKind};
use crate::ops::checkout::act::CheckoutReport;
use crate::ops::checkout::ahead::Ahead;
use crate::ops::checkout::order::in_order_of_packs;
use crate::ops::checkout::packed::Packed;
use crate::ops::checkout::placed::Placed;
use crate::ops::checkout::wanted::{Target, chunks};
use crate::ops::checkout::writes::{Write, Writes};
use crate::ops::error::OpError;
use crate::path::{JsonPath, RepoPath, json_path, show};
use crate::progress::{Job, Kind, Task};
use crate::recipe::{ChunkEntry, Chunks, Former};
use crate::repo::Repo;
use crate::worktree::{
    Door, LARGE, Parent, PlaceError, Recipe, Sharing, StillAsSeen, Wanted, Whole, place_built,
    place_file, place_folder, place_link, place_standing, place_whole,
};

/// Files that one worker places at a time.
const PIECE: usize = 64;

/// How the files of one checkout share bytes with the cache.
pub(super) struct Shared<'r, 'o> {
    files: WholeFiles<'r>,
    /// What was built before.
    ahead: &'r Ahead<'o>,
    link: Link,
    keep: bool,
}

impl<'r, 'o> Shared<'r, 'o> {
    /// Opens the whole files of the cache; says where links will stand, before they do.
    pub(super) fn open(
        repo: &'r Repo,
        (link, ahead): (Link, &'r Ahead<'o>),
        writes: &Writes,
    ) -> Result<Self, OpError> {
        let files = WholeFiles::open(repo.layout(), repo.index()?)?;
        if link == Link::Symlink {
            let mut linked = Vec::new();
            writes.each(|write| {
                linked.extend(write.target.whole_name().map(|_| write.target.path.clone()));
                Ok(())
            })?;
            let paths = linked.iter().map(RepoPath::as_bytes);
            note_links(repo.layout(), repo.git().root(), paths)?;
        }
        let keep = match link {
            Link::Copy => false,
            // Nobody could tell later whether one that shares blocks still takes no room.
            Link::Reflink => repo.config().cache_keep.value == Keep::Recent,
            Link::Hardlink | Link::Symlink => true,
        };
        Ok(Self { files, ahead, link, keep })
    }

    fn of(&self, target: &Target) -> Option<Sharing<'_>> {
        let name = target.whole_name()?;
        Some(Sharing { files: &self.files, name, link: self.link, keep: self.keep })
    }

    /// Takes the stamps of placed files again, as further names of a file change its own time.
    pub(super) fn look_again(
        &self,
        repo: &Repo,
        placed: Packed<Placed>,
    ) -> Result<Packed<Placed>, OpError> {
        if self.link != Link::Hardlink {
            return Ok(placed);
        }
        let (mut parent, mut out) = (Parent::default(), Packed::default());
        for one in placed.into_rows() {
            let mut one = one?;
            let now = parent.stamp(repo.door(), &one.path)?;
            let same = |now: &Stamp| Stamp { ctime: one.stamp.ctime, ..*now } == one.stamp;
            one.stamp = now.filter(same).unwrap_or(one.stamp);
            out.push(&one);
        }
        Ok(out)
    }

    /// Remembers what was learned of the files in the cache, and says which of them were changed.
    pub(super) fn save(&self, repo: &Repo, job: &Job) -> Result<(), OpError> {
        self.files.save(repo.door().now()?)?;
        for path in self.files.spoiled() {
            job.warn(&format!(
                "`{}` was changed in place and is not used; `haul fsck --repair` puts it aside",
                path.display()
            ));
        }
        Ok(())
    }
}

/// Writes files into a folder that holds none of them; nothing is remembered of them.
pub(crate) fn write_anew(
    repo: &Repo,
    door: &Door,
    targets: Vec<Target>,
    job: &Job,
) -> Result<CheckoutReport, OpError> {
    let writes: Vec<Write> = targets.into_iter().map(|target| Write::anew(target, None)).collect();
    let bytes = writes.iter().map(|w| w.target.content.size()).fold(0, u64::saturating_add);
    let mut report = CheckoutReport::default();
    write_all((repo, door), ([Ok(writes)], bytes), (None, &mut report), job)?;
    door.root().sync()?;
    Ok(report)
}

/// Writes everything, one list after the other and `bytes` in all; what is not on this machine is reported.
pub(super) fn write_all<L: AsRef<[Write]>>(
    (repo, door): (&Repo, &Door),
    (lists, bytes): (impl IntoIterator<Item = Result<L, OpError>>, u64),
    (shared, report): (Option<&Shared<'_, '_>>, &mut CheckoutReport),
    job: &Job,
) -> Result<Packed<Placed>, OpError> {
    let task = job.begin(Kind::Place, Some(bytes));
    let mut all = Packed::default();
    for writes in lists {
        let (placed, missing) = write_list((repo, door), writes?.as_ref(), shared, (&task, job))?;
        report.written += placed.len() as u64;
        for (placed, bytes) in placed {
            report.bytes += bytes;
            all.push(&placed);
        }
        report.missing.extend(missing);
    }
    Ok(all)
}

/// Files that were written, each with its bytes, and the paths of those whose content is not on this machine.
type Written = (Vec<(Placed, u64)>, Vec<JsonPath>);

fn write_list(
    (repo, door): (&Repo, &Door),
    writes: &[Write],
    shared: Option<&Shared<'_, '_>>,
    (task, job): (&Task, &Job),
) -> Result<Written, OpError> {
    let missing = Mutex::new(Vec::new());
    let index = repo.index()?;
    let place = |write: &Write, tools: (&mut ObjectReader, &mut Parent)| {
        job.check()?;
        let placed = write_one((door, shared), write, tools, task, job)?;
        if placed.is_none() {
            let path = json_path(write.target.path.as_bytes());
            missing.lock().unwrap_or_else(PoisonError::into_inner).push(path);
        }
        Ok(placed.map(|placed| (placed, write.target.content.size())))
    };
    // A large file takes all cores.
    let (large, mut small): (Vec<&Write>, Vec<&Write>) =
        writes.iter().partition(|write| write.target.content.size() >= LARGE);
    in_order_of_packs(&mut small, &index.reader()?);
    let pieces: Result<Vec<Vec<(Placed, u64)>>, OpError> = small
        .par_chunks(PIECE)
        .map(|piece| {
            let mut reader = ObjectReader::new(repo.layout(), index)?;
            let mut parent = Parent::default();
            let placed = piece.iter().map(|write| place(write, (&mut reader, &mut parent)));
            placed.filter_map(Result::transpose).collect()
        })
        .collect();
    let mut placed: Vec<(Placed, u64)> = pieces?.into_iter().flatten().collect();
    if !large.is_empty() {
        let mut reader = ObjectReader::new(repo.layout(), index)?;
        let mut parent = Parent::default();
        for write in large {
            placed.extend(place(write, (&mut reader, &mut parent))?);
        }
    }
    Ok((placed, missing.into_inner().unwrap_or_else(PoisonError::into_inner)))
}

/// Writes one file, link or empty folder; nothing if its content is not on this machine.
fn write_one(
    (door, shared): (&Door, Option<&Shared<'_, '_>>),
    write: &Write,
    (reader, parent): (&mut ObjectReader, &mut Parent),
    task: &Task,
    job: &Job,
) -> Result<Option<Placed>, OpError> {
    let target = &write.target;
    let path = &target.path;
    let failed = |source: PlaceError| OpError::Place { path: path.as_bytes().to_vec(), source };
    let Some(dir) = parent.make(door, path)? else {
        return Err(OpError::Defect("a folder could not be opened".to_owned()));
    };
    let name = path.file_name();
    let now = dir.stamp(name)?.filter(|_| !revived(write, dir));
    if write.unsaved.is_none() && !unchanged(now.as_ref(), write.seen.as_ref()) {
        return Err(OpError::refused(
            format!("`{}` was changed while it was about to be replaced", show(path.as_bytes())),
            "run the same command again",
        ));
    }
    // Building it takes time: what stands there must still be what was judged.
    let still = |now: Option<&Stamp>| match write.unsaved {
        Some(_) => now.is_none_or(|s| s.kind == FileKind::Directory),
        None => unchanged(now, write.seen.as_ref()) || revived(write, dir),
    };
    let place = (dir, name, &still as StillAsSeen<'_>);
    let executable = target.kind == EntryKind::Executable;
    let whole = Whole { oid: target.oid(), size: target.content.size(), executable };
    let sharing = shared.and_then(|shared| shared.of(target));
    let folder = now.is_some_and(|s| s.kind == FileKind::Directory);
    let _turn = sharing.as_ref().and_then(|sharing| sharing.files.turn(&sharing.name));
    if !folder
        && let (Some(Shared { ahead, .. }), Some(sharing)) = (shared, &sharing)
        && let Some(stamp) =
            place_at_hand((sharing, ahead), place, (&whole, write), job).map_err(failed)?
    {
        task.advance(whole.size);
        return Ok(Some(Placed::new(target, stamp)));
    }
    let recipe =
        recipe(target, reader)?.filter(|recipe| !is_cache_link(target, (dir, recipe), job));
    let Some(recipe) = recipe else { return Ok(None) };
    if folder && target.kind != EntryKind::EmptyDir {
        dir.remove_folder(name)?;
    }
    let placed = match (target.kind, &recipe) {
        (EntryKind::EmptyDir, _) => place_folder(place),
        (EntryKind::Symlink, Recipe::Bytes(to)) => place_link(to, place),
        (_, recipe) => {
            let former = if whole.size >= LARGE { former(write, reader) } else { None };
            let wanted = Wanted { recipe, whole, former, sharing };
            place_file(reader, place, &wanted, task, job).map(Some)
        }
    };
    let stamp = match placed {
        Ok(stamp) => stamp,
        Err(PlaceError::Absent(_)) => return Ok(None),
        Err(e) => return Err(failed(e)),
    };
    let stamp = stamp.ok_or_else(|| OpError::Defect("a placed file is not there".to_owned()))?;
    Ok(Some(Placed::new(target, stamp)))
}

/// Places a file without its packs: one that was built ahead, a whole file of the cache, or what stands there
/// and is right. Nothing if none is as it should be.
fn place_at_hand(
    (sharing, ahead): (&Sharing<'_>, &Ahead<'_>),
    place: (&Dir, &[u8], StillAsSeen<'_>),
    (whole, write): (&Whole, &Write),
    job: &Job,
) -> Result<Option<Stamp>, PlaceError> {
    if let Some(built) = ahead.take(&write.target, whole)
        && let Some(stamp) = place_built(built, place, (whole, Some(sharing)))?
    {
        return Ok(Some(stamp));
    }
    let placed = place_whole(sharing, place, whole, job)?;
    if placed.is_some() || !write.right {
        return Ok(placed);
    }
    match place_standing(place, (whole, Some(sharing)), job) {
        // It is not what the stat cache took it for.
        Err(PlaceError::Wrong { .. } | PlaceError::WrongSize { .. }) => Ok(None),
        other => other.map(Some),
    }
}

/// Says whether what is to be placed is a link into a cache, which an older haul took for the user's, and
/// warns of it: it would stand for whatever lies there.
fn is_cache_link(target: &Target, (dir, recipe): (&Dir, &Recipe), job: &Job) -> bool {
    let own = match (target.kind, recipe) {
        (EntryKind::Symlink, Recipe::Bytes(to)) => dir.is_own_target(to),
        _ => false,
    };
    if own {
        job.warn(&format!(
            "`{}` was added as a link into a cache of haul and stands for no content: whoever added \
             it has the file, and has to add that",
            show(target.path.as_bytes())
        ));
    }
    own
}

/// Says whether a link that led nowhere leads to its file again, which this run has built for another
/// path of the same content.
fn revived(write: &Write, dir: &Dir) -> bool {
    let link = || WholeName::of_link(&dir.own_link(write.target.path.file_name())?);
    let wanted = write.target.whole_name();
    write.seen.is_none() && wanted.is_some() && link() == wanted
}

/// Returns what a file is made from; nothing if its tree is not on this machine.
fn recipe(target: &Target, reader: &mut ObjectReader) -> Result<Option<Recipe>, OpError> {
    Ok(match &target.content {
        Content::Inline(bytes) => Some(Recipe::Bytes(bytes.clone())),
        Content::Chunk { oid, .. } => Some(Recipe::Chunk((*oid).into())),
        Content::Tree { .. } => chunks(target, reader)?.map(Recipe::Chunks),
    })
}

/// Returns the chunks of what lies in a file's place; nothing if they are not known, which costs time
/// only.
fn former(write: &Write, reader: &mut ObjectReader) -> Option<Former> {
    let (root, size) = write.former.filter(|_| write.unsaved.is_none())?;
    let chunks = Chunks::all(root, size, |id| reader.node_bytes(id));
    let chunks: Result<Vec<ChunkEntry>, _> = chunks.map(|c| c.map(|at| at.entry)).collect();
    chunks.ok().map(Former::new)
}

/// A folder whose files were just removed by this run has changed only in its times.
fn unchanged(now: Option<&Stamp>, seen: Option<&Stamp>) -> bool {
    match (now, seen) {
        (None, _) => true,
        (Some(now), Some(seen)) if now.kind == FileKind::Directory => now.ino == seen.ino,
        (Some(now), Some(seen)) => now.still_is(seen),
        (Some(_), None) => false,
    }
}
