//! Invariant 5: mass assignment of every database column, at every level of a submission, in every
//! encoding.

use registrar_tests::{Setup, TestResponse, TestServer, cases};
use serde_json::{Map, Value, json};

cases! {
    unlisted_columns_are_never_assigned with forms,
    strict_form_reports_every_unlisted_column with forms,
}

/// Value that must not be found in the database.
const CANARY: &str = "918273";

/// Objects of a submission, as paths.
const OBJECT_PATHS: [&[&str]; 7] = [
    &[],
    &["form"],
    &["form", "properties"],
    &["form", "profiles"],
    &["form", "profiles", "client"],
    &["form", "profiles", "client", "properties"],
    &["form", "transactables", "boat"],
];

const FIELDS: &str = "fields:\n  email:\n  properties: { newsletter: { type: boolean } }\n  profiles: \
    { client: { properties: { company: } } }\n  transactables: { boat: { name: } }\n";
/// Fields of the form, which may be submitted.
const LISTED_FIELDS: [&str; 3] = ["email", "name", "properties"];

fn forms(setup: Setup) -> Setup {
    setup.forms(&[
        ("types/profiles/client.yml", "properties: [{ name: company }]\n"),
        ("types/transactables/boat.yml", "properties: []\n"),
        ("lax.yml", &format!("resource: User\nunknown_fields: ignore\n{FIELDS}")),
        ("strict.yml", &format!("resource: User\n{FIELDS}")),
    ])
}

fn columns(server: &TestServer) -> Vec<String> {
    let mut columns = server.database().column_names();
    columns.retain(|column| !LISTED_FIELDS.contains(&column.as_str()));
    assert!(columns.len() > 50 && columns.contains("phc") && columns.contains("featured"));
    columns.into_iter().collect()
}

fn submission(form: &str, number: usize) -> Value {
    json!({ "form_configuration_name": form, "form": {
        "email": format!("user{number}@example.com"),
        "properties": { "newsletter": true },
        "profiles": { "client": { "properties": { "company": "ACME" } } },
        "transactables": { "boat": [{ "name": "Vega" }] },
    } })
}

/// Returns the object at a path; for lists, their first item.
fn object_at<'v>(value: &'v mut Value, location: &[&str]) -> &'v mut Map<String, Value> {
    let mut value = value;
    for step in location {
        value = &mut value[step];
        if value.is_array() {
            value = &mut value[0];
        }
    }
    value.as_object_mut().unwrap()
}

/// Encodes a value as form fields.
fn encode_fields(value: &Value, name: &str, into: &mut Vec<String>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                let name = if name.is_empty() { key.clone() } else { format!("{name}[{key}]") };
                encode_fields(value, &name, into);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                encode_fields(value, &format!("{name}[{index}]"), into);
            }
        }
        Value::String(text) => into.push(format!("{name}={text}")),
        other => into.push(format!("{name}={other}")),
    }
}

/// Submits all columns at each level: as JSON with strings, numbers and objects, as form fields,
/// and in the query.
fn submit_all_columns(server: &TestServer, form: &str, check: impl Fn(&[&str], &TestResponse)) {
    let (client, columns, mut number) = (server.client(), columns(server), 0);
    let mut next = |location: &[&str], canary: Value| {
        number += 1;
        let mut sent = submission(form, number);
        let object = object_at(&mut sent, location);
        for column in &columns {
            object.entry(column.clone()).or_insert(canary.clone());
        }
        sent
    };
    for location in OBJECT_PATHS {
        for canary in [json!(CANARY), json!(918_273), json!({ "x": CANARY })] {
            check(location, &client.post("/api/users", &next(location, canary).to_string()));
        }
        let mut pairs = Vec::new();
        encode_fields(&next(location, json!(CANARY)), "", &mut pairs);
        check(location, &client.post_fields(&pairs.join("&").replace('@', "%40")));
    }
    let mut query = Vec::new();
    for location in OBJECT_PATHS {
        let name = location.iter().fold(String::new(), |name, step| match name.as_str() {
            "" => (*step).to_owned(),
            name => format!("{name}[{step}]"),
        });
        query.extend(columns.iter().map(|column| match name.as_str() {
            "" => format!("{column}={CANARY}"),
            name => format!("{name}[{column}]={CANARY}"),
        }));
    }
    let path = format!("/api/users?{}", query.join("&"));
    let body = submission(form, 0).to_string();
    client.post(&path, &body).created();
}

fn unlisted_columns_are_never_assigned(server: &TestServer) {
    submit_all_columns(server, "lax", |location, response| {
        // Keys outside of `form` are not part of the submission; the user is created without them.
        assert_eq!(response.status, 201, "{location:?}: {response:?}");
    });
    let cells = server.database().all_cells();
    let found: Vec<_> = cells.iter().filter(|cell| cell.contains(CANARY)).collect();
    assert_eq!(found, Vec::<&String>::new());
    assert_eq!(server.client().count(), 29);
}

fn strict_form_reports_every_unlisted_column(server: &TestServer) {
    submit_all_columns(server, "strict", |location, response| {
        if location.is_empty() {
            response.created();
            return;
        }
        let reported = response.is(422).violations();
        assert!(reported.len() >= 50, "{location:?}: {reported:?}");
        assert!(
            reported.iter().all(|(_, code)| code == "unknown_field"),
            "{location:?}: {reported:?}"
        );
    });
    assert!(server.database().all_cells().iter().all(|cell| !cell.contains(CANARY)));
}
