//! The native API as a contract.

use registrar_tests::{Setup, TestServer, cases, samples};
use serde_json::json;

cases! {
    form_name_is_accepted_in_query,
    empty_filter_matches_no_user,
    native_api_is_served_without_contract_files with one_form,
    platformos_contract_file_replaces_native_api with platformos_contract,
}

fn form_name_is_accepted_in_query(server: &TestServer) {
    let body = json!({ "form": samples::client("a") }).to_string();
    let path = "/api/users.json?form_configuration_name=client_sign_up";
    server.client().post(path, &body).created();
}

fn empty_filter_matches_no_user(server: &TestServer) {
    server.client().submit("client_sign_up", &samples::client("a")).created();
    for filter in ["email=", "external_id="] {
        let page = server.client().get(&format!("/api/users?{filter}")).is(200).json();
        assert_eq!(page["total"], 0, "{filter}");
    }
}

const FORM: &str = "resource: User\nfields: {email:}\n";

fn one_form(setup: Setup) -> Setup {
    setup.forms(&[("form.yml", FORM)])
}

fn native_api_is_served_without_contract_files(server: &TestServer) {
    let client = server.client();
    client.submit("form", &json!({ "email": "a@example.com" })).created();
    client.get("/api/users/1.json").is(200);
    client.send("DELETE", "/api/users/1", &[], None).is(204);
    client.send("DELETE", "/api/sessions", &[], None).is(204);
}

const CONTRACT: &str = r#"
mount: /
authentication: { schemes: [none] }
catalogue: forms
form: form
routes:
  - { method: POST, path: /people, operation: create, fields: as_form }
answers:
  created: { status: 200, body: { id: "{{ user.id }}" } }
  invalid: { status: 400, body: { errors: "{{ errors }}", told: "{{ summary }}", in: "{{ language }}" } }
  not_an_object: { status: 400, body: "{{ summary }}" }
  malformed: { status: 400, body: "{{ summary }}" }
  unsupported_media_type: { status: 400, body: "{{ summary }}" }
  route_not_found: { status: 404 }
  method_not_allowed: { status: 405, body: "{{ summary }}" }
  error: {}
"#;

fn platformos_contract(setup: Setup) -> Setup {
    let german = "messages: {invalid: falsch}\n";
    let files =
        [("form.yml", FORM), ("contracts/platformos.yml", CONTRACT), ("locales/de.yml", german)];
    setup.forms(&files)
}

fn platformos_contract_file_replaces_native_api(server: &TestServer) {
    let client = server.client();
    assert_eq!(client.post("/people", r#"{"email":"a@example.com"}"#).is(200).text, r#"{"id":1}"#);
    let headers = [("content-type", "application/json"), ("accept-language", "de")];
    let response = client.send("POST", "/people", &headers, Some(br#"{"email":"a"}"#));
    let reported = response.is(400).json();
    assert_eq!(
        (&reported["errors"]["email"][0], &reported["in"]),
        (&json!("falsch"), &json!("de"))
    );
    let text = r#""the method is not served here: expected POST""#;
    assert_eq!(client.get("/people").is(405).text, text);
    client.get("/api/users").rejected(404, "base", "not_found");
}
