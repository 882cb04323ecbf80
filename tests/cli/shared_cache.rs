//! A cache that several clones and users share: each takes what another put there, believes none of
//! it, and what one removes or damages the others fetch again.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::geteuid;

use crate::harness::{Output, Remote, Repo, World, data, skipped};
use crate::scene::{number, shared};

const BIG: usize = 600_000;

/// A clone with pushed data, a shared cache, and the variable that names it.
struct Sharing<'a> {
    a: Repo<'a>,
    cache: PathBuf,
    named: String,
}

impl<'a> Sharing<'a> {
    fn new(world: &'a World) -> Self {
        let cache = world.path("cache");
        fs::create_dir(&cache).expect("makes a folder");
        let a = shared(world);
        let named = cache.to_str().expect("is UTF-8").to_owned();
        let sharing = Self { a, cache, named };
        sharing.a.write("x.bin", &data::bytes(1, BIG));
        sharing.a.write("d/y.bin", &data::bytes(2, 3 * BIG));
        sharing.haul(&sharing.a, &["add", "x.bin", "d"]).ok();
        sharing.a.commit("data");
        sharing.haul(&sharing.a, &["push"]).ok();
        sharing
    }

    fn haul(&self, repo: &Repo, arguments: &[&str]) -> Output {
        repo.haul_with(arguments, &[("HAUL_CACHE_DIR", &self.named)])
    }

    #[track_caller]
    fn assert_clean(&self, repo: &Repo) {
        let report = self.haul(repo, &["status", "--json"]).ok().json();
        let entries = report.get("entries").and_then(serde_json::Value::as_array);
        assert_eq!(entries.map(Vec::len), Some(0), "{report}");
    }

    fn folder(&self, form: &str) -> Remote {
        Remote::at(self.cache.join(form))
    }

    /// The pack of content, as a path.
    fn content(&self) -> PathBuf {
        let packs = self.folder("packs");
        let key = packs.keys("").into_iter().max_by_key(|key| packs.bytes(key)).expect("is one");
        packs.path().join(key)
    }
}

/// Bytes that a pull received.
fn received(pull: &Output) -> u64 {
    number(pull, "/fetch/requests/received")
}

#[test]
fn a_clone_takes_what_another_put_there_and_receives_only_trees() {
    let world = World::new();
    let sharing = Sharing::new(&world);
    let b = sharing.a.clone_as("b");
    let pull = sharing.haul(&b, &["pull", "--json"]).ok();
    assert!(received(&pull) < 50_000, "the pack of another clone serves\n{pull}");
    assert_eq!(number(&pull, "/fetch/fetched_bytes"), 0, "{pull}");
    b.tree().assert_same(&sharing.a.tree());
    sharing.assert_clean(&b);
    // Frames that a clone without the whole pack fetched serve others too.
    fs::remove_dir_all(sharing.cache.join("packs")).expect("is there");
    let (c, d) = (sharing.a.clone_as("c"), sharing.a.clone_as("d"));
    let pull = sharing.haul(&c, &["pull", "--json"]).ok();
    assert!(received(&pull) > 4 * BIG as u64, "{pull}");
    let pull = sharing.haul(&d, &["pull", "--json"]).ok();
    assert!(received(&pull) < 50_000, "the frames of another clone serve\n{pull}");
    d.tree().assert_same(&sharing.a.tree());
}

#[test]
fn what_one_clone_evicts_the_others_fetch_again_in_the_same_command() {
    let world = World::new();
    let sharing = Sharing::new(&world);
    let b = sharing.a.clone_as("b");
    sharing.haul(&b, &["pull"]).ok();
    sharing.haul(&sharing.a, &["evict", "--all", "--yes"]).ok().says("evicted");
    for repo in [&b, &sharing.a] {
        repo.remove("x.bin");
        repo.remove("d");
        sharing.haul(repo, &["pull"]).ok();
        sharing.assert_clean(repo);
        assert_eq!(repo.read("d/y.bin"), data::bytes(2, 3 * BIG));
        sharing.haul(repo, &["evict", "--max-size", "0", "--yes"]).ok();
    }
}

#[test]
fn an_eviction_waits_for_nobody_who_reads_and_takes_nothing_from_under_them() {
    let world = World::new();
    let sharing = Sharing::new(&world);
    sharing.a.remove("x.bin");
    let mut command = Command::new(env!("CARGO_BIN_EXE_haul"));
    let mark = world.path("mark");
    command.args(["checkout"]).current_dir(sharing.a.path("")).env("HOME", world.home());
    command.env("HAUL_CACHE_DIR", &sharing.named);
    command.env("HAUL_FAILPOINT", format!("place.built=wait:{}", mark.display()));
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut reading = command.spawn().expect("starts");
    while !mark.exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let b = sharing.a.clone_as("b");
    // By itself an eviction does not even wait.
    let variables = [("HAUL_CACHE_DIR", sharing.named.as_str()), ("HAUL_CACHE_MAX_SIZE", "1K")];
    b.haul_with(&["pull"], &variables).ok();
    assert!(sharing.content().exists());
    fs::remove_file(&mark).expect("lets it go");
    assert!(reading.wait().expect("ends").success());
    assert_eq!(sharing.a.read("x.bin"), data::bytes(1, BIG));
    sharing.haul(&b, &["evict", "--all", "--yes"]).ok().says("evicted");
}

#[test]
fn a_damaged_pack_of_another_is_passed_over_and_put_aside() {
    let world = World::new();
    let sharing = Sharing::new(&world);
    let (pack, good) = (sharing.content(), sharing.content());
    let good = fs::read(good).expect("is there");
    let mut flipped = good.clone();
    *flipped.get_mut(5000).expect("is there") ^= 1;
    let short = good.iter().take(9000).copied().collect();
    let damaged = [flipped, short, Vec::new(), vec![0; good.len()]];
    for (n, bytes) in damaged.iter().enumerate() {
        fs::write(&pack, bytes).expect("writes");
        let b = sharing.a.clone_as(&format!("b{n}"));
        sharing.haul(&b, &["pull"]).ok();
        b.tree().assert_same(&sharing.a.tree());
        assert!(!pack.exists(), "it was put aside");
        fs::remove_dir_all(sharing.cache.join("parts")).expect("is there");
    }
    // Damaged after it was taken in: found when it is read, and healed by the same pull.
    fs::write(&pack, &good).expect("writes");
    let c = sharing.a.clone_as("c");
    sharing.haul(&c, &["pull"]).ok();
    fs::write(&pack, damaged.first().expect("is one")).expect("writes");
    c.remove("x.bin");
    c.remove("d");
    sharing.haul(&c, &["pull"]).ok().says("damaged");
    c.tree().assert_same(&sharing.a.tree());
}

#[test]
fn damaged_frames_of_another_are_fetched_again() {
    let world = World::new();
    let sharing = Sharing::new(&world);
    fs::remove_dir_all(sharing.cache.join("packs")).expect("is there");
    let b = sharing.a.clone_as("b");
    sharing.haul(&b, &["pull"]).ok();
    let parts = sharing.folder("parts");
    let largest = parts.keys("").into_iter().max_by_key(|key| parts.bytes(key)).expect("is one");
    parts.flip(&largest, 5000);
    let c = sharing.a.clone_as("c");
    let pull = sharing.haul(&c, &["pull", "--json"]).ok();
    assert!((30_000..BIG as u64).contains(&received(&pull)), "only what was damaged came\n{pull}");
    c.tree().assert_same(&sharing.a.tree());
}

#[test]
fn links_pipes_and_folders_in_place_of_packs_are_not_followed() {
    let world = World::new();
    let sharing = Sharing::new(&world);
    let pack = sharing.content();
    let good = fs::read(&pack).expect("is there");
    let secret = world.path("secret");
    let part = PathBuf::from(pack.to_str().expect("is UTF-8").replace("/packs/", "/parts/"));
    fs::create_dir_all(part.parent().expect("has one")).expect("makes folders");
    let plant = |how: &str, at: &Path| match how {
        "link" => symlink(&secret, at).expect("links"),
        "pipe" => {
            let made = Command::new("mkfifo").arg(at).status().expect("runs");
            assert!(made.success());
        }
        "folder" => fs::create_dir(at).expect("makes a folder"),
        _ => panic!("nobody knows {how}"),
    };
    let clear = |at: &Path| {
        drop(fs::remove_file(at));
        drop(fs::remove_dir(at));
    };
    for (n, how) in ["link", "pipe", "folder"].iter().enumerate() {
        fs::write(&secret, b"not to be touched").expect("writes");
        clear(&pack);
        clear(&part);
        plant(how, &pack);
        plant(how, &part);
        let b = sharing.a.clone_as(&format!("b{n}"));
        sharing.haul(&b, &["pull"]).ok();
        b.tree().assert_same(&sharing.a.tree());
        assert_eq!(fs::read(&secret).expect("is there"), b"not to be touched");
        // Nor does an eviction touch what is no pack.
        sharing.haul(&b, &["evict", "--max-size", "0", "--yes"]).ok();
        assert!(secret.exists());
        clear(&pack);
        fs::write(&pack, &good).expect("writes");
    }
    // A push puts its pack in their place.
    sharing.a.write("z.bin", &data::bytes(7, BIG));
    sharing.haul(&sharing.a, &["add", "z.bin"]).ok();
    sharing.a.commit("more");
    let unpushed = Remote::at(sharing.a.path(".git/haul/unpushed"));
    for key in unpushed.keys("") {
        let at = sharing.cache.join("packs").join(key);
        fs::create_dir_all(at.parent().expect("has one")).expect("makes folders");
        symlink(&secret, at).expect("links");
    }
    sharing.haul(&sharing.a, &["push"]).ok();
    assert_eq!(fs::read(&secret).expect("is there"), b"not to be touched");
    assert_eq!(unpushed.keys(""), Vec::<String>::new());
    // A folder on the way that is a link leads nowhere.
    let away = world.path("away");
    fs::rename(sharing.cache.join("packs"), &away).expect("renames");
    fs::remove_dir_all(sharing.cache.join("parts")).expect("is there");
    symlink(&away, sharing.cache.join("packs")).expect("links");
    let before = Remote::at(away.clone()).keys("");
    sharing.haul(&sharing.a, &["evict", "--max-size", "0", "--yes"]).ok();
    assert_eq!(Remote::at(away).keys(""), before, "nothing outside was removed");
}

#[test]
fn what_lies_in_a_cache_has_the_modes_of_its_folder_whatever_the_umask() {
    let world = World::new();
    let sharing = Sharing::new(&world);
    for (mode, folders, files) in [(0o2770, 0o2770, 0o660), (0o755, 0o755, 0o644)] {
        fs::remove_dir_all(&sharing.cache).expect("is there");
        fs::create_dir(&sharing.cache).expect("makes a folder");
        fs::set_permissions(&sharing.cache, fs::Permissions::from_mode(mode)).expect("sets it");
        let b = sharing.a.clone_as(&format!("b{mode:o}"));
        let script = format!("umask 027; HAUL_CACHE_DIR={} haul pull && {}", sharing.named, "true");
        b.run("sh", &["-c", &script]).ok();
        b.write("new.bin", &data::bytes(u64::from(mode), BIG));
        let script = format!(
            "umask 077; export HAUL_CACHE_DIR={}; haul add new.bin && haul push",
            sharing.named
        );
        b.run("sh", &["-c", &script]).ok();
        let mut seen = 0;
        let mut open = vec![sharing.cache.clone()];
        while let Some(folder) = open.pop() {
            let found = fs::metadata(&folder).expect("is there").mode() & 0o7777;
            assert_eq!(found, folders, "{}", folder.display());
            for entry in fs::read_dir(&folder).expect("is listed") {
                let path = entry.expect("is listed").path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    let found = fs::metadata(&path).expect("is there").mode() & 0o7777;
                    assert_eq!(found, files, "{}", path.display());
                    seen += 1;
                }
            }
        }
        assert!(seen >= 3, "packs, parts and the lock");
    }
}

/// Runs `haul` in a repository as one of two users who have the group 60000 in common.
fn as_user(world: &World, user: u32, (repo, cache): (&Repo, &str), arguments: &[&str]) -> Output {
    let haul = world.copy_of_haul();
    let (uid, gid) = (format!("--reuid={user}"), format!("--regid={user}"));
    let cache = format!("HAUL_CACHE_DIR={cache}");
    let haul = haul.to_str().expect("is UTF-8");
    let own = [&uid, &gid, "--groups=60000", "env", &cache, haul];
    repo.run("setpriv", &[&own[..], arguments].concat())
}

fn give(repo: &Repo, path: &Path, to: &str) {
    repo.run("chown", &["-R", to, path.to_str().expect("is UTF-8")]).ok();
}

#[test]
fn two_users_share_a_cache_and_neither_can_harm_the_other() {
    if !geteuid().is_root() || Command::new("setpriv").arg("--version").output().is_err() {
        skipped("there is no way to run as two other users");
        return;
    }
    let world = World::new();
    let sharing = Sharing::new(&world);
    let (a, cache) = (&sharing.a, sharing.named.as_str());
    fs::remove_dir_all(&sharing.cache).expect("is there");
    fs::create_dir(&sharing.cache).expect("makes a folder");
    give(a, &sharing.cache, "61001:60000");
    fs::set_permissions(&sharing.cache, fs::Permissions::from_mode(0o2770)).expect("sets it");
    fs::set_permissions(world.path(""), fs::Permissions::from_mode(0o755)).expect("sets it");
    let (one, two) = (a.clone_as("one"), a.clone_as("two"));
    give(a, &one.path(""), "61001:61001");
    give(a, &two.path(""), "61002:61002");
    a.run("chmod", &["-R", "a+rwX", world.path("r").to_str().expect("is UTF-8")]).ok();
    a.run("chmod", &["a+rx", world.home().to_str().expect("is UTF-8")]).ok();

    as_user(&world, 61001, (&one, cache), &["pull"]).ok();
    let pull = as_user(&world, 61002, (&two, cache), &["pull", "--json"]).ok();
    assert!(received(&pull) < 50_000, "the frames of another user serve\n{pull}");
    two.tree().assert_same(&a.tree());
    // What one evicts the other fetches again, and may write beside it.
    let gone = as_user(&world, 61002, (&two, cache), &["evict", "--all", "--yes"]).ok();
    gone.says("evicted 1 pack");
    one.remove("x.bin");
    one.remove("d");
    as_user(&world, 61001, (&one, cache), &["pull"]).ok();
    one.tree().assert_same(&a.tree());
    // In a folder where nobody removes what is another's, the other's packs are passed over.
    a.run("chmod", &["-R", "+t", cache]).ok();
    let kept = as_user(&world, 61002, (&two, cache), &["evict", "--all", "--yes", "--json"]).ok();
    assert_eq!((number(&kept, "/packs"), number(&kept, "/passed_over")), (0, 1), "{kept}");
    // Damage by one: the other cannot put it aside, passes it over, and has its content all the same.
    let parts = sharing.folder("parts");
    let largest = parts.keys("").into_iter().max_by_key(|key| parts.bytes(key)).expect("is one");
    parts.flip(&largest, 5000);
    two.remove("x.bin");
    two.remove("d");
    as_user(&world, 61002, (&two, cache), &["pull"]).ok();
    two.tree().assert_same(&a.tree());
}
