use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::harness::{Output, Paused, Remote, Repo};

/// A temporary folder with a home, Git settings and nothing of the user's.
pub(crate) struct World {
    folder: TempDir,
    /// The folder with all links resolved, as programs report it.
    root: PathBuf,
}

impl World {
    /// Makes an empty world.
    pub(crate) fn new() -> Self {
        Self::new_in(&std::env::temp_dir())
    }

    /// Makes an empty world in a folder that is there.
    pub(crate) fn new_in(place: &Path) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("haul-test-")
            .tempdir_in(place)
            .expect("makes a folder");
        let root = folder.path().canonicalize().expect("is there");
        let world = Self { folder, root };
        std::fs::create_dir(world.home()).expect("makes a home");
        let settings = "[user]\n\tname = Test\n\temail = test@example.com\n\
            [init]\n\tdefaultBranch = main\n[gc]\n\tauto = 0\n\
            [advice]\n\tdetachedHead = false\n[commit]\n\tgpgSign = false\n";
        std::fs::write(world.home().join(".gitconfig"), settings).expect("writes the settings");
        world
    }

    /// Returns a path in the world.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root.join(name)
    }

    /// Returns the home folder of all commands.
    pub(crate) fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// Makes a Git repository without anything of haul.
    pub(crate) fn repo(&self, name: &str) -> Repo<'_> {
        let repo = self.folder(name);
        repo.git(&["init", "--quiet"]).ok();
        repo
    }

    /// Makes a plain folder to run commands in.
    pub(crate) fn folder(&self, name: &str) -> Repo<'_> {
        let path = self.path(name);
        std::fs::create_dir_all(&path).expect("makes a folder");
        Repo::new(self, path)
    }

    /// Names a folder remote; `haul` makes it.
    pub(crate) fn remote(&self, name: &str) -> Remote {
        Remote::new(self.path(name))
    }

    /// Returns a copy of `haul` where other users reach it. For why it is not written here see
    /// [`Repo::script`].
    pub(crate) fn copy_of_haul(&self) -> PathBuf {
        let copy = self.path("haul");
        if !copy.exists() {
            let own = OsStr::new(env!("CARGO_BIN_EXE_haul"));
            let arguments = [OsStr::new("-p"), own, copy.as_os_str()];
            Output::of("cp", &arguments, &mut self.command("cp", &self.root, &arguments)).ok();
        }
        copy
    }

    /// Runs `haul` in a folder, with variables besides the world's own.
    pub(crate) fn haul(
        &self,
        folder: &Path,
        arguments: &[impl AsRef<OsStr>],
        variables: &[(&str, &str)],
    ) -> Output {
        let mut command = self.command(env!("CARGO_BIN_EXE_haul"), folder, arguments);
        command.envs(variables.iter().copied());
        Output::of("haul", arguments, &mut command)
    }

    /// Runs `haul` in a folder, its stdout being a pipe that is closed at the other end.
    pub(crate) fn haul_unread(&self, folder: &Path, arguments: &[impl AsRef<OsStr>]) -> Output {
        let (reader, writer) = std::io::pipe().expect("makes a pipe");
        drop(reader);
        let mut command = self.command(env!("CARGO_BIN_EXE_haul"), folder, arguments);
        command.stdout(writer);
        Output::of("haul", arguments, &mut command)
    }

    /// Runs `haul` in a folder, its stderr being a pipe that is closed at the other end.
    pub(crate) fn haul_unheard(&self, folder: &Path, arguments: &[impl AsRef<OsStr>]) -> Output {
        let (reader, writer) = std::io::pipe().expect("makes a pipe");
        drop(reader);
        let mut command = self.command(env!("CARGO_BIN_EXE_haul"), folder, arguments);
        command.stderr(writer);
        Output::of("haul", arguments, &mut command)
    }

    /// Runs a line of `haul` in a folder on a terminal of its own, with further variables.
    pub(crate) fn haul_on_terminal_with(
        &self,
        folder: &Path,
        line: &str,
        variables: &[(&str, &str)],
    ) -> Output {
        self.terminal(folder, line, ":", variables)
    }

    /// Runs a line of `haul` in a folder on a terminal of its own, where somebody types `answer`.
    ///
    /// The terminal is that of `script` from util-linux; what the program says comes on stdout.
    pub(crate) fn haul_on_terminal(&self, folder: &Path, line: &str, answer: &str) -> Output {
        self.terminal(folder, line, &format!("printf '%s\\n' '{answer}'"), &[])
    }

    /// Runs a line of `haul` in a folder on a terminal of its own, where somebody presses Ctrl-C
    /// while it stands at a crash point; it goes on once it has said that it stops.
    pub(crate) fn haul_on_terminal_stopped_at(
        &self,
        folder: &Path,
        line: &str,
        point: &str,
    ) -> Output {
        let (mark, log) = (self.path("mark"), self.path("typescript"));
        let typist = format!(
            "until [ -e '{mark}' ]; do sleep 0.02; done; printf '\\003'; \
             until grep -q stopping '{log}'; do sleep 0.02; done; rm '{mark}'",
            mark = mark.display(),
            log = log.display()
        );
        let point = format!("{point}=wait:{}", mark.display());
        self.terminal(folder, line, &typist, &[("HAUL_FAILPOINT", &point)])
    }

    /// Runs a line of `haul` in a folder on a terminal of its own, where somebody presses Ctrl-C once
    /// some words stand there, and stays until a hint does, or for a while.
    pub(crate) fn haul_on_terminal_stopped_after(
        &self,
        folder: &Path,
        line: &str,
        words: &str,
    ) -> Output {
        let log = self.path("typescript");
        let typist = format!(
            "until grep -qF '{words}' '{log}' 2>/dev/null; do sleep 0.02; done; printf '\\003'; \
             for n in $(seq 500); do grep -qF 'hint:' '{log}' && break; sleep 0.02; done",
            log = log.display()
        );
        self.terminal(folder, line, &typist, &[])
    }

    /// Runs a line on a terminal where what a shell line prints is typed.
    fn terminal(
        &self,
        folder: &Path,
        line: &str,
        typist: &str,
        variables: &[(&str, &str)],
    ) -> Output {
        let log = self.path("typescript");
        let log = log.display();
        let script =
            format!("{{ {typist}; }} | script --quiet --flush --return --command '{line}' '{log}'");
        let arguments = ["-c", &script];
        let mut command = self.command("sh", folder, &arguments);
        command.env("TERM", "xterm").envs(variables.iter().copied());
        Output::of("sh", &arguments, &mut command)
    }

    /// Starts `haul` in a folder and waits until it stands at a crash point.
    pub(crate) fn pause_haul(
        &self,
        folder: &Path,
        arguments: &[impl AsRef<OsStr>],
        point: &str,
        variables: &[(&str, &str)],
    ) -> Paused {
        let mut command = self.command(env!("CARGO_BIN_EXE_haul"), folder, arguments);
        command.envs(variables.iter().copied());
        self.pause(&mut command, Output::line("haul", arguments), point)
    }

    /// Starts `git` in a folder and waits until a `haul` that it calls stands at a crash point.
    pub(crate) fn pause_git(
        &self,
        folder: &Path,
        arguments: &[impl AsRef<OsStr>],
        point: &str,
        variables: &[(&str, &str)],
    ) -> Paused {
        let mut command = self.command("git", folder, arguments);
        command.envs(variables.iter().copied());
        self.pause(&mut command, Output::line("git", arguments), point)
    }

    fn pause(&self, command: &mut Command, line: String, point: &str) -> Paused {
        // Several may stand at the same time, each with a mark of its own.
        let mut marks = (0..).map(|n| self.path(format!("mark-{n}")));
        let mark = marks.find(|mark| !mark.exists()).expect("is one");
        Paused::start(line, command, point, mark)
    }

    /// Runs `git` in a folder.
    pub(crate) fn git(&self, folder: &Path, arguments: &[impl AsRef<OsStr>]) -> Output {
        Output::of("git", arguments, &mut self.command("git", folder, arguments))
    }

    /// Prepares any program to run in a folder as `haul` and `git` do here.
    pub(crate) fn command(
        &self,
        program: &str,
        folder: &Path,
        arguments: &[impl AsRef<OsStr>],
    ) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder).env_clear();
        // Git's hooks and drivers look for `haul`, Git itself for its own programs.
        let own = Path::new(env!("CARGO_BIN_EXE_haul")).parent().expect("lies in a folder");
        let users = std::env::var_os("PATH").unwrap_or_default();
        let all = [own.to_owned()].into_iter().chain(std::env::split_paths(&users));
        command.env("PATH", std::env::join_paths(all).expect("are paths"));
        let home = self.home();
        command.env("HOME", &home).env("TMPDIR", self.folder.path());
        command.env("XDG_CONFIG_HOME", home.join(".config"));
        command.env("XDG_CACHE_HOME", home.join(".cache"));
        command.env("XDG_STATE_HOME", home.join(".local/state"));
        command.env("XDG_DATA_HOME", home.join(".local/share"));
        command.env("GIT_CONFIG_GLOBAL", home.join(".gitconfig"));
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_TERMINAL_PROMPT", "0");
        // Nothing above the world is searched for a repository.
        command.env("GIT_CEILING_DIRECTORIES", &self.root);
        // A build with planted bugs is there to have one, in every process of a campaign.
        if let Some(bug) = std::env::var_os("HAUL_PLANTED")
            && cfg!(feature = "planted-bugs")
        {
            command.env("HAUL_PLANTED", bug);
        }
        // Only tests of Git's hooks have them fire: set it to `0` there.
        command.env("HAUL_SKIP", "1");
        command.env("LC_ALL", "C").env("TZ", "UTC").env("NO_COLOR", "1").env("COLUMNS", "100");
        command
    }
}
