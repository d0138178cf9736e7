//! Tracks which rules of a form its examples have broken.

use std::collections::HashSet;

use crate::config::{Location, ProblemCode, Problems};
use crate::form::{Field, FieldBody, Form};
use crate::rules::BoundRule;

/// Rules of a form, and the ids of those that were broken so far.
#[derive(Debug)]
pub(super) struct Coverage {
    rules: Vec<ListedRule>,
    broken_rules: HashSet<usize>,
}

#[derive(Debug)]
struct ListedRule {
    /// Id that is unique within the form.
    id: usize,
    path: String,
    name: String,
    location: Location,
}

impl Coverage {
    pub(super) fn of(form: &Form) -> Self {
        let mut rules = Vec::new();
        fields(&form.root.fields, "", &mut rules);
        for assertion in &form.assertions {
            rules.push(ListedRule {
                id: assertion.id(),
                path: "rules".to_owned(),
                name: assertion.code.as_deref().unwrap_or("assert").to_owned(),
                location: assertion.location,
            });
        }
        Self { rules, broken_rules: HashSet::new() }
    }

    pub(super) fn broken_rules(&mut self) -> &mut HashSet<usize> {
        &mut self.broken_rules
    }

    /// Adds a problem for each rule that no example has broken.
    pub(super) fn report(&self, form: &str, problems: &mut Problems) {
        for ListedRule { id, path, name, location } in &self.rules {
            if !self.broken_rules.contains(id) {
                problems.add(
                    ProblemCode::UntestedRule,
                    *location,
                    format!("no example of `{form}` violates `{name}` of `{path}`"),
                    "an example that expects its code",
                    None,
                );
            }
        }
    }
}

fn fields(of: &[Field], path: &str, rules: &mut Vec<ListedRule>) {
    for field in of {
        let path =
            if path.is_empty() { field.name.to_string() } else { format!("{path}.{}", field.name) };
        rules.extend(field.rules.iter().map(|rule| known(rule, &path)));
        match &field.body {
            FieldBody::Scalar(_) => {}
            FieldBody::Container(group) | FieldBody::Record(group) | FieldBody::Records(group) => {
                fields(&group.fields, &path, rules);
            }
        }
    }
}

fn known(rule: &BoundRule, path: &str) -> ListedRule {
    ListedRule {
        id: rule.id(),
        path: path.to_owned(),
        name: rule.rule.name.to_owned(),
        location: rule.location,
    }
}
