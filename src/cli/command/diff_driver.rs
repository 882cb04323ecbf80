//! How `git diff` and `git log -p` show pointers. Whatever goes wrong, they show the pointers' own text.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use crate::cli::args::DiffDriverArgs;
use crate::cli::failure::Failure;
use crate::cli::render::{diff_listing, shown};
use crate::cli::session::Session;
use crate::fs::read_limited;
use crate::ops::Exit;
use crate::ops::diff::{DiffReport, ListedFile, between, listing};
use crate::path::show;
use crate::pointer::MAX_POINTER;
use crate::repo::Repo;

pub(super) fn run(args: &DiffDriverArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    if args.text {
        describe(args, session, &mut out)?;
    } else {
        compare(args, session, &mut out)?;
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// Reads what could be a pointer; nothing if it is too long for one.
fn read(file: &OsString) -> Option<Vec<u8>> {
    let bytes = read_limited(Path::new(file), MAX_POINTER as u64).ok()?.unwrap_or_default();
    (bytes.len() <= MAX_POINTER).then_some(bytes)
}

fn describe(
    args: &DiffDriverArgs,
    session: &Session<'_>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let Some(file) = args.words.first() else { return Ok(()) };
    let Some(bytes) = read(file) else {
        let mut file = std::fs::File::open(file)?;
        io::copy(&mut file, out)?;
        return Ok(());
    };
    out.write_all(&bytes)?;
    let repo = Repo::open(session.environment, &[]).ok();
    let files = repo.and_then(|repo| listing(&repo, &bytes).ok().flatten());
    for ListedFile { path, size, oid, executable } in files.into_iter().flatten() {
        let mode = if executable { " executable" } else { "" };
        writeln!(out, "{} {size:>12} {}{mode}", oid.get(..16).unwrap_or(&oid), shown(&path))?;
    }
    Ok(())
}

fn compare(
    args: &DiffDriverArgs,
    session: &Session<'_>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let [path, old, _, _, new, ..] = args.words.as_slice() else {
        let path = args.words.first().map(|path| path.as_encoded_bytes()).unwrap_or_default();
        writeln!(out, "* unmerged pointer {}", show(path))?;
        return Ok(());
    };
    let path = path.as_encoded_bytes();
    let name = show(path).to_string();
    writeln!(out, "diff --git a/{name} b/{name}")?;
    let (old, new) = (read(old), read(new));
    let report = match (&old, &new) {
        (Some(old), Some(new)) => difference(path, (old, new), session),
        _ => None,
    };
    match report {
        Some(report) if report.difference.entries.is_empty() => {
            writeln!(out, "the content is the same; only words of the pointer differ")?;
        }
        Some(report) => diff_listing(&report, out)?,
        None => {
            lines("-", old.as_deref(), out)?;
            lines("+", new.as_deref(), out)?;
        }
    }
    Ok(())
}

fn difference(path: &[u8], versions: (&[u8], &[u8]), session: &Session<'_>) -> Option<DiffReport> {
    let repo = Repo::open(session.environment, &[]).ok()?;
    between(&repo, path, versions, &session.job).ok()?
}

/// Prints the lines of a version, for want of anything better.
fn lines(sign: &str, bytes: Option<&[u8]>, out: &mut dyn Write) -> io::Result<()> {
    let Some(bytes) = bytes else { return writeln!(out, "{sign}(too long for a pointer)") };
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        writeln!(out, "{sign}{}", show(line))?;
    }
    Ok(())
}
