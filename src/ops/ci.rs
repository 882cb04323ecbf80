//! `haul ci key`: a name for the data that a job asks for, under which a CI service keeps its cache.

use serde::Serialize;

use crate::cache::ObjectReader;
use crate::hash::Digest;
use crate::manifest::EntryKind;
use crate::ops::checkout::targets;
use crate::ops::chosen::{Chosen, chosen_or_warned};
use crate::ops::error::OpError;
use crate::ops::fetch::bring_trees;
use crate::ops::select::{Select, resolve_or_root};
use crate::pointer::PointerKind;
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::Filter;

/// What every key begins with, so that a job can ask for the newest of older ones.
const PREFIX: &str = "haul-";
/// Digits of a key, of which 32 are enough that no two are ever the same by chance.
const DIGITS: usize = 32;

/// How closely a key follows the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// By pointers alone: a change anywhere in a tracked folder of which a part is asked for is a change.
    #[default]
    Pointers,
    /// By each file that is asked for. Trees that are not on this machine are fetched.
    Files,
}

/// What the key is for.
#[derive(Clone, Debug, Default)]
pub struct CiKeyOptions {
    /// The data that the job asks for.
    pub select: Select,
    /// How closely the key follows it.
    pub precision: Precision,
}

/// The key.
#[derive(Clone, Debug, Serialize)]
pub struct CiKeyReport {
    /// The key: letters, digits and hyphens.
    pub key: String,
    /// What all keys begin with.
    pub prefix: &'static str,
    /// Tracked paths that are asked for, or parts of them.
    pub paths: u64,
}

/// Makes the key; reads no content, and asks no remote but for [`Precision::Files`].
pub fn key(repo: &Repo, options: &CiKeyOptions, job: &Job) -> Result<CiKeyReport, OpError> {
    let mut chosen = chosen_or_warned(repo, &options.select, job)?;
    chosen.sort_by(|a, b| a.path.cmp(&b.path));
    let mut text = Text(blake3::Hasher::new_derive_key("haul ci key v1"));
    match options.precision {
        Precision::Pointers => by_pointers(repo, (&chosen, &options.select), &mut text)?,
        Precision::Files => by_files(repo, &chosen, &mut text, job)?,
    }
    let digits = Digest(*text.0.finalize().as_bytes()).to_string();
    let digits = digits.get(..DIGITS).unwrap_or(&digits);
    let key = format!("{PREFIX}{digits}");
    Ok(CiKeyReport { key, prefix: PREFIX, paths: chosen.len() as u64 })
}

/// What a key is made of: fields, each behind its length, so that no two lists look the same.
struct Text(blake3::Hasher);

impl Text {
    fn field(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
    }
}

fn by_pointers(
    repo: &Repo,
    (chosen, select): (&[Chosen], &Select),
    text: &mut Text,
) -> Result<(), OpError> {
    for item in chosen {
        text.field(item.path.as_bytes());
        match item.pointer.kind() {
            PointerKind::File { oid, executable, .. } => {
                text.field(if *executable { b"executable" } else { b"file" });
                text.field(&oid.0);
            }
            PointerKind::Dir { root, .. } => {
                text.field(b"folder");
                text.field(&root.0);
            }
        }
    }
    // Of a part, what chooses it stands for it.
    if chosen.iter().any(|item| !matches!(item.filter, Filter::All)) {
        let mut words = Vec::new();
        for path in &select.paths {
            words.push(resolve_or_root(repo, path)?.map(|path| path.as_bytes().to_vec()));
        }
        words.sort_unstable();
        words.iter().flatten().for_each(|word| text.field(word));
        let view = select.view.as_ref().and_then(|name| repo.config().views.get(name));
        for list in view.iter().flat_map(|view| [&view.include, &view.exclude]) {
            text.field(b"view");
            for pattern in list {
                text.field(pattern.as_bytes());
            }
        }
    }
    Ok(())
}

fn by_files(repo: &Repo, chosen: &[Chosen], text: &mut Text, job: &Job) -> Result<(), OpError> {
    let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
    for item in chosen {
        let mut found = targets(item, &mut reader)?;
        if found.is_none() {
            bring_trees(repo, &[item.wanted()], job)?;
            reader = ObjectReader::new(repo.layout(), repo.index()?)?;
            found = targets(item, &mut reader)?;
        }
        let found =
            found.ok_or_else(|| OpError::Defect("a fetched tree is not here".to_owned()))?;
        for target in found {
            text.field(target.path.as_bytes());
            text.field(match target.kind {
                EntryKind::File => b"file",
                EntryKind::Executable => b"executable",
                EntryKind::Symlink => b"link",
                EntryKind::EmptyDir => b"empty folder",
            });
            text.field(&target.oid().0);
        }
    }
    Ok(())
}
