//! What the demo does, step by step.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::cli::demo::DemoError;
use crate::cli::demo::content::{Amounts, Content, IMAGES, MODEL, TABLE, disk_bytes};
use crate::cli::demo::report::{Report, StepRow, Version, kept};
use crate::cli::demo::shell::Shell;
use crate::cli::render::Talk;
use crate::fs::IoResultExt;
use crate::progress::Job;

/// Where the demo works.
pub(crate) struct Options {
    /// The user's folder, which is kept; else a temporary one.
    pub(crate) folder: Option<PathBuf>,
    /// Keeps the temporary folder.
    pub(crate) keep: bool,
}

/// Runs the demo.
pub(crate) fn run(options: &Options, talk: &Talk, job: Job<'_>) -> Result<Report, DemoError> {
    let folder = Folder::open(options)?;
    let root = folder.path()?;
    let shell = Shell::new(root.join("home"), talk, job)?;
    let mut report = Demo::new(&root, shell).run()?;
    report.kept = kept(folder.is_kept().then_some(root));
    Ok(report)
}

/// The folder of the demo; a temporary one goes when it is dropped, after errors too.
enum Folder {
    Kept(PathBuf),
    Temporary(TempDir),
}

impl Folder {
    fn open(options: &Options) -> Result<Self, DemoError> {
        if let Some(path) = &options.folder {
            return Self::users(path);
        }
        let parent = std::env::temp_dir();
        let folder = tempfile::Builder::new().prefix("haul-demo-").tempdir_in(&parent);
        let folder = folder.at("create a folder in", &parent)?;
        Ok(if options.keep { Self::Kept(folder.keep()) } else { Self::Temporary(folder) })
    }

    fn users(path: &Path) -> Result<Self, DemoError> {
        match fs::read_dir(path) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(DemoError::NotEmpty { path: path.to_owned() });
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(path).at("create the folder", path)?;
            }
            Err(error) => Err(error).at("list", path)?,
        }
        Ok(Self::Kept(path.to_owned()))
    }

    /// Links on the way are resolved: the commands get the path that they would report themselves.
    fn path(&self) -> Result<PathBuf, DemoError> {
        let path = match self {
            Self::Kept(path) => path,
            Self::Temporary(folder) => folder.path(),
        };
        Ok(fs::canonicalize(path).at("find", path)?)
    }

    fn is_kept(&self) -> bool {
        matches!(self, Self::Kept(_))
    }
}

/// The folders of the demo: a project, where it is shared, and a colleague's clone.
struct Demo<'a> {
    shell: Shell<'a>,
    root: PathBuf,
    project: PathBuf,
    clone: PathBuf,
    remote: PathBuf,
    versions: Vec<Version>,
    verified: u64,
}

const TRACKED: [&str; 3] = [TABLE, MODEL, IMAGES];

impl<'a> Demo<'a> {
    fn new(root: &Path, shell: Shell<'a>) -> Self {
        Self {
            shell,
            root: root.to_owned(),
            project: root.join("project"),
            clone: root.join("clone"),
            remote: root.join("remote"),
            versions: Vec::new(),
            verified: 0,
        }
    }

    fn run(mut self) -> Result<Report, DemoError> {
        for folder in [&self.project, &self.root.join("home")] {
            fs::create_dir_all(folder).at("create the folder", folder)?;
        }
        let first = self.first_version()?;
        let second = self.second_version(&first)?;
        self.pull_clone(&first, &second)?;
        let steps = self.shell.into_steps().into_iter().map(StepRow::from).collect();
        Ok(Report { steps, versions: self.versions, verified_files: self.verified, kept: None })
    }

    fn first_version(&mut self) -> Result<Content, DemoError> {
        let project = self.project.clone();
        let make = || Content::make(Amounts::FULL, &project);
        let what = "make a table, a model and 5,000 images";
        let content = self.shell.step(what, make)?;

        self.shell.git(&self.root, &["init", "--quiet", "--bare", "team.git"])?;
        self.shell.git(&project, &["init", "--quiet"])?;
        self.shell.git(&project, &["remote", "add", "origin", "../team.git"])?;
        self.shell.haul(&project, &["init"])?;
        // The demo's folder may have any name; a relative URL would not reach the clone.
        let remote = self.remote.clone();
        self.shell.haul_with(&project, &["remote", "add", "origin"], &remote)?;
        let add: Vec<&str> = ["add"].into_iter().chain(TRACKED).collect();
        self.shell.haul(&project, &add)?;
        self.publish("first version", &content)?;
        Ok(content)
    }

    fn second_version(&mut self, first: &Content) -> Result<Content, DemoError> {
        let project = self.project.clone();
        let mut content = first.clone();
        let change = || content.change(Amounts::FULL, 2, &project);
        self.shell.step("edit 20 places of the table and one tensor", change)?;
        self.shell.haul(&project, &["status"])?;
        self.shell.haul(&project, &["add", "-u"])?;
        self.publish("second version", &content)?;
        Ok(content)
    }

    /// Commits, pushes content and pointers, and takes the figures.
    fn publish(&mut self, message: &str, content: &Content) -> Result<(), DemoError> {
        let project = self.project.clone();
        self.shell.git(&project, &["commit", "--quiet", "-m", message])?;
        let sent_bytes = self.shell.haul_number(&project, &["push"], "sent_bytes")?;
        self.shell.git(&project, &["push", "--quiet", "origin", "main"])?;
        self.versions.push(Version {
            number: if self.versions.is_empty() { 1 } else { 2 },
            logical_bytes: content.bytes(),
            sent_bytes,
            remote_bytes: disk_bytes(&self.remote)?,
        });
        Ok(())
    }

    /// A colleague clones, pulls both versions, and gets exactly what was added.
    fn pull_clone(&mut self, first: &Content, second: &Content) -> Result<(), DemoError> {
        let clone = self.clone.clone();
        self.shell.git(&self.root, &["clone", "--quiet", "team.git", "clone"])?;
        self.shell.haul(&clone, &["remote", "accept", "origin"])?;
        self.shell.haul(&clone, &["pull"])?;
        self.compare("compare every file with the second version", second)?;
        self.shell.git(&clone, &["checkout", "--quiet", "HEAD~1"])?;
        self.shell.haul(&clone, &["pull"])?;
        self.compare("compare every file with the first version", first)?;
        self.shell.haul(&clone, &["verify"]).map(drop)
    }

    fn compare(&mut self, what: &str, content: &Content) -> Result<(), DemoError> {
        let clone = self.clone.clone();
        self.verified += self.shell.step(what, || content.compare(&clone))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_holds_something_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().expect("makes a folder");
        fs::create_dir(folder.path().join("mine")).expect("makes a folder");
        let options = Options { folder: Some(folder.path().to_owned()), keep: false };
        assert!(matches!(Folder::open(&options), Err(DemoError::NotEmpty { .. })));
        assert!(folder.path().join("mine").is_dir());
    }

    #[test]
    fn a_temporary_folder_goes_and_a_named_one_stays() {
        let temporary = Folder::open(&Options { folder: None, keep: false }).expect("makes one");
        let path = temporary.path().expect("is there");
        drop(temporary);
        assert!(!path.exists());

        let parent = tempfile::tempdir().expect("makes a folder");
        let named = parent.path().join("new");
        let options = Options { folder: Some(named.clone()), keep: false };
        let folder = Folder::open(&options).expect("makes one");
        assert!(folder.is_kept());
        drop(folder);
        assert!(named.is_dir());
    }
}
