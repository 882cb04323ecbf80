//! What dies while data is on its way: one of the three machines that hold it, or haul itself.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};
use std::time::Duration;

use crate::harness::{Repo, World, data, skipped};
use crate::proxy::{Fault, Proxy, Rule};
use crate::scene::FOR_EVER;
use crate::server::Server;

/// How often it is looked how far a command is.
const LOOK: Duration = Duration::from_millis(1);

/// Three Garage nodes; ends with the test.
struct Cluster {
    folder: PathBuf,
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers").join(name)
}

/// The first of nine ports in a row that nobody listens on. No two calls of a process get the same: tests run
/// beside each other. Ports lie below those which the system gives to connections.
fn free_ports() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Others on this machine may run the same test.
    let own = u16::try_from(std::process::id() % 1_000).expect("is small");
    for _ in 0..1_000 {
        let port = 21_000 + (own + NEXT.fetch_add(1, Relaxed)) % 1_000 * 10;
        if (port..port + 9).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()) {
            return port;
        }
    }
    panic!("no nine ports in a row are free");
}

impl Cluster {
    fn start(folder: PathBuf) -> Self {
        let port = free_ports();
        let cluster = Self { folder };
        let mut command = Command::new(script("start-garage3.sh"));
        let done = command.arg(&cluster.folder).arg(port.to_string()).status().expect("runs");
        assert!(done.success(), "the cluster starts");
        cluster
    }

    /// Ends one node as a power cut would.
    fn kill(&self, node: usize) {
        let pid =
            std::fs::read_to_string(self.folder.join(format!("pid.{node}"))).expect("is there");
        let killed = Command::new("kill").args(["-KILL", pid.trim()]).status().expect("runs");
        assert!(killed.success());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(Command::new(script("stop.sh")).arg(&self.folder).status());
    }
}

/// Runs three nodes, reached through a proxy that counts.
fn cluster(world: &World) -> Option<(Cluster, Server, Proxy)> {
    if std::env::var_os("GARAGE").is_none() {
        skipped("GARAGE names no program; see tests/servers/install.sh");
        return None;
    }
    let cluster = Cluster::start(world.path("cluster"));
    let mut server = Server::of("garage3", &world.path("cluster/env")).expect("is written");
    let proxy = Proxy::start(server.the("ENDPOINT"));
    server.reach_by(&format!("http://{}", proxy.address));
    Some((cluster, server, proxy))
}

/// Makes a repository with one file of random bytes.
fn with_file<'w>(server: &Server, world: &'w World, bytes: &[u8]) -> Repo<'w> {
    let a = server.repo(world, "a");
    a.write("x.bin", bytes);
    a.haul(&["add", "x.bin"]).ok();
    a.commit("data");
    a
}

#[test]
fn a_node_that_dies_during_a_push_costs_no_byte() {
    let world = World::new();
    let Some((cluster, server, proxy)) = cluster(&world) else { return };
    let bytes = data::bytes(5, 100 << 20);
    let a = with_file(&server, &world, &bytes);
    std::thread::scope(|scope| {
        let push = scope.spawn(|| server.haul(&a, &["push"]));
        // Some pieces are on their way.
        while proxy.requests() < 8 && !push.is_finished() {
            std::thread::sleep(LOOK);
        }
        assert!(!push.is_finished(), "the push is under way");
        cluster.kill(2);
        push.join().expect("runs").ok();
    });
    server.haul(&a, &["verify"]).ok();
    let b = a.clone_as("b");
    server.haul(&b, &["pull"]).ok();
    assert!(b.read("x.bin") == bytes);
    // Of two nodes that are left one is not enough for anybody, and that is said.
    cluster.kill(1);
    a.write("y.bin", &data::bytes(6, 1 << 20));
    a.haul(&["add", "y.bin"]).ok();
    a.commit("more");
    server.haul(&a, &["push"]).fails_with(3).says("hint: run the same command again");
}

#[test]
fn a_node_that_dies_during_a_pull_costs_no_byte() {
    let world = World::new();
    let Some((cluster, server, proxy)) = cluster(&world) else { return };
    let bytes = data::bytes(5, 100 << 20);
    let a = with_file(&server, &world, &bytes);
    server.haul(&a, &["push"]).ok();
    let b = a.clone_as("b");
    proxy.set(&[]);
    std::thread::scope(|scope| {
        let pull = scope.spawn(|| server.haul(&b, &["pull"]));
        // The catalogue is here, and content is on its way.
        while proxy.requests() < 6 && !pull.is_finished() {
            std::thread::sleep(LOOK);
        }
        assert!(!pull.is_finished(), "the pull is under way");
        cluster.kill(1);
        pull.join().expect("runs").ok();
    });
    assert!(b.read("x.bin") == bytes);
    server.haul(&b, &["verify"]).ok();
}

/// Starts a command, kills it once the proxy has seen as many requests, and returns nothing of it. Answers
/// come late, so that it is not over before.
fn killed(server: &Server, proxy: &Proxy, (repo, verb): (&Repo<'_>, &str), requests: usize) {
    let fault = Fault::Late(Duration::from_millis(200));
    proxy.set(&[Rule { method: "", part: String::new(), times: FOR_EVER, fault }]);
    let mut running = repo.start_haul_with(&[verb, "--jobs", "4"], &server.variables());
    while proxy.requests() < requests {
        assert!(running.try_wait().expect("is a child").is_none(), "the {verb} is under way");
        std::thread::sleep(LOOK);
    }
    running.kill().expect("is a child");
    running.wait().expect("ends");
    proxy.set(&[]);
}

#[test]
fn a_killed_push_and_a_killed_pull_go_on_where_they_stopped() {
    const SIZE: u64 = 200 << 20;
    let Some(mut server) = Server::find("garage") else { return };
    let proxy = Proxy::start(server.the("ENDPOINT"));
    server.reach_by(&format!("http://{}", proxy.address));
    let world = World::new();
    let bytes = data::bytes(8, usize::try_from(SIZE).expect("fits"));
    let a = with_file(&server, &world, &bytes);
    // Two packs of the four, in pieces of 8 MiB.
    killed(&server, &proxy, (&a, "push"), 32);
    let pushed = server.haul(&a, &["push", "--json"]).ok().json();
    let sent = pushed["requests"]["sent"].as_u64().expect("is said");
    assert!(sent <= SIZE - (64 << 20), "{sent} bytes sent again: {pushed}");
    let b = a.clone_as("b");
    killed(&server, &proxy, (&b, "pull"), 24);
    assert!(!b.has("x.bin"));
    let pulled = server.haul(&b, &["pull", "--json"]).ok().json();
    let received = pulled["fetch"]["requests"]["received"].as_u64().expect("is said");
    assert!(received <= SIZE - (64 << 20), "{received} bytes received again: {pulled}");
    assert!(b.read("x.bin") == bytes);
}
