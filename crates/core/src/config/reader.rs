//! Typed access to a configuration tree: each method returns the value or records a problem.

use super::node::{Data, Entry, Location, Node};
use super::problem::{ProblemCode, Problems};
use super::suggest::nearest;

/// Reads nodes and records problems.
#[derive(Debug)]
pub struct Reader<'p> {
    /// Where problems are added.
    pub problems: &'p mut Problems,
}

impl Reader<'_> {
    /// Returns the entries of a mapping. A key without a value (`key:`) counts as an empty mapping.
    pub fn map<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Entry] {
        match &node.data {
            Data::Map(entries) => entries,
            Data::Null => &[],
            _ => {
                self.wrong_shape(node, what, "a mapping");
                &[]
            }
        }
    }

    /// Returns the items of a list; empty, with a problem, if this is not a list.
    pub fn list<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Node] {
        let Data::List(items) = &node.data else {
            self.wrong_shape(node, what, "a list");
            return &[];
        };
        items
    }

    /// Returns a string.
    pub fn text<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        let Data::Text(text) = &node.data else {
            self.wrong_shape(node, what, "a string");
            return None;
        };
        Some(text)
    }

    /// Returns a boolean.
    pub fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        let Data::Bool(flag) = node.data else {
            self.wrong_shape(node, what, "true or false");
            return None;
        };
        Some(flag)
    }

    /// Returns the keyword that the string equals.
    pub fn keyword<'w>(
        &mut self,
        node: &Node,
        what: &str,
        words: &'w [&'w str],
    ) -> Option<&'w str> {
        let text = self.text(node, what)?;
        let found = words.iter().copied().find(|word| *word == text);
        if found.is_none() {
            self.problems.add(
                ProblemCode::BadOption,
                node.location,
                format!("`{text}` is not a value of `{what}`"),
                quoted_list(words),
                did_you_mean(text, words),
            );
        }
        found
    }

    /// Records a key that is not allowed here.
    pub fn unknown_key(&mut self, entry: &Entry, within: &str, known: &[&str]) {
        self.unknown(ProblemCode::UnknownKey, "key", &entry.key, entry.location, within, known);
    }

    /// Records a notice for a key that platformOS knows and Registrar ignores.
    pub fn ignored_key(&mut self, entry: &Entry) {
        let what = format!("`{}` is ignored: Registrar does not use it", entry.key);
        self.problems.add_notice(entry.location, what);
    }

    /// Records an unknown name.
    pub fn unknown(
        &mut self,
        code: ProblemCode,
        kind: &str,
        name: &str,
        location: Location,
        within: &str,
        known: &[&str],
    ) {
        self.unknown_with_hint((code, kind, name), location, (within, known), None);
    }

    /// Records an unknown name with a hint for names that resemble no known one.
    pub(crate) fn unknown_with_hint(
        &mut self,
        (code, kind, name): (ProblemCode, &str, &str),
        location: Location,
        (within, known): (&str, &[&str]),
        hint: Option<String>,
    ) {
        let expected = if known.is_empty() {
            "no name: none is defined".to_owned()
        } else {
            quoted_list(known)
        };
        self.problems.add(
            code,
            location,
            format!("unknown {kind} `{name}` in {within}"),
            expected,
            did_you_mean(name, known).or(hint),
        );
    }

    /// Records a value of the wrong shape.
    pub fn wrong_shape(&mut self, node: &Node, what: &str, expected: &str) {
        self.problems.add(
            ProblemCode::WrongShape,
            node.location,
            format!("`{what}` is {}", node.describe()),
            expected,
            None,
        );
    }
}

fn did_you_mean(name: &str, known: &[&str]) -> Option<String> {
    nearest(name, known.iter().copied()).map(|near| format!("did you mean `{near}`?"))
}

/// Formats names as "one of `a`, `b`". At most twenty, to keep the line readable.
fn quoted_list(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(20).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > 20 { ", …" } else { "" };
    match shown.as_slice() {
        [only] => only.clone(),
        _ => format!("one of {}{more}", shown.join(", ")),
    }
}
