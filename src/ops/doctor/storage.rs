//! Where content lies: the cache and the remote.

use std::time::Duration;

use crate::cache::Held;
use crate::ops::doctor::notes::Notes;
use crate::ops::doctor::run::Reach;
use crate::ops::error::OpError;
use crate::ops::remote;
use crate::progress::Job;
use crate::repo::Repo;
use crate::units::ByteSize;

/// How long another command may keep the index before that is worth a line.
const PATIENCE: Duration = Duration::from_secs(2);

/// Opens the index and the stat cache, and says what is not pushed yet.
pub(super) fn cache(repo: &Repo, notes: &mut Notes) -> Result<(), OpError> {
    if !repo.index_within(PATIENCE)? {
        notes.lacks("index", "another haul has it", "wait for that command, and run this again");
        return Ok(());
    }
    let index = repo.index()?;
    repo.stat()?;
    let packs = index.packs(Held::Unpushed)?;
    let bytes: u64 = packs.iter().map(|(_, state)| u64::from(state.size)).sum();
    let here = repo.layout().cache_folder().list()?;
    let cached: u64 = here.iter().map(|pack| pack.bytes).sum();
    notes.works(
        "index",
        format!(
            "{} not pushed yet, {} that can be fetched again",
            ByteSize(bytes),
            ByteSize(cached)
        ),
    );
    let aside = repo.layout().state().join("quarantine");
    let damaged = aside.read_dir().map_or(0, Iterator::count);
    if damaged > 0 {
        let says = format!(
            "{damaged} damaged packs or spools, or whole files that somebody wrote to, were put aside in \
             `{}`",
            aside.display()
        );
        notes.lacks("quarantine", says, "run `haul fsck`, which says what is missing");
    }
    Ok(())
}

/// Reads from the remote that push and pull use; writes there only if so asked.
pub(super) fn remote(
    repo: &Repo,
    reach: Reach,
    now_ms: u64,
    job: &Job,
    notes: &mut Notes,
) -> Result<(), OpError> {
    if repo.config().remotes.is_empty() {
        notes.lacks("remote", "none is set up", "run `haul remote add NAME URL`");
        return Ok(());
    }
    let found = match reach {
        Reach::Nothing => {
            let says = "it was not asked";
            notes.lacks("remote", says, "run it without `--offline` to have it tried");
            return Ok(());
        }
        Reach::Read => remote::look(repo, None, now_ms),
        Reach::Write => remote::test(repo, None, now_ms, job).map(|report| report.checks),
    };
    // What a wish to stop cut short says nothing of the remote.
    job.check()?;
    match found {
        Ok(checks) => notes.0.extend(checks),
        Err(error) => notes.failed("remote", &error),
    }
    Ok(())
}
