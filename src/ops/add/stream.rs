//! `haul add --push`: packs go to the remote while files are still being read, and do not stay here.
//!
//! The worktree has the bytes until the push record stands, and no pointer is written before: a run
//! that ends in between leaves orphans on the remote, and the next one stores anew (docs/format/protocol.md).

use std::sync::mpsc::{Receiver, sync_channel};

use serde::Serialize;

use crate::cache::{CacheError, Held, Index, WrittenPack};
use crate::hash::{PackId, PackKind};
use crate::ops::add::build::Built;
use crate::ops::add::publish::publish;
use crate::ops::add::run::{AddPlan, AddReport, Added, Memory, store};
use crate::ops::error::OpError;
use crate::ops::open::choose;
use crate::ops::push::{PushReport, earlier, reported};
use crate::ops::retain::{After, retain};
use crate::path::show;
use crate::pointer::Pointer;
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{
    Avoid, Contact, Filter, Home, Purpose, PushRequest, Pushed, Root, Stage, Stream, TransferError,
    Wanted, push,
};

/// Packs that wait to be sent; as many again are on their way, and two are being written.
const WAITING: usize = 4;

/// What an add did that pushed too.
#[derive(Clone, Debug, Serialize)]
pub struct AddedAndPushed {
    /// What was added.
    #[serde(flatten)]
    pub add: AddReport,
    /// What was sent.
    pub push: PushReport,
}

/// As [`crate::ops::add::run`], with the content on the default remote at the end and none of it in the
/// cache.
pub fn run_and_push(
    repo: &Repo,
    plan: AddPlan,
    jobs: Option<usize>,
    job: &Job,
) -> Result<AddedAndPushed, OpError> {
    let done = add_and_push(repo, plan, jobs, job)?;
    retain(repo, After::Push, job);
    Ok(done)
}

fn add_and_push(
    repo: &Repo,
    plan: AddPlan,
    jobs: Option<usize>,
    job: &Job,
) -> Result<AddedAndPushed, OpError> {
    if let Some(part) = plan.targets.iter().find(|planned| planned.target.outer.is_some()) {
        let path = show(part.target.path.as_bytes());
        return Err(OpError::refused(
            format!("cannot push while `{path}` is added: it is a part of a tracked folder"),
            "run `haul add` without `--push`, then `haul push`",
        ));
    }
    let _working = repo.lock_for_work()?;
    let target = choose(repo, None, jobs)?;
    let parts = (repo.layout(), repo.index()?);
    let mut contact = Contact::make(target.open()?, parts, target.jobs, Purpose::Push, job)?;
    let stream = Stream::begin(&mut contact, job)?;
    let added = stored(repo, plan, &stream, job)?;
    let sent = added.packs.into_iter().map(|pack| (pack.id, pack)).collect();
    let roots = roots(&added.built)?;
    let request = PushRequest {
        earlier: earlier(repo, &roots)?,
        roots,
        repo: repo.identity()?,
        home: Home::Yes,
        avoid: Avoid::Nothing,
        sent,
    };
    let pushed = if request.roots.is_empty() {
        Pushed::default()
    } else {
        push(&request, &mut contact, job)?
    };
    publish(repo, (&added.targets, &added.built), job)?;
    let targets = added.built.into_iter().flat_map(|built| built.rows).collect();
    let report = AddReport { targets, ..added.report };
    let push = reported(target.name, &pushed, contact.remote().counts().into());
    Ok(AddedAndPushed { add: report, push })
}

/// Takes everything in, with a thread that sends each pack once it is durable.
fn stored(repo: &Repo, plan: AddPlan, stream: &Stream, job: &Job) -> Result<Added, OpError> {
    let (send, waiting) = sync_channel(WAITING);
    let (stored, sending) = std::thread::scope(|scope| {
        let sender = scope.spawn(move || send_all(&waiting, stream, job));
        let landed = |pack: &WrittenPack| {
            // Why the sender is gone is said when it is waited for.
            let gone = |_| CacheError::Pack { why: "packs cannot be sent any more".to_owned() };
            send.send((pack.id, pack.size)).map_err(gone)
        };
        let stored = store(repo, plan, (Memory::Trusted, Some(&landed)), job);
        drop(send);
        (stored, sender.join())
    });
    sending.map_err(|_| OpError::Defect("the thread that sends packs died".to_owned()))??;
    stored
}

/// Sends what comes in, in waves of what is there.
fn send_all(
    waiting: &Receiver<(PackId, u64)>,
    stream: &Stream,
    job: &Job,
) -> Result<(), TransferError> {
    while let Ok(first) = waiting.recv() {
        let more = waiting.try_iter().take(WAITING - 1);
        let wave: Vec<(PackId, u64)> = std::iter::once(first).chain(more).collect();
        stream.send(&wave, job)?;
    }
    Ok(())
}

fn roots(done: &[Built]) -> Result<Vec<(Wanted, Stage)>, OpError> {
    let mut out = Vec::new();
    for built in done {
        let pointer = Pointer::parse(&built.pointer)
            .map_err(|e| OpError::Defect(format!("a pointer that was just made: {e}")))?;
        let (path, root) = (built.path.as_bytes().to_vec(), Root::of(&pointer));
        if root != Root::Empty {
            out.push((Wanted { path, root, filter: Filter::All }, Stage::Unpublished));
        }
    }
    Ok(out)
}

/// Lists packs of nodes that no push confirmed: those of a run that ended may name packs that went from
/// here and that nobody lists.
pub(super) fn unpushed_nodes(index: &Index) -> Result<Vec<PackId>, OpError> {
    let unpushed = index.packs(Held::Unpushed)?.into_iter();
    let nodes = unpushed.filter(|(_, state)| state.kind == PackKind::Nodes.byte());
    Ok(nodes.map(|(pack, _)| pack).collect())
}
