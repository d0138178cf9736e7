//! Resource limits of validation, computed values and stored values.

use std::time::{Duration, Instant};

use registrar_contracts::Configuration;
use registrar_contracts::decode::json;
use registrar_core::EvalContext;
use registrar_core::aggregate::Aggregate;
use registrar_core::violation::Violations;
use serde_json::{Value, json};

use super::{compile, source};

/// Maximum time to validate a few kilobytes in unoptimised builds on a busy machine. Without limits
/// these inputs take minutes and gigabytes.
const MAX_VALIDATION_TIME: Duration = Duration::from_secs(10);

fn form(fields: &str) -> Configuration {
    let text = format!("resource: User\nfields:\n  properties:\n    {}", fields.trim());
    compile(&[source("form.yml", &text)]).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

pub(super) fn with_schema(schema: &Value) -> Configuration {
    form(&format!("v: {{type: json, validation: {{schema: {{schema: {schema}}}}}}}"))
}

fn submit(registry: &Configuration, properties: &str) -> Result<Aggregate, Violations> {
    let body = format!("{{\"properties\":{properties}}}");
    let value = json::parse(body.as_bytes()).unwrap();
    let started = Instant::now();
    let judged = registry.form("form").unwrap().apply(value, &EvalContext::default());
    assert!(
        started.elapsed() < MAX_VALIDATION_TIME,
        "{:?} for {} bytes",
        started.elapsed(),
        body.len()
    );
    if let Ok(user) = &judged {
        assert!(
            user.weight() <= 10 * body.len() + 100,
            "{} bytes became {}",
            body.len(),
            user.weight()
        );
    }
    judged
}

pub(super) fn violations_of(registry: &Configuration, value: &str) -> Vec<String> {
    match submit(registry, &format!("{{\"v\":{value}}}")) {
        Ok(_) => Vec::new(),
        Err(violations) => {
            violations.list.iter().map(|it| format!("{} {}", it.path, it.code())).collect()
        }
    }
}

fn rich_text() -> Value {
    let node = |kind: &str| {
        let content = json!({"type": "array", "items": {"$ref": "#/$defs/node"}});
        json!({"type": "object", "properties": {"type": {"const": kind}, "content": content}, "required": ["type"]})
    };
    let text = json!({"type": "object", "properties": {"type": {"const": "text"}, "text": {"type": "string"}}, "required": ["type"]});
    json!({"$ref": "#/$defs/node", "$defs": {"node": {"oneOf": [node("paragraph"), node("list"), node("quote"), text]}}})
}

fn nested(depth: usize, open: &str, inner: &str, close: &str) -> String {
    format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
}

#[test]
fn error_deep_in_recursive_union_is_found_in_bounded_time() {
    let registry = with_schema(&rich_text());
    let text = |text: &str| format!("{{\"type\":\"text\",\"text\":{text}}}");
    // An object and a list per level, of which a body may have 64.
    for depth in [1, 10, 12, 28] {
        let document = |inner: &str| nested(depth, "{\"type\":\"list\",\"content\":[", inner, "]}");
        assert_eq!(violations_of(&registry, &document(&text("\"x\""))), [""; 0], "{depth}");
        assert_eq!(
            violations_of(&registry, &document(&text("1"))),
            ["properties.v oneOf"],
            "{depth}"
        );
    }
}

#[test]
fn recursive_schemas_terminate() {
    let own = json!({"$ref": "#/$defs/t"});
    let branch = || json!({"type": "object", "properties": {"a": own}, "required": ["a"]});
    let leaf = || json!({"type": "object", "maxProperties": 0});
    for schema in [
        json!({"anyOf": [branch(), branch(), branch(), leaf()]}),
        json!({"oneOf": [branch(), branch(), branch(), leaf()]}),
        json!({"allOf": [{"anyOf": [branch(), branch(), leaf()]}, {"anyOf": [branch(), branch(), leaf()]}]}),
        json!({"not": {"not": {"anyOf": [branch(), branch(), leaf()]}}}),
        json!({"if": branch(), "then": branch(), "else": {"anyOf": [branch(), leaf()]}}),
        json!({"anyOf": [{"patternProperties": {"^a": own}, "required": ["a"]}, {"additionalProperties": own, "required": ["a"]}, leaf()]}),
        json!({"dependentSchemas": {"a": {"anyOf": [branch(), branch()]}}, "anyOf": [branch(), leaf()]}),
        json!({"anyOf": [branch(), branch(), leaf()], "unevaluatedProperties": false}),
        json!({"properties": {"a": {"anyOf": [own, own]}}, "unevaluatedProperties": own}),
    ] {
        let schema = json!({"$ref": "#/$defs/t", "$defs": {"t": schema}});
        let registry = with_schema(&schema);
        for depth in [10, 14, 30, 60] {
            violations_of(&registry, &nested(depth, "{\"a\":", "{}", "}"));
            violations_of(&registry, &nested(depth, "{\"a\":", "1", "}"));
        }
    }
    let list = json!({"$ref": "#/$defs/t", "$defs": {"t": {"anyOf": [
        {"type": "array", "items": own, "minItems": 1}, {"type": "array", "prefixItems": [own, own]},
        {"type": "array", "contains": own, "unevaluatedItems": own}, {"type": "array", "maxItems": 0}]}}});
    let registry = with_schema(&list);
    for depth in [10, 30, 60] {
        violations_of(&registry, &nested(depth, "[", "", "]"));
        violations_of(&registry, &nested(depth, "[", "1", "]"));
        violations_of(&registry, &nested(depth, "[[],", "1", ",1]"));
    }
}

#[test]
fn size_keywords_are_checked_before_items() {
    let kinds: Vec<Value> = (0..8)
        .map(|kind| json!({"type": "object", "properties": {"k": {"const": kind}}, "required": ["k"]}))
        .collect();
    let registry =
        with_schema(&json!({"type": "array", "maxItems": 100, "items": {"oneOf": kinds}}));
    let many = format!("[{}{{}}]", "{},".repeat(20_000));
    assert_eq!(violations_of(&registry, &many), ["properties.v maxItems"]);
    let few = format!("[{}{{}}]", "{},".repeat(99));
    assert_eq!(violations_of(&registry, &few).len(), 100);
    let entries =
        with_schema(&json!({"maxProperties": 5, "additionalProperties": {"type": "string"}}));
    let many: Vec<String> = (0..5_000).map(|key| format!("\"{key}\":1")).collect();
    assert_eq!(
        violations_of(&entries, &format!("{{{}}}", many.join(","))),
        ["properties.v maxProperties"]
    );
}

#[test]
fn unique_items_is_linear_for_every_type() {
    let registry = with_schema(&json!({"type": "array", "uniqueItems": true}));
    for item in ["1000000000000000000000000000000", "0.5", "[1,", "{\"a\":", "\"text"] {
        let end = match item.as_bytes() {
            [b'0', ..] => "1",
            [b'[', ..] => "]",
            [b'{', ..] => "}",
            [b'"', ..] => "\"",
            _ => "",
        };
        let items: Vec<String> =
            (0..5_000).map(|location| format!("{item}{location}{end}")).collect();
        assert_eq!(violations_of(&registry, &format!("[{}]", items.join(","))), [""; 0], "{item}");
        let twice = format!("[{},{}]", items.join(","), items[0]);
        assert_eq!(violations_of(&registry, &twice), ["properties.v uniqueItems"], "{item}");
    }
    assert_eq!(
        violations_of(&registry, "[{\"a\":1,\"b\":[1.0]},{\"b\":[1],\"a\":10e-1}]"),
        ["properties.v uniqueItems"]
    );
}

#[test]
fn validation_over_budget_is_rejected() {
    // Thirty million schema applications to thirty thousand bytes.
    let wide: Vec<Value> =
        (0..3_000).map(|location| json!({"required": [format!("k{location}")]})).collect();
    let registry = with_schema(&json!({"contains": {"anyOf": wide}}));
    let items = format!("[{}{{}}]", "{},".repeat(10_000));
    assert_eq!(violations_of(&registry, &items), ["properties.v schema"]);
    assert_eq!(violations_of(&registry, "[{\"k2999\":1}]"), [""; 0]);
}

#[test]
fn formats_of_long_strings_are_checked_in_bounded_time() {
    let groups: String = (0..20_000).map(|nth| format!("(?<a{nth}>a)")).collect();
    for (format, text, broken) in [
        ("regex", groups.as_str(), true),
        ("regex", "(?<a>a)(?<b>b)", false),
        ("email", &format!("a@{}b.co", "b.".repeat(50_000)), true),
        ("uri-template", &"{a}".repeat(50_000), true),
        ("uri", &format!("data:text/plain,{}", "a".repeat(100_000)), false),
        ("json-pointer", &"/a".repeat(50_000), false),
    ] {
        let registry = with_schema(&json!({"format": format}));
        let reported = violations_of(&registry, &format!("\"{text}\""));
        assert_eq!(reported.len(), usize::from(broken), "{format}: {reported:?}");
    }
}

#[test]
fn self_referencing_schema_is_rejected() {
    for (schema, line) in [
        (json!({"$ref": "#"}), "refers to itself"),
        (
            json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"allOf": [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"}),
            "refers to itself",
        ),
        (json!({"anyOf": [{"type": "string"}, {"not": {"$ref": "#"}}]}), "refers to itself"),
        (
            json!({"$defs": {"a": {"$id": "https://a.example/a", "type": "string"}}, "items": {"$ref": "#/$defs/a"}}),
            "`$id` of its own",
        ),
        (
            json!({"$ref": "https://json-schema.org/draft/2020-12/schema"}),
            "points outside the schema",
        ),
    ] {
        let text = format!(
            "resource: User\nfields:\n  properties:\n    v: {{type: json, validation: {{schema: {{schema: {schema}}}}}}}\n"
        );
        let problems = compile(&[source("form.yml", &text)]).unwrap_err();
        assert!(problems[0].to_string().contains(line), "{schema}: {problems:?}");
    }
    let registry = with_schema(
        &json!({"$id": "https://a.example/x", "$ref": "https://a.example/x#/$defs/n", "$defs": {"n": {"$anchor": "n", "anyOf": [{"type": "null"}, {"items": {"$ref": "#n"}, "type": "array"}]}}}),
    );
    assert_eq!(violations_of(&registry, "[[null],[]]"), [""; 0]);
    assert_eq!(violations_of(&registry, "[[null],[1]]"), ["properties.v anyOf"]);
}

#[test]
fn stored_numbers_are_no_longer_than_submitted() {
    let registry = form(
        "v: {type: json}\n    a: {type: array}\n    d: {type: decimal}\n    f: {type: float}\n    i: {type: integer}",
    );
    let codes = |properties: &str| match submit(&registry, properties) {
        Ok(aggregate) => aggregate.entity.as_user().unwrap().properties.clone().unwrap(),
        Err(violations) => violations
            .list
            .iter()
            .map(|it| format!("{} {}", it.path, it.code()))
            .collect::<Vec<_>>()
            .join("; "),
    };
    let plain = format!("1{}", "0".repeat(400));
    for (sent, stored) in [
        ("{\"v\":[1e3,-1.50,1E-2]}", "{\"v\":[1000,-1.5,0.01]}".to_owned()),
        ("{\"v\":1e39,\"d\":1e39}", format!("{{\"d\":1{0},\"v\":1{0}}}", "0".repeat(39))),
        ("{\"v\":[[1e400]]}", "properties.v number_too_long".to_owned()),
        ("{\"v\":{\"a\":1e-100}}", "properties.v number_too_long".to_owned()),
        ("{\"a\":[1e40]}", "properties.a number_too_long".to_owned()),
        (
            "{\"d\":\"1e400\",\"f\":1e300}",
            "properties.d number_too_long; properties.f number_too_long".to_owned(),
        ),
        ("{\"i\":1e18}", "{\"i\":1000000000000000000}".to_owned()),
        (&*format!("{{\"v\":{plain},\"d\":{plain}}}"), format!("{{\"d\":{plain},\"v\":{plain}}}")),
    ] {
        assert_eq!(codes(sent), stored, "{sent}");
    }
    let many = format!("{{\"v\":[{}0]}}", "1e400,".repeat(10_000));
    assert_eq!(codes(&many), "properties.v number_too_long");
}

#[test]
fn computed_value_size_is_bounded() {
    const FORM: &str = "resource: User
fields:
  name: {validation: {presence: false}}
  first_name:
  properties:
    list: {type: array}
    sole: {property_options: {default: \"{{ DEFAULT }}\"}}
    many: {type: json}
default_payload: {properties: {many: [\"{{ PAYLOAD }}\", \"{{ PAYLOAD }}\", \"{{ PAYLOAD }}\", \"{{ PAYLOAD }}\", \"{{ PAYLOAD }}\", \"{{ PAYLOAD }}\"]}}
";
    let texts = [
        "form.name | replace('a', form.first_name)",
        "form.name | split('') | join(form.first_name)",
        "form.properties.list | join(form.first_name)",
        "form.name | append(form.name) | append(form.name) | append(form.name)",
        "form.name | prepend(form.name) | prepend(form.name) | replace('a', 'aaaaaaaaa')",
        "form.name ~ form.name ~ form.name ~ form.name",
        "form.name | split('')",
        "[form.name, form.name, form.name, form.name, form.name, form.name]",
        "{'a': form.name, 'b': [form.name, form.name, form.name]}",
        "form.name * 50",
    ];
    for text in texts {
        for (default, payload) in [(text, "1"), ("1", text)] {
            let form = FORM.replace("DEFAULT", default).replace("PAYLOAD", payload);
            let Ok(registry) = compile(&[source("form.yml", &form)]) else { continue };
            for size in [10, 1_000, 20_000, 60_000] {
                let long = "a".repeat(size);
                let body = format!(
                    "{{\"name\":\"{long}\",\"first_name\":\"{long}\",\"properties\":{{\"list\":[{}0]}}}}",
                    "0,".repeat(size / 20)
                );
                let value = json::parse(body.as_bytes()).unwrap();
                let started = Instant::now();
                let judged = registry.form("form").unwrap().apply(value, &EvalContext::default());
                assert!(started.elapsed() < MAX_VALIDATION_TIME, "{text}");
                if let Ok(user) = judged {
                    let most = body.len() + 300_000;
                    assert!(user.weight() < most, "{text} of {size}: {}", user.weight());
                    let properties: Value = serde_json::from_str(
                        user.entity.as_user().unwrap().properties.as_deref().unwrap(),
                    )
                    .unwrap();
                    assert!(properties["sole"].to_string().len() < 70_000, "{text} of {size}");
                }
            }
        }
    }
}
