//! The listing of `status`: for people, grouped, with what to do next; for programs, one line each.

use std::io::{self, Write};

use crate::cli::render::{Style, porcelain, shown};
use crate::ops::status::{PointerRow, StatusEntry, StatusReport};

/// A group of states with what to do about them.
struct Group {
    heading: &'static str,
    advice: &'static [&'static str],
    states: &'static [&'static str],
}

const GROUPS: [Group; 7] = [
    Group {
        heading: "Changed, not added:",
        advice: &[
            "`haul add -u` takes the changes",
            "`haul checkout --force PATH` brings the pointer's content back and puts yours aside",
        ],
        states: &["modified", "type-changed"],
    },
    Group {
        heading: "New in tracked folders:",
        advice: &["`haul add -u` takes them"],
        states: &["untracked", "added"],
    },
    Group {
        heading: "In tracked folders, but cannot be tracked:",
        advice: &["`haul add` refuses the folder until they are renamed, moved out or removed"],
        states: &["untrackable"],
    },
    Group {
        heading: "Not in the worktree:",
        advice: &["`haul pull` brings it, `haul checkout` if it was fetched before"],
        states: &["missing"],
    },
    Group {
        heading: "Pointers where content should be:",
        advice: &[
            "`haul pull` brings the content, after `haul init` where Git does not call haul yet",
        ],
        states: &["pointer-text"],
    },
    Group {
        heading: "Moved by Git:",
        advice: &["`haul checkout` moves the content after its pointer"],
        states: &["moved"],
    },
    Group {
        heading: "To be resolved:",
        advice: &["`git checkout -- POINTER` or `haul add PATH` settles which content counts"],
        states: &["conflict", "pointer-damaged", "pointer-missing"],
    },
];

/// Prints the listing for people.
pub(crate) fn status_listing(
    report: &StatusReport,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let known = |state: &str| GROUPS.iter().any(|group| group.states.contains(&state));
    for group in &GROUPS {
        let rows = report.entries.iter().filter(|entry| group.states.contains(&state(entry)));
        list(rows.map(entry_row), group.heading, group.advice, (style, out))?;
    }
    let others = report.entries.iter().filter(|entry| !known(state(entry)));
    list(others.map(entry_row), "Other:", &[], (style, out))?;

    let pointers = &report.pointers;
    let uncommitted = pointers.iter().filter(|row| against_head(row) != "same");
    let rows = uncommitted.map(|row| (against_head(row).to_owned(), shown(&row.path)));
    list(rows, "Pointers to be committed:", &["`git commit` records them"], (style, out))?;
    let unpushed = pointers.iter().filter(|row| pushed(row) == "no");
    let rows = unpushed.map(|row| ("not pushed".to_owned(), shown(&row.path)));
    list(rows, "Not on the remote:", &["`haul push` sends it"], (style, out))
}

fn entry_row(entry: &StatusEntry) -> (String, String) {
    (state(entry).to_owned(), shown(&entry.path))
}

fn list(
    rows: impl Iterator<Item = (String, String)>,
    heading: &str,
    advice: &[&str],
    (style, out): (Style, &mut dyn Write),
) -> io::Result<()> {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return Ok(());
    }
    writeln!(out, "{}", style.heading(heading))?;
    for (state, path) in rows {
        writeln!(out, "  {state:<16} {path}")?;
    }
    advice.iter().try_for_each(|line| writeln!(out, "  ({line})"))
}

/// Prints the lines for programs; the help of the verb explains them.
pub(crate) fn porcelain_listing(report: &StatusReport, out: &mut dyn Write) -> io::Result<()> {
    for entry in &report.entries {
        writeln!(out, "w{}\t{}", letter(state(entry)), porcelain(&entry.path))?;
    }
    for row in &report.pointers {
        let path = porcelain(&row.path);
        match against_head(row) {
            "new" => writeln!(out, "hN\t{path}")?,
            "changed" => writeln!(out, "hM\t{path}")?,
            _ => {}
        }
        match pushed(row) {
            "no" => writeln!(out, "r!\t{path}")?,
            "unknown" => writeln!(out, "r?\t{path}")?,
            _ => {}
        }
    }
    Ok(())
}

fn letter(state: &str) -> char {
    match state {
        "modified" => 'M',
        "missing" => 'D',
        "untracked" => '?',
        "untrackable" => 'N',
        "type-changed" => 'T',
        "added" => 'A',
        "conflict" => 'U',
        "pointer-damaged" => '!',
        "pointer-missing" => 'P',
        "moved" => 'R',
        "pointer-text" => 'p',
        _ => 'X',
    }
}

fn state(entry: &StatusEntry) -> &str {
    entry.state
}

fn against_head(row: &PointerRow) -> &str {
    row.against_head
}

fn pushed(row: &PointerRow) -> &str {
    row.pushed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::json_path;

    fn report() -> StatusReport {
        let entry = |state, path: &str| StatusEntry {
            path: json_path(path.as_bytes()),
            state,
            pointer: json_path(b"data"),
        };
        let row = |path: &str, against_head, pushed| PointerRow {
            path: json_path(path.as_bytes()),
            against_head,
            pushed,
        };
        StatusReport {
            entries: vec![entry("missing", "data/b"), entry("modified", "data/a\nz")],
            pointers: vec![row("data", "changed", "no"), row("old", "same", "yes")],
            clean: false,
            files: 3,
            bytes: 9,
        }
    }

    fn text(print: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        print(&mut out).expect("writes to memory");
        String::from_utf8(out).expect("is text")
    }

    #[test]
    fn people_see_groups_and_what_to_do_next() {
        let text = text(|out| status_listing(&report(), Style::PLAIN, out));
        assert!(text.starts_with("Changed, not added:\n  modified         data/a\\nz\n"), "{text}");
        assert!(text.contains("Not in the worktree:\n  missing          data/b\n"), "{text}");
        assert!(text.contains("Pointers to be committed:\n  changed          data\n"), "{text}");
        assert!(text.contains("(`haul push` sends it)"), "{text}");
        assert!(!text.contains("old") && !text.contains("Moved"), "{text}");
    }

    #[test]
    fn programs_see_two_letters_a_tab_and_a_path() {
        let text = text(|out| porcelain_listing(&report(), out));
        assert_eq!(text, "wD\tdata/b\nwM\tdata/a\\nz\nhM\tdata\nr!\tdata\n");
    }
}
