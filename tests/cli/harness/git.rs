use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::harness::{Output, Paused, Tree, World};

/// Makes a program of the text that lies beside it.
const PUT: &str = "cp \"$1.new\" \"$1.tmp\" && chmod 755 \"$1.tmp\" && \
    mv \"$1.tmp\" \"$1\" && rm \"$1.new\"";

/// A folder, mostly a Git repository, to run commands in.
pub(crate) struct Repo<'a> {
    world: &'a World,
    path: PathBuf,
}

impl<'a> Repo<'a> {
    pub(super) fn new(world: &'a World, path: PathBuf) -> Self {
        Self { world, path }
    }

    /// Returns a path in the folder.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }

    /// Runs `haul` here.
    pub(crate) fn haul(&self, arguments: &[impl AsRef<OsStr>]) -> Output {
        self.world.haul(&self.path, arguments, &[])
    }

    /// Runs `haul` here with further variables.
    pub(crate) fn haul_with(
        &self,
        arguments: &[impl AsRef<OsStr>],
        variables: &[(&str, &str)],
    ) -> Output {
        self.world.haul(&self.path, arguments, variables)
    }

    /// Runs `haul` here with a stdout that nobody reads.
    pub(crate) fn haul_unread(&self, arguments: &[impl AsRef<OsStr>]) -> Output {
        self.world.haul_unread(&self.path, arguments)
    }

    /// Runs `haul` here with a stderr that nobody reads.
    pub(crate) fn haul_unheard(&self, arguments: &[impl AsRef<OsStr>]) -> Output {
        self.world.haul_unheard(&self.path, arguments)
    }

    /// Runs a line of `haul` here on a terminal, with further variables.
    pub(crate) fn haul_on_terminal_with(&self, line: &str, variables: &[(&str, &str)]) -> Output {
        self.world.haul_on_terminal_with(&self.path, line, variables)
    }

    /// Runs a line of `haul` here on a terminal, where somebody types `answer`.
    pub(crate) fn haul_on_terminal(&self, line: &str, answer: &str) -> Output {
        self.world.haul_on_terminal(&self.path, line, answer)
    }

    /// Runs a line of `haul` here on a terminal, where Ctrl-C is pressed at a crash point.
    pub(crate) fn haul_on_terminal_stopped_at(&self, line: &str, point: &str) -> Output {
        self.world.haul_on_terminal_stopped_at(&self.path, line, point)
    }

    /// Runs a line of `haul` here on a terminal, where Ctrl-C is pressed once some words stand there.
    pub(crate) fn haul_on_terminal_stopped_after(&self, line: &str, words: &str) -> Output {
        self.world.haul_on_terminal_stopped_after(&self.path, line, words)
    }

    /// Starts `haul` here and waits until it stands at a crash point.
    pub(crate) fn pause_haul(&self, arguments: &[impl AsRef<OsStr>], point: &str) -> Paused {
        self.pause_haul_with(arguments, point, &[])
    }

    /// As [`Self::pause_haul`], with further variables.
    pub(crate) fn pause_haul_with(
        &self,
        arguments: &[impl AsRef<OsStr>],
        point: &str,
        variables: &[(&str, &str)],
    ) -> Paused {
        self.world.pause_haul(&self.path, arguments, point, variables)
    }

    /// Starts `git` here and waits until a `haul` that it calls stands at a crash point.
    pub(crate) fn pause_git(&self, arguments: &[impl AsRef<OsStr>], point: &str) -> Paused {
        self.world.pause_git(&self.path, arguments, point, &[])
    }

    /// As [`Self::pause_git`], where a Git hook is to call it.
    pub(crate) fn pause_git_hooked(&self, arguments: &[impl AsRef<OsStr>], point: &str) -> Paused {
        self.world.pause_git(&self.path, arguments, point, &[("HAUL_SKIP", "0")])
    }

    /// Runs another program here, where `haul` is on the path.
    pub(crate) fn run(&self, program: &str, arguments: &[impl AsRef<OsStr>]) -> Output {
        let mut command = self.world.command(program, &self.path, arguments);
        Output::of(program, arguments, &mut command)
    }

    /// Starts `haul` here and does not wait for it.
    pub(crate) fn start_haul(&self, arguments: &[impl AsRef<OsStr>]) -> Child {
        self.start_haul_with(arguments, &[])
    }

    /// As [`Self::start_haul`], with further variables.
    pub(crate) fn start_haul_with(
        &self,
        arguments: &[impl AsRef<OsStr>],
        variables: &[(&str, &str)],
    ) -> Child {
        let mut command = self.world.command("haul", &self.path, arguments);
        command.envs(variables.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("starts haul")
    }

    /// Runs `git` here.
    pub(crate) fn git(&self, arguments: &[impl AsRef<OsStr>]) -> Output {
        self.world.git(&self.path, arguments)
    }

    /// Runs `git` here, and lets its hooks fire.
    pub(crate) fn git_hooked(&self, arguments: &[impl AsRef<OsStr>]) -> Output {
        self.git_with(arguments, &[("HAUL_SKIP", "0")])
    }

    /// Runs `git` here with further variables.
    pub(crate) fn git_with(
        &self,
        arguments: &[impl AsRef<OsStr>],
        variables: &[(&str, &str)],
    ) -> Output {
        let mut command = self.world.command("git", &self.path, arguments);
        command.envs(variables.iter().copied());
        Output::of("git", arguments, &mut command)
    }

    /// Commits what is staged.
    pub(crate) fn commit(&self, message: &str) {
        self.git(&["commit", "--quiet", "--message", message]).ok();
    }

    /// Makes a commit that changes nothing.
    pub(crate) fn commit_nothing(&self) {
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "nothing"]).ok();
    }

    /// Clones the repository with plain `git`.
    pub(crate) fn clone_as(&self, name: &str) -> Repo<'a> {
        let path = self.world.path(name);
        let arguments =
            [OsStr::new("clone"), OsStr::new("--quiet"), self.path.as_os_str(), path.as_os_str()];
        self.git(&arguments).ok();
        Repo::new(self.world, path)
    }

    /// Writes a file and the folders above it.
    pub(crate) fn write(&self, name: impl AsRef<Path>, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("lies in a folder")).expect("makes folders");
        fs::write(&path, bytes).expect("writes a file");
    }

    /// Writes a program, and the folders above it.
    ///
    /// Others write it: what this process has open for writing, a command that another test starts at that
    /// moment has open too, and nobody can run such a file.
    pub(crate) fn script(&self, name: &str, text: &str) {
        self.write(format!("{name}.new"), text.as_bytes());
        self.run("sh", &["-c", PUT, "sh", name]).ok();
    }

    /// Reads a file.
    pub(crate) fn read(&self, name: impl AsRef<Path>) -> Vec<u8> {
        let path = self.path(name);
        fs::read(&path).unwrap_or_else(|error| panic!("`{}`: {error}", path.display()))
    }

    /// Reads a file of text.
    pub(crate) fn text(&self, name: impl AsRef<Path>) -> String {
        String::from_utf8(self.read(name)).expect("is text")
    }

    /// Makes an empty folder.
    pub(crate) fn mkdir(&self, name: impl AsRef<Path>) {
        fs::create_dir_all(self.path(name)).expect("makes folders");
    }

    /// Makes a symbolic link.
    pub(crate) fn link(&self, target: impl AsRef<Path>, name: impl AsRef<Path>) {
        symlink(target, self.path(name)).expect("makes a link");
    }

    /// Makes a file executable, or takes that back.
    pub(crate) fn set_executable(&self, name: impl AsRef<Path>, executable: bool) {
        let mode = fs::Permissions::from_mode(if executable { 0o755 } else { 0o644 });
        fs::set_permissions(self.path(name), mode).expect("changes the mode");
    }

    /// Removes a file or a whole folder.
    pub(crate) fn remove(&self, name: impl AsRef<Path>) {
        let path = self.path(name);
        let removed =
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.unwrap_or_else(|error| panic!("`{}`: {error}", path.display()));
    }

    /// Says whether a path exists, be it a dangling link.
    pub(crate) fn has(&self, name: impl AsRef<Path>) -> bool {
        self.path(name).symlink_metadata().is_ok()
    }

    /// Takes everything in but `.git`.
    pub(crate) fn tree(&self) -> Tree {
        Tree::of(&self.path)
    }

    /// Takes in everything below one folder of it.
    pub(crate) fn tree_of(&self, name: impl AsRef<Path>) -> Tree {
        Tree::of(&self.path(name))
    }
}
