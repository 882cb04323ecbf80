//! One `ssh` that runs, with requests and answers going through it.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::packet::{Answer, Request, greeting, length, parse};

/// Requests that are sent before the first answer is waited for; so also the most that wait to be
/// written, and the most answers that wait to be looked at.
const AHEAD: usize = 64;

/// How long nothing may come before a connection is given up.
const SILENCE: Duration = Duration::from_secs(60);

/// How long the reason of a connection that ended is waited for.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Most bytes of what `ssh` says that are kept.
const SAID: usize = 8 << 10;

/// Whom to call, and how.
#[derive(Clone, Debug, Default)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) port: Option<u16>,
    pub(super) user: Option<String>,
    /// What `ssh` is looked for in, in place of `PATH`.
    pub(super) search: Option<OsString>,
}

impl Host {
    fn command(&self) -> Command {
        let mut command = Command::new("ssh");
        // It asks nobody, gives nothing of this machine away, and notices a dead line within a minute.
        for option in [
            "-oBatchMode=yes",
            "-oConnectTimeout=15",
            "-oServerAliveInterval=15",
            "-oServerAliveCountMax=4",
            "-oForwardAgent=no",
            "-oForwardX11=no",
            "-oClearAllForwardings=yes",
            "-oPermitLocalCommand=no",
            "-oRequestTTY=no",
        ] {
            command.arg(option);
        }
        if let Some(port) = self.port {
            command.arg(format!("-p{port}"));
        }
        if let Some(user) = &self.user {
            command.arg(format!("-l{user}"));
        }
        if let Some(search) = &self.search {
            command.env("PATH", search);
        }
        // Behind `--` nothing is an option.
        command.args(["-s", "--", &self.name, "sftp"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// A connection; ends when it is dropped.
pub(super) struct Line {
    child: Option<Child>,
    /// Packets for another thread to write, which may wait for ever where nobody reads them.
    input: Option<Sender<Vec<u8>>>,
    /// Packets, as another thread reads them: so silence can be told from a slow line.
    packets: Receiver<io::Result<Vec<u8>>>,
    /// How long nothing may come.
    pub(super) silence: Duration,
    said: Arc<Mutex<Vec<u8>>>,
    /// Its other end goes once nobody says anything any more.
    heard: Receiver<()>,
    last: u32,
    /// Extensions of the protocol that the server has.
    offers: Vec<String>,
}

impl Drop for Line {
    fn drop(&mut self) {
        // Without input it ends by itself; one that hangs is ended.
        drop(self.input.take());
        if let Some(child) = &mut self.child {
            child.kill().unwrap_or_default();
            child.wait().map(drop).unwrap_or_default();
        }
    }
}

fn absent() -> io::Error {
    io::Error::new(ErrorKind::BrokenPipe, "its input is closed")
}

fn strange() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "what it says is not the file transfer protocol")
}

impl Line {
    /// Calls a host and greets it.
    pub(super) fn call(host: &Host) -> io::Result<Self> {
        let mut child = host.command().spawn().map_err(|e| {
            let absent = e.kind() == ErrorKind::NotFound;
            if absent { io::Error::other("the program `ssh` is not installed") } else { e }
        })?;
        let (Some(input), Some(output), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(absent());
        };
        let mut line = Self::over(Some(child), (input, output, errors));
        match line.greet() {
            Ok(()) => Ok(line),
            Err(error) => Err(line.why(error)),
        }
    }

    /// Speaks through pipes, which nobody was greeted through yet.
    pub(super) fn over(
        child: Option<Child>,
        (input, output, errors): (
            impl Write + Send + 'static,
            impl Read + Send + 'static,
            impl Read + Send + 'static,
        ),
    ) -> Self {
        let (requests, to_write) = channel();
        std::thread::spawn(move || write(input, &to_write));
        let said = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&said);
        let (sender, packets) = sync_channel(AHEAD);
        std::thread::spawn(move || read(output, &sender));
        let (at_end, heard) = channel();
        // Nobody waits for it: programs that `ssh` started may hold its other end for long.
        std::thread::spawn(move || listen(errors, &kept, &at_end));
        Self {
            child,
            input: Some(requests),
            packets,
            silence: SILENCE,
            said,
            heard,
            last: 0,
            offers: Vec::new(),
        }
    }

    pub(super) fn greet(&mut self) -> io::Result<()> {
        self.say(vec![0, 0, 0, 5, 1, 0, 0, 0, 3])?;
        let packet = self.packet()?;
        let (version, offers) = greeting(&packet).ok_or_else(strange)?;
        if version < 3 {
            return Err(io::Error::other("its file transfer protocol is older than version 3"));
        }
        self.offers = offers;
        Ok(())
    }

    /// Says whether the server has an extension.
    pub(super) fn offers(&self, name: &str) -> bool {
        self.offers.iter().any(|offer| offer == name)
    }

    /// Sends requests and returns their answers in the same order; many are under way at once.
    pub(super) fn ask(
        &mut self,
        requests: impl IntoIterator<Item = Request>,
    ) -> io::Result<Vec<Answer>> {
        let mut answers = Vec::new();
        let mut open: VecDeque<u32> = VecDeque::new();
        let mut early: Vec<(u32, Answer)> = Vec::new();
        let mut requests = requests.into_iter();
        loop {
            while open.len() < AHEAD
                && let Some(request) = requests.next()
            {
                open.push_back(self.send(&request)?);
            }
            let Some(next) = open.pop_front() else { return Ok(answers) };
            let answer = loop {
                if let Some(at) = early.iter().position(|(id, _)| *id == next) {
                    break early.swap_remove(at).1;
                }
                let packet = self.packet()?;
                let answer = parse(&packet).ok_or_else(strange)?;
                let is_open = answer.0 == next || open.contains(&answer.0);
                if !is_open || early.iter().any(|(id, _)| *id == answer.0) {
                    return Err(strange());
                }
                early.push(answer);
            };
            answers.push(answer);
        }
    }

    /// Asks for one thing.
    pub(super) fn ask_one(&mut self, request: Request) -> io::Result<Answer> {
        self.ask([request])?.pop().ok_or_else(strange)
    }

    fn send(&mut self, request: &Request) -> io::Result<u32> {
        self.last = self.last.wrapping_add(1);
        let length = u32::try_from(request.fields.len() + 5).map_err(io::Error::other)?;
        let mut packet = Vec::with_capacity(request.fields.len() + 9);
        packet.extend(length.to_be_bytes());
        packet.push(request.verb as u8);
        packet.extend(self.last.to_be_bytes());
        packet.extend_from_slice(&request.fields);
        self.say(packet)?;
        Ok(self.last)
    }

    /// Hands a packet to the thread that writes.
    fn say(&self, packet: Vec<u8>) -> io::Result<()> {
        let input = self.input.as_ref().ok_or_else(absent)?;
        input.send(packet).map_err(|_| absent())
    }

    fn packet(&mut self) -> io::Result<Vec<u8>> {
        match self.packets.recv_timeout(self.silence) {
            Ok(packet) => packet,
            Err(RecvTimeoutError::Timeout) => {
                let why = format!("nothing came for {} seconds", self.silence.as_secs());
                Err(io::Error::new(ErrorKind::TimedOut, why))
            }
            Err(RecvTimeoutError::Disconnected) => Err(ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Puts what `ssh` said in place of an error that only says that it ended.
    pub(super) fn why(mut self, error: io::Error) -> io::Error {
        drop(self.input.take());
        // What it says last, it says before it ends; the channel only closes.
        self.heard.recv_timeout(LAST_WORDS).unwrap_or_default();
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&said);
        // The last line names the cause; those before warn.
        let last = text.lines().map(str::trim).rfind(|line| !line.is_empty());
        match last {
            Some(line) if ended(&error) => io::Error::new(error.kind(), line.to_owned()),
            _ => error,
        }
    }
}

/// Says whether an error is that the program, and so the connection, ended.
fn ended(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe)
}

/// Writes packets until the connection ends, or there are no more to come.
fn write(input: impl Write, packets: &Receiver<Vec<u8>>) {
    let mut input = BufWriter::new(input);
    while let Ok(packet) = packets.recv() {
        let mut next = Some(packet);
        while let Some(packet) = next {
            if input.write_all(&packet).is_err() {
                return;
            }
            next = packets.try_recv().ok();
        }
        if input.flush().is_err() {
            return;
        }
    }
}

/// Hands on packets until the connection ends, or nobody wants them.
fn read(output: impl Read, packets: &SyncSender<io::Result<Vec<u8>>>) {
    let mut output = BufReader::new(output);
    let mut next = || {
        let mut bytes = [0; 4];
        output.read_exact(&mut bytes)?;
        let mut packet = vec![0; length(bytes).ok_or_else(strange)?];
        output.read_exact(&mut packet)?;
        Ok(packet)
    };
    loop {
        let packet = next();
        let ended = packet.is_err();
        if packets.send(packet).is_err() || ended {
            return;
        }
    }
}

fn listen(mut errors: impl Read, said: &Mutex<Vec<u8>>, _at_end: &Sender<()>) {
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = errors.read(&mut buffer) {
        let mut kept = said.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(buffer.get(..count).unwrap_or_default());
        let surplus = kept.len().saturating_sub(SAID);
        kept.drain(..surplus);
    }
}
