//! The language in which Git asks a filter that runs for as long as Git's own command: pkt-lines,
//! version 2, with clean, smudge and delay (gitattributes(5)). Knows nothing of what the bytes mean.

mod channel;
mod packet;

pub use channel::{Channel, Request, Verdict, Wish};
pub use packet::ChannelError;
