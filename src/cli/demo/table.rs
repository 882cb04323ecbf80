//! A table of orders, as a shop's database would export it.

use std::io::{self, Write};

use crate::cli::demo::random::Random;

const SEED: u64 = 1;
const FIRST: &[&str] =
    &["Ada", "Ben", "Chen", "Dara", "Eva", "Femi", "Grace", "Hugo", "Ines", "Jo"];
const LAST: &[&str] =
    &["Abe", "Berg", "Costa", "Diaz", "Eke", "Fox", "Gray", "Haas", "Ito", "Jung"];
const CITY: &[&str] = &["Accra", "Berlin", "Cusco", "Delhi", "Erbil", "Fukuoka", "Graz", "Hanoi"];
const ITEM: &[&str] = &["lamp", "chair", "desk", "shelf", "sofa", "rug", "mirror", "stool"];
const NOTE: &[&str] = &["", "", "", "gift", "fragile", "call before delivery", "leave at the door"];

/// How many places of the table the second version changes, and how many rows at each.
const BURSTS: u64 = 20;
const BURST_ROWS: u64 = 30;

/// Writes the table in its first or a later version.
pub(super) fn write(rows: u64, version: u64, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "id,date,name,city,item,quantity,price,note")?;
    (0..rows).try_for_each(|row| {
        let seed = if version > 1 && is_edited(row, rows) { SEED + version } else { SEED };
        write_row(row, &mut Random::new(seed, row), out)
    })
}

/// Bursts lie at even distances: the worst case for whoever stores a file's changes as large parts.
fn is_edited(row: u64, rows: u64) -> bool {
    let distance = (rows / BURSTS).max(1);
    row % distance < BURST_ROWS.min(distance / 10) && row / distance < BURSTS
}

fn write_row(row: u64, random: &mut Random, out: &mut impl Write) -> io::Result<()> {
    let id = 10_000_000 + row * 3;
    // Exports are sorted by day; some thousand orders come in on each.
    let day = row / 2_000;
    let (year, month, day) = (2015 + day / 336, 1 + day / 28 % 12, 1 + day % 28);
    let (first, last) = (random.pick(FIRST), random.pick(LAST));
    let (city, item, note) = (random.pick(CITY), random.pick(ITEM), random.pick(NOTE));
    let (quantity, cents) = (1 + random.below(9), 199 + random.below(250_000));
    let (units, cents) = (cents / 100, cents % 100);
    writeln!(
        out,
        "{id},{year}-{month:02}-{day:02},{first} {last},{city},{item},{quantity},{units}.{cents:02},{note}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(version: u64) -> String {
        let mut out = Vec::new();
        write(2_000, version, &mut out).expect("writes to memory");
        String::from_utf8(out).expect("is text")
    }

    #[test]
    fn the_second_version_differs_in_bursts_of_rows() {
        let (old, new) = (text(1), text(2));
        assert_eq!(old.lines().count(), 2_001);
        let changed = old.lines().zip(new.lines()).filter(|(old, new)| old != new).count();
        assert_eq!(changed, 20 * 10);
        assert!(old.lines().all(|line| line.split(',').count() == 8));
    }
}
