//! Writes the JSON Schema of form files, for completion, hover texts and validation in editors. It
//! is written to `docs/form.schema.json`.

use serde_json::{Map, Value, json};
use strum::VariantNames;

use super::{field, metadata};
use crate::built_ins::Container;
use crate::fields::FieldType;
use crate::form::NaturalKey;
use crate::form::Normalizer;
use crate::record_kind::RecordKind;
use crate::rules::{COMMON_OPTIONS, RULES, Rule, RuleOption};

/// Descriptions of the keys of a form. Every key in [`metadata::KEYS`] has one.
const OF_FORMS: &[(&str, &str)] = &[
    (
        "name",
        "Name by which clients select the form; default: the file's path without its extension.",
    ),
    ("resource", "Resource that submissions create or update: User, Transactable, …"),
    ("base_form", "platformOS' name of `resource`: UserForm, TransactableForm, …"),
    ("type", "Type of its records; users and sessions have none."),
    (
        "resource_owner",
        "`anyone`: the form may update stored records (PUT), regardless of their owner.",
    ),
    ("description", "Purpose of the form, for human readers."),
    ("unknown_fields", "Whether keys that the form does not list are rejected or ignored."),
    (
        "idempotency",
        "Field whose value identifies a repeated submission, which is then executed only once.",
    ),
    (
        "privileged",
        "Whether the form may list protected fields, such as permissions and owners; only trusted tokens may use it.",
    ),
    ("enumeration", "`strict`: responses do not reveal whether a value is taken."),
    ("fields", "Fields that clients may submit."),
    ("configuration", "platformOS' name of `fields`."),
    ("extends", "Base form or forms; keys of this form override theirs."),
    ("definitions", "Reusable fragments, included with `use:`."),
    ("rules", "Rules on several fields."),
    (
        "default_payload",
        "Values that the server sets in each submission; they override submitted values.",
    ),
    ("examples", "Submissions and their expected results; run by `registrar check`."),
];

/// Descriptions of the keys of a field. Every key in [`field::KEYS`] has one.
const OF_FIELDS: &[(&str, &str)] = &[
    ("type", "Type of the field, if it is neither built in nor declared by a type."),
    ("normalize", "Normalization of strings before validation."),
    ("validation", "Rules for the value."),
    ("if", "Expression; if it is false, the field is neither validated nor stored."),
    ("unless", "Expression; if it is true, the field is neither validated nor stored."),
    ("schema", "JSON Schema 2020-12 that the value must match."),
    (
        "property_options",
        "Default value, and whether the field is read-only, virtual, public or private.",
    ),
    ("description", "Purpose of the field, for human readers."),
    ("use", "Definitions to include here."),
];

/// Returns the JSON Schema of form files.
#[must_use]
pub fn form_format() -> Value {
    let mut defs = Map::new();
    for rule in RULES {
        defs.insert(format!("rule_{}", rule.name), of_rule(rule));
    }
    defs.insert("validation".to_owned(), validation());
    defs.insert("field".to_owned(), of_field());
    defs.insert("condition".to_owned(), json!({ "type": ["string", "boolean"] }));
    for kind in RecordKind::ALL {
        defs.insert(name_of(kind), record(kind));
    }
    defs.insert("example".to_owned(), example());
    defs.insert("assertion".to_owned(), assertion());
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A form of Registrar",
        "type": "object",
        "properties": of_form(),
        "anyOf": [
            { "required": ["resource"] },
            { "required": ["base_form"] },
            { "required": ["extends"] },
        ],
        "$defs": defs,
    })
}

fn reference(to: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{to}") })
}

fn name_of(kind: RecordKind) -> String {
    format!("record_{}", kind.record_name())
}

/// Returns the schema of each key, with its description.
fn keys(known: &[&str], texts: &[(&str, &str)], of: impl Fn(&str) -> Value) -> Map<String, Value> {
    let with_text = |key: &&str| {
        let mut schema = of(key);
        if let Some((_, text)) = texts.iter().find(|(name, _)| name == key) {
            schema["description"] = (*text).into();
        }
        ((*key).to_owned(), schema)
    };
    known.iter().map(with_text).collect()
}

fn of_form() -> Map<String, Value> {
    let texts = json!({ "type": ["string", "array"], "items": { "type": "string" } });
    let mut properties = keys(metadata::KEYS, OF_FORMS, |key| match key {
        "resource_owner" => json!({ "enum": ["anyone"] }),
        "unknown_fields" => json!({ "enum": ["reject", "ignore"] }),
        "enumeration" => json!({ "enum": ["strict", "open"] }),
        "privileged" => json!({ "type": "boolean" }),
        "idempotency" => json!({ "enum": NaturalKey::VARIANTS }),
        "resource" => {
            json!({ "type": "string", "examples": RecordKind::RESOURCES.map(RecordKind::resource_name) })
        }
        "base_form" => {
            json!({ "type": "string", "examples": RecordKind::RESOURCES.map(RecordKind::form_name) })
        }
        "fields" | "configuration" => {
            let records = RecordKind::RESOURCES.map(|resource| reference(&name_of(resource)));
            json!({ "anyOf": records })
        }
        "extends" => texts.clone(),
        "definitions" => json!({ "type": "object" }),
        "rules" => json!({ "type": "array", "items": reference("assertion") }),
        "default_payload" => json!({ "type": ["object", "string", "null"] }),
        "examples" => json!({ "type": "array", "items": reference("example") }),
        _ => json!({ "type": "string" }),
    });
    let aside = json!({ "description": "Ignored by Registrar." });
    let aside_keys = metadata::IGNORED_KEYS.iter().chain(metadata::POLICIES);
    properties.extend(aside_keys.map(|key| ((*key).to_owned(), aside.clone())));
    properties
}

fn of_field() -> Value {
    let types: Vec<&str> = FieldType::ALL.iter().map(|known| known.name()).collect();
    let normalizers = Normalizer::VARIANTS;
    let properties = keys(field::KEYS, OF_FIELDS, |key| match key {
        "type" => json!({ "enum": types }),
        "normalize" => json!({
            "anyOf": [
                { "enum": normalizers },
                { "type": "array", "items": { "enum": normalizers } },
            ],
        }),
        "validation" => reference("validation"),
        "if" | "unless" => reference("condition"),
        "property_options" => json!({
            "type": ["object", "null"],
            "properties": {
                "default": { "description": "Value if the field is not submitted; may be computed: {{ form.name }}." },
                "readonly": {
                    "type": "boolean",
                    "description": "Submitted values are ignored; the default applies.",
                },
                "virtual": { "type": "boolean", "description": "Validated, not stored." },
                "public": {
                    "type": "boolean",
                    "description": "Any client may set the field, even if its name is protected.",
                },
                "private": {
                    "type": "boolean",
                    "description": "Only tokens with the scope `private` see the stored value.",
                },
            },
            "additionalProperties": false,
        }),
        "description" => json!({ "type": "string" }),
        _ => json!({}),
    });
    json!({ "type": ["object", "null"], "properties": properties, "additionalProperties": false })
}

fn validation() -> Value {
    let mut properties = Map::new();
    for rule in RULES {
        for name in [rule.name].iter().chain(rule.aliases) {
            properties.insert((*name).to_owned(), reference(&format!("rule_{}", rule.name)));
        }
    }
    json!({ "type": ["object", "null"], "properties": properties, "additionalProperties": false })
}

/// Returns the schema of a rule. It describes options given as a mapping and accepts any other
/// shape.
fn of_rule(rule: &Rule) -> Value {
    let mut options = Map::new();
    for RuleOption { name, aliases, takes, summary, .. } in
        rule.options.iter().chain(COMMON_OPTIONS)
    {
        for name in [*name].iter().chain(*aliases) {
            let text = format!("{summary} Takes {takes}.");
            options.insert((*name).to_owned(), json!({ "description": text }));
        }
    }
    let mut schema = json!({ "description": rule.summary });
    // The value of the rule `schema` is itself a JSON Schema.
    if rule.name != "schema" {
        schema["properties"] = options.into();
        schema["additionalProperties"] = (rule.name.starts_with("required_if")
            || rule.name.starts_with("required_unless")
            || rule.name == "prohibited_if")
            .into();
    }
    schema
}

/// Returns the schema of a record: its built-in fields, its containers, and virtual fields under
/// other names.
fn record(kind: RecordKind) -> Value {
    let mut properties = Map::new();
    for built_in in kind.built_ins().iter().chain(kind.parent_fields()) {
        properties.insert(built_in.name.to_owned(), reference("field"));
    }
    for container in kind.containers() {
        properties.insert(container.name().to_owned(), held(*container));
    }
    for key in ["validation", "if", "unless", "use"] {
        let schema = match key {
            "validation" => reference("validation"),
            "use" => json!({}),
            _ => reference("condition"),
        };
        properties.entry(key.to_owned()).or_insert(schema);
    }
    properties
        .entry("description".to_owned())
        .or_insert(json!({ "type": ["string", "object", "null"] }));
    json!({
        "type": ["object", "null"],
        "properties": properties,
        "additionalProperties": reference("field"),
    })
}

fn held(container: Container) -> Value {
    let each =
        container.holds().map_or_else(|| reference("field"), |kind| reference(&name_of(kind)));
    json!({
        "type": ["object", "null"],
        "properties": {
            "validation": reference("validation"),
            "if": reference("condition"),
            "unless": reference("condition"),
            "description": { "type": ["string", "object", "null"] },
            "use": {},
        },
        "additionalProperties": each,
    })
}

fn assertion() -> Value {
    json!({
        "type": "object",
        "required": ["assert"],
        "properties": {
            "id": { "type": "string", "description": "Code of the violation." },
            "assert": { "$ref": "#/$defs/condition", "description": "Expression that must be true." },
            "field": { "type": "string", "description": "Field that the violation is reported for; default: `base`." },
            "message": { "description": "Message of the violation." },
            "if": reference("condition"),
            "unless": reference("condition"),
        },
        "additionalProperties": false,
    })
}

fn example() -> Value {
    json!({
        "type": "object",
        "required": ["expect"],
        "properties": {
            "name": { "type": "string", "description": "What the example demonstrates." },
            "from": { "type": "string", "description": "Earlier example to extend; keys of this example override its keys." },
            "form": { "type": ["object", "null"], "description": "Submitted values." },
            "now": { "type": "string", "description": "Current time, as an RFC 3339 timestamp." },
            "token": { "type": "string", "description": "Name of the token of the request." },
            "records": { "type": "array", "description": "Stored records, as submissions to the form; only in a form for records." },
            "users": { "type": "array", "description": "Stored users, as submissions to the form; only in a form for users." },
            "stored": { "type": "object", "description": "Stored user or record that the example updates." },
            "relationships": { "type": "array", "description": "Ids and keys of existing relationships; default: all referenced relationships exist." },
            "expect": {
                "description": "`valid`, or fields with the codes of their violations.",
                "anyOf": [{ "const": "valid" }, { "type": "object" }],
            },
        },
        "additionalProperties": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_key_has_a_description() {
        for (keys, descriptions) in [(metadata::KEYS, OF_FORMS), (field::KEYS, OF_FIELDS)] {
            for key in keys {
                assert!(
                    descriptions.iter().any(|(name, _)| name == key),
                    "`{key}` has no description"
                );
            }
        }
    }
}
