//! Large files that look changed and may not be: where the old hash is that of the bytes, one hash tells, and
//! nothing is cut.

use std::collections::BTreeSet;
use std::os::unix::fs::FileExt;

use crate::cache::{Known, LocalNodeError, ObjectReader, StatEntry};
use crate::fs::Stamp;
use crate::hash::{ChunkId, PackId};
use crate::node::ReadError;
use crate::ops::add::contents::Row;
use crate::ops::add::recall::is_stored;
use crate::ops::checkout::tree_error;
use crate::ops::error::OpError;
use crate::path::RepoPath;
use crate::progress::{Job, Kind};
use crate::recipe::{ChunkEntry, Chunks};
use crate::repo::Repo;
use crate::worktree::{Knowledge, Parent};

/// Chunks that are looked at before a whole file is.
const SAMPLES: usize = 16;
/// Largest file that is read again if its hash is another one after all, in bytes: of what is larger,
/// memory may have nothing left by then.
const TWICE: u64 = 8 << 30;

/// Finds which of these large files, each with a number, have the bytes that the stat cache knows of them by
/// another stamp, as far as all of that is stored in packs that count; with what is known of them now.
pub(super) fn touched(
    repo: &Repo,
    (knowledge, files): (&Knowledge, Vec<(usize, RepoPath, Stamp)>),
    (reader, lost): (&mut ObjectReader, &BTreeSet<PackId>),
    job: &Job,
) -> Result<Vec<(usize, StatEntry, Row)>, OpError> {
    let (mut numbers, mut likely) = (Vec::new(), Vec::new());
    for (number, path, stamp) in files {
        let Some(last) = knowledge.last(&path) else { continue };
        let same = last.known == Known::Stored && last.stamp.size == stamp.size;
        if same
            && stamp.size <= TWICE
            && is_stored(&last, reader, lost)
            && looks_same(repo, (&path, &last), reader, job)?
        {
            numbers.push(number);
            likely.push((path, stamp));
        }
    }
    if likely.is_empty() {
        return Ok(Vec::new());
    }
    let task = job.begin(Kind::Check, Some(likely.iter().map(|(_, stamp)| stamp.size).sum()));
    let found = knowledge.identify(repo.door(), &likely, &task, job)?;
    let same = numbers.into_iter().zip(likely).zip(found);
    let same = same.filter_map(|((number, (path, _)), content)| {
        let last = knowledge.last(&path).filter(|last| last.oid == content.oid)?;
        // The stamp of the old row shows that it changed, whatever the new one hides.
        let row = if knowledge.is_settled(&content) { Row::Written } else { Row::Kept };
        Some((number, StatEntry { stamp: content.stamp, ..last }, row))
    });
    Ok(same.collect())
}

/// Compares some of a file's chunks, the first and the last among them, with those it had.
fn looks_same(
    repo: &Repo,
    (path, last): (&RepoPath, &StatEntry),
    reader: &mut ObjectReader,
    job: &Job,
) -> Result<bool, OpError> {
    let Some((_, root)) = last.tree else { return Ok(false) };
    let chunks = Chunks::all(root, last.stamp.size, |id| reader.node_bytes(id));
    let chunks = match chunks.collect::<Result<Vec<_>, _>>() {
        Ok(chunks) => chunks,
        // The file is here, and says it all.
        Err(ReadError::Source { source: LocalNodeError::Absent(_), .. }) => return Ok(false),
        Err(e) => {
            job.check()?;
            job.warn(&tree_error(path, e).to_string());
            return Ok(false);
        }
    };
    let mut parent = Parent::default();
    let Some(folder) = parent.of(repo.door(), path)? else { return Ok(false) };
    let Ok((file, _)) = folder.open_file(path.file_name()) else { return Ok(false) };
    let mut buffer = Vec::new();
    let end = chunks.len().saturating_sub(1);
    let is_same = |at: usize| {
        let Some(chunk) = chunks.get(at) else { return true };
        let ChunkEntry { id, size } = chunk.entry;
        buffer.resize(usize::try_from(size).unwrap_or(0), 0);
        file.read_exact_at(&mut buffer, chunk.offset).is_ok() && ChunkId::of(&buffer) == id
    };
    Ok((0..SAMPLES).map(|n| n * end / (SAMPLES - 1)).all(is_same))
}
