//! `registrar token create`, `list` and `revoke` next to a running server.

use registrar_tests::{Database, Setup, samples};

use super::{error_line, setup};

#[test]
fn created_token_works_until_revoked() {
    for database in Database::ALL {
        let Some(setup) = Setup::of(database) else { continue };
        let server = setup.serve();
        let first = server.client(&server.first_token());
        let created = setup.run(&["token", "create", "backend"]).success();
        let token = created.stdout.strip_suffix('\n').unwrap();
        assert!(token.len() == 53 && token.starts_with("reg_"), "{created:?}");
        assert_eq!(created.stderr, "");

        let client = server.client(token);
        client.get("/api/users").is(200);
        client.submit("client_sign_up", &samples::client("one")).created();
        let list = || setup.run(&["token", "list"]).success().stdout;
        assert_eq!(list(), "first\tactive\nbackend\tactive\n");
        let revoked = setup.run(&["token", "revoke", "backend"]).success();
        assert_eq!(revoked.stderr, "registrar: `backend` is revoked\n");
        let refused = client.submit("client_sign_up", &samples::client("two"));
        refused.rejected(401, "base", "invalid_token");
        client.get("/api/users").rejected(401, "base", "invalid_token");
        assert_eq!(list(), "first\tactive\nbackend\trevoked\n");
        first.get("/api/users").is(200);
    }
}

#[test]
fn first_start_creates_no_token_if_one_exists() {
    let setup = setup();
    let token = setup.run(&["token", "create", "mine"]).success().stdout;
    let server = setup.serve();
    server.client(token.trim_end()).get("/api/users").is(200);
    server.send_sigterm();
    assert_eq!(server.wait_for_exit().success().stdout, "");
}

#[test]
fn token_command_errors_are_reported() {
    let setup = setup();
    setup.run(&["token", "create", "mine"]).success();
    let refused = |arguments: &[&str]| error_line(&mut setup.command(arguments));
    let taken = refused(&["token", "create", "mine"]);
    assert_eq!(taken, "registrar: a token of this name exists already: choose another name");
    for name in ["", "a b", "a\tb", "é", &"x".repeat(65)] {
        let output = refused(&["token", "create", name]);
        assert!(output.starts_with("registrar: a token's name has 1 to 64 letters"), "{output}");
    }
    let unknown = refused(&["token", "revoke", "yours"]);
    assert_eq!(
        unknown,
        "registrar: there is no token `yours` to revoke: see `registrar token list`"
    );
    setup.run(&["token", "revoke", "mine"]).success();
    refused(&["token", "revoke", "mine"]);
    refused(&["token", "create", "mine"]);
    assert_eq!(setup.run(&["token", "list"]).success().stdout, "mine\trevoked\n");
}

#[test]
fn contract_token_is_printed_as_authorization_header() {
    let setup = setup();
    let created = |name: &str, flags: &[&str]| {
        let arguments = [&["token", "create", name, "--contract"], flags].concat();
        setup.run(&arguments).success().stdout
    };
    assert!(created("a", &["garmat"]).starts_with("reg_"));
    assert!(created("b", &["50skills", "--header"]).starts_with("Bearer reg_"));
    let header = created("c", &["user_com", "--header"]);
    assert!(header.starts_with("Token reg_"), "{header}");
    let server = setup.serve();
    let client = server.anonymous().with_authorization(header.trim_end());
    client.post("/user_com/api/public/users/", r#"{"email":"a@b.co"}"#).is(201);
    client.post("/user_com/api/public/users/", r#"{"email":"a"}"#).is(400);

    let unknown = error_line(&mut setup.command(&["token", "create", "d", "--contract", "garmt"]));
    assert_eq!(unknown, "registrar: there is no contract `garmt`: did you mean `garmat`?");
}

#[test]
fn read_only_commands_do_not_create_a_database() {
    let setup = setup();
    let missing = setup.folder().join("mistyped.db");
    let url = format!("sqlite:{}", missing.display());
    for arguments in [&["token", "list"][..], &["token", "revoke", "x"], &["user", "get", "1"]] {
        let reported = error_line(setup.bare_command(arguments).args(["--database-url", &url]));
        assert!(reported.starts_with("registrar: there is no database "), "{reported}");
        assert!(!missing.exists(), "{arguments:?}");
    }
}

#[test]
fn token_can_be_limited_to_scopes_forms_and_days() {
    let location = setup();
    let limited = [
        "token",
        "create",
        "app",
        "--may",
        "create,read",
        "--form",
        "client_sign_up",
        "--days",
        "30",
    ];
    location.run(&limited).success();
    let listed = location.run(&["token", "list"]).success().stdout;
    assert!(
        listed.starts_with("app\tactive\tmay create,read\tthrough client_sign_up\tuntil 20"),
        "{listed}"
    );
    let wrong = location.run(&["token", "create", "b", "--may", "everything"]).failure(2);
    assert!(wrong.stderr.contains("sessions"), "{}", wrong.stderr);
    location.run(&["token", "create", "c", "--days", "0"]).failure(2);
}
