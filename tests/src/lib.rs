//! Test harness for the black-box suite: servers with a database of their own, clients and
//! assertions on responses. It uses the server through its settings and HTTP only. The test cases
//! are in `tests/suite`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic fails the test")]

mod child_process;
mod client;
mod database;
mod iterations;
mod metrics;
mod proxy;
mod random;
mod raw_connection;
mod response;
pub mod samples;
mod server;
mod setup;
mod temp_dir;
mod wait;

pub use child_process::{
    Process, ProcessOutput, registrar_binary, registrar_binary_with_tls, run_command,
};
pub use client::{AnonymousClient, TokenClient};
pub use database::{Database, DirectDatabase};
pub use iterations::{FULL_LENGTH_ENV, is_full_length, iterations};
pub use metrics::Metrics;
pub use proxy::{NetworkCondition, Proxy, Upstream};
pub use random::Random;
pub use raw_connection::Connection;
pub use registrar_scratch_postgres::{
    Cluster, PgBouncer, REQUIRE_TLS, TlsCluster, print_notice, scratch,
};
pub use response::TestResponse;
pub use server::TestServer;
pub use setup::Setup;
pub use temp_dir::{TempDir, repository_path};
pub use wait::eventually;

/// Turns each case `fn name(server: &TestServer)` into two tests, `sqlite::name` and
/// `postgres::name`, each with its own server and database. `name with setup` configures the server
/// with `fn setup(setup: Setup) -> Setup`.
#[macro_export]
macro_rules! cases {
    ($($name:ident $(with $setup:ident)?),+ $(,)?) => {
        mod sqlite {
            $(
                #[test]
                fn $name() {
                    $crate::run($crate::Database::Sqlite, |it| it$(.transform(super::$setup))?, super::$name);
                }
            )+
        }
        mod postgres {
            $(
                #[test]
                fn $name() {
                    $crate::run($crate::Database::Postgres, |it| it$(.transform(super::$setup))?, super::$name);
                }
            )+
        }
    };
}

/// Runs one case. Prints a notice and skips it if its database is not installed.
pub fn run(database: Database, setup: impl FnOnce(Setup) -> Setup, case: impl FnOnce(&TestServer)) {
    if let Some(fresh) = Setup::of(database) {
        case(&TestServer::start(setup(fresh)));
    }
}
