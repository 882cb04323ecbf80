//! A repository whose remote is reached through a proxy that does wrong what it is told to.

use crate::harness::{Repo, World, data};
use crate::proxy::{Fault, Proxy, Rule};
use crate::server::Server;

/// A repository that reaches moto through a proxy.
pub(crate) struct Scene<'w> {
    pub(crate) server: Server,
    pub(crate) proxy: Proxy,
    pub(crate) a: Repo<'w>,
}

impl<'w> Scene<'w> {
    /// Makes it, with content that was not pushed yet.
    pub(crate) fn new(world: &'w World) -> Option<Self> {
        let mut server = Server::find("moto")?;
        let proxy = Proxy::start(server.the("ENDPOINT"));
        server.reach_by(&format!("http://{}", proxy.address));
        let a = server.repo(world, "a");
        a.write("x.bin", &data::bytes(3, 3 << 20));
        a.write("many/y.bin", &data::bytes(4, 9000));
        a.haul(&["add", "x.bin", "many"]).ok();
        a.commit("data");
        Some(Self { server, proxy, a })
    }

    /// Lets one kind of request go wrong, and begins to count anew.
    pub(crate) fn set(&self, method: &'static str, part: &str, times: usize, fault: Fault) {
        self.proxy.set(&[Rule { method, part: part.to_owned(), times, fault }]);
    }

    /// Requires that a new clone gets everything.
    pub(crate) fn pulls_all(&self, name: &str) {
        let b = self.a.clone_as(name);
        self.server.haul(&b, &["pull"]).ok();
        assert!(b.read("x.bin") == data::bytes(3, 3 << 20));
        assert!(b.read("many/y.bin") == data::bytes(4, 9000));
    }
}

/// More often than anything is asked for.
pub(crate) const FOR_EVER: usize = usize::MAX;
