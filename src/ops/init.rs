//! `haul init`: the settings that a repository commits, and the attribute that merges ignore files.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::config::{Environment, first_file};
use crate::git::set_user_filter;
use crate::hint::Hint;
use crate::ops::error::OpError;
use crate::ops::hooks::{self, HooksReport};
use crate::path::RepoPath;
use crate::progress::Job;
use crate::repo::Repo;

/// Lines of two branches in one ignore file are both kept (ADR 0003); pointers are merged by haul where
/// it is installed, and as text elsewhere; so they are compared.
pub(crate) const ATTRIBUTES: [&str; 3] =
    [".gitignore merge=union", "*.haul merge=haul", "*.haul diff=haul"];
const LIMIT: u64 = 16 << 20;
/// The settings that everybody shares, and the file of [`ATTRIBUTES`].
const SETTINGS: &str = "haul.toml";
const LINES: &str = ".gitattributes";

/// What `init` did.
#[derive(Clone, Debug, Serialize)]
pub struct InitReport {
    /// The worktree root.
    pub root: String,
    /// Files that were made.
    pub created: Vec<String>,
    /// Files that were changed.
    pub changed: Vec<String>,
    /// Git's hooks; nothing if they were to be left alone, or could not be changed.
    pub hooks: Option<HooksReport>,
}

/// What becomes of Git's hooks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GitHooks {
    /// They call haul.
    #[default]
    Install,
    /// They stay as they are.
    Leave,
}

/// What to set up.
#[derive(Clone, Debug, Default)]
pub struct InitOptions {
    /// Where haul lies, for Git to call.
    pub haul: PathBuf,
    /// What becomes of Git's hooks.
    pub hooks: GitHooks,
}

/// What `init` would do.
#[derive(Serialize)]
pub struct InitPlan {
    /// The worktree root.
    pub root: String,
    /// Files that would be made.
    pub created: Vec<String>,
    /// Files that would be changed.
    pub changed: Vec<String>,
    /// Git's hooks; nothing if they are to be left alone.
    pub hooks: Option<HooksReport>,
    #[serde(skip)]
    repo: Repo,
    #[serde(skip)]
    writes: Vec<(&'static str, Vec<u8>)>,
    #[serde(skip)]
    options: InitOptions,
}

/// Finds what is to be set up in the repository around the current folder.
pub fn plan(environment: &Environment, options: &InitOptions) -> Result<InitPlan, OpError> {
    let repo = Repo::open(environment, &[])?;
    let (mut created, mut changed, mut writes) = (Vec::new(), Vec::new(), Vec::new());
    if repo.require_initialised().is_err() {
        writes.push((SETTINGS, first_file().into_bytes()));
        created.push(SETTINGS.to_owned());
    }
    let old = repo.door().read_small(&RepoPath::new_settings_file(LINES.as_bytes()), LIMIT)?;
    if let Some(new) = with_attributes(old.as_deref().unwrap_or_default())? {
        writes.push((LINES, new));
        let list = if old.is_some() { &mut changed } else { &mut created };
        list.push(LINES.to_owned());
    }
    let hooks = match options.hooks {
        GitHooks::Install => Some(hooks::plan_install(&repo, &options.haul)?),
        GitHooks::Leave => None,
    };
    let (root, options) = (repo.git().root().display().to_string(), options.clone());
    Ok(InitPlan { root, created, changed, hooks, repo, writes, options })
}

/// Returns attributes with our lines; nothing if they have them.
fn with_attributes(text: &[u8]) -> Result<Option<Vec<u8>>, OpError> {
    let has =
        |wanted: &&str| text.split(|b| *b == b'\n').any(|l| l.trim_ascii() == wanted.as_bytes());
    let absent: Vec<&str> = ATTRIBUTES.into_iter().filter(|wanted| !has(wanted)).collect();
    if text.len() as u64 > LIMIT {
        return Err(OpError::refused(
            "`.gitattributes` is too long to be edited",
            format!("add the lines `{}` to it yourself", absent.join("` and `")),
        ));
    }
    if absent.is_empty() {
        return Ok(None);
    }
    let mut new = text.to_vec();
    if !new.is_empty() && !new.ends_with(b"\n") {
        new.push(b'\n');
    }
    new.extend(absent.iter().flat_map(|line| format!("{line}\n").into_bytes()));
    Ok(Some(new))
}

/// Sets up what was planned; doing it again changes nothing.
pub fn run(plan: InitPlan, job: &Job) -> Result<InitReport, OpError> {
    let InitPlan { root, created, changed, repo, writes, options, .. } = plan;
    for (name, bytes) in writes {
        write(&repo, name, &bytes)?;
    }
    repo.git().stage(&[SETTINGS.as_bytes(), LINES.as_bytes()])?;
    let hooks = connect(&repo, &options, job)?;
    Ok(InitReport { root, created, changed, hooks })
}

/// Has Git call haul in this clone; nothing that is committed changes.
pub(super) fn connect(
    repo: &Repo,
    options: &InitOptions,
    job: &Job,
) -> Result<Option<HooksReport>, OpError> {
    repo.git().set_merge_driver(&options.haul)?;
    repo.git().set_filter(&options.haul)?;
    repo.git().set_diff_driver(&options.haul)?;
    if options.hooks == GitHooks::Install {
        match hooks::install(repo, &options.haul) {
            Ok(installed) => return Ok(Some(installed)),
            // All else works without them.
            Err(error) => {
                let hint = error.hint().map_or_else(String::new, |hint| format!("; {hint}"));
                job.warn(&format!("Git will not call haul: {error}{hint}"));
            }
        }
    }
    Ok(None)
}

/// What `init --global` did.
#[derive(Clone, Debug, Serialize)]
pub struct GlobalReport {
    /// What Git calls for files with the attribute `filter=haul`, in every repository of the user.
    pub filter: String,
}

/// Has Git call haul for files that a repository hands over, in every repository of this user, so that
/// a clone has their content from the start.
pub fn global(environment: &Environment, haul: &Path) -> Result<GlobalReport, OpError> {
    Ok(GlobalReport { filter: set_user_filter(haul, &environment.cwd)? })
}

/// Writes a settings file at the root, durably.
pub(super) fn write(repo: &Repo, name: &'static str, bytes: &[u8]) -> Result<(), OpError> {
    let path = RepoPath::new_settings_file(name.as_bytes());
    Ok(repo.door().write_durably(&path, bytes)?)
}
