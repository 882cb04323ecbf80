//! More than one remote: who serves what the default one cannot, and how all of them get everything.

use crate::harness::{Remote, Repo, World, data};
use crate::scene::{number, save, shared};

/// A repository with the remotes `r`, which is the default, and `s`.
fn two(world: &World) -> (Repo<'_>, Remote, Remote) {
    let a = shared(world);
    let s = world.remote("s");
    a.haul(&["remote", "add", "s", s.path().to_str().expect("is UTF-8")]).ok();
    a.haul(&["remote", "default", "r"]).ok();
    a.write("big.bin", &data::bytes(1, 2 << 20));
    a.write("many/x.bin", &data::bytes(2, 9000));
    a.write("many/y.bin", &data::bytes(3, 9000));
    save(&a, &["big.bin", "many"], "data");
    (a, world.remote("r"), s)
}

/// Pushes a file of one chunk; returns the key of its pack, the only one of `r`.
fn one_pack(a: &Repo<'_>, r: &Remote) -> String {
    a.write("one.bin", &data::bytes(5, 9000));
    save(a, &["one.bin"], "one");
    a.haul(&["push", "one.bin"]).ok();
    r.keys("p/").remove(0)
}

fn has_all(b: &Repo<'_>) {
    assert!(b.read("big.bin") == data::bytes(1, 2 << 20));
    assert!(b.read("many/y.bin") == data::bytes(3, 9000));
}

#[test]
fn what_the_default_remote_never_got_comes_from_another_and_that_is_said_once() {
    let world = World::new();
    let (a, _, _) = two(&world);
    a.haul(&["push", "--remote", "s"]).ok();
    let b = a.clone_as("b");
    let pulled = b.haul(&["pull"]).ok().says("asking remote `s` instead");
    assert_eq!(pulled.stderr().matches("instead").count(), 1, "{pulled}");
    has_all(&b);
    // A remote that was named is meant.
    let c = a.clone_as("c");
    c.haul(&["pull", "--remote", "r"]).fails_with(4);
    assert!(!c.has("big.bin"));
}

#[test]
fn each_root_comes_from_the_remote_that_lists_it() {
    let world = World::new();
    let (a, _, _) = two(&world);
    a.haul(&["push", "big.bin"]).ok();
    a.haul(&["push", "--remote", "s", "many"]).ok();
    let b = a.clone_as("b");
    let plan = b.haul(&["fetch", "--dry-run", "--json"]).ok().json();
    assert_eq!(plan["remote"], "r, s");
    b.haul(&["pull"]).ok();
    has_all(&b);
}

#[test]
fn a_remote_that_is_gone_or_damaged_is_replaced_by_one_that_is_not() {
    let world = World::new();
    let (a, r, s) = two(&world);
    a.haul(&["push"]).ok();
    a.haul(&["push", "--remote", "s"]).ok();
    let one = a.clone_as("one");
    for key in r.keys("p/") {
        r.flip(&key, 100);
    }
    one.haul(&["pull"]).ok().says("asking remote `s` instead");
    has_all(&one);
    for key in r.keys("p/") {
        r.remove(&key);
    }
    for word in ["HEAD:big.bin", "HEAD:many/x.bin"] {
        let cat = a.clone_as(&format!("cat{}", word.len())).haul(&["cat", word]).ok();
        cat.says("asking remote `s` instead");
    }
    let out = a.clone_as("export");
    out.haul(&["export", "HEAD:many", "out"]).ok().says("asking remote `s` instead");
    assert!(out.read("out/y.bin") == data::bytes(3, 9000));
    std::fs::rename(r.path(), world.path("away")).expect("moves");
    let two = a.clone_as("two");
    two.haul(&["ls", "HEAD:many"]).ok().says("asking remote `s` instead");
    two.haul(&["pull"]).ok().says("asking remote `s` instead");
    has_all(&two);
    // Where nobody has it, both are named.
    for key in s.keys("p/") {
        s.remove(&key);
    }
    let refused = a.clone_as("three").haul(&["pull"]).fails_with(4);
    refused.says("is not there").says("error: ");
}

#[test]
fn a_remote_that_stands_in_sends_no_more_than_is_needed_and_allowed() {
    let world = World::new();
    let a = shared(&world);
    let (r, s) = (world.remote("r"), world.remote("s"));
    a.haul(&["remote", "add", "s", s.path().to_str().expect("is UTF-8")]).ok();
    a.haul(&["remote", "default", "r"]).ok();
    for n in 0..8 {
        a.write(format!("d/{n}"), &data::bytes(n, 300_000));
    }
    save(&a, &["d"], "data");
    a.haul(&["push", "--all-remotes"]).ok();
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    b.haul(&["evict", "--all", "--yes"]).ok();
    a.write("d/1", &data::bytes(100, 300_000));
    save(&a, &["d"], "one changed");
    let before = r.keys("p/");
    a.haul(&["push", "--all-remotes"]).ok();
    for key in r.keys("p/").iter().filter(|key| !before.contains(key)) {
        r.flip(key, 1000);
    }
    b.git(&["pull", "--quiet"]).ok();
    let plan = number(&b.haul(&["pull", "--dry-run", "--json"]).ok(), "/receive_bytes");
    assert!((300_000..310_000).contains(&plan), "{plan}");
    // What the first remote sent in vain counts too.
    let limit = plan.to_string();
    let refused = b.haul(&["pull", "--max-bytes", &limit]).fails_with(1).says("--max-bytes");
    refused.says("asking remote `s` instead");
    assert_eq!(b.read("d/1"), data::bytes(1, 300_000));
    let pulled = b.haul(&["pull", "--max-bytes", "700K", "--json"]).ok();
    let pulled = pulled.says("asking remote `s` instead");
    assert!(number(&pulled, "/fetch/requests/received") < 700_000, "{pulled}");
    b.tree().assert_same(&a.tree());
}

#[test]
fn remotes_that_share_the_work_help_each_other_out() {
    let world = World::new();
    let (a, r, _) = two(&world);
    a.haul(&["push", "big.bin"]).ok();
    a.haul(&["push", "--remote", "s"]).ok();
    let damaged = r.keys("p/");
    for key in &damaged {
        r.flip(key, 100);
    }
    // `many` comes from `s` in any case, and so `big.bin` must as well.
    let b = a.clone_as("b");
    let fetched = b.haul(&["fetch"]).ok().says("asking remote `s` instead");
    assert!(!fetched.to_string().contains("from `r`"), "{fetched}");
    b.haul(&["checkout"]).ok();
    has_all(&b);
    let second = a.clone_as("second");
    assert_eq!(second.haul(&["fetch", "--json"]).ok().json()["remote"], "s");
    second.haul(&["fetch", "--remote", "r"]).ok();
    let third = a.clone_as("third");
    third.haul(&["fetch", "big.bin", "--remote", "r"]).fails_with(4).says("on remote");
}

#[test]
fn a_remote_that_was_not_accepted_is_not_turned_to() {
    let world = World::new();
    let (a, _, _) = two(&world);
    a.haul(&["push", "--remote", "s"]).ok();
    let b = a.clone_as("b");
    let r = world.path("r");
    let only = [
        ("HOME", "/nowhere"),
        ("XDG_CONFIG_HOME", "/nowhere"),
        ("HAUL_ACCEPT_REMOTE", r.to_str().expect("is UTF-8")),
    ];
    let refused = b.haul_with(&["pull"], &only).fails_with(4);
    assert!(!refused.stderr().contains("instead"), "{refused}");
    assert_eq!(number(&b.haul(&["pull", "--json"]).ok(), "/fetch/files"), 3);
}

#[test]
fn a_push_to_all_remotes_leaves_the_content_in_each_and_names_the_one_that_failed() {
    let world = World::new();
    let (a, r, s) = two(&world);
    std::fs::rename(s.path(), world.path("away")).expect("moves");
    let failed = a.haul(&["push", "--all-remotes"]).fails_with(3);
    failed.says("remote `s` did not get all of it").says("pushed 2 roots to `r`");
    assert!(!r.keys("p/").is_empty(), "the other one has it");
    std::fs::rename(world.path("away"), s.path()).expect("moves");
    let report = a.haul(&["push", "--all-remotes", "--json"]).ok().json();
    assert_eq!(report["remotes"][0]["remote"], "s", "the default comes last: {report}");
    assert_eq!(report["remotes"][1]["packs"], 0);
    for name in ["r", "s"] {
        a.haul(&["verify", "--remote", name]).ok();
        let clone = a.clone_as(&format!("from-{name}"));
        clone.haul(&["pull", "--remote", name]).ok();
        has_all(&clone);
    }
}

/// Requires that a remote alone serves everything of all branches, and outlives its gc.
fn is_complete(a: &Repo<'_>, remote: &str, name: &str) {
    let clone = a.clone_as(name);
    clone.haul(&["verify", "--remote", remote]).ok();
    clone.haul(&["fsck", "--remote", remote]).ok();
    let place = a.path("");
    let place = place.to_str().expect("is UTF-8");
    clone.haul(&["gc", "--remote", remote, "--yes", "--repo", place]).ok();
    clone.haul(&["pull", "--remote", remote]).ok();
    has_all(&clone);
}

#[test]
fn sync_copies_what_one_remote_lacks_and_nothing_twice() {
    let world = World::new();
    let (a, r, s) = two(&world);
    a.haul(&["push"]).ok();
    // No content is in this clone, and none comes into it.
    let b = a.clone_as("b");
    let copied = b.haul(&["remote", "sync", "r", "s", "--json"]).ok();
    assert_eq!((number(&copied, "/roots"), number(&copied, "/reused_roots")), (2, 0));
    assert_eq!(s.keys("p/"), r.keys("p/"));
    assert_eq!(s.keys("m/"), r.keys("m/"));
    assert_eq!(s.keys("repos/"), r.keys("repos/"));
    let again = b.haul(&["remote", "sync", "r", "s", "--json"]).ok();
    assert_eq!((number(&again, "/roots"), number(&again, "/packs")), (0, 0));
    assert_eq!(number(&again, "/requests/put"), 0);
    is_complete(&a, "s", "one");
    // Only what is new goes the same way later, and it may go back.
    a.write("many/z.bin", &data::bytes(9, 9000));
    save(&a, &["many"], "more");
    a.haul(&["push", "--remote", "s"]).ok();
    let back = b.haul(&["remote", "sync", "s", "r", "--json"]).ok();
    assert_eq!((number(&back, "/roots"), number(&back, "/reused_roots")), (1, 2));
    assert!(number(&back, "/bytes") < 100_000, "{back}");
    is_complete(&a, "r", "two");
}

#[test]
fn a_sync_that_was_killed_goes_on_where_it_stopped() {
    let world = World::new();
    let (a, r, s) = two(&world);
    a.haul(&["push"]).ok();
    for point in ["sync.sent-one", "sync.before-record"] {
        a.haul_with(&["remote", "sync", "r", "s"], &[("HAUL_FAILPOINT", point)]).dies();
        assert!(s.keys("i/").is_empty(), "nobody sees half of it");
    }
    let rest = a.haul(&["remote", "sync", "r", "s", "--json"]).ok();
    assert_eq!(number(&rest, "/packs"), 0, "all were there: {rest}");
    // A copy that was under way has left its file, under a name that nobody reads.
    let whole: Vec<String> = s.keys("p/").into_iter().filter(|key| !key.contains('#')).collect();
    assert_eq!(whole, r.keys("p/"));
    is_complete(&a, "s", "one");
}

#[test]
fn damage_is_not_copied_and_stops_a_sync_before_its_record() {
    let world = World::new();
    let (a, r, s) = two(&world);
    a.haul(&["push"]).ok();
    let pack = r.keys("p/").remove(0);
    let whole = r.read(&pack);
    r.flip(&pack, 1000);
    a.haul(&["remote", "sync", "r", "s"]).fails_with(4).says(&pack).says("hint: ");
    r.remove(&pack);
    a.haul(&["remote", "sync", "r", "s"]).fails_with(4).says("hint: ");
    assert!(s.keys("i/").is_empty());
    r.write(&pack, &whole);
    a.haul(&["remote", "sync", "r", "s"]).ok();
    is_complete(&a, "s", "one");
    a.haul(&["remote", "sync", "r", "r"]).fails_with(1).says("the same remote");
    a.haul(&["remote", "sync", "nowhere", "r"]).fails_with(1);
}

#[test]
fn a_root_whose_pack_is_cut_short_is_named_and_not_counted_as_copied() {
    let world = World::new();
    let (a, r, s) = two(&world);
    let pack = one_pack(&a, &r);
    let whole = r.read(&pack);
    r.write(&pack, &whole[..2000]);
    let name = pack.rsplit('/').next().expect("has a name");
    for _ in 0..2 {
        a.haul(&["remote", "sync", "r", "s"]).fails_with(4).says(name).says("hint: ");
        assert!(s.keys("i/").is_empty(), "nothing is recorded");
    }
    r.write(&pack, &whole);
    a.haul(&["remote", "sync", "r", "s"]).ok().says("copied 1 root");
    let b = a.clone_as("b");
    b.haul(&["pull", "--remote", "s", "one.bin"]).ok();
    assert!(b.read("one.bin") == data::bytes(5, 9000));
}

#[test]
fn a_pack_that_is_listed_with_a_size_it_cannot_have_is_not_fetched() {
    let world = World::new();
    let (a, r, s) = two(&world);
    let pack = one_pack(&a, &r);
    let file = std::fs::OpenOptions::new().write(true).open(r.path().join(&pack));
    file.expect("opens").set_len(3 << 30).expect("grows");
    // It would end at the first answer that it gets.
    let fetching = [("HAUL_FAILPOINT", "remote.get.after")];
    let refused = a.haul_with(&["remote", "sync", "r", "s"], &fetching).fails_with(4);
    refused.says(pack.rsplit('/').next().expect("has a name"));
    assert!(s.keys("p/").is_empty(), "nothing was copied");
}

#[test]
fn a_catalogue_that_lists_nothing_is_no_reason_to_say_that_all_was_copied() {
    let world = World::new();
    let (a, r, _) = two(&world);
    a.haul(&["push"]).ok();
    a.haul(&["remote", "test", "r"]).ok();
    for key in r.keys("i/") {
        r.remove(&key);
    }
    let b = a.clone_as("b");
    for repo in [&a, &b] {
        repo.haul(&["remote", "sync", "r", "s"]).fails_with(4).says("lists nothing");
        let plan = ["remote", "sync", "r", "s", "--dry-run"];
        repo.haul(&plan).fails_with(4).says("lists nothing");
        let tested = repo.haul(&["remote", "test", "r"]);
        assert_ne!(tested.status(), Some(0), "{tested}");
        tested.prints("lists 0 catalogue objects beside 2 packs");
    }
    // It is lost, and not only not listed: so it is written again.
    a.haul(&["push"]).ok();
    b.haul(&["remote", "sync", "r", "s"]).ok();
    is_complete(&a, "s", "one");
}

#[test]
fn an_index_is_kept_where_there_is_one() {
    let world = World::new();
    let (a, r, s) = two(&world);
    let named = |remote: &Remote| {
        let text = String::from_utf8(remote.read("index")).expect("is text");
        let names = text.lines().skip(1).filter_map(|line| line.split(' ').next());
        names.map(|name| format!("i/{name}")).collect::<Vec<String>>()
    };
    a.haul(&["push"]).ok();
    assert!(r.keys("index").is_empty(), "nobody asked for it");
    a.haul(&["remote", "index", "r"]).ok();
    a.haul(&["remote", "index", "s"]).ok();
    a.write("more.bin", &data::bytes(7, 5000));
    save(&a, &["more.bin"], "more");
    a.haul(&["push"]).ok();
    assert_eq!((named(&r).len(), named(&r)), (2, r.keys("i/")));
    // One of which the remote has every byte: nothing is sent but the record.
    a.write("copy.bin", &data::bytes(2, 9000));
    save(&a, &["copy.bin"], "copy");
    assert_eq!(number(&a.haul(&["push", "--json"]).ok(), "/packs"), 0);
    assert_eq!((named(&r).len(), named(&r)), (3, r.keys("i/")));
    a.haul(&["remote", "sync", "r", "s"]).ok();
    assert_eq!((named(&s).len(), named(&s)), (1, s.keys("i/")));
}

#[test]
fn a_limit_of_the_rate_holds_for_what_is_sent_and_what_is_received() {
    let world = World::new();
    let (a, _, _) = two(&world);
    let took = |repo: &Repo<'_>, words: &[&str], variables: &[(&str, &str)]| {
        let began = std::time::Instant::now();
        repo.haul_with(words, variables).ok();
        began.elapsed().as_secs_f64()
    };
    // Some 2 MiB: at that rate it cannot be faster, however fast the machine is.
    assert!(took(&a, &["push", "--limit-rate", "2M"], &[]) > 0.8);
    let b = a.clone_as("b");
    assert!(took(&b, &["fetch"], &[("HAUL_TRANSFER_LIMIT_RATE", "2M")]) > 0.8);
    assert!(took(&b, &["remote", "sync", "r", "s", "--limit-rate", "2M"], &[]) > 0.8);
    a.haul(&["push", "--limit-rate", "fast"]).fails_with(2);
}
