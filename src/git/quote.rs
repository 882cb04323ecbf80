//! What Git and its commands say, fit to be shown.

/// Replaces the password in anything of the form `scheme://user:password@host`, and of web addresses the
/// user too, who may be a token.
pub(super) fn without_password(argument: &str) -> String {
    let Some((scheme, rest)) = argument.split_once("://") else { return argument.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let Some((user, host)) = authority.rsplit_once('@') else { return argument.to_owned() };
    // Before it may stand a quote, or the name of a setting.
    let start = scheme.rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(0, |at| at + 1);
    let scheme_alone = scheme.get(start..).unwrap_or(scheme).to_ascii_lowercase();
    match user.split_once(':') {
        _ if scheme_alone == "http" || scheme_alone == "https" => {
            format!("{scheme}://***@{host}{path}")
        }
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
    fn passwords_in_addresses_are_not_shown() {
        assert_eq!(without_password("https://u:p@h/x@y"), "https://***@h/x@y");
        assert_eq!(without_password("https://u:p@q@h"), "https://***@h");
        assert_eq!(without_password("'HTTPS://token@h/x y'"), "'HTTPS://***@h/x y'");
        assert_eq!(
            without_password("remote.origin.url=http://t@h"),
            "remote.origin.url=http://***@h"
        );
        assert_eq!(without_password("ssh://u:p@h/x"), "ssh://u:***@h/x");
        assert_eq!(without_password("ssh://git@h/x"), "ssh://git@h/x");
        assert_eq!(without_password("https://h/u:p@x"), "https://h/u:p@x");
        assert_eq!(without_password("origin"), "origin");
    }

    #[test]
    fn control_characters_of_other_programs_are_escaped() {
        assert_eq!(printable(b"fatal: \x1b[31mred\nmore \n"), "fatal: \\u{1b}[31mred\nmore");
    }
}
