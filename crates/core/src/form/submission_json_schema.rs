//! A form's submissions as a JSON Schema 2020-12: what it refuses the form refuses, not always the
//! other way round. What it has no words for is listed in its `$comment`.

use serde_json::{Map, Value, json};

use super::{Field, FieldBody, Form, Group, ScalarField};
use crate::fields::FieldType;
use crate::rules::BoundRule;

/// The dialect.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

impl Form {
    /// The JSON Schema of what clients submit as `form`.
    #[must_use]
    pub fn submission_schema(&self) -> Value {
        let mut writer = SchemaWriter {
            refuses_unknown: self.refuses_unknown,
            may_update: self.may_update,
            left_out: Vec::new(),
        };
        if !self.assertions.is_empty() {
            writer.left_out.push("rules across fields".to_owned());
        }
        // What the server adds may be what a client leaves out or gets wrong.
        let given: Vec<&str> = self
            .payload
            .iter()
            .flat_map(|payload| payload.0.iter().map(|(name, _)| name.as_str()))
            .collect();
        let mut schema = writer.group(&self.root, "", &given, true);
        if let Value::Object(schema) = &mut schema {
            schema.insert("$schema".to_owned(), DIALECT.into());
            schema.insert("title".to_owned(), (&*self.name).into());
            if let Some(description) = &self.description {
                schema.insert("description".to_owned(), (&**description).into());
            }
            if !writer.left_out.is_empty() {
                let comment =
                    format!("Judged too, but not said here: {}", writer.left_out.join("; "));
                schema.insert("$comment".to_owned(), comment.into());
            }
        }
        schema
    }
}

struct SchemaWriter {
    refuses_unknown: bool,
    /// What is left out may be stored, and records may be named by their id.
    may_update: bool,
    /// Rules that JSON Schema has no words for, by field.
    left_out: Vec<String>,
}

impl SchemaWriter {
    /// An object; `asked` where it is judged even if nothing of it is sent.
    fn group(&mut self, group: &Group, path: &str, given: &[&str], asked: bool) -> Value {
        let (mut properties, mut both) = (Map::new(), Vec::new());
        let (mut demands, mut scalars) = (Vec::new(), Vec::new());
        for field in &group.fields {
            let name = &*field.name;
            let inner = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            // What depends on other fields cannot be said of one.
            let is_open = !field.conditions.is_empty() || given.contains(&name);
            if is_open {
                self.left_out.push(format!("{inner} (its condition, or what the server adds)"));
            }
            let schema = if is_open { json!({}) } else { self.field(field, &inner, asked) };
            let is_demanded = !is_open && !self.may_update && is_required(field);
            if let FieldBody::Scalar(_) = field.body {
                scalars.push(json!({ "required": [name] }));
                if is_demanded {
                    demands.push(json!({ "required": [name] }));
                }
            } else {
                let attributes = format!("{name}_attributes");
                if is_demanded {
                    let either =
                        [json!({ "required": [name] }), json!({ "required": [attributes] })];
                    demands.push(json!({ "anyOf": either }));
                }
                if !self.refuses_unknown {
                    // Of two spellings sent at once the first counts and the other is ignored.
                    both.push(json!({
                        "if": { "not": { "required": [name, attributes] } },
                        "then": { "properties": { name: schema, attributes: schema } },
                    }));
                    continue;
                }
                properties.insert(attributes, schema.clone());
            }
            properties.insert(name.to_owned(), schema);
        }
        let mut schema = json!({ "type": "object", "properties": properties });
        if self.refuses_unknown {
            schema["additionalProperties"] = false.into();
        }
        match (demands.is_empty(), asked) {
            (true, _) => {}
            (false, true) => both.extend(demands),
            // A nested form is asked for by a value in it.
            (false, false) if !scalars.is_empty() => {
                schema["if"] = json!({ "anyOf": scalars });
                schema["then"] = json!({ "allOf": demands });
            }
            (false, false) => {}
        }
        if !both.is_empty() {
            schema["allOf"] = both.into();
        }
        schema
    }

    fn field(&mut self, field: &Field, path: &str, around_asked: bool) -> Value {
        match &field.body {
            FieldBody::Scalar(scalar) => self.scalar(field, scalar, path),
            FieldBody::Container(group) => {
                self.exclude(&field.rules, path, &["presence"]);
                // The records in it are judged wherever the record around them is.
                let holds_records =
                    group.fields.iter().all(|f| !matches!(f.body, FieldBody::Scalar(_)));
                let asked = around_asked && holds_records;
                nullable(self.group(group, path, &[], asked))
            }
            FieldBody::Node(group) => {
                self.exclude(&field.rules, path, &["presence"]);
                nullable(self.group(group, path, &[], false))
            }
            FieldBody::List(group) => {
                self.exclude(&field.rules, path, &["presence"]);
                let mut one = nullable(self.group(group, path, &[], false));
                if self.may_update && group.index_of("id").is_none() {
                    one["properties"]["id"] = json!({ "type": ["integer", "string", "null"] });
                }
                // One object, a list, or an object whose keys are whole numbers.
                let hash = json!({
                    "type": "object",
                    "propertyNames": { "pattern": "^[0-9]+$" },
                    "additionalProperties": one,
                });
                json!({ "anyOf": [one, { "type": "array", "items": one }, hash] })
            }
        }
    }

    fn scalar(&mut self, field: &Field, scalar: &ScalarField, path: &str) -> Value {
        if scalar.readonly {
            return json!({ "readOnly": true });
        }
        let mut parts = vec![json!({ "type": types(scalar.field_type) })];
        for rule in &field.rules {
            // A normalised value is not the one that was sent; only what is there stays so.
            let is_judged_as_sent = scalar.normalize.is_empty() || rule.rule.name == "presence";
            let keywords = rule.check.keywords(scalar.field_type);
            match keywords.filter(|_| is_judged_as_sent && rule.conditions.is_empty()) {
                Some(Value::Object(keywords)) if keywords.is_empty() => {}
                Some(keywords) => parts.push(exclude_rule(rule, keywords)),
                None => self.left_out.push(format!("{path} {}", rule.rule.name)),
            }
        }
        let mut schema = match parts.len() {
            1 => parts.swap_remove(0),
            _ => {
                let mut schema = parts.remove(0);
                schema["allOf"] = parts.into();
                schema
            }
        };
        if let Some(default) = &scalar.default
            && let Ok(default) = serde_json::to_value(default)
        {
            schema["default"] = default;
        }
        if field.is_secret && self.may_update {
            // Nothing keeps the password that is stored.
            schema = json!({ "anyOf": [{ "enum": [null, ""] }, schema] });
        }
        if field.is_secret {
            schema["writeOnly"] = true.into();
        }
        schema
    }

    fn exclude(&mut self, rules: &[BoundRule], path: &str, said: &[&str]) {
        for rule in rules.iter().filter(|rule| !said.contains(&rule.rule.name)) {
            self.left_out.push(format!("{path} {}", rule.rule.name));
        }
    }
}

/// What `allow_nil` and `allow_blank` let pass.
fn exclude_rule(rule: &BoundRule, keywords: Value) -> Value {
    if rule.allow_blank {
        let blank = json!({
            "enum": [null, false, [], {}],
        });
        return json!({ "anyOf": [blank, { "type": "string", "pattern": "^\\s*$" }, keywords] });
    }
    if rule.allow_nil {
        return json!({ "anyOf": [{ "type": "null" }, keywords] });
    }
    keywords
}

/// The JSON types that a field takes: what coerces, and nothing.
pub(crate) fn types(of: FieldType) -> Value {
    match of {
        FieldType::Any | FieldType::Json => {
            json!(["array", "boolean", "null", "number", "object", "string"])
        }
        FieldType::String | FieldType::Text => json!(["string", "number", "null"]),
        FieldType::Integer | FieldType::Float | FieldType::Decimal => {
            json!(["number", "string", "null"])
        }
        FieldType::Boolean => json!(["boolean", "string", "number", "null"]),
        FieldType::Date | FieldType::Datetime | FieldType::Time => json!(["string", "null"]),
        FieldType::Array => json!(["array", "string", "null"]),
    }
}

/// Whether the form refuses submissions without the field.
fn is_required(field: &Field) -> bool {
    let is_filled = match &field.body {
        FieldBody::Scalar(scalar) => {
            scalar.readonly || scalar.default.is_some() || scalar.computed.is_some()
        }
        _ => false,
    };
    let is_presence = |rule: &BoundRule| {
        rule.rule.name == "presence"
            && rule.conditions.is_empty()
            && !rule.allow_nil
            && !rule.allow_blank
    };
    !is_filled && field.rules.iter().any(is_presence)
}

fn nullable(mut schema: Value) -> Value {
    schema["type"] = json!(["object", "null"]);
    schema
}
