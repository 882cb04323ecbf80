use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::harness::Output;

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// A `haul` that stands still at a crash point until it is let go.
pub(crate) struct Paused {
    line: String,
    child: Child,
    /// There for as long as it is to stand.
    mark: PathBuf,
    said: Arc<Mutex<Vec<u8>>>,
    listener: JoinHandle<()>,
}

impl Paused {
    /// Starts a command and waits until it stands at `point`.
    pub(super) fn start(line: String, command: &mut Command, point: &str, mark: PathBuf) -> Self {
        command.env("HAUL_FAILPOINT", format!("{point}=wait:{}", mark.display()));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // With what it starts a group of its own, as a shell makes it.
        command.process_group(0);
        let mut child = command.spawn().expect("starts");
        let mut stderr = child.stderr.take().expect("is a pipe");
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        let listener = thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = stderr.read(&mut bytes) {
                heard.lock().expect("is sound").extend(bytes.iter().take(n));
            }
        });
        let mut paused = Self { line, child, mark, said, listener };
        paused.wait_until(&format!("stands at `{point}`"), |paused| paused.mark.exists());
        paused
    }

    fn wait_until(&mut self, what: &str, mut reached: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !reached(self) {
            // What it started may go on, and speak.
            let ended =
                self.child.try_wait().expect("is a child").is_some() && self.listener.is_finished();
            let over = ended || start.elapsed() > PATIENCE;
            assert!(!over || reached(self), "`{}` never {what}: {}", self.line, self.said());
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Returns the id of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns what it said on stderr so far.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&self.said.lock().expect("is sound")).into_owned()
    }

    /// Waits until some words were said on stderr `times` times.
    pub(crate) fn hear(&mut self, words: &str, times: usize) {
        let what = format!("says `{words}` {times} times");
        self.wait_until(&what, |paused| paused.said().matches(words).count() >= times);
    }

    /// Sends a signal and waits until it was taken notice of.
    pub(crate) fn interrupt(&mut self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("is running");
        self.hear("stopping", 1);
    }

    /// As [`Self::interrupt`], and sends it to all that it started too, as a terminal does.
    pub(crate) fn interrupt_all(&mut self, signal: Signal) {
        kill_process_group(Pid::from_child(&self.child), signal).expect("is running");
        self.hear("stopping", 1);
    }

    /// Lets it go on, and does not wait for its end.
    pub(crate) fn go_on(&mut self) {
        // Somebody who was stopped while another thread stood there has left the mark behind.
        drop(std::fs::remove_file(&self.mark));
    }

    /// Lets it go on and waits for its end.
    pub(crate) fn let_go(mut self) -> Output {
        self.go_on();
        let mut output = self.child.wait_with_output().expect("ends");
        self.listener.join().expect("listens");
        output.stderr.clone_from(&self.said.lock().expect("is sound"));
        Output::ended(self.line, output)
    }
}
