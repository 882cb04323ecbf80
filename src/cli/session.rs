//! One run of one verb: what it needs from outside and how it answers.

use std::io::{self, Write};
use std::time::Instant;

use serde::Serialize;

use crate::cli::failure::Failure;
use crate::cli::render::{Document, Style, Talk};
use crate::config::{Environment, Flag};
use crate::ops::OpError;
use crate::progress::Job;
use crate::repo::Repo;

/// What a command is given.
pub(crate) struct Session<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) job: Job<'a>,
    pub(crate) talk: &'a Talk,
    pub(crate) verb: &'static str,
    /// One JSON document instead of text.
    pub(crate) json: bool,
    /// How text on stdout is coloured.
    pub(crate) style: Style,
    pub(crate) started: Instant,
}

/// A finished verb: what `--json` prints, what text prints, and the closing line.
pub(crate) struct Answer<'a, R, T> {
    pub(crate) report: &'a R,
    pub(crate) dry_run: bool,
    pub(crate) text: T,
    pub(crate) figures: String,
}

impl Session<'_> {
    /// Opens the repository that the current folder lies in, and tells of settings without effect.
    pub(crate) fn repo(&self) -> Result<Repo, Failure> {
        self.repo_at(None)
    }

    /// As [`Self::repo`], where the flag `--limit-rate` may have been given.
    pub(crate) fn repo_at(&self, rate: Option<u64>) -> Result<Repo, Failure> {
        let flag = rate_flag(rate);
        Ok(self.told(Repo::open(self.environment, flag.as_slice()).map_err(OpError::from)?))
    }

    /// As [`Self::repo`], for verbs that change nothing: the repository may be bare.
    pub(crate) fn repo_or_bare(&self) -> Result<Repo, Failure> {
        self.repo_or_bare_at(None)
    }

    /// As [`Self::repo_or_bare`], where the flag `--limit-rate` may have been given.
    pub(crate) fn repo_or_bare_at(&self, rate: Option<u64>) -> Result<Repo, Failure> {
        let flag = rate_flag(rate);
        Ok(self.told(Repo::open_any(self.environment, flag.as_slice()).map_err(OpError::from)?))
    }

    fn told(&self, repo: Repo) -> Repo {
        for warning in &repo.config().warnings {
            self.job.warn(&warning.to_string());
        }
        repo
    }

    /// Prints a verb's answer: data on stdout, the figures on stderr.
    pub(crate) fn answer<R, T>(&self, answer: Answer<'_, R, T>) -> Result<(), Failure>
    where
        R: Serialize,
        T: FnOnce(&mut dyn Write) -> io::Result<()>,
    {
        self.print((answer.report, answer.dry_run), answer.text)?;
        self.talk.figures(&answer.figures);
        Ok(())
    }

    /// Prints the answer of a verb that only looks, so that it has nothing to say of what it did, and
    /// need not go on once the user asks to stop.
    pub(crate) fn show<R, T>(&self, report: &R, text: T) -> Result<(), Failure>
    where
        R: Serialize,
        T: FnOnce(&mut dyn Write) -> io::Result<()>,
    {
        let heeding = |out: &mut dyn Write| text(&mut Heeding { out, job: &self.job });
        self.print((report, false), heeding).or_else(|failure| {
            self.job.check().map_err(OpError::from)?;
            Err(failure)
        })
    }

    fn print<R, T>(&self, (report, dry_run): (&R, bool), text: T) -> Result<(), Failure>
    where
        R: Serialize,
        T: FnOnce(&mut dyn Write) -> io::Result<()>,
    {
        let mut out = io::BufWriter::new(io::stdout().lock());
        if self.json {
            let document = Document::new(self.verb, dry_run, report);
            let document = document.text().map_err(|source| Failure::Json { source })?;
            out.write_all(document.as_bytes())?;
        } else {
            text(&mut out)?;
        }
        out.flush()?;
        Ok(())
    }

    /// Prints the answer of a verb that has no text on stdout.
    pub(crate) fn answer_figures<R: Serialize>(
        &self,
        report: &R,
        dry_run: bool,
        figures: String,
    ) -> Result<(), Failure> {
        let text = |_: &mut dyn Write| Ok(());
        self.answer(Answer { report, dry_run, text, figures })
    }
}

/// An output that ends once the user asks to stop.
struct Heeding<'o> {
    out: &'o mut dyn Write,
    job: &'o Job<'o>,
}

impl Write for Heeding<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.job.check().map_err(io::Error::other)?;
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn rate_flag(rate: Option<u64>) -> Option<Flag> {
    rate.map(|rate| Flag {
        key: "transfer.limit-rate",
        flag: "--limit-rate".to_owned(),
        value: rate.to_string().into(),
    })
}
