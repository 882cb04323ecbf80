use std::io::{self, Write};
use std::path::PathBuf;

use serde::Serialize;

use crate::cli::demo::shell::Step;
use crate::path::show;
use crate::units::{ByteSize, Count, elapsed};

/// What the demo showed.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(super) steps: Vec<StepRow>,
    pub(super) versions: Vec<Version>,
    /// Comparisons of a file with what was made; each was equal.
    pub(super) verified_files: u64,
    /// The folder, if it was kept.
    pub(super) kept: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct StepRow {
    what: String,
    milliseconds: u64,
}

/// One version as it went to the remote.
#[derive(Debug, Serialize)]
pub(super) struct Version {
    pub(super) number: u64,
    /// The bytes of all its files.
    pub(super) logical_bytes: u64,
    /// What its push sent.
    pub(super) sent_bytes: u64,
    /// What the remote's folder holds after its push.
    pub(super) remote_bytes: u64,
}

impl From<Step> for StepRow {
    fn from(step: Step) -> Self {
        let milliseconds = u64::try_from(step.time.as_millis()).unwrap_or(u64::MAX);
        Self { what: step.what, milliseconds }
    }
}

impl Report {
    /// Returns the closing line.
    pub(crate) fn line(&self) -> String {
        let kept = match &self.kept {
            Some(folder) => format!("; all of it lies in `{}`", show(folder.as_bytes())),
            None => String::new(),
        };
        format!("the demo compared {} files, all equal{kept}", Count(self.verified_files))
    }

    /// Prints times and sizes as a table.
    pub(crate) fn table(&self, out: &mut dyn Write) -> io::Result<()> {
        let width = self.steps.iter().map(|row| row.what.chars().count()).max().unwrap_or(0);
        let width = width.clamp(4, 60);
        writeln!(out, "{:<width$}  {:>12}", "step", "time")?;
        for row in &self.steps {
            let time = elapsed(std::time::Duration::from_millis(row.milliseconds));
            writeln!(out, "{:<width$}  {time:>12}", row.what)?;
        }
        writeln!(out, "\n{:<7}  {:>12}  {:>12}  {:>12}", "version", "files", "sent", "on remote")?;
        for row in &self.versions {
            let sizes = [row.logical_bytes, row.sent_bytes, row.remote_bytes];
            write!(out, "{:<7}", row.number)?;
            for size in sizes {
                write!(out, "  {:>12}", ByteSize(size).to_string())?;
            }
            writeln!(out)?;
        }
        Ok(())
    }
}

/// Returns the path as text for the report.
pub(super) fn kept(folder: Option<PathBuf>) -> Option<String> {
    folder.map(|folder| folder.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_lines_up() {
        let report = Report {
            steps: vec![StepRow { what: "haul push".to_owned(), milliseconds: 1250 }],
            versions: vec![Version {
                number: 1,
                logical_bytes: 3 << 20,
                sent_bytes: 1 << 20,
                remote_bytes: 1 << 20,
            }],
            verified_files: 12,
            kept: None,
        };
        let mut out = Vec::new();
        report.table(&mut out).expect("writes to memory");
        assert_eq!(
            String::from_utf8(out).expect("is text"),
            "step               time\n\
             haul push        1.25 s\n\
             \n\
             version         files          sent     on remote\n\
             1             3.0 MiB       1.0 MiB       1.0 MiB\n"
        );
    }
}
