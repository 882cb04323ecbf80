//! Every setting once: name, type, default, meaning, and who may set it.

/// What kind of value a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The name of a haul remote.
    RemoteName,
    /// A URL or a folder.
    Address,
    /// A line of text that says how a remote is reached.
    Access,
    /// The same, which is never shown.
    Secret,
    /// `true` or `false`.
    Switch,
    /// A whole number, clamped to the range.
    Number {
        /// The smallest that is used.
        min: i64,
        /// The largest that is used.
        max: i64,
    },
    /// A folder; `~/` is the home folder.
    Path,
    /// The name of a chunk profile.
    Profile,
    /// `never`, `cached` or `worth-it`.
    Base,
    /// A number of bytes, such as `500M`.
    Size,
    /// `recent` or `unpushed`.
    Keep,
    /// `reflink`, `hardlink`, `symlink` or `copy`.
    Link,
    /// `warn`, `fail` or `add`.
    Changed,
    /// `off`, `cached` or `fetch`.
    Follow,
    /// A list of paths and patterns, or a single one.
    Patterns,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Dotted name; `<name>` stands for the name of any remote or view.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// The default, in words.
    pub default: &'static str,
    /// What it means, in one line.
    pub doc: &'static str,
    /// Whether a committed file may set it.
    pub committed: bool,
}

/// The most transfers at once.
pub(super) const MAX_JOBS: i64 = 256;
/// The chunk profile of a path that has none yet.
pub(super) const DEFAULT_PROFILE: &str = "m64.1";
/// What the cache may take, in bytes.
pub(super) const DEFAULT_CACHE: u64 = 100 << 30;
/// What a commit lets into Git, in bytes.
pub(super) const DEFAULT_MAX_SIZE: u64 = 50 << 20;

/// All settings, sorted by name.
pub const SETTINGS: [Setting; 24] = [
    Setting {
        name: "add.profile",
        kind: Kind::Profile,
        default: "`m64.1`",
        doc: "Chunk profile of paths that are added for the first time.",
        committed: true,
    },
    Setting {
        name: "cache.dir",
        kind: Kind::Path,
        default: "`haul/` under the Git folder",
        doc: "Folder of the cache; may be shared by clones and users.",
        committed: false,
    },
    Setting {
        name: "cache.keep",
        kind: Kind::Keep,
        default: "`recent`",
        doc: "What stays in the cache of that which the remote has too: `recent` what was used last, up to \
              `cache.max-size`; `unpushed` no content at all once it is pushed or checked out.",
        committed: false,
    },
    Setting {
        name: "cache.link",
        kind: Kind::Link,
        default: "`reflink`",
        doc: "How files that a checkout writes share bytes with the cache: `reflink` by blocks of the disk where \
              the file system can (XFS, Btrfs), else not; `hardlink` or `symlink` as one file, which nobody may write to; \
              `copy` not at all.",
        committed: false,
    },
    Setting {
        name: "cache.max-size",
        kind: Kind::Size,
        default: "`100G`",
        doc: "Bytes that the cache may take, such as `20G`. What is not pushed does not count, and stays.",
        committed: false,
    },
    Setting {
        name: "delta.base",
        kind: Kind::Base,
        default: "`cached`",
        doc: "What new content may be stored as a delta to: `never` to anything; `cached` to an \
              earlier version or a sibling whose bytes are on this machine; `worth-it` also to bytes \
              that `add` first fetches, where they are fewer than those that may be saved.",
        committed: true,
    },
    Setting {
        name: "hooks.changed",
        kind: Kind::Changed,
        default: "`warn`",
        doc: "What a commit does about tracked data that changed and was not added: `warn` says so, \
              `fail` refuses the commit, `add` adds it to the commit.",
        committed: true,
    },
    Setting {
        name: "hooks.follow",
        kind: Kind::Follow,
        default: "`cached`",
        doc: "What data does when Git changes pointers: `cached` it follows as far as it is on this \
              machine, `fetch` the rest is fetched, `off` it stays until `haul checkout`.",
        committed: false,
    },
    Setting {
        name: "hooks.max-size",
        kind: Kind::Size,
        default: "`50M`",
        doc: "A commit that would put a larger file into Git itself is refused; `0` for any size.",
        committed: true,
    },
    Setting {
        name: "jobs",
        kind: Kind::Number { min: 1, max: MAX_JOBS },
        default: "four per core",
        doc: "Transfers at once, 1 to 256.",
        committed: true,
    },
    Setting {
        name: "remote.default",
        kind: Kind::RemoteName,
        default: "the only remote",
        doc: "Remote that is used when none is named.",
        committed: true,
    },
    Setting {
        name: "remotes.<name>.account",
        kind: Kind::Access,
        default: "`AZURE_STORAGE_ACCOUNT_NAME`",
        doc: "Storage account of an `az://` remote.",
        committed: true,
    },
    Setting {
        name: "remotes.<name>.allow-http",
        kind: Kind::Switch,
        default: "`false`",
        doc: "Whether requests may go out unencrypted, to an address with `http://`.",
        committed: true,
    },
    Setting {
        name: "remotes.<name>.anonymous",
        kind: Kind::Switch,
        default: "`false`",
        doc: "Whether requests go out unsigned, as public buckets take them.",
        committed: true,
    },
    Setting {
        name: "remotes.<name>.endpoint",
        kind: Kind::Access,
        default: "the cloud's own",
        doc: "Server of an `s3://`, `gs://` or `az://` remote, such as `https://minio.example.org:9000`. A committed one needs `haul remote accept`.",
        committed: true,
    },
    Setting {
        name: "remotes.<name>.password",
        kind: Kind::Secret,
        default: "none",
        doc: "What is sent for `user` to an `https://` remote. Best set by its variable.",
        committed: false,
    },
    Setting {
        name: "remotes.<name>.path-style",
        kind: Kind::Switch,
        default: "`true`",
        doc: "Whether the bucket of an `s3://` remote stands in the path; `false`: in the name of the host.",
        committed: true,
    },
    Setting {
        name: "remotes.<name>.profile",
        kind: Kind::Access,
        default: "`AWS_PROFILE`",
        doc: "Profile of `~/.aws` whose keys are used for an `s3://` remote; asks the program `aws`.",
        committed: false,
    },
    Setting {
        name: "remotes.<name>.region",
        kind: Kind::Access,
        default: "`AWS_REGION`, else `us-east-1`",
        doc: "Region of an `s3://` remote.",
        committed: true,
    },
    Setting {
        name: "remotes.<name>.url",
        kind: Kind::Address,
        default: "none",
        doc: "Where the remote lies: a URL, or a folder relative to the worktree root.",
        committed: true,
    },
    Setting {
        name: "remotes.<name>.user",
        kind: Kind::Access,
        default: "none",
        doc: "Whose password is sent to an `https://` remote, or who signs in to an `sftp://` remote.",
        committed: true,
    },
    Setting {
        name: "transfer.limit-rate",
        kind: Kind::Size,
        default: "no limit",
        doc: "Bytes per second that go to and from a remote, such as `2M`; `0` for no limit.",
        committed: false,
    },
    Setting {
        name: "view.<name>.exclude",
        kind: Kind::Patterns,
        default: "nothing",
        doc: "What `--view` leaves out of what it includes: paths and patterns, as for `include`.",
        committed: true,
    },
    Setting {
        name: "view.<name>.include",
        kind: Kind::Patterns,
        default: "everything",
        doc: "What `--view` chooses: paths and patterns from the root of the repository, such as \
              `[\"data/train/**\", \"model.bin\"]`. `**` crosses folders.",
        committed: true,
    },
];

/// Finds the setting that a key path is; part 1 of `remotes.<name>.url` matches anything.
pub(super) fn find(key: &[String]) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| {
        let parts: Vec<&str> = setting.name.split('.').collect();
        parts.len() == key.len()
            && parts.iter().zip(key).all(|(part, given)| part.starts_with('<') || part == given)
    })
}

/// Finds the known name that an unknown one was probably meant to be.
pub(super) fn meant(key: &[String]) -> Option<String> {
    let given = key.join(".");
    let known = SETTINGS.iter().map(|setting| match key {
        [_, name, _] => setting.name.replace("<name>", name),
        _ => setting.name.to_owned(),
    });
    crate::hint::nearest(&given, known)
}

/// Writes the table of all settings as Markdown, for the reference pages.
pub fn reference() -> String {
    let head =
        "| setting | variable | default | in `haul.toml` | meaning |\n|---|---|---|---|---|\n";
    let line = |setting: &Setting| {
        let name = setting.name;
        let variable = if setting.kind == Kind::Patterns {
            "–".to_owned()
        } else {
            format!("`{}`", variable(name))
        };
        let committed = if setting.committed { "yes" } else { "no" };
        let (default, doc) = (setting.default, setting.doc);
        format!("| `{name}` | {variable} | {default} | {committed} | {doc} |\n")
    };
    SETTINGS.iter().fold(head.to_owned(), |table, setting| table + &line(setting))
}

/// The variable that sets a key: `remotes.my-data.url` is `HAUL_REMOTES_MY_DATA_URL`.
pub(super) fn variable(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let upper = |name: &str| name.chars().map(letter).collect::<String>();
    match name.split_once("<name>") {
        Some((before, after)) => format!("HAUL_{}<NAME>{}", upper(before), upper(after)),
        None => format!("HAUL_{}", upper(name)),
    }
}
