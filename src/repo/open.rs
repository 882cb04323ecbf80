//! Opening a repository and handing out its parts.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use crate::cache::{CacheError, Index, Layout, PATIENCE, StatCache};
use crate::chunk::Profile;
use crate::config::{Config, Environment, Files, Flag, load};
use crate::fs::{
    FsError, Hold, Lock, make_folder, planted, read_limited, remove, replace, sweep_abandoned,
};
use crate::git::{Content, Git};
use crate::hash::RepoId;
use crate::progress::{Job, Stopped};
use crate::repo::error::RepoError;
use crate::repo::turn::in_turn;
use crate::worktree::Door;

/// An open repository; the index and the stat cache are opened when first asked for.
pub struct Repo {
    environment: Environment,
    cwd: PathBuf,
    git: Git,
    door: Door,
    config: Config,
    layout: Layout,
    profile: Profile,
    index: OnceLock<Index>,
    stat: OnceLock<StatCache>,
    access: Access,
    /// Says to others that packs of the cache are being read.
    using: Mutex<Option<Lock>>,
    /// Keeps others that change pointers waiting.
    changing: OnceLock<Lock>,
}

/// What the index and the stat cache are opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Work,
    Look,
}

/// Longest `haul.toml` that is taken from a commit, in bytes.
const SETTINGS_LIMIT: u64 = 1 << 20;

/// How long work waits for an eviction, which removes files and does nothing else meanwhile.
const EVICTION: Duration = Duration::from_secs(30);

impl Repo {
    /// Opens the repository that the environment's current folder lies in.
    pub fn open(environment: &Environment, flags: &[Flag]) -> Result<Self, RepoError> {
        let git = Git::open(&environment.cwd, environment.search.as_deref())?;
        Self::of(git, environment, flags)
    }

    /// As [`Self::open`], and opens a bare repository too, for what only reads: its settings are those of
    /// `HEAD`, and paths are meant from the root of the commit.
    pub fn open_any(environment: &Environment, flags: &[Flag]) -> Result<Self, RepoError> {
        let git = Git::open_any(&environment.cwd, environment.search.as_deref())?;
        if !git.is_bare() {
            return Self::of(git, environment, flags);
        }
        make_folder(git.root(), false)?;
        let settings = git.root().join("haul.toml");
        let committed = match git.head()? {
            Some(_) => git.file_at("HEAD", b"haul.toml", SETTINGS_LIMIT)?,
            None => None,
        };
        match committed {
            Some(Content::Whole(text)) => {
                if read_limited(&settings, SETTINGS_LIMIT)?.as_ref() != Some(&text) {
                    replace(&settings, &text)?;
                }
            }
            Some(Content::TooLarge(_)) | None => remove(&settings)?,
        }
        let cwd = git.root().to_path_buf();
        Ok(Self { cwd, ..Self::of(git, environment, flags)? })
    }

    /// Opens the rest of a repository whose Git is open; the environment's current folder lies in it.
    pub fn of(git: Git, environment: &Environment, flags: &[Flag]) -> Result<Self, RepoError> {
        let files = Files::of(environment, git.root(), git.common_dir());
        let config = load(&files, environment, flags)?;
        let cache = config.cache_dir.as_ref().map(|v| v.value.as_path());
        let layout = Layout::new(git.common_dir(), git.git_dir(), cache);
        let door = Door::open(git.root())?.with_own_links(&layout.files_folder());
        let git = git.with_temp(layout.temp()).with_stop(environment.job.stop());
        let profile = Profile::by_name(&config.add_profile.value).ok_or_else(|| {
            RepoError::UnknownProfile {
                name: config.add_profile.value.clone(),
                origin: config.add_profile.origin.to_string(),
            }
        })?;
        // Git answers with links resolved; arguments are relative to the folder as resolved too.
        let cwd = std::fs::canonicalize(&environment.cwd).unwrap_or(environment.cwd.clone());
        Ok(Self {
            environment: environment.clone(),
            cwd,
            git,
            door,
            config,
            layout,
            profile,
            index: OnceLock::new(),
            stat: OnceLock::new(),
            access: Access::Work,
            using: Mutex::default(),
            changing: OnceLock::new(),
        })
    }

    /// Has the index and the stat cache only looked into, beside others who do so too: what would be
    /// recorded there is an error.
    ///
    /// That is for hooks, which mostly find that there is nothing to do: it spares them the syncs of the
    /// disk that a database costs which could be written to.
    #[must_use]
    pub fn to_look(self) -> Self {
        self.opened_for(Access::Look)
    }

    /// Takes back [`Self::to_look`], once there is something to do.
    #[must_use]
    pub fn to_work(self) -> Self {
        self.opened_for(Access::Work)
    }

    fn opened_for(self, access: Access) -> Self {
        let (index, stat, using) = (OnceLock::new(), OnceLock::new(), Mutex::default());
        Self { index, stat, access, using, ..self }
    }

    /// Fails unless `haul init` was run here.
    pub fn require_initialised(&self) -> Result<(), RepoError> {
        let initialised = self.git.root().join("haul.toml").symlink_metadata().is_ok();
        if initialised { Ok(()) } else { Err(RepoError::NotInitialised) }
    }

    /// Returns what the process was started with.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Returns the current folder, links resolved.
    pub fn cwd(&self) -> &Path {
        &self.cwd
    }

    /// Returns the door to Git.
    pub fn git(&self) -> &Git {
        &self.git
    }

    /// Returns the door to the worktree.
    pub fn door(&self) -> &Door {
        &self.door
    }

    /// Returns the settings of this run.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Returns where local content lies.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Returns the rule that new paths are cut by.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Opens the index; from then on, packs of the cache are not evicted by others.
    pub fn index(&self) -> Result<&Index, CacheError> {
        let busy = || CacheError::Busy { path: self.layout.index(), waited: PATIENCE.as_secs() };
        self.opened_within(PATIENCE)?.ok_or_else(busy)
    }

    /// Waits until no other command changes pointers here; from then on others wait until this process
    /// ends. Called before pointers are read, so that of two commands at a time the later one goes on
    /// from what the earlier one wrote; and before the index is opened, which the other one may wait for.
    /// Makes no file, as the command may be refused yet.
    ///
    /// Fails once the user asks to stop.
    pub fn begin_changes(&self, job: &Job) -> Result<(), Stopped> {
        self.begin_within(Duration::MAX, job).map(drop)
    }

    /// As [`Self::begin_changes`], for `patience` at most; says whether changes may begin.
    pub fn begin_within(&self, patience: Duration, job: &Job) -> Result<bool, Stopped> {
        if self.changing.get().is_some() || planted::is("pointers-read-early") {
            return Ok(true);
        }
        let folder = self.git.common_dir();
        let attempt = |step| match Lock::of_folder(folder, step) {
            Ok(lock) => Ok(lock.map(Some)),
            // Some network file systems lock no folders.
            Err(_) => Ok::<_, Stopped>(Some(None)),
        };
        let lock = in_turn(folder, patience, attempt, job)?;
        let may = lock.is_some();
        if let Some(lock) = lock.flatten() {
            self.changing.get_or_init(|| lock);
        }
        Ok(may)
    }

    /// Opens the index unless another command has it for longer than `patience`; says whether it is open.
    /// Fails once the user asks to stop.
    pub fn index_within(&self, patience: Duration) -> Result<bool, CacheError> {
        Ok(self.opened_within(patience)?.is_some())
    }

    fn opened_within(&self, patience: Duration) -> Result<Option<&Index>, CacheError> {
        if let Some(index) = self.index.get() {
            return Ok(Some(index));
        }
        let attempt = |step| match self.open_index(step) {
            Err(CacheError::Busy { .. }) => Ok(None),
            other => other.map(Some),
        };
        let job = self.environment.job.lend();
        let Some(index) = in_turn(self.git.common_dir(), patience, attempt, &job)? else {
            return Ok(None);
        };
        // In this order: who waits for the index holds no lock that its owner could wait for.
        self.use_cache()?;
        Ok(Some(self.index.get_or_init(|| index)))
    }

    fn open_index(&self, patience: Duration) -> Result<Index, CacheError> {
        let looked = match self.access {
            Access::Look => Index::open_to_look(&self.layout, patience)?,
            Access::Work => None,
        };
        let index = looked.map_or_else(|| Index::open_within(&self.layout, patience), Ok)?;
        Ok(index.with_stop(self.environment.job.stop()))
    }

    fn use_cache(&self) -> Result<(), CacheError> {
        let folder = self.layout.cache_folder();
        let attempt = |step| folder.lock(Hold::Together, step).map_err(CacheError::from);
        let job = self.environment.job.lend();
        let lock = in_turn(self.git.common_dir(), EVICTION, attempt, &job)?;
        *self.using.lock().unwrap_or_else(PoisonError::into_inner) = lock;
        Ok(())
    }

    /// Does `work` while nobody else uses the cache; nothing if somebody does for longer than
    /// `patience`.
    pub fn with_cache_alone<T, E: From<FsError> + From<CacheError>>(
        &self,
        patience: Duration,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        drop(self.using.lock().unwrap_or_else(PoisonError::into_inner).take());
        let alone = self.layout.cache_folder().lock(Hold::Alone, patience)?;
        let done = alone.is_some().then(work).transpose();
        drop(alone);
        self.use_cache()?;
        done
    }

    /// Opens the stat cache, and the index before it. Each is opened once: whoever shares work out to threads
    /// opens them first, as one thread would wait for what another one of the same process holds.
    pub fn stat(&self) -> Result<&StatCache, CacheError> {
        if let Some(stat) = self.stat.get() {
            return Ok(stat);
        }
        // Always in this order: two processes that each have one and wait for the other would wait long.
        self.index()?;
        let path = self.layout.stat();
        let looked = match self.access {
            Access::Look => StatCache::open_to_look(&path)?,
            Access::Work => None,
        };
        let stat = looked.map_or_else(|| StatCache::open(&path), Ok)?;
        Ok(self.stat.get_or_init(|| stat))
    }

    /// Takes the lock that work on the state holds together, and clears away what a run that
    /// died long ago left half written.
    pub fn lock_for_work(&self) -> Result<Lock, FsError> {
        let path = self.layout.lock();
        if let Some(folder) = path.parent() {
            make_folder(folder, true)?;
        }
        let lock = Lock::shared(&path)?;
        sweep_abandoned(&self.layout.temp())?;
        Ok(lock)
    }

    /// Returns this repository's identity on remotes: of its Git remote's address, so that a fork
    /// counts as its own; of a random identity kept locally where there is none.
    pub fn identity(&self) -> Result<(RepoId, Option<String>), RepoError> {
        let url = match self.git.default_remote() {
            Ok(name) => self.git.remote_url(&name)?,
            Err(_) => None,
        };
        let seed = match &url {
            Some(url) => url.clone().into_bytes(),
            None => self.local_seed()?,
        };
        Ok((identity_of(&seed), url.map(|url| crate::config::redact_git(&url))))
    }

    fn local_seed(&self) -> Result<Vec<u8>, RepoError> {
        let path = self.layout.identity();
        if let Some(seed) = read_limited(&path, 64)?
            && seed.len() == 32
        {
            return Ok(seed);
        }
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|e| RepoError::NoRandomness(e.to_string()))?;
        crate::fs::write_durably(&path, &seed)?;
        Ok(seed.to_vec())
    }
}

/// Returns the identity that a Git address, or a random seed, gives a repository.
pub fn identity_of(seed: &[u8]) -> RepoId {
    let hash = blake3::derive_key("haul repository v1", seed);
    RepoId(*hash.first_chunk::<16>().unwrap_or(&[0; 16]))
}

/// Returns the identity that a repository has of its own, if it ever needed one: it had no Git remote
/// when it pushed.
pub fn own_identity(common_dir: &Path) -> Result<Option<RepoId>, RepoError> {
    let seed = read_limited(&Layout::new(common_dir, common_dir, None).identity(), 64)?;
    Ok(seed.filter(|seed| seed.len() == 32).map(|seed| identity_of(&seed)))
}
