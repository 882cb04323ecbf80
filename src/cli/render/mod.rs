//! How answers, progress and errors look: stdout is data, stderr is talk.

mod bars;
mod diff;
mod error;
mod events;
mod figures;
mod gc;
mod json;
mod meter;
mod path;
mod plain;
mod say;
mod status;
mod style;
mod talk;

pub(crate) use diff::{diff_bytes, diff_changes, diff_listing, diff_markdown, diff_stat};
pub(crate) use error::{ErrorDocument, ErrorText};
pub(crate) use figures::{
    Figures, add_line, checkout_line, content, du_line, evict_line, evict_plan_line, fetch_line,
    files, fsck_line, many, push_line, status_line, sync_line, verify_line,
};
pub(crate) use gc::{gc_line, undo_line};
pub(crate) use json::Document;
pub(crate) use path::{porcelain, shown};
pub(crate) use say::{Talking, say, say_between};
pub(crate) use status::{porcelain_listing, status_listing};
pub(crate) use style::{Style, Word};
pub(crate) use talk::Talk;
