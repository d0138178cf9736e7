//! The two tags that forms may have: `!remove`, and `!ruby/regexp` as Ruby writes patterns.
//!
//! The YAML library refuses tags or drops them unseen, so they are written as marks into the text
//! before it reads it, and taken out of the tree after. Marks are characters of Unicode's private
//! use area, which no configuration holds.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::yaml::{Data, Node};

const REMOVE: &str = "\u{E000}remove";
const PATTERN: char = '\u{E001}';

/// A tag stands where a value begins.
static TAGS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let remove = r#"(?P<before>[:\-,\[{]\s+)!remove(?P<after>\s*(?:$|[,}\]#]))"#;
    let pattern = r#"(?P<ahead>[:\-,\[{]\s+)!ruby/regexp(?P<space>\s+)(?P<quote>['"]?)/"#;
    Regex::new(&format!("(?m){remove}|{pattern}")).ok()
});

/// Writes the tags of a text as marks; every other character keeps its line and column.
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
            let blank = " ".repeat("!ruby/regexp".len());
            format!("{}{blank}{}{}{PATTERN}/", part("ahead"), part("space"), part("quote"))
        }
    })
}

/// Turns the marks in a tree into what they stand for.
pub(super) fn find(node: &mut Node) {
    match &mut node.data {
        Data::Text(text) if text == REMOVE => node.data = Data::Removed,
        Data::Text(text) => {
            if let Some(literal) = text.strip_prefix(PATTERN) {
                *text = from_ruby(literal);
            }
        }
        Data::List(items) => items.iter_mut().for_each(find),
        Data::Map(entries) => entries.iter_mut().for_each(|entry| find(&mut entry.value)),
        _ => {}
    }
}

/// `/\A[a-z]+\z/i` as `(?i)\A[a-z]+\z`. In Ruby, `m` lets the dot match line ends too.
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
    fn patterns_are_read_as_ruby_writes_them() {
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
    fn a_removal_is_no_text() {
        for text in ["a: !remove\n", "a: !remove # gone\nb: 1\n", "{a: !remove, b: 1}\n"] {
            assert!(matches!(value(text).data, Data::Removed), "{text}");
        }
        assert!(matches!(value("a: '!remove'\n").data, Data::Text(_)));
        assert!(matches!(value("a: x !remove\n").data, Data::Text(_)));
    }
}
