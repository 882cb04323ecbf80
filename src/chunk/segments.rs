use rayon::prelude::*;

use super::cutter::End;
use super::profile::Profile;

/// Cuts bytes that lie in memory on all threads of the current rayon pool: a whole file, or as much of one
/// as is known, of which what is left at the end needs more bytes.
///
/// Returns exactly the lengths that [`Profile::next_cut`] gives one after the other. Each segment of
/// `segment_len` bytes (at least [`Profile::max`], whatever is asked for) is cut from its first byte as if a
/// chunk began there. A chunk's end depends only on the bytes after its start, so from the first position where
/// the true cuts meet a segment's guesses, the guesses are the true cuts; what lies before is cut again: a few
/// chunks per segment.
pub fn cut_segments(
    profile: Profile,
    (bytes, end): (&[u8], End),
    segment_len: usize,
) -> Vec<usize> {
    let segment_len = segment_len.max(profile.max());
    let starts: Vec<usize> = (0..bytes.len()).step_by(segment_len).collect();
    let guesses: Vec<Vec<usize>> = starts
        .par_iter()
        .map(|&start| guess(profile, (bytes, end), start, start.saturating_add(segment_len)))
        .collect();
    let mut cuts = Cuts { profile, bytes, end, at: 0, lengths: Vec::new() };
    for guess in &guesses {
        cuts.join(guess);
    }
    cuts.lengths
}

/// Returns `start` and the cuts that follow from it, up to the first at or behind `stop`.
fn guess(profile: Profile, (bytes, end): (&[u8], End), start: usize, stop: usize) -> Vec<usize> {
    let mut positions = vec![start];
    let mut at = start;
    while at < stop
        && let Some(length) = profile.next_cut(bytes.get(at..).unwrap_or_default(), end)
    {
        at += length;
        positions.push(at);
    }
    positions
}

/// The true cuts so far.
struct Cuts<'a> {
    profile: Profile,
    bytes: &'a [u8],
    end: End,
    at: usize,
    lengths: Vec<usize>,
}

impl Cuts<'_> {
    /// Goes on to the last position of a segment's guesses, or past it where they never meet.
    fn join(&mut self, mut guesses: &[usize]) {
        while let Some((&guess, later)) = guesses.split_first() {
            if guess < self.at {
                guesses = later;
            } else if guess == self.at {
                for &next in later {
                    self.go_to(next);
                }
                return;
            } else if let Some(rest) = self.bytes.get(self.at..)
                && let Some(length) = self.profile.next_cut(rest, self.end)
            {
                self.go_to(self.at + length);
            } else {
                return;
            }
        }
    }

    fn go_to(&mut self, position: usize) {
        self.lengths.push(position - self.at);
        self.at = position;
    }
}
