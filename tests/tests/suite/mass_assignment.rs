//! Invariant 5: mass assignment of every database column, at every level of a submission, in every
//! encoding.

use registrar_tests::{Answer, Setup, TestServer, cases};
use serde_json::{Map, Value, json};

cases! {
    no_column_is_filled_in_that_the_form_does_not_list with forms,
    every_column_is_told_where_unknown_fields_are_refused with forms,
}

/// Value that must not be found in the database.
const CANARY: &str = "918273";

/// Objects of a submission, as paths.
const PLACES: [&[&str]; 7] = [
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
const LISTED: [&str; 3] = ["email", "name", "properties"];

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
    columns.retain(|column| !LISTED.contains(&column.as_str()));
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
fn at<'v>(value: &'v mut Value, place: &[&str]) -> &'v mut Map<String, Value> {
    let mut value = value;
    for step in place {
        value = &mut value[step];
        if value.is_array() {
            value = &mut value[0];
        }
    }
    value.as_object_mut().unwrap()
}

/// Encodes a value as form fields.
fn fields(value: &Value, name: &str, into: &mut Vec<String>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                let name = if name.is_empty() { key.clone() } else { format!("{name}[{key}]") };
                fields(value, &name, into);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                fields(value, &format!("{name}[{index}]"), into);
            }
        }
        Value::String(text) => into.push(format!("{name}={text}")),
        other => into.push(format!("{name}={other}")),
    }
}

/// Submits all columns at each level: as JSON with strings, numbers and objects, as form fields,
/// and in the query.
fn send_all(server: &TestServer, form: &str, check: impl Fn(&[&str], &Answer)) {
    let (client, columns, mut number) = (server.client(), columns(server), 0);
    let mut next = |place: &[&str], canary: Value| {
        number += 1;
        let mut sent = submission(form, number);
        let object = at(&mut sent, place);
        for column in &columns {
            object.entry(column.clone()).or_insert(canary.clone());
        }
        sent
    };
    for place in PLACES {
        for canary in [json!(CANARY), json!(918_273), json!({ "x": CANARY })] {
            check(place, &client.post("/api/users", &next(place, canary).to_string()));
        }
        let mut pairs = Vec::new();
        fields(&next(place, json!(CANARY)), "", &mut pairs);
        check(place, &client.post_fields(&pairs.join("&").replace('@', "%40")));
    }
    let mut query = Vec::new();
    for place in PLACES {
        let name = place.iter().fold(String::new(), |name, step| match name.as_str() {
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

fn no_column_is_filled_in_that_the_form_does_not_list(server: &TestServer) {
    send_all(server, "lax", |place, answer| {
        // Keys outside of `form` are not part of the submission; the user is created without them.
        assert_eq!(answer.status, 201, "{place:?}: {answer:?}");
    });
    let cells = server.database().all_cells();
    let found: Vec<_> = cells.iter().filter(|cell| cell.contains(CANARY)).collect();
    assert_eq!(found, Vec::<&String>::new());
    assert_eq!(server.client().count(), 29);
}

fn every_column_is_told_where_unknown_fields_are_refused(server: &TestServer) {
    send_all(server, "strict", |place, answer| {
        if place.is_empty() {
            answer.created();
            return;
        }
        let told = answer.is(422).violations();
        assert!(told.len() >= 50, "{place:?}: {told:?}");
        assert!(told.iter().all(|(_, code)| code == "unknown_field"), "{place:?}: {told:?}");
    });
    assert!(server.database().all_cells().iter().all(|cell| !cell.contains(CANARY)));
}
