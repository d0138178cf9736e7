//! The `schema` rule agrees with another JSON Schema implementation.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::resource_limits::{violations_of, with_schema};

/// Returns schemas with every applicator, without references.
fn schema() -> impl Strategy<Value = Value> {
    let leaf = select(vec![
        json!(true),
        json!(false),
        json!({}),
        json!({"type": "integer"}),
        json!({"type": ["string", "null"]}),
        json!({"const": 1}),
        json!({"enum": [1, "a", [], {"a": 1}]}),
        json!({"minimum": 1}),
        json!({"maxLength": 1}),
        json!({"pattern": "^a"}),
        json!({"required": ["a"]}),
        json!({"maxItems": 1}),
        json!({"uniqueItems": true}),
        json!({"minProperties": 1}),
        json!({"multipleOf": 0.5}),
        json!({"dependentRequired": {"a": ["b"]}}),
    ]);
    leaf.prop_recursive(3, 24, 3, |inner| {
        let one = |name: &'static str| {
            move |schema: Value| Value::Object([(name.to_owned(), schema)].into_iter().collect())
        };
        let single = select(vec![
            "not",
            "items",
            "contains",
            "additionalProperties",
            "propertyNames",
            "unevaluatedProperties",
            "unevaluatedItems",
        ]);
        let list = select(vec!["allOf", "anyOf", "oneOf", "prefixItems"]);
        let named = select(vec!["properties", "patternProperties", "dependentSchemas"]);
        let key = select(vec!["a", "b", "^a"]);
        prop_oneof![
            (single, inner.clone()).prop_map(move |(name, schema)| one(name)(schema)),
            (list, prop::collection::vec(inner.clone(), 1..4)).prop_map(move |(name, list)| one(
                name
            )(
                list.into()
            )),
            (named, prop::collection::vec((key, inner.clone()), 1..3)).prop_map(
                move |(name, entries)| {
                    one(name)(
                        entries.into_iter().map(|(key, schema)| (key.to_owned(), schema)).collect(),
                    )
                }
            ),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| json!({"if": a, "then": b, "else": c})),
            (inner.clone(), inner).prop_map(|(one, other)| match (one, other) {
                (Value::Object(mut one), Value::Object(other)) => {
                    one.extend(other);
                    Value::Object(one)
                }
                (one, _) => one,
            }),
        ]
    })
}

fn instance() -> impl Strategy<Value = Value> {
    let leaf = select(vec![
        json!(null),
        json!(true),
        json!(0),
        json!(1),
        json!(1.0),
        json!(1.25),
        json!("a"),
        json!("b"),
        json!("ab"),
        json!([]),
        json!({}),
    ]);
    leaf.prop_recursive(3, 16, 3, |inner| {
        let key = select(vec!["a", "b", "ab", "c"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((key, inner), 0..4).prop_map(|entries| entries
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// The result equals that of another implementation.
    #[test]
    fn schema_rule_agrees_with_jsonschema_crate((schema, values) in (schema(), prop::collection::vec(instance(), 8))) {
        let known = jsonschema::options().with_draft(jsonschema::Draft::Draft202012).build(&schema).unwrap();
        let Ok(registry) = std::panic::catch_unwind(|| with_schema(&schema)) else { return Ok(()) };
        for value in values {
            let reported = violations_of(&registry, &value.to_string());
            prop_assert_eq!(reported.is_empty(), known.is_valid(&value), "{} of {}: {:?}", schema, value, reported);
        }
    }
}
