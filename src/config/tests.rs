//! Layers, hostile committed files, and edits of text.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::{
    Accepted, Config, ConfigError, EditError, Environment, Files, Flag, Given, Layer, Origin,
    SETTINGS, Source, Warning, add_remote, first_file, has_secret, is_accepted, is_remote_name,
    load, normalise, redact, reference, remove_remote, resolve, set_default_remote,
};
use crate::hint::Hint as _;

fn environment(variables: &[(&str, &str)]) -> Environment {
    let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
    let fixed = [("HOME", "/home/u"), ("UNRELATED", "x")].map(|(n, v)| (n.into(), v.into()));
    Environment::from_variables(variables.chain(fixed), PathBuf::from("/cwd"), 2)
}

fn source(layer: Layer, text: &str) -> Source {
    Source { layer, path: PathBuf::from(format!("/{layer}/file")), text: text.to_owned() }
}

fn read(sources: &[Source], variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    resolve(&Given { sources, environment: &environment(variables), flags: &[] })
}

fn committed(body: &str) -> Result<Config, ConfigError> {
    read(&[source(Layer::Repo, &format!("version = 1\n{body}\n"))], &[])
}

#[test]
fn every_layer_overrides_the_ones_before_it() {
    let flags = [Flag { key: "jobs", flag: "--jobs".to_owned(), value: OsString::from("7") }];
    let given = environment(&[("HAUL_JOBS", "6")]);
    let sources = [
        source(Layer::Local, "jobs = 5"),
        source(Layer::Repo, "version = 1\njobs = 4"),
        source(Layer::User, "\n\njobs = 3"),
    ];
    let jobs =
        |sources, flags| resolve(&Given { sources, environment: &given, flags }).unwrap().jobs;
    let last = jobs(&sources, &flags);
    assert_eq!((last.value, last.origin.to_string().as_str()), (7, "--jobs"));
    assert_eq!(jobs(&sources, &[]).origin, Origin::Variable("HAUL_JOBS".to_owned()));
    let from = |n: usize| read(&sources[n..], &[]).unwrap().jobs;
    assert_eq!((from(0).value, from(0).origin.to_string().as_str()), (5, "/local/file:1"));
    assert_eq!((from(1).value, from(1).origin.to_string().as_str()), (4, "/repo/file:2"));
    assert_eq!((from(2).value, from(2).origin.to_string().as_str()), (3, "/user/file:3"));
    assert_eq!((from(3).value, from(3).origin.layer()), (8, Layer::Default));
}

#[test]
fn remotes_are_read_from_all_files_and_variables() {
    let sources = [
        source(
            Layer::Repo,
            "version = 1\n[remotes.my-data]\nurl = \"s3://a\"\n[remotes]\nx = { url = \"../b\" }\n",
        ),
        source(Layer::Local, "remotes.\"own.one\".url = 'gs://c'"),
    ];
    let config = read(&sources, &[]).unwrap();
    let names: Vec<&str> = config.remotes.keys().map(String::as_str).collect();
    assert_eq!(names, ["my-data", "own.one", "x"]);
    assert_eq!(config.default_remote(), None);
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    let variables = [("HAUL_REMOTES_MY_DATA_URL", "s3://z"), ("HAUL_REMOTES_NEW_URL", "s3://n")];
    let config = read(&sources, &variables).unwrap();
    assert_eq!(config.remotes["my-data"].value, "s3://z");
    assert_eq!(config.remotes["new"].value, "s3://n");
}

#[test]
fn the_only_remote_is_the_default_unless_one_is_set() {
    let one = "[remotes.a]\nurl = 's3://a'";
    assert_eq!(committed(one).unwrap().default_remote(), Some("a"));
    let set = format!("remote.default = 'b'\n{one}");
    assert_eq!(committed(&set).unwrap().default_remote(), Some("b"));
    assert_eq!(committed("").unwrap().default_remote(), None);
}

#[test]
fn folders_start_from_the_file_or_the_current_folder_and_home_is_resolved() {
    let local = |text: &str| read(&[source(Layer::Local, text)], &[]).unwrap().cache_dir.unwrap();
    assert_eq!(local("cache.dir = 'c'").value, PathBuf::from("/local/c"));
    assert_eq!(local("cache.dir = '/c'").value, PathBuf::from("/c"));
    assert_eq!(local("cache.dir = '~/c'").value, PathBuf::from("/home/u/c"));
    let variable = read(&[], &[("HAUL_CACHE_DIR", "c")]).unwrap().cache_dir.unwrap();
    assert_eq!(variable.value, PathBuf::from("/cwd/c"));
}

#[test]
fn settings_of_a_hostile_committed_file_have_no_effect_and_are_named() {
    let quiet = committed("").unwrap();
    for line in [
        "remotes.x.url = 'https://user:pass@canary.invalid/'",
        "remotes.x.url = 'ssh://-oProxyCommand=canary-exec/x'",
        "remotes.x.url = 'ext::sh -c canary-exec'",
        "remotes.x.url = 'http://169.254.169.254/latest/'",
        "remotes.x.url = 'http://2852039166/'",
        "remotes.x.url = 'http://[::ffff:169.254.169.254]/'",
        "remotes.x.url = 's3://b?endpoint=http://metadata.google.internal/'",
        "remotes.x.url = 's3://169.254.169.254/x'",
        "remotes.x.url = 's3://-b/'",
        "remotes.x.url = \"s3://b/\\u001b[2J\"",
        "remotes.x.url = 'https://h/?sig=canary'",
        "remote.url = '../../canary-escape'",
        "remote.endpoint = 'http://localhost:1/'",
        "remote.ssl_verify = false",
        "remote.proxy = 'http://canary.invalid'",
        "remotes.x.proxy = 'http://canary.invalid'",
        "hooks.post_pull = 'canary-exec'",
        "filter.x.clean = 'canary-exec'",
        "include.path = '../../canary'",
        "core.threads = 1000000",
        "gc.grace = '0s'",
        "verify = false",
        "link.mode = 'symlink'",
        "cache.dir = '/home/u'",
        "\"a\\u001b[2J\" = 1",
    ] {
        let config = committed(line).unwrap();
        assert_eq!(config.warnings.len(), 1, "{line}: {:?}", config.warnings);
        let text = config.warnings[0].to_string();
        assert!(text.starts_with("/repo/file:2: "), "{text}");
        assert!(!text.contains("pass@") && !text.contains(char::is_control), "{text}");
        assert!(config.remotes.is_empty() && config.cache_dir.is_none(), "{line}");
        assert_eq!(config.jobs, quiet.jobs);
    }
}

#[test]
fn addresses_that_need_only_consent_are_kept() {
    for address in ["../../elsewhere", "/srv/data", "http://localhost:1/", "s3://b/p", "C:\\d"] {
        let config = committed(&format!("remotes.x.url = '{address}'")).unwrap();
        assert_eq!(config.remotes["x"].value, address);
        assert!(config.warnings.is_empty());
    }
}

#[test]
fn numbers_out_of_range_are_clamped_and_said() {
    let config = committed("jobs = 1000000").unwrap();
    assert_eq!(config.jobs.value, 256);
    assert!(matches!(config.warnings[0], Warning::Clamped { used: 256, .. }));
    assert_eq!(committed("jobs = -3").unwrap().jobs.value, 1);
}

#[test]
fn a_password_outside_of_the_committed_file_is_used_with_a_warning() {
    let config = read(&[source(Layer::Local, "remotes.x.url = 'https://u:pw@h/'")], &[]).unwrap();
    assert_eq!(config.remotes["x"].value, "https://u:pw@h/");
    assert!(matches!(config.warnings[0], Warning::Secret { .. }));
    assert!(!config.warnings[0].to_string().contains("pw"));
}

#[test]
fn misspelt_names_are_answered_with_the_right_one() {
    let meant = |config: Config| match config.warnings.first() {
        Some(Warning::Unknown { meant, .. }) => meant.clone(),
        _ => None,
    };
    assert_eq!(meant(committed("job = 1").unwrap()).as_deref(), Some("jobs"));
    let remote = committed("remotes.data.ur = 's3://b'").unwrap();
    assert_eq!(meant(remote).as_deref(), Some("remotes.data.url"));
    let variable = |name| read(&[], &[(name, "1")]).unwrap();
    assert_eq!(meant(variable("HAUL_JOB")).as_deref(), Some("HAUL_JOBS"));
    assert!(variable("HAUL_SOMETHING_ELSE").warnings.is_empty());
    assert!(variable("HAUL_SKIP").warnings.is_empty());
}

#[test]
fn versions_are_checked_before_anything_else() {
    let repo = |text| read(&[source(Layer::Repo, text)], &[]);
    assert!(matches!(repo("jobs = 1"), Err(ConfigError::NoVersion { .. })));
    let error = repo("version = 2\nwhatever = 1").unwrap_err();
    assert!(error.to_string().contains("a newer haul is needed"));
    assert!(matches!(repo("version = 0"), Err(ConfigError::Value { .. })));
    assert!(matches!(repo("version = '1'"), Err(ConfigError::Value { .. })));
    assert!(read(&[source(Layer::User, "jobs = 1")], &[]).is_ok());
}

#[test]
fn wrong_values_and_broken_files_name_the_line_and_keep_its_text_to_themselves() {
    let error = committed("\njobs = 'many'").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`jobs` is set to something else than a whole number (/repo/file:3)"
    );
    assert!(error.hint().is_some());
    assert!(matches!(committed("add.profile = 'M 64'"), Err(ConfigError::Value { .. })));
    assert!(matches!(committed("delta.base = 'Never'"), Err(ConfigError::Value { .. })));
    assert!(matches!(committed("remote.default = '-x'"), Err(ConfigError::Value { .. })));
    assert!(matches!(read(&[], &[("HAUL_JOBS", "x")]), Err(ConfigError::Value { .. })));
    for body in ["[a]\nx=1\n[a]\ny=1", "<<<<<<< secret-word", "jobs = 1\njobs = 2"] {
        let error = committed(body).unwrap_err();
        assert!(matches!(error, ConfigError::Syntax { line: 2..=4, .. }), "{error}");
        assert!(!error.to_string().contains("secret-word"), "{error}");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test's own files need no durability")]
fn files_are_read_and_a_link_in_place_of_the_committed_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let environment = environment(&[("XDG_CONFIG_HOME", root.join("x").to_str().unwrap())]);
    let files = Files::of(&environment, root, &root.join(".git"));
    assert_eq!(files.user, Some(root.join("x/haul/config.toml")));
    assert_eq!(load(&files, &environment, &[]).unwrap().jobs.value, 8);
    std::fs::create_dir_all(root.join(".git/haul")).unwrap();
    std::fs::write(root.join(".git/haul/config.toml"), "jobs = 9").unwrap();
    assert_eq!(load(&files, &environment, &[]).unwrap().jobs.value, 9);
    std::fs::write(root.join("big"), vec![b'#'; (1 << 20) + 1]).unwrap();
    let error = Files::read(Layer::User, &root.join("big")).unwrap_err();
    assert!(matches!(error, ConfigError::TooLarge { .. }));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("/dev/zero", root.join("haul.toml")).unwrap();
        let error = load(&files, &environment, &[]).unwrap_err();
        assert!(matches!(error, ConfigError::NotAFile { .. }));
    }
}

#[test]
fn the_environment_keeps_only_what_matters() {
    let environment = environment(&[("HAUL_LOG", "debug"), ("CI", "false")]);
    assert_eq!(environment.variables.len(), 1);
    assert_eq!(environment.text("HAUL_LOG"), Some("debug"));
    assert!(!environment.ci);
    assert_eq!(environment.user_file(), Some("/home/u/.config/haul/config.toml".into()));
}

#[test]
fn edits_keep_comments_and_order() {
    let text = "# ours\nversion = 1\njobs = 3 # few\n\n[remotes.old] # first\nurl = 's3://a'\n";
    let added = add_remote(text, "new.one", "gs://b/c", &[]).unwrap();
    assert_eq!(added, format!("{text}\n[remotes.\"new.one\"]\nurl = \"gs://b/c\"\n"));
    assert_eq!(add_remote(&added, "new.one", "gs://b/c", &[]).unwrap(), added);
    assert_eq!(remove_remote(&added, "new.one").unwrap(), text);
    let set = set_default_remote(text, "old").unwrap();
    assert!(set.contains("[remote]\ndefault = \"old\"\n") && set.starts_with(text), "{set}");
    let other = set_default_remote(&set.replace("\"old\"", "\"old\" # why"), "new").unwrap();
    assert!(other.contains("default = \"new\" # why"), "{other}");
    let removed = remove_remote(&set, "old").unwrap();
    assert_eq!(removed, "# ours\nversion = 1\njobs = 3 # few\n");
}

#[test]
fn edits_refuse_what_would_be_wrong() {
    let text = add_remote(&first_file(), "a", "s3://a", &[]).unwrap();
    assert!(matches!(add_remote(&text, "a", "s3://b", &[]), Err(EditError::Exists { .. })));
    assert!(matches!(add_remote(&text, "-a", "s3://b", &[]), Err(EditError::Name { .. })));
    let error = add_remote(&text, "b", "https://u:secretword@h/", &[]).unwrap_err();
    assert!(matches!(error, EditError::Secret { .. }) && !error.to_string().contains("secretword"));
    assert!(matches!(remove_remote(&text, "b"), Err(EditError::NoSuchRemote { .. })));
    assert!(matches!(add_remote("remotes = 1", "a", "b", &[]), Err(EditError::NotATable { .. })));
    assert!(matches!(add_remote("\n= 1", "a", "b", &[]), Err(EditError::Syntax { line: 2, .. })));
    assert!(is_remote_name("a.B_c-9") && !is_remote_name(&"a".repeat(65)) && !is_remote_name(""));
}

#[test]
fn addresses_compare_after_normalising() {
    let root = Path::new("/w/repo");
    let same = |a: &str, b: &str| normalise(a, root) == normalise(b, root);
    assert!(same("../data/", "/w/data") && same("file:///w/data", "/w/x/../data/."));
    assert!(same("file:///w/a%20b", "../a b") && !same("../a?b", "../a"));
    assert!(same("HTTPS://Host:443/a/../b/", "https://u:pw@host/b".replace("u:pw@", "").as_str()));
    assert!(same("s3://b/p?x=1&a=2", "s3://b/p/?a=2&x=1"));
    assert!(!same("s3://b/p", "s3://b/q") && !same("http://h/", "https://h/"));
    assert!(!same("https://h:1/", "https://h:2/") && !same("s3://b", "s3://b?endpoint=http://e"));
    assert_eq!(normalise("https://u:pw@h/?sig=1", root), "https://u@h");
}

#[test]
fn no_password_of_an_address_of_unknown_form_is_kept_or_shown() {
    let root = Path::new("/w/repo");
    for (address, shown) in [
        ("foo:user:s3cret@host", "foo:***@host"),
        ("sftp:user:s3cret@h/p", "sftp:***@h/p"),
        ("user:s3cret@host:path", "user:***@host:path"),
        ("us_er:s3cret@host", "us_er:***@host"),
        ("foo:u:s3cret?@host", "foo:***@host"),
        ("foo:s3cret@a@b", "foo:***@b"),
        ("foo:///user:s3cret@h", "foo:***@h"),
        ("foo:/user:s3cret@h", "foo:***@h"),
        ("file:user:s3cret@h", "file:***@h"),
        ("foo:x?token=s3cret", "foo:x?token=***"),
    ] {
        assert_eq!(normalise(address, root), shown);
        assert_eq!(redact(address), shown);
        assert!(has_secret(address), "{address}");
        let mut accepted = Accepted::default();
        accepted.insert(address, root);
        assert!(!accepted.print().contains("s3cret"), "{address}");
        assert!(!has_secret(&normalise(address, root)), "{address}");
    }
}

#[test]
fn a_remote_is_accepted_by_the_list_or_for_one_run() {
    let root = Path::new("/w/repo");
    let mut accepted = Accepted::default();
    assert!(accepted.insert("../data", root) && !accepted.insert("/w/data/", root));
    let yes = |variable, address| is_accepted(&accepted, variable, address, root);
    assert!(yes(None, "file:///w/data"));
    assert!(!yes(None, "/w/data2") && !yes(Some(""), "/w/repo") && !yes(Some(" , "), "."));
    assert!(yes(Some("s3://x,https://H/a/"), "https://h/a"));
    let read = Accepted::parse(&accepted.print(), Path::new("f")).unwrap();
    assert_eq!(read.addresses().collect::<Vec<_>>(), ["file:///w/data"]);
    assert!(accepted.remove("../data", root) && accepted.addresses().next().is_none());
    let newer = Accepted::parse("version = 2", Path::new("f")).unwrap_err();
    assert!(newer.to_string().contains("a newer haul is needed"));
    assert!(Accepted::parse("accepted = 1", Path::new("f")).is_err());
    assert_eq!(Accepted::parse("", Path::new("f")).unwrap(), Accepted::default());
}

#[test]
fn secrets_are_found_and_never_shown() {
    for (address, shown) in [
        ("https://u:pw@h/p?x=1", "https://u:***@h/p?x=1"),
        ("https://u:p/w@h/p", "https://u:***@h/p"),
        ("https://u:p?w@h/p?sig=pw", "https://u:***@h/p?sig=***"),
        ("az://c?SIG=pw&a=b", "az://c?SIG=***&a=b"),
        ("s3://b?aws_secret_access_key=pw", "s3://b?aws_secret_access_key=***"),
        ("s3://b?%74oken=pw", "s3://b?%74oken=***"),
        ("https://h\0/p?sig=p@w", "https://h\\u{0}/p?sig=***"),
    ] {
        assert_eq!(redact(address), shown);
        assert!(has_secret(address));
    }
    // An encoded comma, and no word that its digits spell.
    assert!(!has_secret("https://h?a%2Credential=1"));
    assert!(!has_secret("abfss://c@a.dfs.core.windows.net/p") && !has_secret("/a:b@c"));
    assert_eq!(redact("s3://b/\u{1b}[2J"), "s3://b/\\u{1b}[2J");
}

#[test]
fn settings_are_sorted_and_listed_for_the_reference() {
    assert!(SETTINGS.is_sorted_by_key(|setting| setting.name));
    let table = reference();
    assert!(table.contains("| `cache.dir` | `HAUL_CACHE_DIR` | "));
    assert_eq!(table.lines().count(), SETTINGS.len() + 2);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(version = 1\n)?([a-z.\"=\\[\\]{}' \n\u{1b}0-9-]|remotes|url){0,60}") {
        for layer in [Layer::Repo, Layer::Local] {
            if let Ok(config) = read(&[source(layer, &text)], &[]) {
                let plain = config.warnings.iter().all(|w| !w.to_string().contains(char::is_control));
                prop_assert!(plain);
            }
        }
        drop(Accepted::parse(&text, Path::new("f")));
    }

    #[test]
    fn any_address_can_be_shown_and_compared(address in "([a-z0-9:/@?&=.%#\\\\-]|://|sig=){0,40}") {
        let root = Path::new("/w");
        let once = normalise(&address, root);
        prop_assert!(!has_secret(&once), "{}", once);
        if url::Url::parse(&address).is_ok() || !address.contains(':') {
            prop_assert_eq!(&normalise(&once, root), &once);
        }
        prop_assert_eq!(redact(&redact(&address)), redact(&address));
        drop(committed(&format!("remotes.x.url = '{address}'")));
    }

    #[test]
    fn an_added_remote_reads_back(name in "[A-Za-z0-9][A-Za-z0-9._-]{0,63}", path in "[ -~]{0,20}") {
        let address = format!("s3://bucket/{path}");
        prop_assume!(!has_secret(&address));
        let text = add_remote(&first_file(), &name, &address, &[]).unwrap();
        let text = set_default_remote(&text, &name).unwrap();
        let config = read(&[source(Layer::Repo, &text)], &[]).unwrap();
        prop_assert_eq!(config.default_remote(), Some(name.as_str()));
        prop_assert_eq!(&config.remotes[&name].value, &address);
        prop_assert_eq!(remove_remote(&text, &name).unwrap(), first_file());
    }

    #[test]
    fn a_list_of_accepted_remotes_prints_and_reads_the_same(addresses in proptest::collection::vec(".{0,20}", 0..5)) {
        let mut accepted = Accepted::default();
        for address in &addresses {
            accepted.insert(address, Path::new("/w"));
        }
        let text = accepted.print();
        let read = Accepted::parse(&text, Path::new("f")).unwrap();
        prop_assert_eq!(&read, &accepted);
        prop_assert_eq!(read.print(), text);
    }
}
