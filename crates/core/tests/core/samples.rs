//! Samples of submissions: from examples, and computed from the form.

use std::path::Path;

use registrar_contracts::Configuration;
use registrar_core::registry::SourceFile;
use registrar_core::value::Value;
use registrar_core::{EvalContext, Timestamp};

use super::{compile, source};

const NOW: &str = "2026-11-30T12:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn read_folder(folder: &Path, within: &str, sources: &mut Vec<SourceFile>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let within = if within.is_empty() { name } else { format!("{within}/{name}") };
        if entry.path().is_dir() {
            read_folder(&entry.path(), &within, sources);
        } else if within.ends_with(".yml") {
            sources.push(source(&within, &std::fs::read_to_string(entry.path()).unwrap()));
        }
    }
}

fn assert_valid(registry: &Configuration, name: &str, sample: &serde_json::Value) {
    let context = EvalContext { now: now(), ..EvalContext::default() };
    let form = registry.form(name).unwrap();
    if let Err(violations) = form.apply(Value::from(sample.clone()), &context) {
        let got: Vec<String> = violations
            .list
            .iter()
            .map(|violation| format!("{} {}", violation.path, violation.code()))
            .collect();
        panic!("{name}: {sample}: {got:?}");
    }
}

/// Shipped forms that are valid with a stored record only: a new one would need ids (`relationship_id`,
/// `transactable_id`, `user_id`) that these forms do not list.
const WITHOUT_SAMPLE: [&str; 4] = [
    "reference_rest_api_relationship_transactable_delete",
    "reference_rest_api_relationship_transactable_update",
    "reference_rest_api_relationship_user_delete",
    "reference_rest_api_relationship_user_update",
];

#[test]
fn every_shipped_form_has_a_valid_sample() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../forms");
    let mut sources = Vec::new();
    read_folder(&folder, "", &mut sources);
    let registry = compile(&sources).unwrap();
    assert!(registry.names().len() > 20);
    let mut without_sample = Vec::new();
    for name in registry.names() {
        match registry.form(name).unwrap().sample(now()) {
            Some(sample) => assert_valid(&registry, name, &sample),
            None => without_sample.push(&**name),
        }
    }
    assert_eq!(without_sample, WITHOUT_SAMPLE);
}

/// Fields of a form without examples, and a part of its sample.
const CASES: &[(&str, &str)] = &[
    ("email:", r#""email":"ann@example.com""#),
    ("properties: {v: {validation: {presence: true, email: true}}}", "@example.com"),
    ("first_name: {validation: {presence: true}}", "Ann"),
    ("first_name: {validation: {presence: true, length: {minimum: 20}}}", "Ann"),
    ("first_name: {validation: {presence: true, length: {is: 3}}}", "Ann"),
    ("first_name: {validation: {presence: true, length: {maximum: 2}}}", "first_name"),
    ("name: {validation: {presence: true, inclusion: [red, green]}}", r#""red""#),
    ("name: {validation: {presence: true, exclusion: [Ann Example]}}", "name"),
    ("password: {validation: {presence: true, password: {minimum: 14}}}", "brisk-harbour-42"),
    (
        "password: {validation: {presence: true, confirmation: true}}\n  \
         password_confirmation: {validation: {presence: true}}",
        "password_confirmation",
    ),
    ("phone: {validation: {presence: true, phone: true}}", "+"),
    ("phone: {validation: {presence: true, phone: NO}}", "+"),
    ("properties: {v: {validation: {presence: true, url: https}}}", "https://example.com/"),
    ("properties: {v: {validation: {presence: true, url: {schemes: [ftp]}}}}", "ftp://"),
    ("properties: {v: {validation: {presence: true, uuid: true}}}", "-"),
    ("properties: {v: {validation: {presence: true, uuid: 4}}}", "-4"),
    ("properties: {v: {validation: {presence: true, country: true}}}", "NO"),
    ("properties: {v: {validation: {presence: true, country: alpha3}}}", "NOR"),
    ("properties: {v: {validation: {presence: true, currency: true}}}", "EUR"),
    ("properties: {v: {validation: {presence: true, timezone: true}}}", "UTC"),
    ("language: {validation: {presence: true, language: true}}", "en"),
    ("properties: {v: {validation: {presence: true, ip: 6}}}", "2001:db8::1"),
    ("properties: {v: {validation: {presence: true, hostname: true}}}", "example.com"),
    ("properties: {v: {type: date, validation: {presence: true}}}", "2026-11-30"),
    (
        "properties: {v: {type: date, validation: {presence: true, date: {on_or_before: 18 years ago}}}}",
        "20",
    ),
    (
        "properties: {v: {type: date, validation: {presence: true, date: {after: today}}}}",
        "2026-12-01",
    ),
    (
        "properties: {v: {type: date, validation: {presence: true, date: {between: [2030-05-01, 2030-05-03]}}}}",
        "2030-05-0",
    ),
    ("properties: {v: {validation: {presence: true, date: {format: \"%d.%m.%Y\"}}}}", "30.11.2026"),
    (
        "properties: {v: {type: datetime, validation: {presence: true, datetime: {after: now}}}}",
        "2026-12-01",
    ),
    (
        "properties: {v: {type: time, validation: {presence: true, time: {between: 08:10..08:20}}}}",
        "08:",
    ),
    ("properties: {v: {type: integer, validation: {presence: true}}}", "1"),
    (
        "properties: {v: {type: integer, validation: {presence: true, numericality: {in: 40..45}}}}",
        "4",
    ),
    (
        "properties: {v: {type: decimal, validation: {presence: true, \
         numericality: {greater_than: 1.25, less_than: 1.5}}}}",
        "1.",
    ),
    (
        "properties: {v: {type: integer, validation: {presence: true, numericality: {odd: true, greater_than: 10}}}}",
        "11",
    ),
    ("properties: {v: {type: boolean, validation: {acceptance: true, presence: true}}}", "true"),
    ("properties: {v: {type: array, validation: {presence: true, length: {minimum: 3}}}}", "["),
    ("properties: {v: {type: json, validation: {presence: true}}}", "{"),
    (
        "properties: {v: {type: json, validation: {presence: true, schema: {type: object, \
         required: [a], properties: {a: {type: integer}}}}}}",
        r#""a":1"#,
    ),
    ("properties: {v: {validation: {presence: true, format: '\\A\\d{5}\\z'}}}", "12345"),
    ("properties: {v: {validation: {presence: true, file_extension: [pdf]}}}", ".pdf"),
    (
        "properties: {p: {validation: {inclusion: [pro], presence: true}}, \
         v: {validation: {required_if: {p: pro}}}}",
        r#""v""#,
    ),
    (
        "profiles:\n    validation: {presence: true}\n    member: {validation: {presence: true}, \
         properties: {team: {validation: {presence: true}}}}",
        r#""team""#,
    ),
    (
        "transactables:\n    boat: {validation: {presence: true, length: {minimum: 2}}, \
         name: {validation: {presence: true}}}",
        r#"[{"name""#,
    ),
];

fn one_form(fields: &str) -> Configuration {
    let sources = [
        source("types/profiles/member.yml", "properties: [{name: team}]\n"),
        source("types/transactables/boat.yml", "properties: [{name: team}]\n"),
        source("types/relationship_users/agent.yml", "name: agent\n"),
        source("form.yml", &format!("resource: User\nprivileged: true\nfields:\n  {fields}\n")),
    ];
    compile(&sources).unwrap_or_else(|problems| {
        let reported: Vec<String> = problems.iter().map(ToString::to_string).collect();
        panic!("{fields}: {}", reported.join("\n"))
    })
}

#[test]
fn sample_is_computed_from_rules() {
    let mut failures = Vec::new();
    for (fields, expected) in CASES {
        let registry = one_form(fields);
        match registry.form("form").unwrap().sample(now()) {
            Some(sample) if sample.to_string().contains(expected) => {
                assert_valid(&registry, "form", &sample);
            }
            other => failures.push(format!("{fields}: expected {expected}: {other:?}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn sample_is_none_if_no_candidate_is_valid() {
    let registry = one_form(
        "properties: {v: {validation: {presence: true, format: '\\A[q]{7}-unguessable\\z'}}}",
    );
    assert_eq!(registry.form("form").unwrap().sample(now()), None);
}

#[test]
fn sample_is_first_valid_example_without_context() {
    let registry = one_form(
        "email:\n  \
         properties: {v: {type: date, validation: {date: {after: today, allow_nil: true}}}}\n  \
         relationship_users: {agent: {relationship_id: }}\n\
         examples:\n  \
         - {name: nothing, form: {}, expect: {email: blank}}\n  \
         - {name: stored, form: {email: a@example.com}, users: [{email: b@example.com}], expect: valid}\n  \
         - {name: past, form: {email: c@example.com, properties: {v: \"2000-01-01\"}}, expect: valid}\n  \
         - {name: reference, form: {email: d@example.com, relationship_users: {agent: {relationship_id: 7}}}, expect: valid}\n  \
         - {name: good, form: {email: e@example.com}, expect: valid}",
    );
    let sample = registry.form("form").unwrap().sample(now()).unwrap();
    assert_eq!(sample, serde_json::json!({ "email": "e@example.com" }));
}
