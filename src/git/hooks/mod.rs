//! The programs that Git runs at certain moments: where they lie, whose they are, and how haul's own
//! get there beside those of others. Knows the file system and Git's settings, not what haul does
//! when it is called.

mod inspect;
mod moment;
mod place;
mod probe;
mod script;

pub use inspect::{Keeper, Standing};
pub use moment::Moment;
pub use place::{HookFile, Placed};
pub use probe::{Called, PROBE, probe_answer};
