//! Parses configuration files.

use super::node::{Data, Node};
use super::parser::Parser;
use super::problem::{Problem, ProblemCode, Problems};

/// Parses a file. Returns `None` if it cannot be parsed; problems are added to `problems`, also to
/// those of a tree that is returned.
pub fn parse(text: &str, problems: &mut Problems) -> Option<Node> {
    let tree = Parser::new(text, problems).document()?;
    report_invalid(&tree, problems);
    Some(tree)
}

/// Converts a configuration file to JSON, for tools that do not read YAML.
///
/// # Errors
/// Returns the first problem of the file.
pub fn yaml_to_json(text: &str) -> Result<serde_json::Value, Problem> {
    let mut problems = Problems::new("".into());
    let tree = parse(text, &mut problems);
    match (tree, problems.into_vec().into_iter().next()) {
        (Some(tree), None) => Ok(serde_json::to_value(tree.to_value()).unwrap_or_default()),
        (_, Some(problem)) => Err(problem),
        (None, None) => Ok(serde_json::Value::Null),
    }
}

/// Reports duplicate keys, and strings with NUL characters, which databases cannot store.
fn report_invalid(node: &Node, problems: &mut Problems) {
    match &node.data {
        Data::Map(entries) => {
            let mut seen = std::collections::HashMap::new();
            for entry in entries {
                if let Some(first) = seen.insert(entry.key.as_str(), entry.location) {
                    problems.add(
                        ProblemCode::DuplicateKey,
                        entry.location,
                        format!("duplicate key `{}` in a mapping", entry.key),
                        "each key once",
                        Some(format!("the first one is at line {}", first.line)),
                    );
                }
                report_invalid(&entry.value, problems);
            }
        }
        Data::List(items) => items.iter().for_each(|item| report_invalid(item, problems)),
        Data::Text(text) if text.contains('\0') => problems.add(
            ProblemCode::Syntax,
            node.location,
            "the string contains a NUL character, which cannot be stored",
            "a string without it",
            None,
        ),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_text(text: &str) -> (Option<Node>, Vec<crate::config::Problem>) {
        let mut problems = Problems::new("a.yml".into());
        let tree = parse(text, &mut problems);
        (tree, problems.into_vec())
    }

    #[test]
    fn keys_and_values_have_locations() {
        let (tree, problems) = parse_text("a: 1\nb:\n  c: [x, no]\n");
        assert!(problems.is_empty(), "{problems:?}");
        let tree = tree.unwrap();
        let b = tree.get("b").unwrap();
        assert_eq!((b.location.line, b.location.column), (2, 1));
        let c = b.value.get("c").unwrap();
        assert_eq!((c.location.line, c.location.column), (3, 3));
        let Data::List(items) = &c.value.data else { panic!("expected a list") };
        assert_eq!((items[1].location.line, items[1].location.column), (3, 10));
        assert!(matches!(&items[1].data, Data::Text(text) if text == "no"));
    }

    #[test]
    fn all_duplicate_keys_are_reported() {
        let (_, problems) = parse_text("a: 1\nb: {c: 1, c: 2}\na: 3\n");
        let locations: Vec<_> =
            problems.iter().map(|p| (p.location.line, p.location.column)).collect();
        assert_eq!(locations, [(2, 11), (3, 1)]);
    }

    #[test]
    fn syntax_error_is_reported_once() {
        for text in ["a: [1, 2\nb: 3\n", "a: 'x\n", "a: !env HOME\n", "a: b: c\n"] {
            let (tree, problems) = parse_text(text);
            assert!(tree.is_none() && problems.len() == 1, "{text:?}: {problems:?}");
        }
    }
}
