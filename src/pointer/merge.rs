//! Merging two pointers that stand for the same content.

use std::collections::{BTreeMap, BTreeSet};

use super::text::{Pointer, PointerKind, Root};

/// Chooses between two trees of one content: the bytewise larger tag, and any tree before none.
///
/// Gives the same answer whichever side is whose. Nothing if one tag has two ids: one of them is
/// wrong, and only the content can tell which.
pub fn merge_roots<'a>(a: Option<&'a Root>, b: Option<&'a Root>) -> Option<Option<&'a Root>> {
    match (a, b) {
        (Some(a), Some(b)) if a.profile == b.profile => (a == b).then_some(Some(a)),
        (Some(a), Some(b)) => Some(Some(if a.profile > b.profile { a } else { b })),
        (a, b) => Some(a.or(b)),
    }
}

/// Merges what two branches made of a pointer, as far as the texts alone can tell.
///
/// A side that equals `base` gives way. Else both must name the same content; then executable bits
/// and further keys merge one by one. Nothing means a conflict, or directories whose manifests have
/// to be merged.
pub fn merge_pointers(base: Option<&Pointer>, ours: &Pointer, theirs: &Pointer) -> Option<Pointer> {
    if ours == theirs || base == Some(theirs) {
        return Some(ours.clone());
    }
    if base == Some(ours) {
        return Some(theirs.clone());
    }
    let extra = merge_extra(base, ours, theirs)?;
    let kind = match (ours.kind(), theirs.kind()) {
        (
            PointerKind::File { oid, size, root, executable },
            PointerKind::File {
                oid: their_oid,
                size: their_size,
                root: their_root,
                executable: their_bit,
            },
        ) if oid == their_oid && size == their_size => {
            let base_bit = match base.map(Pointer::kind) {
                Some(PointerKind::File { executable, .. }) => Some(*executable),
                Some(PointerKind::Dir { .. }) | None => None,
            };
            PointerKind::File {
                oid: *oid,
                size: *size,
                root: merge_roots(root.as_ref(), their_root.as_ref())?.cloned(),
                executable: pick(base_bit, *executable, *their_bit)?,
            }
        }
        (PointerKind::Dir { .. }, PointerKind::Dir { .. }) if ours.kind() == theirs.kind() => {
            ours.kind().clone()
        }
        (PointerKind::File { .. } | PointerKind::Dir { .. }, _) => return None,
    };
    Pointer::from_parts(kind, extra).ok()
}

/// Puts the merged content of two folders into a pointer, with those further keys that outlive the
/// content; nothing if these are in conflict.
pub fn merge_dirs(
    base: Option<&Pointer>,
    (ours, theirs): (&Pointer, &Pointer),
    merged: &PointerKind,
) -> Option<Pointer> {
    for side in [ours, theirs] {
        if side.kind() == merged {
            return Some(side.clone());
        }
    }
    let renew = |side: &Pointer| Pointer::with_new_content(side, merged.clone()).ok();
    let base = base.and_then(renew);
    let extra = merge_extra(base.as_ref(), &renew(ours)?, &renew(theirs)?)?;
    Pointer::from_parts(merged.clone(), extra).ok()
}

fn merge_extra(
    base: Option<&Pointer>,
    ours: &Pointer,
    theirs: &Pointer,
) -> Option<BTreeMap<String, String>> {
    let keys: BTreeSet<&String> = ours.extra().keys().chain(theirs.extra().keys()).collect();
    let mut out = BTreeMap::new();
    for key in keys {
        let base = base.and_then(|base| base.extra().get(key));
        if let Some(value) = pick(Some(base), ours.extra().get(key), theirs.extra().get(key))? {
            out.insert(key.clone(), value.clone());
        }
    }
    Some(out)
}

/// Takes what both sides have, or what the one side made of the base; nothing if they disagree.
fn pick<T: PartialEq>(base: Option<T>, ours: T, theirs: T) -> Option<T> {
    match base {
        _ if ours == theirs => Some(ours),
        Some(base) if base == ours => Some(theirs),
        Some(base) if base == theirs => Some(ours),
        _ => None,
    }
}
