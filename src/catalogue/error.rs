//! Why something of the catalogue was refused.

use crate::hint::Hint;
use crate::wire::WireError;

use super::name::FeatureClass;

/// Why the bytes of a catalogue object were refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// A newer release wrote it.
    #[error(
        "the catalogue object has {what} {value}, which this build cannot read; a newer haul is needed"
    )]
    Newer {
        /// The field that is not known.
        what: &'static str,
        /// Its value.
        value: u32,
    },
    /// The bytes break a rule of the format; they are damaged or were made to harm.
    #[error("the catalogue object is damaged: {0}")]
    Malformed(&'static str),
}

impl From<WireError> for ObjectError {
    fn from(_: WireError) -> Self {
        Self::Malformed("it ends too early")
    }
}

/// Why a `format` or `repos/` object was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// A newer release wrote it.
    #[error("`{kind}` has version {version}, which this build cannot read; a newer haul is needed")]
    Newer {
        /// The first word of the text.
        kind: &'static str,
        /// The version that it declares.
        version: String,
    },
    /// It is not text of the one form that is allowed.
    #[error("the text is not a valid `{kind}`: {reason}")]
    Malformed {
        /// What it should be.
        kind: &'static str,
        /// What is wrong.
        reason: &'static str,
    },
}

/// Why a listing of the catalogue was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// The remote uses something that this build does not know.
    #[error(
        "the remote requires `{name}` for {class}, which this build does not have; a newer haul is needed"
    )]
    Newer {
        /// The class of work that is refused.
        class: FeatureClass,
        /// The feature or the object that is not known.
        name: String,
    },
    /// More objects than any remote should have.
    #[error("the catalogue lists {count} objects; at most {limit} are read")]
    TooMany {
        /// How many were listed, as far as was counted.
        count: usize,
        /// The limit.
        limit: usize,
    },
}

const UPGRADE: &str = "install a newer release of haul";

impl Hint for ObjectError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Newer { .. } => Some(UPGRADE.into()),
            Self::Malformed(_) => {
                Some("put back a copy of it, or move it away and run `haul push`".into())
            }
        }
    }
}

impl Hint for TextError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Newer { .. } => Some(UPGRADE.into()),
            Self::Malformed { .. } => {
                Some("check that the URL of the remote names a folder or prefix of haul".into())
            }
        }
    }
}

impl Hint for ViewError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Newer { .. } => Some(UPGRADE.into()),
            Self::TooMany { .. } => {
                Some("use another folder as the remote, and `haul push` to it".into())
            }
        }
    }
}

/// Why a catalogue cannot be used: its listing, one of its objects, or one of its texts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// An object was refused.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// `format` or a registration was refused.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The listing was refused.
    #[error(transparent)]
    View(#[from] ViewError),
}

impl Hint for CatalogueError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Object(e) => e.hint(),
            Self::Text(e) => e.hint(),
            Self::View(e) => e.hint(),
        }
    }
}

impl CatalogueError {
    /// Says whether a newer haul is needed, as opposed to better bytes.
    pub fn is_newer(&self) -> bool {
        matches!(
            self,
            Self::Object(ObjectError::Newer { .. })
                | Self::Text(TextError::Newer { .. })
                | Self::View(ViewError::Newer { .. })
        )
    }

    /// Says whether the bytes of an object are not what haul wrote.
    pub fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::Object(ObjectError::Malformed(_)) | Self::Text(TextError::Malformed { .. })
        )
    }
}
