//! Sending packs as they lie, and remembering which arrived, so that a push resumes by name.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bytes::Bytes;

use crate::cache::{Held, Layout, WrittenPack};
use crate::catalogue::{Registration, RemoteFormat, key};
use crate::fs::nonce::nonce;
use crate::fs::{IoResultExt, append_line, remove, replace};
use crate::hash::{PackId, PackKind, RemoteId, RepoId};
use crate::progress::{Job, Kind};
use crate::remote::{Listed, PutOutcome, RemoteError, Upload};
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;

const TEXT_LIMIT: u64 = 4096;

/// What was sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sent {
    pub(super) packs: u64,
    pub(super) bytes: u64,
    /// Whether packs count as sent that an earlier try sent.
    pub(super) resumed: bool,
}

/// Packs that the remote acknowledged in a push that has not ended.
pub(super) struct Journal {
    path: PathBuf,
}

impl Journal {
    pub(super) fn open(layout: &Layout, remote: RemoteId) -> Self {
        Self { path: layout.state().join("journal").join(remote.to_string()) }
    }

    /// Says whether a push began and did not end.
    pub(super) fn exists(&self) -> bool {
        self.path.exists()
    }

    pub(super) fn begin(&self) -> Result<(), TransferError> {
        Ok(append_line(&self.path, "sending")?)
    }

    pub(super) fn add(&self, pack: PackId) -> Result<(), TransferError> {
        Ok(append_line(&self.path, &pack.to_string())?)
    }

    pub(super) fn clear(&self) -> Result<(), TransferError> {
        Ok(remove(&self.path)?)
    }
}

/// Sees to it that the remote has an identity; returns it.
pub(super) fn prepare(contact: &mut Contact, _job: &Job) -> Result<RemoteId, TransferError> {
    if let Some(id) = contact.synced().id {
        return Ok(id);
    }
    let id = RemoteId(random()?);
    let text = RemoteFormat::new(id).print().map_err(|e| contact.wrong(e))?;
    let id = match contact.remote().put_if_absent(key::FORMAT, Bytes::from(text))? {
        PutOutcome::Created => id,
        PutOutcome::Existed => {
            let bytes = contact.remote().get(key::FORMAT, TEXT_LIMIT)?;
            RemoteFormat::parse(&bytes).map_err(|e| contact.wrong(e))?.id
        }
    };
    contact.learn(id)?;
    Ok(id)
}

/// Draws random bytes.
pub(super) fn random() -> Result<[u8; 16], TransferError> {
    let drawn = nonce();
    let why = |e| crate::cache::CacheError::Pack { why: format!("no random bytes: {e}") };
    Ok(drawn.map_err(why)?)
}

/// Sends packs that the remote has not acknowledged yet; each is proved against its name first. What was
/// `streamed` is there already, and not here any more.
pub(super) fn upload(
    contact: &Contact,
    journal: &Journal,
    (packs, streamed): (impl Iterator<Item = PackId>, &BTreeMap<PackId, WrittenPack>),
    job: &Job,
) -> Result<Sent, TransferError> {
    let view = contact.index().reader()?;
    // A try that did not end may have sent more than it wrote down.
    let resuming = journal.exists();
    journal.begin()?;
    let mut resumed = !streamed.is_empty();
    let (mut uploads, mut ids, mut earlier) = (Vec::new(), Vec::new(), Vec::new());
    for pack in packs.filter(|pack| !streamed.contains_key(pack)) {
        let Some(state) = view.pack(pack) else { continue };
        let upload = upload_of(contact, pack, state.held, state.kind)?;
        if resuming {
            earlier.push((pack, upload));
        } else {
            uploads.push(upload);
            ids.push(pack);
        }
    }
    if !earlier.is_empty() {
        let keys = earlier.iter().map(|(_, u)| u.key.clone()).collect();
        let found = contact.remote().head_many(keys, contact.jobs(), job)?;
        for ((pack, upload), listed) in earlier.into_iter().zip(found) {
            if listed.is_none_or(|l| l.size != upload.size) {
                uploads.push(upload);
                ids.push(pack);
            } else {
                resumed = true;
            }
        }
    }
    let bytes = uploads.iter().map(|u| u.size).sum();
    let sizes: Vec<u64> = uploads.iter().map(|u| u.size).collect();
    let names: Vec<(PathBuf, PackId)> = uploads.iter().map(|u| (u.path.clone(), u.name)).collect();
    let task = job.begin(Kind::Upload, Some(bytes));
    let sent = contact.remote().put_files(uploads, contact.jobs(), job, |i| {
        task.advance(sizes.get(i).copied().unwrap_or(0));
        ids.get(i).map_or(Ok(()), |pack| journal.add(*pack))
    });
    sent.map_err(|error| damaged(&names, error))?;
    Ok(Sent { packs: sizes.len() as u64, bytes, resumed })
}

fn upload_of(
    contact: &Contact,
    pack: PackId,
    held: Held,
    kind: u8,
) -> Result<Upload, TransferError> {
    let layout = contact.layout();
    let unpushed = layout.unpushed(pack);
    // A push that crashed after moving the file and before noting it left it in the cache.
    let path = match held {
        Held::Unpushed if unpushed.exists() => unpushed,
        Held::Unpushed | Held::Whole | Held::Part | Held::Gone => layout.whole(pack),
    };
    let size = std::fs::metadata(&path).at("read", &path)?.len();
    let kind = PackKind::from_byte(kind).unwrap_or(PackKind::Data);
    Ok(Upload { key: key::pack(kind, pack), path, size, name: pack })
}

/// Says which pack it is that does not hold what its name says.
fn damaged(names: &[(PathBuf, PackId)], error: TransferError) -> TransferError {
    let TransferError::Remote(RemoteError::Differs { path }) = &error else { return error };
    let Some((_, pack)) = names.iter().find(|(own, _)| own == path) else { return error };
    let why = format!("`{}` does not hash to its name", path.display());
    TransferError::LocalPack { pack: *pack, path: Vec::new(), why }
}

/// Returns those of this push's packs that the remote does not have.
pub(super) fn missing_own(
    contact: &Contact,
    packs: impl Iterator<Item = PackId>,
    job: &Job,
) -> Result<Vec<PackId>, TransferError> {
    let view = contact.index().reader()?;
    let packs: Vec<PackId> = packs.collect();
    let key = |pack: &PackId| {
        let kind = view.pack(*pack).and_then(|s| PackKind::from_byte(s.kind));
        key::pack(kind.unwrap_or(PackKind::Data), *pack)
    };
    let keys = packs.iter().map(key).collect();
    let answers = contact.remote().head_many(keys, contact.jobs(), job)?;
    let size = |pack: &PackId| view.pack(*pack).map(|s| u64::from(s.size)).filter(|size| *size > 0);
    let gone = |(pack, answer): &(PackId, Option<Listed>)| match answer {
        Some(listed) => size(pack).is_some_and(|size| size != listed.size),
        None => true,
    };
    Ok(packs.into_iter().zip(answers).filter(gone).map(|(pack, _)| pack).collect())
}

/// Registers this repository with the remote, once.
pub(super) fn register(
    contact: &Contact,
    remote: RemoteId,
    (repo, url): &(RepoId, Option<String>),
) -> Result<(), TransferError> {
    let marker = contact.layout().remote(remote).join(format!("registered-{repo}"));
    if marker.exists() {
        return Ok(());
    }
    // A push record of this repository was written after its registration.
    if contact.synced().view.counting().any(|(_, _, object)| object.repo == *repo) {
        return Ok(replace(&marker, b"")?);
    }
    let text = Registration::new(*repo, url.clone()).print();
    let text =
        text.or_else(|_| Registration::new(*repo, None).print()).map_err(|e| contact.wrong(e))?;
    contact.remote().put_if_absent(&key::repo(*repo), Bytes::from(text))?;
    Ok(replace(&marker, b"")?)
}
