//! 406 responses: parameters other than the form are missing or wrong, and the response names them.

use registrar_tests::{TestServer, cases};

cases! {
    missing_form_name_gets_406,
    unknown_form_name_gets_406_with_suggestion,
    update_form_is_rejected_for_create,
    missing_form_gets_406,
    non_object_body_gets_406,
    additional_parameters_are_ignored,
}

fn missing_form_name_gets_406(server: &TestServer) {
    for body in [
        r#"{}"#,
        r#"{"form": {}}"#,
        r#"{"form_configuration_name": null, "form": {}}"#,
        r#"{"form_configuration_name": 7, "form": {}}"#,
        r#"{"form_configuration_name": ["client_sign_up"], "form": {}}"#,
        r#"{"form_configuration_names": "client_sign_up", "form": {}}"#,
    ] {
        let response = server.client().post("/api/users", body);
        response.rejected(406, "form_configuration_name", "missing");
    }
}

fn unknown_form_name_gets_406_with_suggestion(server: &TestServer) {
    let near = r#"{"form_configuration_name": "clientt_sign_up", "form": {}}"#;
    let response = server.client().post("/api/users", near);
    let message = response.rejected(406, "form_configuration_name", "unknown_form");
    assert!(message.contains("did you mean `client_sign_up`?"), "{message}");
    assert_eq!(response.json()["details"][0]["params"]["near"], "client_sign_up");

    let far = r#"{"form_configuration_name": "xyzzy_canary", "form": {}}"#;
    let response = server.client().post("/api/users", far);
    response.rejected(406, "form_configuration_name", "unknown_form");
    assert!(response.json()["details"][0]["params"].as_object().unwrap().is_empty());
    assert!(
        !response.text.contains("canary"),
        "the response repeats submitted values: {response:?}"
    );
}

fn update_form_is_rejected_for_create(server: &TestServer) {
    let body = r#"{"form_configuration_name": "reference_rest_api_update_user", "form": {"first_name": "Ann"}}"#;
    let response = server.client().post("/api/users", body);
    response.rejected(406, "form_configuration_name", "wrong_form");
    assert_eq!(server.client().count(), 0);
}

fn missing_form_gets_406(server: &TestServer) {
    for form in ["", r#", "form": null"#, r#", "form": "x""#, r#", "form": []"#, r#", "from": {}"#]
    {
        let body = format!(r#"{{"form_configuration_name": "client_sign_up"{form}}}"#);
        server.client().post("/api/users", &body).rejected(406, "form", "missing");
    }
}

fn non_object_body_gets_406(server: &TestServer) {
    for body in ["[]", "null", "7", r#""client_sign_up""#, r#"[{"form": {}}]"#] {
        server.client().post("/api/users", body).rejected(406, "base", "wrong_parameters");
    }
}

fn additional_parameters_are_ignored(server: &TestServer) {
    let body = r#"{"utf8": "✓", "form": {"email": "a@b.co", "first_name": "A", "password": "brisk-harbour-42"}, "commit": "Sign up", "form_configuration_name": "reference_rest_api_create_user"}"#;
    server.client().post("/api/users", body).created();
}
