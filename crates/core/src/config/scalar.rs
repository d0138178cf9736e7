//! The values of YAML scalars: plain ones by the YAML 1.2 core schema, others by their tag.

use std::borrow::Cow;

use serde_yaml::granit_parser::{ScalarStyle, Tag};

use super::node::Data;

/// Returns the value of a scalar. The number or boolean of a key is text.
///
/// # Errors
/// Returns a description if the tag is not supported, or the text is not allowed.
pub(super) fn value(
    text: Cow<'_, str>,
    style: ScalarStyle,
    tag: Option<&Tag>,
    is_key: bool,
) -> Result<Data, String> {
    let is_plain = style == ScalarStyle::Plain;
    let Some(tag) = tag else {
        let is_text = !is_plain || is_key && !is_null(&text);
        return if is_text { Ok(Data::Text(text.into_owned())) } else { plain(&text) };
    };
    let data = match tag_name(tag).as_str() {
        "" | "str" => Some(Data::Text(text.into_owned())),
        "merge" if is_key && text == "<<" => Some(Data::Text(text.into_owned())),
        "binary" => from_base64(&text).map(Data::Text),
        _ if is_key => return Err(unsupported(tag)),
        "remove" if is_plain && text.is_empty() => Some(Data::Removed),
        "ruby/regexp" if text.starts_with('/') => Some(Data::Text(from_ruby(&text[1..]))),
        "null" => Some(plain(&text)?).filter(|data| matches!(data, Data::Null)),
        "bool" => Some(plain(&text)?).filter(|data| matches!(data, Data::Bool(_))),
        "int" | "float" => Some(plain(&text)?).filter(|data| matches!(data, Data::Number(_))),
        _ => return Err(unsupported(tag)),
    };
    data.ok_or_else(|| format!("the tag `{}` does not fit its value", tag.original()))
}

/// Returns the name of a tag, such as `str` for both `!!str` and `!str`.
pub(super) fn tag_name(tag: &Tag) -> String {
    let name = tag.to_string();
    name.strip_prefix("tag:yaml.org,2002:").unwrap_or(&name).trim_start_matches('!').to_owned()
}

/// Describes a tag that is not supported.
pub(super) fn unsupported(tag: &Tag) -> String {
    format!("unsupported tag `{}`", tag.original())
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// Returns the value of a plain scalar. Numbers with leading zeros or underscores are texts.
fn plain(text: &str) -> Result<Data, String> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (radix, magnitude) = match digits.get(..2) {
        Some("0x" | "0X") => (16, &digits[2..]),
        Some("0o" | "0O") => (8, &digits[2..]),
        Some("0b" | "0B") => (2, &digits[2..]),
        _ => (10, digits),
    };
    let is_integer = magnitude.bytes().all(|digit| digit.is_ascii_alphanumeric());
    let number = match u128::from_str_radix(magnitude, radix) {
        Ok(_) if radix == 10 && digits.len() > 1 && digits.starts_with('0') => None,
        Ok(number) if is_integer && number > 0 && text.starts_with('-') => {
            Some(format!("-{number}"))
        }
        Ok(number) if is_integer => Some(number.to_string()),
        _ if matches!(digits, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") => {
            Some("inf".to_owned())
        }
        _ if digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') => {
            text.parse().ok().map(|number: f64| number.to_string())
        }
        _ => None,
    };
    match (text, number) {
        (_, Some(number)) if !number.ends_with("inf") => Ok(Data::Number(number)),
        (_, Some(_)) => Err(format!("`{text}` is not a finite number")),
        ("true" | "True" | "TRUE", _) => Ok(Data::Bool(true)),
        ("false" | "False" | "FALSE", _) => Ok(Data::Bool(false)),
        _ if is_null(text) => Ok(Data::Null),
        _ => Ok(Data::Text(text.to_owned())),
    }
}

/// Decodes the text of a `!!binary` scalar.
fn from_base64(text: &str) -> Option<String> {
    let text: String = text.split_ascii_whitespace().collect();
    String::from_utf8(data_encoding::BASE64.decode(text.as_bytes()).ok()?).ok()
}

/// Converts a Ruby regular expression literal without its first slash: `\A[a-z]+\z/i` to
/// `(?i)\A[a-z]+\z`. Ruby's `m` lets the dot match line ends, which is `s` here.
fn from_ruby(literal: &str) -> String {
    let (pattern, flags) = literal.rsplit_once('/').unwrap_or((literal, ""));
    let flags: String = [('i', 'i'), ('m', 's'), ('x', 'x')]
        .iter()
        .filter(|(ruby, _)| flags.contains(*ruby))
        .map(|(_, flag)| *flag)
        .collect();
    if flags.is_empty() { pattern.to_owned() } else { format!("(?{flags}){pattern}") }
}

#[cfg(test)]
mod tests {
    use crate::config::{Data, Node, Problems, parse};

    fn value(text: &str) -> Node {
        let mut problems = Problems::new("a.yml".into());
        let tree = parse(text, &mut problems);
        assert!(problems.is_empty(), "{text}: {:?}", problems.into_vec());
        tree.unwrap().get("a").unwrap().value.clone()
    }

    #[test]
    fn texts_are_read() {
        for (text, expected) in [
            ("a: !ruby/regexp /\\A\\d+\\z/\n", "\\A\\d+\\z"),
            ("a: !ruby/regexp '/\\Aa b\\z/i'\n", "(?i)\\Aa b\\z"),
            ("{a: !ruby/regexp \"/x.y/mx\"}\n", "(?sx)x.y"),
            ("a: '!ruby/regexp /x/'\n", "!ruby/regexp /x/"),
            ("a: /x/\n", "/x/"),
            ("a: |\n  phone: !remove\n", "phone: !remove\n"),
            ("a: >-\n  - !remove\n", "- !remove"),
            ("a: \"x: !remove\"\n", "x: !remove"),
            ("a: 'b, !remove'\n", "b, !remove"),
            ("a: '!remove'\n", "!remove"),
            ("a: x !remove\n", "x !remove"),
            ("a: |\n  with: !ruby/regexp /x/\n", "with: !ruby/regexp /x/\n"),
            ("a: \u{E000}remove\n", "\u{E000}remove"),
            ("a: no\n", "no"),
            ("a: '1'\n", "1"),
            ("a: !!str 1\n", "1"),
            ("a: ! true\n", "true"),
            ("a: !binary |-\n  Wg==\n", "Z"),
            ("a: 0127\n", "0127"),
            ("a: 1_000\n", "1_000"),
            ("a: 0x+1\n", "0x+1"),
            ("a: 1-2\n", "1-2"),
            ("a: inf\n", "inf"),
        ] {
            let data = value(text).data;
            assert!(matches!(&data, Data::Text(found) if found == expected), "{text}: {data:?}");
        }
    }

    #[test]
    fn numbers_are_read() {
        for (text, expected) in [
            ("0", "0"),
            ("-0", "0"),
            ("+12", "12"),
            ("-9223372036854775809", "-9223372036854775809"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("0x1F", "31"),
            ("-0o17", "-15"),
            ("0b11", "3"),
            ("1.50", "1.5"),
            (".5", "0.5"),
            ("1e3", "1000"),
            ("!!int '7'", "7"),
            ("!!float 7", "7"),
        ] {
            let data = value(&format!("a: {text}\n")).data;
            assert!(matches!(&data, Data::Number(found) if found == expected), "{text}: {data:?}");
        }
    }

    #[test]
    fn a_removal_is_no_text() {
        for text in
            ["a: !remove\n", "a: !remove # gone\nb: 1\n", "{a: !remove, b: 1}\n", "a: &x !remove\n"]
        {
            let node = value(text);
            assert!(matches!(node.data, Data::Removed), "{text}");
            assert_eq!(text.chars().nth(node.location.column as usize - 1), Some('!'), "{text}");
        }
    }

    #[test]
    fn unsupported_tags_and_numbers_are_refused() {
        for (text, expected) in [
            ("!env HOME", "unsupported tag `!env`"),
            ("!env {a: b}", "unsupported tag `!env`"),
            ("!!map [a]", "unsupported tag `!!map`"),
            ("!remove x", "unsupported tag `!remove`"),
            ("!remove {}", "unsupported tag `!remove`"),
            ("!remove ''", "unsupported tag `!remove`"),
            ("{!remove : x}", "unsupported tag `!remove`"),
            ("!ruby/regexp x", "unsupported tag `!ruby/regexp`"),
            ("{!!int 1: x}", "unsupported tag `!!int`"),
            ("!!int x", "the tag `!!int` does not fit its value"),
            ("!!bool 1", "the tag `!!bool` does not fit its value"),
            ("-.inf", "`-.inf` is not a finite number"),
            ("1e999", "`1e999` is not a finite number"),
        ] {
            let mut problems = Problems::new("a.yml".into());
            assert!(parse(&format!("a: {text}\n"), &mut problems).is_none(), "{text}");
            let problem = &problems.into_vec()[0];
            assert!(problem.what.ends_with(expected), "{problem}");
        }
    }
}
