//! A temporary server that requires TLS, with a certificate signed by its own authority.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, process};

use crate::{Cluster, Owner, fail, programs, start};

/// Environment variable: with the value `1`, the TLS tests run, which need another build of
/// Registrar, and are not skipped.
pub const REQUIRE_TLS: &str = "REGISTRAR_REQUIRE_TLS";

/// Host name in the server certificate.
const SERVER_NAME: &str = "db.example.test";

/// A running server that requires TLS on all TCP connections.
#[derive(Debug)]
pub struct TlsCluster {
    cluster: Cluster,
    address: String,
}

impl TlsCluster {
    /// Starts a server. Returns `None` if PostgreSQL or `openssl` is not installed.
    ///
    /// # Panics
    /// Panics if the server does not start.
    #[must_use]
    pub fn start() -> Option<Self> {
        let (initdb, postgres) = programs()?;
        Command::new("openssl").arg("version").stdout(Stdio::null()).status().ok()?;
        // A loopback address derived from the process id, unused by other servers.
        let id = process::id();
        let address = format!("127.83.{}.{}", id / 250 % 250, 1 + id % 250);
        let listen = address.clone();
        let cluster = start(&initdb, &postgres, |folder, owner| {
            certificates(folder, owner);
            fs::write(folder.join("hba"), "local all all trust\nhostssl all all all trust\n")
                .unwrap_or_else(|error| fail(&format!("cannot write a file: {error}")));
            let file = |name: &str| folder.join(name).display().to_string();
            [
                format!("listen_addresses={listen}"),
                "ssl=on".to_owned(),
                format!("ssl_cert_file={}", file("server.crt")),
                format!("ssl_key_file={}", file("server.key")),
                format!("hba_file={}", file("hba")),
            ]
            .into_iter()
            .flat_map(|setting| ["-c".to_owned(), setting])
            .collect()
        });
        Some(Self { cluster, address })
    }

    /// Returns the URL of a new database, with the host name of the certificate and additional
    /// parameters.
    #[must_use]
    pub fn url(&self, parameters: &str) -> String {
        let direct = self.cluster.database();
        let name = direct.rsplit_once('/').map_or("", |(_, name)| name);
        let (address, host) = (&self.address, SERVER_NAME);
        format!("postgres://postgres@{host}/{name}?hostaddr={address}&{parameters}")
    }

    /// Returns the certificate of the signing authority, and that of another authority.
    #[must_use]
    pub fn authorities(&self) -> (PathBuf, PathBuf) {
        (self.cluster.folder.join("ca.crt"), self.cluster.folder.join("other.crt"))
    }
}

/// Creates two authorities, and a server key with a certificate signed by the first.
fn certificates(folder: &Path, owner: Owner) {
    let openssl = |arguments: &[&str]| {
        let mut command = Command::new("openssl");
        if let Some((user, group)) = owner {
            command.gid(group).uid(user);
        }
        let made = command.args(arguments).current_dir(folder).output();
        let made = made.unwrap_or_else(|error| fail(&format!("cannot run openssl: {error}")));
        if !made.status.success() {
            fail(&format!("openssl failed: {}", String::from_utf8_lossy(&made.stderr)));
        }
    };
    let new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    for name in ["ca", "other"] {
        let (key, certificate) = (format!("{name}.key"), format!("{name}.crt"));
        let own = ["-subj", "/CN=scratch", "-days", "2", "-keyout", &key, "-out", &certificate];
        openssl(&[&new[..], &own].concat());
    }
    let subject = format!("/CN={SERVER_NAME}");
    let name = format!("subjectAltName=DNS:{SERVER_NAME}");
    openssl(
        &[
            &new[..],
            &[
                "-subj", &subject, "-addext", &name, "-days", "2", "-CA", "ca.crt", "-CAkey",
                "ca.key",
            ],
            &["-keyout", "server.key", "-out", "server.crt"],
        ]
        .concat(),
    );
}
