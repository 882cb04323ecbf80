//! Opening the remote that a verb is to use: named, known, accepted.

use std::path::PathBuf;

use crate::config::{
    Accepted, Environment, Files, Layer, RemoteAccess, Value, is_accepted, redact,
};
use crate::ops::error::OpError;
use crate::progress::StopFlag;
use crate::remote::{Access, AwsTool, Create, Limits, Remote, RemoteSpec, Secret};
use crate::repo::Repo;

/// A remote that may be used, not opened yet.
#[derive(Clone)]
pub(crate) struct Chosen {
    pub(crate) name: String,
    pub(crate) spec: RemoteSpec,
    pub(crate) jobs: usize,
    /// Bytes per second over the line; nothing: as fast as it goes.
    rate: Option<u64>,
    stop: StopFlag,
}

/// Finds the remote that is meant and checks that the user agreed to it.
pub(crate) fn choose(
    repo: &Repo,
    name: Option<&str>,
    jobs: Option<usize>,
) -> Result<Chosen, OpError> {
    let config = repo.config();
    let name = name.or_else(|| config.default_remote()).ok_or_else(|| {
        let what = if config.remotes.is_empty() {
            "no remote is set up"
        } else {
            "several remotes are set up, and none of them is the default"
        };
        OpError::refused(what, "run `haul remote add NAME URL` or `haul remote default NAME`")
    })?;
    let spec = spec_of(repo, name)?;
    if !accepted(repo, name, &spec)? {
        return Err(OpError::NotAccepted { name: name.to_owned(), url: spec.to_string() });
    }
    let jobs = jobs.unwrap_or(config.jobs.value).clamp(1, 256);
    let rate = Some(config.limit_rate.value).filter(|rate| *rate > 0);
    let stop = repo.environment().job.stop();
    Ok(Chosen { name: name.to_owned(), spec, jobs, rate, stop })
}

/// Reads the address of a remote.
pub(crate) fn spec_of(repo: &Repo, name: &str) -> Result<RemoteSpec, OpError> {
    let url = repo.config().remotes.get(name).ok_or_else(|| {
        let known: Vec<String> =
            repo.config().remotes.keys().map(|known| format!("`{known}`")).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let meant = crate::hint::nearest(name, repo.config().remotes.keys().cloned());
        OpError::refused(
            format!("there is no remote `{}`; set up: {known}", name.escape_debug()),
            meant.map_or_else(
                || {
                    "run `haul remote list` to see the remotes, or `haul remote add` to add one"
                        .to_owned()
                },
                |meant| format!("did you mean `{meant}`?"),
            ),
        )
    })?;
    let set = repo.config().access(name);
    if let Some(unknown) = set.unknown.first() {
        return Err(OpError::refused(
            format!(
                "remote `{name}` has a setting `{}` that this haul does not know or follow ({})",
                unknown.value, unknown.origin
            ),
            "correct its name or take it out: a setting without effect could send data elsewhere",
        ));
    }
    Ok(RemoteSpec::parse(&url.value, repo.git().root(), access_of(repo, set))?)
}

/// Takes what is set, from wherever it comes.
fn access_of(repo: &Repo, set: RemoteAccess) -> Access {
    fn plain<T>(value: Option<Value<T>>) -> Option<T> {
        value.map(|value| value.value)
    }
    let environment = repo.environment();
    let files = |home: &PathBuf| {
        ["config", "credentials"].iter().any(|name| home.join(".aws").join(name).is_file())
    };
    let profiles = set.profile.is_some()
        || environment.aws_profiles
        || environment.home.as_ref().is_some_and(files);
    let profile = plain(set.profile);
    let tool = || AwsTool { profile, search: environment.search.clone() };
    Access {
        aws_tool: profiles.then(tool),
        endpoint: plain(set.endpoint),
        region: plain(set.region),
        account: plain(set.account),
        user: plain(set.user),
        password: plain(set.password).map(|password| Secret(password.0)),
        path_style: plain(set.path_style),
        allow_http: plain(set.allow_http),
        anonymous: plain(set.anonymous),
        search: environment.search.clone(),
    }
}

/// Says whether a remote may be used: what the user set, what lies inside the repository or in a
/// bucket of a known cloud, or what the user has agreed to.
pub(crate) fn accepted(repo: &Repo, name: &str, spec: &RemoteSpec) -> Result<bool, OpError> {
    let root = repo.git().root();
    let value = repo.config().remotes.get(name);
    let committed = value.is_some_and(|v| v.origin.layer() == Layer::Repo)
        || repo.config().access(name).is_committed();
    if !committed || spec.is_known_cloud() || spec.is_inside(root) {
        return Ok(true);
    }
    // The next commit could turn the link elsewhere, and the address would still be accepted.
    if spec.folder().is_some_and(|folder| folder.starts_with(root)) {
        return Err(OpError::refused(
            format!(
                "remote `{name}` of `haul.toml` (`{spec}`) leads out of the repository, over a \
                 symbolic link in it, or into `.git`"
            ),
            "write the folder that is meant into `haul.toml`",
        ));
    }
    let variable = repo.environment().text("HAUL_ACCEPT_REMOTE");
    Ok(is_accepted(&accepted_list(repo.environment())?, variable, spec.text(), root))
}

/// Reads the user's list of accepted remotes.
pub(crate) fn accepted_list(environment: &Environment) -> Result<Accepted, OpError> {
    let Some(path) = environment.accepted_file() else { return Ok(Accepted::default()) };
    let text = Files::read(Layer::User, &path)?.unwrap_or_default();
    Ok(Accepted::parse(&text, &path)?)
}

impl Chosen {
    /// Opens it; a folder that is not there is an error.
    pub(crate) fn open(&self) -> Result<Remote, OpError> {
        let limits = Limits { jobs: self.jobs, rate: self.rate, stop: self.stop };
        Ok(Remote::open_within(&self.spec, Create::No, limits)?)
    }

    /// Returns the address for people, without secrets.
    pub(crate) fn url(&self) -> String {
        redact(self.spec.text())
    }
}
