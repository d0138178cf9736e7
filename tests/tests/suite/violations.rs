//! Responses to rejected submissions: all violations, in the order of the form, for people and
//! programs.

use registrar_tests::{Setup, TestServer, cases, samples};
use serde_json::{Value, json};

cases! {
    empty_form_reports_every_violation_with_details,
    form_messages_override_defaults,
    violations_are_truncated_at_one_hundred with boat_list,
    problem_document_contains_violations,
    unknown_fields_are_rejected_with_suggestion_or_ignored,
    violations_never_contain_submitted_values,
}

fn empty_form_reports_every_violation_with_details(server: &TestServer) {
    let response = server.client().submit("developer_sign_up", &json!({}));
    response.invalid(&[
        ("email", "blank"),
        ("password", "blank"),
        ("first_name", "blank"),
        ("terms_of_service", "blank"),
        ("profiles", "blank"),
    ]);
    let detail = r#"{"field":"first_name","pointer":"/form/first_name","code":"blank","params":{},"message":"can't be blank","full_message":"First name can't be blank"}"#;
    assert!(response.text.contains(detail), "{response:?}");
    let errors = r#"{"errors":{"email":["can't be blank"],"password":["can't be blank"],"first_name":["can't be blank"],"terms_of_service":["can't be blank"],"profiles":["can't be blank"]},"#;
    assert!(response.text.starts_with(errors), "{response:?}");
    assert!(response.json().get("truncated").is_none());
}

fn form_messages_override_defaults(server: &TestServer) {
    let mut sample = samples::developer("ann");
    sample["first_name"] = json!("A".repeat(41));
    sample["password_confirmation"] = json!("secret2");
    sample["profiles"]["developer"]["properties"]["hourly_rate"] = json!(1000);
    let response = server.client().submit("developer_sign_up", &sample);
    let rate = "profiles.developer.properties.hourly_rate";
    response.invalid(&[
        ("password_confirmation", "confirmation"),
        ("first_name", "too_long"),
        (rate, "less_than"),
    ]);
    let body = response.json();
    assert_eq!(body["errors"]["first_name"], json!(["is longer than a name tag"]));
    assert_eq!(body["errors"]["password_confirmation"], json!(["doesn't match Password"]));
    assert_eq!(body["errors"][rate], json!(["must be less than 1000"]));
    assert_eq!(body["details"][1]["params"], json!({ "count": 40 }));
    assert_eq!(body["details"][2]["params"], json!({ "count": 1000 }));
    assert_eq!(
        body["details"][2]["full_message"],
        "Profiles developer properties hourly rate must be less than 1000"
    );
}

fn boat_list(setup: Setup) -> Setup {
    setup.forms(&[
        ("types/transactables/boat.yml", "name: boat\n"),
        (
            "form.yml",
            "resource: User\nfields:\n  transactables:\n    boat: {name: {validation: {presence: true}}}\n",
        ),
    ])
}

fn violations_are_truncated_at_one_hundred(server: &TestServer) {
    let submit = |boats: usize| {
        let form = json!({ "transactables": { "boat": vec![json!({ "name": "" }); boats] } });
        server.client().submit("form", &form).is(422).json()
    };
    let exact = submit(100);
    assert_eq!((exact["details"].as_array().unwrap().len(), exact.get("truncated")), (100, None));
    let cut = submit(150);
    assert_eq!(cut["details"].as_array().unwrap().len(), 100);
    assert_eq!(cut["truncated"], true);
    assert_eq!(cut["details"][99]["field"], "transactables.boat[99].name");
}

fn problem_document_contains_violations(server: &TestServer) {
    let ask = |form: &str, fields: &Value| {
        let body = json!({ "form_configuration_name": form, "form": fields }).to_string();
        let headers =
            [("content-type", "application/json"), ("accept", "application/problem+json")];
        server.client().send("POST", "/api/users", &headers, Some(body.as_bytes()))
    };
    let response = ask("reference_rest_api_create_user", &json!({ "email": "a@b.co" }));
    response.invalid(&[("password", "blank"), ("first_name", "blank")]);
    assert_eq!(response.header("content-type"), Some("application/problem+json"));
    let body = response.json();
    assert_eq!(
        (&body["type"], &body["title"], &body["status"]),
        (&json!("about:blank"), &json!("Unprocessable Entity"), &json!(422))
    );
    assert_eq!(body["detail"], "2 rules of the form are broken");
    assert_eq!(body["errors"]["first_name"], json!(["can't be blank"]));

    let response = ask("no_such", &json!({}));
    response.rejected(406, "form_configuration_name", "unknown_form");
    assert_eq!(response.header("content-type"), Some("application/problem+json"));
    assert_eq!(response.json()["status"], 406);
    let created = ask("client_sign_up", &samples::client("ann"));
    created.created();
    assert_eq!(created.header("content-type"), Some("application/vnd.api+json"));
}

fn unknown_fields_are_rejected_with_suggestion_or_ignored(server: &TestServer) {
    let mut strict = samples::reference("ann");
    strict["frist_name"] = json!("A");
    strict["xyzzy"] = json!({ "deep": [1] });
    let response = server.client().submit("reference_rest_api_create_user", &strict);
    response.invalid(&[("frist_name", "unknown_field"), ("xyzzy", "unknown_field")]);
    assert_eq!(response.json()["details"][0]["params"], json!({ "near": "first_name" }));

    let mut lenient = samples::client("ann");
    lenient["xyzzy"] = json!("A");
    lenient["profiles"]["client"]["xyzzy"] = json!("A");
    lenient["profiles"]["client"]["properties"]["xyzzy"] = json!("A");
    server.client().submit("client_sign_up", &lenient).created();
}

fn violations_never_contain_submitted_values(server: &TestServer) {
    let canary = "c4n4ry";
    let form = json!({
        "email": canary,
        "external_id": canary.repeat(20),
        "name": [canary],
        "language": canary,
        "phone": canary,
        "properties": { "newsletter": canary, "invited_by": canary },
        "profiles": { "client": { "properties": { "vat_number": canary, "budget": canary } } },
    });
    let response = server.client().submit("client_sign_up", &form);
    let fields: Vec<String> = response.is(422).violations().into_iter().map(|(f, _)| f).collect();
    assert_eq!(fields.len(), 10, "{fields:?}");
    assert!(!response.text.to_lowercase().contains(canary), "{response:?}");
}
