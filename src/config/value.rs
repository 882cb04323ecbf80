//! A setting with where it came from.

use std::fmt;
use std::path::PathBuf;

use super::Layer;

/// Where a value was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// A line of a file, counted from 1.
    File {
        /// Which of the files.
        layer: Layer,
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
    },
    /// An environment variable.
    Variable(String),
    /// A command-line flag, such as `--jobs`.
    Flag(String),
}

impl Origin {
    /// Returns the layer of this origin.
    pub fn layer(&self) -> Layer {
        match self {
            Self::Default => Layer::Default,
            Self::File { layer, .. } => *layer,
            Self::Variable(_) => Layer::Env,
            Self::Flag(_) => Layer::Flag,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line, .. } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}

/// A value that knows where it was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value<T> {
    /// The value itself.
    pub value: T,
    /// Where it was set.
    pub origin: Origin,
}

/// What new content may be stored as a delta to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeltaBase {
    /// Nothing: all of it is stored by itself.
    Never,
    /// What is on this machine.
    Cached,
    /// That, and what is on the remote where fetching it takes fewer bytes than it may save.
    WorthIt,
}

impl DeltaBase {
    /// Finds the value of a name.
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "never" => Some(Self::Never),
            "cached" => Some(Self::Cached),
            "worth-it" => Some(Self::WorthIt),
            _ => None,
        }
    }
}

/// What stays in the cache of that which can be fetched again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// What was used last, up to a size.
    Recent,
    /// No content; only trees.
    Unpushed,
}

impl Keep {
    /// Finds the value of a name.
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "recent" => Some(Self::Recent),
            "unpushed" => Some(Self::Unpushed),
            _ => None,
        }
    }
}

/// What a commit does about tracked data that changed and was not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// Says so.
    Warn,
    /// Is refused.
    Fail,
    /// Takes it along.
    Add,
}

impl Changed {
    /// Finds the value of a name.
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "warn" => Some(Self::Warn),
            "fail" => Some(Self::Fail),
            "add" => Some(Self::Add),
            _ => None,
        }
    }
}

/// What data does when Git changes pointers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// Nothing.
    Off,
    /// What is on this machine is placed.
    Cached,
    /// What is not is fetched first.
    Fetch,
}

impl Follow {
    /// Finds the value of a name.
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "off" => Some(Self::Off),
            "cached" => Some(Self::Cached),
            "fetch" => Some(Self::Fetch),
            _ => None,
        }
    }
}
