//! What a campaign found.

use std::time::Duration;

/// Misses that are printed; the others are only counted.
const SHOWN: usize = 20;

/// Numbered facts and the cases that broke a promise.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    rows: Vec<(String, String)>,
    misses: Vec<String>,
}

impl Figures {
    /// Adds a line to the table.
    #[expect(clippy::needless_pass_by_value, reason = "mostly a number")]
    pub(crate) fn row(&mut self, what: impl Into<String>, value: impl ToString) {
        self.rows.push((what.into(), value.to_string()));
    }

    /// Notes a case that broke a promise, with what is needed to run it again.
    pub(crate) fn miss(&mut self, case: impl Into<String>) {
        self.misses.push(case.into());
    }

    /// Returns how many misses were noted.
    pub(crate) fn misses(&self) -> usize {
        self.misses.len()
    }

    /// Prints the table and the misses; returns how many there are.
    pub(crate) fn print(&self, name: &str, took: Duration) -> usize {
        println!("\ncampaign {name}");
        let width = self.rows.iter().map(|(what, _)| what.len()).max().unwrap_or(0).max(6);
        for (what, value) in &self.rows {
            println!("  {what:width$}  {value}");
        }
        println!("  {:width$}  {:.1} s", "time", took.as_secs_f64());
        println!("  {:width$}  {}", "misses", self.misses.len());
        for miss in self.misses.iter().take(SHOWN) {
            println!("  MISS {miss}");
        }
        self.misses.len()
    }
}
