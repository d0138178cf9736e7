//! Each rule against values: `tests/cases/rules/*.cases`.
//!
//! A case is a line `VALIDATION | VALUE | EXPECTED`: the validation as YAML, the value as JSON (or
//! `absent`), and `ok` or the codes, each with its text in quotes where the text is the point.
//! `type: NAME` sets the type of the field for the lines below it.

use registrar_core::Surroundings;
use registrar_core::decode::json;
use registrar_core::rules::RULES;
use registrar_core::violation::Violations;

use super::{cases, compile, source};

fn judge(field_type: &str, validation: &str, value: &str) -> Violations {
    let type_line =
        if field_type.is_empty() { String::new() } else { format!("type: {field_type}, ") };
    let form = format!(
        "resource: User\nfields:\n  other: {{type: integer, property_options: {{virtual: true}}}}\n  \
         value_confirmation: {{property_options: {{virtual: true}}}}\n  \
         value: {{{type_line}validation: {validation}, property_options: {{virtual: true}}}}\n"
    );
    let registry = compile(&[source("form.yml", &form)])
        .unwrap_or_else(|problems| panic!("{validation}: {}", problems[0]));
    let body = match value {
        "absent" => r#"{"other": 5}"#.to_owned(),
        value if value.starts_with("with ") => format!("{{{}}}", &value[5..]),
        value => format!(r#"{{"other": 5, "value": {value}}}"#),
    };
    let value = json::parse(body.as_bytes()).unwrap_or_else(|error| panic!("{body}: {error}"));
    registry.form("form").unwrap().apply(value, &Surroundings::default()).err().unwrap_or_default()
}

fn matches(violations: &Violations, expected: &str) -> bool {
    if expected == "ok" {
        return violations.is_empty();
    }
    let expected: Vec<&str> = expected.split(';').map(str::trim).collect();
    expected.len() == violations.list.len()
        && expected.iter().zip(&violations.list).all(|(expected, violation)| {
            match expected.split_once(' ') {
                Some((code, text)) => {
                    code == violation.code() && text.trim_matches('"') == violation.text()
                }
                None => *expected == violation.code(),
            }
        })
}

#[test]
fn every_case_of_every_rule_holds() {
    let mut count = 0;
    let mut wrong = Vec::new();
    for (path, text) in cases("rules") {
        let mut field_type = String::new();
        for (number, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(name) = line.strip_prefix("type:") {
                name.trim().clone_into(&mut field_type);
                continue;
            }
            let parts: Vec<&str> = line.split(" | ").map(str::trim).collect();
            let [validation, value, expected] = parts[..] else {
                panic!("{}:{}: not a case", path.display(), number + 1)
            };
            let got = judge(&field_type, validation, value);
            count += 1;
            if !matches(&got, expected) {
                let told: Vec<String> =
                    got.list.iter().map(|v| format!("{} {:?}", v.code(), v.text())).collect();
                wrong.push(format!("{}:{}: {line}\n   got {told:?}", path.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count} cases:\n{}", wrong.len(), wrong.join("\n"));
    println!("{count} cases");
}

#[test]
fn every_rule_keeps_its_own_examples() {
    for rule in RULES {
        for (options, value) in rule.accepts {
            let got = judge("", &format!("{{{}: {options}}}", rule.name), value);
            assert!(got.is_empty(), "{}: {options} should accept {value}: {got:?}", rule.name);
        }
        for (options, value, code) in rule.rejects {
            let got = judge("", &format!("{{{}: {options}}}", rule.name), value);
            let codes: Vec<&str> = got.list.iter().map(|v| v.code()).collect();
            assert_eq!(codes, [*code], "{}: {options} should reject {value}", rule.name);
        }
    }
}

#[test]
fn every_code_that_a_case_can_meet_belongs_to_the_rule() {
    for rule in RULES {
        for (_, _, code) in rule.rejects {
            assert!(rule.messages.iter().any(|message| message.code == *code), "{}", rule.name);
        }
    }
}

#[test]
fn the_page_of_rules_says_what_the_rules_say() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules.md");
    let page = registrar_core::rules::page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(written == page, "docs/rules.md is old: run the tests once with UPDATE_DOCS=1");
}
