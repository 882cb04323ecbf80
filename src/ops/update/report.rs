//! What an update did, and what it did not do.

use crate::ops::error::OpError;
use crate::ops::import::{ImportPlanRow, ImportedRow};
use crate::path::JsonPath;

/// What was brought up to date.
#[derive(Debug, Default)]
pub struct UpdateReport {
    /// Imported paths, in order.
    pub paths: Vec<ImportedRow>,
    /// Those that are as they were, in the order in which they failed.
    pub failed: Vec<FailedImport>,
}

/// What would be brought up to date.
#[derive(Debug, Default)]
pub struct UpdatePlan {
    /// Imported paths, in order.
    pub paths: Vec<ImportPlanRow>,
    /// Those that would not be.
    pub failed: Vec<FailedImport>,
}

/// An import that could not be brought up to date.
#[derive(Debug)]
pub struct FailedImport {
    /// The tracked path.
    pub path: JsonPath,
    /// The repository, without secrets.
    pub url: String,
    /// The commit that was to be taken, if it could be fetched.
    pub commit: Option<String>,
    /// Why.
    pub error: OpError,
}
