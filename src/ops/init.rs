//! `haul init`: the settings that a repository commits, and the attribute that merges ignore files.

use std::path::PathBuf;

use serde::Serialize;

use crate::config::{Environment, first_file};
use crate::hint::Hint;
use crate::ops::error::OpError;
use crate::ops::hooks::{self, HooksReport};
use crate::path::RepoPath;
use crate::progress::Job;
use crate::repo::Repo;

/// Lines of two branches in one ignore file are both kept (ADR 0003).
const ATTRIBUTE: &str = ".gitignore merge=union";
const LIMIT: u64 = 16 << 20;

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

/// What to set up.
#[derive(Clone, Debug, Default)]
pub struct InitOptions {
    /// Where haul lies, for Git's hooks to call; nothing leaves them alone.
    pub program: Option<PathBuf>,
}

/// Sets up the repository around the current folder; doing it again changes nothing.
pub fn run(
    environment: &Environment,
    options: &InitOptions,
    job: &Job,
) -> Result<InitReport, OpError> {
    let repo = Repo::open(environment, &[])?;
    let mut report = InitReport {
        root: repo.git().root().display().to_string(),
        created: Vec::new(),
        changed: Vec::new(),
        hooks: None,
    };
    if repo.require_initialised().is_err() {
        write(&repo, "haul.toml", first_file().as_bytes())?;
        report.created.push("haul.toml".to_owned());
    }
    let attributes = RepoPath::new_settings_file(b".gitattributes");
    let old = repo.door().read_small(&attributes, LIMIT)?;
    let text = old.clone().unwrap_or_default();
    if text.len() as u64 > LIMIT {
        return Err(OpError::refused(
            "`.gitattributes` is too long to be edited",
            format!("add the line `{ATTRIBUTE}` to it yourself"),
        ));
    }
    if !text.split(|b| *b == b'\n').any(|line| line.trim_ascii() == ATTRIBUTE.as_bytes()) {
        let mut new = text;
        if !new.is_empty() && !new.ends_with(b"\n") {
            new.push(b'\n');
        }
        new.extend(ATTRIBUTE.as_bytes());
        new.push(b'\n');
        write(&repo, ".gitattributes", &new)?;
        let list = if old.is_some() { &mut report.changed } else { &mut report.created };
        list.push(".gitattributes".to_owned());
    }
    repo.git().stage(&[b"haul.toml", b".gitattributes"])?;
    if let Some(program) = &options.program {
        match hooks::install(&repo, program) {
            Ok(installed) => report.hooks = Some(installed),
            // All else works without them.
            Err(error) => {
                let hint = error.hint().map_or_else(String::new, |hint| format!("; {hint}"));
                job.warn(&format!("Git will not call haul: {error}{hint}"));
            }
        }
    }
    Ok(report)
}

/// Writes a settings file at the root, durably.
pub(super) fn write(repo: &Repo, name: &'static str, bytes: &[u8]) -> Result<(), OpError> {
    let path = RepoPath::new_settings_file(name.as_bytes());
    Ok(repo.door().write_durably(&path, bytes)?)
}
