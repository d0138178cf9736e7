//! Rules: `tests/cases/rules/*.cases`.
//!
//! A case is a line `VALIDATION | VALUE | EXPECTED`: the validation as YAML, the value as JSON (or
//! `absent`), and `ok` or the codes, each optionally followed by its message in quotes and preceded
//! by its path and a colon.
//! The form has two further fields: `other`, an integer with the value 5, and `value_confirmation`.
//! `with "value": …, "other": …` submits these values instead.
//! For the following lines, `type: NAME` sets the type of the field, `now: TIME` the current time,
//! and `beside: YAML` adds fields.

use registrar_contracts::decode::json;
use registrar_core::rules::RULES;
use registrar_core::violation::Violations;
use registrar_core::{EvalContext, Timestamp};

use super::{cases, compile, source};

/// Current time of submissions, unless a case sets another.
const NOW: &str = "2026-11-23T10:30:00Z";

/// Settings of a case.
#[derive(Default)]
struct CaseSettings {
    field_type: String,
    now: Option<Timestamp>,
    beside: String,
}

fn validate(setting: &CaseSettings, validation: &str, value: &str) -> Violations {
    let type_line = match setting.field_type.as_str() {
        "" => String::new(),
        name => format!("type: {name}, "),
    };
    let form = format!(
        "resource: User\nfields:\n  other: {{type: integer, property_options: {{virtual: true}}}}\n  \
         value_confirmation: {{property_options: {{virtual: true}}}}\n  {}\n  \
         value: {{{type_line}validation: {validation}, property_options: {{virtual: true}}}}\n",
        setting.beside
    );
    let registry = compile(&[source("form.yml", &form)])
        .unwrap_or_else(|problems| panic!("{validation}: {}", problems[0]));
    let body = match value {
        "absent" => r#"{"other": 5}"#.to_owned(),
        value if value.starts_with("with ") => format!("{{{}}}", &value[5..]),
        value => format!(r#"{{"other": 5, "value": {value}}}"#),
    };
    let value = json::parse(body.as_bytes()).unwrap_or_else(|error| panic!("{body}: {error}"));
    let now = setting.now.unwrap_or_else(|| NOW.parse().unwrap());
    let eval_context = EvalContext { now, ..EvalContext::default() };
    registry.form("form").unwrap().apply(value, &eval_context).err().unwrap_or_default()
}

fn matches(violations: &Violations, expected: &str) -> bool {
    if expected == "ok" {
        return violations.is_empty();
    }
    let expected: Vec<&str> = expected.split(';').map(str::trim).collect();
    expected.len() == violations.list.len()
        && expected.iter().zip(&violations.list).all(|(expected, violation)| {
            let (expected, text) = match expected.split_once(' ') {
                Some((code, text)) => (code, Some(text.trim_matches('"'))),
                None => (*expected, None),
            };
            let (path, code) = expected.split_once(':').unwrap_or(("", expected));
            (path.is_empty() || path == violation.path)
                && code == violation.code()
                && text.is_none_or(|text| text == violation.text())
        })
}

/// Minimum number of cases.
const MIN_CASES: usize = 600;

#[test]
fn rule_cases_pass() {
    let mut count = 0;
    let mut failures = Vec::new();
    for (path, text) in cases("rules") {
        let mut setting = CaseSettings::default();
        for (number, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(name) = line.strip_prefix("type:") {
                name.trim().clone_into(&mut setting.field_type);
                continue;
            }
            if let Some(moment) = line.strip_prefix("now:") {
                setting.now = Some(moment.trim().parse().unwrap());
                continue;
            }
            if let Some(fields) = line.strip_prefix("beside:") {
                fields.trim().clone_into(&mut setting.beside);
                continue;
            }
            let parts: Vec<&str> = line.split(" | ").map(str::trim).collect();
            let [validation, value, expected] = parts[..] else {
                panic!("{}:{}: not a case", path.display(), number + 1)
            };
            let got = validate(&setting, validation, value);
            count += 1;
            if !matches(&got, expected) {
                let reported: Vec<String> =
                    got.list.iter().map(|v| format!("{} {:?}", v.code(), v.text())).collect();
                failures.push(format!(
                    "{}:{}: {line}\n   got {reported:?}",
                    path.display(),
                    number + 1
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {count} cases:\n{}", failures.len(), failures.join("\n"));
    println!("{count} cases");
    assert!(count >= MIN_CASES, "{count} cases are fewer than {MIN_CASES}");
}

#[test]
fn documented_rule_examples_pass() {
    for rule in RULES {
        for (options, value) in rule.accepts {
            let got =
                validate(&CaseSettings::default(), &format!("{{{}: {options}}}", rule.name), value);
            assert!(got.is_empty(), "{}: {options} should accept {value}: {got:?}", rule.name);
        }
        for (options, value, code) in rule.rejects {
            let got =
                validate(&CaseSettings::default(), &format!("{{{}: {options}}}", rule.name), value);
            let codes: Vec<&str> = got.list.iter().map(|v| v.code()).collect();
            assert_eq!(codes, [*code], "{}: {options} should reject {value}", rule.name);
        }
    }
}

#[test]
fn codes_of_rule_examples_are_declared_by_the_rule() {
    for rule in RULES {
        for (_, _, code) in rule.rejects {
            assert!(rule.messages.iter().any(|message| message.code == *code), "{}", rule.name);
        }
    }
}

#[test]
fn rules_handle_odd_values_and_never_repeat_them() {
    const ODD_VALUES: [&str; 22] = [
        "null",
        "true",
        "false",
        "-0",
        "1e400",
        "0.1234567890123456789012345678901234567890",
        r#""""#,
        r#""canary""#,
        r#""cänary \u0001 🦀""#,
        r#""data:canary""#,
        r#""data:,canary%""#,
        r#""data:image/png;base64,canary🦀""#,
        r#""data:;;;base64,====""#,
        r#""dätä:,canary""#,
        r#""https://canary:canary@canary/%zz?🦀#""#,
        r#""+canary""#,
        r#""+🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀""#,
        r#""9999-12-31T23:59:59.999999999+23:59""#,
        r#""-009999-01-01""#,
        r#"["canary", null, {"canary": "canary"}]"#,
        r#"{"a": "canary", "name": ["canary"]}"#,
        r#"[[], {}, "", 0, false]"#,
    ];
    let long = format!("\"{}\"", "canary🦀".repeat(20_000));
    for rule in RULES {
        let accepts = rule.accepts.iter().map(|(options, _)| *options);
        let rejects = rule.rejects.iter().map(|(options, _, _)| *options);
        let all: std::collections::BTreeSet<&str> = accepts.chain(rejects).collect();
        for options in all {
            for value in ODD_VALUES.iter().copied().chain([long.as_str()]) {
                let validation = format!("{{{}: {options}}}", rule.name);
                let got = validate(&CaseSettings::default(), &validation, value);
                for violation in &got.list {
                    let reported = format!("{} {:?}", violation.text(), violation.params);
                    assert!(!reported.contains("canary"), "{validation} of {value}: {reported}");
                }
            }
        }
    }
}
