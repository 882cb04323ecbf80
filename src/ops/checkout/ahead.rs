//! Large files that a pull builds while it fetches, so that they only need their names afterwards.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use crate::cache::{Index, Layout, Link, ObjectReader, WholeFiles};
use crate::fs::Dir;
use crate::ops::checkout::wanted::{Target, chunks, targets};
use crate::ops::chosen::Chosen;
use crate::ops::error::OpError;
use crate::ops::import::nearest;
use crate::path::RepoPath;
use crate::progress::Job;
use crate::recipe::ChunkEntry;
use crate::repo::Repo;
use crate::worktree::{Arriving, Built, LARGE, MakeReader, PlaceError, Whole, build_ahead};

/// Most files built ahead: each is an open one, and waits for the end of the fetch.
const MOST: usize = 8;

/// A file that can be built ahead.
pub(crate) struct Order {
    path: RepoPath,
    /// The folder nearest to it that is there already: it is built on the file system of that.
    dir: Dir,
    whole: Whole,
    chunks: Vec<ChunkEntry>,
}

/// Lists large files at paths where nothing stands, if the disk holds all that is wanted beside `receive_bytes`
/// that are yet to come; none where links lead into the cache. Reads trees, and no content.
pub(crate) fn orders(
    repo: &Repo,
    chosen: &[Chosen],
    receive_bytes: u64,
) -> Result<Vec<Order>, OpError> {
    if matches!(repo.config().cache_link.value, Link::Hardlink | Link::Symlink) {
        return Ok(Vec::new());
    }
    let index = repo.index()?;
    let mut reader = ObjectReader::new(repo.layout(), index)?;
    let files = WholeFiles::open(repo.layout(), index)?;
    let (mut orders, mut room) = (Vec::new(), receive_bytes);
    for item in chosen {
        for target in targets(item, &mut reader)?.unwrap_or_default() {
            let size = target.content.size();
            room = room.saturating_add(size);
            if size >= LARGE && orders.len() < MOST {
                orders.extend(order(repo, target, &files, &mut reader)?);
            }
        }
    }
    Ok(if repo.door().root().free_bytes()? < room { Vec::new() } else { orders })
}

/// Makes an order for a file, unless something stands there, or the cache has it whole.
fn order(
    repo: &Repo,
    target: Target,
    files: &WholeFiles<'_>,
    reader: &mut ObjectReader,
) -> Result<Option<Order>, OpError> {
    let Some(name) = target.whole_name() else { return Ok(None) };
    if repo.door().stamp(&target.path)?.is_some() || files.open_unproven(&name)?.is_some() {
        return Ok(None);
    }
    let Some(chunks) = chunks(&target, reader)? else { return Ok(None) };
    let (oid, size) = (target.oid(), target.content.size());
    let (_, dir) = nearest(repo, &target.path)?;
    let whole = Whole { oid, size, executable: name.executable };
    Ok(Some(Order { path: target.path, dir, whole, chunks }))
}

/// Files that are built and have no names yet.
#[derive(Default)]
pub(crate) struct Ahead<'o> {
    built: Mutex<Vec<(&'o RepoPath, Built<'o>)>>,
}

impl<'o> Ahead<'o> {
    /// Builds files one after the other, waiting for chunks until nothing comes any more; then no further one is
    /// begun. What cannot be built is left for the checkout, which says why.
    pub(crate) fn build(
        orders: &'o [Order],
        (layout, index): (&Layout, &Index),
        arriving: Arriving<'_>,
        job: &Job,
    ) -> Self {
        // One that lasts would keep the index from using its space again.
        let reader: MakeReader<'_, '_> = &|| ObjectReader::observing(layout, index);
        let mut done = Vec::new();
        for Order { path, dir, whole, chunks } in orders {
            if arriving.over.load(Ordering::Acquire) {
                break;
            }
            let what = (chunks.as_slice(), whole.executable);
            let shown = dir.path_of(path.file_name());
            match build_ahead(reader, (dir, &shown), what, &arriving, job) {
                Ok(Some(built)) if built.is(whole) => done.push((path, built)),
                Ok(Some(_)) | Err(PlaceError::Absent(_)) => {}
                Ok(None) | Err(_) => break,
            }
        }
        Self { built: Mutex::new(done) }
    }

    /// Hands out the file that was built for a target, if it is what that wants.
    pub(super) fn take(&self, target: &Target, whole: &Whole) -> Option<Built<'o>> {
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        let found = built.iter().position(|(path, built)| **path == target.path && built.is(whole));
        found.map(|number| built.swap_remove(number).1)
    }

    /// Returns the bytes of those that nobody took.
    pub(super) fn bytes(&self) -> u64 {
        let built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        built.iter().map(|(_, built)| built.size()).sum()
    }
}
