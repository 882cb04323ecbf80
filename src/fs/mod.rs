//! The only door to the file system for writing. Knows nothing of what it writes.

pub mod failpoint;
