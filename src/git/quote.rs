//! How commands and names are shown, so that a user can paste them and a terminal stays unharmed.

/// Quotes one argument for a POSIX shell; bytes that are not printable UTF-8 become `$'\xNN'`.
pub(super) fn shell(argument: &[u8]) -> String {
    let plain = |c: &u8| c.is_ascii_alphanumeric() || b"_-./=:,@%+^".contains(c);
    if !argument.is_empty() && argument.iter().all(plain) {
        return String::from_utf8_lossy(argument).into_owned();
    }
    match std::str::from_utf8(argument) {
        Ok(text) if !text.contains(char::is_control) => {
            format!("'{}'", text.replace('\'', r"'\''"))
        }
        _ => {
            let body: String = argument.iter().map(|byte| ansi_c(*byte)).collect();
            format!("$'{body}'")
        }
    }
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

/// Replaces the password in anything of the form `scheme://user:password@host`.
pub(super) fn without_password(argument: &str) -> String {
    let Some((scheme, rest)) = argument.split_once("://") else { return argument.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let Some((user, host)) = authority.rsplit_once('@') else { return argument.to_owned() };
    match user.split_once(':') {
        Some((name, _)) => format!("{scheme}://{name}:***@{host}{path}"),
        None => argument.to_owned(),
    }
}

/// Makes the words of another program safe to print: control characters other than line ends are escaped.
pub(super) fn printable(text: &[u8]) -> String {
    let mut out = String::new();
    for c in String::from_utf8_lossy(text).trim().chars() {
        if c.is_control() && c != '\n' && c != '\t' {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_quoted_so_that_a_shell_reads_them_back() {
        assert_eq!(shell(b"data/a.haul"), "data/a.haul");
        assert_eq!(shell(b""), "''");
        assert_eq!(shell(b"two words"), "'two words'");
        assert_eq!(shell(b"it's"), r"'it'\''s'");
        assert_eq!(shell(b"a\nb'\xff"), r"$'a\nb\'\xff'");
        let names: [&[u8]; 4] = [b"it's", b"a\nb'\xff\\", b"$HOME `id`", b"-x *"];
        for name in names {
            let script = format!("printf %s {}", shell(name));
            let out = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
            assert_eq!(out.stdout, name);
        }
    }

    #[test]
    fn passwords_in_addresses_are_not_shown() {
        assert_eq!(without_password("https://u:p@h/x@y"), "https://u:***@h/x@y");
        assert_eq!(without_password("https://u:p@q@h"), "https://u:***@h");
        assert_eq!(without_password("https://h/u:p@x"), "https://h/u:p@x");
        assert_eq!(without_password("origin"), "origin");
    }

    #[test]
    fn control_characters_of_other_programs_are_escaped() {
        assert_eq!(printable(b"fatal: \x1b[31mred\nmore \n"), "fatal: \\u{1b}[31mred\nmore");
    }
}
