//! `haul verify`: proof that a remote has everything that a revision names.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use crate::ops::chosen::{Chosen, at_head, find};
use crate::ops::error::OpError;
use crate::ops::in_commit::brought;
use crate::ops::open::choose;
use crate::ops::requests::Requests;
use crate::ops::select::Select;
use crate::path::{JsonPath, RepoPath, json_path};
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{self, Contact, Purpose, Wanted};

/// Most tracked paths of which it is looked up who brought them.
const NAMED: usize = 20;

/// What to prove.
#[derive(Clone, Debug, Default)]
pub struct VerifyOptions {
    /// The revision; if absent, the pointers in the worktree, and those of `HEAD` that are not there.
    pub rev: Option<String>,
    /// The remote; the default one if absent.
    pub remote: Option<String>,
    /// Transfers at once.
    pub jobs: Option<usize>,
}

/// Something that is missing.
#[derive(Clone, Debug, Serialize)]
pub struct MissingRow {
    /// The tracked path that needs it.
    #[serde(flatten)]
    pub path: JsonPath,
    /// What is wrong.
    pub why: String,
    /// The root, node or pack.
    pub object: String,
    /// Which commit brought the pointer, and who wrote that; empty if it is not known.
    pub brought: String,
}

/// What was proved.
#[derive(Clone, Debug, Serialize)]
pub struct VerifyReport {
    /// The remote's name.
    pub remote: String,
    /// The revision; empty for the worktree.
    pub rev: String,
    /// Pointers looked at.
    pub pointers: u64,
    /// Packs that they need.
    pub packs: u64,
    /// Bytes of files that they stand for.
    pub bytes: u64,
    /// What is missing.
    pub missing: Vec<MissingRow>,
    /// Whether nothing is.
    pub complete: bool,
    /// What was asked of the remote.
    pub requests: Requests,
}

/// Proves every pointer of a revision against the remote as it is now.
pub fn run(repo: &Repo, options: &VerifyOptions, job: &Job) -> Result<VerifyReport, OpError> {
    let select = Select { rev: options.rev.clone(), ..Select::default() };
    prove(repo, (options, &select), job).map_err(|e| e.with_commit(repo, &select))
}

/// The pointers of `HEAD` that do not stand in the worktree, because they were removed, or a link stands
/// where their folder was: others will want what they name.
fn gone_from_worktree(repo: &Repo, there: &[Chosen]) -> Result<Vec<Chosen>, OpError> {
    let there: HashSet<&RepoPath> = there.iter().map(|item| &item.path).collect();
    let gone = at_head(repo)?.into_iter().filter(|(path, _)| !there.contains(path));
    gone.map(|(_, item)| item).collect()
}

fn prove(
    repo: &Repo,
    (options, select): (&VerifyOptions, &Select),
    job: &Job,
) -> Result<VerifyReport, OpError> {
    let (mut chosen, refused) = find(repo, select)?;
    if select.rev.is_none() {
        chosen.extend(gone_from_worktree(repo, &chosen)?);
    }
    let wanted: Vec<Wanted> = chosen.iter().map(Chosen::wanted).collect();
    let target = choose(repo, options.remote.as_deref(), options.jobs)?;
    let parts = (repo.layout(), repo.index()?);
    let contact = Contact::make(target.open()?, parts, target.jobs, Purpose::Read, job)?;
    let proof = transfer::verify(&wanted, &contact, job)?;
    let mut bringers: HashMap<Vec<u8>, String> = HashMap::new();
    for path in proof.gaps.iter().map(|gap| &gap.path) {
        let item = chosen.iter().find(|item| item.path.as_bytes() == path.as_slice());
        if let Some(item) = item.filter(|_| bringers.len() < NAMED) {
            let found = || brought(repo, options.rev.as_deref(), item);
            let words = || found().map(|by| by.words).unwrap_or_default();
            bringers.entry(path.clone()).or_insert_with(words);
        }
    }
    let missing = proof.gaps.into_iter().map(|gap| MissingRow {
        path: json_path(&gap.path),
        why: gap.why,
        object: gap.object,
        brought: bringers.get(&gap.path).cloned().unwrap_or_default(),
    });
    // Nobody can check them out, whatever they name.
    let refused = refused.into_iter().map(|refused| MissingRow {
        path: json_path(&refused.pointer),
        why: refused.why.to_string(),
        object: String::new(),
        brought: String::new(),
    });
    let missing: Vec<MissingRow> = missing.chain(refused).collect();
    Ok(VerifyReport {
        remote: target.name,
        rev: options.rev.clone().unwrap_or_default(),
        pointers: wanted.len() as u64,
        packs: proof.packs,
        bytes: proof.bytes,
        complete: missing.is_empty(),
        missing,
        requests: contact.remote().counts().into(),
    })
}
