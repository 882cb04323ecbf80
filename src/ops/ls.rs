//! `haul ls`: what a tracked folder has, told from its tree.

use std::ffi::OsString;

use serde::Serialize;

use crate::cache::ObjectReader;
use crate::manifest::FileEntry;
use crate::node::{Cursor, Piece, Scope};
use crate::ops::at::{At, Inside};
use crate::ops::checkout::{file_content, tree_error};
use crate::ops::error::OpError;
use crate::ops::requests::Requests;
use crate::ops::trees::{Source, look_into};
use crate::path::{JsonPath, json_path};
use crate::pointer::PointerKind;
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{Contact, Filter, Root, Wanted, bring_trees};

/// What to list.
#[derive(Clone, Debug, Default)]
pub struct LsOptions {
    /// `[REV:]PATH`, each; all tracked paths if empty.
    pub words: Vec<OsString>,
    /// How deep.
    pub depth: Depth,
    /// Where absent trees come from.
    pub source: Source,
}

/// How deep a listing goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// What lies directly in the folder that is named; the tracked paths themselves above one.
    #[default]
    One,
    /// Every file.
    All,
}

/// Something in a listing.
#[derive(Clone, Debug, Serialize)]
pub struct LsRow {
    /// Its path, from the root of the worktree.
    #[serde(flatten)]
    pub path: JsonPath,
    /// `file`, `executable`, `symlink`, `empty-folder` or `folder`.
    pub kind: &'static str,
    /// Whether it is tracked on its own, with a pointer.
    pub tracked: bool,
    /// Entries below a folder; 1 for anything else.
    pub files: u64,
    /// Bytes of a file, or of all files below a folder.
    pub bytes: u64,
    /// The BLAKE3 of a file, as `b3:` and hex; nothing for a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oid: Option<String>,
}

/// A listing.
#[derive(Clone, Debug, Serialize)]
pub struct LsReport {
    /// What was found, in the order of paths, one argument after the other.
    pub entries: Vec<LsRow>,
    /// The remote that trees came from; empty if all were here.
    pub remote: String,
    /// What was asked of the remote.
    pub requests: Requests,
}

/// Lists what is tracked. Fetches trees that are not on this machine, and no content.
pub fn run(repo: &Repo, options: &LsOptions, job: &Job) -> Result<LsReport, OpError> {
    let all = [OsString::from(repo.git().root())];
    let words = if options.words.is_empty() { &all[..] } else { &options.words };
    let mut places = Vec::new();
    for word in words {
        let at = At::parse(repo, word)?;
        let mut found = at.find(repo)?;
        found.sort_by(|a, b| a.chosen.path.cmp(&b.chosen.path));
        places.push((at, found));
    }
    let (entries, asked) = look_into(
        repo,
        &options.source,
        |reader, contact| {
            let mut rows = Vec::new();
            for (at, found) in &places {
                list(at, (found, options.depth), (reader, contact), &mut rows, job)?;
            }
            Ok(rows)
        },
        job,
    )?;
    Ok(LsReport { entries, remote: asked.remote, requests: asked.requests })
}

fn list<'r>(
    at: &At,
    (found, depth): (&[Inside], Depth),
    (reader, contact): (&mut ObjectReader<'r>, Option<&Contact<'r>>),
    rows: &mut Vec<LsRow>,
    job: &Job,
) -> Result<(), OpError> {
    let opened = |inside: &Inside| {
        let folder = matches!(inside.chosen.pointer.kind(), PointerKind::Dir { .. });
        let named = at.path.as_ref() == Some(&inside.chosen.path) || !inside.rest.is_empty();
        folder && (named || depth == Depth::All)
    };
    let wanted = |inside: &Inside| Wanted {
        path: inside.chosen.path.as_bytes().to_vec(),
        root: Root::of(&inside.chosen.pointer),
        filter: match depth {
            Depth::One => Filter::folders_below(&inside.rest),
            Depth::All => Filter::names_below(&inside.rest),
        },
    };
    let trees: Vec<Wanted> = found.iter().filter(|i| opened(i)).map(wanted).collect();
    bring_trees(&trees, reader, contact, job)?;
    let mut reader = reader.another()?;
    for inside in found {
        if opened(inside) {
            let before = rows.len();
            open(inside, depth, &mut reader, rows)?;
            if rows.len() == before && !inside.rest.is_empty() {
                return Err(at.nothing_there());
            }
        } else if inside.rest.is_empty() {
            rows.push(alone(inside));
        } else {
            return Err(at.nothing_there());
        }
    }
    Ok(())
}

/// The row of a tracked path itself.
fn alone(inside: &Inside) -> LsRow {
    let path = json_path(inside.chosen.path.as_bytes());
    let pointer = inside.chosen.pointer.kind();
    match (file_content(pointer), pointer) {
        (Some((kind, content)), _) => LsRow {
            path,
            kind: kind.word(),
            tracked: true,
            files: 1,
            bytes: content.size(),
            oid: Some(format!("b3:{}", content.oid())),
        },
        (None, PointerKind::Dir { files, size, .. }) => {
            LsRow { path, kind: "folder", tracked: true, files: *files, bytes: *size, oid: None }
        }
        (None, PointerKind::File { size, .. }) => {
            LsRow { path, kind: "file", tracked: true, files: 1, bytes: *size, oid: None }
        }
    }
}

/// Lists what lies in a tracked folder at or below the path that is named.
fn open(
    inside: &Inside,
    depth: Depth,
    reader: &mut ObjectReader,
    rows: &mut Vec<LsRow>,
) -> Result<(), OpError> {
    let Root::Tree { id, expectation } = Root::of(&inside.chosen.pointer) else { return Ok(()) };
    let scope = match depth {
        Depth::One => Scope::Folders(inside.rest.clone()),
        Depth::All => Scope::Under(inside.rest.clone()),
    };
    let top = inside.chosen.path.as_bytes();
    let (mut last, stop) = (None, reader.stop());
    let mut cursor =
        Cursor::<FileEntry, _>::new(id, expectation, scope, |id| reader.node_bytes(id));
    while let Some(piece) = cursor.next_piece() {
        stop.check()?;
        let (path, below) = match piece.map_err(|e| tree_error(&inside.chosen.path, e))? {
            Piece::Entry(_, entry) => {
                if depth == Depth::All || folder(inside, &entry.path).is_none() {
                    rows.push(file(top, &entry));
                    continue;
                }
                let size = entry.content.size();
                (entry.path, (1, size))
            }
            // Known from the node above: all of it lies in one folder.
            Piece::Below(node) => (node.key, (node.count, node.size)),
        };
        let Some(name) = folder(inside, &path) else { continue };
        if last.as_deref() != Some(name) {
            last = Some(name.to_vec());
            let path = json_path(&[top, b"/", name].concat());
            let (kind, tracked, oid) = ("folder", false, None);
            rows.push(LsRow { path, kind, tracked, files: 0, bytes: 0, oid });
        }
        if let Some(row) = rows.last_mut() {
            row.files = row.files.saturating_add(below.0);
            row.bytes = row.bytes.saturating_add(below.1);
        }
    }
    Ok(())
}

/// Returns the folder directly below what is listed that a path lies in.
fn folder<'p>(inside: &Inside, path: &'p [u8]) -> Option<&'p [u8]> {
    let start = match inside.rest.len() {
        0 => 0,
        len => len + 1,
    };
    let slash = path.get(start..)?.iter().position(|byte| *byte == b'/')?;
    path.get(..start + slash)
}

fn file(top: &[u8], entry: &FileEntry) -> LsRow {
    LsRow {
        path: json_path(&[top, b"/", entry.path.as_slice()].concat()),
        kind: entry.kind.word(),
        tracked: false,
        files: 1,
        bytes: entry.content.size(),
        oid: Some(format!("b3:{}", entry.content.oid())),
    }
}
