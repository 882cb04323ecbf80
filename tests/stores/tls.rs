//! A server that proves who it is, by a certificate that only this run knows.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::harness::skipped;

/// A key, and the certificate that says it is that of 127.0.0.1.
pub(crate) struct Identity {
    certificate: PathBuf,
    key: PathBuf,
}

impl Identity {
    /// Makes one in a folder of its own; nothing where there is no `openssl`.
    pub(crate) fn make(folder: &Path) -> Option<Self> {
        std::fs::create_dir_all(folder).expect("makes a folder");
        let (certificate, key) = (folder.join("certificate"), folder.join("key"));
        let settings = folder.join("settings");
        let text = "[req]\nprompt=no\ndistinguished_name=name\nx509_extensions=more\n\
            [name]\nCN=test\n[more]\nbasicConstraints=critical,CA:FALSE\n\
            subjectAltName=IP:127.0.0.1\n";
        std::fs::write(&settings, text).expect("writes settings");
        let mut make = Command::new("openssl");
        make.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-config"]);
        make.arg(&settings).arg("-keyout").arg(&key).arg("-out").arg(&certificate);
        let Ok(made) = make.output() else {
            skipped("no `openssl` to make a certificate with: apt-get install openssl");
            return None;
        };
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Some(Self { certificate, key })
    }

    /// Returns the file of the certificate, which is its own authority.
    pub(crate) fn path(&self) -> &str {
        self.certificate.to_str().expect("is UTF-8")
    }

    /// Makes what turns a connection into a safe one.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let chain = CertificateDer::from_pem_file(&self.certificate).expect("is a certificate");
        let key = PrivateKeyDer::from_pem_file(&self.key).expect("is a key");
        let settings = ServerConfig::builder().with_no_client_auth();
        let settings = settings.with_single_cert(vec![chain], key).expect("go together");
        TlsAcceptor::from(Arc::new(settings))
    }
}
