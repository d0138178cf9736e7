//! Uniqueness across spellings of a value, decided by the database, alike on both. Concurrent
//! requests are covered by `email_spelling_races`.

use registrar_tests::{Setup, TestServer, cases, samples};
use serde_json::json;

cases! {
    email_is_unique_in_every_spelling,
    different_emails_are_not_taken,
    external_id_is_unique,
    case_insensitive_unique_ignores_case,
    unique_applies_within_and_across_submissions,
    unique_scope_and_conditions_restrict_comparison with scoped_fields,
    rejected_submission_releases_its_claims,
    blank_values_are_never_taken with scoped_fields,
}

fn email_is_unique_in_every_spelling(server: &TestServer) {
    let mut first = samples::client("first");
    first["email"] = json!("josé@exåmple.no");
    server.client().submit("client_sign_up", &first).created();
    for spelling in [
        "josé@exåmple.no",
        "JOSÉ@EXÅMPLE.NO",
        "José@Exåmple.No",
        " josé@exåmple.no ",
        "\tjosé@exåmple.no\n",
        "\u{3000}josé@exåmple.no",
        "jose\u{301}@exåmple.no",
        "josé@exa\u{30a}mple.no",
        "JOSE\u{301}@EXA\u{30a}MPLE.NO",
        "ｊｏｓé@ｅｘåｍｐｌｅ.ｎｏ",
        "josé＠exåmple.no",
        "josé@exåmple。no",
        "josé@xn--exmple-jua.no",
        "josé@XN--EXMPLE-JUA.NO",
        "josé@exåmple.no.",
    ] {
        let mut again = samples::client("again");
        again["email"] = json!(spelling);
        let response = server.client().submit("client_sign_up", &again);
        assert_eq!(response.status, 422, "{spelling:?}: {response:?}");
        response.invalid(&[("email", "taken")]);
    }
    assert_eq!(server.client().count(), 1);
}

fn different_emails_are_not_taken(server: &TestServer) {
    for (tag, email) in [
        "ann@example.com",
        "a.nn@example.com",
        "ann+x@example.com",
        "ann@example.org",
        "änn@example.com",
    ]
    .into_iter()
    .enumerate()
    {
        let mut sample = samples::client(&tag.to_string());
        sample["email"] = json!(email);
        server.client().submit("client_sign_up", &sample).created();
    }
}

fn external_id_is_unique(server: &TestServer) {
    let with_id = |tag: &str, id: &str| {
        let mut sample = samples::client(tag);
        sample["external_id"] = json!(id);
        server.client().submit("client_sign_up", &sample)
    };
    with_id("a", "Å-1").created();
    with_id("b", " Å-1").invalid(&[("external_id", "taken")]);
    with_id("b", "A\u{30a}-1").invalid(&[("external_id", "taken")]);
    with_id("b", "å-1").created();
    with_id("c", "Å-11").created();
}

fn case_insensitive_unique_ignores_case(server: &TestServer) {
    let with_handle = |tag: &str, handle: &str| {
        let mut sample = samples::developer(tag);
        sample["profiles"]["developer"]["properties"]["handle"] = json!(handle);
        server.client().submit("developer_sign_up", &sample)
    };
    with_handle("one", "Ann_B").created();
    let path = "profiles.developer.properties.handle";
    with_handle("two", "ann_b").invalid(&[(path, "taken")]);
    with_handle("two", " ANN_B ").invalid(&[(path, "taken")]);
    with_handle("two", "ann_c").created();
}

fn unique_applies_within_and_across_submissions(server: &TestServer) {
    let with_boats = |tag: &str, boats: &[&str]| {
        let mut sample = samples::seller(tag);
        sample["transactables"]["boat"] = boats.iter().map(|boat| samples::boat(boat)).collect();
        server.client().submit("marketplace_seller", &sample)
    };
    let registration =
        |index: usize| format!("transactables.boat[{index}].properties.registration");
    with_boats("a", &["x1", " X1"]).invalid(&[(&registration(1), "taken")]);
    with_boats("a", &["x1", "x2"]).created();
    with_boats("b", &["x3", "x2"]).invalid(&[(&registration(1), "taken")]);
    with_boats("b", &["x2", "x1"])
        .invalid(&[(&registration(0), "taken"), (&registration(1), "taken")]);
    with_boats("b", &["x3"]).created();
}

fn scoped_fields(setup: Setup) -> Setup {
    setup.form(
        "\
external_id: {validation: {unique: {scope: language}}}
language:
name: {validation: {unique: {conditions: {featured: true}}}}
featured:",
    )
}

fn unique_scope_and_conditions_restrict_comparison(server: &TestServer) {
    let submit = |form| server.client().submit("form", &form);
    submit(json!({ "external_id": "1", "language": "en" })).created();
    submit(json!({ "external_id": "1", "language": "de" })).created();
    submit(json!({ "external_id": "1" })).created();
    submit(json!({ "external_id": "1", "language": "en" })).invalid(&[("external_id", "taken")]);
    submit(json!({ "external_id": "1" })).invalid(&[("external_id", "taken")]);

    submit(json!({ "name": "Ann", "featured": true })).created();
    submit(json!({ "name": "Ann", "featured": false })).created();
    submit(json!({ "name": "Ann" })).created();
    submit(json!({ "name": "Ann", "featured": "1" })).invalid(&[("name", "taken")]);
}

fn rejected_submission_releases_its_claims(server: &TestServer) {
    server.client().submit("marketplace_seller", &samples::seller("one")).created();
    let mut half = samples::seller("two");
    half["transactables"]["boat"][1] = samples::boat("one-1");
    server.client().submit("marketplace_seller", &half).is(422);
    server.client().submit("marketplace_seller", &samples::seller("two")).created();
}

fn blank_values_are_never_taken(server: &TestServer) {
    for _ in 0..2 {
        for form in [
            json!({ "external_id": "" }),
            json!({ "external_id": null }),
            json!({ "external_id": " " }),
        ] {
            server.client().submit("form", &form).created();
        }
    }
}
