//! Values for one run: settings from files, variables and flags, each with where it came from.
//!
//! Only `load.rs` reads files and the environment; the rest works on given values. A committed
//! `haul.toml` is input from strangers: it may set what the schema lists as harmless, no more. The
//! module does not know what a remote or a profile is, only how they are named.

mod accepted;
mod access;
mod address;
mod edit;
mod error;
mod layer;
mod listing;
mod load;
mod resolve;
mod schema;
mod source;
#[cfg(test)]
mod tests;
mod value;
mod view;
mod warning;

pub use accepted::{Accepted, is_accepted};
pub use access::{Password, RemoteAccess};
pub use address::{has_secret, has_web_user, is_remote_name, normalise, redact, redact_git};
pub use edit::{
    EditError, SettingValue, add_remote, first_file, remove_remote, set_default_remote,
};
pub use error::ConfigError;
pub use layer::Layer;
pub use listing::{Assigned, assign, assigned, default_of, nearest_setting, problems, shown_value};
pub use load::{Environment, Files, load};
pub use resolve::{Config, Flag, Given, resolve};
pub use schema::{Kind, SETTINGS, Setting, reference};
pub use source::Source;
pub use value::{Changed, DeltaBase, Follow, Keep, Origin, Value};
pub use view::View;
pub use warning::Warning;
