//! 406 responses: parameters other than the form are missing or wrong, and the response names them.

use registrar_tests::{TestServer, cases};

cases! {
    a_body_without_the_name_of_a_form_is_told_so,
    a_form_that_is_not_there_is_told_with_the_nearest_name,
    a_form_that_changes_users_creates_none,
    a_body_without_a_form_is_told_so,
    a_body_that_is_no_object_is_told_so,
    what_stands_beside_the_form_does_not_matter,
}

fn a_body_without_the_name_of_a_form_is_told_so(server: &TestServer) {
    for body in [
        r#"{}"#,
        r#"{"form": {}}"#,
        r#"{"form_configuration_name": null, "form": {}}"#,
        r#"{"form_configuration_name": 7, "form": {}}"#,
        r#"{"form_configuration_name": ["client_sign_up"], "form": {}}"#,
        r#"{"form_configuration_names": "client_sign_up", "form": {}}"#,
    ] {
        let answer = server.client().post("/api/users", body);
        answer.fault(406, "form_configuration_name", "missing");
    }
}

fn a_form_that_is_not_there_is_told_with_the_nearest_name(server: &TestServer) {
    let near = r#"{"form_configuration_name": "clientt_sign_up", "form": {}}"#;
    let answer = server.client().post("/api/users", near);
    let message = answer.fault(406, "form_configuration_name", "unknown_form");
    assert!(message.contains("did you mean `client_sign_up`?"), "{message}");
    assert_eq!(answer.json()["details"][0]["params"]["near"], "client_sign_up");

    let far = r#"{"form_configuration_name": "xyzzy_canary", "form": {}}"#;
    let answer = server.client().post("/api/users", far);
    answer.fault(406, "form_configuration_name", "unknown_form");
    assert!(answer.json()["details"][0]["params"].as_object().unwrap().is_empty());
    assert!(!answer.text.contains("canary"), "it repeats what was sent: {answer:?}");
}

fn a_form_that_changes_users_creates_none(server: &TestServer) {
    let body = r#"{"form_configuration_name": "reference_rest_api_update_user", "form": {"first_name": "Ann"}}"#;
    let answer = server.client().post("/api/users", body);
    answer.fault(406, "form_configuration_name", "wrong_form");
    assert_eq!(server.client().count(), 0);
}

fn a_body_without_a_form_is_told_so(server: &TestServer) {
    for form in ["", r#", "form": null"#, r#", "form": "x""#, r#", "form": []"#, r#", "from": {}"#]
    {
        let body = format!(r#"{{"form_configuration_name": "client_sign_up"{form}}}"#);
        server.client().post("/api/users", &body).fault(406, "form", "missing");
    }
}

fn a_body_that_is_no_object_is_told_so(server: &TestServer) {
    for body in ["[]", "null", "7", r#""client_sign_up""#, r#"[{"form": {}}]"#] {
        server.client().post("/api/users", body).fault(406, "base", "wrong_parameters");
    }
}

fn what_stands_beside_the_form_does_not_matter(server: &TestServer) {
    let body = r#"{"utf8": "✓", "form": {"email": "a@b.co", "first_name": "A", "password": "brisk-harbour-42"}, "commit": "Sign up", "form_configuration_name": "reference_rest_api_create_user"}"#;
    server.client().post("/api/users", body).created();
}
