//! `haul completions` and `haul man`: what shells and `man` are told.

use crate::harness::{Output, Repo, World, data};
use crate::push::{ready, take};

/// Types a line in a real bash and asks for completions at its end.
fn in_bash(repo: &Repo, words: &[&str]) -> Output {
    let line = words.join(" ");
    let (last, index) = (words.last().copied().unwrap_or_default(), words.len() - 1);
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let script = format!(
        "source <(haul completions bash)
         COMP_WORDS=({}) COMP_CWORD={index} COMP_TYPE=9 COMP_LINE='{line}' COMP_POINT={}
         _clap_complete_haul haul '{last}' '' && printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        quoted.join(" "),
        line.len(),
    );
    repo.run("bash", &["--norc", "-c", &script]).ok()
}

fn lines(output: &Output) -> Vec<&str> {
    output.stdout().lines().map(str::trim_end).collect()
}

#[test]
fn bash_completes_verbs_flags_and_tracked_paths_that_are_not_here() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.write("data/train/x.bin", &data::bytes(1, 100));
    a.write("data/test.bin", &data::bytes(2, 100));
    take(&a, "data/train");
    take(&a, "data/test.bin");
    let b = a.clone_as("b");
    assert_eq!(lines(&in_bash(&b, &["haul", "unt"])), ["untrack"]);
    assert_eq!(lines(&in_bash(&b, &["haul", "diff", "--mark"])), ["--markdown"]);
    let inside = in_bash(&b, &["haul", "ls", "data/t"]);
    for path in ["data/test.bin", "data/train"] {
        assert!(lines(&inside).contains(&path), "{inside}");
    }
    let top = in_bash(&b, &["haul", "pull", "da"]);
    assert!(lines(&top).contains(&"data/"), "{top}");
    assert!(!b.has("data/train"));
    // Outside of a repository there is nothing to offer, and nothing to complain about.
    let any = in_bash(&world.folder("any"), &["haul", "ls", "da"]);
    assert_eq!(any.stderr(), "", "{any}");
}

#[test]
fn each_shell_gets_a_script_of_its_own_kind() {
    let world = World::new();
    let any = world.folder("any");
    for (shell, words) in [("bash", "complete -"), ("zsh", "#compdef haul"), ("fish", "complete ")]
    {
        any.haul(&["completions", shell]).ok().prints(words);
        let script = any.path(shell);
        std::fs::write(&script, any.haul(&["completions", shell]).ok().bytes()).expect("writes");
        let there = std::process::Command::new(shell).arg("--version").output().is_ok();
        if shell == "bash" || there {
            any.run(shell, &["-n".as_ref(), script.as_os_str()]).ok();
        }
    }
    any.haul(&["completions", "tcsh"]).fails_with(2);
    let report = any.haul(&["completions", "--json", "fish"]).ok().json();
    assert_eq!(report["shell"], "fish");
}

#[test]
fn every_verb_has_a_manual_page() {
    let world = World::new();
    let any = world.folder("any");
    let report = any.haul(&["man", "--json", "pages"]).ok().json();
    let pages = report["pages"].as_array().expect("is a list");
    for page in ["haul.1", "haul-add.1", "haul-remote-add.1", "haul-check-ignore.1"] {
        assert!(pages.iter().any(|found| found == page), "{report}");
    }
    let page = any.text("pages/haul-diff.1");
    assert!(page.contains("haul\\-diff") && page.contains("\\-\\-markdown"), "{page}");
    assert!(page.contains("haul diff v1.0 v2.0"), "{page}");
}
