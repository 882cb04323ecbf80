use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::harness::{Output, Repo, World, skipped};

/// The servers that tests run against, as `tests/servers` starts them.
pub(crate) const SERVERS: [&str; 5] = ["moto", "garage", "azurite", "apache", "sshd"];

/// What takes part if it was started by hand: it is too heavy for each run.
pub(crate) const BY_HAND: &str = "radosgw";

/// Where nobody listens. Of a port that was free a moment ago that is not known.
pub(crate) const NOBODY: &str = "127.0.0.1:9";

/// A server that listens, or a folder; and one place in it that no other test uses.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    /// What its start script wrote down.
    facts: Vec<(String, String)>,
    place: String,
}

impl Server {
    /// Finds a server; says so if it does not run.
    pub(crate) fn find(name: &'static str) -> Option<Self> {
        let folder = std::env::var_os("HAUL_TEST_SERVERS").map(PathBuf::from);
        let found = folder.and_then(|folder| Self::of(name, &folder.join(name).join("env")));
        if found.is_none() {
            skipped(&format!(
                "no {name} runs; start it with `tests/servers/start-{name}.sh DIR/{name} PORT` and \
                 set HAUL_TEST_SERVERS=DIR"
            ));
        }
        found
    }

    /// Reads what a start script wrote down.
    pub(crate) fn of(name: &'static str, facts: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(facts).ok()?;
        let facts = text.lines().filter_map(|line| line.split_once('='));
        let mut facts: Vec<(String, String)> =
            facts.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        // Programs of its own go before those of the system.
        if let Some((_, own)) = facts.iter().find(|(name, _)| name == "BIN") {
            let haul = Path::new(env!("CARGO_BIN_EXE_haul")).parent().expect("lies in a folder");
            let users = std::env::var("PATH").unwrap_or_default();
            facts.push(("PATH".to_owned(), format!("{own}:{}:{users}", haul.display())));
        }
        Some(Self { name, facts, place: unused() })
    }

    /// Finds all servers that run.
    pub(crate) fn all() -> Vec<Self> {
        SERVERS.into_iter().filter_map(Self::find).chain(Self::by_hand(BY_HAND)).collect()
    }

    /// Finds a server that nobody has to have.
    pub(crate) fn by_hand(name: &'static str) -> Option<Self> {
        let folder = std::env::var_os("HAUL_TEST_SERVERS").map(PathBuf::from)?;
        Self::of(name, &folder.join(name).join("env"))
    }

    fn fact(&self, name: &str) -> Option<&str> {
        self.facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns a fact that this server must have.
    pub(crate) fn the(&self, name: &str) -> &str {
        self.fact(name).unwrap_or_else(|| panic!("{} has no {name}", self.name))
    }

    /// Reaches the server by another address from now on.
    pub(crate) fn reach_by(&mut self, endpoint: &str) {
        self.facts.retain(|(name, _)| name != "ENDPOINT");
        self.facts.push(("ENDPOINT".to_owned(), endpoint.to_owned()));
    }

    /// Reaches the web server by another address from now on.
    pub(crate) fn move_to(&mut self, url: &str) {
        self.facts.retain(|(name, _)| name != "URL");
        self.facts.push(("URL".to_owned(), url.to_owned()));
    }

    /// Returns the address of the place.
    pub(crate) fn url(&self) -> String {
        format!("{}/{}", self.the("URL"), self.place)
    }

    /// Returns what a web server without `WebDAV` calls the place.
    pub(crate) fn static_url(&self) -> String {
        format!("{}/{}", self.the("STATIC"), self.place)
    }

    /// Returns `remote add NAME URL` with the settings of this server.
    pub(crate) fn add(&self, name: &str) -> Vec<String> {
        let mut arguments = vec!["remote".to_owned(), "add".into(), name.into(), self.url()];
        for (fact, flag) in
            [("ENDPOINT", "--endpoint"), ("REGION", "--region"), ("ACCOUNT", "--account")]
        {
            if let Some(value) = self.fact(fact) {
                arguments.extend([flag.to_owned(), value.to_owned()]);
            }
        }
        if !self.the("URL").starts_with("sftp:") {
            arguments.push("--allow-http".into());
        }
        arguments
    }

    /// Returns the credentials, as the cloud's own tools read them, or where such a tool is.
    pub(crate) fn variables(&self) -> Vec<(&str, &str)> {
        let clouds =
            |name: &str| name.starts_with("AWS_") || name.starts_with("AZURE_") || name == "PATH";
        let facts = self.facts.iter().filter(|(name, _)| clouds(name));
        facts.map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// Runs `haul` with the credentials.
    pub(crate) fn haul(&self, repo: &Repo<'_>, arguments: &[&str]) -> Output {
        repo.haul_with(arguments, &self.variables())
    }

    /// Makes a repository with this server as its remote.
    pub(crate) fn repo<'w>(&self, world: &'w World, name: &str) -> Repo<'w> {
        let repo = world.repo(name);
        repo.haul(&["init"]).ok();
        let add = self.add("origin");
        let add: Vec<&str> = add.iter().map(String::as_str).collect();
        self.haul(&repo, &add).ok();
        repo
    }
}

/// Returns a name that no other test, and no earlier run, has used.
fn unused() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let folder = tempfile::tempdir().expect("makes a folder");
    let random = folder.path().file_name().and_then(|name| name.to_str()).expect("has a name");
    let random: String =
        random.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    format!("t-{random}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}
