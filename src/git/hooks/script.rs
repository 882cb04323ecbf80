//! The text of the programs that haul puts where Git looks for them: short shell scripts that run
//! what was there before, and then haul.

use std::path::Path;

use super::Moment;
use crate::path::in_shell;

/// What the name of the program that was there before ends with.
pub(super) const BEFORE: &str = ".before-haul";

/// What Git says is read once and told to both programs.
const READ: &str = "input=$(cat)\n";
const FEED: &str = "printf '%s' \"${input:+$input\n}\" | ";

const ABSENT_AT_PUSH: &str = "\
    echo 'haul is not installed, so data that this push names may stay behind; install it, or push with HAUL_SKIP=1' >&2
    exit 1
";

/// Writes the script. `program` is where haul lies, if the script stays on this machine.
pub(super) fn script(moment: Moment, program: Option<&Path>) -> String {
    let name = moment.name();
    // A name that no shell can be told is looked for as others are.
    let known = program.and_then(Path::to_str).filter(|path| !path.contains(char::is_control));
    let haul = known.map_or("haul".to_owned(), |path| in_shell(path.as_bytes()));
    let (read, feed) = if moment.has_input() { (READ, FEED) } else { ("", "") };
    let (first, failed, code) =
        if moment.may_refuse() { ("", "exit $?", "0") } else { ("code=0\n", "code=$?", "$code") };
    let absent = match moment {
        Moment::PrePush => ABSENT_AT_PUSH.to_owned(),
        Moment::PreCommit | Moment::PostCheckout | Moment::PostMerge | Moment::PostRewrite => {
            format!("    exit {code}\n")
        }
    };
    let last = if moment.may_refuse() { String::new() } else { format!("exit {code}\n") };
    format!(
        "#!/bin/sh\n\
         # Runs haul. `haul hooks uninstall` removes it and puts back what was here before.\n\
         haul={haul}\n\
         before=\"${{0%/*}}/{name}{BEFORE}\"\n\
         {read}{first}\
         if [ -x \"$before\" ]; then\n    {feed}\"$before\" \"$@\" || {failed}\nfi\n\
         [ \"${{HAUL_SKIP:-0}}\" = 0 ] || exit {code}\n\
         [ -x \"$haul\" ] || haul=haul\n\
         if ! command -v \"$haul\" >/dev/null; then\n{absent}fi\n\
         {feed}\"$haul\" hook {name} \"$@\"\n{last}"
    )
}

/// Says whether a text is one of our scripts, untouched, wherever haul lies.
pub(super) fn is_ours(moment: Moment, text: &[u8]) -> bool {
    let plain = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.starts_with("haul=")).map(str::to_owned).collect()
    };
    str::from_utf8(text).is_ok_and(|text| plain(text) == plain(&script(moment, None)))
}

/// Says whether a program or a list of programs calls haul at this moment, as far as its text tells.
pub(super) fn calls_haul(moment: Moment, text: &[u8]) -> bool {
    let name = moment.name();
    let calls =
        [format!("haul hook {name}"), format!("haul\" hook {name}"), format!("id: haul-{name}")];
    String::from_utf8_lossy(text).lines().any(|line| {
        let line = line.trim_start();
        !line.starts_with('#') && calls.iter().any(|call| line.contains(call))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_scripts_are_known_wherever_haul_lies_and_edited_ones_are_not() {
        for moment in Moment::ALL {
            let local = script(moment, Some(Path::new("/a b/haul")));
            assert!(local.contains("haul='/a b/haul'\n"));
            assert!(is_ours(moment, local.as_bytes()));
            assert!(calls_haul(moment, local.as_bytes()));
            assert!(!is_ours(moment, format!("{local}make lint\n").as_bytes()));
        }
        assert!(!is_ours(Moment::PrePush, script(Moment::PreCommit, None).as_bytes()));
        assert!(!calls_haul(Moment::PrePush, b"#!/bin/sh\n# haul hook pre-push\n"));
        assert!(calls_haul(Moment::PrePush, b"    - id: haul-pre-push\n"));
    }
}
