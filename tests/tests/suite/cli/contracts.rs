//! `registrar contract`: summaries of contracts, and replay of recorded exchanges.

use registrar_tests::{
    Database, ProcessOutput, Setup, TempDir, TestServer, repository_path, run_command,
};

use super::{error_line, setup};

#[test]
fn contract_check_prints_routes_and_outcomes() {
    let forms = repository_path("forms");
    let check = |more: &[&str]| {
        let (setup, mut arguments) = (setup(), vec!["contract", "check"]);
        arguments.extend(more);
        run_command(setup.bare_command(&arguments).arg("--forms").arg(&forms))
    };
    let garmat = check(&["garmat"]).success().stdout;
    let lines: Vec<&str> = garmat.lines().collect();
    assert_eq!(
        lines[..4],
        [
            "garmat: Users of Garmat's customers.",
            "  reached at /garmat, localhost:4000",
            "  POST   /api/authenticate: issue_token user; token_issued, refused",
            "  POST   /api/users: create user by the form garmat; created, invalid",
        ]
    );
    let two = check(&["user_com_2"]).success().stdout;
    assert!(two.contains("\n  reached at /user_com, *.user.com\n  for `Accept: …; version=2`\n"));
    assert!(
        two.contains("/api/public/users/search[/]?phone_number=…: list user; listed, not_found\n")
    );
    let all = check(&[]).success().stdout;
    for name in ["50skills", "econtext", "garmat", "platformos", "scim", "user_com", "user_com_2"] {
        assert!(all.lines().any(|line| line.starts_with(&format!("{name}: "))), "{name}");
    }
    assert!(all.contains("create transactable by the form named in `form_configuration_name`;"));
    let unknown = check(&["garmatt"]).failure(1);
    assert_eq!(
        unknown.stderr,
        "registrar: there is no contract `garmatt`: did you mean `garmat`?\n"
    );
}

#[test]
fn contract_check_reports_problems_like_check() {
    let setup = setup().forms(&[("contracts/c.yml", "mount: /c\nform: nothing\n")]);
    let reported = |arguments: &[&str]| {
        run_command(setup.bare_command(arguments).arg("--forms").arg(&setup.settings.forms[0]))
            .failure(1)
    };
    let (one, other) =
        (reported(&["contract", "check"]), reported(&["check", "--format", "short"]));
    assert!(!one.stdout.is_empty());
    assert_eq!((one.stdout, one.stderr), (other.stdout, other.stderr));
}

/// Replays recorded lines against a server.
fn replay(server: &TestServer, lines: &str, more: &[&str]) -> ProcessOutput {
    let folder = TempDir::of(&[("lines.jsonl", lines)]);
    let mut command = server.setup().bare_command(&["contract", "replay", "user_com"]);
    command.current_dir(folder.path()).args(["lines.jsonl", "--url", &server.url()]).args(more);
    run_command(command.arg("--forms").arg(repository_path("forms")))
}

#[test]
fn contract_replay_prints_differences() {
    let server = TestServer::start(Setup::of(Database::Sqlite).unwrap());
    let credential = server.new_authorization("user_com", "replay", &[]);
    let lines = r#"{"name":"as it is","request":{"method":"GET","path":"/nowhere"},"answer":{"status":404}}
{"request":{"method":"GET","path":"/api/public/users/7/","headers":{"Authorization":"{{credential}}"}},"answer":{"status":200,"headers":{"content-type":"text/plain","Allow":"","X-Api":"1"},"body":"{\"detail\":\"not found.\"}"}}

{"name":"a key is masked","request":{"method":"GET","path":"/api/public/users/7/","headers":{"Authorization":"{{credential}}"}},"answer":{"status":404,"body":"{\"detail\":\"x\"}"},"mask":["detail"],"capture":{"id":"/id"}}
"#;
    let reported = replay(&server, lines, &["--credential", &credential]).failure(1);
    assert_eq!(
        reported.stdout,
        r#"lines.jsonl:2: GET /api/public/users/7/
  status: recorded 200, answered 404
  X-Api: recorded 1, answered nothing
  content-type: recorded text/plain, answered application/json
  body at character 12
    recorded {"detail":"not found."}
    answered {"detail":"Not found."}
lines.jsonl:4: a key is masked
  nothing to capture at /id
1 of 3 answers match
"#
    );
    let masked = replay(&server, lines, &["--mask", "detail", "--credential", &credential]);
    assert!(!masked.failure(1).stdout.contains("body at"));
}

#[test]
fn contract_replay_reports_invalid_lines_by_number() {
    let server = TestServer::start(Setup::of(Database::Sqlite).unwrap());
    let reported = |lines: &str| replay(&server, lines, &[]).failure(1).stderr;
    let request = |path: &str, header: &str| {
        format!(
            "\n{{\"request\":{{\"method\":\"GET\",\"path\":\"{path}\",\"headers\":{{\"x\":\"{header}\"}}}},\"answer\":{{\"status\":404}}}}"
        )
    };
    let start = "registrar: lines.jsonl:2: ";
    assert_eq!(
        reported(&request("/", "{{credential}}")),
        format!("{start}a credential is needed: use `--credential`\n")
    );
    assert_eq!(
        reported(&request("/{{id}}", "x")),
        format!("{start}no earlier exchange captured `id`\n")
    );
    assert!(
        reported(&request("/ /", "x")).starts_with(&format!("{start}the request is invalid: "))
    );
    assert_eq!(
        reported("\n{\"query\":1}"),
        format!(
            "{start}unknown field `query`, expected one of `name`, `request`, `answer`, `mask`, `capture` at column 8\n"
        )
    );
    let (setup, forms) = (setup(), repository_path("forms"));
    let mut command = setup.bare_command(&["contract", "replay", "scim", "nowhere.jsonl"]);
    command.args(["--url", "http://127.0.0.1:1"]).arg("--forms").arg(&forms);
    assert!(error_line(&mut command).starts_with("registrar: cannot read nowhere.jsonl: "));
    let mut command = setup.bare_command(&["contract", "replay", "scim"]);
    command.arg(repository_path("examples/contracts/scim.jsonl")).arg("--forms").arg(&forms);
    command.args(["--url", "http://127.0.0.1:1", "--credential", "x"]);
    let refused = error_line(&mut command);
    assert!(
        refused.contains("scim.jsonl:1: no response from http://127.0.0.1:1/scim: "),
        "{refused}"
    );
}
