//! `/api/form_configurations`: the served forms and their JSON Schemas.

use registrar_tests::{TestServer, cases, samples};

cases! {
    forms_are_listed_with_versions,
    form_schema_is_served,
    form_configurations_require_token,
}

fn forms_are_listed_with_versions(server: &TestServer) {
    let client = server.client();
    let forms = client.get("/api/form_configurations").is(200).json();
    let forms = forms["form_configurations"].as_array().unwrap();
    let names: Vec<&str> = forms.iter().map(|form| form["name"].as_str().unwrap()).collect();
    assert!(names.is_sorted() && names.contains(&"marketplace_seller"), "{names:?}");
    for form in forms {
        let name = form["name"].as_str().unwrap();
        let response = client.get(&format!("/api/form_configurations/{name}"));
        assert_eq!(&response.is(200).json(), form);
        assert_eq!(response.header("form-version"), form["version"].as_str());
        assert!(form["description"].as_str().is_some_and(|text| !text.is_empty()), "{name}");
    }
    let near =
        client.get("/api/form_configurations/marketplace_seler").rejected(404, "base", "not_found");
    assert!(near.contains("did you mean `marketplace_seller`?"), "{near}");
}

fn form_schema_is_served(server: &TestServer) {
    let response = server.client().get("/api/form_configurations/marketplace_seller/schema");
    let schema = response.is(200).json();
    assert_eq!(response.header("content-type"), Some("application/schema+json"));
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let properties = schema["properties"].as_object().unwrap();
    let sample = samples::seller("s");
    for key in sample.as_object().unwrap().keys() {
        assert!(properties.contains_key(key), "{key}");
    }
    assert_eq!(schema["properties"]["password"]["writeOnly"], true);
    assert_eq!(schema["additionalProperties"], false);
    server.client().get("/api/form_configurations/nobody/schema").rejected(
        404,
        "base",
        "not_found",
    );
}

fn form_configurations_require_token(server: &TestServer) {
    for path in ["", "/marketplace_seller", "/marketplace_seller/schema", "/nobody"] {
        let path = format!("/api/form_configurations{path}");
        server.anonymous().get(&path).rejected(401, "base", "missing_token");
    }
}
