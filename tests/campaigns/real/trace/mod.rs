//! Runs a command with all its threads and children, and stops at each of their system calls.

mod call;

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nix::errno::Errno;
use nix::libc::{self, PTRACE_SYSCALL_INFO_ENTRY, PTRACE_SYSCALL_INFO_EXIT};
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use tempfile::tempfile;

use crate::harness::World;

pub(crate) use call::{Call, Kind};

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// It is made.
    Go,
    /// It is not made, and every process dies there.
    Kill,
    /// It is not made, and answers with this error.
    Fail(Errno),
    /// It writes one byte only.
    Short,
}

/// How a traced command ended.
pub(crate) struct Ended {
    /// The exit code; nothing after a signal.
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    line: String,
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "$ {} ({:?})", self.line, self.status)?;
        write!(f, "--- stdout\n{}--- stderr\n{}", self.stdout, self.stderr)
    }
}

/// Runs `haul` in a folder of a world; `judge` is asked about each call that changes files or opens
/// or reads one below the world's root.
pub(crate) fn haul(
    world: &World,
    folder: &Path,
    (arguments, variables): (&[&str], &[(&str, &str)]),
    judge: &mut dyn FnMut(&Call) -> Act,
) -> Ended {
    let mut words: Vec<&OsStr> = ["-c", "kill -STOP $$; exec \"$0\" \"$@\""].map(OsStr::new).into();
    words.push(OsStr::new(env!("CARGO_BIN_EXE_haul")));
    words.extend(arguments.iter().map(OsStr::new));
    // Not in the world: its file system may be gone when they are read.
    let (out, err) = (tempfile().expect("makes a file"), tempfile().expect("makes a file"));
    let copy = |file: &File| file.try_clone().expect("can be shared");
    let mut command = world.command("sh", folder, &words);
    command.envs(variables.iter().copied());
    command.stdin(Stdio::null()).stdout(copy(&out)).stderr(copy(&err));
    #[expect(clippy::zombie_processes, reason = "the tracer waits for it, as for all its children")]
    let child = command.spawn().expect("starts");
    let first = Pid::from_raw(i32::try_from(child.id()).expect("is a process id"));
    let status = Tracer::new(world.path(""), first).run(judge);
    let line = format!("haul {}", arguments.join(" "));
    Ended { status, stdout: text(out), stderr: text(err), line }
}

fn text(mut file: File) -> String {
    let mut bytes = Vec::new();
    file.rewind().expect("can be read again");
    file.read_to_end(&mut bytes).expect("is readable");
    String::from_utf8_lossy(&bytes).into_owned()
}

struct Tracer {
    root: PathBuf,
    first: Pid,
    /// Every process and thread that was seen and did not end.
    alive: HashSet<Pid>,
    /// What a call that was not made is to answer.
    answers: HashMap<Pid, Errno>,
    killed: bool,
}

impl Tracer {
    fn new(root: PathBuf, first: Pid) -> Self {
        Self { root, first, alive: HashSet::from([first]), answers: HashMap::new(), killed: false }
    }

    /// Follows the command until nothing of it is left; returns its exit code.
    fn run(mut self, judge: &mut dyn FnMut(&Call) -> Act) -> Option<i32> {
        waitpid(self.first, Some(WaitPidFlag::WUNTRACED)).expect("stops itself");
        let all = Options::PTRACE_O_TRACESYSGOOD
            | Options::PTRACE_O_TRACEFORK
            | Options::PTRACE_O_TRACEVFORK
            | Options::PTRACE_O_TRACECLONE
            | Options::PTRACE_O_TRACEEXEC
            | Options::PTRACE_O_EXITKILL;
        ptrace::seize(self.first, all).expect("may be traced");
        kill(self.first, Signal::SIGCONT).expect("goes on");
        let mut status = None;
        // Other threads of this program trace children of their own.
        let own = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        loop {
            match waitpid(None, Some(own)) {
                Err(Errno::ECHILD) => return status,
                Ok(WaitStatus::Exited(pid, code)) => {
                    self.alive.remove(&pid);
                    if pid == self.first {
                        status = Some(code);
                    }
                }
                Ok(WaitStatus::Signaled(pid, ..)) => {
                    self.alive.remove(&pid);
                }
                Ok(WaitStatus::PtraceSyscall(pid)) => self.at_call(pid, judge),
                Ok(WaitStatus::Stopped(pid, signal)) => self.go_on(pid, Some(signal)),
                Ok(WaitStatus::PtraceEvent(pid, ..)) => self.go_on(pid, None),
                Err(Errno::EINTR) | Ok(WaitStatus::Continued(_) | WaitStatus::StillAlive) => {}
                Err(error) => panic!("waiting failed: {error}"),
            }
        }
    }

    fn go_on(&mut self, pid: Pid, signal: Option<Signal>) {
        self.alive.insert(pid);
        if self.killed {
            // A child that was not known when the others died.
            kill(pid, Signal::SIGKILL).ok();
        }
        // It may be gone by now, which waiting will tell.
        ptrace::syscall(pid, signal).ok();
    }

    fn at_call(&mut self, pid: Pid, judge: &mut dyn FnMut(&Call) -> Act) {
        let Ok(info) = ptrace::syscall_info(pid) else { return self.go_on(pid, None) };
        match info.op {
            PTRACE_SYSCALL_INFO_ENTRY if !self.killed => self.entering(pid, judge),
            PTRACE_SYSCALL_INFO_EXIT => {
                if let Some(answer) = self.answers.remove(&pid) {
                    set(pid, |registers| {
                        registers.rax = (-i64::from(answer as i32)).cast_unsigned();
                    });
                }
            }
            _ => {}
        }
        self.go_on(pid, None);
    }

    fn entering(&mut self, pid: Pid, judge: &mut dyn FnMut(&Call) -> Act) {
        let Ok(registers) = ptrace::getregs(pid) else { return };
        let Some(call) = Call::of(pid, &registers, &self.root) else { return };
        match judge(&call) {
            Act::Go => {}
            Act::Kill => {
                self.killed = true;
                for pid in &self.alive {
                    kill(*pid, Signal::SIGKILL).ok();
                }
            }
            Act::Fail(errno) => {
                self.answers.insert(pid, errno);
                set(pid, |registers| registers.orig_rax = u64::MAX);
            }
            Act::Short => set(pid, shorten),
        }
    }
}

/// Lets a call write one byte, or one buffer, at most.
fn shorten(registers: &mut libc::user_regs_struct) {
    match registers.orig_rax.cast_signed() {
        libc::SYS_copy_file_range => registers.r8 = registers.r8.min(1),
        libc::SYS_sendfile => registers.r10 = registers.r10.min(1),
        // It shares blocks, all or none.
        libc::SYS_ioctl => {}
        _ => registers.rdx = registers.rdx.min(1),
    }
}

fn set(pid: Pid, change: impl FnOnce(&mut libc::user_regs_struct)) {
    if let Ok(mut registers) = ptrace::getregs(pid) {
        change(&mut registers);
        ptrace::setregs(pid, registers).ok();
    }
}
