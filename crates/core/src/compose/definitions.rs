//! Expands `use:`: replaces it by a definition from the form's `definitions:` or from a file in
//! `definitions/`.

use super::budget::Budget;
use super::{MAX_EXTENDS_DEPTH, merge};
use crate::config::{Data, Entry, Location, Node, ProblemCode, Reader};

/// Expands the definitions that a form uses and drops its `definitions:`.
pub(super) fn expand(
    tree: &mut Node,
    shared: &[Entry],
    budget: &mut Budget,
    reader: &mut Reader<'_>,
) {
    let local = tree.get("definitions").map(|entry| entry.value.clone());
    let mut known = Vec::new();
    if let Some(local) = &local {
        known.extend(reader.map(local, "definitions"));
    }
    known.extend(shared);
    let mut expander = Expander { known, budget, reader, above: Vec::new() };
    if let Data::Map(entries) = &mut tree.data
        && let Some(fields) = entries.iter_mut().find(|entry| entry.key == "fields")
    {
        expander.node(&mut fields.value);
    }
    merge::remove_keys(tree, &["definitions"]);
}

/// Returns whether an entry is a `use:` key rather than a property named `use`, which has no value
/// or the keys of a field.
fn uses_definition(entry: &Entry) -> bool {
    const OF_FIELDS: [&str; 5] = ["type", "normalize", "validation", "property_options", "if"];
    entry.key == "use"
        && match &entry.value.data {
            Data::Null => false,
            Data::Map(inner) => !inner.iter().any(|inner| OF_FIELDS.contains(&inner.key.as_str())),
            _ => true,
        }
}

struct Expander<'e, 'p> {
    known: Vec<&'e Entry>,
    budget: &'e mut Budget,
    reader: &'e mut Reader<'p>,
    /// Names of the definitions that are being expanded, outermost first.
    above: Vec<String>,
}

impl Expander<'_, '_> {
    fn node(&mut self, node: &mut Node) {
        match &mut node.data {
            Data::List(items) => items.iter_mut().for_each(|item| self.node(item)),
            Data::Map(entries) => {
                let at = entries.iter().position(uses_definition);
                if let Some(at) = at {
                    let used = entries.remove(at);
                    let overrides =
                        Node { location: node.location, data: Data::Map(std::mem::take(entries)) };
                    node.data = Data::Map(Vec::new());
                    self.substitute(node, used.value);
                    merge::merge_over(node, overrides, self.reader);
                    merge::report_removals(node, self.reader);
                }
                if let Data::Map(entries) = &mut node.data {
                    entries.iter_mut().for_each(|entry| self.node(&mut entry.value));
                }
            }
            _ => {}
        }
    }

    /// Expands the value of `use`: a name, a mapping from names to parameters, or a list of these.
    fn substitute(&mut self, node: &mut Node, used: Node) {
        match used.data {
            Data::List(items) => items.into_iter().for_each(|item| self.substitute(node, item)),
            Data::Text(name) => self.definition(node, &name, used.location, None),
            Data::Map(entries) => {
                for Entry { key, location, value } in entries {
                    self.definition(node, &key, location, Some(value));
                }
            }
            _ => {
                let expected = "a name, a mapping from names to parameters, or a list of these";
                self.reader.wrong_shape(&used, "use", expected);
            }
        }
    }

    fn definition(&mut self, node: &mut Node, name: &str, location: Location, given: Option<Node>) {
        let Some(found) = self.known.iter().copied().find(|entry| entry.key == name) else {
            let known: Vec<&str> = self.known.iter().map(|entry| entry.key.as_str()).collect();
            let code = ProblemCode::UnknownType;
            return self.reader.unknown(code, "definition", name, location, "`use`", &known);
        };
        if self.above.iter().any(|above| above == name) || self.above.len() >= MAX_EXTENDS_DEPTH {
            let what = format!("the definition `{name}` uses itself");
            let expected = format!("no cycle, and at most {MAX_EXTENDS_DEPTH} levels of `use`");
            return self.reader.problems.add(ProblemCode::Cycle, location, what, expected, None);
        }
        if !self.budget.charge_node(&found.value, location, self.reader) {
            return;
        }
        let mut content = found.value.clone();
        let Some(parameters) = self.parameters(name, &content, location, given) else { return };
        merge::remove_keys(&mut content, &["parameters"]);
        self.fill(&mut content, &parameters, location);
        self.above.push(name.to_owned());
        self.node(&mut content);
        self.above.pop();
        merge::merge_over(node, content, self.reader);
    }

    /// Returns the values of a definition's parameters: as given, or the declared defaults. Returns
    /// `None`, with a problem, if one is missing.
    fn parameters(
        &mut self,
        name: &str,
        content: &Node,
        location: Location,
        given: Option<Node>,
    ) -> Option<Vec<(String, Node)>> {
        let declared = content.get("parameters").map(|entry| &entry.value);
        let declared = declared.map_or(&[][..], |node| self.reader.map(node, "parameters"));
        let given = match given.map(|node| node.data) {
            Some(Data::Map(entries)) => entries,
            _ => Vec::new(),
        };
        let known: Vec<&str> = declared.iter().map(|entry| entry.key.as_str()).collect();
        for entry in &given {
            if !known.contains(&entry.key.as_str()) {
                let within = format!("the definition `{name}`");
                let code = ProblemCode::UnknownOption;
                self.reader.unknown(code, "parameter", &entry.key, entry.location, &within, &known);
            }
        }
        let mut parameters = Vec::new();
        for entry in declared {
            let given = given.iter().find(|given| given.key == entry.key);
            let value = given.map_or(&entry.value, |given| &given.value);
            if given.is_none() && matches!(value.data, Data::Null) {
                let what = format!("`use` of `{name}` lacks the parameter `{}`", entry.key);
                let expected = format!("`use: {{ {name}: {{ {}: … }} }}`", entry.key);
                self.reader.problems.add(ProblemCode::MissingKey, location, what, expected, None);
                return None;
            }
            parameters.push((entry.key.clone(), value.clone()));
        }
        Some(parameters)
    }

    /// Substitutes parameters for `${name}`. A string that consists of it alone becomes the value;
    /// within a longer string, the value's text is inserted.
    fn fill(&mut self, node: &mut Node, parameters: &[(String, Node)], used: Location) {
        match &mut node.data {
            Data::List(items) => {
                items.iter_mut().for_each(|item| self.fill(item, parameters, used));
            }
            Data::Map(entries) => {
                entries.iter_mut().for_each(|entry| self.fill(&mut entry.value, parameters, used));
            }
            Data::Text(text) if text.contains("${") => {
                let find = |name: &str| parameters.iter().find(|(known, _)| known == name);
                let alone = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
                if let Some((_, value)) = alone.and_then(find) {
                    if self.budget.charge_node(value, used, self.reader) {
                        *node = value.clone();
                    }
                    return;
                }
                let mut filled = text.clone();
                for (name, value) in parameters {
                    if let Data::Text(text) | Data::Number(text) = &value.data {
                        let mark = format!("${{{name}}}");
                        let more = filled.matches(&mark).count().saturating_mul(text.len());
                        if !self.budget.charge(more, used, self.reader) {
                            return;
                        }
                        filled = filled.replace(&mark, text);
                    }
                }
                let rest = filled.split_once("${").and_then(|(_, rest)| rest.split_once('}'));
                let is_name = |name: &str| {
                    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                };
                if let Some((name, _)) = rest.filter(|(name, _)| is_name(name)) {
                    let known: Vec<&str> = parameters.iter().map(|(name, _)| &**name).collect();
                    let code = ProblemCode::UnknownOption;
                    let within = "a definition";
                    self.reader.unknown(code, "parameter", name, node.location, within, &known);
                }
                *text = filled;
            }
            _ => {}
        }
    }
}
