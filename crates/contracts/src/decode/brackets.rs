//! Decodes form fields with bracket names (`user[tags][]=x`) to a [`Value`], by the rules of Rack
//! and Rails.
//!
//! Multipart bodies are split elsewhere; their text parts arrive as pairs. An index hash
//! (`boat[0][name]`) becomes an object with the key `0`, which the form interprets.

use std::borrow::Cow;
use std::vec::IntoIter;

use super::entries::IndexedEntries;
use super::{DecodeError, DecodeErrorKind, MAX_DEPTH, push_segment};
use registrar_core::value::Value;

/// Maximum number of fields in a body.
pub const MAX_PAIRS: usize = 10_000;

/// Decodes an `application/x-www-form-urlencoded` body (WHATWG URL standard, section 5.1).
///
/// Every leaf is a string. Names nest as in Rack's query parser:
/// - `a[b]=1` is an object, `a[]=1` a list, and fields keep the order of their first occurrence;
/// - in a list of objects, `a[][x]=1&a[][y]=2&a[][x]=3`, a field starts a new item if the last item
///   already has it, unless the rest of its name contains a list (`a[][tags][]` always joins);
/// - of several fields with one name the last one wins, because a Rails check box sends a hidden
///   `enabled=0` before its `enabled=1`.
///
/// This is stricter than both standards: see the errors. An empty body is an empty object, which is
/// what a form without fields sends.
///
/// # Errors
///
/// - `Encoding`: a name or value is not UTF-8 (the standard replaces invalid bytes)
/// - `Nul`: U+0000 in a name or a value
/// - `BadName`: an empty name, unbalanced brackets or text after one, a list directly in a list
///   (`a[][]`), or a name whose structure conflicts with another name's (`a=1&a[b]=2`)
/// - `TooDeep`, `TooManyFields`: more than [`MAX_DEPTH`] levels or [`MAX_PAIRS`] fields
pub fn parse_urlencoded(bytes: &[u8]) -> Result<Value<'_>, DecodeError> {
    let mut form = PairTree::new();
    for pair in bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let name = percent_decoded(halves.next().unwrap_or_default())?;
        let value = percent_decoded(halves.next().unwrap_or_default())
            .map_err(|error| error.with_pointer(pointer_of(&name)))?;
        form.add(name, value)?;
    }
    Ok(form.root.into_value())
}

/// Builds a value from decoded fields, as those of a multipart body.
///
/// # Errors
///
/// Returns the errors of [`parse_urlencoded`] except `Encoding`.
pub fn from_pairs<'a>(
    pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
) -> Result<Value<'a>, DecodeError> {
    let mut form = PairTree::new();
    for (name, value) in pairs {
        form.add(name, value)?;
    }
    Ok(form.root.into_value())
}

struct PairTree<'a> {
    root: PairNode<'a>,
    pairs: usize,
}

impl<'a> PairTree<'a> {
    fn new() -> Self {
        Self { root: PairNode::Object(IndexedEntries::new()), pairs: 0 }
    }

    fn add(&mut self, name: Cow<'a, str>, value: Cow<'a, str>) -> Result<(), DecodeError> {
        let refuse = |kind| DecodeError::new(kind).with_pointer(pointer_of(&name));
        self.pairs += 1;
        if self.pairs > MAX_PAIRS {
            return Err(DecodeError::new(DecodeErrorKind::TooManyFields));
        }
        if name.contains('\0') || value.contains('\0') {
            return Err(refuse(DecodeErrorKind::Nul));
        }
        let steps = match &name {
            Cow::Borrowed(name) => steps(name, Cow::Borrowed),
            Cow::Owned(name) => steps(name, |key| Cow::Owned(key.to_owned())),
        };
        let steps = steps.map_err(refuse)?;
        put(&mut self.root, steps.into_iter(), value).map_err(|Conflict| {
            let mut error = refuse(DecodeErrorKind::BadName);
            error.detail = Cow::Borrowed("its structure conflicts with another field");
            error
        })
    }
}

/// A step of a field name: a key of an object, or an item of a list.
enum NameStep<'a> {
    Key(Cow<'a, str>),
    Item,
}

/// Parses a field name: a key, then any number of `[key]` and `[]`.
fn steps<'n, 'a>(
    name: &'n str,
    to_cow: impl Fn(&'n str) -> Cow<'a, str>,
) -> Result<Vec<NameStep<'a>>, DecodeErrorKind> {
    let (first, mut rest) = name.split_at(name.find('[').unwrap_or(name.len()));
    if first.is_empty() || first.contains(']') {
        return Err(DecodeErrorKind::BadName);
    }
    let mut steps = vec![NameStep::Key(to_cow(first))];
    while !rest.is_empty() {
        let bracket = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (key, behind) = bracket.ok_or(DecodeErrorKind::BadName)?;
        let list_in_list = key.is_empty() && matches!(steps.last(), Some(NameStep::Item));
        if key.contains('[') || list_in_list {
            return Err(DecodeErrorKind::BadName);
        }
        if steps.len() == MAX_DEPTH {
            return Err(DecodeErrorKind::TooDeep);
        }
        steps.push(if key.is_empty() { NameStep::Item } else { NameStep::Key(to_cow(key)) });
        rest = behind;
    }
    Ok(steps)
}

/// A node of the value under construction.
enum PairNode<'a> {
    Text(Cow<'a, str>),
    List(Vec<PairNode<'a>>),
    Object(IndexedEntries<'a, PairNode<'a>>),
}

/// A field name conflicts with the structure of earlier ones.
struct Conflict;

/// Inserts a value at the path of `steps`. The recursion here and in the functions below is at most
/// [`MAX_DEPTH`] deep.
fn put<'a>(
    node: &mut PairNode<'a>,
    mut steps: IntoIter<NameStep<'a>>,
    value: Cow<'a, str>,
) -> Result<(), Conflict> {
    match (node, steps.next()) {
        (PairNode::Text(text), None) => *text = value,
        (PairNode::Object(fields), Some(NameStep::Key(key))) => match fields.find(&key) {
            Some(at) => return put(fields.value_mut(at).ok_or(Conflict)?, steps, value),
            None => fields.push(key, build_branch(steps, value)),
        },
        (PairNode::List(items), Some(NameStep::Item)) => match items.last_mut() {
            Some(last @ PairNode::Object(_)) if joins(last, steps.as_slice()) => {
                return put(last, steps, value);
            }
            _ => items.push(build_branch(steps, value)),
        },
        _ => return Err(Conflict),
    }
    Ok(())
}

/// Builds the tree of a single field.
fn build_branch<'a>(mut steps: IntoIter<NameStep<'a>>, value: Cow<'a, str>) -> PairNode<'a> {
    match steps.next() {
        None => PairNode::Text(value),
        Some(NameStep::Item) => PairNode::List(vec![build_branch(steps, value)]),
        Some(NameStep::Key(key)) => {
            let mut fields = IndexedEntries::new();
            fields.push(key, build_branch(steps, value));
            PairNode::Object(fields)
        }
    }
}

/// Returns whether a field belongs to the last item of a list rather than a new one: its name has a
/// key that the item lacks, or contains a list. Source: Rack, `QueryParser#params_hash_has_key?`.
fn joins(last: &PairNode<'_>, steps: &[NameStep<'_>]) -> bool {
    let mut node = last;
    for step in steps {
        let NameStep::Key(key) = step else { return true };
        let PairNode::Object(fields) = node else { return true };
        let Some(value) = fields.get(key) else { return true };
        node = value;
    }
    false
}

impl<'a> PairNode<'a> {
    fn into_value(self) -> Value<'a> {
        match self {
            Self::Text(text) => Value::String(text),
            Self::List(items) => Value::Array(items.into_iter().map(Self::into_value).collect()),
            Self::Object(fields) => Value::Object(
                fields
                    .into_entries()
                    .into_iter()
                    .map(|(key, node)| (key, node.into_value()))
                    .collect(),
            ),
        }
    }
}

/// Returns the JSON pointer of a field name; `-` is the next item of a list (RFC 6901 section 4). A
/// name that cannot be parsed becomes one segment.
fn pointer_of(name: &str) -> String {
    let mut pointer = String::new();
    match steps(name, Cow::Borrowed) {
        Ok(steps) => steps.iter().for_each(|step| match step {
            NameStep::Key(key) => push_segment(&mut pointer, key),
            NameStep::Item => pointer.push_str("/-"),
        }),
        Err(_) => push_segment(&mut pointer, name),
    }
    pointer
}

/// Decodes `+` and percent escapes. A percent sign without two hexadecimal digits is kept (WHATWG
/// URL standard, section 1.3).
///
/// # Errors
/// Returns an `Encoding` error if the result is not UTF-8.
pub(crate) fn percent_decoded(raw: &[u8]) -> Result<Cow<'_, str>, DecodeError> {
    let bytes = if raw.iter().any(|byte| matches!(byte, b'+' | b'%')) {
        let mut decoded = Vec::with_capacity(raw.len());
        let mut rest = raw;
        while let [byte, behind @ ..] = rest {
            rest = behind;
            decoded.push(match (byte, behind) {
                (b'+', _) => b' ',
                (b'%', [high, low, after @ ..]) => match hexadecimal(*high, *low) {
                    Some(escaped) => {
                        rest = after;
                        escaped
                    }
                    None => b'%',
                },
                (other, _) => *other,
            });
        }
        Cow::Owned(decoded)
    } else {
        Cow::Borrowed(raw)
    };
    let text = match bytes {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
    };
    text.ok_or_else(|| DecodeError::new(DecodeErrorKind::Encoding))
}

fn hexadecimal(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_to_json(body: &str) -> String {
        let value = parse_urlencoded(body.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        serde_json::to_string(&value).unwrap()
    }

    fn decode_error(body: impl AsRef<[u8]>) -> DecodeError {
        parse_urlencoded(body.as_ref()).expect_err("should be rejected")
    }

    #[test]
    fn parses_nested_names_like_rack() {
        let cases = [
            ("", "{}"),
            ("&&a=1&", r#"{"a":"1"}"#),
            ("a", r#"{"a":""}"#),
            ("a==b=", r#"{"a":"=b="}"#),
            ("b=1&a=2&b=3", r#"{"b":"3","a":"2"}"#),
            ("enabled=0&enabled=1", r#"{"enabled":"1"}"#),
            ("form[p][dev][on]=1", r#"{"form":{"p":{"dev":{"on":"1"}}}}"#),
            ("tags[]=x&tags[]=y", r#"{"tags":["x","y"]}"#),
            ("t[boat][][n]=A&t[boat][][n]=B", r#"{"t":{"boat":[{"n":"A"},{"n":"B"}]}}"#),
            ("t[boat][0][n]=A&t[boat][1][n]=B", r#"{"t":{"boat":{"0":{"n":"A"},"1":{"n":"B"}}}}"#),
            ("t[][a]=1&t[][b]=2&t[][a]=3", r#"{"t":[{"a":"1","b":"2"},{"a":"3"}]}"#),
            (
                "t[][o][a]=1&t[][o][b]=2&t[][o][a]=3",
                r#"{"t":[{"o":{"a":"1","b":"2"}},{"o":{"a":"3"}}]}"#,
            ),
            (
                "t[][n]=A&t[][s][]=x&t[][s][]=y&t[][n]=B",
                r#"{"t":[{"n":"A","s":["x","y"]},{"n":"B"}]}"#,
            ),
            ("t[]=x&t[][a]=1&t[]=y", r#"{"t":["x",{"a":"1"},"y"]}"#),
            ("a%5Bb%5D=c+d%21%C3%A9", r#"{"a":{"b":"c d!é"}}"#),
            ("a=100%&b=%zz&c=%4", r#"{"a":"100%","b":"%zz","c":"%4"}"#),
        ];
        for (body, expected) in cases {
            assert_eq!(parse_to_json(body), expected, "{body}");
        }
    }

    #[test]
    fn decode_errors_have_kind_and_pointer() {
        use DecodeErrorKind::{BadName, Encoding, Nul};
        let cases = [
            ("=1", BadName, "/"),
            ("[a]=1", BadName, "/[a]"),
            ("a[=1", BadName, "/a["),
            ("a]=1", BadName, "/a]"),
            ("a[b]c=1", BadName, "/a[b]c"),
            ("a[b[c]]=1", BadName, "/a[b[c]]"),
            ("a[][]=1", BadName, "/a[][]"),
            ("a=1&a[b]=2", BadName, "/a/b"),
            ("a[b]=1&a=2", BadName, "/a"),
            ("a[]=1&a=2", BadName, "/a"),
            ("a=1&a[]=2", BadName, "/a/-"),
            ("a[0]=1&a[]=2", BadName, "/a/-"),
            ("a[]=1&a[0]=2", BadName, "/a/0"),
            ("t[][a]=1&t[][a][b]=2", BadName, "/t/-/a/b"),
            ("a[b]=%00", Nul, "/a/b"),
            ("a%00=1", Nul, "/a\u{fffd}"),
            ("a[b]=%ff", Encoding, "/a/b"),
        ];
        for (body, kind, pointer) in cases {
            let error = decode_error(body);
            assert_eq!((error.kind, error.pointer.as_deref()), (kind, Some(pointer)), "{body}");
        }
        assert_eq!(decode_error(b"a\xff=1").kind, Encoding);
    }

    #[test]
    fn error_message_contains_no_submitted_value() {
        assert_eq!(
            decode_error("user=secret&user[password]=secret").to_string(),
            "a form field has a bad name in /user/password: \
             its structure conflicts with another field"
        );
    }

    #[test]
    fn depth_and_pair_count_are_limited() {
        let nested = |depth: usize| format!("a{}=1", "[b]".repeat(depth - 1));
        assert!(parse_urlencoded(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert_eq!(decode_error(nested(MAX_DEPTH + 1)).kind, DecodeErrorKind::TooDeep);
        let pairs =
            |count: usize| (0..count).map(|index| format!("a[{index}]=1&")).collect::<String>();
        assert!(parse_urlencoded(pairs(MAX_PAIRS).as_bytes()).is_ok());
        assert_eq!(decode_error(pairs(MAX_PAIRS + 1)).kind, DecodeErrorKind::TooManyFields);
    }

    #[test]
    fn unescaped_names_and_values_are_borrowed() {
        let Ok(Value::Object(entries)) = parse_urlencoded(b"a=1&b=%31") else {
            panic!("an object")
        };
        let borrowed = entries.iter().map(|(key, value)| {
            let Value::String(text) = value else { panic!("a string") };
            (matches!(key, Cow::Borrowed(_)), matches!(text, Cow::Borrowed(_)))
        });
        assert_eq!(borrowed.collect::<Vec<_>>(), [(true, true), (true, false)]);
    }

    #[test]
    fn multipart_pairs_are_parsed_like_urlencoded_pairs() {
        let pairs = [("a[b][]", "1+%31"), ("a[b][]", "2")];
        let value = from_pairs(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        assert_eq!(serde_json::to_string(&value.unwrap()).unwrap(), r#"{"a":{"b":["1+%31","2"]}}"#);
        let error =
            from_pairs([("a".into(), "\0".into())].into_iter()).expect_err("should be rejected");
        assert_eq!(error.kind, DecodeErrorKind::Nul);
    }
}
