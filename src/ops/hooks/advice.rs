//! What to write where, if another tool looks after a Git hook.

use std::path::Path;

use crate::git::{Keeper, Moment};
use crate::path::show;

/// Returns who has the place, and what to do to have haul called.
pub(super) fn advice(keeper: Keeper, moment: Moment, path: &Path) -> String {
    let name = moment.name();
    let file = show(path.as_os_str().as_encoded_bytes()).to_string();
    let line = format!("`haul hook {name} \"$@\"`");
    match keeper {
        Keeper::Husky => format!("husky has it: add the line {line} to `{file}`"),
        Keeper::Lefthook => {
            let input = if moment.has_input() { ", use_stdin: true" } else { "" };
            format!(
                "lefthook has it: add `{{ run: \"haul hook {name} {{0}}\"{input} }}` to the commands \
                 of `{name}` in `lefthook.yml`"
            )
        }
        Keeper::Overcommit => format!("overcommit has it: have it run `haul hook {name}`"),
        Keeper::Framework => format!(
            "the pre-commit framework has it, and another program stands in `{file}.legacy`: add \
             `id: haul-{name}` to `.pre-commit-config.yaml`"
        ),
        Keeper::Commit => format!("`{file}` is committed: add the line {line} to it"),
        Keeper::Folder => format!(
            "`core.hooksPath` leads out of the repository: call {line} from `{file}`, or unset it"
        ),
        Keeper::Unknown => format!(
            "somebody has replaced haul's `{file}`, and what was there before is kept beside it: add \
             the line {line} to it"
        ),
    }
}
