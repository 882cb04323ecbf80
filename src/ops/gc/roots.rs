//! Everything that the given repositories' pointers name.

use std::collections::BTreeMap;

use crate::git::{Retention, SmallBlob};
use crate::ops::error::OpError;
use crate::ops::gc::repositories::Given;
use crate::path::show;
use crate::pointer::{Pointer, PointerError};
use crate::progress::{Job, Kind};
use crate::transfer::{Filter, Root, Wanted};

/// Reads the pointers of all repositories, each content once.
///
/// A pointer that only a newer haul can read is an error: what it names is not known. Text that
/// begins as a pointer and is none names nothing.
pub(super) fn roots(
    given: &[Given],
    retention: &Retention,
    job: &Job,
) -> Result<Vec<Wanted>, OpError> {
    let _task = job.begin(Kind::Scan, None);
    let mut found: BTreeMap<[u8; 32], Wanted> = BTreeMap::new();
    let mut newer = None;
    for one in given {
        for reach in &one.reaches {
            job.check()?;
            let more: &[_] = if std::ptr::eq(reach, one.reaches.first().unwrap_or(reach)) {
                &one.more
            } else {
                &[]
            };
            reach.small_files(retention, more, |blob| take(blob, &mut found, &mut newer))?;
        }
    }
    match newer {
        None => Ok(found.into_values().collect()),
        Some((path, error)) => Err(OpError::refused(
            format!("the pointer `{}` cannot be read: {error}", show(&path)),
            "install a newer haul, then run `haul gc` again; nothing was removed",
        )),
    }
}

fn take(
    blob: SmallBlob,
    found: &mut BTreeMap<[u8; 32], Wanted>,
    newer: &mut Option<(Vec<u8>, PointerError)>,
) {
    let begins = blob.bytes.strip_prefix(b"haul ").and_then(<[u8]>::first);
    if !begins.is_some_and(u8::is_ascii_digit) {
        return;
    }
    let path = blob.path;
    match Pointer::parse(&blob.bytes) {
        Ok(pointer) => {
            let root = Root::of(&pointer);
            if let Some(id) = root.id() {
                found.entry(id).or_insert(Wanted { path, root, filter: Filter::All });
            }
        }
        Err(error @ PointerError::Newer { .. }) => *newer = Some((path, error)),
        Err(_) => {}
    }
}
