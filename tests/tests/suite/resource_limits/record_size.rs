//! Stored records and responses are bounded by the size of the request.

use registrar_tests::{Setup, TestResponse, TestServer, cases, samples};
use serde_json::{Value, json};

cases! {
    numbers_with_large_exponents_are_rejected,
    stored_numbers_are_no_longer_than_submitted with json_fields,
    record_larger_than_body_limit_gets_413 with json_fields,
    computed_default_size_is_bounded with computed_defaults,
    response_over_limit_is_rejected with small_answer_limit,
    large_submissions_are_validated_like_small_ones with json_fields,
}

/// Returns the violations as `PATH CODE; PATH CODE`.
fn violation_summary(response: &TestResponse) -> String {
    let reported = response.is(422).violations();
    let reported: Vec<String> =
        reported.iter().map(|(path, code)| format!("{path} {code}")).collect();
    reported.join("; ")
}

fn numbers_with_large_exponents_are_rejected(server: &TestServer) {
    let token = server.new_limited_token("web", &["create"], &["developer_sign_up"]);
    let web = server.anonymous().with_token(&token);
    let form = samples::developer("ada").to_string();
    let skills = format!("\"skills\":[[{}1]],\"hourly_rate\"", "1e400,".repeat(170_000));
    let form = form.replace("\"hourly_rate\"", &skills);
    let body = format!("{{\"form_configuration_name\":\"developer_sign_up\",\"form\":{form}}}");
    let refused = violation_summary(&web.post("/api/users", &body));
    assert_eq!(refused, "profiles.developer.properties.skills number_too_long");
    assert_eq!(server.client().count(), 0);
}

fn json_fields(setup: Setup) -> Setup {
    setup.form(
        "\
external_id: {validation: {unique: false}}
properties:
  v: {type: json, validation: {distinct: true, schema: {type: [array, object], uniqueItems: true}}}
  w: {type: array}
  d: {type: decimal, validation: {numericality: true}}",
    )
}

fn post(server: &TestServer, properties: &str) -> TestResponse {
    let body = format!(
        "{{\"form_configuration_name\":\"form\",\"form\":{{\"properties\":{properties}}}}}"
    );
    server.client().post("/api/users", &body)
}

fn stored_numbers_are_no_longer_than_submitted(server: &TestServer) {
    let long = "7".repeat(400);
    for (sent, stored) in [
        ("[1e3, -1.50, 1E-2, 0e0]", "[1000,-1.5,0.01,0]".to_owned()),
        ("[6.02214076e23]", "[602214076000000000000000]".to_owned()),
        ("[1e39]", format!("[1{}]", "0".repeat(39))),
        (&*format!("[{long}]"), format!("[{long}]")),
    ] {
        let id = post(server, &format!("{{\"v\":{sent}}}")).created();
        let shown = server.client().get(&format!("/api/users/{id}")).is(200).text.clone();
        assert!(shown.contains(&format!("\"v\":{stored}")), "{sent}: {shown}");
    }
    for (field, value) in [
        ("v", "[1e400]"),
        ("v", "{\"a\":[{\"b\":-1e-400}]}"),
        ("v", "[1.7976931348623157e308]"),
        ("w", "[1e40]"),
        ("d", "1e400"),
        ("d", "\"1e-400\""),
        ("d", "1E+99"),
    ] {
        let refused = violation_summary(&post(server, &format!("{{\"{field}\":{value}}}")));
        assert_eq!(refused, format!("properties.{field} number_too_long"), "{value}");
    }
    // Numbers compare by value, whatever their notation.
    let equal = violation_summary(&post(server, "{\"v\":[1e20,100000000000000000000]}"));
    assert_eq!(equal, "properties.v distinct; properties.v uniqueItems");
}

fn record_larger_than_body_limit_gets_413(server: &TestServer) {
    let many = |count: usize| format!("{{\"w\":[{}0]}}", "1e39,".repeat(count));
    let refused = post(server, &many(200_000));
    refused.rejected(413, "base", "record_too_large");
    assert_eq!(server.client().count(), 0);
    let id = post(server, &many(20_000)).created();
    let shown = server.client().get(&format!("/api/users/{id}")).is(200).text.clone();
    assert!(shown.len() < 900_000, "{}", shown.len());
    let update = format!(
        "{{\"form_configuration_name\":\"form\",\"form\":{{\"properties\":{}}}}}",
        many(200_000)
    );
    let content_type = [("content-type", "application/json")];
    let path = format!("/api/users/{id}");
    let changed = server.client().send("PUT", &path, &content_type, Some(update.as_bytes()));
    assert!(changed.status == 413 || changed.status == 406, "{changed:?}");
}

fn computed_defaults(setup: Setup) -> Setup {
    setup.form(
        "\
name:
first_name:
properties:
  a: {property_options: {default: \"{{ form.name | replace('a', form.first_name) }}\"}}
  b: {property_options: {default: \"{{ form.name | split('') | join(form.first_name) }}\"}}
  c: {type: json, property_options: {default: \"{{ form.name | split('') }}\"}}
  d: {property_options: {default: \"{{ form.first_name }}{{ form.first_name }}\"}}",
    )
}

fn computed_default_size_is_bounded(server: &TestServer) {
    let send = |name: usize, first: usize| {
        let form = json!({ "name": "a".repeat(name), "first_name": "b".repeat(first) });
        server.client().submit("form", &form)
    };
    let id = send(10, 10).created();
    assert_eq!(server.client().user(id)["properties"]["a"], "b".repeat(100));
    for (name, first) in [(1_000, 1_000), (500, 500_000), (100, 40_000), (60_000, 2)] {
        let refused = violation_summary(&send(name, first));
        assert!(refused.split("; ").all(|it| it.ends_with(" condition_error")), "{refused}");
    }
    assert_eq!(server.client().count(), 1);
}

fn small_answer_limit(setup: Setup) -> Setup {
    json_fields(setup).with(|settings| settings.answer_limit = 100_000)
}

fn response_over_limit_is_rejected(server: &TestServer) {
    let client = server.client();
    let text = "x".repeat(30_000);
    for _ in 0..6 {
        client.submit("form", &json!({ "properties": { "v": [text] } })).created();
    }
    let message = client.get("/api/users").rejected(422, "base", "answer_too_large");
    assert!(message.contains("100000 bytes"), "{message}");
    for page in 1..=3 {
        let shown = client.get(&format!("/api/users?per_page=2&page={page}")).is(200).json();
        assert_eq!(
            (&shown["total"], shown["results"].as_array().map(Vec::len)),
            (&json!(6), Some(2))
        );
    }
    // A single user is returned, or rejected as too large.
    let id = client.submit("form", &json!({ "properties": { "v": [text.repeat(4)] } })).created();
    client.get(&format!("/api/users/{id}")).rejected(422, "base", "answer_too_large");
    client.send("DELETE", &format!("/api/users/{id}"), &[], None).is(204);
}

fn large_submissions_are_validated_like_small_ones(server: &TestServer) {
    let client = server.client();
    // Above 64 KiB, validation runs on another thread; responses are the same.
    for size in [10, 100_000] {
        let text = "x".repeat(size);
        let form = json!({ "external_id": format!("id{size}"), "properties": { "v": [text, 1] } });
        let id = client.submit("form", &form).created();
        assert_eq!(client.user(id)["properties"]["v"], json!([text, 1]), "{size}");
        let twice = json!({ "properties": { "v": [text, text] } });
        let refused = client.submit("form", &twice);
        assert_eq!(violation_summary(&refused), "properties.v distinct; properties.v uniqueItems");
        assert!(refused.header("form-version").is_some());
        let unknown: Value = json!({ "properties": { "v": [text], "x": 1 } });
        assert_eq!(
            violation_summary(&client.submit("form", &unknown)),
            "properties.x unknown_field"
        );
        client.submit("form_of_none", &unknown).rejected(
            406,
            "form_configuration_name",
            "unknown_form",
        );
        let broken = format!("{{\"form_configuration_name\":\"form\",\"form\":{{\"v\":\"{text}\"");
        client.post("/api/users", &broken).rejected(400, "base", "malformed");
    }
}
