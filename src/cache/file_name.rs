//! What a whole file of the cache is called.

use std::fmt;
use std::path::PathBuf;

use crate::fs::OwnLink;
use crate::hash::{NodeId, Oid};

/// Ends the name of a file that may be run: two files with one mode each, as links share it.
const RUN: &str = ".x";

/// The name of a whole file: what its bytes hash to, the recipe by which they can be had again, and
/// whether it may be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WholeName {
    /// The hash of its bytes.
    pub oid: Oid,
    /// The root of its recipe; nothing if it is one chunk.
    pub root: Option<NodeId>,
    /// Whether it may be run.
    pub executable: bool,
}

impl WholeName {
    /// Reads a name; there is one way to write each.
    pub fn parse(text: &str) -> Option<Self> {
        let (text, executable) = match text.strip_suffix(RUN) {
            Some(text) => (text, true),
            None => (text, false),
        };
        let (oid, root) = match text.split_once('-') {
            Some((oid, root)) => (oid, Some(root.parse().ok()?)),
            None => (text, None),
        };
        let name = Self { oid: oid.parse().ok()?, root, executable };
        let exact = name.to_string();
        (exact.strip_suffix(RUN).unwrap_or(&exact) == text).then_some(name)
    }

    /// Returns the name of the file in this cache that a link leads to.
    pub fn of_link(link: &OwnLink) -> Option<Self> {
        match link {
            OwnLink::Here(target) => Self::parse(target.file_name()?.to_str()?),
            OwnLink::Elsewhere(_) => None,
        }
    }

    /// Returns the folder that it lies in.
    pub fn prefix(&self) -> String {
        self.to_string().chars().take(2).collect()
    }

    /// Returns where it lies below the folder of whole files.
    pub fn place(&self) -> PathBuf {
        PathBuf::from(self.prefix()).join(self.to_string())
    }
}

impl fmt::Display for WholeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.oid)?;
        if let Some(root) = self.root {
            write!(f, "-{root}")?;
        }
        f.write_str(if self.executable { RUN } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_one_form_and_reads_back() {
        let (oid, root) = (Oid([0xab; 32]), Some(NodeId([1; 32])));
        for (root, executable) in [(None, false), (None, true), (root, false), (root, true)] {
            let name = WholeName { oid, root, executable };
            assert_eq!(WholeName::parse(&name.to_string()), Some(name));
            assert_eq!(name.place().to_str(), Some(format!("ab/{name}").as_str()));
        }
        let plain = oid.to_string();
        for wrong in ["", "ab", &plain.to_uppercase(), &format!("{plain}-"), &format!("{plain}.y")]
        {
            assert_eq!(WholeName::parse(wrong), None, "{wrong}");
        }
    }
}
