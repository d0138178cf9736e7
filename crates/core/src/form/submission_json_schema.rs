//! Writes the JSON Schema 2020-12 of a form's submissions. The form refuses everything that the
//! schema refuses; rules that JSON Schema cannot express are listed in its `$comment`.

use serde_json::{Map, Value, json};

use super::{Field, FieldBody, Form, Group, ScalarField};
use crate::fields::FieldType;
use crate::rules::BoundRule;

/// JSON Schema dialect.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

impl Form {
    /// Returns the JSON Schema of the value that clients submit as `form`.
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
        // The default payload replaces these fields, so the client's values can be missing or
        // wrong.
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
                let comment = format!(
                    "Also validated, but not expressed here: {}",
                    writer.left_out.join("; ")
                );
                schema.insert("$comment".to_owned(), comment.into());
            }
        }
        schema
    }
}

struct SchemaWriter {
    refuses_unknown: bool,
    /// Whether the form may update: missing fields may be stored, and records may be named by `id`.
    may_update: bool,
    /// Rules that JSON Schema cannot express, by field.
    left_out: Vec<String>,
}

impl SchemaWriter {
    /// Returns the schema of an object; `is_always_validated` if it is validated even without
    /// submitted values.
    fn group(
        &mut self,
        group: &Group,
        path: &str,
        given: &[&str],
        is_always_validated: bool,
    ) -> Value {
        let (mut properties, mut both) = (Map::new(), Vec::new());
        let (mut demands, mut scalars) = (Vec::new(), Vec::new());
        for field in &group.fields {
            let name = &*field.name;
            let inner = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            // Conditions depend on other fields, which the schema of one field cannot express.
            let is_open = !field.conditions.is_empty() || given.contains(&name);
            if is_open {
                self.left_out.push(format!("{inner} (its condition, or the default payload)"));
            }
            let schema =
                if is_open { json!({}) } else { self.field(field, &inner, is_always_validated) };
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
                    // If both keys are submitted, the first one is used and the other is ignored.
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
        match (demands.is_empty(), is_always_validated) {
            (true, _) => {}
            (false, true) => both.extend(demands),
            // A nested form is active if one of its scalars is submitted.
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

    fn field(&mut self, field: &Field, path: &str, is_enclosing_always_validated: bool) -> Value {
        match &field.body {
            FieldBody::Scalar(scalar) => self.scalar(field, scalar, path),
            FieldBody::Container(group) => {
                self.exclude(&field.rules, path, &["presence"]);
                // A container of records is validated whenever the enclosing record is.
                let holds_records =
                    group.fields.iter().all(|f| !matches!(f.body, FieldBody::Scalar(_)));
                let is_always_validated = is_enclosing_always_validated && holds_records;
                nullable(self.group(group, path, &[], is_always_validated))
            }
            FieldBody::Record(group) => {
                self.exclude(&field.rules, path, &["presence"]);
                nullable(self.group(group, path, &[], false))
            }
            FieldBody::Records(group) => {
                self.exclude(&field.rules, path, &["presence"]);
                let mut one = nullable(self.group(group, path, &[], false));
                if self.may_update && group.index_of("id").is_none() {
                    one["properties"]["id"] = json!({ "type": ["integer", "string", "null"] });
                }
                // One object, a list, or an object whose keys are non-negative integers.
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
            // Rules apply to the normalised value; only `presence` can be checked on the submitted
            // one.
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
            // A null or empty password keeps the stored one.
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

/// Adds the values that `allow_nil` and `allow_blank` permit to a rule's keywords.
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

/// Returns the JSON types that a field accepts: those that can be coerced, and null.
pub fn types(of: FieldType) -> Value {
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

/// Returns whether the form refuses submissions without the field.
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
