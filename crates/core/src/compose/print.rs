//! Prints a resolved form as YAML with a comment after each leaf that names its file and line.

use std::fmt::Write as _;

use super::Library;
use crate::config::{Data, Entry, Location, Node};

/// Returns the YAML, which is itself a valid form.
pub(crate) fn print(library: &Library, tree: &Node) -> String {
    let mut out = String::new();
    match &tree.data {
        Data::Map(entries) => map(library, entries, 0, &mut out),
        _ => out.push_str(&scalar(tree)),
    }
    out
}

// Writing to a `String` cannot fail.
fn map(library: &Library, entries: &[Entry], depth: usize, out: &mut String) {
    for entry in entries {
        let _ = write!(out, "{}{}:", "  ".repeat(depth), key(&entry.key));
        value(library, &entry.value, entry.location, depth, out);
    }
}

fn value(library: &Library, node: &Node, location: Location, depth: usize, out: &mut String) {
    match &node.data {
        Data::Map(entries) if !entries.is_empty() => {
            out.push('\n');
            map(library, entries, depth + 1, out);
        }
        Data::List(items) if items.iter().any(is_nested) => {
            out.push('\n');
            for item in items {
                let _ = write!(out, "{}-", "  ".repeat(depth + 1));
                value(library, item, item.location, depth + 1, out);
            }
        }
        _ => {
            let text = scalar(node);
            let space = if text.is_empty() { "" } else { " " };
            let file = library.file(location);
            let _ = writeln!(out, "{space}{text}  # {file}:{}", location.line);
        }
    }
}

fn is_nested(node: &Node) -> bool {
    matches!(&node.data, Data::Map(entries) if !entries.is_empty())
        || matches!(&node.data, Data::List(items) if !items.is_empty())
}

fn key(text: &str) -> String {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let is_word = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    if is_plain && is_word && !needs_quotes(text) { text.to_owned() } else { quoted(text) }
}

/// Returns whether YAML parses a plain word as something other than a string.
fn needs_quotes(text: &str) -> bool {
    matches!(
        text.to_ascii_lowercase().as_str(),
        "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
    )
}

fn scalar(node: &Node) -> String {
    match &node.data {
        Data::Null => String::new(),
        Data::Bool(flag) => flag.to_string(),
        Data::Number(text) => text.clone(),
        Data::Text(text) => key(text),
        Data::List(items) => {
            let items: Vec<String> = items.iter().map(scalar).collect();
            format!("[{}]", items.join(", "))
        }
        Data::Map(_) => "{}".to_owned(),
        Data::Removed => "!remove".to_owned(),
    }
}

/// Quotes a string in JSON's notation, which is valid YAML.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}
