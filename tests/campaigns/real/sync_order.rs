//! The order in which a command writes, syncs and names: what must survive a power cut has its bytes
//! on disk before its name, its folder on disk before the end, and packs are there before their record.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::args::Args;
use crate::figures::Figures;
use crate::harness::World;
use crate::real::story::{self, Scene, Strike};
use crate::real::trace::{self, Act, Call, Kind};

/// Runs the campaign.
pub(crate) fn run(args: &Args) -> Figures {
    let mut figures = Figures::default();
    let (names, wrong) = watch(args.seed, &[]);
    figures.row("files that must survive and got their names", names);
    for line in wrong {
        figures.miss(line);
    }
    figures
}

/// Plays a story with further variables; returns how many names were checked, and what was wrong.
pub(super) fn watch(seed: u64, variables: &[(&str, &str)]) -> (u64, Vec<String>) {
    let mut watching = Watching { variables, names: 0, wrong: Vec::new() };
    if let Err(why) = story::play(seed, &mut watching) {
        watching.wrong.push(why);
    }
    (watching.names, watching.wrong)
}

struct Watching<'w> {
    variables: &'w [(&'w str, &'w str)],
    names: u64,
    wrong: Vec<String>,
}

impl Strike for Watching<'_> {
    fn strike(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        let mut order = Order::new(scene.world);
        let mut judge = |call: &Call| {
            order.note(call);
            Act::Go
        };
        let command = (scene.arguments, self.variables);
        let ended = trace::haul(scene.world, &scene.repo.path(""), command, &mut judge);
        let line = scene.arguments.join(" ");
        self.names += order.names;
        self.wrong.extend(order.end().into_iter().map(|what| format!("haul {line}: {what}")));
        if ended.status == Some(0) { Ok(()) } else { Err(ended.to_string()) }
    }
}

/// What is not on disk yet.
struct Order {
    root: PathBuf,
    written: BTreeSet<PathBuf>,
    /// Folders with new names in them.
    folders: BTreeSet<PathBuf>,
    /// A record names packs that must not come after it.
    published: bool,
    names: u64,
    wrong: Vec<String>,
}

impl Order {
    fn new(world: &World) -> Self {
        let (written, folders) = (BTreeSet::new(), BTreeSet::new());
        Self {
            root: world.path(""),
            written,
            folders,
            published: false,
            names: 0,
            wrong: Vec::new(),
        }
    }

    fn note(&mut self, call: &Call) {
        match call.kind {
            Kind::Write => drop(self.written.insert(call.path.clone())),
            Kind::Sync => {
                self.written.remove(&call.path);
                self.folders.remove(&call.path);
            }
            Kind::SyncAll => {
                self.written.clear();
                self.folders.clear();
            }
            Kind::Name => {
                if let Some(target) = &call.target {
                    self.named(&call.path, target);
                }
            }
            Kind::Open | Kind::Create | Kind::Read | Kind::Remove | Kind::Change => {}
        }
    }

    fn named(&mut self, from: &Path, to: &Path) {
        let unsynced = self.written.remove(from);
        let Some(class) = self.class(to) else { return };
        self.names += 1;
        if unsynced {
            self.wrong
                .push(format!("`{}` got its name before its bytes were on disk", to.display()));
        }
        let folder = to.parent().expect("lies in a folder").to_owned();
        if class == Class::Record {
            self.published = true;
            let early = self
                .folders
                .iter()
                .any(|folder| self.class(&folder.join("x")) == Some(Class::Pack));
            if early {
                self.wrong
                    .push("a push record before its packs had their names on disk".to_owned());
            }
        }
        if class == Class::Pack && self.published {
            self.wrong.push(format!("`{}` came after the push record", to.display()));
        }
        self.folders.insert(folder);
    }

    /// Says what a name is, if it is one that must survive.
    fn class(&self, path: &Path) -> Option<Class> {
        let path = path.strip_prefix(&self.root).ok()?.to_str()?;
        let name = path.rsplit('/').next()?;
        if path.starts_with("r/p/") || path.starts_with("r/m/") {
            return Some(Class::Pack);
        }
        if path.starts_with("r/i/") {
            return Some(Class::Record);
        }
        let pointer =
            name == "haul.toml" || name == ".gitignore" || name.strip_suffix(".haul").is_some();
        let kept = path.starts_with("r/") || path.contains("/.git/haul/unpushed/");
        (kept || pointer && !path.contains("/.git/")).then_some(Class::Other)
    }

    fn end(mut self) -> Vec<String> {
        for folder in std::mem::take(&mut self.folders) {
            self.wrong.push(format!("names in `{}` were not on disk at the end", folder.display()));
        }
        self.wrong
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Pack,
    Record,
    Other,
}
