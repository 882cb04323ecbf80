//! The keys of a remote, below the prefix that its URL names.

use crate::hash::PackId;
use crate::hash::PackKind;
use crate::hash::RepoId;

use super::name::Name;

/// The object that makes a prefix a remote.
pub const FORMAT: &str = "format";
/// Where packs of chunks lie.
pub const DATA_PACKS: &str = "p/";
/// Where packs of nodes lie.
pub const NODE_PACKS: &str = "m/";
/// Where the catalogue lies.
pub const CATALOGUE: &str = "i/";
/// Where repositories are registered.
pub const REPOS: &str = "repos/";
/// What gc needs for itself.
pub const GC: &str = "gc/";
/// How the keys begin that are there while gc removes, so that `gc undo` knows that it may be too late.
pub const GC_LEASE: &str = "gc/lease";
/// Written by gc to learn the storage's time.
pub const GC_PROBE: &str = "gc/probe";
/// The list of the catalogue for readers who cannot list.
pub const INDEX: &str = "index";

/// Returns the key of a pack: `p/<aa>/<32 hex>` for data, `m/<aa>/<32 hex>` for nodes.
pub fn pack(kind: PackKind, id: PackId) -> String {
    let prefix = match kind {
        PackKind::Data => DATA_PACKS,
        PackKind::Nodes => NODE_PACKS,
    };
    let text = id.to_string();
    format!("{prefix}{}/{text}", text.get(..2).unwrap_or_default())
}

/// Reads the key of a pack; nothing for any other key.
pub fn parse_pack(key: &str) -> Option<(PackKind, PackId)> {
    let (kind, rest) = match key.strip_prefix(DATA_PACKS) {
        Some(rest) => (PackKind::Data, rest),
        None => (PackKind::Nodes, key.strip_prefix(NODE_PACKS)?),
    };
    let (folder, id) = rest.split_once('/')?;
    let id: PackId = id.parse().ok()?;
    (id.to_string().get(..2) == Some(folder)).then_some((kind, id))
}

/// Returns the key of a catalogue object.
pub fn catalogue(name: &Name) -> String {
    format!("{CATALOGUE}{name}")
}

/// Returns the key of a registered repository.
pub fn repo(id: RepoId) -> String {
    format!("{REPOS}{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_key_begins_with_kind_and_first_two_digits() {
        let id = PackId([0xab; 16]);
        let data = pack(PackKind::Data, id);
        assert_eq!(data, "p/ab/abababababababababababababababab");
        assert_eq!(parse_pack(&data), Some((PackKind::Data, id)));
        let nodes = pack(PackKind::Nodes, id);
        assert_eq!(nodes, "m/ab/abababababababababababababababab");
        assert_eq!(parse_pack(&nodes), Some((PackKind::Nodes, id)));
    }

    #[test]
    fn a_key_of_another_shape_is_no_pack() {
        for key in ["", "p/", "p/ab/", "i/ab/abababababababababababababababab"] {
            assert_eq!(parse_pack(key), None, "{key}");
        }
        assert_eq!(parse_pack("p/ac/abababababababababababababababab"), None);
        assert_eq!(parse_pack("p/ab/abababababababababababababababab.tmp"), None);
        assert_eq!(parse_pack("p/AB/ABABABABABABABABABABABABABABABAB"), None);
    }
}
