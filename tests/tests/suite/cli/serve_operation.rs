//! `registrar serve` in operation: admin listener, limits, secrets in files, and logging.

use std::process::Command;
use std::time::Duration;

use registrar_tests::{AnonymousClient, Process, eventually};

use super::{error_line, setup};

/// Returns the port of the admin listener from the log.
fn admin_port(server: &Process) -> u16 {
    eventually("the admin listener is logged", Duration::from_secs(10), || {
        let output = server.stderr();
        let line = output.lines().find(|line| line.contains("health and metrics on port"))?;
        line.split(' ').find_map(|word| word.parse().ok())
    })
}

#[test]
fn admin_listener_serves_only_health_and_metrics() {
    let setup = setup();
    let mut command = setup.command(&["serve", "--admin-listen", "127.0.0.1:0"]);
    command.args(["--connections", "1", "--workers", "1"]);
    let server = Process::start(&mut command);
    let client = server.client(&server.first_token());
    let admin = AnonymousClient::new(&format!("http://127.0.0.1:{}", admin_port(&server)));
    for path in ["/health/live", "/health/ready", "/metrics"] {
        admin.get(path).is(200);
        client.get(path).rejected(404, "base", "not_found");
    }
    for path in ["/api/users", "/openapi.json", "/scim/v2/Users"] {
        admin.with_token("x").get(path).rejected(404, "base", "not_found");
    }
    admin.send("POST", "/health/live", &[], Some(b"")).rejected(405, "base", "method_not_allowed");
    // The admin listener responds while all connections of the main listener are in use.
    let held = server.connect();
    for _ in 0..3 {
        admin.get("/health/ready").is(200);
    }
    drop(held);
    server.send_sigterm();
    server.wait_for_exit().success();
}

#[test]
fn open_file_limit_is_raised_or_warned_about() {
    let setup = setup();
    let with_limit = |limit: &str, connections: &str| {
        let plain = setup.command(&["serve", "--connections", connections]);
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit {limit} && exec \"$0\" \"$@\"")]);
        command.arg(plain.get_program()).args(plain.get_args()).current_dir(setup.folder());
        Process::start(&mut command)
    };
    let reported = with_limit("-n 256", "1000");
    reported.anonymous().get("/health/live").is(200);
    assert!(reported.stderr().contains("the limit of open files is 256"), "{}", reported.stderr());
    drop(reported);
    let raised = with_limit("-Sn 256", "300");
    assert!(!raised.stderr().contains("open files"), "{}", raised.stderr());
    let connections: Vec<_> = (0..280).map(|_| raised.connect()).collect();
    raised.anonymous().get("/health/live").is(200);
    drop(connections);
}

#[test]
fn secret_setting_can_be_read_from_file() {
    let setup = setup();
    let file = setup.folder().join("url");
    std::fs::write(&file, "sqlite:in_file.db\n").unwrap();
    let migrate = || setup.bare_command(&["migrate"]);
    let made = registrar_tests::run_command(migrate().env("REGISTRAR_DATABASE_URL_FILE", &file));
    assert!(made.success().stderr.contains("in_file.db"));
    assert!(setup.folder().join("in_file.db").exists());
    let both = error_line(
        migrate()
            .env("REGISTRAR_DATABASE_URL_FILE", &file)
            .env("REGISTRAR_DATABASE_URL", "sqlite:x.db"),
    );
    assert!(both.contains("`database_url` and `database_url_file` are both given"), "{both}");
    let none = error_line(migrate().args(["--database-url-file", "no-such-file"]));
    assert!(none.contains("cannot read no-such-file"), "{none}");
    // A secret in the settings file does not conflict with one in the environment, which takes
    // precedence.
    std::fs::write(setup.folder().join("registrar.yml"), "database_url: sqlite:x.db\n").unwrap();
    registrar_tests::run_command(migrate().env("REGISTRAR_DATABASE_URL_FILE", &file)).success();
    assert!(!setup.folder().join("x.db").exists());
}

#[test]
fn malformed_requests_cannot_flood_the_log() {
    let setup = setup();
    let server = Process::start(&mut setup.command(&["serve"]));
    for _ in 0..200 {
        let mut connection = server.connect();
        connection.send(b"no http at all\r\n\r\n");
        assert_eq!(connection.read_response().status, 400);
    }
    let long = "M".repeat(9000);
    let mut connection = server.connect();
    connection.send(format!("{long} / HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    let status = connection.read_response().status;
    assert!((400..500).contains(&status), "{status}");
    eventually("the request is logged", Duration::from_secs(10), || {
        server.stderr().contains(&format!("status={status}")).then_some(())
    });
    let output = server.stderr();
    assert!(!output.contains("MMMM"), "{output}");
    let lines = output.lines().count();
    assert!(lines < 40, "{lines} lines: {output}");
}

#[test]
fn token_create_rejects_unknown_or_empty_attributes() {
    let setup = setup();
    let create = |attributes: &[&str]| {
        let mut command = setup.command(&["token", "create", "x", "--contract", "garmat"]);
        for attribute in attributes {
            command.args(["--attribute", attribute]);
        }
        command
    };
    let misspelled = error_line(&mut create(&["accountid=7"]));
    assert!(misspelled.contains("no attribute `accountid`: expected `account_id`"), "{misspelled}");
    for empty in [&["account_id="][..], &["account_id= "]] {
        let output = error_line(&mut create(empty));
        assert!(output.contains("`account_id` is missing or empty"), "{output}");
    }
    registrar_tests::run_command(&mut create(&["account_id=7"])).success();
}

#[test]
fn access_log_is_complete_after_sigterm() {
    const THREADS: usize = 4;
    const REQUESTS: usize = 250;
    let setup = setup();
    let server = setup.serve();
    let _ = server.first_token();
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let client = server.anonymous().clone();
            std::thread::spawn(move || {
                for _ in 0..REQUESTS {
                    client.get("/health/live").is(200);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    server.send_sigterm();
    let log = server.wait_for_exit().success().stderr;
    let is_line = |line: &&str| line.contains(" GET /health/live form=- status=200 ms=");
    assert_eq!(log.lines().filter(is_line).count(), THREADS * REQUESTS);
    assert!(log.ends_with("registrar: stopped; all accepted submissions are stored\n"), "{log}");
}
