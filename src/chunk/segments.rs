use rayon::prelude::*;

use super::cutter::End;
use super::profile::Profile;

/// Cuts a whole file that lies in memory on all threads of the current rayon pool.
///
/// Returns exactly what [`super::cut`] returns. Each segment of `segment_len` bytes (at least
/// [`Profile::max`], whatever is asked for) is cut from its first byte as if a chunk began there.
/// A chunk's end depends only on the bytes after its start, so from the first position where the
/// true cuts meet a segment's guesses, the guesses are the true cuts; what lies before is cut again:
/// a few chunks per segment, under 1 % of the bytes with segments of 8 MiB.
pub fn cut_segments(profile: Profile, bytes: &[u8], segment_len: usize) -> Vec<usize> {
    let segment_len = segment_len.max(profile.max());
    let starts: Vec<usize> = (0..bytes.len()).step_by(segment_len).collect();
    let guesses: Vec<Vec<usize>> = starts
        .par_iter()
        .map(|&start| guess(profile, bytes, start, start.saturating_add(segment_len)))
        .collect();
    let mut cuts = Cuts { profile, bytes, at: 0, lengths: Vec::new() };
    for guess in &guesses {
        cuts.join(guess);
    }
    cuts.lengths
}

/// Returns `start` and the cuts that follow from it, up to the first at or behind `stop`.
fn guess(profile: Profile, bytes: &[u8], start: usize, stop: usize) -> Vec<usize> {
    let mut positions = vec![start];
    let mut at = start;
    while at < stop
        && let Some(length) = profile.next_cut(bytes.get(at..).unwrap_or_default(), End::File)
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
                && let Some(length) = self.profile.next_cut(rest, End::File)
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
