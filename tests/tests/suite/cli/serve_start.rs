//! `registrar serve`: the first start, and starts that fail.

use std::net::TcpListener;
use std::process::Command;

use registrar_tests::{Database, Setup, run_command};

use super::{error_line, setup};

#[test]
fn first_start_prints_working_curl_command() {
    for database in Database::ALL {
        let Some(setup) = Setup::of(database) else { continue };
        let server = setup.serve();
        let token = server.first_token();
        let printed = server.stdout();
        let line = &printed[printed.find("curl -i ").unwrap()..];
        let run = || run_command(Command::new("sh").args(["-c", line])).success().stdout;

        let first = run();
        assert!(first.starts_with("HTTP/1.1 201 Created\r\n"), "{first}");
        assert!(first.to_lowercase().contains("content-type: application/vnd.api+json\r\n"));
        assert!(first.ends_with("\r\n\r\n{\"id\":1,\"errors\":{}}"), "{first}");
        let again = run();
        assert!(again.starts_with("HTTP/1.1 422 Unprocessable Entity\r\n"), "{again}");
        let body = again.split_once("\r\n\r\n").unwrap().1;
        assert!(
            body.starts_with("{\"errors\":{\"email\":[\"has already been taken\"]},"),
            "{body}"
        );

        server.send_sigterm();
        server.wait_for_exit().success();
        let second = setup.serve();
        second.client(&token).get("/api/users/1").is(200);
        second.send_sigterm();
        assert_eq!(
            second.wait_for_exit().success().stdout,
            "",
            "{database}: it prints another token"
        );
    }
}

/// Starts a server with these forms, and returns it with its folders and its standard output.
fn first_start(forms: &[(&str, &str)]) -> (registrar_tests::Process, Setup, String) {
    let setup = setup().forms(forms);
    let server = setup.serve();
    let _ = server.first_token();
    let printed = server.stdout();
    (server, setup, printed)
}

/// Runs the curl command in an output.
fn run_printed_command(printed: &str) -> String {
    let line = &printed[printed.find("curl -i ").unwrap()..];
    run_command(Command::new("sh").args(["-c", line])).success().stdout
}

#[test]
fn printed_curl_command_uses_a_served_form() {
    let form = |name: &str| {
        format!(
            "resource: User\nfields:\n  email:\n  last_name: {{validation: {{inclusion: [\"O'{name} \\\"$HOME\\\"\"], presence: true}}}}\n"
        )
    };
    let privileged = "resource: User\nprivileged: true\nfields: {email: }\n";
    let forms = [("a.yml", privileged), ("b.yml", &*form("Brien")), ("c.yml", &*form("Hara"))];
    let (_server, _setup, printed) = first_start(&forms);
    assert!(printed.contains(r#"{"form_configuration_name": "b", "#), "{printed}");
    let answer = run_printed_command(&printed);
    assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");

    let preferred = [("b.yml", &*form("Brien")), ("sign_up.yml", &*form("Hara"))];
    let (_server, _setup, printed) = first_start(&preferred);
    assert!(printed.contains(r#"{"form_configuration_name": "sign_up", "#), "{printed}");
}

#[test]
fn first_start_without_form_for_users_says_what_to_do() {
    let session = "resource: Session\nfields: {email: {validation: {unique: false}}, password: }\n";
    let (_server, _setup, printed) = first_start(&[("sign_in.yml", session)]);
    assert!(printed.contains("No served form creates users: `registrar new form"), "{printed}");
    let answer = run_printed_command(&printed);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");

    let setup = setup().forms(&[]);
    let server = setup.serve();
    let _ = server.first_token();
    let output = server.stderr();
    let warning = output.lines().find(|line| line.contains("no form is served"));
    let warning = warning.unwrap_or_else(|| panic!("{output}"));
    assert!(warning.contains("`registrar new form sign_up`"), "{warning}");
}

#[test]
fn serve_is_the_default_command() {
    let setup = setup();
    let server = registrar_tests::Process::start(&mut setup.command(&[]));
    server.anonymous().get("/health/ready").is(200);
}

#[test]
fn port_in_use_is_reported() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut setup = setup();
    setup.settings.listen = address.clone();
    let refusal = error_line(setup.command(&["serve"]).env("RUST_LOG", "error"));
    assert!(refusal.starts_with(&format!("registrar: cannot listen on {address}: ")), "{refusal}");
}

#[test]
fn invalid_database_url_is_reported_without_password() {
    for (url, expected) in [
        (
            "mysql://host/db",
            "unknown database scheme `mysql`: expected `sqlite:PATH` or `postgres://USER@HOST/DATABASE`",
        ),
        ("registrar.db", "unknown database scheme ``"),
        ("sqlite:", "`sqlite:` needs the path of a file"),
        ("sqlite::memory:", "`sqlite:` needs the path of a file"),
        ("sqlite:/dev/null/x.db", "cannot create the database file /dev/null/x.db: "),
        (
            "postgres://ann:s3cret@127.0.0.1:1/db",
            "cannot open the database postgres://ann:***@127.0.0.1:1/db: ",
        ),
    ] {
        let mut setup = setup();
        setup.settings.database_url = url.to_owned();
        for command in ["serve", "migrate"] {
            let finished = setup.run(&[command]).failure(1);
            assert_eq!(finished.stdout, "");
            let output = finished.stderr;
            assert!(output.starts_with(&format!("registrar: {expected}")), "{url}: {output}");
            assert!(!output.contains("s3cret"), "{output}");
        }
    }
}

#[test]
fn serve_migrates_unless_disabled() {
    for database in Database::ALL {
        let Some(setup) = Setup::of(database) else { continue };
        let finished = setup.run(&["serve", "--migrate", "false"]).failure(1);
        for expected in [
            "registrar: the database lacks the migrations 0001_create_tables, ",
            ": run `registrar migrate`",
        ] {
            assert!(finished.stderr.contains(expected), "{}", finished.stderr);
        }
        let migrated = setup.run(&["migrate"]).success();
        assert!(migrated.stderr.trim_end().ends_with(" is up to date"), "{}", migrated.stderr);
        let again = setup.run(&["migrate"]).success();
        assert_eq!((migrated.stdout.as_str(), &again.stderr), ("", &migrated.stderr));
        let server =
            registrar_tests::Process::start(&mut setup.command(&["serve", "--migrate", "false"]));
        server.client(&server.first_token()).get("/api/users").is(200);
    }
}
