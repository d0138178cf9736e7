//! Every built-in field, as the code lists them: it can be created, shown, listed and updated, and
//! the API's description has it. A column that is forgotten in one place fails here.

use registrar_core::fields::FieldType;
use registrar_core::record_kind::RecordKind;
use registrar_tests::{Setup, TestServer, cases};
use serde_json::{Map, Value, json};

cases! {
    every_built_in_field_is_created_shown_listed_and_updated with all_fields,
    every_built_in_field_is_described_by_the_api with all_fields,
}

const TYPES: [(&str, &str); 2] = [
    (
        "types/profiles/p.yml",
        "properties: [{name: a, type: address}, {name: i, type: image}, {name: f, type: attachment}]",
    ),
    ("types/transactables/t.yml", "properties: []"),
];

/// A form with all fields, for creating and updating.
fn all_fields(setup: Setup) -> Setup {
    let fields = |kind: RecordKind| {
        let names = kind.readable_fields().map(|(name, _)| format!("{name}: "));
        names.collect::<Vec<_>>().join(", ")
    };
    let user = fields(RecordKind::User);
    let form = format!(
        "resource: User\nprivileged: true\nresource_owner: anyone\nfields: {{ {user}, \
         profiles: {{ p: {{ {}, custom_addresses: {{ a: {{ {} }} }}, custom_images: {{ i: {{ {} }} }}, \
         custom_attachments: {{ f: {{ {} }} }} }} }}, transactables: {{ t: {{ {} }} }} }}\n",
        fields(RecordKind::Profile),
        fields(RecordKind::Address),
        fields(RecordKind::Image),
        fields(RecordKind::Attachment),
        fields(RecordKind::Transactable),
    );
    let mut files: Vec<(&str, &str)> = TYPES.to_vec();
    files.push(("all.yml", &form));
    setup.forms(&files)
}

/// Returns a value for each built-in field of a kind; those of the second round differ.
fn values(kind: RecordKind, round: usize) -> Map<String, Value> {
    let value = |(name, field_type): (&str, FieldType)| {
        let value = match (name, field_type) {
            ("email", _) => json!(format!("ann{round}@example.com")),
            ("currency", _) => json!(["NOK", "EUR"][round]),
            ("iso_country_code", _) => json!(["NO", "DE"][round]),
            ("direct_url", _) => json!(format!("https://example.com/{kind:?}{round}.png")),
            (_, FieldType::Boolean) => json!(round == 0),
            (_, FieldType::Decimal) => json!(["10.5", "-20.25"][round]),
            _ => json!(format!("{name} {round}")),
        };
        (name.to_owned(), value)
    };
    kind.readable_fields().map(value).collect()
}

fn submission(round: usize, transactable: Option<i64>) -> Value {
    let mut user = values(RecordKind::User, round);
    let mut profile = values(RecordKind::Profile, round);
    for (container, key, kind) in [
        ("custom_addresses", "a", RecordKind::Address),
        ("custom_images", "i", RecordKind::Image),
        ("custom_attachments", "f", RecordKind::Attachment),
    ] {
        profile.insert(container.to_owned(), json!({ key: values(kind, round) }));
    }
    let mut item = values(RecordKind::Transactable, round);
    item.extend(transactable.map(|id| ("id".to_owned(), json!(id))));
    user.insert("profiles".to_owned(), json!({ "p": profile }));
    user.insert("transactables".to_owned(), json!({ "t": [item] }));
    Value::Object(user)
}

/// Asserts that everything in `expected` is in `shown`; numbers may be strings.
fn assert_contains(shown: &Value, expected: &Value, path: &str) {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match expected {
        Value::Object(entries) => {
            for (key, value) in entries {
                assert_contains(&shown[key], value, &format!("{path}.{key}"));
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                assert_contains(&shown[index], item, &format!("{path}[{index}]"));
            }
        }
        value => assert_eq!(text(shown), text(value), "{path}"),
    }
}

fn every_built_in_field_is_created_shown_listed_and_updated(server: &TestServer) {
    let client = server.client();
    let id = client.submit("all", &submission(0, None)).created();
    assert_contains(&client.user(id), &submission(0, None), "user");
    let list = client.get("/api/users").is(200).json();
    let users = list.as_object().unwrap().values().find_map(Value::as_array).unwrap();
    assert_contains(&users[0], &Value::Object(values(RecordKind::User, 0)), "list");
    let transactable = client.user(id)["transactables"]["t"][0]["id"].as_i64();
    client.update(id, "all", &submission(1, transactable)).is(204);
    assert_contains(&client.user(id), &submission(1, transactable), "updated");
}

fn every_built_in_field_is_described_by_the_api(server: &TestServer) {
    let client = server.client();
    let schema = client.get("/api/form_configurations/all/schema").is(200).text.clone();
    let openapi = client.get("/openapi.json").is(200).json();
    let user = openapi["components"]["schemas"]["User"].to_string();
    let kinds = [
        RecordKind::User,
        RecordKind::Profile,
        RecordKind::Transactable,
        RecordKind::Address,
        RecordKind::Image,
        RecordKind::Attachment,
    ];
    for kind in kinds {
        for (name, _) in kind.readable_fields() {
            assert!(schema.contains(&format!("\"{name}\"")), "the schema lacks {name}");
        }
    }
    for (name, _) in RecordKind::User.readable_fields() {
        assert!(user.contains(&format!("\"{name}\"")), "OpenAPI's user lacks {name}: {user}");
    }
}
