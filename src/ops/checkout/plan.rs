//! What a checkout would do: compared by stamps, read only where the stat cache cannot tell.

use std::collections::HashSet;

use serde::Serialize;

use crate::cache::{Known, Link, ObjectReader, StatEntry, WholeFiles};
use crate::fs::Time;
use crate::ops::checkout::form::stands_otherwise;
use crate::ops::checkout::in_place;
use crate::ops::checkout::judge::{Verdict, judge};
use crate::ops::checkout::leavers::{InGit, Leaving, Named, Stay, leaving};
use crate::ops::checkout::look_alikes::{Mixed, refuse_look_alikes};
use crate::ops::checkout::options::{CheckoutOptions, Manner};
use crate::ops::checkout::orphans::{Orphan, PlacedPointers, orphans};
use crate::ops::checkout::packed::{Among, Packed};
use crate::ops::checkout::past::{Before, Past};
use crate::ops::checkout::placed::Placed;
use crate::ops::checkout::survey::{Seen, Site, survey_more};
use crate::ops::checkout::wanted::{Target, packed_targets};
use crate::ops::checkout::writes::{Write, Writes};
use crate::ops::chosen::{Chosen, chosen_or_warned, nothing_matches};
use crate::ops::error::OpError;
use crate::ops::select::Select;
use crate::path::{JsonPath, RepoPath, json_path};
use crate::progress::{Job, Kind, Task};
use crate::repo::Repo;
use crate::transfer::Filter;
use crate::worktree::Content;

/// What a checkout would do.
#[derive(Serialize)]
pub struct CheckoutPlan {
    /// Files to write.
    pub write: u64,
    /// Files to remove: gone from the pointers, and unchanged since haul placed them.
    pub remove: u64,
    /// Tracked paths to rename.
    pub r#move: u64,
    /// Files that are as they should be.
    pub keep: u64,
    /// Bytes to write.
    pub bytes: u64,
    /// Files that were changed and not added: without `force` nothing is done.
    pub refused: Vec<JsonPath>,
    /// Tracked paths whose tree is not on this machine.
    pub missing: Vec<JsonPath>,
    /// Tracked paths that are passed over, as names in them are one on this file system.
    pub colliding: Vec<JsonPath>,
    #[serde(skip)]
    pub(super) work: Work,
}

/// The steps behind a plan.
pub(super) struct Work {
    pub(super) began: Time,
    /// What was asked for, to say of which commit it is when something is wrong.
    pub(super) select: Select,
    pub(super) force: bool,
    manner: Manner,
    /// How files are to be shared with the cache, if not as the settings say.
    pub(super) link: Option<Link>,
    pub(super) orphans: Vec<Orphan>,
    pub(super) writes: Writes,
    pub(super) leaving: Vec<Leaving>,
    /// What the stat cache is to learn about files that stay.
    pub(super) learned: Packed<Placed>,
    /// The pointers that hold afterwards.
    pub(super) pointers: Vec<(Vec<u8>, Vec<u8>)>,
    /// Files that Git's filter left as pointers: never links, which Git would take for a change.
    pub(super) filled: Vec<Write>,
    /// Every file that is to go.
    pub(super) going: HashSet<Vec<u8>>,
    /// Why tracked paths are passed over.
    pub(super) collisions: Vec<String>,
    mixed: Option<Mixed>,
    in_git: InGit,
}

/// Compares the worktree with the selected pointers.
pub fn plan(repo: &Repo, options: &CheckoutOptions, job: &Job) -> Result<CheckoutPlan, OpError> {
    repo.begin_changes(job)?;
    let chosen = chosen_or_warned(repo, &options.select, job)?;
    plan_of(repo, (options, &chosen), job)
}

/// As [`plan`], of these pointers.
pub(crate) fn plan_of(
    repo: &Repo,
    (options, chosen): (&CheckoutOptions, &[Chosen]),
    job: &Job,
) -> Result<CheckoutPlan, OpError> {
    let plan = look(repo, (options, chosen), job);
    plan.map_err(|e| e.with_commit(repo, &options.select))
}

fn look(
    repo: &Repo,
    (options, chosen): (&CheckoutOptions, &[Chosen]),
    job: &Job,
) -> Result<CheckoutPlan, OpError> {
    let _scanning = job.begin(Kind::Scan, None);
    let began = repo.door().now()?;
    let none = chosen.is_empty();
    let (chosen, in_place) = in_place::split(chosen);
    let mut placed = PlacedPointers::load(repo)?;
    placed.ask_git(repo, &chosen)?;
    let orphans = if options.select.rev.is_some() {
        Vec::new()
    } else {
        let all = options.select.is_whole();
        orphans(repo, (&chosen, all), &placed, began, job)?
    };
    let mut plan = CheckoutPlan {
        write: 0,
        remove: 0,
        r#move: 0,
        keep: 0,
        bytes: 0,
        refused: Vec::new(),
        missing: Vec::new(),
        colliding: Vec::new(),
        work: Work {
            began,
            select: options.select.clone(),
            force: options.force,
            manner: options.manner,
            link: options.link,
            orphans,
            writes: Writes::default(),
            leaving: Vec::new(),
            learned: Packed::default(),
            pointers: Vec::new(),
            filled: Vec::new(),
            going: HashSet::new(),
            collisions: Vec::new(),
            mixed: Mixed::of(repo)?,
            in_git: InGit::new(chosen.iter().map(|item| item.path.as_bytes().to_vec())),
        },
    };
    plan.follow_orphans();
    let mut found = !plan.missing.is_empty() || !in_place.is_empty();
    if options.select.rev.is_none() {
        in_place::fill(repo, &in_place, &mut plan, job)?;
    }
    for item in chosen {
        job.check()?;
        found |= compare(repo, item, &placed, &mut plan, job)?;
    }
    if !found && !none {
        return Err(nothing_matches(&options.select));
    }
    refuse_look_alikes(repo, &plan.work)?;
    Ok(plan)
}

impl CheckoutPlan {
    fn follow_orphans(&mut self) {
        for orphan in std::mem::take(&mut self.work.orphans) {
            match &orphan {
                Orphan::Moved { absent, present, .. } => {
                    self.r#move += 1;
                    self.keep += present;
                    for target in absent {
                        let target = target.clone();
                        self.write(Write::anew(target, None));
                    }
                }
                Orphan::Gone { leaving, .. } => {
                    self.remove += leaving.files.len() as u64;
                    let files = leaving.files.iter().map(|(path, _)| path.as_bytes().to_vec());
                    self.work.going.extend(files);
                }
            }
            self.work.orphans.push(orphan);
        }
    }

    fn write(&mut self, write: Write) {
        self.write += 1;
        self.bytes = self.bytes.saturating_add(write.target.content.size());
        self.work.writes.push(write);
    }

    /// Leaves files as they lie, also where they hold what the user did not add.
    pub(crate) fn leave(&mut self, paths: &[JsonPath]) {
        if paths.is_empty() {
            return;
        }
        for item in self.work.writes.take_unsaved() {
            let own = item.unsaved.as_ref().map(|path| json_path(path.as_bytes()));
            if own.is_some_and(|own| paths.contains(&own)) {
                self.write -= 1;
                self.bytes = self.bytes.saturating_sub(item.target.content.size());
            } else {
                self.work.writes.push(item);
            }
        }
        self.refused.retain(|path| !paths.contains(path));
    }

    /// Leaves a tracked path as it lies: its tree is not here, or two of its names are one.
    fn pass_over(&mut self, path: &RepoPath, collision: Option<String>) {
        self.work.pointers.retain(|(own, _)| own != path.as_bytes());
        let list = if collision.is_some() { &mut self.colliding } else { &mut self.missing };
        list.push(json_path(path.as_bytes()));
        self.work.collisions.extend(collision);
    }

    /// Says why tracked paths are passed over, and what to do.
    pub fn collisions(&self) -> &[String] {
        &self.work.collisions
    }

    fn refuse(&mut self, path: &RepoPath) {
        let path = json_path(path.as_bytes());
        // One file in the way of a folder is in the way of everything in it.
        if self.refused.last() != Some(&path) {
            self.refused.push(path);
        }
    }
}

/// Compares one tracked path; says whether the selection chose anything in it.
fn compare(
    repo: &Repo,
    item: &Chosen,
    placed: &PlacedPointers,
    plan: &mut CheckoutPlan,
    job: &Job,
) -> Result<bool, OpError> {
    let last = placed.last.get(item.path.as_bytes());
    let moves = |o: &Orphan| matches!(o, Orphan::Moved { to, .. } if *to == item.path);
    let moves = plan.work.orphans.iter().any(moves);
    // What was placed last of the other parts still holds for them.
    if last.is_none() || matches!(item.filter, Filter::All) {
        plan.work.pointers.push((item.path.as_bytes().to_vec(), item.bytes.clone()));
    }
    if moves {
        return Ok(true);
    }
    let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
    let Some(targets) = packed_targets(item, &mut reader)? else {
        plan.pass_over(&item.path, None);
        return Ok(true);
    };
    if let Some(mixed) = &plan.work.mixed
        && let Some(why) = mixed.find(repo, (item, plan.work.began), &targets)?
    {
        plan.pass_over(&item.path, Some(why));
        return Ok(true);
    }
    let before = Before::of(repo, item, placed)?;
    let stay = Stay { named: Named::In(Among::new(&targets)), filter: &item.filter };
    let began = plan.work.began;
    let mut leaving = leaving(repo, (&item.path, before.lists()), stay, began, job)?;
    plan.work.in_git.spare(repo, &mut leaving)?;
    plan.remove += leaving.files.len() as u64;
    let going = leaving.files.iter().map(|(path, _)| path.as_bytes().to_vec());
    plan.work.going.extend(going);
    let found = !targets.is_empty() || !leaving.files.is_empty();
    plan.work.leaving.extend(Some(leaving).filter(|leaving| !leaving.is_empty()));
    let files = match plan.work.link {
        Some(link) => Some((WholeFiles::open(repo.layout(), repo.index()?)?, link)),
        None => None,
    };
    let task = job.begin(Kind::Scan, None);
    for window in targets.into_windows() {
        judge_window(repo, (window?, &before), files.as_ref(), plan, (&task, job))?;
    }
    Ok(found || matches!(item.filter, Filter::All))
}

/// Judges what stands in the place of neighbouring files.
fn judge_window(
    repo: &Repo,
    (targets, before): (Vec<Target>, &Before),
    files: Option<&(WholeFiles<'_>, Link)>,
    plan: &mut CheckoutPlan,
    (task, job): (&Task, &Job),
) -> Result<(), OpError> {
    let (Some(first), Some(last)) = (targets.first(), targets.last()) else { return Ok(()) };
    let past = before.between(repo, (&first.path, &last.path), plan.work.began)?;
    for seen in survey_more(repo, targets, &past.knowledge, (task, job))? {
        let follows = plan.work.manner == Manner::Follow;
        if follows && past.misses(&seen) {
            continue;
        }
        let mut verdict = judge(repo, &seen, &past, &plan.work)?;
        if let (Verdict::Right, Some((files, link))) = (&verdict, files)
            && stands_otherwise(repo, &seen, files, *link)?
        {
            verdict = Verdict::Reshape;
        }
        if follows && matches!(verdict, Verdict::Unsaved(_)) && past.wanted_the_same(&seen.target) {
            continue;
        }
        plan.settle(seen, verdict, &past);
    }
    Ok(())
}

impl CheckoutPlan {
    fn settle(&mut self, seen: Seen, verdict: Verdict, past: &Past) {
        let former = past.recipe_of(&seen);
        let Seen { target, site, content } = seen;
        let right = matches!(verdict, Verdict::Reshape);
        let unsaved = match verdict {
            Verdict::Right => {
                self.keep += 1;
                if let Some(content) = content {
                    self.learn(&target, content, past);
                }
                return;
            }
            Verdict::Replace | Verdict::Reshape => None,
            Verdict::Unsaved(path) => {
                self.refuse(&path);
                Some(path)
            }
        };
        let seen = match site {
            Site::Here(stamp) => Some(stamp),
            Site::Free | Site::Blocked(_) => None,
        };
        self.write(Write { target, seen, unsaved, content, right, former });
    }

    /// Has the stat cache learn what a file holds, unless it knows.
    fn learn(&mut self, target: &Target, content: Content, past: &Past) {
        let content = Content { known: Known::Stored, ..content };
        let entry = past.knowledge.entry(&content);
        let entry = entry.map(|e| StatEntry { tree: target.tree(), ..e });
        if entry.is_some() && entry != past.knowledge.last(&target.path) {
            self.work.learned.push(&Placed::new(target, content.stamp));
        }
    }
}
