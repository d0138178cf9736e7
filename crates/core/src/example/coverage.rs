//! Which rules of a form its examples have tripped.

use std::collections::HashSet;

use crate::config::{Place, ProblemCode, Problems};
use crate::form::{Body, Field, Form};
use crate::rules::BoundRule;

/// The rules of a form, and those that were broken so far.
#[derive(Debug)]
pub(super) struct Coverage {
    rules: Vec<Known>,
    tripped: HashSet<usize>,
}

#[derive(Debug)]
struct Known {
    /// Tells it from all others of the form.
    id: usize,
    path: String,
    name: String,
    place: Place,
}

impl Coverage {
    pub(super) fn of(form: &Form) -> Self {
        let mut rules = Vec::new();
        fields(&form.root.fields, "", &mut rules);
        for assertion in &form.assertions {
            rules.push(Known {
                id: assertion.id(),
                path: "rules".to_owned(),
                name: assertion.code.as_deref().unwrap_or("assert").to_owned(),
                place: assertion.place,
            });
        }
        Self { rules, tripped: HashSet::new() }
    }

    pub(super) fn tripped(&mut self) -> &mut HashSet<usize> {
        &mut self.tripped
    }

    /// Names the rules that nothing tripped.
    pub(super) fn report(&self, form: &str, problems: &mut Problems) {
        for Known { id, path, name, place } in &self.rules {
            if !self.tripped.contains(id) {
                problems.add(
                    ProblemCode::UntestedRule,
                    *place,
                    format!("no example of `{form}` trips `{name}` of `{path}`"),
                    "an example that expects its code",
                    None,
                );
            }
        }
    }
}

fn fields(of: &[Field], path: &str, rules: &mut Vec<Known>) {
    for field in of {
        let path =
            if path.is_empty() { field.name.to_string() } else { format!("{path}.{}", field.name) };
        rules.extend(field.rules.iter().map(|rule| known(rule, &path)));
        match &field.body {
            Body::Scalar(_) => {}
            Body::Container(group) | Body::Node(group) | Body::List(group) => {
                fields(&group.fields, &path, rules);
            }
        }
    }
}

fn known(rule: &BoundRule, path: &str) -> Known {
    Known {
        id: rule.id(),
        path: path.to_owned(),
        name: rule.rule.name.to_owned(),
        place: rule.place,
    }
}
