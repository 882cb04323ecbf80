//! Every shape of repository that haul is to work in, and how each is made.

use std::ffi::OsStr;

use crate::harness::{Repo, World, data, skipped};
use crate::scene::save;

/// A shape, and how a repository of it is made in the folder `shape`; nothing if Git cannot.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) make: for<'w> fn(&'w World) -> Option<Repo<'w>>,
    /// Verbs that refuse here, and why.
    pub(crate) refuses: &'static [(&'static str, &'static str)],
}

pub(crate) const SHAPES: [Shape; 15] = [
    Shape { name: "plain clone", make: |w| Some(clone(w, &[])), refuses: &[] },
    Shape { name: "linked worktree", make: |w| Some(linked(w)), refuses: &[] },
    Shape { name: "submodule", make: |w| Some(submodule(w)), refuses: &[] },
    Shape { name: "sparse checkout", make: |w| Some(sparse(w)), refuses: &[] },
    Shape { name: "sparse index", make: |w| Some(sparse_index(w)), refuses: &[] },
    Shape { name: "split index", make: |w| Some(split_index(w)), refuses: &[] },
    Shape { name: "index of version 4", make: |w| Some(index_four(w)), refuses: &[] },
    Shape {
        name: "partial clone",
        make: |w| Some(clone(w, &["--filter=blob:none"])),
        refuses: &[],
    },
    Shape { name: "treeless clone", make: |w| Some(clone(w, &["--filter=tree:0"])), refuses: &[] },
    Shape { name: "shallow clone", make: |w| Some(clone(w, &["--depth=1"])), refuses: &[SHALLOW] },
    Shape { name: "detached HEAD", make: |w| Some(detached(w)), refuses: &[] },
    Shape { name: "SHA-256 objects", make: |w| fresh(w, "--object-format=sha256"), refuses: &[] },
    Shape { name: "reftable", make: |w| fresh(w, "--ref-format=reftable"), refuses: &[] },
    Shape { name: "Git folder elsewhere", make: |w| Some(elsewhere(w)), refuses: &[] },
    Shape {
        name: "relative worktree and its settings",
        make: |w| Some(worktree_config(w)),
        refuses: &[],
    },
];

const SHALLOW: (&str, &str) = ("gc", "shallow");

/// Makes the repository that others are cloned from, with pushed data of two versions.
pub(crate) fn upstream(world: &World) {
    let a = world.repo("upstream");
    begin(&a, world);
    a.git(&["config", "uploadpack.allowFilter", "true"]).ok();
    a.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]).ok();
}

/// Sets up a repository with data in two folders and two versions, and pushes it.
fn begin(a: &Repo, world: &World) {
    a.haul(&["init", "--no-hooks"]).ok();
    a.haul(&["remote", "add", "r", world.remote("r").path().to_str().expect("is UTF-8")]).ok();
    let view = "\n[view.ci]\ninclude = [\"team/data/**\"]\n";
    a.write("haul.toml", (a.text("haul.toml") + view).as_bytes());
    a.write("team/data/x.bin", &data::bytes(1, 90_000));
    a.write("team/data/sub/y.bin", &data::bytes(2, 90_000));
    a.write("team/model.bin", &data::bytes(3, 150_000));
    a.write("other/far.bin", &data::bytes(4, 90_000));
    a.write("team/code.txt", b"code\n");
    save(a, &["team/data", "team/model.bin", "other/far.bin"], "one");
    a.write("team/data/x.bin", &data::bytes(5, 90_000));
    save(a, &["team/data"], "two");
    a.haul(&["push", "--all"]).ok();
}

pub(crate) fn clone<'w>(world: &'w World, options: &[&str]) -> Repo<'w> {
    upstream(world);
    let url = format!("file://{}", world.path("upstream").display());
    let words = [&["clone", "--quiet"], options, &[&url, "shape"]].concat();
    world.folder("").git(&words).ok();
    world.folder("shape")
}

fn linked(world: &World) -> Repo<'_> {
    upstream(world);
    let words = ["worktree", "add", "--quiet", "-b", "side", "../shape"];
    world.folder("upstream").git(&words).ok();
    world.folder("shape")
}

fn submodule(world: &World) -> Repo<'_> {
    upstream(world);
    let outer = world.repo("outer");
    let allow = ["-c", "protocol.file.allow=always"];
    let add = ["submodule", "--quiet", "add", "../upstream", "shape"];
    outer.git(&[&allow[..], &add].concat()).ok();
    outer.commit("submodule");
    world.folder("outer/shape")
}

fn sparse(world: &World) -> Repo<'_> {
    let shape = clone(world, &["--sparse"]);
    shape.git(&["sparse-checkout", "set", "--cone", "team"]).ok();
    assert!(!shape.has("other"));
    shape
}

fn sparse_index(world: &World) -> Repo<'_> {
    let shape = clone(world, &["--sparse"]);
    shape.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "team"]).ok();
    let listed = shape.git(&["ls-files", "--sparse"]).ok();
    assert!(listed.stdout().lines().any(|line| line == "other/"), "{listed}");
    shape
}

fn split_index(world: &World) -> Repo<'_> {
    let shape = clone(world, &[]);
    shape.git(&["config", "core.splitIndex", "true"]).ok();
    shape.git(&["update-index", "--split-index"]).ok();
    let shared = |name: &OsStr| name.to_string_lossy().starts_with("sharedindex.");
    let mut files = shape.path(".git").read_dir().expect("is read");
    assert!(files.any(|file| shared(&file.expect("is listed").file_name())));
    shape
}

fn index_four(world: &World) -> Repo<'_> {
    let shape = clone(world, &[]);
    shape.git(&["update-index", "--index-version", "4", "--untracked-cache"]).ok();
    shape
}

fn detached(world: &World) -> Repo<'_> {
    let shape = clone(world, &[]);
    shape.git(&["checkout", "--quiet", "--detach"]).ok();
    shape
}

fn fresh<'w>(world: &'w World, option: &str) -> Option<Repo<'w>> {
    let shape = world.folder("shape");
    if shape.git(&["init", "--quiet", option]).status() != Some(0) {
        skipped(&format!("this Git knows no `{option}`"));
        return None;
    }
    begin(&shape, world);
    Some(shape)
}

fn elsewhere(world: &World) -> Repo<'_> {
    clone(world, &["--separate-git-dir", "git-folder"])
}

fn worktree_config(world: &World) -> Repo<'_> {
    upstream(world);
    let a = world.folder("upstream");
    a.git(&["config", "extensions.worktreeConfig", "true"]).ok();
    let add = ["worktree", "add", "--quiet", "--relative-paths", "--detach", "../shape"];
    if a.git(&add).status() != Some(0) {
        a.git(&["worktree", "add", "--quiet", "--detach", "../shape"]).ok();
    }
    world.folder("shape")
}
