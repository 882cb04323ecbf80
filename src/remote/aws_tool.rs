//! Credentials of a profile, from Amazon's own program: it knows single sign-on, roles and programs
//! that give keys, and keeps what it was told.

use std::io::ErrorKind;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AwsCredential;
use object_store::{CredentialProvider, Error, Result};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::refusal::Refusal;
use super::runtime::blocking;
use super::service::AwsTool;
use super::site::shown;

/// How long keys are used before the program is asked again: it gives out none that end earlier.
const FRESH: Duration = Duration::from_secs(5 * 60);

/// Keys as the program last gave them.
#[derive(Debug)]
pub(super) struct Profile {
    tool: AwsTool,
    last: Mutex<Option<(Instant, Arc<AwsCredential>)>>,
}

impl Profile {
    pub(super) fn new(tool: AwsTool) -> Self {
        Self { tool, last: Mutex::default() }
    }
}

/// What the program prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Exported {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
}

#[async_trait::async_trait]
impl CredentialProvider for Profile {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> Result<Arc<AwsCredential>> {
        let mut last = self.last.lock().await;
        if let Some((_, keys)) = last.as_ref().filter(|(since, _)| since.elapsed() < FRESH) {
            return Ok(Arc::clone(keys));
        }
        let tool = self.tool.clone();
        let exported = blocking(move || export(&tool)).await;
        let exported = exported.unwrap_or_else(|| Err("it ended early".to_owned()));
        let keys = exported.map_err(|why| Error::Generic {
            store: "S3",
            source: Box::new(Refusal::NoProfile(shown(&why))),
        })?;
        *last = Some((Instant::now(), Arc::clone(&keys)));
        Ok(keys)
    }
}

fn export(tool: &AwsTool) -> std::result::Result<Arc<AwsCredential>, String> {
    let mut command = Command::new("aws");
    command.args(["configure", "export-credentials", "--format", "process"]);
    if let Some(profile) = &tool.profile {
        // Joined, so that no name can be taken for another argument.
        command.arg(format!("--profile={profile}"));
    }
    if let Some(search) = &tool.search {
        command.env("PATH", search);
    }
    let output = command.stdin(Stdio::null()).output().map_err(|e| {
        let absent = e.kind() == ErrorKind::NotFound;
        if absent { "the program `aws` is not installed".to_owned() } else { e.to_string() }
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let line = said.lines().map(str::trim).find(|line| !line.is_empty());
        return Err(line.unwrap_or("it said nothing").to_owned());
    }
    // What it printed holds secrets, so an error does not quote it.
    let Exported { access_key_id, secret_access_key, session_token } =
        serde_json::from_slice(&output.stdout).map_err(|_| "it printed no keys".to_owned())?;
    let (key_id, secret_key, token) = (access_key_id, secret_access_key, session_token);
    Ok(Arc::new(AwsCredential { key_id, secret_key, token }))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A program that gives other keys each time: `1`, `2` and so on.
    #[expect(clippy::disallowed_methods, reason = "a test's own files need no durability")]
    fn counting_tool(folder: &std::path::Path) -> AwsTool {
        let (program, count) = (folder.join("aws"), folder.join("count"));
        let text = format!(
            "#!/bin/sh\nread n < '{count}'; n=$((n + 1)); echo $n > '{count}'\n\
             echo '{{\"AccessKeyId\":\"'$n'\",\"SecretAccessKey\":\"s\"}}'\n",
            count = count.display()
        );
        std::fs::write(&count, "0\n").unwrap();
        std::fs::write(&program, text).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        AwsTool { profile: None, search: Some(folder.into()) }
    }

    #[test]
    fn keys_are_asked_for_again_within_a_long_run_and_not_for_each_request() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::new(counting_tool(folder.path()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            tokio::time::pause();
            let mut given = Vec::new();
            for _ in 0..4 {
                given.push(profile.get_credential().await.unwrap().key_id.clone());
                tokio::time::advance(FRESH / 2).await;
            }
            assert_eq!(given, ["1", "1", "2", "2"]);
        });
    }
}
