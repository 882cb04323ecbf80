//! Looking at a remote: the catalogue against what is listed, and packs against their names.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use crate::cache::{CacheError, Held, IndexReader, ObjectReader};
use crate::catalogue::{PackRecord, key};
use crate::hash::PackId;
use crate::ops::error::OpError;
use crate::ops::fsck::finding::{Finding, Side, What, judge};
use crate::ops::fsck::names::{Pointers, Refs};
use crate::ops::fsck::options::Sampler;
use crate::ops::fsck::report::TallyRow;
use crate::ops::fsck::sources::HERE;
use crate::progress::{Job, Kind};
use crate::remote::Listed;
use crate::repo::Repo;
use crate::transfer::{Affected, Audit, Here, Seen, There, TransferError, is_local};

/// Most packs of a remote that are read at once: each takes some 20 MiB of memory.
const AT_ONCE: usize = 4;

/// Why roots are missing that this machine has.
const UNLISTED: &str =
    "the catalogue does not say where these roots lie, though a push to it was confirmed";
/// Why roots are missing that this machine lacks in part.
const NOWHERE: &str = "the catalogue does not say where these roots lie; a push to it was confirmed, or this \
                       machine does not have all of them either";

/// Looks at everything on a remote.
pub(super) fn look(
    repo: &Repo,
    audit: &Audit,
    sampler: Sampler,
    job: &Job,
) -> Result<(Vec<Finding>, TallyRow), OpError> {
    let mut out: Vec<Finding> = audit.bad.iter().map(object).collect();
    let expected = audit.expected();
    out.extend(compare(audit, &expected));
    let known: BTreeSet<PackId> = out.iter().filter_map(Finding::pack).collect();
    let is_pack = |listed: &&Listed| {
        key::parse_pack(&listed.key)
            .is_some_and(|(_, pack)| sampler.takes(pack) && !known.contains(&pack))
    };
    let chosen: Vec<&Listed> = audit.packs.iter().filter(is_pack).collect();
    let bytes = chosen.iter().map(|listed| listed.size).sum();
    let task = job.begin(Kind::Check, Some(bytes));
    let here = Here { layout: repo.layout(), index: repo.index()?, task: &task, job };
    let there = There::new(audit.contact.remote(), &audit.packs, here);
    let objects = AtomicU64::new(audit.objects);
    let threads = rayon::ThreadPoolBuilder::new().num_threads(AT_ONCE).build();
    let threads = threads.map_err(|e| {
        OpError::refused(format!("could not start threads: {e}"), "close other programs")
    })?;
    let found: Result<Vec<Option<Finding>>, OpError> = threads
        .install(|| chosen.par_iter().map(|listed| examine(&there, listed, &objects)).collect());
    out.extend(found?.into_iter().flatten());
    let objects = objects.load(Ordering::Relaxed);
    Ok((out, TallyRow { packs: audit.packs.len() as u64, objects, bytes: bytes + audit.bytes }))
}

fn object(bad: &crate::transfer::BadObject) -> Finding {
    let name = bad.key.rsplit('/').next().unwrap_or(&bad.key);
    Finding::new(Side::Remote, What::Object { counts: bad.counts }, name, &bad.key)
        .because(&bad.why)
}

fn of(pack: PackId, key: &str) -> Finding {
    Finding::new(Side::Remote, What::Pack { pack, held: None }, &pack, key)
}

/// Compares what the catalogue names with what is listed.
fn compare<'l>(
    audit: &'l Audit,
    expected: &'l std::collections::BTreeMap<PackId, PackRecord>,
) -> impl Iterator<Item = Finding> + use<'l> {
    let sizes: HashMap<&str, u64> =
        audit.packs.iter().map(|listed| (listed.key.as_str(), listed.size)).collect();
    expected.iter().filter_map(move |(pack, record)| {
        let key = key::pack(record.kind, *pack);
        let why = match sizes.get(key.as_str()) {
            None => "the catalogue names it, and it is gone".to_owned(),
            Some(size) if *size == u64::from(record.size) => return None,
            Some(size) => format!("it has {size} bytes, the catalogue says {}", record.size),
        };
        Some(of(*pack, &key).because(&why))
    })
}

fn examine(
    there: &There,
    listed: &Listed,
    objects: &AtomicU64,
) -> Result<Option<Finding>, OpError> {
    let Some((_, pack)) = key::parse_pack(&listed.key) else { return Ok(None) };
    let examined = match there.examine(listed)? {
        Seen::Examined(examined) => examined,
        Seen::Unreadable(why) => return Ok(Some(of(pack, &listed.key).because(&why))),
    };
    if let Ok((_, footer)) = &examined.tables {
        objects.fetch_add(footer.objects.len() as u64, Ordering::Relaxed);
    }
    if let Some(finding) = judge(of(pack, &listed.key), pack, &examined) {
        return Ok(Some(finding));
    }
    if examined.unproved.is_empty() {
        return Ok(None);
    }
    Ok(Some(without_bases(of(pack, &listed.key), &examined)))
}

/// Deltas whose base lies nowhere on the remote cannot be read by anybody.
fn without_bases(mut finding: Finding, examined: &crate::pack::Examined) -> Finding {
    let unproved: BTreeSet<[u8; 32]> = examined.unproved.iter().map(|id| id.0).collect();
    if let Ok((_, footer)) = &examined.tables {
        let own = footer.objects.iter().filter(|object| unproved.contains(&object.id));
        finding.frames = own.map(|object| object.offset).collect();
    }
    let why = format!(
        "{} of its chunks are deltas to chunks that cannot be had from the remote",
        unproved.len()
    );
    finding.objects = unproved;
    finding.because(&why)
}

/// Finds roots that the catalogue does not name although a push confirmed them, or of which this
/// machine has a part only. Where a catalogue object is
/// damaged, whatever is not named may be named there.
pub(super) fn unlisted(
    repo: &Repo,
    audit: &Audit,
    pointers: &Pointers,
    (findings, is_home): (&mut Vec<Finding>, bool),
    job: &Job,
) -> Result<(), OpError> {
    let index = repo.index()?;
    let view = index.reader()?;
    let bad = findings.iter().position(|f| {
        f.what == (What::Object { counts: true }) && f.at.starts_with(key::CATALOGUE)
    });
    // Those that are whole here, and the others.
    let (mut whole, mut parts) = (Vec::new(), Vec::new());
    for (at, wanted) in pointers.wanted.iter().enumerate() {
        let (Some(id), false) = (wanted.root.id(), audit.contact.lists(&wanted.root)) else {
            continue;
        };
        job.check()?;
        let confirmed = is_home && was_pushed(&view, &id);
        let mut reader = ObjectReader::observing(repo.layout(), index)?;
        let (rows, lost) = match is_local(std::slice::from_ref(wanted), &mut reader, job) {
            Ok(Some(_)) => (&mut whole, confirmed),
            // What the system refuses to read may be whole: the local side says so.
            Err(TransferError::Fs(_) | TransferError::Cache(CacheError::Fs(_))) => {
                (&mut parts, confirmed)
            }
            Ok(None) | Err(_) => (&mut parts, true),
        };
        if lost || bad.is_some() {
            let objects = BTreeSet::from([id]);
            rows.push(Affected { wanted: at, objects, ..Affected::default() });
        }
    }
    let mut refs = Refs::new(repo);
    if let Some(finding) = bad.and_then(|at| findings.get_mut(at)) {
        let mut rows = whole.into_iter().chain(parts);
        return rows.try_for_each(|row| refs.attach(finding, pointers, row));
    }
    let expected = audit.expected();
    let unnamed = |listed: &Listed| {
        key::parse_pack(&listed.key).is_some_and(|(_, pack)| !expected.contains_key(&pack))
    };
    let may_lie_there = audit.packs.iter().any(unnamed);
    for (rows, copy, why) in [(whole, Some(HERE), UNLISTED), (parts, None, NOWHERE)] {
        if rows.is_empty() {
            continue;
        }
        let mut finding = Finding::new(Side::Remote, What::Roots, "roots", "i/").because(why);
        finding.copies.extend(copy.map(str::to_owned));
        finding.may_lie_there = may_lie_there;
        for row in rows {
            refs.attach(&mut finding, pointers, row)?;
        }
        findings.push(finding);
    }
    Ok(())
}

/// Says whether a root lies, or lay, in a pack that need not be kept here: a push confirmed it, or it was
/// fetched.
fn was_pushed(view: &IndexReader, root: &[u8; 32]) -> bool {
    let pack = view.find(root).and_then(|place| view.pack(place.pack));
    pack.is_some_and(|state| state.held != Held::Unpushed)
}
