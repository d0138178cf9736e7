//! `registrar serve` as operators run it: its second listener, its limits, secrets in files, and what
//! strangers can make it log.

use std::process::Command;
use std::time::Duration;

use registrar_tests::{Anonymous, Process, eventually};

use super::{refusal, setup};

/// The port in the line that tells of the second listener.
fn admin_port(server: &Process) -> u16 {
    eventually("the second listener is named", Duration::from_secs(10), || {
        let said = server.stderr();
        let line = said.lines().find(|line| line.contains("health and metrics on port"))?;
        line.split(' ').find_map(|word| word.parse().ok())
    })
}

#[test]
fn health_and_metrics_are_on_the_second_listener_alone() {
    let setup = setup();
    let mut command = setup.command(&["serve", "--admin-listen", "127.0.0.1:0"]);
    command.args(["--connections", "1", "--workers", "1"]);
    let server = Process::start(&mut command);
    let client = server.client(&server.first_token());
    let admin = Anonymous::new(&format!("http://127.0.0.1:{}", admin_port(&server)));
    for path in ["/health/live", "/health/ready", "/metrics"] {
        admin.get(path).is(200);
        client.get(path).fault(404, "base", "not_found");
    }
    for path in ["/api/users", "/openapi.json", "/scim/v2/Users"] {
        admin.with_token("x").get(path).fault(404, "base", "not_found");
    }
    admin.send("POST", "/health/live", &[], Some(b"")).fault(405, "base", "method_not_allowed");
    // While all connections of the others are in use, it answers.
    let held = server.connect();
    for _ in 0..3 {
        admin.get("/health/ready").is(200);
    }
    drop(held);
    server.terminate();
    server.finished().success();
}

#[test]
fn a_limit_of_open_files_is_raised_or_told() {
    let setup = setup();
    let with_limit = |limit: &str, connections: &str| {
        let plain = setup.command(&["serve", "--connections", connections]);
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit {limit} && exec \"$0\" \"$@\"")]);
        command.arg(plain.get_program()).args(plain.get_args()).current_dir(setup.folder());
        Process::start(&mut command)
    };
    let told = with_limit("-n 256", "1000");
    told.anonymous().get("/health/live").is(200);
    assert!(told.stderr().contains("the limit of open files is 256"), "{}", told.stderr());
    drop(told);
    let raised = with_limit("-Sn 256", "300");
    assert!(!raised.stderr().contains("open files"), "{}", raised.stderr());
    let connections: Vec<_> = (0..280).map(|_| raised.connect()).collect();
    raised.anonymous().get("/health/live").is(200);
    drop(connections);
}

#[test]
fn a_secret_may_be_in_a_file() {
    let setup = setup();
    let file = setup.folder().join("url");
    std::fs::write(&file, "sqlite:in_file.db\n").unwrap();
    let migrate = || setup.bare_command(&["migrate"]);
    let made = registrar_tests::finish(migrate().env("REGISTRAR_DATABASE_URL_FILE", &file));
    assert!(made.success().stderr.contains("in_file.db"));
    assert!(setup.folder().join("in_file.db").exists());
    let both = refusal(
        migrate()
            .env("REGISTRAR_DATABASE_URL_FILE", &file)
            .env("REGISTRAR_DATABASE_URL", "sqlite:x.db"),
    );
    assert!(both.contains("`database_url` and `database_url_file` are both given"), "{both}");
    let none = refusal(migrate().args(["--database-url-file", "no-such-file"]));
    assert!(none.contains("cannot read no-such-file"), "{none}");
    // A secret in the settings file does not stand beside it: the environment counts first.
    std::fs::write(setup.folder().join("registrar.yml"), "database_url: sqlite:x.db\n").unwrap();
    registrar_tests::finish(migrate().env("REGISTRAR_DATABASE_URL_FILE", &file)).success();
    assert!(!setup.folder().join("x.db").exists());
}

#[test]
fn strangers_cannot_fill_the_log() {
    let setup = setup();
    let server = Process::start(&mut setup.command(&["serve"]));
    for _ in 0..200 {
        let mut connection = server.connect();
        connection.send(b"no http at all\r\n\r\n");
        assert_eq!(connection.answer().status, 400);
    }
    let long = "M".repeat(9000);
    let mut connection = server.connect();
    connection.send(format!("{long} / HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    let status = connection.answer().status;
    assert!((400..500).contains(&status), "{status}");
    eventually("it is logged", Duration::from_secs(10), || {
        server.stderr().contains(&format!("status={status}")).then_some(())
    });
    let said = server.stderr();
    assert!(!said.contains("MMMM"), "{said}");
    let lines = said.lines().count();
    assert!(lines < 40, "{lines} lines: {said}");
}

#[test]
fn a_token_that_an_attribute_was_to_limit_is_not_made_without_it() {
    let setup = setup();
    let create = |attributes: &[&str]| {
        let mut command = setup.command(&["token", "create", "x", "--contract", "garmat"]);
        for attribute in attributes {
            command.args(["--attribute", attribute]);
        }
        command
    };
    let misspelled = refusal(&mut create(&["accountid=7"]));
    assert!(misspelled.contains("no attribute `accountid`: expected `account_id`"), "{misspelled}");
    for empty in [&["account_id="][..], &["account_id= "]] {
        let said = refusal(&mut create(empty));
        assert!(said.contains("`account_id` is missing or empty"), "{said}");
    }
    registrar_tests::finish(&mut create(&["account_id=7"])).success();
}
