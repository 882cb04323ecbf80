//! Packs as a whole: round trips, golden files, and everything that must be refused.

mod columns;
mod golden;
mod hostile;
mod planes;
mod round_trip;
mod samples;
