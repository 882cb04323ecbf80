//! Storage behind `ssh`: the file transfer protocol of version 3, spoken with the program that the system
//! has, which knows keys, agents, jump hosts and whom to trust. Nothing of that is done here.

mod files;
mod line;
mod packet;
mod store;

#[cfg(test)]
mod tests;

pub(super) use store::{Sftp, open};
