//! Retries after transient PostgreSQL errors: up to three, invisible to the client if one succeeds.

use std::thread;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use registrar_tests::{Database, Setup, TestServer, eventually, samples};

fn postgres() -> Option<TestServer> {
    let setup = Setup::of(Database::Postgres)?;
    Some(TestServer::start(setup.with(|settings| settings.writers = 1)))
}

/// Makes the first `most` attempts to insert a user fail. The sequence `attempts` counts them,
/// since it is not rolled back.
fn fail_attempts(server: &TestServer, most: i64, sqlstate: &str) {
    let direct = server.database();
    direct.execute("CREATE SEQUENCE attempts");
    direct.execute(&format!(
        "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         IF nextval('attempts') <= {most} THEN RAISE EXCEPTION 'no' USING ERRCODE = '{sqlstate}'; \
         END IF; RETURN NEW; END $$"
    ));
    direct.execute(
        "CREATE TRIGGER fails BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION fails()",
    );
}

fn attempts(server: &TestServer) -> i64 {
    server.database().count("generate_series(1, (SELECT last_value FROM attempts))")
}

#[test]
fn serialization_failure_is_retried_three_times() {
    let Some(server) = postgres() else { return };
    fail_attempts(&server, 3, "40001");
    server.client().submit("client_sign_up", &samples::client("ann")).created();
    assert_eq!((attempts(&server), server.client().count()), (4, 1));
}

#[test]
fn exhausted_retries_get_503_busy() {
    let Some(server) = postgres() else { return };
    fail_attempts(&server, 4, "40001");
    let busy = server.client().submit("client_sign_up", &samples::client("ann"));
    busy.rejected(503, "base", "busy");
    assert_eq!((attempts(&server), server.client().count()), (4, 0));
    server.client().submit("client_sign_up", &samples::client("ann")).created();
}

#[test]
fn non_transient_error_is_not_retried() {
    let Some(server) = postgres() else { return };
    fail_attempts(&server, 1, "22000");
    let failed = server.client().submit("client_sign_up", &samples::client("ann"));
    failed.rejected(500, "base", "internal");
    assert_eq!((attempts(&server), server.client().count()), (1, 0));
}

#[test]
fn deadlock_is_retried() {
    let Some(server) = postgres() else { return };
    let direct = server.database();
    direct.execute("CREATE SEQUENCE attempts");
    direct.execute(
        "CREATE FUNCTION waits() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         PERFORM nextval('attempts'); PERFORM pg_advisory_xact_lock(7); RETURN NEW; END $$",
    );
    direct.execute(
        "CREATE TRIGGER waits BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION waits()",
    );
    let waits = |what: &str| format!("pg_locks WHERE NOT granted AND locktype = '{what}'");
    let url = &server.setup().settings.database_url;
    let mut other = PgConnection::establish(url).unwrap();
    other
        .batch_execute("SET deadlock_timeout = '30s'; BEGIN; SELECT pg_advisory_xact_lock(7)")
        .unwrap();
    let response = thread::scope(|scope| {
        let client =
            scope.spawn(|| server.client().submit("client_sign_up", &samples::client("ann")));
        eventually("the server waits for the lock", Duration::from_secs(5), || {
            (direct.count(&waits("advisory")) == 1).then_some(())
        });
        // The other session now waits for the server, which detects the deadlock because its
        // time-out is shorter.
        let started = Instant::now();
        other.batch_execute("LOCK TABLE unique_claims IN EXCLUSIVE MODE").unwrap();
        assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
        other.batch_execute("COMMIT").unwrap();
        client.join().unwrap()
    });
    response.created();
    assert_eq!((attempts(&server), server.client().count()), (2, 1));
}
