//! The supported YAML tags: `!remove`, and `!ruby/regexp` for Ruby's regular expressions.
//!
//! The YAML library rejects tags or drops them silently. They are therefore replaced by markers in
//! the text before parsing, and markers in the tree are replaced afterwards. Markers are characters
//! of a Unicode private use area, which no configuration should contain.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::yaml::{Data, Node};

const REMOVE: &str = "\u{E000}remove";
const PATTERN: char = '\u{E001}';

/// Matches a tag at the start of a value.
static TAGS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let remove = r#"(?P<before>[:\-,\[{]\s+)!remove(?P<after>\s*(?:$|[,}\]#]))"#;
    let pattern = r#"(?P<ahead>[:\-,\[{]\s+)!ruby/regexp(?P<space>\s+)(?P<quote>['"]?)/"#;
    Regex::new(&format!("(?m){remove}|{pattern}")).ok()
});

/// Matches what [`hide`] puts in the place of `!ruby/regexp`.
static HIDDEN_PATTERN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new("\t{12}(?P<space>\\s+)(?P<quote>['\"]?)\u{E001}").ok());

/// Replaces tags by markers; every other character keeps its line and column.
pub(super) fn hide(text: &str) -> Cow<'_, str> {
    let Some(tags) = TAGS.as_ref().filter(|_| text.contains('!')) else {
        return Cow::Borrowed(text);
    };
    tags.replace_all(text, |found: &Captures<'_>| match found.name("before") {
        Some(before) => {
            let after = found.name("after").map_or("", |after| after.as_str());
            format!("{}{REMOVE}{after}", before.as_str())
        }
        None => {
            let part = |name: &str| found.name(name).map_or("", |part| part.as_str());
            let blank = "\t".repeat("!ruby/regexp".len());
            format!("{}{blank}{}{}{PATTERN}/", part("ahead"), part("space"), part("quote"))
        }
    })
}

/// Replaces the markers in a tree by the values that they stand for. A marker inside a longer string
/// was not a tag: such a string gets its original text back.
pub(super) fn find(node: &mut Node) {
    match &mut node.data {
        Data::Text(text) if text == REMOVE => node.data = Data::Removed,
        Data::Text(text) => match text.strip_prefix(PATTERN) {
            Some(literal) => *text = from_ruby(literal),
            None => restore(text),
        },
        Data::List(items) => items.iter_mut().for_each(find),
        Data::Map(entries) => entries.iter_mut().for_each(|entry| {
            restore(&mut entry.key);
            find(&mut entry.value);
        }),
        _ => {}
    }
}

/// Replaces markers by the text that [`hide`] replaced.
fn restore(text: &mut String) {
    if text.contains(REMOVE) {
        *text = text.replace(REMOVE, "!remove");
    }
    if let Some(pattern) = HIDDEN_PATTERN.as_ref().filter(|_| text.contains(PATTERN)) {
        *text = pattern.replace_all(text, "!ruby/regexp$space$quote").into_owned();
    }
}

/// Converts a Ruby regular expression literal: `/\A[a-z]+\z/i` to `(?i)\A[a-z]+\z`. Ruby's `m` lets
/// the dot match line ends, which is `s` here.
fn from_ruby(literal: &str) -> String {
    let inner = literal.strip_prefix('/').unwrap_or(literal);
    let (pattern, flags) = inner.rsplit_once('/').unwrap_or((inner, ""));
    let flags: String = [('i', 'i'), ('m', 's'), ('x', 'x')]
        .iter()
        .filter(|(ruby, _)| flags.contains(*ruby))
        .map(|(_, flag)| *flag)
        .collect();
    if flags.is_empty() { pattern.to_owned() } else { format!("(?{flags}){pattern}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Problems, parse};

    fn value(text: &str) -> Node {
        let mut problems = Problems::new("a.yml".into());
        let tree = parse(text, &mut problems);
        assert!(problems.is_empty(), "{text}: {:?}", problems.into_vec());
        tree.unwrap().get("a").unwrap().value.clone()
    }

    #[test]
    fn parses_ruby_regexp_tags() {
        for (text, pattern) in [
            ("a: !ruby/regexp /\\A\\d+\\z/\n", "\\A\\d+\\z"),
            ("a: !ruby/regexp '/\\Aa b\\z/i'\n", "(?i)\\Aa b\\z"),
            ("{a: !ruby/regexp \"/x.y/mx\"}\n", "(?sx)x.y"),
            ("a: '!ruby/regexp /x/'\n", "!ruby/regexp /x/"),
            ("a: /x/\n", "/x/"),
        ] {
            assert!(matches!(&value(text).data, Data::Text(found) if found == pattern), "{text}");
        }
    }

    #[test]
    fn strings_that_contain_tags_are_unchanged() {
        for (yaml, expected) in [
            ("a: |\n  phone: !remove\n", "phone: !remove\n"),
            ("a: >-\n  - !remove\n", "- !remove"),
            ("a: \"x: !remove\"\n", "x: !remove"),
            ("a: 'b, !remove'\n", "b, !remove"),
            ("a: |\n  with: !ruby/regexp /x/\n", "with: !ruby/regexp /x/\n"),
            ("a: |\n  with: !ruby/regexp  '/x/'\n", "with: !ruby/regexp  '/x/'\n"),
        ] {
            assert!(matches!(&value(yaml).data, Data::Text(found) if found == expected), "{yaml}");
        }
    }

    #[test]
    fn remove_tag_is_parsed_unless_quoted() {
        for text in ["a: !remove\n", "a: !remove # gone\nb: 1\n", "{a: !remove, b: 1}\n"] {
            assert!(matches!(value(text).data, Data::Removed), "{text}");
        }
        assert!(matches!(value("a: '!remove'\n").data, Data::Text(_)));
        assert!(matches!(value("a: x !remove\n").data, Data::Text(_)));
    }
}
