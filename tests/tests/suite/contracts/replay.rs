//! Replays every recorded exchange in `examples/contracts` with `registrar contract replay`.

use registrar_tests::{TestServer, cases, repository_path, run_command};

const FILES: [&str; 6] = ["50skills", "econtext", "garmat", "platformos", "scim", "user_com"];

cases! {
    recorded_fifty_skills_exchanges_match,
    recorded_econtext_exchanges_match,
    recorded_garmat_exchanges_match,
    recorded_platformos_exchanges_match,
    recorded_scim_exchanges_match,
    recorded_user_com_exchanges_match,
}

#[test]
fn every_recording_has_a_replay_test() {
    let files = std::fs::read_dir(repository_path("examples/contracts")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        names.filter_map(|name| Some(name.strip_suffix(".jsonl")?.to_owned())).collect();
    names.sort();
    assert_eq!(names, FILES);
}

fn replay(server: &TestServer, contract: &str, credential: &str) {
    let file = repository_path(&format!("examples/contracts/{contract}.jsonl"));
    let lines = std::fs::read_to_string(&file).unwrap().lines().count();
    let mut command = server.setup().bare_command(&["contract", "replay", contract]);
    command.arg(&file).args(["--url", &server.url(), "--credential", credential]);
    let output = run_command(command.arg("--forms").arg(repository_path("forms"))).success().stdout;
    assert_eq!(output, format!("{lines} of {lines} answers match\n"));
}

/// Creates a credential and returns it without its scheme.
fn credential(
    server: &TestServer,
    contract: &str,
    name: &str,
    attributes: &[(&str, &str)],
) -> String {
    server.new_authorization(contract, name, attributes).split_once(' ').unwrap().1.to_owned()
}

fn recorded_fifty_skills_exchanges_match(server: &TestServer) {
    replay(server, "50skills", &credential(server, "50skills", "replay", &[]));
}

fn recorded_econtext_exchanges_match(server: &TestServer) {
    replay(server, "econtext", &credential(server, "econtext", "ops@info.com", &[]));
}

fn recorded_garmat_exchanges_match(server: &TestServer) {
    let account = [("account_id", "293f191b-f2e6-4dde-bcab-00b10fdb8cf4")];
    replay(server, "garmat", &credential(server, "garmat", "replay", &account));
}

fn recorded_platformos_exchanges_match(server: &TestServer) {
    replay(server, "platformos", server.token());
}

fn recorded_scim_exchanges_match(server: &TestServer) {
    replay(server, "scim", &credential(server, "scim", "replay", &[]));
}

fn recorded_user_com_exchanges_match(server: &TestServer) {
    replay(server, "user_com", &credential(server, "user_com", "replay", &[]));
}
