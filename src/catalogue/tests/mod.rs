//! The catalogue as a whole: golden objects, hostile bytes, and what a view answers.

mod golden;
mod names;
mod objects;
mod samples;
mod views;
