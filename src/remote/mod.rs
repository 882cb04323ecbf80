//! Storage that the user has: named, immutable objects that are listed, read in ranges and written.
//!
//! The only asynchronous code of the project, behind a synchronous face: every public call blocks,
//! and many requests go out together as one *wave*. Knows keys and bytes; what a key means, and
//! whether bytes are the right ones, is the caller's to check.

#[cfg(feature = "s3")]
mod aws_tool;
mod batch;
mod buffers;
mod connect;
mod copy;
mod count;
mod create;
mod error;
mod folder;
#[cfg(feature = "network")]
mod gate;
mod io;
mod leftover;
#[cfg(feature = "network")]
mod line;
#[cfg(feature = "network")]
mod network;
mod pace;
#[cfg(feature = "network")]
mod refusal;
mod runtime;
mod service;
#[cfg(feature = "sftp")]
mod sftp;
mod site;
mod spec;
mod upload;

#[cfg(test)]
mod flaky_tests;
#[cfg(feature = "network")]
#[cfg(test)]
mod line_tests;
#[cfg(all(feature = "s3", feature = "azure", feature = "gcs", feature = "http"))]
#[cfg(test)]
mod service_tests;
#[cfg(test)]
mod tests;

pub use batch::Fetch;
pub use connect::{Create, Limits, Remote};
pub use count::Counts;
pub use create::{Creation, PutOutcome};
pub use error::{Action, RemoteError};
pub use io::{Listed, MAX_LISTED};
pub use leftover::OwnKeys;
pub use service::{Access, AwsTool, Secret};
pub use spec::{RemoteSpec, SpecError};
pub use upload::Upload;
