//! Removing from the catalogue what runs have made superfluous, so that a listing stays short.

use std::collections::BTreeSet;

use crate::catalogue::{Name, Object, ObjectKind, View, key};
use crate::hash::CatalogueId;
use crate::progress::Job;
use crate::transfer::catalogue::Contact;
use crate::transfer::listing::keep_index;
use crate::transfer::push::Pushed;

/// An hour: how long what a run replaces stays for readers that listed before.
const HOUR_MS: u64 = 60 * 60 * 1000;

/// From so many on it is worth the requests.
const MANY: usize = 32;

/// Leaves the catalogue in order after a push. What only repeats what other objects say is no news to
/// readers of an index, and not worth the request that finds out whether there is one.
pub(super) fn tidy(contact: &Contact, pushed: &Pushed, job: &Job) {
    let removed = remove_superfluous(contact, job);
    if removed || pushed.packs > 0 || pushed.reused_roots < pushed.roots {
        keep_index(contact.remote(), job);
    }
}

/// Removes what whole runs say as well, once there is much of it. Who may not remove leaves it to others:
/// it is in nobody's way. Returns whether anything may be gone.
fn remove_superfluous(contact: &Contact, job: &Job) -> bool {
    let names = superfluous(&contact.synced().view);
    if names.len() < MANY {
        return false;
    }
    let keys = names.iter().map(key::catalogue).collect();
    if let Err(error) = contact.remote().remove_many(keys, contact.jobs(), job, |_| {}) {
        tracing::info!(%error, "the catalogue could not be tidied");
    }
    true
}

/// Push records, and runs, all of which stands in a run that is an hour older than the newest object: by
/// the storage's clock it is at least as old now. Of that run no push record is covered, as only then its
/// packs are believed.
fn superfluous(view: &View) -> Vec<Name> {
    let now_ms = view.all().map(|(_, listing, _)| listing.modified_ms).max().unwrap_or(0);
    let is_whole = |run: &Object| !run.covers.iter().any(|c| view.is_covered(c.push_record));
    let lasting: Vec<(Name, BTreeSet<CatalogueId>)> = view
        .all()
        .filter(|(name, listing, object)| {
            let age_ms = now_ms.saturating_sub(listing.modified_ms);
            name.kind == ObjectKind::Run && age_ms >= HOUR_MS && is_whole(object)
        })
        .map(|(name, _, run)| (*name, run.covers.iter().map(|c| c.push_record).collect()))
        .collect();
    let told = |name: &Name, object: &Object| match name.kind {
        ObjectKind::PushRecord => lasting.iter().any(|(_, inside)| inside.contains(&name.id)),
        // Of two that say the same, the one of the lesser name stays.
        ObjectKind::Run => lasting.iter().any(|(other, inside)| {
            let more = inside.len() > object.covers.len() || other < name;
            other != name && more && object.covers.iter().all(|c| inside.contains(&c.push_record))
        }),
        ObjectKind::Baseline => false,
    };
    let all = view.all().filter(|(name, _, object)| told(name, object));
    all.map(|(name, ..)| *name).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::catalogue::{Listed, LocRecord, PackRecord, SOURCE_PUSH_RECORD, consolidate};
    use crate::hash::{Key, PackId, PackKind, RepoId};

    const REPO: RepoId = RepoId([1; 16]);
    /// What one page of a listing holds everywhere.
    const PAGE: usize = 1000;
    const MINUTE_MS: u64 = 60 * 1000;

    /// A catalogue in memory, each object with the time when it was stored.
    #[derive(Default)]
    struct Fake {
        objects: BTreeMap<Name, (u64, u64, Arc<Object>)>,
        now_ms: u64,
        numbers: u128,
    }

    impl Fake {
        fn number(&mut self) -> [u8; 16] {
            self.numbers += 1;
            self.numbers.to_be_bytes()
        }

        fn put(&mut self, object: Object) {
            let (name, bytes) = object.encode().unwrap();
            let object = Arc::new(Object::parse_named(&name, &bytes).unwrap());
            self.objects.insert(name, (bytes.len() as u64, self.now_ms, object));
        }

        fn view(&self) -> View {
            let listing = self.objects.iter().map(|(name, (size, modified_ms, _))| Listed {
                name: name.to_string(),
                size: *size,
                modified_ms: *modified_ms,
            });
            let objects = self.objects.iter().map(|(name, (_, _, o))| (*name, Arc::clone(o)));
            View::build(listing, objects).unwrap()
        }

        fn push(&mut self) -> Key {
            let nonce = self.number();
            let mut object = Object::new(ObjectKind::PushRecord, 0, REPO, nonce);
            let (key, pack) = (Key(*nonce.last_chunk().unwrap()), PackId(nonce));
            let (offset, frame_len, skip, source) = (24, 100, 0, SOURCE_PUSH_RECORD);
            object.locs = vec![LocRecord { key, pack, offset, frame_len, skip, source }];
            let (size, n_frames, n_objects, kind) = (1000, 1, 1, PackKind::Data);
            object.packs = vec![PackRecord { pack, size, n_frames, n_objects, kind }];
            self.put(object);
            key
        }
    }

    #[test]
    fn after_ten_thousand_pushes_one_page_lists_the_catalogue_and_nothing_is_forgotten() {
        let mut fake = Fake { now_ms: 1_700_000_000_000, ..Fake::default() };
        let mut keys = Vec::new();
        let mut longest = 0;
        for number in 0..10_000 {
            fake.now_ms += MINUTE_MS;
            // Fewer than 32 alone are left alone; only each 32nd push has something to do.
            if number % 32 == 31 {
                let nonce = fake.number();
                let view = fake.view();
                if let Some(run) = consolidate(&view, REPO, nonce) {
                    fake.put(run);
                }
                let gone = superfluous(&view);
                if gone.len() >= MANY {
                    fake.objects.retain(|name, _| !gone.contains(name));
                }
            }
            keys.push(fake.push());
            longest = longest.max(fake.objects.len());
        }
        assert!(longest <= PAGE, "{longest} objects");
        let view = fake.view();
        let runs = fake.objects.keys().filter(|name| name.kind == ObjectKind::Run).count();
        assert!(runs <= 24, "{runs} runs");
        for key in keys.iter().step_by(97) {
            let locs = view.locs(*key);
            assert_eq!(locs.len(), 1, "{key:?}");
            assert!(view.may_rely_on(locs[0].record.pack));
        }
    }
}
