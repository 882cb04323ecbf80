//! One request of Git after the other.

use std::io::{Read, Write};

use crate::config::Environment;
use crate::fs::failpoint;
use crate::git::{Channel, Wish, stays_in_git};
use crate::ops::error::OpError;
use crate::ops::filter_process::clean::Cleaning;
use crate::ops::filter_process::pass::pass_on;
use crate::ops::filter_process::smudge::Smudging;
use crate::progress::Job;

/// What becomes of the bytes of files that Git is to store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Taking {
    /// They are taken in.
    #[default]
    Store,
    /// They are hashed: they are known already, and Git only has to see that.
    Hash,
}

/// What Git puts into the worktree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Smudged {
    /// Content.
    #[default]
    Content,
    /// The pointers, as Git holds them.
    Pointers,
}

/// How to answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct FilterOptions {
    /// What becomes of bytes.
    pub taking: Taking,
    /// What the worktree gets.
    pub smudged: Smudged,
}

/// Answers Git until it has no more requests; what was taken in is durable when this returns.
pub fn run(
    environment: &Environment,
    options: FilterOptions,
    (input, output): (impl Read, impl Write),
    job: &Job,
) -> Result<(), OpError> {
    let mut channel = Channel::open(input, output)?;
    let mut cleaning = Cleaning::new(environment, options.taking);
    let mut smudging = Smudging::new(environment, options.smudged);
    let served = serve(&mut channel, (&mut cleaning, &mut smudging), job);
    smudging.tell(job);
    failpoint::hit("filter.answered");
    // Also if Git went away: what it was told is stored has to be.
    cleaning.finish(job)?;
    served
}

fn serve<R: Read, W: Write>(
    channel: &mut Channel<R, W>,
    (cleaning, smudging): (&mut Cleaning<'_>, &mut Smudging<'_>),
    job: &Job,
) -> Result<(), OpError> {
    let mut next = channel.request()?;
    while let Some(request) = next.take() {
        match request.wish {
            Wish::Clean | Wish::Smudge { .. } if stays_in_git(&request.path) => {
                pass_on(smudging.environment(), Vec::new(), channel)?;
            }
            Wish::Clean => cleaning.answer(&request.path, channel, job)?,
            Wish::Smudge { can_delay } => {
                if !can_delay {
                    cleaning.drain(job)?;
                }
                smudging.answer((&request.path, can_delay), channel, job)?;
            }
            // Hands out what was delayed, up to a request of another kind.
            Wish::Available => {
                cleaning.drain(job)?;
                next = smudging.hand_out(channel, job)?;
                if next.is_none() {
                    return Ok(());
                }
            }
        }
        if next.is_none() {
            next = channel.request()?;
        }
    }
    Ok(())
}
