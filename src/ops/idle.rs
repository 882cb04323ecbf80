//! Whole files of the cache that no worktree shares any more: which there are, and which may go.

use std::collections::{BTreeSet, HashSet};

use crate::cache::{
    CachedPack, Form, Held, IdleFile, ObjectReader, WholeFiles, WholeName, list_files,
};
use crate::fs::{FsError, Time, remove};
use crate::hash::{ChunkId, PackId};
use crate::ops::error::OpError;
use crate::ops::linked::links;
use crate::progress::Job;
use crate::recipe::Chunks;
use crate::repo::Repo;

/// Lists whole files that no link leads to and that are no second name of a file elsewhere. Files that
/// share blocks with others count whole, as nobody can tell. None if it cannot be seen which are in use.
pub(crate) fn idle(repo: &Repo, job: &Job) -> Result<Vec<IdleFile>, OpError> {
    let listed = list_files(&repo.layout().files_folder())?;
    if listed.iter().all(|(_, names)| *names > 1) {
        return Ok(Vec::new());
    }
    let linked: HashSet<WholeName> = match links(repo) {
        Err(error @ OpError::Unseen(_)) => {
            job.warn(&format!("no whole file leaves the cache: {error}"));
            return Ok(Vec::new());
        }
        other => other?.into_iter().map(|(name, _)| name).collect(),
    };
    let free =
        listed.into_iter().filter(|(file, names)| *names == 1 && !linked.contains(&file.name));
    Ok(free.map(|(file, _)| file).collect())
}

/// A file that is to go, and the packs from which it can be had again.
pub(crate) struct Going {
    file: IdleFile,
    packs: BTreeSet<PackId>,
}

/// Finds the packs that each file can be had from again; one of which that is not known stays.
pub(crate) fn with_packs(repo: &Repo, files: Vec<IdleFile>) -> Result<Vec<Going>, OpError> {
    let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
    let mut out = Vec::new();
    for file in files {
        if let Some(packs) = packs_of(&file, &mut reader) {
            out.push(Going { file, packs });
        }
    }
    Ok(out)
}

fn packs_of(file: &IdleFile, reader: &mut ObjectReader) -> Option<BTreeSet<PackId>> {
    let mut ids: Vec<[u8; 32]> = Vec::new();
    match file.name.root {
        None => ids.push(file.name.oid.0),
        Some(root) => {
            let mut nodes = Vec::new();
            let chunks = Chunks::all(root, file.bytes, |id| {
                nodes.push(id.0);
                reader.node_bytes(id)
            });
            for chunk in chunks {
                ids.push(chunk.ok()?.entry.id.0);
            }
            ids.extend(nodes);
        }
    }
    let mut out = BTreeSet::new();
    for id in ids {
        let view = reader.view();
        out.insert(view.find(&id)?.pack);
        let bases = view.bases(ChunkId(id)).into_iter().flat_map(|bases| bases.ids);
        for base in bases {
            out.insert(view.find(&base.0)?.pack);
        }
    }
    Some(out)
}

/// The packs that the remote must be asked for before these files may go.
pub(crate) fn asked(repo: &Repo, going: &[Going]) -> Result<Vec<CachedPack>, OpError> {
    let view = repo.index()?.reader()?;
    let unpushed =
        |pack: &PackId| view.pack(*pack).is_some_and(|state| state.held == Held::Unpushed);
    let packs: BTreeSet<PackId> =
        going.iter().flat_map(|going| going.packs.iter().copied()).collect();
    let to_ask = packs.into_iter().filter(|pack| !unpushed(pack));
    let used = Time::default();
    Ok(to_ask.map(|pack| CachedPack { pack, form: Form::Whole, bytes: 0, used }).collect())
}

/// Keeps those whose packs are all there, or are kept here because they are nowhere else.
pub(crate) fn proven(
    repo: &Repo,
    going: Vec<Going>,
    there: &HashSet<PackId>,
) -> Result<Vec<IdleFile>, OpError> {
    let view = repo.index()?.reader()?;
    let kept = |pack: &PackId| view.pack(*pack).is_some_and(|state| state.held == Held::Unpushed);
    let sure = |going: &Going| going.packs.iter().all(|pack| there.contains(pack) || kept(pack));
    Ok(going.into_iter().filter(sure).map(|going| going.file).collect())
}

/// Removes files that are still idle and as their names say: what somebody wrote to one is his.
/// Returns how many went, their bytes, and how many were passed over. To be done while nobody else uses the cache.
pub(crate) fn remove_files(
    repo: &Repo,
    files: &[IdleFile],
    job: &Job,
) -> Result<(u64, u64, u64), OpError> {
    let (mut gone, mut bytes, mut passed_over) = (Vec::new(), 0, 0);
    if files.is_empty() {
        return Ok((0, 0, 0));
    }
    let whole = WholeFiles::open(repo.layout(), repo.index()?)?;
    let still: HashSet<_> = idle(repo, job)?.into_iter().map(|file| file.name).collect();
    for file in files {
        if !still.contains(&file.name) || whole.find(&file.name, file.bytes)?.is_none() {
            passed_over += 1;
            continue;
        }
        match remove(&file.path) {
            Err(FsError { source, .. })
                if source.kind() == std::io::ErrorKind::PermissionDenied =>
            {
                passed_over += 1;
            }
            other => {
                other?;
                bytes += file.bytes;
                gone.push(file.name);
            }
        }
    }
    repo.index()?.forget_files(&gone)?;
    Ok((gone.len() as u64, bytes, passed_over))
}
