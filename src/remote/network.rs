//! Opens services: the storage library with settings, with the variables that the clouds' own tools
//! read, and with our lines below it.

use std::sync::Arc;
use std::time::Duration;

use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ClientOptions, Error, ObjectStore, Result, RetryConfig};

use super::line::Lines;
#[cfg(feature = "s3")]
use super::refusal::Refusal;
use super::service::{Cloud, Service};
#[cfg(feature = "s3")]
use crate::fs::read_limited;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// How often a request is tried again.
const RETRIES: usize = 8;

/// Longest token that is looked at, in bytes.
#[cfg(feature = "s3")]
const MAX_TOKEN: u64 = 64 << 10;

/// How long after its beginning a request is tried again; signatures are valid for longer.
const RETRY_FOR: Duration = Duration::from_secs(280);

type Opened = Result<Arc<dyn ObjectStore>>;

/// Opens a place in a service; nothing is asked of it.
pub(super) fn open(service: &Service, jobs: usize) -> Opened {
    let lines = Lines::new(jobs);
    let store = match service.cloud {
        Cloud::Sftp => return behind_ssh(service, jobs),
        Cloud::S3 => s3(service, lines)?,
        Cloud::Google => google(service, lines)?,
        Cloud::Azure => azure(service, lines)?,
        Cloud::Web => web(service, lines)?,
    };
    // Of a web server too: the library makes folders that are missing below the address it is given.
    let prefix = match service.cloud {
        Cloud::Web => Path::from_url_path(&service.prefix)?,
        Cloud::S3 | Cloud::Google | Cloud::Azure | Cloud::Sftp => {
            Path::from(service.prefix.as_str())
        }
    };
    if service.prefix.is_empty() {
        return Ok(store);
    }
    Ok(Arc::new(PrefixStore::new(store, prefix)))
}

/// Says which server a variable chose, and by which name, if the settings of the remote choose none.
pub(super) fn chosen_by_variable(service: &Service) -> Option<String> {
    if service.access.endpoint.is_some() {
        return None;
    }
    let (server, variable) = match service.cloud {
        Cloud::S3 => s3_endpoint()?,
        Cloud::Azure => azure_endpoint()?,
        Cloud::Google | Cloud::Web | Cloud::Sftp => return None,
    };
    // No more of it: a password may stand in front.
    let url = url::Url::parse(&server).ok()?;
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    let host = format!("{}{port}", url.host_str()?);
    Some(format!("at {host}, which {variable} names"))
}

#[cfg(feature = "s3")]
fn s3_endpoint() -> Option<(String, &'static str)> {
    use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey as Key};

    let builder = AmazonS3Builder::from_env();
    let of = |key, name| Some((builder.get_config_value(&key)?, name));
    let first = of(Key::S3Endpoint, "AWS_ENDPOINT_URL_S3");
    first.or_else(|| of(Key::Endpoint, "AWS_ENDPOINT_URL"))
}

#[cfg(not(feature = "s3"))]
fn s3_endpoint() -> Option<(String, &'static str)> {
    None
}

#[cfg(feature = "azure")]
fn azure_endpoint() -> Option<(String, &'static str)> {
    use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};

    let server = MicrosoftAzureBuilder::from_env().get_config_value(&AzureConfigKey::Endpoint)?;
    Some((server, "AZURE_STORAGE_ENDPOINT"))
}

#[cfg(not(feature = "azure"))]
fn azure_endpoint() -> Option<(String, &'static str)> {
    None
}

/// The library's own time limits are off: `line.rs` has better ones.
fn client(service: &Service) -> ClientOptions {
    ClientOptions::new()
        .with_timeout_disabled()
        .with_read_timeout_disabled()
        .with_connect_timeout(CONNECT)
        .with_allow_http(service.access.allow_http.unwrap_or(false))
}

fn retry() -> RetryConfig {
    RetryConfig { max_retries: RETRIES, retry_timeout: RETRY_FOR, ..RetryConfig::default() }
}

#[cfg(feature = "s3")]
fn s3(service: &Service, lines: Lines) -> Opened {
    use super::service::AwsTool;
    use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};

    let access = &service.access;
    let mut builder = AmazonS3Builder::from_env();
    let allow_http = builder
        .get_config_value(&AmazonS3ConfigKey::Client(object_store::ClientConfigKey::AllowHttp));
    let mut options = client(service);
    if access.allow_http.is_none() && allow_http.as_deref() == Some("true") {
        options = options.with_allow_http(true);
    }
    builder = builder
        .with_bucket_name(&service.bucket)
        .with_client_options(options)
        .with_retry(retry())
        .with_http_connector(lines)
        // Not every server knows the request that removes many, and it must not be repeated.
        .with_disable_bulk_delete(true);
    if let Some(endpoint) = &access.endpoint {
        builder = builder.with_config(AmazonS3ConfigKey::S3Endpoint, endpoint.as_str());
    }
    if let Some(region) = &access.region {
        builder = builder.with_region(region);
    }
    if access.path_style == Some(false) {
        builder = builder.with_virtual_hosted_style_request(true);
        // Of the setting, or of a variable.
        let endpoint = builder.get_config_value(&AmazonS3ConfigKey::S3Endpoint);
        let endpoint = endpoint.or_else(|| builder.get_config_value(&AmazonS3ConfigKey::Endpoint));
        if let Some((scheme, host)) = endpoint.as_ref().and_then(|e| e.split_once("://")) {
            let host = format!("{scheme}://{}.{host}", service.bucket);
            builder = builder.with_config(AmazonS3ConfigKey::S3Endpoint, host);
        }
    }
    if let Some(anonymous) = access.anonymous {
        builder = builder.with_skip_signature(anonymous);
    }
    sound_token(&builder)?;
    // A profile that is named for the remote goes before variables, as they may be there for others.
    let named = |tool: &AwsTool| tool.profile.is_some();
    if let Some(tool) = access.aws_tool.clone().filter(|tool| named(tool) || !has_keys(&builder)) {
        builder = builder.with_credentials(Arc::new(super::aws_tool::Profile::new(tool)));
    }
    Ok(Arc::new(builder.build()?))
}

/// Requires that the token of a container can be sent: the library takes that for granted, and ends the
/// program where it is not so.
#[cfg(feature = "s3")]
fn sound_token(builder: &object_store::aws::AmazonS3Builder) -> Result<()> {
    use object_store::aws::AmazonS3ConfigKey as Key;

    let Some(file) = builder.get_config_value(&Key::ContainerAuthorizationTokenFile) else {
        return Ok(());
    };
    let token = read_limited(std::path::Path::new(&file), MAX_TOKEN).ok().flatten();
    let odd = |byte: &u8| byte.is_ascii_control();
    if token.is_some_and(|token| token.iter().any(odd)) {
        let why = format!("the token in `{file}` holds a line end, or another control character");
        return Err(Error::Generic { store: "S3", source: Box::new(Refusal::NoToken(why)) });
    }
    Ok(())
}

/// Says whether variables tell where keys come from.
#[cfg(feature = "s3")]
fn has_keys(builder: &object_store::aws::AmazonS3Builder) -> bool {
    use object_store::aws::AmazonS3ConfigKey as Key;

    let told = [
        Key::AccessKeyId,
        Key::WebIdentityTokenFile,
        Key::ContainerCredentialsRelativeUri,
        Key::ContainerCredentialsFullUri,
    ];
    told.iter().any(|key| builder.get_config_value(key).is_some())
}

#[cfg(feature = "gcs")]
fn google(service: &Service, lines: Lines) -> Opened {
    use object_store::gcp::GoogleCloudStorageBuilder;

    let access = &service.access;
    let mut builder = GoogleCloudStorageBuilder::from_env()
        .with_bucket_name(&service.bucket)
        .with_client_options(client(service))
        .with_retry(retry())
        .with_http_connector(lines);
    if let Some(endpoint) = &access.endpoint {
        builder = builder.with_base_url(endpoint);
    }
    if let Some(anonymous) = access.anonymous {
        builder = builder.with_skip_signature(anonymous);
    }
    Ok(Arc::new(builder.build()?))
}

#[cfg(feature = "azure")]
fn azure(service: &Service, lines: Lines) -> Opened {
    use object_store::azure::MicrosoftAzureBuilder;

    let access = &service.access;
    let mut builder = MicrosoftAzureBuilder::from_env()
        .with_container_name(&service.bucket)
        .with_client_options(client(service))
        .with_retry(retry())
        .with_http_connector(lines);
    if let Some(account) = &access.account {
        builder = builder.with_account(account);
    }
    if let Some(endpoint) = &access.endpoint {
        builder = builder.with_endpoint(endpoint.clone());
    }
    if let Some(anonymous) = access.anonymous {
        builder = builder.with_skip_signature(anonymous);
    }
    Ok(Arc::new(builder.build()?))
}

#[cfg(feature = "http")]
fn web(service: &Service, lines: Lines) -> Opened {
    use base64::Engine as _;
    use object_store::http::HttpBuilder;
    use object_store::{HeaderMap, HeaderValue};

    let access = &service.access;
    let mut options = client(service);
    if let Some(user) = &access.user {
        let password = access.password.as_ref().map_or("", |secret| secret.0.as_str());
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        let mut value = HeaderValue::try_from(format!("Basic {pair}"))
            .map_err(|e| Error::Generic { store: "HTTP", source: Box::new(e) })?;
        value.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert("authorization", value);
        options = options.with_default_headers(headers);
    }
    let builder = HttpBuilder::new()
        .with_url(&service.bucket)
        .with_client_options(options)
        .with_retry(retry())
        .with_http_connector(lines.of_web());
    Ok(Arc::new(builder.build()?))
}

/// Never reached: an address of a kind that is not built in is refused when it is read.
#[cfg(not(all(
    feature = "s3",
    feature = "gcs",
    feature = "azure",
    feature = "http",
    feature = "sftp"
)))]
fn not_built() -> Opened {
    let (operation, implementer) = ("this kind of storage".into(), "this build".into());
    Err(Error::NotImplemented { operation, implementer })
}

#[cfg(feature = "sftp")]
#[expect(clippy::unnecessary_wraps, reason = "the others can fail")]
fn behind_ssh(service: &Service, jobs: usize) -> Opened {
    Ok(Arc::new(super::sftp::open(service, jobs)))
}

#[cfg(not(feature = "sftp"))]
fn behind_ssh(_: &Service, _: usize) -> Opened {
    not_built()
}

#[cfg(not(feature = "s3"))]
fn s3(_: &Service, _: Lines) -> Opened {
    not_built()
}

#[cfg(not(feature = "gcs"))]
fn google(_: &Service, _: Lines) -> Opened {
    not_built()
}

#[cfg(not(feature = "azure"))]
fn azure(_: &Service, _: Lines) -> Opened {
    not_built()
}

#[cfg(not(feature = "http"))]
fn web(_: &Service, _: Lines) -> Opened {
    not_built()
}
