use std::ffi::OsStr;
use std::process::{Command, Stdio};

/// What a finished command printed, and how it ended.
pub(crate) struct Output {
    line: String,
    output: std::process::Output,
}

impl Output {
    pub(super) fn of(
        program: &str,
        arguments: &[impl AsRef<OsStr>],
        command: &mut Command,
    ) -> Self {
        let line = Self::line(program, arguments);
        let output = command.stdin(Stdio::null()).output();
        let output = output.unwrap_or_else(|error| panic!("could not run `{line}`: {error}"));
        Self { line, output }
    }

    /// Takes a command that was run by other means.
    pub(crate) fn ended(line: String, output: std::process::Output) -> Self {
        Self { line, output }
    }

    /// Returns a command as one would type it.
    pub(super) fn line(program: &str, arguments: &[impl AsRef<OsStr>]) -> String {
        let words = arguments.iter().map(|word| word.as_ref().to_string_lossy().into_owned());
        words.fold(program.to_owned(), |line, word| format!("{line} {word}"))
    }

    /// Requires exit code 0.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.fails_with(0)
    }

    /// Requires an exit code.
    #[track_caller]
    pub(crate) fn fails_with(self, code: i32) -> Self {
        assert!(self.output.status.code() == Some(code), "expected exit code {code}\n{self}");
        self
    }

    /// Requires an end by a signal, as an armed crash point makes it.
    #[track_caller]
    pub(crate) fn dies(self) -> Self {
        assert!(self.output.status.code().is_none(), "expected a crash\n{self}");
        self
    }

    /// Requires words on stderr.
    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        assert!(self.stderr().contains(words), "expected `{words}` on stderr\n{self}");
        self
    }

    /// Requires words on stdout.
    #[track_caller]
    pub(crate) fn prints(self, words: &str) -> Self {
        assert!(self.stdout().contains(words), "expected `{words}` on stdout\n{self}");
        self
    }

    /// Says what of this answer nobody may ever see.
    pub(crate) fn flaw(&self) -> Option<&'static str> {
        let text = self.to_string();
        // A tab stands between columns; those in names are escaped.
        let deceives =
            |c: char| c.is_control() && c != '\n' && c != '\t' || "\u{202e}\u{200b}".contains(c);
        match self.status() {
            None => Some("it died"),
            Some(101) => Some("a defect"),
            Some(124) => Some("it hung"),
            _ if text.contains("panicked") => Some("a panic"),
            // The line on top is the harness's own and shows the arguments.
            _ if text.lines().skip(1).any(|line| line.contains(deceives)) => Some("it deceives"),
            _ => None,
        }
    }

    /// Returns the exit code; nothing after a signal.
    pub(crate) fn status(&self) -> Option<i32> {
        self.output.status.code()
    }

    /// Returns stdout as text.
    /// Returns stdout as it is.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.output.stdout.clone()
    }

    #[track_caller]
    pub(crate) fn stdout(&self) -> &str {
        str::from_utf8(&self.output.stdout).expect("stdout is UTF-8")
    }

    /// Returns stderr as text.
    #[track_caller]
    pub(crate) fn stderr(&self) -> &str {
        str::from_utf8(&self.output.stderr).expect("stderr is UTF-8")
    }

    /// Returns the one JSON document on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        let parsed = serde_json::from_slice(&self.output.stdout);
        parsed.unwrap_or_else(|error| panic!("stdout is not one JSON document: {error}\n{self}"))
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        writeln!(f, "$ {} ({})", self.line, self.output.status)?;
        write!(f, "--- stdout\n{}", text(&self.output.stdout))?;
        write!(f, "--- stderr\n{}", text(&self.output.stderr))
    }
}
