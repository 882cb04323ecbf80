//! Handing back what Git sent, as it is.

use std::fs::File;
use std::io::{self, Read, Write};

use crate::config::Environment;
use crate::fs::{IoResultExt, Temp};
use crate::git::Channel;
use crate::intake::SMALL;
use crate::ops::error::OpError;
use crate::ops::filter_process::cut::unread;
use crate::repo::Repo;

/// Answers with what was read of the bytes that Git sends, and with the rest of them, once Git has sent
/// all: it reads no answer before.
pub(super) fn pass_on<R: Read, W: Write>(
    environment: &Environment,
    mut start: Vec<u8>,
    channel: &mut Channel<R, W>,
) -> Result<(), OpError> {
    channel.content().take(SMALL + 1).read_to_end(&mut start).map_err(unread)?;
    if start.len() as u64 <= SMALL {
        return channel.answer_with(start.as_slice())?.map_err(unread);
    }
    let repo = Repo::open(environment, &[])?;
    let folder = repo.layout().temp();
    let mut temp = Temp::new_in(&folder)?;
    io::copy(&mut start.as_slice().chain(channel.content()), &mut temp).at("write", &folder)?;
    let file = File::open(temp.path()).at("read", &folder)?;
    channel.answer_with(file)?.map_err(unread)
}
