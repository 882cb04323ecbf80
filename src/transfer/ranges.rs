//! Which byte ranges of which packs to ask for, so that requests follow bytes and not objects.

use std::collections::HashMap;

use crate::hash::PackId;
use crate::transfer::walk::Spot;

/// Frames this close together are fetched in one request, in bytes.
const GAP: u32 = 1 << 20;
/// Largest range of one request, in bytes; a single frame may be larger.
const PART: u32 = 8 << 20;

/// A frame that is wanted, by its place in a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FrameSpan {
    pub(super) offset: u32,
    pub(super) len: u32,
}

/// One request: the frames in it lie in order inside `from..to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) pack: PackId,
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) frames: Vec<FrameSpan>,
}

/// Bytes that may be fetched although nobody wants them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slack {
    /// As many as save requests: gaps up to a mebibyte, but at most a fifth of the range.
    Usual,
    /// Almost none: a partial pull promises few bytes.
    Little,
}

/// Joins wanted frames into ranges: pack by pack, what is wanted first in front, so that whoever waits for it
/// can begin; and in order of offset.
pub(super) fn ranges(spots: impl IntoIterator<Item = Spot>, slack: Slack) -> Vec<Range> {
    let mut packs: Vec<(PackId, Vec<FrameSpan>)> = Vec::new();
    let mut places = HashMap::new();
    for spot in spots {
        let place = *places.entry(spot.pack).or_insert(packs.len());
        if place == packs.len() {
            packs.push((spot.pack, Vec::new()));
        }
        let span = FrameSpan { offset: spot.offset, len: spot.frame_len };
        packs.get_mut(place).into_iter().for_each(|(_, frames)| frames.push(span));
    }
    let mut out = Vec::new();
    for (pack, mut frames) in packs {
        frames.sort_unstable();
        frames.dedup();
        let mut wasted = 0;
        for frame in frames {
            let end = frame.offset.saturating_add(frame.len);
            match out.last_mut() {
                Some(Range { pack: open, from, to, frames })
                    if *open == pack
                        && frame.offset >= *to
                        && end - *from <= PART
                        && joins(frame.offset - *to, wasted, end - *from, slack) =>
                {
                    wasted += frame.offset - *to;
                    *to = end;
                    frames.push(frame);
                }
                _ => {
                    wasted = 0;
                    out.push(Range { pack, from: frame.offset, to: end, frames: vec![frame] });
                }
            }
        }
    }
    out
}

fn joins(gap: u32, wasted: u32, whole: u32, slack: Slack) -> bool {
    match slack {
        Slack::Usual => gap <= GAP && (gap + wasted) / 4 <= whole / 20 || gap <= 4096,
        Slack::Little => gap <= 4096,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(pack: u8, offset: u32, frame_len: u32) -> Spot {
        Spot { pack: PackId([pack; 16]), offset, frame_len, skip: 0 }
    }

    #[test]
    fn neighbours_share_a_request_and_far_frames_do_not() {
        let spots =
            [spot(1, 100, 1000), spot(1, 1100, 1000), spot(1, 9_000_000, 10), spot(2, 24, 5)];
        let found = ranges(spots, Slack::Usual);
        let spans: Vec<_> = found.iter().map(|r| (r.from, r.to, r.frames.len())).collect();
        assert_eq!(spans, [(100, 2100, 2), (9_000_000, 9_000_010, 1), (24, 29, 1)]);
    }

    #[test]
    fn the_pack_that_is_wanted_first_comes_first() {
        let found = ranges([spot(2, 50, 5), spot(1, 24, 5), spot(2, 24, 5)], Slack::Little);
        let spans: Vec<_> = found.iter().map(|r| (r.pack.0[0], r.from, r.frames.len())).collect();
        assert_eq!(spans, [(2, 24, 2), (1, 24, 1)]);
    }

    #[test]
    fn a_range_stays_within_a_part_and_holds_every_frame_once() {
        let spots = (0..1000).map(|i| spot(1, 24 + i * 65_000, 65_000));
        let found = ranges(spots.clone().chain(spots), Slack::Usual);
        assert!(found.iter().all(|r| r.to - r.from <= PART));
        assert_eq!(found.iter().map(|r| r.frames.len()).sum::<usize>(), 1000);
    }
}
