//! The closing lines of `haul gc`.

use crate::cli::render::figures::{many, name};
use crate::ops::gc::{GcReport, GcState, UndoReport};
use crate::units::ByteSize;

/// Says how far gc has come and what comes next.
pub(crate) fn gc_line(report: &GcReport) -> String {
    let remote = name(&report.remote);
    let packs = many(report.victims.len() as u64, "pack", "packs");
    let victims = format!("{packs}, {}", ByteSize(report.victim_bytes));
    let (live, all) = (ByteSize(report.live_bytes), ByteSize(report.bytes));
    let line = match report.state {
        GcState::Blocked => {
            let missing = report.repositories.iter().filter(|row| !row.given).count() as u64;
            format!(
                "nothing was looked at: {} on {remote} not given; name each with `--repo`, or with \
                 `--gone` if it does not exist any more",
                many(missing, "repository that keeps data is", "repositories that keep data are")
            )
        }
        GcState::Nothing => format!("nothing to remove from {remote}: {live} of {all} are needed"),
        GcState::Plan => format!(
            "{remote} has {all}, of which {live} are needed; `haul gc --yes` would condemn {victims}"
        ),
        GcState::Waiting => format!(
            "{victims} on {remote} were condemned and stay for the grace time; `haul gc --yes` \
             removes them after that, `haul gc undo` keeps them"
        ),
        GcState::Due => format!("`haul gc --yes` would remove {victims} from {remote}"),
        GcState::Condemned => format!(
            "condemned {victims} on {remote}; run `haul gc --yes` again after the grace time to remove \
             them, or `haul gc undo` to keep them"
        ),
        GcState::Removed => format!(
            "removed {}, {} and {} of the catalogue from {remote}",
            many(report.removed.packs, "pack", "packs"),
            ByteSize(report.removed.bytes),
            many(report.removed.objects, "object", "objects")
        ),
        GcState::Raced => format!(
            "another gc runs on {remote}, so nothing was removed; run `haul gc --yes` again"
        ),
    };
    let line = match (report.repacked_bytes, report.sparse_bytes) {
        (0, 0) => line,
        (0, idle) => format!("{line}; `--repack` would free another {}", ByteSize(idle)),
        (sent, _) => format!("{line}; {} were sent again", ByteSize(sent)),
    };
    match report.removed.leftovers {
        0 => line,
        count => {
            let bytes = ByteSize(report.removed.leftover_bytes);
            format!("{line}; {} of unfinished writes, {bytes}", many(count, "file", "files"))
        }
    }
}

/// Says what is kept, and whether it came in time.
pub(crate) fn undo_line(report: &UndoReport) -> String {
    let kept = format!(
        "{} with {}, {} on {} are kept for 14 days",
        many(report.roots, "root", "roots"),
        many(report.packs, "condemned pack", "condemned packs"),
        ByteSize(report.bytes),
        name(&report.remote)
    );
    match (report.gone, report.too_late) {
        (0, false) => kept,
        (0, true) => format!(
            "{kept}, but a gc was removing meanwhile or ended while it did: `haul verify` says what \
             is left"
        ),
        (gone, _) => format!("{kept}, but for {} that were removed", many(gone, "pack", "packs")),
    }
}
