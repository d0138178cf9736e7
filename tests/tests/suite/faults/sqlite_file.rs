//! The SQLite file while it is served: removed, replaced, absent at start; and the size of the WAL
//! during a long read.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use registrar_tests::{Database, Metrics, Setup, TestResponse, TestServer, eventually, samples};

/// Starts a server and returns the path of its database.
fn start_server() -> (TestServer, PathBuf) {
    let server = TestServer::start(Setup::of(Database::Sqlite).unwrap());
    let url = server.setup().settings.database_url.clone();
    (server, PathBuf::from(url.strip_prefix("sqlite:").unwrap()))
}

fn create(server: &TestServer, tag: &str) -> TestResponse {
    server.client().submit("client_sign_up", &samples::client(tag))
}

#[test]
fn removed_or_replaced_file_fails_readiness_until_restored() {
    let (server, path) = start_server();
    create(&server, "one").created();
    let aside = path.with_extension("aside");
    let replaced: [&dyn Fn(); 2] = [&|| {}, &|| fs::write(&path, "").unwrap()];
    for (number, replace) in replaced.into_iter().enumerate() {
        fs::rename(&path, &aside).unwrap();
        replace();
        let reported = server.anonymous().get("/health/ready");
        assert_eq!(reported.status, 503, "{reported:?}");
        assert!(reported.text.contains("removed or replaced"), "{reported:?}");
        // Tokens are cached for a second; after that, the look-up fails.
        create(&server, &format!("lost{number}")).rejected(503, "base", "unavailable");
        assert_eq!(server.client().get("/api/users").status, 503);
        assert_eq!(path.exists(), number == 1, "no new file is created");
        fs::rename(&aside, &path).unwrap();
        eventually("the server is ready again", Duration::from_secs(5), || {
            (server.anonymous().get("/health/ready").status == 200).then_some(())
        });
        create(&server, &format!("found{number}")).created();
    }
    assert_eq!(server.client().count(), 3);
    assert_eq!(server.database().count("users"), 3);
}

#[test]
fn missing_database_is_created_with_warning_or_refused() {
    for database in Database::ALL {
        let Some(setup) = Setup::of(database) else { continue };
        let refused = setup.run(&["serve", "--create-database", "false"]).failure(1);
        let expected =
            if database == Database::Sqlite { "there is no database" } else { "is empty" };
        assert!(refused.stderr.contains(expected), "{refused:?}");
        let server = setup.serve();
        let output = server.stderr();
        assert!(server.first_token().starts_with("reg_"));
        assert!(server.stderr().contains("NEW database"), "{output}");
        drop(server);
        let again = ["serve", "--create-database", "false"];
        let server = registrar_tests::Process::start(&mut setup.command(&again));
        server.anonymous().get("/health/ready").is(200);
        assert!(!server.stderr().contains("NEW database"));
    }
}

#[test]
fn wal_is_truncated_after_long_read() {
    let (server, path) = start_server();
    let size = || {
        let bytes = Metrics::of(server.anonymous()).value("registrar_sqlite_wal_bytes", &[]);
        let file = path.with_file_name("registrar.db-wal");
        assert_eq!(bytes as u64, fs::metadata(file).unwrap().len());
        bytes / 1024.0 / 1024.0
    };
    create(&server, "first").created();
    let fill = |rows: u32| {
        // Larger rows than users, to fill the WAL faster.
        server.database().execute(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) \
             INSERT INTO audit_events (created_at, action, kind, record_id, form_name) \
             SELECT 0, 'create', 'user', i, hex(zeroblob(1000)) FROM n"
        ));
    };
    server.database().with_read_transaction(|| {
        for _ in 0..6 {
            fill(5000);
        }
        create(&server, "meanwhile").created();
        assert!(size() > 40.0, "{}", size());
    });
    for n in 0..3 {
        create(&server, &format!("after{n}")).created();
        fill(1500);
    }
    create(&server, "last").created();
    assert!(size() <= 33.0, "{}", size());
}
