//! Storage of three machines, one of which dies.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{World, data, skipped};
use crate::proxy::Proxy;
use crate::server::Server;

/// Three Garage nodes; ends with the test.
struct Cluster {
    folder: PathBuf,
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers").join(name)
}

impl Cluster {
    fn start(folder: PathBuf) -> Self {
        // Others on this machine may run the same test.
        let port = 21_000 + std::process::id() % 900 * 10;
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

#[test]
fn a_node_that_dies_during_a_push_costs_no_byte() {
    if std::env::var_os("GARAGE").is_none() {
        skipped("GARAGE names no program; see tests/servers/install.sh");
        return;
    }
    let world = World::new();
    let cluster = Cluster::start(world.path("cluster"));
    let mut server = Server::of("garage3", &world.path("cluster/env")).expect("is written");
    let proxy = Proxy::start(server.the("ENDPOINT"));
    server.reach_by(&format!("http://{}", proxy.address));
    let a = server.repo(&world, "a");
    let bytes = data::bytes(5, 100 << 20);
    a.write("x.bin", &bytes);
    a.haul(&["add", "x.bin"]).ok();
    a.commit("data");
    std::thread::scope(|scope| {
        let push = scope.spawn(|| server.haul(&a, &["push"]));
        // Some pieces are on their way.
        while proxy.requests() < 8 && !push.is_finished() {
            std::thread::yield_now();
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
