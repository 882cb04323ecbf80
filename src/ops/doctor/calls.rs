//! Whether Git calls haul: its hooks and the merge driver, proved by calling them.

use crate::fs::temp_folder;
use crate::git::{Called, Content, DriverCalled, POINTER_LIMIT};
use crate::hash::Oid;
use crate::ops::doctor::notes::Notes;
use crate::ops::error::OpError;
use crate::ops::hook::lacks_filter;
use crate::ops::hooks;
use crate::ops::init::ATTRIBUTES;
use crate::path::RepoPath;
use crate::pointer::{Pointer, PointerKind};
use crate::repo::Repo;

/// Longest `.gitattributes` that is looked at, in bytes.
const LIMIT: u64 = 16 << 20;

/// Calls a copy of each Git hook of ours, with a variable that makes haul answer and do nothing.
pub(super) fn git_hooks(repo: &Repo, notes: &mut Notes) -> Result<(), OpError> {
    let folder = temp_folder(&repo.layout().temp())?;
    let files = repo.git().hook_files()?;
    let rows = hooks::status(repo)?.hooks;
    let (mut answered, mut untried) = (Vec::new(), Vec::new());
    for (file, row) in files.iter().zip(rows) {
        if row.state != "installed" {
            let advice = row.advice.unwrap_or_else(|| "run `haul hooks install`".to_owned());
            notes.lacks("hooks", format!("Git does not call haul at `{}`", row.name), advice);
            continue;
        }
        match file.probe(folder.path())? {
            Called::Answered => answered.push(row.name),
            Called::NotTried => untried.push(row.name),
            Called::Silent(words) => notes.fails(
                "hooks",
                format!("`{}` does not reach haul: {words}", file.path.display()),
                "run `haul hooks install`, which writes where haul lies now",
            ),
        }
    }
    if !answered.is_empty() {
        notes.works("hooks", format!("{} answer", answered.join(", ")));
    }
    if !untried.is_empty() {
        let says = format!("{} call haul from programs of others", untried.join(", "));
        notes.lacks("hooks", says, "these were not tried: they may do more than call haul");
    }
    Ok(())
}

/// Looks at the attributes, and has the merge driver merge.
pub(super) fn merge_driver(repo: &Repo, notes: &mut Notes) -> Result<(), OpError> {
    let text = repo.door().read_small(&RepoPath::new_settings_file(b".gitattributes"), LIMIT)?;
    let text = text.unwrap_or_default();
    let has =
        |wanted: &str| text.split(|b| *b == b'\n').any(|l| l.trim_ascii() == wanted.as_bytes());
    for absent in ATTRIBUTES.into_iter().filter(|wanted| !has(wanted)) {
        let says = format!("`.gitattributes` has no line `{absent}`");
        notes.lacks("attributes", says, "run `haul init`, and commit what it changes");
    }
    let folder = temp_folder(&repo.layout().temp())?;
    let empty = PointerKind::File { oid: Oid::EMPTY, size: 0, root: None, executable: false };
    let pointer = Pointer::new(empty)
        .map_err(|e| OpError::Defect(format!("a new pointer is not sound: {e}")))?;
    match repo.git().probe_merge_driver(folder.path(), &pointer.to_bytes())? {
        DriverCalled::Merged => notes.works("merge", "Git has haul merge pointers"),
        DriverCalled::Absent => notes.lacks(
            "merge",
            "Git merges pointers as text, so that two changes of one folder clash",
            "run `haul init`",
        ),
        DriverCalled::Failed(words) => notes.fails(
            "merge",
            format!("the merge driver does not work: {words}"),
            "run `haul init`, which writes where haul lies now",
        ),
    }
    Ok(())
}

/// Looks whether Git hands over the files that attributes name.
pub(super) fn filter(repo: &Repo, notes: &mut Notes) -> Result<(), OpError> {
    if lacks_filter(repo)? {
        notes.fails(
            "filter",
            "attributes have Git hand files to haul, and Git does not know how: pointers stand where \
             content should be, and what you add would go into Git itself",
            "run `haul init`, then `haul pull`",
        );
    } else if repo.git().may_hand_over()? {
        notes.works("filter", "Git hands files over to haul as attributes say");
    }
    Ok(())
}

/// Looks for pointers of the index that cannot be used.
pub(super) fn pointers(repo: &Repo, notes: &mut Notes) -> Result<(), OpError> {
    let entries = repo.git().pointers()?;
    let contents = repo.git().index_contents(&entries, POINTER_LIMIT)?;
    let sound = |content: &Content| match content {
        Content::Whole(bytes) => Pointer::parse(bytes).is_ok(),
        Content::TooLarge(_) => false,
    };
    let bad = contents.iter().filter(|content| !sound(content)).count();
    if bad == 0 {
        notes.works("pointers", format!("{} in Git's index, all sound", entries.len()));
    } else {
        notes.fails(
            "pointers",
            format!("{bad} of {} in Git's index cannot be used", entries.len()),
            "run `haul status` to see which",
        );
    }
    Ok(())
}
