//! How a diff is shown: file by file, by tracked path, or as Markdown for a pull request.

use std::io::{self, Write};

use crate::cli::render::figures::many;
use crate::cli::render::{files, shown};
use crate::ops::diff::{DiffEntry, DiffFigures, DiffReport};
use crate::units::{ByteSize, Count};

/// Files that a table in Markdown lists; the rest is counted.
const MARKDOWN_ROWS: usize = 50;

/// A line for each file, and one for all.
pub(crate) fn diff_listing(report: &DiffReport, out: &mut dyn Write) -> io::Result<()> {
    for entry in &report.difference.entries {
        let size = ByteSize(entry.bytes.or(entry.old_bytes).unwrap_or(0)).to_string();
        write!(out, "{:<9} {size:>10}  {}", entry.change, shown(&entry.path))?;
        match was(entry) {
            Some(was) => writeln!(out, "  ({was})")?,
            None => writeln!(out)?,
        }
    }
    summary(report, out)
}

/// What a file was before, where that is worth saying.
fn was(entry: &DiffEntry) -> Option<String> {
    if let Some(from) = &entry.from {
        let copied = entry.change == "copied";
        return Some(if copied {
            format!("of {}", shown(from))
        } else {
            format!("was {}", shown(from))
        });
    }
    if let Some(old_kind) = entry.old_kind {
        return Some(format!("was {old_kind}, is {}", entry.kind));
    }
    let old = entry.old_bytes.filter(|_| entry.change == "modified")?;
    Some(format!("was {}", ByteSize(old)))
}

fn summary(report: &DiffReport, out: &mut dyn Write) -> io::Result<()> {
    if report.difference.entries.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}", counts(report))?;
    writeln!(out, "{}", diff_bytes(&report.difference.figures))
}

/// Returns `1 added, 2 removed`.
pub(crate) fn diff_changes(figures: &DiffFigures) -> String {
    let kinds = [
        (figures.added, "added"),
        (figures.copied, "copied"),
        (figures.removed, "removed"),
        (figures.modified, "modified"),
        (figures.renamed, "renamed"),
    ];
    let kinds = kinds.iter().filter(|(count, _)| *count > 0);
    let kinds: Vec<String> =
        kinds.map(|(count, word)| format!("{} {word}", Count(*count))).collect();
    kinds.join(", ")
}

fn counts(report: &DiffReport) -> String {
    let total = many(report.difference.entries.len() as u64, "file differs", "files differ");
    format!("{total}: {}", diff_changes(&report.difference.figures))
}

/// Returns `1.2 MiB: 0.2 MiB new, 0.1 MiB to receive, 1.0 MiB reused`.
pub(crate) fn diff_bytes(figures: &DiffFigures) -> String {
    let receive = match figures.receive_bytes {
        Some(bytes) => format!(", {} to receive", ByteSize(bytes)),
        None => String::new(),
    };
    let (all, new) = (ByteSize(figures.bytes), ByteSize(figures.new_bytes));
    format!("{all}: {new} new{receive}, {} reused", ByteSize(figures.reused_bytes))
}

/// What changed below one tracked path.
struct Row {
    path: String,
    entries: u64,
    changes: String,
    before: u64,
    now: u64,
}

fn rows(report: &DiffReport) -> Vec<Row> {
    let by_pointer = report.difference.entries.chunk_by(|a, b| a.pointer == b.pointer);
    let row = |entries: &[DiffEntry]| {
        let count = |word: &str| entries.iter().filter(|e| e.change == word).count() as u64;
        let changes =
            ["added", "copied", "removed", "modified", "renamed"].map(|word| (count(word), word));
        let changes: Vec<String> = changes
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{} {word}", Count(*count)))
            .collect();
        Row {
            path: entries.first().map(|entry| shown(&entry.pointer)).unwrap_or_default(),
            entries: entries.len() as u64,
            changes: changes.join(", "),
            before: entries.iter().filter_map(|e| e.old_bytes).fold(0, u64::saturating_add),
            now: entries.iter().filter_map(|e| e.bytes).fold(0, u64::saturating_add),
        }
    };
    by_pointer.map(row).collect()
}

/// A line for each tracked path, and one for all.
pub(crate) fn diff_stat(report: &DiffReport, out: &mut dyn Write) -> io::Result<()> {
    for Row { path, entries, changes, before, now } in rows(report) {
        let (before, now) = (ByteSize(before), ByteSize(now));
        writeln!(out, "{path}  {}: {changes}; {before} before, {now} now", files(entries))?;
    }
    summary(report, out)
}

/// Two tables, one by tracked path and one by file.
pub(crate) fn diff_markdown(report: &DiffReport, out: &mut dyn Write) -> io::Result<()> {
    if report.difference.entries.is_empty() {
        return writeln!(out, "No tracked data differs.");
    }
    writeln!(out, "**{}** — {}\n", counts(report), diff_bytes(&report.difference.figures))?;
    writeln!(out, "| tracked path | files | changes | before | now |")?;
    writeln!(out, "|---|---:|---|---:|---:|")?;
    for Row { path, entries, changes, before, now } in rows(report) {
        let (path, before, now) = (code(&path), ByteSize(before), ByteSize(now));
        writeln!(out, "| {path} | {} | {changes} | {before} | {now} |", Count(entries))?;
    }
    writeln!(out, "\n<details><summary>Files</summary>\n")?;
    writeln!(out, "| change | file | before | now |\n|---|---|---:|---:|")?;
    for entry in report.difference.entries.iter().take(MARKDOWN_ROWS) {
        let size = |bytes: Option<u64>| bytes.map(|b| ByteSize(b).to_string()).unwrap_or_default();
        let (old, new) = (size(entry.old_bytes), size(entry.bytes));
        let was = if entry.change == "copied" { "of" } else { "was" };
        let from = entry.from.as_ref().map(|from| format!(", {was} {}", code(&shown(from))));
        let file = code(&shown(&entry.path)) + &from.unwrap_or_default();
        writeln!(out, "| {} | {file} | {old} | {new} |", entry.change)?;
    }
    let more = report.difference.entries.len().saturating_sub(MARKDOWN_ROWS) as u64;
    if more > 0 {
        writeln!(out, "\nand {} more", Count(more))?;
    }
    writeln!(out, "\n</details>")
}

/// A span of code in a table, whatever the name holds.
fn code(text: &str) -> String {
    let text = text.replace('|', "\\|");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let blank = if longest > 0 { " " } else { "" };
    format!("{fence}{blank}{text}{blank}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_in_its_cell() {
        assert_eq!(code("a b"), "`a b`");
        assert_eq!(code("a|b"), "`a\\|b`");
        assert_eq!(code("a`b``c"), "``` a`b``c ```");
    }
}
