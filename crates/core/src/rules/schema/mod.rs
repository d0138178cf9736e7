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
use crate::violation::Params;

/// How many steps judging a value may take for each of its bytes. A step is the application of one
/// schema to one value, or as much work.
const STEPS_PER_BYTE: u64 = 16;

pub(super) static RULE: Rule = Rule {
    name: "schema",
    aliases: &[],
    summary: "The value must be valid under a JSON Schema of draft 2020-12. Formats are asserted, \
              patterns take linear time, nothing is fetched. A value that would take more than \
              16 steps for each of its bytes is refused with the code `schema`; a schema must not \
              refer to itself without going into the value, nor hold schemas with an `$id` of \
              their own. Each violation has the keyword as its \
              code and stands where it is inside the value. `schema:` of a field is this rule; a \
              mapping without the option `schema` is the schema itself.",
    options: &[RuleOption::new("schema", "a JSON Schema", "The schema.").taking_mappings()],
    main_option: Some("schema"),
    messages: MESSAGES,
    judges: Applicability::VALUES,
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
    let built = compiler::options().build(&schema);
    match built {
        Ok(_) => match compiler::compile(&schema) {
            Ok(program) => Some(Box::new(SchemaRule { program, schema })),
            Err(InvalidSchema { pointer, what, hint }) => {
                let segments = pointer.split('/').skip(1).map(unescaped);
                let segments: Vec<String> = segments.collect();
                let place = place_at(node, segments.iter().map(String::as_str));
                refuse(compile, place, &what, Some(hint));
                None
            }
        },
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

fn refuse(compile: &mut CompileContext<'_, '_>, place: Location, what: &str, hint: Option<String>) {
    let expected = "a JSON Schema of draft 2020-12 without remote references";
    compile.reader.problems.add(ProblemCode::BadSchema, place, what, expected, hint);
}

/// Words that are no keywords: a schema would pass over them in silence.
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
                let what = format!("`{}` is no keyword of JSON Schema", entry.key);
                refuse(compile, entry.place, &what, hint);
            }
        }
    }
}

/// A part of a JSON pointer without its escapes.
fn unescaped(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

/// Where in the file the end of a path stands, or the nearest thing around it.
fn place_of<'l>(node: &Node, path: impl Iterator<Item = LocationSegment<'l>>) -> Location {
    let keys: Vec<String> = path
        .map(|segment| match segment {
            LocationSegment::Property(key) => key.to_string(),
            LocationSegment::Index(index) => index.to_string(),
        })
        .collect();
    place_at(node, keys.iter().map(String::as_str))
}

fn place_at<'k>(node: &Node, path: impl Iterator<Item = &'k str>) -> Location {
    let (mut node, mut place) = (node, node.place);
    for key in path {
        let inner = match &node.data {
            Data::Map(_) => node.get(key).map(|entry| (entry.place, &entry.value)),
            Data::List(items) => {
                let item = key.parse::<usize>().ok().and_then(|index| items.get(index));
                item.map(|item| (item.place, item))
            }
            _ => None,
        };
        let Some(inner) = inner else { break };
        (place, node) = inner;
    }
    place
}

#[derive(Debug)]
struct SchemaRule {
    program: SchemaProgram,
    schema: serde_json::Value,
}

impl Check for SchemaRule {
    fn check(&self, subject: &RuleInput<'_, '_>, report: &mut Reporter<'_, '_>) {
        let value = subject.value();
        // What one value does not need of the steps that all may take, the next may.
        let own = (value.weight() as u64).saturating_mul(STEPS_PER_BYTE);
        let shared = std::mem::take(&mut report.outcome.schema_steps);
        let mut run = SchemaRun::new(&self.program, own.saturating_add(shared));
        let verdict = run.is_valid(self.program.root, value);
        report.outcome.schema_steps = run.left.min(shared);
        match verdict {
            Ok(true) => {}
            Ok(false) if report.is_full() => report.fail(&TOO_COMPLEX, Params::new()),
            Ok(false) => {
                let shared = std::mem::take(&mut report.outcome.schema_steps);
                run.left = own.saturating_add(shared);
                let left = SchemaReporter::new(run, report).report(self.program.root, value);
                report.outcome.schema_steps = left.min(shared);
            }
            Err(_) => report.fail(&TOO_COMPLEX, Params::new()),
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
