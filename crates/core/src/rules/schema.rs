//! `schema`: the value must be valid under a JSON Schema.

use jsonschema::error::ValidationErrorKind;
use jsonschema::paths::LocationSegment;
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value as Json;

use super::keywords::{Holds, MESSAGES, known, message_of, to_json};
use super::{Check, Compile, Judges, Report, Rule, RuleOption, Step, Subject};
use crate::config::{Data, Node, Place, ProblemCode, nearest};
use crate::fields::FieldType;
use crate::submission::shortened;
use crate::violation::MOST;

/// The most memory that one compiled pattern of a schema may take, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

pub(super) static RULE: Rule = Rule {
    name: "schema",
    aliases: &[],
    summary: "The value must be valid under a JSON Schema of draft 2020-12. Formats are asserted, \
              patterns take linear time, nothing is fetched. Each violation has the keyword as its \
              code and stands where it is inside the value. `schema:` of a field is this rule; a \
              mapping without the option `schema` is the schema itself.",
    options: &[RuleOption::new("schema", "a JSON Schema", "The schema.").taking_mappings()],
    main_option: Some("schema"),
    messages: MESSAGES,
    judges: Judges::VALUES,
    accepts: &[
        ("{type: object, maxProperties: 2}", "{\"a\": 1}"),
        ("{schema: {type: string, format: date}, allow_nil: true}", "null"),
        ("{items: {type: integer}}", "[1, 2]"),
    ],
    rejects: &[
        ("{type: object}", "[]", "type"),
        ("{minProperties: 1}", "{}", "minProperties"),
        ("{type: string, format: date}", "\"tomorrow\"", "format"),
        ("{items: {maximum: 5}}", "[1, 9]", "maximum"),
        ("{required: [name]}", "{}", "required"),
        ("{additionalProperties: false}", "{\"a\": 1}", "additionalProperties"),
    ],
    compile,
};

fn compile(compile: &mut Compile<'_, '_>) -> Option<Box<dyn Check>> {
    let Some(node) = compile.get("schema") else {
        compile.bad(compile.place, "`schema` holds no schema", "a JSON Schema");
        return None;
    };
    let before = compile.reader.problems.len();
    lint(compile, node);
    let schema = to_json(&node.to_value());
    for error in jsonschema::draft202012::meta::validator().iter_errors(&schema) {
        let place = place_of(node, error.instance_path().iter());
        refuse(compile, place, &format!("this is no schema: {error}"), None);
    }
    if compile.reader.problems.len() > before {
        return None;
    }
    let built = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        .with_pattern_options(PatternOptions::regex().size_limit(SIZE_LIMIT))
        .build(&schema);
    match built {
        Ok(validator) => Some(Box::new(Schema { validator, schema })),
        Err(error) => {
            let place = place_of(node, error.schema_path().iter());
            let inner = place_of(node, error.instance_path().iter());
            let place = place.max(inner);
            // The library goes on to advise its caller.
            let text = error.to_string();
            let text = text.split(". Adjust").next().unwrap_or_default();
            // The library says the same of what it cannot read and of what grows too large.
            let hint = text.ends_with("is not a \"regex\"").then(|| {
                let most = SIZE_LIMIT >> 20;
                format!("no look-around, no back-references, and at most {most} MiB when compiled")
            });
            refuse(compile, place, &format!("the schema cannot be used: {text}"), hint);
            None
        }
    }
}

fn refuse(compile: &mut Compile<'_, '_>, place: Place, what: &str, hint: Option<String>) {
    let expected = "a JSON Schema of draft 2020-12 without remote references";
    compile.reader.problems.add(ProblemCode::BadSchema, place, what, expected, hint);
}

/// Words that are no keywords: a schema would pass over them in silence.
fn lint(compile: &mut Compile<'_, '_>, node: &Node) {
    let Data::Map(entries) = &node.data else { return };
    for entry in entries {
        match (Holds::of(&entry.key), &entry.value.data) {
            (Some(Holds::Schema), _) => lint(compile, &entry.value),
            (Some(Holds::List), Data::List(items)) => {
                items.iter().for_each(|item| lint(compile, item));
            }
            (Some(Holds::Names), Data::Map(named)) => {
                named.iter().for_each(|entry| lint(compile, &entry.value));
            }
            (Some(_), _) => {}
            (None, _) => {
                let near = nearest(&entry.key, known());
                let hint = near.map(|near| format!("did you mean `{near}`?"));
                let what = format!("`{}` is no keyword of JSON Schema", entry.key);
                refuse(compile, entry.place, &what, hint);
            }
        }
    }
}

/// Where in the file the end of a pointer stands, or the nearest thing around it.
fn place_of<'l>(node: &Node, path: impl Iterator<Item = LocationSegment<'l>>) -> Place {
    let (mut node, mut place) = (node, node.place);
    for segment in path {
        let inner = match (&segment, &node.data) {
            (LocationSegment::Property(key), Data::Map(_)) => {
                node.get(key).map(|entry| (entry.place, &entry.value))
            }
            (LocationSegment::Index(index), Data::List(items)) => {
                items.get(*index).map(|item| (item.place, item))
            }
            _ => None,
        };
        let Some(inner) = inner else { break };
        (place, node) = inner;
    }
    place
}

#[derive(Debug)]
struct Schema {
    validator: Validator,
    schema: serde_json::Value,
}

impl Check for Schema {
    fn check(&self, subject: &Subject<'_, '_>, report: &mut Report<'_, '_>) {
        let value = to_json(subject.value());
        for error in self.validator.iter_errors(&value) {
            if report.is_full() {
                break;
            }
            let (message, params) = message_of(error.kind(), error.schema_path().as_str());
            let segments: Vec<LocationSegment<'_>> = error.instance_path().iter().collect();
            let keys: Vec<String> = segments.iter().map(key_of).collect();
            let path: Vec<Step<'_>> = segments
                .iter()
                .zip(&keys)
                .map(|(segment, key)| match segment {
                    LocationSegment::Property(_) => Step::Key(key),
                    LocationSegment::Index(index) => Step::Index(*index),
                })
                .collect();
            let unexpected: Vec<&String> = match error.kind() {
                ValidationErrorKind::AdditionalProperties { unexpected }
                | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                    unexpected.iter().collect()
                }
                // Where no entry at all is known, the library names none.
                ValidationErrorKind::FalseSchema if message.code == "additionalProperties" => {
                    let object = value.pointer(error.instance_path().as_str());
                    object
                        .and_then(Json::as_object)
                        .into_iter()
                        .flat_map(|map| map.keys())
                        .collect()
                }
                _ => Vec::new(),
            };
            if unexpected.is_empty() {
                report.fail_within(&path, message, params);
                continue;
            }
            // One for each, where it stands.
            for key in unexpected.into_iter().take(MOST) {
                let key = shortened(key);
                let path: Vec<Step<'_>> = path.iter().copied().chain([Step::Key(&key)]).collect();
                report.fail_within(&path, message, params.clone());
            }
        }
    }

    fn keywords(&self, of: FieldType) -> Option<serde_json::Value> {
        // It judges the coerced value; these types take everything as it is.
        let is_whole = matches!(of, FieldType::Any | FieldType::Json) && !refers(&self.schema);
        is_whole.then(|| self.schema.clone())
    }
}

/// Whether a schema refers to parts of itself, which are elsewhere once it is within another one.
fn refers(schema: &Json) -> bool {
    match schema {
        Json::Object(entries) => {
            let is_reference = |key: &str| {
                ["$ref", "$dynamicRef", "$anchor", "$dynamicAnchor", "$id"].contains(&key)
            };
            entries.iter().any(|(key, value)| is_reference(key) || refers(value))
        }
        Json::Array(items) => items.iter().any(refers),
        _ => false,
    }
}

/// A key of the client's, fit to be repeated to it.
fn key_of(segment: &LocationSegment<'_>) -> String {
    match segment {
        LocationSegment::Property(key) => shortened(key),
        LocationSegment::Index(_) => String::new(),
    }
}
