//! Property tests of the decoders and of decimals.

use std::borrow::Cow;

use proptest::collection::vec;
use proptest::prelude::*;
use registrar_contracts::decode::{DecodeErrorKind, MAX_DEPTH, brackets, json};
use registrar_core::decimal::Decimal;
use registrar_core::value::Value;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = json::parse(&bytes);
        let _ = brackets::parse_urlencoded(&bytes);
    }

    #[test]
    fn almost_valid_input_agrees_with_serde_json(
        body in r#"([\[\]{}:,"a\\u0d8]|\[\]|"a"|-?1\.?|0\.?|e[+-]?|null|true){0,40}"#,
        form in r"([ab&=+%04]|\[\]|\[[ab]\]|[\[\]]){0,40}",
    ) {
        let decoded = json::parse(body.as_bytes());
        if let Ok(value) = &decoded {
            let expected: serde_json::Value = serde_json::from_str(&body).unwrap();
            prop_assert_eq!(as_document(value), expected);
        } else if let Err(error) = decoded && error.kind == DecodeErrorKind::Syntax {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&body).is_err());
        }
        let _ = brackets::parse_urlencoded(form.as_bytes());
    }

    #[test]
    fn json_documents_round_trip(document in document()) {
        for text in [document.to_string(), serde_json::to_string_pretty(&document).unwrap()] {
            prop_assert_eq!(as_document(&json::parse(text.as_bytes()).unwrap()), document.clone());
        }
    }

    #[test]
    fn duplicate_key_is_rejected_at_any_depth(
        keys in proptest::collection::hash_set("[a-z\"\u{e9}\u{1f600}]{0,6}", 1..40),
        value in document(),
        ancestors in vec(prop_oneof!["[a-z]{1,5}", Just(String::new())], 0..8),
        (original, escaped) in (any::<prop::sample::Index>(), any::<bool>()),
    ) {
        let keys: Vec<_> = keys.into_iter().collect();
        let twice = original.get(&keys);
        let mut body = String::from("{");
        for key in &keys {
            body.push_str(&format!("{}: {value}, ", quoted(key, false)));
        }
        body.push_str(&format!("{}: 0}}", quoted(twice, escaped)));
        // Each step outwards is a key of an object, or the second item of a list.
        let mut pointer = format!("/{twice}");
        for step in &ancestors {
            if step.is_empty() {
                body = format!("[{{}}, {body}, 1]");
                pointer = format!("/1{pointer}");
            } else {
                body = format!("{{\"UPPER\": {value}, {}: {body}}}", quoted(step, false));
                pointer = format!("/{step}{pointer}");
            }
        }
        let error = json::parse(body.as_bytes()).unwrap_err();
        prop_assert_eq!(error.kind, DecodeErrorKind::DuplicateKey);
        prop_assert_eq!(error.pointer, Some(pointer));
    }

    #[test]
    fn nesting_depth_is_limited(levels in vec(any::<bool>(), 0..200)) {
        let mut body = String::from("1.5");
        for is_list in &levels {
            body = if *is_list { format!("[{body}]") } else { format!("{{\"k\":{body}}}") };
        }
        let kind = json::parse(body.as_bytes()).map_err(|error| error.kind).err();
        let expected = (levels.len() > MAX_DEPTH).then_some(DecodeErrorKind::TooDeep);
        prop_assert_eq!(kind, expected);
    }

    #[test]
    fn form_fields_round_trip(tree in form()) {
        let mut pairs = Vec::new();
        encode(&tree, String::new(), &mut pairs);
        let fields = pairs.iter().map(|(name, value)| [percent(name), percent(value)].join("="));
        let body = fields.collect::<Vec<_>>().join("&");
        prop_assert_eq!(&brackets::parse_urlencoded(body.as_bytes()).unwrap(), &tree);
        let pairs = pairs.into_iter().map(|(name, value)| (Cow::Owned(name), Cow::Owned(value)));
        prop_assert_eq!(&brackets::from_pairs(pairs).unwrap(), &tree);
    }

    #[test]
    fn form_fields_keep_their_order(names in proptest::collection::hash_set("[a-z]{1,4}", 0..60)) {
        let names: Vec<_> = names.into_iter().collect();
        let pairs = names.iter().map(|name| (Cow::from(name), Cow::from("")));
        let tree = brackets::from_pairs(pairs).unwrap();
        let Value::Object(entries) = tree else { panic!("an object") };
        prop_assert!(entries.iter().map(|(key, _)| key.as_ref()).eq(names.iter()));
    }

    #[test]
    fn decimals_compare_like_scaled_integers(
        (left, right) in (any::<i32>(), any::<i32>()),
        (up, down) in (-9i32..=9, -9i32..=9),
    ) {
        let scaled = |digits: i32, power: i32| i128::from(digits) * 10i128.pow((power + 9) as u32);
        let decimal = |digits: i32, power| Decimal::parse(&format!("{digits}e{power}")).unwrap();
        let (a, b) = (decimal(left, up), decimal(right, down));
        let order = scaled(left, up).cmp(&scaled(right, down));
        prop_assert_eq!(a.cmp(&b), order);
        prop_assert_eq!(a == b, order.is_eq());
        prop_assert_eq!(a.to_plain_string() == b.to_plain_string(), order.is_eq());
        let unit = 10i128.pow(9);
        prop_assert_eq!(a.is_integer(), scaled(left, up) % unit == 0);
        prop_assert_eq!(a.is_odd(), scaled(left, up) / unit % 2 != 0);
    }

    #[test]
    fn equal_decimals_have_one_canonical_string(
        (whole, fraction) in ("[0-9]{1,30}", "[0-9]{0,30}"),
        (zeros, shift) in (0usize..20, 0usize..30),
        sign in "[+-]?",
    ) {
        let point = if fraction.is_empty() { "" } else { "." };
        let plain = Decimal::parse(&format!("{sign}{whole}{point}{fraction}")).unwrap();
        let (pad, low) = ("0".repeat(zeros), "0".repeat(shift));
        let power = fraction.len() + shift;
        let other = Decimal::parse(&format!(" {sign}{pad}{whole}{fraction}{low}E-{power}"));
        prop_assert_eq!(Some(&plain), other.as_ref());
        let text = plain.to_plain_string();
        let again = Decimal::parse(&text);
        prop_assert_eq!(again.as_ref(), Some(&plain));
        let spelling = regex::Regex::new(r"^(0|-?([1-9]\d*|0)(\.\d*[1-9])?)$").unwrap();
        prop_assert!(spelling.is_match(&text) && text != "-0", "{text}");
    }
}

/// Returns arbitrary JSON documents with numbers that serde_json serialises the same way.
fn document() -> impl Strategy<Value = serde_json::Value> {
    let text = "[^\u{0}]{0,8}";
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<u64>().prop_map(serde_json::Value::from),
        prop::num::f64::NORMAL.prop_map(serde_json::Value::from),
        "-?[1-9][0-9]{0,60}(\\.[0-9]{1,60})?(e[+-][0-9]{1,2})?"
            .prop_map(|number| serde_json::from_str(&number).unwrap()),
        text.prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(6, 60, 20, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
            vec((text, inner), 0..20).prop_map(|entries| entries.into_iter().collect()),
        ]
    })
}

fn as_document(value: &Value<'_>) -> serde_json::Value {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

/// Returns a JSON string, optionally with every UTF-16 unit escaped.
fn quoted(text: &str, escaped: bool) -> String {
    if !escaped {
        return serde_json::to_string(text).unwrap();
    }
    let units: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    format!("\"{units}\"")
}

/// Returns arbitrary objects that form fields can represent: without empty lists and objects,
/// without lists in lists, and with the same string field first in every object of a list, which
/// delimits them.
fn form() -> impl Strategy<Value = Value<'static>> {
    let text = || "[^\u{0}]{0,6}".prop_map(|text| Value::String(text.into()));
    let tree = text().prop_recursive(5, 60, 12, move |inner| {
        let items = (text(), fields(inner.clone(), 0..4)).prop_map(|(first, mut rest)| {
            rest.insert(0, ("first".into(), first));
            Value::Object(rest)
        });
        prop_oneof![
            vec(text(), 1..6).prop_map(Value::Array),
            vec(items, 1..5).prop_map(Value::Array),
            fields(inner, 1..20).prop_map(Value::Object),
        ]
    });
    fields(tree, 0..20).prop_map(Value::Object)
}

type Entries = Vec<(Cow<'static, str>, Value<'static>)>;

/// Returns entries with distinct keys, none of them `first`.
fn fields(
    value: impl Strategy<Value = Value<'static>>,
    count: std::ops::Range<usize>,
) -> impl Strategy<Value = Entries> {
    vec(("[^\u{0}\\[\\]]{1,4}", value), count).prop_map(|entries| {
        let mut seen = std::collections::HashSet::new();
        let distinct = entries.into_iter().filter(|(key, _)| seen.insert(key.clone()));
        distinct.map(|(key, value)| (Cow::Owned(key), value)).collect()
    })
}

fn encode(tree: &Value<'_>, name: String, pairs: &mut Vec<(String, String)>) {
    match tree {
        Value::String(text) => pairs.push((name, text.to_string())),
        Value::Array(items) => {
            items.iter().for_each(|item| encode(item, format!("{name}[]"), pairs));
        }
        Value::Object(entries) => {
            for (key, value) in entries {
                let inner =
                    if name.is_empty() { key.to_string() } else { format!("{name}[{key}]") };
                encode(value, inner, pairs);
            }
        }
        other => panic!("no form field: {other:?}"),
    }
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b' ' => "+".to_owned(),
            b'a'..=b'z' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
