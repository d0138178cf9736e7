//! JSON Schema of submissions: every submission that the schema rejects, the form rejects too.

use jsonschema::{Draft, PatternOptions, Validator};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use registrar_contracts::Configuration;
use registrar_contracts::decode::json;
use registrar_core::EvalContext;
use registrar_core::form::Form;
use serde_json::{Map, Value};

use super::{compile, source};

/// A form with every kind of field, rule and nesting that the schema can express.
const FORM: &str = r#"
resource: User
fields:
  email:
  password:
  first_name: {validation: {presence: true, length: {in: 2..5}}}
  last_name: {normalize: [strip], validation: {presence: true, length: {maximum: 3}}}
  middle_name: {validation: {format: {with: '\A[a-c]+\z', allow_blank: true}}}
  name: {validation: {length: {minimum: 2, allow_nil: true}, exclusion: [admin, root]}}
  language: {property_options: {default: en}, validation: {presence: true, inclusion: [en, de]}}
  phone: {if: "form.name", validation: {presence: true}}
  featured: {property_options: {readonly: true, default: true}}
  public_profile:
  properties:
    age: {type: integer, validation: {numericality: {in: 1...100, greater_than: 17}}}
    score: {type: decimal, validation: {inclusion: [1, 2.5]}}
    tags: {type: array, validation: {length: {in: 1..2}}}
    extra: {type: json, schema: {type: object, maxProperties: 1}}
    day: {type: date}
    nick: {validation: {format: {without: 'x', allow_nil: true}, presence: true}}
  profiles:
    validation: {presence: true}
    member:
      validation: {presence: true}
      enabled:
      properties:
        badge: {validation: {presence: true, length: {is: 2}}}
        note: {type: text}
      custom_addresses:
        home: {city: {validation: {presence: true}}, street: }
    guest: {properties: {note: {validation: {presence: true}}}}
  transactables:
    boat:
      name: {validation: {presence: true}}
      properties: {size: {type: integer, validation: {numericality: {less_than: 10}}}}
"#;

fn registry() -> Configuration {
    let member =
        "properties: [{name: badge}, {name: note, type: text}, {name: home, type: address}]\n";
    let files = [
        source("types/profiles/member.yml", member),
        source("types/profiles/guest.yml", "properties: [{name: note, type: text}]\n"),
        source("types/transactables/boat.yml", "properties: [{name: size, type: integer}]\n"),
        source("form.yml", FORM),
        source(
            "open.yml",
            &FORM.replace("resource: User", "resource: User\nunknown_fields: ignore"),
        ),
        source("given.yml", &format!("{FORM}default_payload: {{first_name: Bob}}\n")),
    ];
    compile(&files).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn validator(schema: &Value) -> Validator {
    jsonschema::draft202012::meta::validate(schema).unwrap();
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex())
        .build(schema)
        .unwrap()
}

fn accepts(form: &Form, submitted: &Value) -> bool {
    let text = submitted.to_string();
    let value = json::parse(text.as_bytes()).unwrap();
    form.apply(value, &EvalContext::default()).is_ok()
}

/// Returns a valid submission; generated ones differ from it in a few places.
fn valid_submission() -> Value {
    serde_json::json!({
        "email": "a@b.co",
        "first_name": "Ann",
        "last_name": "Lee",
        "properties": {"age": 40, "tags": ["a"], "extra": {"a": 1}, "nick": "n", "score": 2.5},
        "profiles": {"member": {"enabled": true, "properties": {"badge": "ab"}}},
        "transactables": {"boat": [{"name": "b", "properties": {"size": 5}}]},
    })
}

fn value() -> impl Strategy<Value = Value> {
    let plain = select(vec![
        "null",
        "true",
        "false",
        "0",
        "1",
        "-1",
        "2.5",
        "17",
        "18",
        "99",
        "100",
        "1e2",
        "12.0",
        r#""""#,
        r#"" ""#,
        r#""a""#,
        r#""ab""#,
        r#""abc""#,
        r#""abcdef""#,
        r#""x""#,
        r#""en""#,
        r#""de""#,
        r#""admin""#,
        r#""40""#,
        r#""2.5""#,
        r#""0""#,
        r#""true""#,
        r#""2026-11-23""#,
        r#""é""#,
        r#""a@b.co""#,
        r#""secret1""#,
        "[]",
        "{}",
        r#"["a"]"#,
        r#"["a", "b", "c"]"#,
        r#"[null]"#,
        r#"{"a": 1}"#,
        r#"{"a": 1, "b": 2}"#,
        r#"{"properties": {}}"#,
        r#"{"properties": {"note": "n"}}"#,
        r#"{"0": {"name": "b"}}"#,
        r#"{"name": ""}"#,
        r#"[{"name": "b"}, {}]"#,
        r#"{"custom_addresses": {}}"#,
        r#"{"custom_addresses": {"home": {}}}"#,
        r#"{"custom_addresses": {"home": {"street": "s"}}}"#,
    ]);
    plain.prop_map(|text| serde_json::from_str(text).unwrap())
}

/// Collects the pointers of all objects in a value.
fn objects(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            found.push(at.clone());
            map.iter().for_each(|(key, inner)| objects(inner, format!("{at}/{key}"), found));
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(location, inner)| objects(inner, format!("{at}/{location}"), found)),
        _ => {}
    }
}

const KEYS: [&str; 26] = [
    "email",
    "password",
    "first_name",
    "last_name",
    "middle_name",
    "name",
    "language",
    "phone",
    "featured",
    "public_profile",
    "properties",
    "profiles",
    "transactables",
    "age",
    "score",
    "tags",
    "extra",
    "day",
    "nick",
    "member",
    "guest",
    "boat",
    "badge",
    "note",
    "size",
    "profiles_attributes",
];

#[derive(Debug, Clone)]
enum Change {
    Set(Index, &'static str, Value),
    Remove(Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    let set = (any::<Index>(), select(KEYS.to_vec()), value());
    prop_oneof![
        3 => set.prop_map(|(object, key, value)| Change::Set(object, key, value)),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(object, key)| Change::Remove(object, key)),
    ]
}

fn apply_changes(changes: &[Change]) -> Value {
    let mut submitted = valid_submission();
    for change in changes {
        let mut found = Vec::new();
        objects(&submitted, String::new(), &mut found);
        let (Change::Set(index, ..) | Change::Remove(index, _)) = change;
        let pointer = index.get(&found).clone();
        let object: &mut Map<String, Value> =
            submitted.pointer_mut(&pointer).unwrap().as_object_mut().unwrap();
        match change {
            Change::Set(_, key, value) => {
                object.insert((*key).to_owned(), value.clone());
            }
            Change::Remove(_, key) if !object.is_empty() => {
                let keys: Vec<String> = object.keys().cloned().collect();
                object.remove(key.get(&keys));
            }
            Change::Remove(..) => {}
        }
    }
    submitted
}

#[test]
fn submission_schema_accepts_valid_and_rejects_invalid_samples() {
    let registry = registry();
    let form = registry.form("form").unwrap();
    let schema = form.submission_schema();
    let validator = validator(&schema);
    assert!(validator.is_valid(&valid_submission()) && accepts(form, &valid_submission()));
    for (pointer, value) in [
        ("/first_name", "\"A\""),
        ("/first_name", "null"),
        ("/first_name", "true"),
        ("/properties/age", "17"),
        ("/properties/age", "100"),
        ("/properties/tags", "[]"),
        ("/properties/extra", "{\"a\": 1, \"b\": 2}"),
        ("/properties/score", "3"),
        ("/properties/nick", "\"ax\""),
        ("/profiles", "{}"),
        ("/profiles/member/properties/badge", "\"abc\""),
        ("/transactables/boat/0/name", "\"\""),
        ("/transactables/boat/0/properties/size", "10"),
    ] {
        let mut submitted = valid_submission();
        *submitted.pointer_mut(pointer).unwrap() = serde_json::from_str(value).unwrap();
        assert!(!validator.is_valid(&submitted), "{pointer}: {value}");
        assert!(!accepts(form, &submitted), "{pointer}: {value}");
    }
    let mut unknown = valid_submission();
    unknown["role"] = "admin".into();
    assert!(!validator.is_valid(&unknown));
    let comment = schema["$comment"].as_str().unwrap();
    for left_out in ["email unique", "phone (its condition", "last_name length"] {
        assert!(comment.contains(left_out), "{comment}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn submissions_rejected_by_the_schema_are_rejected_by_the_form(changes in prop::collection::vec(change(), 0..4)) {
        thread_local! {
            static FORMS: Vec<(std::sync::Arc<Form>, Validator)> = {
                let registry = registry();
                let forms = ["form", "open", "given"].map(|name| registry.form(name).unwrap().clone());
                forms.into_iter().map(|form| {
                    let validator = validator(&form.submission_schema());
                    (form, validator)
                }).collect()
            };
        }
        let submitted = apply_changes(&changes);
        FORMS.with(|forms| {
            for (form, validator) in forms {
                prop_assert!(
                    validator.is_valid(&submitted) || !accepts(form, &submitted),
                    "{}: the schema refuses what the form accepts: {submitted}",
                    form.name
                );
            }
            Ok(())
        })?;
    }
}
