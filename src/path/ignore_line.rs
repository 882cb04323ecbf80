//! The `.gitignore` line that hides exactly one name.

use super::show::show;
use crate::hint::Hint;

/// Why no line of `.gitignore` can name a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`.gitignore` cannot name `{}`: {reason}", show(name))]
pub struct IgnoreLineError {
    name: Vec<u8>,
    reason: &'static str,
}

impl Hint for IgnoreLineError {
    fn hint(&self) -> Option<String> {
        Some("rename it, then add it again".to_owned())
    }
}

/// Returns the line, without its line feed, by which Git ignores `name` in the folder of the
/// `.gitignore`, and nothing else.
///
/// The slash in front ties it to that folder and takes the meaning from a leading `!` or `#`.
/// Refuses an empty name, `.`, `..`, and a name with a slash, a NUL byte or a line feed.
pub fn gitignore_line(name: &[u8]) -> Result<Vec<u8>, IgnoreLineError> {
    let refuse = |reason| Err(IgnoreLineError { name: name.to_vec(), reason });
    match name {
        b"" => return refuse("it is empty"),
        b"." | b".." => return refuse("it is not the name of a file"),
        _ if name.contains(&b'/') => return refuse("it has more than one part"),
        _ if name.contains(&0) => return refuse("it contains a NUL byte"),
        _ if name.contains(&b'\n') => return refuse("it contains a line feed"),
        _ => {}
    }
    let blanks = name.iter().rev().take_while(|b| **b == b' ').count();
    let first_blank = name.len() - blanks;
    let mut line = vec![b'/'];
    for (at, byte) in name.iter().enumerate() {
        match byte {
            // Git drops one at the end of a line, even behind a backslash; a set of one it keeps.
            b'\r' if at + 1 == name.len() => line.extend_from_slice(b"[\r]"),
            b'*' | b'?' | b'[' | b'\\' => line.extend_from_slice(&[b'\\', *byte]),
            b' ' if at >= first_blank => line.extend_from_slice(b"\\ "),
            _ => line.push(*byte),
        }
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::{Read, Write};
    use std::path::Path;
    use std::process::{Command, Stdio};

    const NASTY: &[&[u8]] = &[
        b"plain",
        b"plainer",
        b"!plain",
        b"#plain",
        b"*",
        b"**",
        b"?lain",
        b"[p]lain",
        b"p[!x]ain",
        b"\\plain",
        b"plain\\",
        b"\\*",
        b"plain ",
        b"plain  ",
        b" plain",
        b" ",
        b"\\ ",
        b"plain\\ ",
        b"plain\t",
        b"plain\r",
        b"\r",
        b"\r\r",
        b"pl\rain",
        b"plain \r",
        b"plain]",
        b"{a,b}",
        b"-rf",
        b"~",
        b"$HOME",
        b"a\"b",
        b"\xff\xfe",
        b"\x1b[0m",
        b"[",
        b"[]",
        b"!",
        b"#",
        b"...",
        "ä*".as_bytes(),
        "\u{feff}x".as_bytes(),
    ];

    fn git(dir: &Path) -> Command {
        let mut git = Command::new("git");
        git.current_dir(dir).env_clear();
        git.env("PATH", option_env!("PATH").unwrap_or("/usr/bin:/bin"));
        git.env("HOME", dir).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        git
    }

    /// Asks the real Git which of the paths it ignores.
    fn ignored(dir: &Path, asked: &[u8]) -> Vec<Vec<u8>> {
        let mut child = git(dir)
            .args(["check-ignore", "--no-index", "-z", "--stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("git runs");
        let mut stdin = child.stdin.take().expect("is piped");
        let mut out = Vec::new();
        std::thread::scope(|scope| {
            scope.spawn(move || stdin.write_all(asked).expect("git reads"));
            child.stdout.take().expect("is piped").read_to_end(&mut out).expect("git writes");
        });
        assert!(child.wait().expect("git ends").success());
        out.split(|b| *b == 0).filter(|path| !path.is_empty()).map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn git_ignores_exactly_the_one_name_of_the_line() {
        let dir = tempfile::tempdir().expect("is made");
        assert!(git(dir.path()).args(["init", "-q"]).status().expect("git runs").success());
        let (mut asked, mut wanted) = (Vec::new(), Vec::new());
        for (i, name) in NASTY.iter().enumerate() {
            let folder = dir.path().join(format!("d{i}"));
            std::fs::create_dir(&folder).expect("is made");
            let mut file = File::options()
                .write(true)
                .create_new(true)
                .open(folder.join(".gitignore"))
                .expect("is made");
            let line = gitignore_line(name).expect("can be named");
            file.write_all(&[&line[..], b"\n"].concat()).expect("is written");
            for (j, other) in NASTY.iter().enumerate() {
                let path = [format!("d{i}/").as_bytes(), other].concat();
                asked.extend_from_slice(&path);
                asked.push(0);
                let deeper = [format!("d{i}/sub/").as_bytes(), other].concat();
                asked.extend_from_slice(&deeper);
                asked.push(0);
                if i == j {
                    wanted.push(path);
                }
            }
        }
        assert_eq!(ignored(dir.path(), &asked), wanted);
    }

    #[test]
    fn a_name_that_no_line_can_hold_is_refused() {
        for name in [&b""[..], b".", b"..", b"a/b", b"a\0", b"a\nb", b"\n"] {
            assert!(gitignore_line(name).is_err(), "{}", show(name));
        }
        let error = gitignore_line(b"a\nb").expect_err("has a line feed");
        assert_eq!(error.to_string(), r"`.gitignore` cannot name `a\nb`: it contains a line feed");
        assert!(error.hint().is_some());
    }
}
