//! The fields that an expression reads, resolved when the form is compiled, so that evaluation
//! converts only those.

use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::Value as Dynamic;
use minijinja::value::{Enumerator, Object};

use super::value::to_dynamic;
use crate::config::{Location, ProblemCode, Reader};
use crate::eval_context::EvalContext;
use crate::submission::{GroupSlots, Slot};

/// The names that one expression reads, and the fields that they resolve to.
#[derive(Debug, Default)]
pub(crate) struct Dependencies {
    /// Names as written, such as `form.company_size`; empty once resolved.
    names: BTreeSet<String>,
    location: Option<Location>,
    form: Option<Dependency>,
    /// Fields read through `form` that only the record has.
    local: Option<Dependency>,
    this: Option<Dependency>,
    reads_now: bool,
    reads_today: bool,
    reads_token: bool,
}

/// The part of a slot that is read; fields are by name and index in their group.
#[derive(Debug, Clone)]
enum Dependency {
    Value,
    Group(Vec<(Arc<str>, usize, Dependency)>),
    Items(Vec<(Arc<str>, usize, Dependency)>),
}

/// The fields of a group by name, against which the names in expressions are resolved.
#[derive(Debug)]
pub(crate) struct NameScope {
    fields: Vec<(Arc<str>, ScopeEntry)>,
}

/// A name in a [`NameScope`].
#[derive(Debug)]
pub(crate) enum ScopeEntry {
    /// A scalar field; `is_open` if its value may be an object or array with members of its own.
    Scalar {
        is_open: bool,
        is_secret: bool,
    },
    Group(NameScope),
    Items(NameScope),
}

/// The values that an expression can read while a submission is evaluated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EvalScope<'e, 'v> {
    /// The whole submission.
    pub(crate) form: &'e [Slot<'v>],
    /// The record that contains the field.
    pub(crate) this: &'e [Slot<'v>],
    pub(crate) eval_context: &'e EvalContext,
}

impl NameScope {
    /// Returns the scope of a group with these fields, in slot order.
    pub(crate) fn new(fields: Vec<(Arc<str>, ScopeEntry)>) -> Self {
        Self { fields }
    }

    /// Returns the scope of field `index`, or `None` if that is a scalar.
    pub(crate) fn inside(&self, index: usize) -> Option<&Self> {
        match &self.fields.get(index)?.1 {
            ScopeEntry::Group(names) | ScopeEntry::Items(names) => Some(names),
            ScopeEntry::Scalar { .. } => None,
        }
    }

    fn find(&self, name: &str) -> Option<(usize, &ScopeEntry)> {
        let index = self.fields.iter().position(|(field, _)| &**field == name)?;
        Some((index, &self.fields[index].1))
    }

    /// Returns a dependency on every field but secret ones.
    fn all_dependencies(&self) -> Vec<(Arc<str>, usize, Dependency)> {
        let fields = self.fields.iter().enumerate().filter_map(|(index, (name, entry))| {
            let reading = match entry {
                ScopeEntry::Scalar { is_secret: true, .. } => return None,
                ScopeEntry::Scalar { .. } => Dependency::Value,
                ScopeEntry::Group(names) => Dependency::Group(names.all_dependencies()),
                ScopeEntry::Items(names) => Dependency::Items(names.all_dependencies()),
            };
            Some((name.clone(), index, reading))
        });
        fields.collect()
    }

    fn all(&self) -> Vec<&str> {
        self.fields.iter().map(|(name, _)| &**name).collect()
    }
}

impl Dependencies {
    pub(super) fn of(names: BTreeSet<String>, location: Location) -> Self {
        Self { names, location: Some(location), ..Self::default() }
    }

    /// Returns the unresolved names as written.
    pub(super) fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    /// Returns the location of the expression.
    pub(super) fn location(&self) -> Location {
        self.location.unwrap_or(Location::START)
    }

    /// Resolves the names to fields; reports unknown names as problems. `may_ask_secrets` is true
    /// for conditions only: other results are stored or shown.
    pub(crate) fn resolve(
        &mut self,
        reader: &mut Reader<'_>,
        form: &NameScope,
        this: &NameScope,
        allow_secrets: bool,
    ) {
        let location = self.location();
        for name in std::mem::take(&mut self.names) {
            let (root, rest) = name.split_once('.').unwrap_or((&name, ""));
            let mut linker = DependencyResolver { reader, location, name: &name, allow_secrets };
            match root {
                // As in platformOS' nested forms, `form` falls back to the fields of the record.
                "form" if is_local(form, this, rest) => linker.add(&mut self.local, this, rest),
                "form" => linker.add(&mut self.form, form, rest),
                "this" => linker.add(&mut self.this, this, rest),
                "now" => self.reads_now = true,
                "today" => self.reads_today = true,
                "token" if rest.is_empty() || rest == "name" => self.reads_token = true,
                "range" => {}
                _ => linker.unknown_root(form),
            }
        }
    }

    /// Returns the evaluation context: the resolved fields that have a value, and the other roots
    /// that the expression reads.
    pub(super) fn context(&self, view: &EvalScope<'_, '_>) -> Dynamic {
        let mut entries = Vec::with_capacity(2);
        if self.form.is_some() || self.local.is_some() {
            let mut form = fields_of(self.form.as_ref(), view.form);
            form.extend(fields_of(self.local.as_ref(), view.this));
            entries.push((Arc::from("form"), Dynamic::from_object(RecordObject(form))));
        }
        if let Some(reading) = &self.this {
            entries.push((Arc::from("this"), group(reading, view.this)));
        }
        let now = view.eval_context.now;
        if self.reads_now {
            entries.push((Arc::from("now"), Dynamic::from(format!("{now:.6}"))));
        }
        if self.reads_today {
            let day = now.to_zoned(jiff::tz::TimeZone::UTC).date();
            entries.push((Arc::from("today"), Dynamic::from(day.to_string())));
        }
        if self.reads_token {
            let name = Dynamic::from(view.eval_context.token.clone());
            let token = RecordObject(vec![(Arc::from("name"), name)]);
            entries.push((Arc::from("token"), Dynamic::from_object(token)));
        }
        Dynamic::from_object(RecordObject(entries))
    }

    /// Returns whether a field that the expression reads holds a value of the wrong type, or could
    /// not be decided.
    pub(crate) fn reads_invalid_value(&self, view: &EvalScope<'_, '_>) -> bool {
        let wrong = |reading: &Option<Dependency>, slots: &[Slot<'_>]| {
            reading.as_ref().is_some_and(|reading| has_invalid_value(reading, slots))
        };
        wrong(&self.form, view.form)
            || wrong(&self.local, view.this)
            || wrong(&self.this, view.this)
    }
}

struct DependencyResolver<'l, 'p> {
    reader: &'l mut Reader<'p>,
    location: Location,
    name: &'l str,
    allow_secrets: bool,
}

impl DependencyResolver<'_, '_> {
    fn add(&mut self, into: &mut Option<Dependency>, names: &NameScope, rest: &str) {
        let into = into.get_or_insert_with(|| Dependency::Group(Vec::new()));
        let Dependency::Group(fields) = into else { return };
        if rest.is_empty() {
            *fields = names.all_dependencies();
            return;
        }
        self.step(fields, names, rest);
    }

    fn step(
        &mut self,
        fields: &mut Vec<(Arc<str>, usize, Dependency)>,
        names: &NameScope,
        path: &str,
    ) {
        let (name, rest) = path.split_once('.').unwrap_or((path, ""));
        let Some((index, entry)) = names.find(name) else {
            return self.unknown(name, &names.all());
        };
        let at = fields.iter().position(|(_, field, _)| *field == index);
        match entry {
            ScopeEntry::Scalar { is_secret: true, .. } if !self.allow_secrets => self.bad(
                format!("`{}` is secret and would be stored or shown", self.name),
                "another field; only conditions may read a secret field",
            ),
            ScopeEntry::Scalar { is_open, .. } => {
                if !rest.is_empty() && !is_open {
                    self.bad(
                        format!("`{}` reads a member of a scalar value", self.name),
                        "the name of the field alone",
                    );
                } else if at.is_none() {
                    fields.push((names.fields[index].0.clone(), index, Dependency::Value));
                }
            }
            ScopeEntry::Items(inner) => {
                if !rest.is_empty() {
                    let expected = "an item of it, such as `[0]`, or its length";
                    self.bad(format!("`{}` reads a field of a list", self.name), expected);
                } else if at.is_none() {
                    let reading = Dependency::Items(inner.all_dependencies());
                    fields.push((names.fields[index].0.clone(), index, reading));
                }
            }
            ScopeEntry::Group(inner) => {
                let at = at.unwrap_or_else(|| {
                    let reading = Dependency::Group(Vec::new());
                    fields.push((names.fields[index].0.clone(), index, reading));
                    fields.len() - 1
                });
                let Dependency::Group(below) = &mut fields[at].2 else { return };
                if rest.is_empty() {
                    *below = inner.all_dependencies();
                } else {
                    self.step(below, inner, rest);
                }
            }
        }
    }

    fn unknown(&mut self, name: &str, known: &[&str]) {
        // A key of this name has already been reported as unknown.
        if self.reader.problems.has_unknown(name) {
            return;
        }
        let within = format!("the expression's `{}`", self.name);
        let code = ProblemCode::UnknownField;
        self.reader.unknown(code, "field", name, self.location, &within, known);
    }

    fn unknown_root(&mut self, form: &NameScope) {
        let root = self.name.split('.').next().unwrap_or_default();
        if form.find(root).is_some() {
            let hint = Some(format!("did you mean `form.{root}`?"));
            let what = format!("unknown name `{root}` in an expression");
            let expected = "`form`, `this`, `now`, `today` or `token.name`";
            self.reader.problems.add(
                ProblemCode::UnknownField,
                self.location,
                what,
                expected,
                hint,
            );
            return;
        }
        let known = ["form", "this", "now", "today", "token"];
        let code = ProblemCode::UnknownField;
        self.reader.unknown(code, "name", root, self.location, "an expression", &known);
    }

    fn bad(&mut self, what: String, expected: &str) {
        self.reader.problems.add(ProblemCode::BadExpression, self.location, what, expected, None);
    }
}

/// Returns whether a path starts with a field that the record has and the form does not.
fn is_local(form: &NameScope, this: &NameScope, path: &str) -> bool {
    let first = path.split('.').next().unwrap_or_default();
    form.find(first).is_none() && this.find(first).is_some()
}

fn group(reading: &Dependency, slots: &[Slot<'_>]) -> Dynamic {
    Dynamic::from_object(RecordObject(fields_of(Some(reading), slots)))
}

/// Returns the values of the fields that are read; a field without a value is left out.
fn fields_of(reading: Option<&Dependency>, slots: &[Slot<'_>]) -> Vec<(Arc<str>, Dynamic)> {
    let Some(Dependency::Group(fields) | Dependency::Items(fields)) = reading else {
        return Vec::new();
    };
    let entries = fields.iter().filter_map(|(name, index, reading)| {
        let value = value(reading, slots.get(*index)?)?;
        Some((name.clone(), value))
    });
    entries.collect()
}

fn value(reading: &Dependency, slot: &Slot<'_>) -> Option<Dynamic> {
    match slot {
        Slot::Value { value, .. } => Some(to_dynamic(value)),
        Slot::Group(slots) => Some(group(reading, &slots.slots)),
        Slot::Items(items) => {
            let records = items.iter().filter_map(|item| item.group.as_ref());
            Some(records.map(|slots: &GroupSlots<'_>| group(reading, &slots.slots)).collect())
        }
        Slot::Absent
        | Slot::Wrong { .. }
        | Slot::Inactive
        | Slot::Unchanged
        | Slot::Undecided { .. } => None,
    }
}

fn has_invalid_value(reading: &Dependency, slots: &[Slot<'_>]) -> bool {
    let (Dependency::Group(fields) | Dependency::Items(fields)) = reading else { return false };
    fields.iter().any(|(_, index, reading)| match slots.get(*index) {
        Some(Slot::Wrong { .. } | Slot::Undecided { .. }) => true,
        Some(Slot::Group(inner)) => has_invalid_value(reading, &inner.slots),
        Some(Slot::Items(items)) => items.iter().any(|item| {
            item.group.as_ref().is_none_or(|slots| has_invalid_value(reading, &slots.slots))
        }),
        _ => false,
    })
}

/// A map with few keys, searched linearly.
#[derive(Debug)]
struct RecordObject(Vec<(Arc<str>, Dynamic)>);

impl Object for RecordObject {
    fn get_value(self: &Arc<Self>, key: &Dynamic) -> Option<Dynamic> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Dynamic> {
        self.0.iter().find(|(name, _)| &**name == key).map(|(_, value)| value.clone())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.iter().map(|(name, _)| Dynamic::from(name.clone())).collect())
    }
}
