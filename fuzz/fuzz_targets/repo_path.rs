//! A path that is accepted stays inside the worktree, whatever is made of it; any name can be shown.
#![no_main]

use haul::path::{RepoPath, gitignore_line, json_path, show};
use libfuzzer_sys::fuzz_target;
use std::path::Component;

/// Turns a defect on, in a build that has them.
fn plant() {
    if let Ok(bug) = std::env::var("HAUL_PLANTED") {
        haul::fs::planted::plant(&bug);
    }
}

fuzz_target!(init: plant(), |input: &[u8]| {
    let shown = show(input).to_string();
    assert!(!shown.contains(|c: char| c.is_control()), "a terminal would obey it: {shown:?}");
    json_path(input);
    let Ok(path) = RepoPath::new(input) else { return };
    assert_eq!(path.as_bytes(), input);
    assert!(path.to_os().components().all(|part| matches!(part, Component::Normal(_))));
    assert_eq!(path.parts().collect::<Vec<_>>().join(&b'/'), input);
    if let Some(parent) = path.parent() {
        assert!(path.starts_with_dir(&parent));
        assert_eq!(RepoPath::new(parent.as_bytes()).unwrap(), parent);
        let name = path.relative_to(&parent).unwrap();
        assert_eq!(parent.join(&name).unwrap(), path);
    }
    if let Ok(pointer) = path.pointer_path() {
        assert!(pointer.is_pointer_path());
        assert_eq!(pointer.target_of_pointer().unwrap(), path);
    }
    if let Ok(line) = gitignore_line(path.file_name()) {
        assert!(line.starts_with(b"/") && !line.contains(&b'\n'));
    }
    (path.windows_problem(), path.caution());
});
