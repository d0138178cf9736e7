//! The harness of the black-box suites: servers with a database of their own, clients, and what a
//! case says about answers. It knows the server by its settings and its HTTP, nothing inside it;
//! what the server promises stands in `tests/suite`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "this is the tests' own ground: to panic is to fail the test"
)]

mod answer;
mod client;
mod database;
mod folder;
mod length;
mod metrics;
mod process;
mod proxy;
mod random;
mod raw;
pub mod samples;
mod server;
mod setup;
mod wait;

pub use answer::Answer;
pub use client::{Anonymous, WithToken};
pub use database::{Database, Direct};
pub use folder::{Folder, repository};
pub use length::{LONG, is_long, times};
pub use metrics::Metrics;
pub use process::{Finished, Process, finish, registrar, registrar_with_tls};
pub use proxy::{Proxy, Upstream, Weather};
pub use random::Random;
pub use raw::Connection;
pub use registrar_scratch_postgres::{Cluster, Pooler, REQUIRE_TLS, TlsCluster, notice, scratch};
pub use server::TestServer;
pub use setup::Setup;
pub use wait::eventually;

/// Makes of each case `fn name(server: &TestServer)` two tests, `sqlite::name` and
/// `postgres::name`, each with a server and a database of its own. `name with setup` gives it
/// another server: `fn setup(setup: Setup) -> Setup`.
#[macro_export]
macro_rules! cases {
    ($($name:ident $(with $setup:ident)?),+ $(,)?) => {
        mod sqlite {
            $(
                #[test]
                fn $name() {
                    $crate::run($crate::Database::Sqlite, |it| it$(.with_all(super::$setup))?, super::$name);
                }
            )+
        }
        mod postgres {
            $(
                #[test]
                fn $name() {
                    $crate::run($crate::Database::Postgres, |it| it$(.with_all(super::$setup))?, super::$name);
                }
            )+
        }
    };
}

/// Runs one case; does nothing, after a loud notice, where its database is not installed.
pub fn run(database: Database, setup: impl FnOnce(Setup) -> Setup, case: impl FnOnce(&TestServer)) {
    if let Some(fresh) = Setup::of(database) {
        case(&TestServer::start(setup(fresh)));
    }
}
