//! Files that change while they are added: what a pointer names is what is stored, and the file held
//! exactly that at some moment.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::args::Args;
use crate::figures::Figures;
use crate::harness::{Repo, World, data};
use crate::real::cases::{self, guarded};
use crate::real::random::Random;
use crate::real::trace::{self, Act, Call, Kind};

/// What a writer does to the file.
const WAYS: &[&str] = &["append", "truncate", "in place", "rename over", "delete", "pipe"];
/// Sizes of the file: of a few bytes, of some chunks, and of one that is read in pieces.
const SIZES: &[usize] = &[40, 5_000, 90_000, 700_000, 700_000, LARGE];
const LARGE: usize = 9_500_000;
/// Calls that open or read a file, at any of which it may change: a large one is read by 512 KiB.
fn reads(size: usize) -> usize {
    if size == LARGE { 2 + LARGE.div_ceil(512 << 10) } else { 6 }
}

/// Runs the campaign.
pub(crate) fn run(args: &Args) -> Figures {
    let mut figures = Figures::default();
    let (changed, added) = (AtomicU64::new(0), AtomicU64::new(0));
    cases::run(&mut figures, args, args.cases(1000, 40), |seed| {
        let mut random = Random::new(seed);
        let outcome = case(&Plan::of(&mut random), &mut random, &World::new())?;
        changed.fetch_add(u64::from(outcome.changes > 0), Ordering::Relaxed);
        added.fetch_add(u64::from(outcome.added), Ordering::Relaxed);
        Ok(())
    });
    figures.row("files that changed while they were read", changed.into_inner());
    figures.row("added with what they held at one moment", added.into_inner());
    figures
}

struct Outcome {
    changes: u64,
    added: bool,
}

/// Changes a large file between any two of its reads, with a bug, and returns what was found.
pub(super) fn first_miss(bug: &str) -> Option<String> {
    let variables = &[("HAUL_PLANTED", bug)];
    // Between the two places that change first.
    let reads = reads(LARGE);
    (reads / 2..reads).chain(0..reads / 2).find_map(|at| {
        let plan = Plan { size: LARGE, way: "in place", at, often: false, variables };
        guarded(|| case(&plan, &mut Random::new(at as u64), &World::new()).map(drop)).err()
    })
}

/// How a file is changed while it is added.
struct Plan<'p> {
    size: usize,
    way: &'static str,
    /// Calls that open or read it before.
    at: usize,
    /// Whether it is changed at the next calls too.
    often: bool,
    variables: &'p [(&'p str, &'p str)],
}

impl Plan<'_> {
    fn of(random: &mut Random) -> Self {
        let (size, way) = (*random.pick(SIZES), *random.pick(WAYS));
        let at = random.below(reads(size));
        Self { size, way, at, often: random.chance(30), variables: &[] }
    }
}

fn case(plan: &Plan<'_>, random: &mut Random, world: &World) -> Result<Outcome, String> {
    let Plan { size, way, at, often, variables } = *plan;
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    let (unit, name) = if random.chance(50) { ("x.bin", "x.bin") } else { ("d", "d/x.bin") };
    a.write("d/other", b"other");
    a.write(name, &data::bytes(random.next(), size));
    let path = a.path(name);
    let mut versions = HashSet::from([blake3::hash(&a.read(name))]);
    let (mut seen, mut changes) = (0, 0);
    let mut judge = |call: &Call| {
        if call.path == path && matches!(call.kind, Kind::Open | Kind::Read) {
            seen += 1;
            if seen == at + 1 || often && seen > at && changes < 3 {
                changes += 1;
                change(&path, way, random);
                versions.extend(
                    fs::symlink_metadata(&path)
                        .ok()
                        .filter(fs::Metadata::is_file)
                        .map(|_| blake3::hash(&fs::read(&path).expect("is readable"))),
                );
            }
        }
        Act::Go
    };
    let ended = trace::haul(world, &a.path(""), (&["add", unit], variables), &mut judge);
    let said = format!("{way} at read {at} of {size} bytes, {changes} times\n{ended}");
    match ended.status {
        Some(0) => check(&a, (unit, name), &versions).map_err(|why| format!("{why}: {said}"))?,
        Some(1) if ended.stderr.contains("hint: ") => {
            if changes == 0 {
                return Err(format!("refused, and nothing changed: {said}"));
            }
            settle(&a, unit, name)?;
        }
        _ => return Err(said),
    }
    Ok(Outcome { changes, added: ended.status == Some(0) })
}

/// Changes the file as another program would.
fn change(path: &Path, way: &str, random: &mut Random) {
    let bytes = data::bytes(random.next(), 1 + random.below(3_000));
    let beside = path.with_file_name("beside");
    // To open a pipe that stands there already would be to wait for a reader.
    let there = path.symlink_metadata().ok().filter(fs::Metadata::is_file);
    let Some(length) = there.map(|metadata| metadata.len()) else { return };
    let Ok(file) = fs::OpenOptions::new().write(true).open(path) else { return };
    match way {
        "append" => file.write_all_at(&bytes, length).expect("appends"),
        "truncate" => file.set_len(length / 2).expect("truncates"),
        // Who has read one of the two and then reads the other has what the file never held.
        "in place" => [length / 3, length / 3 * 2]
            .into_iter()
            .for_each(|at| file.write_all_at(b"another", at).expect("writes")),
        "rename over" => {
            fs::write(&beside, &bytes).expect("writes");
            fs::rename(&beside, path).expect("renames");
        }
        "delete" => fs::remove_file(path).expect("deletes"),
        _ => {
            fs::remove_file(path).expect("deletes");
            let made = std::process::Command::new("mkfifo").arg(path).status();
            assert!(made.is_ok_and(|status| status.success()), "makes a pipe");
        }
    }
}

/// Requires that what the pointer names is stored, and that the file held it at one moment.
fn check(
    a: &Repo<'_>,
    (unit, name): (&str, &str),
    versions: &HashSet<blake3::Hash>,
) -> Result<(), String> {
    let pointer = a.text(format!("{unit}.haul"));
    // What stands in the worktree must not be taken for what is stored.
    drop(fs::remove_dir_all(a.path(unit)));
    drop(fs::remove_file(a.path(unit)));
    for cache in ["stat.redb", "index.redb"] {
        drop(fs::remove_file(a.path(format!(".git/haul/{cache}"))));
    }
    let placed = a.haul(&["checkout", unit]);
    if placed.status() != Some(0) {
        return Err(format!("what was added cannot be had again: {placed}"));
    }
    if !a.has(name) {
        return Ok(());
    }
    let hash = blake3::hash(&a.read(name));
    if unit == name && !pointer.contains(&format!("oid b3:{}\n", hash.to_hex())) {
        return Err(format!("stored {hash}, and the pointer says\n{pointer}"));
    }
    if versions.contains(&hash) {
        Ok(())
    } else {
        Err("stored what the file never held".to_owned())
    }
}

/// After a refusal: once nobody changes it any more, the same command works.
fn settle(a: &Repo<'_>, unit: &str, name: &str) -> Result<(), String> {
    let still = a.path(name).symlink_metadata().is_ok_and(|metadata| metadata.is_file());
    if !still {
        drop(fs::remove_file(a.path(name)));
        a.write(name, b"again");
    }
    let again = a.haul(&["add", unit]);
    if again.status() == Some(0) { Ok(()) } else { Err(format!("again: {again}")) }
}
