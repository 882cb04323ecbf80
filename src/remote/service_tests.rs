//! Which places addresses mean, and which are refused.

use super::service::*;

fn parse(address: &str, access: Access) -> Result<String, &'static str> {
    let scheme = address.split(':').next().unwrap();
    let cloud = Cloud::of(scheme, address).unwrap().unwrap();
    Service::parse(cloud, address, access).map(|service| service.text())
}

fn plain(address: &str) -> Result<String, &'static str> {
    parse(address, Access::default())
}

#[test]
fn one_place_has_one_text() {
    for same in ["s3://data/a/b", "s3a://data//a/b/"] {
        assert_eq!(plain(same).unwrap(), "s3://data/a/b");
    }
    assert_eq!(plain("gcs://data").unwrap(), "gs://data");
    assert_eq!(plain("azure://$web/x").unwrap(), "az://$web/x");
    assert!(plain("sftp://$HOME/x").is_err(), "a host is no variable");
    assert_eq!(plain("https://Example.ORG:443/x/").unwrap(), "https://example.org/x");
}

#[test]
fn the_server_is_part_of_the_text() {
    let endpoint = |url: &str| Access { endpoint: Some(url.into()), ..Access::default() };
    let text = parse("s3://data/a", endpoint("https://minio.example:9000/")).unwrap();
    assert_eq!(text, "s3://data/a?endpoint=https://minio.example:9000");
    assert!(parse("s3://data", endpoint("http://minio.example")).is_err(), "plain text");
    let allowed = Access { allow_http: Some(true), ..endpoint("http://minio.example") };
    assert!(parse("s3://data", allowed).is_ok());
    for odd in [
        "minio.example",
        "ftp://x",
        "https://",
        "https://u:p@x",
        "https://x/?a=b",
        "https://minio.example&token=.evil.test",
        "https://a=b",
    ] {
        assert!(parse("s3://data", endpoint(odd)).is_err(), "{odd}");
    }
    let text = parse("s3://data", endpoint("https://minio.example/a&token=b")).unwrap();
    assert_eq!(text, "s3://data?endpoint=https://minio.example/a%26token=b");
}

#[test]
fn what_becomes_part_of_a_host_holds_nothing_but_a_name() {
    let odd = ["", "x@evil.test/", "a.b", "a/b", "a#b", "a?b", "a:1", "a\\b", "ä", "%40"];
    let long = "x".repeat(64);
    for odd in odd.into_iter().chain([long.as_str()]) {
        let region = Access { region: Some(odd.into()), ..Access::default() };
        assert!(parse("s3://data", region).is_err(), "{odd}");
        let account = Access { account: Some(odd.into()), ..Access::default() };
        assert!(parse("az://data", account).is_err(), "{odd}");
    }
    let region = Access { region: Some("us-gov-west-1".into()), ..Access::default() };
    assert!(parse("s3://data", region).is_ok());
}

#[test]
fn settings_without_effect_are_refused() {
    let region = Access { region: Some("x".into()), ..Access::default() };
    assert!(parse("s3://data", region.clone()).is_ok());
    assert!(parse("gs://data", region).is_err());
    let account = Access { account: Some("x".into()), ..Access::default() };
    assert_eq!(parse("az://data", account.clone()).unwrap(), "az://data?account=x");
    assert!(parse("s3://data", account).is_err());
    let user = Access { user: Some("ann".into()), ..Access::default() };
    assert!(parse("https://x/y", user.clone()).is_ok());
    assert!(parse("s3://data", user).is_err());
}

#[test]
fn addresses_that_name_no_bucket_are_refused() {
    for odd in
        ["s3://", "s3:///x", "s3://-x", "s3://a b", "s3://a/../b", "s3://a/%41", "s3://a?x=y"]
    {
        assert!(plain(odd).is_err(), "{odd}");
    }
    for odd in ["http://x/y", "https://ann@x/y", "https://x/?y", "https:///y"] {
        assert!(plain(odd).is_err(), "{odd}");
    }
}

#[cfg(feature = "sftp")]
#[test]
fn a_folder_behind_ssh_has_a_host_and_a_path_and_nothing_that_ssh_could_take_for_an_option() {
    assert_eq!(plain("sftp://h//srv/data/").unwrap(), "sftp://h/srv/data");
    assert_eq!(plain("sftp://h:0022/~/data").unwrap(), "sftp://h:22/~/data");
    for odd in [
        "sftp://-oProxyCommand=x/y",
        "sftp://ann@h/y",
        "sftp://h/y?a=b",
        "sftp://h",
        "sftp://h:x/y",
        "sftp://h:0/y",
        "sftp:///y",
        "sftp://h/../y",
        "sftp://h y/z",
    ] {
        assert!(plain(odd).is_err(), "{odd}");
    }
    let user = |name: &str| Access { user: Some(name.into()), ..Access::default() };
    assert!(parse("sftp://h/y", user("ann")).is_ok());
    for odd in ["", "-l", "a b", "a;b"] {
        assert!(parse("sftp://h/y", user(odd)).is_err(), "{odd}");
    }
}

#[test]
fn a_password_is_not_shown() {
    let access = Access { password: Some(Secret("hunter2".into())), ..Access::default() };
    assert!(!format!("{access:?}").contains("hunter2"));
}
