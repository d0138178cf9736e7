//! `/openapi.json` is valid OpenAPI and matches the responses of the server.

use std::collections::BTreeSet;

use jsonschema::Validator;
use registrar_tests::{Setup, TestServer, cases, eventually, samples};
use serde_json::{Value, json};

cases! {
    openapi_requires_token,
    openapi_document_is_valid,
    responses_match_the_openapi_document,
    samples_match_the_openapi_schemas,
    new_form_appears_in_openapi with custom_form,
}

const OFFICIAL: &str = include_str!("../../data/openapi-3.1.schema.json");
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

fn document(server: &TestServer) -> Value {
    let response = server.client().get("/openapi.json");
    assert_eq!(response.is(200).header("content-type"), Some("application/json"));
    response.json()
}

/// Iterates over the operations as path, method and description.
fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

fn openapi_requires_token(server: &TestServer) {
    server.anonymous().get("/openapi.json").rejected(401, "base", "missing_token");
}

fn openapi_document_is_valid(server: &TestServer) {
    let document = document(server);
    let official: Value = serde_json::from_str(OFFICIAL).unwrap();
    let official = jsonschema::draft202012::new(&official).unwrap();
    let wrong = official.iter_errors(&document);
    let wrong: Vec<String> =
        wrong.map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(wrong, [""; 0]);
    let broken = json!({ "openapi": "3.1.1", "info": { "title": "x" } });
    assert!(!official.is_valid(&broken), "the official schema rejects nothing");
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(jsonschema::draft202012::meta::is_valid(schema), "{name}");
    }
    assert_references_resolve(&document);
    let ids: Vec<&Value> =
        operations(&document).map(|(.., output)| &output["operationId"]).collect();
    let unique: BTreeSet<String> = ids.iter().map(ToString::to_string).collect();
    assert_eq!(unique.len(), ids.len(), "{ids:?}");
}

fn assert_references_resolve(document: &Value) {
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"").skip(1) {
        let pointer = reference.split('"').next().unwrap().strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

/// Returns the path of an operation with all parameters set to `1`, and required query parameters.
fn request_path(path: &str, operation: &Value) -> String {
    let mut address = String::new();
    for part in path.split('{') {
        match part.split_once('}') {
            Some((_, rest)) => address.extend(["1", rest]),
            None => address.push_str(part),
        }
    }
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let needed = parameters.filter(|output| output["in"] == "query" && output["required"] == true);
    let needed: Vec<String> = needed
        .map(|output| {
            let value = output["schema"]["enum"][0].as_str().unwrap_or("1");
            format!("{}={value}", output["name"].as_str().unwrap())
        })
        .collect();
    if needed.is_empty() { address } else { format!("{address}?{}", needed.join("&")) }
}

fn responses_match_the_openapi_document(server: &TestServer) {
    let document = document(server);
    let mut tags = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        assert!(METHODS.contains(&method), "{method} {path}");
        for tag in operation["tags"].as_array().unwrap() {
            tags.insert(tag.as_str().unwrap().to_owned());
        }
        let address = request_path(path, operation);
        let is_open = operation["security"].as_array().unwrap().is_empty();
        for (client, has_token) in [(&*server.client(), true), (server.anonymous(), false)] {
            let content_type = [("content-type", "application/json")];
            let body: Option<&[u8]> = (method != "get" && method != "delete").then_some(b"{}");
            let response = client.send(&method.to_uppercase(), &address, &content_type, body);
            let about = format!("{method} {address}: {response:?}");
            let output = &operation["responses"][response.status.to_string()];
            assert!(output.is_object(), "not documented: {about}");
            assert!(has_token || is_open || response.status == 401, "{about}");
            let Some(content_type) =
                response.header("content-type").filter(|_| !response.text.is_empty())
            else {
                continue;
            };
            let media_type = content_type.split(';').next().unwrap();
            let schema = &output["content"][media_type]["schema"];
            assert!(schema.is_object(), "{about}");
            if media_type.ends_with("json") {
                assert!(
                    schema_validator(&document, schema).is_valid(&response.json()),
                    "{schema}: {about}"
                );
            }
        }
    }
    let registry = server.registry();
    let mounted = registry.contracts().list().iter().filter(|contract| contract.mount.is_some());
    let expected = mounted.map(|contract| contract.name.to_string());
    assert_eq!(tags, expected.chain(["registrar".to_owned()]).collect::<BTreeSet<_>>());
}

/// Returns a validator of a schema within the document.
fn schema_validator(document: &Value, schema: &Value) -> Validator {
    let mut whole = schema.clone();
    whole["components"] = document["components"].clone();
    jsonschema::draft202012::new(&whole).unwrap()
}

fn samples_match_the_openapi_schemas(server: &TestServer) {
    let document = document(server);
    let body = &document["paths"]["/api/users"]["post"]["requestBody"]["content"];
    let schema = &body["application/json"]["schema"];
    let validator = schema_validator(&document, schema);
    let named = |name: &str, form: Value| json!({ "form_configuration_name": name, "form": form });
    for (name, form) in [
        ("reference_rest_api_create_user", samples::reference("a")),
        ("developer_sign_up", samples::developer("bea")),
        ("client_sign_up", samples::client("c")),
        ("marketplace_seller", samples::seller("d")),
    ] {
        let good = named(name, form);
        assert!(validator.is_valid(&good), "{good}");
        server.client().post("/api/users", &good.to_string()).created();
        let mut bad = good.clone();
        bad["form"]["email"] = json!([1]);
        assert!(!validator.is_valid(&bad), "{bad}");
        server.client().post("/api/users", &bad.to_string()).is(422);
        let component = schema["discriminator"]["mapping"][name].as_str().unwrap();
        let chosen = schema_validator(&document, &json!({ "$ref": component }));
        assert!(chosen.is_valid(&good) && !chosen.is_valid(&bad), "{component}");
    }
    assert!(!validator.is_valid(&named("nobody", json!({}))));
    let listing = named("reference_rest_api_create_transactable", json!({}));
    assert!(!validator.is_valid(&listing), "a form for another resource");
    let created = |path: &str, status: &str, media_type: &str| {
        let response = &document["paths"][path]["post"]["responses"][status];
        response["content"][media_type]["schema"]["properties"]["id"]["type"].clone()
    };
    assert_eq!(created("/api/users", "201", "application/vnd.api+json"), "integer");
    assert_eq!(created("/garmat/api/users", "200", "application/json"), "string");
    let wire = &document["paths"]["/econtext/api/users/user"]["post"]["requestBody"]["content"];
    let wire = &wire["application/json"]["schema"];
    assert_eq!(wire["required"], json!(["email", "password", "applications"]));
    assert_eq!(wire["properties"]["password"]["writeOnly"], true);
    let reported = wire["properties"]["custom_data"]["description"].as_str().unwrap();
    assert!(reported.contains("properties.custom_data"), "{reported}");
}

/// A form with a schema that has local references, which must be rewritten in the OpenAPI document.
const FORM: &str = "resource: User
fields:
  first_name:
  email:
  tree:
    type: json
    property_options: {virtual: true}
    schema: {$ref: '#/$defs/node', $defs: {node: {type: object}}}
";

fn custom_form(setup: Setup) -> Setup {
    setup.forms(&[("form.yml", FORM)])
}

fn new_form_appears_in_openapi(server: &TestServer) {
    let names = |document: Value| {
        let body = &document["paths"]["/api/users"]["post"]["requestBody"]["content"];
        let mapping = &body["application/json"]["schema"]["discriminator"]["mapping"];
        mapping.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(names(document(server)), ["form"]);
    assert_references_resolve(&document(server));
    server.write_form("a b.yml", "resource: User\nfields:\n  email:\n");
    eventually("the change is served", std::time::Duration::from_secs(20), || {
        (names(document(server)) == ["a b", "form"]).then_some(())
    });
    let schemas = document(server)["components"]["schemas"].clone();
    let fit = |name: &String| name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    assert!(schemas.as_object().unwrap().keys().all(fit), "{schemas}");
}
