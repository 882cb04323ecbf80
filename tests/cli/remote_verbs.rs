//! `haul remote`, and which remotes may be used without asking.

use crate::harness::{Output, Repo, World, data};

/// A repository with one file, pushed to a folder, and a clone in the hands of somebody else.
fn shared<'w>(world: &'w World, url: &str) -> Repo<'w> {
    let a = world.repo("a");
    a.write("x.bin", &data::bytes(1, 5000));
    a.haul(&["init"]).ok();
    a.haul(&["remote", "add", "origin", url]).ok();
    a.haul(&["add", "x.bin"]).ok();
    a.commit("data");
    a.haul(&["push"]).ok();
    a.clone_as("b")
}

/// Runs `haul` as somebody with another home.
fn as_stranger(world: &World, repo: &Repo, arguments: &[&str], accept: &str) -> Output {
    let home = world.path("stranger");
    let home = home.to_str().expect("is UTF-8");
    let config = format!("{home}/.config");
    let variables = [("HOME", home), ("XDG_CONFIG_HOME", &config), ("HAUL_ACCEPT_REMOTE", accept)];
    repo.haul_with(arguments, if accept.is_empty() { &variables[..2] } else { &variables })
}

#[test]
fn remotes_are_added_listed_made_the_default_and_removed() {
    let world = World::new();
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    a.haul(&["remote", "add", "one", "../one"]).ok();
    a.haul(&["remote", "add", "two", "../two"]).ok();
    a.haul(&["remote", "default", "two"]).ok();
    let rows = a.haul(&["remote", "list", "--json"]).ok().json();
    let row =
        |n: usize| (rows["remotes"][n]["name"].clone(), rows["remotes"][n]["default"].clone());
    assert_eq!(row(0), ("one".into(), false.into()), "{rows}");
    assert_eq!(row(1), ("two".into(), true.into()), "{rows}");
    a.haul(&["remote", "list"]).ok().prints("one").prints("two");
    a.git(&["diff", "--cached", "--", "haul.toml"]).ok().prints("../two");

    a.haul(&["remote", "remove", "two"]).ok();
    let left = a.haul(&["remote", "list", "--json"]).ok().json();
    assert_eq!(left["remotes"].as_array().map(Vec::len), Some(1), "{left}");
    assert!(world.path("two").is_dir(), "what a remote holds stays");
}

#[test]
fn a_remote_that_is_not_there_is_named_with_the_next_step() {
    let world = World::new();
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    let before = a.tree();
    for verb in ["remove", "default", "accept"] {
        a.haul(&["remote", verb, "gone"]).fails_with(1).says("`gone`").says("hint: ");
    }
    a.haul(&["push"]).fails_with(1).says("haul remote add");
    before.assert_same(&a.tree());
}

#[test]
fn a_remote_is_not_added_twice_under_one_name() {
    let world = World::new();
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    a.haul(&["remote", "add", "one", "../one"]).ok();
    let before = a.tree();
    a.haul(&["remote", "add", "one", "../two"]).fails_with(1).says("`one`").says("hint: ");
    a.haul(&["remote", "add", "-x y", "../two"]).fails_with(2);
    a.haul(&["remote", "add", "x y", "../two"]).fails_with(1).says("hint: ");
    before.assert_same(&a.tree());
    assert!(!world.path("two").exists(), "a refused remote leaves no folder");
}

#[test]
fn a_relative_folder_is_meant_from_the_current_folder() {
    let world = World::new();
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    a.mkdir("deep/er");
    a.haul(&["-C", "deep/er", "remote", "add", "origin", "../../../shared"]).ok();
    assert!(world.path("shared").is_dir());
    assert!(a.text("haul.toml").contains("\"../shared\""), "{}", a.text("haul.toml"));
}

#[test]
fn a_folder_outside_needs_acceptance_be_it_relative_or_absolute() {
    for url in ["../shared", "ABSOLUTE"] {
        let world = World::new();
        let folder = world.path("shared");
        let folder = folder.to_str().expect("is UTF-8");
        let b = shared(&world, if url == "ABSOLUTE" { folder } else { url });
        let refused = as_stranger(&world, &b, &["pull"], "").fails_with(1);
        refused.says("haul remote accept origin");
        assert!(!b.has("x.bin"));
        let rows = as_stranger(&world, &b, &["remote", "list", "--json"], "").ok().json();
        assert_eq!(rows["remotes"][0]["accepted"], false, "{rows}");

        as_stranger(&world, &b, &["remote", "accept", "origin"], "").ok();
        as_stranger(&world, &b, &["pull"], "").ok();
        assert_eq!(b.read("x.bin"), data::bytes(1, 5000));
        assert_eq!(b.git(&["status", "--porcelain"]).ok().stdout(), "");
    }
}

#[test]
fn acceptance_is_for_one_address_and_ends_when_it_changes() {
    let world = World::new();
    let b = shared(&world, "../shared");
    as_stranger(&world, &b, &["remote", "accept", "origin"], "").ok();
    b.write("haul.toml", b.text("haul.toml").replace("../shared", "../other").as_bytes());
    as_stranger(&world, &b, &["pull"], "").fails_with(1).says("haul remote accept origin");
}

#[test]
fn the_variable_accepts_a_list_of_addresses_however_they_are_written() {
    let world = World::new();
    let b = shared(&world, "../shared");
    let folder = world.path("shared");
    let folder = folder.to_str().expect("is UTF-8");
    let world_folder = world.path("");
    let around = format!("/nowhere,{}//a/.././shared/", world_folder.display());
    as_stranger(&world, &b, &["pull"], "/nowhere").fails_with(1);
    as_stranger(&world, &b, &["pull"], &format!("{folder}-not")).fails_with(1);
    for accept in [folder, &format!("/nowhere, {folder}"), &around, &format!("file://{folder}")] {
        as_stranger(&world, &b, &["pull"], accept).ok();
        assert_eq!(b.read("x.bin"), data::bytes(1, 5000));
        b.remove("x.bin");
        b.remove(".git/haul");
    }
}

#[test]
fn a_folder_inside_the_repository_needs_no_acceptance() {
    let world = World::new();
    let b = shared(&world, "./store");
    let rows = as_stranger(&world, &b, &["remote", "list", "--json"], "").ok().json();
    assert_eq!(rows["remotes"][0]["accepted"], true, "{rows}");
    world.folder("a").run("cp", &["-r", "store", "../b/store"]).ok();
    as_stranger(&world, &b, &["pull"], "").ok();
    assert_eq!(b.read("x.bin"), data::bytes(1, 5000));
}

#[test]
fn a_password_in_an_address_is_refused_and_never_printed() {
    let world = World::new();
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    let before = a.tree();
    for url in [
        "https://user:hunter2@example.com/data",
        "s3://key:hunter2@bucket/prefix",
        "https://example.com/data?sig=hunter2",
    ] {
        for further in [&["--json"][..], &[]] {
            let arguments = [&["remote", "add", "origin", url], further].concat();
            let output = a.haul(&arguments).fails_with(1).says("hint: ");
            assert!(
                !output.to_string().replace(&arguments.join(" "), "").contains("hunter2"),
                "{output}"
            );
        }
    }
    before.assert_same(&a.tree());
    a.write("haul.toml", b"version = 1\n[remotes.origin]\nurl = \"s3://key:hunter2@bucket/x\"\n");
    for arguments in
        [&["remote", "list"][..], &["pull"], &["push", "--json"], &["remote", "accept", "origin"]]
    {
        let output = a.haul(arguments);
        assert!(!output.to_string().contains("hunter2"), "{output}");
    }
}

#[test]
fn a_server_that_a_commit_names_is_asked_nothing_before_it_was_accepted() {
    let world = World::new();
    let b = shared(&world, "../shared");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("finds a port");
    listener.set_nonblocking(true).expect("can be asked");
    let address = listener.local_addr().expect("has an address");
    for settings in [
        format!("url = \"s3://bucket\"\nendpoint = \"http://{address}\""),
        format!("url = \"http://{address}/data\""),
    ] {
        let text = format!("version = 1\n[remotes.origin]\n{settings}\nallow-http = true\n");
        b.write("haul.toml", text.as_bytes());
        let refused = as_stranger(&world, &b, &["pull"], "").fails_with(1);
        refused.says("haul remote accept origin").says(&address.to_string());
        let rows = as_stranger(&world, &b, &["remote", "list", "--json"], "").ok().json();
        assert_eq!(rows["remotes"][0]["accepted"], false, "{rows}");
        assert!(listener.accept().is_err(), "nobody called");
        as_stranger(&world, &b, &["remote", "accept", "origin"], "").ok();
        let rows = as_stranger(&world, &b, &["remote", "list", "--json"], "").ok().json();
        assert_eq!(rows["remotes"][0]["accepted"], true, "{rows}");
    }
    b.write("haul.toml", b"version = 1\n[remotes.origin]\nurl = \"s3://bucket/path\"\n");
    let rows = as_stranger(&world, &b, &["remote", "list", "--json"], "").ok().json();
    assert_eq!(rows["remotes"][0]["accepted"], true, "a cloud's own server: {rows}");
}

#[test]
fn settings_of_a_service_are_written_down_and_those_without_effect_refused() {
    let world = World::new();
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    let before = a.tree();
    for wrong in [
        &["../folder", "--region", "eu"][..],
        &["gs://bucket", "--region", "eu"],
        &["s3://bucket", "--endpoint", "http://h:9000"],
        &["s3://bucket", "--endpoint", "h:9000"],
        &["https://ann@h/x"],
        &["ftp://h/x"],
    ] {
        let arguments = [&["remote", "add", "origin"], wrong].concat();
        a.haul(&arguments).fails_with(1).says("hint: ");
    }
    before.assert_same(&a.tree());
    let endpoint = "https://minio.example.org:9000";
    let add = ["remote", "add", "origin", "s3://bucket/x", "--endpoint", endpoint];
    a.haul(&[&add[..], &["--region", "home", "--virtual-host", "--anonymous"]].concat()).ok();
    let text = a.text("haul.toml");
    for line in [
        "url = \"s3://bucket/x\"",
        "endpoint = \"https://minio.example.org:9000\"",
        "region = \"home\"",
        "path-style = false",
        "anonymous = true",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    a.write("haul.toml", text.replace("endpoint", "endpont").as_bytes());
    a.haul(&["push"]).fails_with(1).says("`endpont`").says("hint: ");
}
