//! Samples: valid submissions to a form, taken from its examples or computed.

use serde_json::{Map, Value as Json};

use super::candidates;
use crate::eval_context::{EvalContext, Timestamp};
use crate::form::{Example, Field, FieldBody, Form, Group};
use crate::value::Value;
use crate::violation::{Violation, Violations};

/// Maximum number of values that a computed sample consists of.
const MAX_ROUNDS: usize = 50;
/// Maximum depth of a computed nested form.
const MAX_DEPTH: usize = 6;
/// Maximum number of keys of a nested form that are tried as its first one.
const MAX_CHILDREN: usize = 8;

impl Form {
    /// Returns a valid submission at `now`, or `None` if none is found. It is the first valid example
    /// without a context of its own, else computed from `{}` by setting a value wherever the form
    /// reports a violation. Submissions that refer to other rows, which must exist, are the last resort.
    #[must_use]
    pub fn sample(&self, now: Timestamp) -> Option<Json> {
        let samples = [self.sample_by_example(now, true), self.computed_sample(now)];
        let mut samples = samples.into_iter().flatten();
        let with_reference = match samples.find(|sample| self.has_no_references(sample, now)) {
            Some(sample) => return Some(sample),
            None => self.sample_by_example(now, false),
        };
        with_reference.or_else(|| self.computed_sample(now))
    }

    fn sample_by_example(&self, now: Timestamp, without_references: bool) -> Option<Json> {
        let is_plain = |example: &&Example| {
            let is_valid = example.expected.is_empty() && example.stored.is_none();
            let has_context = !example.users.is_empty()
                || example.relationships.is_some()
                || example.eval_context.now != Timestamp::UNIX_EPOCH
                || &*example.eval_context.token != super::read::TOKEN_NAME;
            is_valid && !has_context
        };
        let plain = self.examples.iter().filter(is_plain);
        let mut samples = plain.filter_map(|example| serde_json::to_value(&example.form).ok());
        samples.find(|sample| {
            self.violations_of(sample, now).is_empty()
                && (!without_references || self.has_no_references(sample, now))
        })
    }

    /// Returns a valid submission that is computed from `{}`, or `None` if none is found.
    fn computed_sample(&self, now: Timestamp) -> Option<Json> {
        let mut sample = Json::Object(Map::new());
        for _ in 0..MAX_ROUNDS {
            let violations = self.violations_of(&sample, now);
            if violations.is_empty() {
                return Some(sample);
            }
            let mut list = violations.list.iter();
            sample = list.find_map(|violation| self.repaired(&sample, violation, now))?;
        }
        self.violations_of(&sample, now).is_empty().then_some(sample)
    }

    /// Returns the submission with a value that removes the violation, or `None` if no candidate does. A
    /// value without any violation is preferred to one that breaks another rule of the field.
    fn repaired(&self, sample: &Json, violation: &Violation, now: Timestamp) -> Option<Json> {
        let pointer =
            violation.pointer.strip_prefix("/form").filter(|pointer| !pointer.is_empty())?;
        let mut second_best: Option<(usize, Json)> = None;
        for candidate in self.candidates(sample, violation, pointer, now) {
            let mut changed = sample.clone();
            set(&mut changed, pointer, candidate);
            let left = self.violations_of(&changed, now);
            let here = || left.list.iter().filter(|left| left.path == violation.path);
            if here().any(|left| left.code() == violation.code()) {
                continue;
            }
            match here().count() {
                0 => return Some(changed),
                count if second_best.as_ref().is_none_or(|(least, _)| count < *least) => {
                    second_best = Some((count, changed));
                }
                _ => {}
            }
        }
        second_best.map(|(_, changed)| changed)
    }

    /// Returns values to try at the place of a violation; `None` removes the value.
    fn candidates(
        &self,
        sample: &Json,
        violation: &Violation,
        pointer: &str,
        now: Timestamp,
    ) -> Vec<Option<Json>> {
        let current = sample.pointer(pointer);
        let mut values = Vec::new();
        if let Some(confirmed) = pointer.strip_suffix("_confirmation") {
            values.extend(sample.pointer(confirmed).cloned());
        }
        match field_at(&self.root, &violation.path) {
            Some((field, true)) => values.extend(of_field(field, Some(violation), current, now, 0)),
            // The violation is inside a value: of a JSON Schema.
            Some((_, false)) => values.extend(candidates::of_any(violation)),
            None => {}
        }
        let removal = current.is_some().then_some(None);
        values.into_iter().map(Some).chain(removal).collect()
    }

    fn violations_of(&self, sample: &Json, now: Timestamp) -> Violations {
        self.apply(Value::from(sample.clone()), &context(now)).err().unwrap_or_default()
    }

    fn has_no_references(&self, sample: &Json, now: Timestamp) -> bool {
        let (_, references) = self.database_checks(Value::from(sample.clone()), &context(now));
        references.is_empty()
    }
}

fn context(now: Timestamp) -> EvalContext {
    EvalContext { now, token: super::read::TOKEN_NAME.into() }
}

/// Returns the innermost field that a path leads to, and whether the path ends there.
fn field_at<'f>(root: &'f Group, path: &str) -> Option<(&'f Field, bool)> {
    let mut group = root;
    let mut names = path.split('.').peekable();
    loop {
        let name = names.next()?;
        let name = name.split_once('[').map_or(name, |(name, _)| name);
        let field = &group.fields[group.index_of(name)?];
        let is_end = names.peek().is_none();
        match &field.body {
            FieldBody::Container(inner) | FieldBody::Record(inner) | FieldBody::Records(inner)
                if !is_end =>
            {
                group = inner;
            }
            _ => return Some((field, is_end)),
        }
    }
}

/// Returns values of a field, the best first. `violation` is the one to remove.
fn of_field(
    field: &Field,
    violation: Option<&Violation>,
    current: Option<&Json>,
    now: Timestamp,
    depth: usize,
) -> Vec<Json> {
    match &field.body {
        FieldBody::Scalar(scalar) if scalar.readonly => Vec::new(),
        FieldBody::Scalar(scalar) => {
            candidates::of_scalar(field, scalar.field_type, violation, current, now)
        }
        FieldBody::Container(group) | FieldBody::Record(group) => objects(group, now, depth),
        FieldBody::Records(group) => {
            let count = violation.and_then(candidates::count_of).unwrap_or(1.0);
            let mut items = current.and_then(Json::as_array).cloned().unwrap_or_default();
            let objects = objects(group, now, depth);
            let count = count.clamp(1.0, 100.0) as usize;
            items.truncate(count);
            let lists = objects.into_iter().map(|object| {
                let mut items = items.clone();
                items.resize(count, object);
                Json::Array(items)
            });
            lists.collect()
        }
    }
}

/// Returns objects with one key each. Keys that refer to other rows are the last.
fn objects(group: &Group, now: Timestamp, depth: usize) -> Vec<Json> {
    if depth >= MAX_DEPTH {
        return Vec::new();
    }
    let is_reference = |field: &&Field| field.name.ends_with("_id") || field.name.ends_with("_key");
    let plain = group.fields.iter().filter(|field| !is_reference(field));
    let children = plain.chain(group.fields.iter().filter(is_reference));
    let objects = children.filter_map(|field| {
        let value = of_field(field, None, None, now, depth + 1).into_iter().next()?;
        Some(Json::Object(Map::from_iter([(field.name.to_string(), value)])))
    });
    objects.take(MAX_CHILDREN).collect()
}

/// Sets or removes the value at a JSON Pointer, creating the objects and arrays on the way.
fn set(root: &mut Json, pointer: &str, value: Option<Json>) {
    let Some(value) = value else { return remove(root, pointer) };
    let mut place = root;
    for key in pointer.split('/').skip(1) {
        let key = key.replace("~1", "/").replace("~0", "~");
        let index = key.parse::<usize>().ok();
        if let (Json::Array(items), Some(index)) = (&mut *place, index) {
            if items.len() <= index {
                items.resize(index + 1, Json::Null);
            }
        } else if !place.is_object() {
            *place = Json::Object(Map::new());
        }
        place = match place {
            Json::Array(items) => &mut items[index.unwrap_or_default()],
            Json::Object(entries) => entries.entry(key).or_insert(Json::Null),
            _ => return,
        };
    }
    *place = value;
}

fn remove(root: &mut Json, pointer: &str) {
    let Some((parent, key)) = pointer.rsplit_once('/') else { return };
    match root.pointer_mut(parent) {
        Some(Json::Object(entries)) => {
            entries.remove(&key.replace("~1", "/").replace("~0", "~"));
        }
        Some(Json::Array(items)) => {
            if let Some(index) = key.parse().ok().filter(|index| *index < items.len()) {
                items.remove(index);
            }
        }
        _ => {}
    }
}
