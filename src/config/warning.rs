//! What was wrong with settings without stopping the command.

use std::fmt;

use super::Origin;

/// A setting that had no effect, or another than written. Prints as one line without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// There is no such setting.
    Unknown {
        /// As written, control characters escaped.
        name: String,
        /// Where.
        origin: Origin,
        /// What was probably meant.
        meant: Option<String>,
    },
    /// A committed file must not set it.
    NotCommitted {
        /// The setting.
        name: String,
        /// Where.
        origin: Origin,
    },
    /// A number out of range was replaced by the nearest one in it.
    Clamped {
        /// The setting.
        name: String,
        /// Where.
        origin: Origin,
        /// What was written.
        given: i64,
        /// What is used.
        used: i64,
    },
    /// A committed address that nobody should follow; it was ignored.
    Address {
        /// The setting.
        name: String,
        /// Where.
        origin: Origin,
        /// What is wrong with it.
        why: &'static str,
    },
    /// An address with a password outside of the committed file; it is used.
    Secret {
        /// The setting.
        name: String,
        /// Where.
        origin: Origin,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name, origin, meant } => {
                write!(f, "{origin}: there is no setting `{name}`; ignored")?;
                meant.iter().try_for_each(|meant| write!(f, ", did you mean `{meant}`?"))
            }
            Self::NotCommitted { name, origin } => write!(
                f,
                "{origin}: `{name}` cannot be set by a committed file; ignored, set it with \
                 `haul config` or the variable `{}`",
                super::schema::variable(name)
            ),
            Self::Clamped { name, origin, given, used } => {
                write!(f, "{origin}: `{name}` is {given}, out of range; {used} is used")
            }
            Self::Address { name, origin, why } => {
                write!(f, "{origin}: `{name}` is ignored: {why}")
            }
            Self::Secret { name, origin } => write!(
                f,
                "{origin}: `{name}` contains a password; take it out and use the cloud's own \
                 credentials"
            ),
        }
    }
}
