//! Looking at this machine: packs against their names, the index against packs, copies of catalogues.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use crate::cache::{CacheError, Held, LocalPack, PackState, Place};
use crate::catalogue::{Entry, Object};
use crate::fs::{IoResultExt, is_not_plain, read_limited};
use crate::hash::{PackId, PackKind};
use crate::ops::error::OpError;
use crate::ops::fsck::finding::{Finding, Side, What, judge};
use crate::ops::fsck::options::Sampler;
use crate::ops::fsck::report::{State, TallyRow};
use crate::path::show;
use crate::progress::{Job, Kind};
use crate::repo::Repo;
use crate::transfer::{Here, TransferError};

/// Rows of the index that are in memory at once, for packs that are here in parts.
const ROWS: u64 = 500_000;

/// Everything that is known of this machine's packs, to compare it with them.
struct Desk<'d> {
    here: Here<'d>,
    sampler: Sampler,
    known: HashMap<PackId, PackState>,
    rows: HashMap<PackId, u64>,
    objects: AtomicU64,
}

/// Looks at everything on this machine but the worktree.
pub(super) fn look(
    repo: &Repo,
    sampler: Sampler,
    job: &Job,
) -> Result<(Vec<Finding>, TallyRow), OpError> {
    let (layout, index) = (repo.layout(), repo.index()?);
    let packs = LocalPack::list(layout)?;
    let bytes = packs.iter().filter(|p| sampler.takes(p.pack)).map(|p| p.size).sum();
    let task = job.begin(Kind::Check, Some(bytes));
    let here = Here { layout, index, task: &task, job };
    let (known, rows) = (index.all_packs()?, index.count_rows()?);
    let desk = Desk { here, sampler, known, rows, objects: AtomicU64::new(0) };
    let mut out = desk.missing(&packs);
    let (whole, parts): (Vec<&LocalPack>, Vec<&LocalPack>) =
        packs.iter().partition(|pack| pack.held != Held::Part);
    let found: Result<Vec<Option<Finding>>, OpError> =
        whole.par_iter().map(|pack| desk.whole(pack)).collect();
    out.extend(found?.into_iter().flatten());
    out.extend(desk.parts(&parts)?);
    let tally = TallyRow {
        packs: packs.len() as u64,
        objects: desk.objects.load(Ordering::Relaxed),
        bytes,
    };
    out.extend(copies(repo)?);
    Ok((out, tally))
}

fn at(pack: &LocalPack) -> String {
    show(pack.path.as_os_str().as_encoded_bytes()).to_string()
}

fn of(pack: &LocalPack) -> Finding {
    let what = What::Pack { pack: pack.pack, held: Some(pack.held) };
    Finding::new(Side::Local, what, &pack.pack, &at(pack))
}

/// A pack that cannot be read is passed over, so that the others are looked at all the same.
fn refused(pack: &LocalPack, error: OpError) -> Result<Finding, OpError> {
    let told = if let OpError::Fs(e)
    | OpError::Cache(CacheError::Fs(e))
    | OpError::Transfer(
        TransferError::Fs(e) | TransferError::Cache(CacheError::Fs(e)),
    ) = &error
    {
        (e.path == pack.path).then(|| e.source.to_string())
    } else {
        None
    };
    let Some(source) = told else { return Err(error) };
    let mut out = Finding::new(Side::Local, What::Refused, &pack.pack, &at(pack))
        .because(&format!("the system refuses to read it: {source}"));
    out.state = State::Unread;
    Ok(out)
}

impl Desk<'_> {
    /// Packs that must be here and are not. Those that can be fetched again may be removed by anyone.
    fn missing(&self, packs: &[LocalPack]) -> Vec<Finding> {
        let there: HashSet<PackId> =
            packs.iter().filter(|p| p.held != Held::Part).map(|p| p.pack).collect();
        let unpushed = self.known.iter().filter(|(_, state)| state.held == Held::Unpushed);
        let gone = unpushed.filter(|(pack, _)| !there.contains(*pack));
        gone.map(|(pack, _)| {
            let path = self.here.layout.unpushed(*pack);
            let what = What::Pack { pack: *pack, held: Some(Held::Unpushed) };
            let at = show(path.as_os_str().as_encoded_bytes());
            Finding::new(Side::Local, what, pack, &at)
                .because("it was not pushed, and its file is gone")
        })
        .collect()
    }

    /// Looks at a whole pack, and at what the index says of it.
    fn whole(&self, pack: &LocalPack) -> Result<Option<Finding>, OpError> {
        match self.read_whole(pack) {
            Err(e) => refused(pack, e).map(Some),
            found => found,
        }
    }

    fn read_whole(&self, pack: &LocalPack) -> Result<Option<Finding>, OpError> {
        self.here.job.check()?;
        if self.sampler.takes(pack.pack) {
            let examined = match self.here.examine(pack) {
                Err(TransferError::Fs(e)) if e.is_missing() => return Ok(None),
                // A pipe would be waited for, and a link may lead anywhere.
                Err(TransferError::Fs(e)) if is_not_plain(&e.source) => {
                    return Ok(Some(of(pack).because("it is no regular file")));
                }
                other => other?,
            };
            if let Some(finding) = judge(of(pack), pack.pack, &examined) {
                return Ok(Some(finding));
            }
        }
        let Some(footer) = pack.footer()? else {
            // Another process may have moved it meanwhile.
            let gone = !pack.path.exists();
            return Ok((!gone).then(|| of(pack).because("its tables are not sound")));
        };
        self.objects.fetch_add(footer.objects.len() as u64, Ordering::Relaxed);
        self.rows_of(pack, &footer.objects)
    }

    /// Compares the rows of the index with the pack's own tables.
    fn rows_of(
        &self,
        pack: &LocalPack,
        objects: &[([u8; 32], Place)],
    ) -> Result<Option<Finding>, OpError> {
        let state = self.known.get(&pack.pack);
        if state.is_none_or(|state| state.held != pack.held) {
            return Ok(None);
        }
        let finding = |why: String| {
            let what = What::Index { pack: pack.pack };
            let index = self.here.layout.index();
            let at = show(index.as_os_str().as_encoded_bytes());
            Finding::new(Side::Local, what, &pack.pack, &at).because(&why)
        };
        if state.is_some_and(|state| state.size > 0 && u64::from(state.size) != pack.size) {
            let said = state.map_or(0, |state| state.size);
            let why = format!("the index says that it has {said} bytes, and it has {}", pack.size);
            return Ok(Some(finding(why)));
        }
        let view = self.here.index.reader()?;
        let (mut listed, mut unknown) = (0, 0);
        for (id, place) in objects {
            let row = view.find_frame(id).map(|(row, _)| row);
            unknown += usize::from(row.is_none());
            let Some(row) = row.filter(|row| row.pack == pack.pack) else { continue };
            listed += 1;
            if row != *place {
                let id = crate::hash::Digest(*id);
                let why = format!(
                    "the index places object {id} at byte {}, the tables of the pack at byte {}",
                    row.offset, place.offset
                );
                return Ok(Some(finding(why)));
            }
        }
        let all = self.rows.get(&pack.pack).copied().unwrap_or(0);
        if unknown > 0 && pack.held == Held::Unpushed {
            return Ok(Some(finding(format!("the index does not know {unknown} objects in it"))));
        }
        let stray = all.saturating_sub(listed);
        Ok((stray > 0).then(|| {
            finding(format!("the index places {stray} objects in it that it does not have"))
        }))
    }

    /// Looks at packs of which some frames are here: a batch at a time, as the index lists each object.
    fn parts(&self, packs: &[&LocalPack]) -> Result<Vec<Finding>, OpError> {
        let known = |pack: &&&LocalPack| {
            self.known.get(&pack.pack).is_some_and(|state| state.held == Held::Part)
        };
        let chosen: Vec<&&LocalPack> =
            packs.iter().filter(known).filter(|pack| self.sampler.takes(pack.pack)).collect();
        let out = Mutex::new(Vec::new());
        let mut rest = chosen.as_slice();
        while !rest.is_empty() {
            let mut rows = 0;
            let count = |pack: &LocalPack| self.rows.get(&pack.pack).copied().unwrap_or(0);
            let fits = rest.iter().take_while(|pack| {
                rows += count(pack);
                rows <= ROWS
            });
            let (batch, more) = rest.split_at(fits.count().max(1).min(rest.len()));
            rest = more;
            let ids = batch.iter().map(|pack| pack.pack).collect();
            let rows = self.here.index.rows_of(&ids)?;
            batch.par_iter().try_for_each(|pack| {
                let own = rows.get(&pack.pack).map_or(&[][..], Vec::as_slice);
                self.objects.fetch_add(own.len() as u64, Ordering::Relaxed);
                let kind = self.known.get(&pack.pack).and_then(|s| PackKind::from_byte(s.kind));
                let bad = match self.here.examine_part(pack, kind.unwrap_or(PackKind::Data), own) {
                    Err(TransferError::Fs(e)) if e.is_missing() => return Ok(()),
                    Err(e) => {
                        let finding = refused(pack, e.into())?;
                        if let Ok(mut out) = out.lock() {
                            out.push(finding);
                        }
                        return Ok(());
                    }
                    Ok(bad) => bad,
                };
                if !bad.is_empty()
                    && let Ok(mut out) = out.lock()
                {
                    out.push(of(pack).with_frames(&bad));
                }
                Ok::<(), OpError>(())
            })?;
        }
        Ok(out.into_inner().unwrap_or_default())
    }
}

/// Looks at the copies of catalogue objects on this machine. A damaged one harms nobody, as it is
/// checked whenever it is read, and can be fetched again.
fn copies(repo: &Repo) -> Result<Vec<Finding>, OpError> {
    let mut out = Vec::new();
    let top = repo.layout().state().join("remote");
    for remote in list(&top)?.into_iter().filter(|path| path.is_dir()) {
        for path in list(&remote)? {
            let name = path.file_name().and_then(|name| name.to_str()).map(Entry::parse);
            let Some(Entry::Object(name)) = name else { continue };
            let limit = crate::catalogue::MAX_OBJECT_LEN;
            let Some(bytes) = read_limited(&path, limit)? else { continue };
            if let Err(e) = Object::parse_named(&name, &bytes)
                && !crate::catalogue::CatalogueError::from(e.clone()).is_newer()
            {
                let at = show(path.as_os_str().as_encoded_bytes()).to_string();
                let what = What::Copy { path };
                out.push(Finding::new(Side::Local, what, &name, &at).because(&e));
            }
        }
    }
    Ok(out)
}

fn list(folder: &std::path::Path) -> Result<Vec<std::path::PathBuf>, OpError> {
    let entries = match std::fs::read_dir(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.at("list", folder)?,
    };
    let mut out = Vec::new();
    for entry in entries {
        out.push(entry.at("list", folder)?.path());
    }
    Ok(out)
}
