//! What a server meant when it did not do what was asked, by what the user can do about it.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use super::error::{Action, RemoteError};
use super::folder::too_many;
use super::site::{Site, shown};

/// Why a server did not do what was asked. Travels through the storage library inside its errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is no such bucket.
    NoBucket,
    /// The keys are wrong, or may not do this.
    Denied(String),
    /// The keys were good until a while ago.
    Expired,
    /// There are no keys.
    NoKeys,
    /// The cloud's own program gave no keys.
    #[cfg_attr(not(feature = "s3"), expect(dead_code, reason = "only Amazon's program is asked"))]
    NoProfile(String),
    /// What gives keys on this machine gave none.
    NoToken(String),
    /// The clocks differ, so that signatures are not valid.
    Clock,
    /// The bucket is served elsewhere, in this region if it is said.
    Elsewhere(String),
    /// What answers is no storage.
    NoStorage(String),
    /// The server does not offer this.
    NotOffered(String),
    /// Nobody answers at this address.
    Unreached(String),
    /// Whoever answers cannot prove to be who was asked.
    Untrusted(String),
    /// `ssh` does not know whoever answers, or knows another one.
    #[cfg_attr(not(feature = "sftp"), expect(dead_code, reason = "only `ssh` says so"))]
    Stranger(String),
    /// The folder of the remote is not there, for this reason.
    #[cfg_attr(not(feature = "sftp"), expect(dead_code, reason = "only a folder can be gone"))]
    Gone(&'static str),
    /// A listing goes on for longer than one of ours can.
    #[cfg_attr(
        not(feature = "sftp"),
        expect(dead_code, reason = "others are counted as they come")
    )]
    TooMany,
    /// Nothing came for this many seconds.
    Silent(u64),
    /// A write was answered with this status, which does not say that anything was kept.
    Unsure(u16),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBucket => f.write_str("the storage has no bucket or container of this name"),
            Self::Denied(why) => write!(f, "access is denied: {why}"),
            Self::Expired => f.write_str("the credentials have expired"),
            Self::NoKeys => f.write_str("there are no credentials for it"),
            Self::NoProfile(why) => {
                write!(f, "`aws configure export-credentials` gave no credentials: {why}")
            }
            Self::NoToken(why) => write!(f, "there are no credentials for it: {why}"),
            Self::Clock => f.write_str("the clock of this machine is wrong by many minutes"),
            Self::Elsewhere(region) if region.is_empty() => {
                f.write_str("the bucket lies in another region")
            }
            Self::Elsewhere(region) => write!(f, "the bucket lies in the region `{region}`"),
            Self::NoStorage(why) => write!(f, "what answers there is no object storage: {why}"),
            Self::NotOffered(why) => write!(f, "the server does not offer this: {why}"),
            Self::Unreached(why) => write!(f, "nobody answers there: {why}"),
            Self::Untrusted(why) => write!(f, "the connection is not safe: {why}"),
            Self::Stranger(why) => write!(f, "`ssh` does not trust whoever answers there: {why}"),
            Self::Gone(why) => f.write_str(why),
            Self::TooMany => f.write_str("its listing does not end"),
            Self::Silent(seconds) => write!(f, "nothing came for {seconds} seconds"),
            Self::Unsure(status) => {
                write!(f, "it answered a write with {status}, and then did not have the object")
            }
        }
    }
}

impl StdError for Refusal {}

impl Refusal {
    /// Finds a refusal in the causes of an error.
    pub(super) fn of<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Self> {
        let mut cause = Some(error);
        // A chain is a few links long; the bound only keeps a faulty library from hanging us.
        for _ in 0..32 {
            let found = cause?;
            if let Some(refusal) = found.downcast_ref() {
                return Some(refusal);
            }
            cause = found.source();
        }
        None
    }

    /// Knows by its words that the storage library got no keys from this machine: a file, or a program.
    pub(super) fn by_words(why: &str) -> Option<Self> {
        let words = ["token file '", "az account get-access-token", "azure cli response"];
        words.iter().any(|words| why.contains(words)).then(|| Self::NoToken(why.to_owned()))
    }

    /// Reads an answer that is no success; `None` if the storage library knows best what it means.
    pub(super) fn read(status: u16, body: &str) -> Option<Self> {
        let code = element(body, "Code").unwrap_or_default();
        let message = element(body, "Message").unwrap_or_default();
        let said = match (code, message) {
            ("", _) => format!("it answers {status}"),
            (code, "") => format!("{code} ({status})"),
            (code, message) => format!("{code}: {message}"),
        };
        let said = shown(&said);
        let region = || Self::Elsewhere(shown(element(body, "Region").unwrap_or_default()));
        Some(match (status, code) {
            (_, "NoSuchBucket" | "ContainerNotFound" | "InvalidBucketName") => Self::NoBucket,
            (_, "RequestTimeTooSkewed") => Self::Clock,
            (_, "ExpiredToken" | "TokenRefreshRequired" | "ExpiredTokenException") => Self::Expired,
            (301, _)
            | (_, "PermanentRedirect" | "IllegalLocationConstraintException")
            | (400, "AuthorizationHeaderMalformed") => region(),
            (401 | 403, _) => Self::Denied(said),
            (302 | 303 | 307 | 308, "") => {
                Self::NoStorage(format!("it sends requests on to another address ({status})"))
            }
            (304 | 404 | 408 | 409 | 412 | 416 | 429, _) => return None,
            (405 | 501, _) => Self::NotOffered(said),
            // In this form the services answer that give out keys.
            (400..=499, "") if body.trim_start().starts_with('{') => Self::Denied(shown(body)),
            (400..=499, "") => Self::NoStorage(said),
            (400..=499, _) => Self::Denied(said),
            _ => return None,
        })
    }

    /// Makes it an error about one object.
    pub(super) fn at(&self, site: Site<'_>) -> RemoteError {
        let (remote, action, key) = (Arc::clone(site.remote), site.action, site.key.to_owned());
        let why = self.to_string();
        let next = match self {
            Self::Denied(_) => return RemoteError::Denied { remote, action, key, why },
            Self::Gone(why) => return site.gone(*why),
            Self::TooMany => return too_many(site),
            Self::NotOffered(what) => {
                return RemoteError::Unsupported { remote, action, key, why: what.clone() };
            }
            // Whoever wrote looks whether it is there all the same.
            Self::Silent(_) | Self::Unsure(_) => {
                return RemoteError::Unreachable { remote, action, key, why };
            }
            Self::NoBucket => {
                "make the bucket with the cloud's own tools, or correct the address in `haul.toml`"
            }
            Self::Expired => "sign in again with the cloud's own tools, then run the same command",
            Self::NoKeys => {
                "set the cloud's variables, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; \
                 for a public bucket set `anonymous = true` for the remote"
            }
            Self::NoProfile(_) => {
                "sign in with `aws sso login`, choose another profile by AWS_PROFILE, or set \
                 AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            }
            Self::NoToken(_) => {
                "sign in with the cloud's own tools, or correct the variables that name where its \
                 credentials are, then run the same command"
            }
            Self::Clock => "set the clock of this machine, then run the same command again",
            Self::Elsewhere(_) => "set `region` for the remote in `haul.toml`",
            Self::NoStorage(_) => "correct the address or the `endpoint` of the remote",
            Self::Unreached(_) => {
                "check the network and the address, then run the same command again; what was sent \
                 already is not sent twice"
            }
            Self::Stranger(_) => {
                "connect once with `ssh`, and accept the key of the host if it is the right one"
            }
            Self::Untrusted(_) => {
                "correct the address; for a server with a certificate of your own, name the file of \
                 its authority in SSL_CERT_FILE"
            }
        };
        let action = if matches!(self, Self::NoBucket) { Action::Open } else { action };
        RemoteError::Refused { remote, action, key, why, next }
    }
}

impl Site<'_> {
    /// Says that settings and variables do not fit together, before anything was asked.
    pub(super) fn misfit(self, error: &object_store::Error) -> RemoteError {
        if let Some(refusal) = Refusal::of(error) {
            return refusal.at(self);
        }
        let (remote, action, key) = (Arc::clone(self.remote), self.action, self.key.to_owned());
        let next = "correct the settings of the remote, or the cloud's variables that name keys";
        RemoteError::Refused { remote, action, key, why: shown(&error.to_string()), next }
    }
}

/// Finds the text of the first `<name>` in an answer.
fn element<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    Some(rest.split_once("</")?.0.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hint::Hint;

    fn body(code: &str) -> String {
        format!("<?xml?><Error><Code>{code}</Code><Message>m</Message><Region>eu</Region></Error>")
    }

    #[test]
    fn each_cause_has_its_own_message_and_next_step() {
        let remote: Arc<str> = "s3://b".into();
        let site = Site { remote: &remote, action: Action::List, key: "i" };
        let answers = [
            (404, "NoSuchBucket"),
            (403, "AccessDenied"),
            (400, "ExpiredToken"),
            (403, "RequestTimeTooSkewed"),
            (301, "PermanentRedirect"),
            (405, "MethodNotAllowed"),
            (400, ""),
            (302, ""),
        ];
        let mut texts = std::collections::BTreeSet::new();
        for (status, code) in answers {
            let error = Refusal::read(status, &body(code)).unwrap().at(site);
            assert!(error.to_string().contains("`s3://b`"), "{error}");
            assert!(texts.insert(error.to_string()), "{error}");
            assert!(error.hint().is_some(), "{error}");
        }
        assert!(texts.iter().any(|text| text.contains("`eu`")));
    }

    #[test]
    fn what_the_library_tries_again_or_understands_is_left_to_it() {
        for status in [404, 409, 412, 429, 500, 503] {
            assert_eq!(Refusal::read(status, &body("SlowDown")), None, "{status}");
        }
    }

    #[test]
    fn an_answer_is_shown_in_one_short_line() {
        let long = body(&format!("A\n\u{1b}[31m{}", "x".repeat(5000)));
        let Some(Refusal::Denied(said)) = Refusal::read(403, &long) else { panic!("is denied") };
        assert!(said.len() < 500 && !said.contains(['\n', '\u{1b}']), "{said:?}");
    }
}
