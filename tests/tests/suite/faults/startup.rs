//! Concurrent first starts, and starts that are refused.

use std::thread;

use registrar_tests::{Database, Process, Setup, iterations, samples};

#[test]
fn concurrent_first_starts_on_one_database_both_serve() {
    for database in Database::ALL {
        for round in 0..iterations(3, 20) {
            let Some(setup) = Setup::of(database) else { continue };
            let servers: Vec<Process> = thread::scope(|scope| {
                let starts: Vec<_> = (0..2).map(|_| scope.spawn(|| setup.serve())).collect();
                starts.into_iter().map(|start| start.join().unwrap()).collect()
            });
            let shown: String = servers
                .into_iter()
                .zip(["ann", "bob"])
                .map(|(server, tag)| {
                    let ready = server.anonymous().get("/health/ready");
                    assert_eq!(ready.status, 200, "{database}, {round}: {ready:?}");
                    let token = setup.run(&["token", "create", tag]).success().stdout;
                    let client = server.client(token.trim());
                    client.submit("client_sign_up", &samples::client(tag)).created();
                    server.send_sigterm();
                    server.wait_for_exit().success().stdout
                })
                .collect();
            assert_eq!(shown.matches("This is the first start").count(), 1, "{shown}");
            assert_eq!(setup.database().count("users"), 2);
        }
    }
}

#[test]
fn database_with_newer_migrations_is_refused() {
    for database in Database::ALL {
        let Some(setup) = Setup::of(database) else { continue };
        setup.run(&["migrate"]).success();
        let insert = "INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')";
        setup.database().execute(insert);
        for arguments in [&["serve"][..], &["serve", "--migrate", "false"], &["migrate"]] {
            let finished = setup.run(arguments).failure(1);
            assert_eq!(
                finished.stderr,
                "registrar: the database has the migrations 9999, which this version of Registrar \
                 does not know: run the newer version\n"
            );
            assert_eq!(finished.stdout, "");
        }
    }
}
