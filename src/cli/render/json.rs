//! The one document that `--json` prints.

use serde::Serialize;

use crate::path::escape_json;

/// A report with the fields that every document has.
#[derive(Serialize)]
pub(crate) struct Document<'a, R> {
    /// Version of the documents: fields may be added, never change their meaning.
    haul: u32,
    verb: &'a str,
    dry_run: bool,
    #[serde(flatten)]
    report: &'a R,
}

impl<'a, R: Serialize> Document<'a, R> {
    /// Wraps the report of `verb`, or its plan if `dry_run`.
    pub(crate) fn new(verb: &'a str, dry_run: bool, report: &'a R) -> Self {
        Self { haul: 1, verb, dry_run, report }
    }

    /// Returns one line, safe to print on a terminal.
    pub(crate) fn text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self).map(|text| escape_json(&text) + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Report {
        files: u64,
    }

    #[test]
    fn a_document_begins_with_its_version_and_verb() {
        let text = Document::new("add", true, &Report { files: 3 }).text().expect("is plain data");
        assert_eq!(text, "{\"haul\":1,\"verb\":\"add\",\"dry_run\":true,\"files\":3}\n");
    }
}
