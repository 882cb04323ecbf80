//! Names in commands that a user is to paste.

use crate::path::show;

/// Quotes one argument for a shell. What cannot be shown as it is becomes `$'\xNN'`, which the shells
/// read that people type in.
pub fn in_shell(argument: &[u8]) -> String {
    let plain = |c: &u8| c.is_ascii_alphanumeric() || b"_-./=:,@%+^".contains(c);
    if !argument.is_empty() && argument.iter().all(plain) {
        return String::from_utf8_lossy(argument).into_owned();
    }
    match std::str::from_utf8(argument) {
        Ok(text) if show(argument).to_string() == text => {
            format!("'{}'", text.replace('\'', r"'\''"))
        }
        _ => {
            let body: String = argument.iter().map(|byte| ansi_c(*byte)).collect();
            format!("$'{body}'")
        }
    }
}

/// Quotes a path from the root of the worktree for `git` in a shell, whatever folder that is in.
pub fn for_git(path: &[u8]) -> String {
    // Git takes some signs for more than themselves: at the start, or anywhere.
    let plain = path.first().is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'.');
    let plain = plain && !path.iter().any(|c| b"*?[\\".contains(c));
    let root: &[u8] = if plain { b":/" } else { b":(top,literal)" };
    in_shell(&[root, path].concat())
}

fn ansi_c(byte: u8) -> String {
    match byte {
        b'\'' => r"\'".to_owned(),
        b'\\' => r"\\".to_owned(),
        b'\n' => r"\n".to_owned(),
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("\\x{byte:02x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_quoted_so_that_a_shell_reads_them_back() {
        assert_eq!(in_shell(b"data/a.haul"), "data/a.haul");
        assert_eq!(in_shell(b""), "''");
        assert_eq!(in_shell(b"two words"), "'two words'");
        assert_eq!(in_shell(b"it's"), r"'it'\''s'");
        assert_eq!(in_shell(b"a\nb'\xff"), r"$'a\nb\'\xff'");
        assert_eq!(for_git(b"sub/a b"), "':/sub/a b'");
        assert_eq!(for_git(b"x[1].bin"), "':(top,literal)x[1].bin'");
        assert_eq!(for_git(b"-x"), "':(top,literal)-x'");
        let turned = "a\u{202e}b".as_bytes();
        let names: [&[u8]; 5] = [b"it's", b"a\nb'\xff\\", b"$HOME `id`", b"-x *", turned];
        for name in names {
            let script = format!("printf %s {}", in_shell(name));
            let out = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
            assert_eq!(out.stdout, name);
        }
    }
}
