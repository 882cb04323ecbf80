//! `haul doctor`: tries what haul relies on, here and at the remote, and says what to do about what
//! does not work.

mod calls;
mod machine;
mod notes;
mod run;
mod storage;

pub use run::{DoctorOptions, DoctorReport, Reach, run};
