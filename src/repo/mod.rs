//! The open repository: its parts, opened when first needed. Knows no verb.

mod error;
mod open;
mod turn;

pub use error::RepoError;
pub use open::{Repo, identity_of, own_identity};
