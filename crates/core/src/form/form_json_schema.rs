//! The JSON Schema of the form format itself, for editors: completion, hover texts, and a first
//! check while typing. Rendered into `docs/form.schema.json`.

use serde_json::{Map, Value, json};

use super::{NaturalKey, Resource, field, metadata};
use crate::fields::FieldType;
use crate::form::Normalizer;
use crate::record_kind::{Container, Kind};
use crate::rules::{COMMON_OPTIONS, RULES, Rule, RuleOption};

/// What each key of a form is for; the keys themselves are those that are read.
const OF_FORMS: &[(&str, &str)] = &[
    ("name", "What clients call it; without it, the file's path without its extension."),
    ("resource", "What its submissions become: User, Transactable, …"),
    ("base_form", "platformOS' word for `resource`: UserForm, TransactableForm, …"),
    ("type", "The type that its records are of; users and sessions have none."),
    ("resource_owner", "`anyone`: the form may change what is stored (PUT), whoever owns it."),
    ("description", "What it is for, for people."),
    ("unknown_fields", "Whether keys that it does not list are refused or ignored."),
    ("idempotency", "The field by whose value the same submission, sent again, is done once."),
    (
        "privileged",
        "Whether it may list fields that decide what somebody may do, or whose something is.",
    ),
    ("enumeration", "`strict`: a value that is taken is answered as one that is not."),
    ("fields", "The fields that clients may send."),
    ("configuration", "platformOS' word for `fields`."),
    ("extends", "The form, or forms, that this one is laid over."),
    ("definitions", "Pieces to be put in by `use:`."),
    ("rules", "Rules across fields."),
    ("default_payload", "What the server adds to each submission; it wins."),
    ("examples", "Submissions and what must come of them; run by `registrar check`."),
];
/// The same of fields.
const OF_FIELDS: &[(&str, &str)] = &[
    ("type", "The type of a field that nothing else says the type of."),
    ("normalize", "What is done to texts before they are judged."),
    ("validation", "The rules that its value must keep."),
    ("if", "An expression; where it does not hold, the field is neither judged nor stored."),
    ("unless", "An expression; where it holds, the field is neither judged nor stored."),
    ("schema", "A JSON Schema 2020-12 that the value must keep."),
    ("property_options", "Its default; whether it is read-only; whether it is virtual."),
    ("description", "What it is for, for people."),
    ("use", "Definitions to be put in here."),
];

/// The schema.
#[must_use]
pub fn form_format() -> Value {
    let mut defs = Map::new();
    for rule in RULES {
        defs.insert(format!("rule_{}", rule.name), of_rule(rule));
    }
    defs.insert("validation".to_owned(), validation());
    defs.insert("field".to_owned(), of_field());
    defs.insert("condition".to_owned(), json!({ "type": ["string", "boolean"] }));
    for kind in Kind::ALL {
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

fn name_of(kind: Kind) -> String {
    format!("record_{}", kind.name().replace(' ', "_"))
}

/// The schemas of keys, each with what it is for.
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
        "idempotency" => json!({ "enum": NaturalKey::NAMES }),
        "resource" => json!({ "type": "string", "examples": Resource::ALL.map(Resource::name) }),
        "base_form" => {
            json!({ "type": "string", "examples": Resource::ALL.map(Resource::form_name) })
        }
        "fields" | "configuration" => {
            let records = Resource::ALL.map(|resource| reference(&name_of(resource.kind())));
            json!({ "anyOf": records })
        }
        "extends" => texts.clone(),
        "definitions" => json!({ "type": "object" }),
        "rules" => json!({ "type": "array", "items": reference("assertion") }),
        "default_payload" => json!({ "type": ["object", "string", "null"] }),
        "examples" => json!({ "type": "array", "items": reference("example") }),
        _ => json!({ "type": "string" }),
    });
    let aside = json!({ "description": "Left aside: Registrar has no use for it." });
    let aside_keys = metadata::IGNORED_KEYS.iter().chain(metadata::POLICIES);
    properties.extend(aside_keys.map(|key| ((*key).to_owned(), aside.clone())));
    properties
}

fn of_field() -> Value {
    let types: Vec<&str> = FieldType::ALL.iter().map(|known| known.name()).collect();
    let normalizers = Normalizer::NAMES;
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
                "default": { "description": "For fields not sent; may be computed: {{ form.name }}." },
                "readonly": {
                    "type": "boolean",
                    "description": "What clients send is ignored; the default counts.",
                },
                "virtual": { "type": "boolean", "description": "Judged, not stored." },
                "public": {
                    "type": "boolean",
                    "description": "Any client may set the field, although its name is protected.",
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

/// Options of a rule as a mapping; what else it can be is the rule's own business.
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
    // The rule `schema` is a schema itself, whose keys are not ours.
    if rule.name != "schema" {
        schema["properties"] = options.into();
        schema["additionalProperties"] = (rule.name.starts_with("required_if")
            || rule.name.starts_with("required_unless")
            || rule.name == "prohibited_if")
            .into();
    }
    schema
}

/// A record: its built-in fields, what hangs on it, and virtual fields under other names.
fn record(kind: Kind) -> Value {
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
            "id": { "type": "string", "description": "The violation's code." },
            "assert": { "$ref": "#/$defs/condition", "description": "What must hold." },
            "field": { "type": "string", "description": "The field that is told; `base` without." },
            "message": { "description": "What it is told." },
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
            "name": { "type": "string", "description": "What it shows." },
            "from": { "type": "string", "description": "The example above that it is laid over." },
            "form": { "type": ["object", "null"], "description": "What a client would send." },
            "now": { "type": "string", "description": "The moment, as RFC 3339 has it." },
            "token": { "type": "string", "description": "The name of the caller's token." },
            "records": { "type": "array", "description": "The same, of forms for records." },
            "users": { "type": "array", "description": "Submissions that are stored already." },
            "stored": { "type": "object", "description": "The stored user that the example changes." },
            "relationships": { "type": "array", "description": "Ids and keys of relationships that are there." },
            "expect": {
                "description": "`valid`, or fields with the codes they get.",
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
    fn every_key_that_is_read_has_its_text() {
        for (known, texts) in [(metadata::KEYS, OF_FORMS), (field::KEYS, OF_FIELDS)] {
            for key in known {
                assert!(texts.iter().any(|(name, _)| name == key), "no text for `{key}`");
            }
        }
    }
}
