//! Schemas and values for the tests of resource limits.

use serde_json::{Value, json};

/// Returns `inner`, nested to a depth.
pub(super) fn nested(depth: usize, open: &str, inner: &str, close: &str) -> String {
    format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
}

/// Returns a schema of rich text documents.
pub(super) fn rich_text() -> Value {
    let node = |kind: &str| {
        let content = json!({ "type": "array", "items": { "$ref": "#/$defs/node" } });
        let properties = json!({ "type": { "const": kind }, "content": content });
        json!({ "type": "object", "properties": properties, "required": ["type"] })
    };
    let text = json!({
        "type": "object",
        "properties": { "type": { "const": "text" }, "text": { "type": "string" } },
        "required": ["type"],
    });
    let union = json!([node("paragraph"), node("list"), node("quote"), text]);
    json!({ "$ref": "#/$defs/node", "$defs": { "node": { "oneOf": union } } })
}

/// Returns schemas with recursive unions, one per applicator.
pub(super) fn recursive_unions() -> Vec<(&'static str, Value)> {
    let own = json!({ "$ref": "#/$defs/t" });
    let branch = || json!({ "type": "object", "properties": { "a": own }, "required": ["a"] });
    let leaf = || json!({ "type": "object", "maxProperties": 0 });
    let named = |(name, schema): (&'static str, Value)| {
        (name, json!({ "$ref": "#/$defs/t", "$defs": { "t": schema } }))
    };
    let all = [
        ("any_of", json!({ "anyOf": [branch(), branch(), branch(), leaf()] })),
        ("one_of", json!({ "oneOf": [branch(), branch(), branch(), leaf()] })),
        ("not", json!({ "not": { "not": { "anyOf": [branch(), branch(), leaf()] } } })),
        ("when", json!({ "if": branch(), "then": branch(), "else": leaf() })),
        ("rest", json!({ "anyOf": [branch(), branch(), leaf()], "unevaluatedProperties": false })),
        (
            "names",
            json!({ "anyOf": [{ "patternProperties": { "^a": own }, "required": ["a"] }, { "additionalProperties": own, "required": ["a"] }, leaf()] }),
        ),
    ];
    all.into_iter().map(named).collect()
}

/// Returns a schema for each keyword that applies to values or their parts.
pub(super) fn keywords() -> Vec<Value> {
    let mut schemas = vec![
        json!({ "type": ["string", "null"] }),
        json!({ "enum": ["a", 1, [], { "a": 1 }] }),
        json!({ "const": { "a": [1, 2] } }),
        json!({ "multipleOf": 0.01 }),
        json!({ "items": { "multipleOf": 0.01 } }),
        json!({ "items": { "minimum": 5, "maximum": 9, "exclusiveMinimum": 1, "exclusiveMaximum": 100 } }),
        json!({ "minLength": 5, "maxLength": 10 }),
        json!({ "pattern": "^(a+)+$" }),
        json!({ "items": { "pattern": "(x+x+)+y" } }),
        json!({ "uniqueItems": true }),
        json!({ "items": { "uniqueItems": true } }),
        json!({ "maxItems": 5, "items": { "type": "object", "required": ["a", "b", "c"] } }),
        json!({ "prefixItems": [true, { "type": "string" }], "items": { "type": "integer" } }),
        json!({ "contains": { "const": "none" }, "minContains": 2, "maxContains": 3 }),
        json!({ "unevaluatedItems": { "type": "boolean" }, "contains": { "type": "integer" } }),
        json!({ "properties": { "k1": { "type": "integer" } }, "required": ["k1", "k2", "none"] }),
        json!({ "patternProperties": { "^k": { "type": "string" }, "1$": true, "(a+)+b": false } }),
        json!({ "additionalProperties": { "type": "string" }, "maxProperties": 10 }),
        json!({ "additionalProperties": false }),
        json!({ "propertyNames": { "maxLength": 2 } }),
        json!({ "propertyNames": { "pattern": "^(x+x+)+y$" } }),
        json!({ "unevaluatedProperties": false, "anyOf": [{ "properties": { "k1": true } }, { "properties": { "k2": true } }] }),
        json!({ "dependentRequired": { "k1": ["k2", "none"] } }),
        json!({ "dependentSchemas": { "k1": { "additionalProperties": { "type": "null" } } } }),
        json!({ "allOf": [{ "items": { "type": "string" } }, { "additionalProperties": { "type": "string" } }] }),
        json!({ "if": { "items": { "type": "string" } }, "then": { "maxItems": 1 }, "else": { "items": { "type": "null" } } }),
        json!({ "not": { "items": { "not": { "type": "null" } } } }),
        json!({ "items": { "oneOf": [{ "type": "string" }, { "type": "object", "required": ["z"] }, { "minimum": 1 }] } }),
        rich_text(),
    ];
    for format in ["date-time", "email", "uri", "uuid", "ipv6", "regex", "json-pointer", "hostname"]
    {
        schemas.push(json!({ "items": { "format": format }, "format": format }));
    }
    schemas.extend(recursive_unions().into_iter().map(|(_, schema)| schema));
    schemas
}

/// Returns JSON values of about this size, each expensive in a different way.
pub(super) fn values(bytes: usize) -> Vec<(&'static str, String)> {
    let list = |item: &str| {
        let count = bytes / (item.len() + 1);
        format!("[{}{item}]", format!("{item},").repeat(count))
    };
    let numbered = |before: &str, after: &str| {
        let count = bytes / (before.len() + after.len() + 7);
        let items: Vec<String> = (0..count).map(|nth| format!("{before}{nth:06}{after}")).collect();
        items.join(",")
    };
    vec![
        ("digits", list("1")),
        ("exponents", list("1e39")),
        ("far exponents", list("1e400")),
        ("fractions", list("0.1")),
        ("long numbers", list(&"7".repeat(400))),
        ("numbers", format!("[{}]", numbered("10000000000000000000000000", ""))),
        ("objects", list("{}")),
        ("lists", list("[]")),
        ("entries", format!("{{{}}}", numbered("\"k", "\":1"))),
        ("texts", format!("[{}]", numbered("\"x", "\""))),
        ("empty texts", list("\"\"")),
        ("escapes", format!("\"{}\"", "\\u0001".repeat(bytes / 6))),
        ("a text", format!("\"{}\"", "a".repeat(bytes))),
        ("a wide text", format!("\"{}\"", "🦀".repeat(bytes / 4))),
        ("a data url", format!("\"data:image/png;base64,{}\"", "AAAA".repeat(bytes / 4))),
        ("depth", list(&nested(40, "[", "", "]"))),
        ("objects in depth", list(&nested(40, "{\"a\":", "1", "}"))),
        ("records", list("{\"name\":\"a\",\"k1\":[1,2,{\"b\":null}]}")),
    ]
}
