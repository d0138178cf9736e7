//! pgbouncer between Registrar and PostgreSQL, in transaction pooling mode.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use registrar_tests::{
    PgBouncer, Process, Setup, TestServer, eventually, print_notice, samples, scratch,
};
use serde_json::json;

/// Runs a test behind a pgbouncer with few connections.
fn run_behind_pgbouncer(is_prepared: bool, tracks_statements: bool, run: impl FnOnce(&Setup)) {
    let Some(cluster) = scratch() else { return };
    let more = match (PgBouncer::supports_prepared_statements(), tracks_statements) {
        (true, true) => "max_prepared_statements = 50",
        (true, false) => "max_prepared_statements = 0",
        (false, _) => "",
    };
    let Some(pooler) = PgBouncer::start(&cluster, 3, more) else { return };
    let url = pooler.url(&cluster.database());
    run(&Setup::at(url).with(|settings| {
        settings.prepared_statements = is_prepared;
        settings.readers = 6;
    }));
}

#[test]
fn all_operations_work_behind_pgbouncer_in_transaction_mode() {
    run_behind_pgbouncer(false, false, assert_operations_work);
}

#[test]
fn prepared_statements_work_behind_pgbouncer_that_tracks_them() {
    if PgBouncer::supports_prepared_statements() {
        run_behind_pgbouncer(true, true, assert_operations_work);
    } else {
        print_notice("PGBOUNCER IS OLDER THAN 1.21: prepared statements are NOT TESTED.");
    }
}

fn assert_operations_work(setup: &Setup) {
    let copy = Setup::at(setup.settings.database_url.clone());
    let server = TestServer::start(copy.with(|settings| *settings = setup.settings.clone()));
    let created: BTreeSet<String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let server = &server;
                scope.spawn(move || {
                    let create = |n: u32| {
                        let sample = samples::seller(&format!("t{thread}n{n}"));
                        let made = server.client().submit("marketplace_seller", &sample);
                        server.client().get("/api/users?per_page=5").is(200);
                        made.is(201).json()["id"].to_string()
                    };
                    (0..15).map(create).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(created.len(), 8 * 15);
    assert_eq!(server.client().count(), 8 * 15);
    let taken = server.client().submit("marketplace_seller", &samples::seller("t0n0"));
    assert_eq!(taken.is(422).json()["details"][0]["code"], "taken");
    let form = json!({ "first_name": "Other" });
    server.client().update(1, "reference_rest_api_update_user", &form).is(204);
    server.client().send("DELETE", "/api/users/1", &[], None).is(204);
    server.anonymous().get("/health/ready").is(200);
}

#[test]
fn session_state_does_not_leak_through_pgbouncer() {
    run_behind_pgbouncer(false, false, |setup| {
        let server =
            Process::start(&mut setup.command(&["serve", "--prepared-statements", "false"]));
        let client = server.client(&server.first_token());
        client.submit("client_sign_up", &samples::client("ann")).created();
        client.get("/api/users").is(200);
        // Other clients of pgbouncer, one after the other on all of its connections.
        for _ in 0..6 {
            let ours = "pg_settings WHERE setting NOT IN ('off', '0') AND name IN \
                        ('default_transaction_read_only', 'lock_timeout')";
            assert_eq!(setup.database().count(ours), 0);
            assert_eq!(setup.database().count("pg_prepared_statements"), 0);
        }
    });
}

#[test]
fn unsupported_prepared_statements_are_logged_with_a_hint() {
    run_behind_pgbouncer(true, false, |setup| {
        let mut command = setup.command(&["serve", "--prepared-statements", "true"]);
        command.env("RUST_LOG", "info");
        let server = Process::start(&mut command);
        let nobody = "reg_fgwkhIekfNiclXkGV8ObcNiNVJaPkaioE02dFhd9xfk0sVANu";
        let client = server.client(nobody);
        for _ in 0..30 {
            // Any response is acceptable, and none if the server has stopped.
            let _ = client.try_send("GET", "/api/users", &[], None);
            let _ = client.try_send("GET", "/health/ready", &[], None);
            thread::sleep(Duration::from_millis(50));
        }
        let output = server.stderr();
        assert!(output.contains("prepared_statements: false"), "{output}");
        assert!(output.lines().count() < 100, "{} lines: {output}", output.lines().count());
    });
}

#[test]
fn unavailable_pgbouncer_is_retried_until_it_returns() {
    let Some(cluster) = scratch() else { return };
    // By default pgbouncer waits 15 seconds after a failed connection.
    let pooler = PgBouncer::start(&cluster, 3, "server_login_retry = 1");
    let Some(pooler) = pooler else { return };
    let url = pooler.url(&cluster.database());
    let setup = Setup::at(url).with(|settings| settings.prepared_statements = false);
    let server = TestServer::start(setup);
    server.anonymous().get("/health/ready").is(200);
    cluster.kill();
    eventually("readiness fails", Duration::from_secs(5), || {
        (server.anonymous().get("/health/ready").status == 503).then_some(())
    });
    cluster.restart();
    eventually("the server is ready again", Duration::from_secs(10), || {
        (server.anonymous().get("/health/ready").status == 200).then_some(())
    });
    server.client().submit("client_sign_up", &samples::client("ann")).created();
}
