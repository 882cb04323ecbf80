//! Large files that a pull builds while it fetches, so that they only need their names afterwards.

use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

use crate::cache::{Index, Layout, Link, ObjectReader};
use crate::fs::Dir;
use crate::ops::checkout::plan::{CheckoutPlan, Write};
use crate::ops::checkout::wanted::{Target, chunks};
use crate::ops::error::OpError;
use crate::ops::import::nearest;
use crate::path::RepoPath;
use crate::progress::Job;
use crate::recipe::ChunkEntry;
use crate::repo::Repo;
use crate::worktree::{Arriving, Built, LARGE, Whole, build_ahead};

/// Most files built ahead: each is an open one, and waits for the end of the fetch.
const MOST: usize = 8;

/// A file that can be built ahead.
pub(crate) struct Order {
    path: RepoPath,
    /// The folder nearest to it that is there already: it is built in that.
    dir: Dir,
    executable: bool,
    chunks: Vec<ChunkEntry>,
}

/// Lists the large files of a plan that have no older version there, if the disk holds all of the plan beside
/// `receive_bytes` that are yet to come; none where links lead into the cache.
pub(crate) fn orders(
    repo: &Repo,
    plan: &CheckoutPlan,
    receive_bytes: u64,
) -> Result<Vec<Order>, OpError> {
    let link = plan.work.link.unwrap_or(repo.config().cache_link.value);
    let room = plan.bytes.saturating_add(receive_bytes);
    if matches!(link, Link::Hardlink | Link::Symlink) || repo.door().root().free_bytes()? < room {
        return Ok(Vec::new());
    }
    let is_new = |write: &&Write| write.seen.is_none() && write.unsaved.is_none();
    let is_large = |write: &&Write| write.target.content.size() >= LARGE;
    let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
    let mut orders = Vec::new();
    for Write { target, .. } in plan.work.writes.iter().filter(is_new).filter(is_large).take(MOST) {
        let (Some(name), Some(chunks)) = (target.whole_name(), chunks(target, &mut reader)?) else {
            continue;
        };
        let (_, dir) = nearest(repo, &target.path)?;
        let path = target.path.clone();
        orders.push(Order { path, dir, executable: name.executable, chunks });
    }
    Ok(orders)
}

/// Files that are built and have no names yet.
#[derive(Default)]
pub(crate) struct Ahead<'o> {
    built: Mutex<Vec<(&'o RepoPath, Built<'o>)>>,
    /// Their bytes.
    pub(super) bytes: u64,
}

impl<'o> Ahead<'o> {
    /// Builds files one after the other, waiting for chunks until nothing comes any more. What cannot be
    /// built is left for the checkout, which says why.
    pub(crate) fn build(
        orders: &'o [Order],
        (layout, index): (&Layout, &Index),
        over: &AtomicBool,
        job: &Job,
    ) -> Self {
        let arriving = Arriving { arrivals: index.arrivals(), over };
        let Ok(reader) = ObjectReader::observing(layout, index) else { return Self::default() };
        let mut ahead = Self::default();
        for order in orders {
            let path = order.dir.path_of(order.path.file_name());
            let what = (order.chunks.as_slice(), order.executable);
            let built = build_ahead(&reader, (&order.dir, &path), what, &arriving, job);
            let Ok(built) = built else { break };
            ahead.bytes += order.chunks.iter().map(|chunk| chunk.size).sum::<u64>();
            ahead.all().push((&order.path, built));
        }
        ahead
    }

    /// Hands out the file that was built for a target, if it is what that wants.
    pub(super) fn take(&self, target: &Target, whole: &Whole) -> Option<Built<'o>> {
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        let found = built.iter().position(|(path, built)| **path == target.path && built.is(whole));
        found.map(|number| built.swap_remove(number).1)
    }

    fn all(&mut self) -> &mut Vec<(&'o RepoPath, Built<'o>)> {
        self.built.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}
