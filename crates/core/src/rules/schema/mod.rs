//! `schema`: the value must be valid under a JSON Schema.

mod assertions;
mod compiler;
mod evaluate;
mod messages;
mod program;
mod report;

use jsonschema::paths::LocationSegment;
use serde_json::Value as Json;

use self::compiler::SIZE_LIMIT;
use self::evaluate::SchemaRun;
use self::messages::{KeywordShape, MESSAGES, TOO_COMPLEX, known, to_json};
use self::program::{InvalidSchema, SchemaProgram};
use self::report::SchemaReporter;
use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput, RuleOption};
use crate::config::{Data, Location, Node, ProblemCode, nearest};
use crate::fields::FieldType;
use crate::messages::Params;

/// Number of validation steps allowed per byte of a value. A step is the application of one schema
/// to one value, or work of about that size.
const STEPS_PER_BYTE: u64 = 16;

pub(super) static RULE: Rule = Rule {
    name: "schema",
    aliases: &[],
    summary: "The value must be valid against a JSON Schema (draft 2020-12). The keyword `format` \
              is asserted, patterns are matched in linear time, and remote references are not \
              supported. A value whose validation would take more than 16 steps per byte is \
              rejected with the code `schema`. A schema must not refer to itself without \
              descending into the value, and its subschemas must not have an `$id`. Each violation \
              has the keyword as its code and the path of the invalid part of the value. The key \
              `schema:` of a field is the same rule. A mapping without the option `schema` is the \
              schema itself.",
    options: &[RuleOption::new("schema", "a JSON Schema", "The schema.").taking_mappings()],
    main_option: Some("schema"),
    messages: MESSAGES,
    applies_to: Applicability::VALUES,
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

fn compile(compile: &mut CompileContext<'_, '_>) -> Option<Box<dyn Check>> {
    let Some(node) = compile.get("schema") else {
        compile.bad(compile.location, "`schema` has no schema", "a JSON Schema");
        return None;
    };
    let before = compile.reader.problems.len();
    lint(compile, node);
    let schema = to_json(&node.to_value());
    for error in jsonschema::draft202012::meta::validator().iter_errors(&schema) {
        let location = location_of(node, error.instance_path().iter());
        refuse(compile, location, &format!("this is not a valid JSON Schema: {error}"), None);
    }
    if compile.reader.problems.len() > before {
        return None;
    }
    let built = compiler::options().build(&schema);
    match built {
        Ok(_) => match compiler::compile(&schema) {
            Ok(program) => Some(Box::new(SchemaRule { program, schema })),
            Err(InvalidSchema { pointer, what, hint }) => {
                let segments = pointer.split('/').skip(1).map(unescaped);
                let segments: Vec<String> = segments.collect();
                let location = location_at(node, segments.iter().map(String::as_str));
                refuse(compile, location, &what, Some(hint));
                None
            }
        },
        Err(error) => {
            let location = location_of(node, error.schema_path().iter());
            let inner = location_of(node, error.instance_path().iter());
            let location = location.max(inner);
            // The library appends advice for its callers.
            let text = error.to_string();
            let text = text.split(". Adjust").next().unwrap_or_default();
            // The library reports unsupported and too large patterns alike.
            let hint = text.ends_with("is not a \"regex\"").then(|| {
                let most = SIZE_LIMIT >> 20;
                format!("no look-around, no back-references, and at most {most} MiB when compiled")
            });
            refuse(compile, location, &format!("the schema cannot be used: {text}"), hint);
            None
        }
    }
}

fn refuse(
    compile: &mut CompileContext<'_, '_>,
    location: Location,
    what: &str,
    hint: Option<String>,
) {
    let expected = "a JSON Schema of draft 2020-12 without remote references";
    compile.reader.problems.add(ProblemCode::BadSchema, location, what, expected, hint);
}

/// Reports unknown keywords, which JSON Schema ignores silently.
fn lint(compile: &mut CompileContext<'_, '_>, node: &Node) {
    let Data::Map(entries) = &node.data else { return };
    for entry in entries {
        match (KeywordShape::of(&entry.key), &entry.value.data) {
            (Some(KeywordShape::Schema), _) => lint(compile, &entry.value),
            (Some(KeywordShape::List), Data::List(items)) => {
                items.iter().for_each(|item| lint(compile, item));
            }
            (Some(KeywordShape::Names), Data::Map(named)) => {
                named.iter().for_each(|entry| lint(compile, &entry.value));
            }
            (Some(_), _) => {}
            (None, _) => {
                let near = nearest(&entry.key, known());
                let hint = near.map(|near| format!("did you mean `{near}`?"));
                let what = format!("`{}` is not a keyword of JSON Schema", entry.key);
                refuse(compile, entry.location, &what, hint);
            }
        }
    }
}

/// Returns a segment of a JSON pointer with its escapes decoded.
fn unescaped(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

/// Returns the location of the node at a path, or of its nearest existing ancestor.
fn location_of<'l>(node: &Node, path: impl Iterator<Item = LocationSegment<'l>>) -> Location {
    let keys: Vec<String> = path
        .map(|segment| match segment {
            LocationSegment::Property(key) => key.to_string(),
            LocationSegment::Index(index) => index.to_string(),
        })
        .collect();
    location_at(node, keys.iter().map(String::as_str))
}

fn location_at<'k>(node: &Node, path: impl Iterator<Item = &'k str>) -> Location {
    let (mut node, mut location) = (node, node.location);
    for key in path {
        let inner = match &node.data {
            Data::Map(_) => node.get(key).map(|entry| (entry.location, &entry.value)),
            Data::List(items) => {
                let item = key.parse::<usize>().ok().and_then(|index| items.get(index));
                item.map(|item| (item.location, item))
            }
            _ => None,
        };
        let Some(inner) = inner else { break };
        (location, node) = inner;
    }
    location
}

#[derive(Debug)]
struct SchemaRule {
    program: SchemaProgram,
    schema: serde_json::Value,
}

impl Check for SchemaRule {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        let value = input.value();
        // The value's own steps are spent first; unused shared steps remain for the next value.
        let own_steps = (value.weight() as u64).saturating_mul(STEPS_PER_BYTE);
        let shared = std::mem::take(&mut reporter.findings.schema_steps);
        let mut run = SchemaRun::new(&self.program, own_steps.saturating_add(shared));
        let verdict = run.is_valid(self.program.root, value);
        reporter.findings.schema_steps = run.left.min(shared);
        match verdict {
            Ok(true) => {}
            Ok(false) if reporter.is_full() => reporter.fail(&TOO_COMPLEX, Params::new()),
            Ok(false) => {
                let shared = std::mem::take(&mut reporter.findings.schema_steps);
                run.left = own_steps.saturating_add(shared);
                let left = SchemaReporter::new(run, reporter).report(self.program.root, value);
                reporter.findings.schema_steps = left.min(shared);
            }
            Err(_) => reporter.fail(&TOO_COMPLEX, Params::new()),
        }
    }

    fn keywords(&self, of: FieldType) -> Option<serde_json::Value> {
        // The rule validates the coerced value; only these types are never coerced.
        let is_whole = matches!(of, FieldType::Any | FieldType::Json) && !refers(&self.schema);
        is_whole.then(|| self.schema.clone())
    }
}

/// Returns whether a schema contains references or identifiers, which change their meaning when it
/// is embedded in another schema.
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
