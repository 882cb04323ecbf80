//! The keys of a remote, below the prefix that its URL names.

use crate::hash::PackId;
use crate::hash::PackKind;
use crate::hash::RepoId;

use super::name::{Entry, Name};

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

/// The folders in which all keys lie, from the first part on; `""` is the one of the remote itself.
pub const FOLDERS: [&str; 6] = ["p", "m", "i", "repos", "gc", ""];

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

/// Says whether a key is one that haul writes. Whoever else uses a folder has others.
pub fn is_own(key: &str) -> bool {
    if let Some(name) = key.strip_prefix(CATALOGUE) {
        return !matches!(Entry::parse(name), Entry::Unknown(_));
    }
    if let Some(id) = key.strip_prefix(REPOS) {
        return id.parse::<RepoId>().is_ok();
    }
    let below_gc = [GC_LEASE, GC_PROBE].iter().find_map(|start| key.strip_prefix(start));
    if let Some(rest) = below_gc {
        return rest.is_empty() || rest.strip_prefix('-').is_some_and(is_nonce);
    }
    [FORMAT, INDEX].contains(&key) || parse_pack(key).is_some()
}

fn is_nonce(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
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
    fn own_keys_are_those_of_the_format_and_lie_in_the_listed_folders() {
        let hex = "0123456789abcdef0123456789abcdef";
        let own = [
            "format".to_owned(),
            "index".to_owned(),
            pack(PackKind::Data, PackId([0xab; 16])),
            pack(PackKind::Nodes, PackId([0xcd; 16])),
            "i/u-00000000-00000001-0123456789abcdef".to_owned(),
            "i/f-read-some".to_owned(),
            repo(RepoId([7; 16])),
            GC_LEASE.to_owned(),
            format!("{GC_LEASE}-{hex}"),
            GC_PROBE.to_owned(),
            format!("{GC_PROBE}-{hex}"),
        ];
        for key in &own {
            assert!(is_own(key), "{key}");
            let first = key.split_once('/').map_or("", |(folder, _)| folder);
            assert!(FOLDERS.contains(&first), "{key}");
        }
        let others = ["", "draft", "p/draft", "i/notes", "repos/mine", "gc/log", "gc/probe-1"];
        for key in others.map(str::to_owned).into_iter().chain([format!("thesis/{}", own[2])]) {
            assert!(!is_own(&key), "{key}");
        }
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
