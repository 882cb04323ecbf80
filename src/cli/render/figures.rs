//! The closing line of each verb: files, bytes, new and reused bytes, time.

use std::time::Duration;

use crate::ops::add::AddReport;
use crate::ops::checkout::CheckoutReport;
use crate::ops::du::DuReport;
use crate::ops::evict::{EvictPlan, EvictReport};
use crate::ops::fetch::FetchReport;
use crate::ops::fsck::FsckReport;
use crate::ops::push::PushReport;
use crate::ops::remote::SyncReport;
use crate::ops::status::StatusReport;
use crate::ops::verify::VerifyReport;
use crate::path::show;
use crate::units::{ByteSize, Count, elapsed};

/// Something a closing line can be made of.
pub(crate) struct Figures(pub(crate) Duration);

impl Figures {
    /// Ends a line with the time.
    pub(crate) fn close(&self, line: &str) -> String {
        format!("{line}, in {}", elapsed(self.0))
    }
}

/// Returns `1 path`, `5,000 paths`.
pub(crate) fn many(count: u64, one: &str, more: &str) -> String {
    format!("{} {}", Count(count), if count == 1 { one } else { more })
}

/// Returns `1 file`, `5,000 files`.
pub(crate) fn files(count: u64) -> String {
    many(count, "file", "files")
}

/// Returns `5,000 files, 98.2 MiB`.
pub(crate) fn content(count: u64, bytes: u64) -> String {
    format!("{}, {}", files(count), ByteSize(bytes))
}

pub(super) fn name(name: &str) -> String {
    format!("`{}`", show(name.as_bytes()))
}

/// Returns `added 5,000 files, 98.2 MiB: 97.1 MiB new, 1.1 MiB reused, 40.3 MiB stored`.
pub(crate) fn add_line(report: &AddReport) -> String {
    if report.targets.is_empty() {
        return "added nothing: no tracked path is in the worktree".to_owned();
    }
    if report.targets.iter().all(|target| target.change == "unchanged") {
        return format!("nothing changed in {}, {}", files(report.files), ByteSize(report.bytes));
    }
    format!(
        "added {}, {}: {}, {} reused, {} stored",
        files(report.files),
        ByteSize(report.bytes),
        new(report.new_bytes, report.delta_bytes),
        ByteSize(report.reused_bytes),
        ByteSize(report.stored_bytes)
    )
}

/// Returns `23.2 MiB new (of them 22.0 MiB as deltas)`.
fn new(bytes: u64, delta: u64) -> String {
    if delta == 0 {
        return format!("{} new", ByteSize(bytes));
    }
    format!("{} new (of them {} as deltas)", ByteSize(bytes), ByteSize(delta))
}

/// Returns `5,000 files, 98.2 MiB tracked: no path differs`.
pub(crate) fn status_line(report: &StatusReport) -> String {
    let differ = u64::try_from(report.entries.len()).unwrap_or(u64::MAX);
    let verdict = match differ {
        0 => "no path differs".to_owned(),
        differ => many(differ, "path differs", "paths differ"),
    };
    format!("{}, {} tracked: {verdict}", files(report.files), ByteSize(report.bytes))
}

/// Returns ``pushed 3 roots to `origin`: 97.1 MiB sent in 2 packs, 1.1 MiB reused``; of deltas what
/// they stand for, too.
pub(crate) fn push_line(report: &PushReport) -> String {
    let remote = name(&report.remote);
    let roots = many(report.roots, "root", "roots");
    if report.packs == 0 {
        return format!("pushed {roots} to {remote}: nothing to send, all is there");
    }
    let news = match report.delta_bytes {
        0 => String::new(),
        delta => format!("{}, ", new(report.new_bytes, delta)),
    };
    format!(
        "pushed {roots} to {remote}: {news}{} sent in {}, {} reused",
        ByteSize(report.sent_bytes),
        many(report.packs, "pack", "packs"),
        ByteSize(report.reused_bytes)
    )
}

/// Returns ``copied 3 roots from `origin` to `backup`: 97.1 MiB in 2 packs; 1 root was there``.
pub(crate) fn sync_line(report: &SyncReport) -> String {
    let (from, to) = (name(&report.from), name(&report.to));
    let there = many(report.reused_roots, "root was", "roots were");
    if report.roots == 0 {
        return format!("nothing to copy from {from} to {to}: {there} there");
    }
    format!(
        "copied {} from {from} to {to}: {} in {}; {there} there",
        many(report.roots, "root", "roots"),
        ByteSize(report.bytes),
        many(report.packs, "pack", "packs")
    )
}

/// Returns ``fetched 5,000 files, 98.2 MiB from `origin`: 40.3 MiB received, 1.1 MiB reused``.
pub(crate) fn fetch_line(report: &FetchReport) -> String {
    // No remote is asked if the cache has everything.
    let from = match report.remote.as_str() {
        "" => String::new(),
        remote => format!(" from {}", name(remote)),
    };
    format!(
        "fetched {}, {}{from}: {} received, {} reused",
        files(report.files),
        ByteSize(report.bytes),
        ByteSize(report.requests.received),
        ByteSize(report.reused_bytes)
    )
}

/// Returns `placed 20 files, 98.2 MiB: 1 removed, 0 moved, 4,980 unchanged`.
pub(crate) fn checkout_line(report: &CheckoutReport) -> String {
    format!(
        "placed {}, {}: {} removed, {} moved, {} unchanged",
        files(report.written),
        ByteSize(report.bytes),
        Count(report.removed),
        Count(report.moved),
        Count(report.unchanged)
    )
}

/// Returns ``verified 3 pointers on `origin`: 12 packs, 40.3 MiB, complete``.
pub(crate) fn verify_line(report: &VerifyReport) -> String {
    let missing = u64::try_from(report.missing.len()).unwrap_or(u64::MAX);
    let verdict = if report.complete {
        "complete".to_owned()
    } else {
        many(missing, "path not complete", "paths not complete")
    };
    format!(
        "verified {} on {}: {}, {}, {verdict}",
        many(report.pointers, "pointer", "pointers"),
        name(&report.remote),
        many(report.packs, "pack", "packs"),
        ByteSize(report.bytes)
    )
}

/// Returns `checked 12 packs, 5,000 objects, 98.2 MiB read: all sound`, or how many are damaged and
/// repaired.
pub(crate) fn fsck_line(report: &FsckReport) -> String {
    let (here, there) = (report.here, report.there);
    let unneeded = report.findings.len() as u64 - report.damaged - report.repaired - report.unread;
    let mut verdict: Vec<String> = [
        (report.damaged, "damaged"),
        (report.repaired, "repaired"),
        (unneeded, "damaged and not needed"),
        (report.unread, "not read"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{} {word}", Count(count)))
    .collect();
    if !report.unreachable.is_empty() {
        verdict.push("the remote not looked at".to_owned());
    }
    if verdict.is_empty() {
        verdict.push("all sound".to_owned());
    }
    format!(
        "checked {}, {}, {} read: {}",
        many(here.packs + there.packs, "pack", "packs"),
        many(here.objects + there.objects, "object", "objects"),
        ByteSize(here.bytes + there.bytes),
        verdict.join(", ")
    )
}

/// Returns `2 paths, 5,000 files, 98.2 MiB: 97.1 MiB unique, 40.3 MiB stored`.
pub(crate) fn du_line(report: &DuReport) -> String {
    let total = &report.total;
    format!(
        "{}, {}, {}: {} unique, {} stored",
        many(report.paths.len() as u64, "path", "paths"),
        files(total.files),
        ByteSize(total.logical_bytes),
        ByteSize(total.unique_bytes),
        ByteSize(total.stored_bytes)
    )
}

/// Returns `would evict 12 packs, 40.3 MiB of 98.2 MiB in the cache, and keep 1.1 MiB not pushed`.
pub(crate) fn evict_plan_line(plan: &EvictPlan) -> String {
    let unpushed = match plan.unpushed_packs {
        0 => String::new(),
        _ => format!(", and keep {} not pushed", ByteSize(plan.unpushed_bytes)),
    };
    let (bytes, cache) = (ByteSize(plan.bytes), ByteSize(plan.cache_bytes));
    let packs = packs_and_files(plan.packs, plan.files);
    format!("would evict {packs}, {bytes} of {cache} in the cache{unpushed}")
}

/// Returns `evicted 12 packs, 40.3 MiB: 57.9 MiB left in the cache, 2 packs kept`.
pub(crate) fn evict_line(report: &EvictReport) -> String {
    let kept = match report.kept.len() as u64 {
        0 => String::new(),
        kept => format!(", {} kept that the remote does not have", many(kept, "pack", "packs")),
    };
    let passed_over = match report.passed_over {
        0 => String::new(),
        packs => format!(", {} of others passed over", many(packs, "pack", "packs")),
    };
    format!(
        "evicted {}, {}: {} left in the cache{kept}{passed_over}",
        packs_and_files(report.packs, report.files),
        ByteSize(report.bytes),
        ByteSize(report.cache_bytes)
    )
}

fn packs_and_files(packs: u64, whole: u64) -> String {
    match whole {
        0 => many(packs, "pack", "packs"),
        _ => format!("{} and {}", many(packs, "pack", "packs"), files(whole)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular_and_thousands_are_separated() {
        assert_eq!(files(1), "1 file");
        assert_eq!(files(0), "0 files");
        assert_eq!(files(5000), "5,000 files");
    }

    #[test]
    fn the_time_closes_the_line() {
        let line = Figures(Duration::from_millis(810)).close("added 5 files");
        assert_eq!(line, "added 5 files, in 0.81 s");
    }
}
