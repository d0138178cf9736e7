//! Every rule of every field that is asked for, all violations at once, in the form's own order.

use std::sync::Arc;

use super::belonging::{self, IMMUTABLE};
use super::json::is_storable;
use super::outcome::{Outcome, SCHEMA_STEPS, Saying, shortened};
use super::path::Path;
use super::slot::{GroupSlots, Item, ItemKey, Scope, Slot};
use crate::config::nearest;
use crate::decimal::MAX_PLAIN;
use crate::expression::{Verdict, View};
use crate::fields::FieldType;
use crate::form::{Assertion, Body, Field, Form, Group};
use crate::resources::Kind;
use crate::rules::{BoundRule, Content, Report, Subject};
use crate::value::{NULL, Value};
use crate::violation::{Message, Param, Params, Violations};

static UNKNOWN_FIELD: Message = Message::new("unknown_field", "is not a known field");
static ASSERTION: Message = Message::new("assertion", "is invalid");
static CONDITION_ERROR: Message = Message::new("condition_error", "could not be checked");
static NUMBER_TOO_LONG: Message = Message::new(
    "number_too_long",
    "has a number that is too long without an exponent (maximum is %{count} digits)",
);
static WRONG_TYPE: Message = Message::new("wrong_type", "must be %{type}").naming_a_type();

/// What is said without a rule.
pub(crate) static MESSAGES: &[&Message] =
    &[&UNKNOWN_FIELD, &ASSERTION, &CONDITION_ERROR, &NUMBER_TOO_LONG, &WRONG_TYPE, &IMMUTABLE];

/// Judges a whole submission.
pub(super) fn judge(form: &Form, slots: &GroupSlots<'_>, outcome: &mut Outcome) {
    if let Some(cause) = outcome.failure.take() {
        undecided(&cause, Path::ROOT, outcome);
    }
    if slots.stored.is_some() {
        outcome.is_muted = true;
        untouched(&form.root, slots, &slots.slots, outcome);
        outcome.is_muted = false;
    }
    record(&form.root, slots, &Path::ROOT, &slots.slots, outcome);
    belonging::judge(&form.root, slots, outcome);
    for assertion in &form.assertions {
        assert_across(assertion, slots, outcome);
    }
}

/// The claims of all that is there, in a muted outcome: nothing else is said.
pub(super) fn claims(form: &Form, slots: &GroupSlots<'_>, outcome: &mut Outcome) {
    outcome.is_muted = true;
    group(&form.root, slots, &Path::ROOT, Around::Root(&slots.slots), outcome);
}

/// Notes what stored records claim that are not judged, so that what is judged collides with them.
fn untouched(of: &Group, slots: &GroupSlots<'_>, root: &[Slot<'_>], outcome: &mut Outcome) {
    for (field, slot) in of.fields.iter().zip(&slots.slots) {
        match (&field.body, slot) {
            (Body::Node(inner), Slot::Group(slots)) if slots.is_untouched() => {
                group(inner, slots, &Path::ROOT, Around::Root(root), outcome);
            }
            (Body::Container(inner) | Body::Node(inner), Slot::Group(slots)) => {
                untouched(inner, slots, root, outcome);
            }
            (Body::List(inner), Slot::Items(items)) => {
                for slots in items.iter().filter_map(|item| item.group.as_ref()) {
                    if slots.is_untouched() {
                        group(inner, slots, &Path::ROOT, Around::Root(root), outcome);
                    } else {
                        untouched(inner, slots, root, outcome);
                    }
                }
            }
            _ => {}
        }
    }
}

/// What is around a group.
#[derive(Clone, Copy)]
enum Around<'s, 'v> {
    /// It is a record of its own in this submission.
    Root(&'s [Slot<'v>]),
    /// It belongs to the object around it.
    Scope(&'s Scope<'s, 'v>),
}

/// Judges one value by the field's own rules, away from any submission.
pub(crate) fn judge_alone(subject: &Field, value: Value<'static>) -> Violations {
    let mut outcome = Outcome::default();
    outcome.schema_steps = SCHEMA_STEPS;
    let slot = match value {
        Value::Null => Slot::Absent,
        value => Slot::Value { value, from_text: false },
    };
    let scope = Scope { slots: &[], around: None, root: &[] };
    outcome.is_alone = true;
    field(subject, &slot, &Path::ROOT, &scope, &mut outcome);
    outcome.violations
}

/// Judges a group of the submission that is no part of the object around it, as the holder of its
/// claims if it is a record.
fn record(
    of: &Group,
    slots: &GroupSlots<'_>,
    path: &Path<'_>,
    root: &[Slot<'_>],
    outcome: &mut Outcome,
) {
    let kind = of.kind.and_then(Kind::type_kind).filter(|_| !outcome.is_muted);
    if let Some(kind) = kind {
        outcome.record.enter(kind, slots.id());
    }
    group(of, slots, path, Around::Root(root), outcome);
    if kind.is_some() {
        outcome.record.leave();
    }
}

fn group(
    group: &Group,
    slots: &GroupSlots<'_>,
    path: &Path<'_>,
    around: Around<'_, '_>,
    outcome: &mut Outcome,
) {
    let scope = match around {
        Around::Root(root) => Scope { slots: &slots.slots, around: None, root },
        Around::Scope(around) => {
            Scope { slots: &slots.slots, around: Some(around), root: around.root }
        }
    };
    for (subject, slot) in group.fields.iter().zip(&slots.slots) {
        field(subject, slot, path, &scope, outcome);
    }
    if group.kind == Some(Kind::RelationshipUser) && slots.sent {
        belonging::relationship(group, slots, path, outcome);
    }
    for key in &slots.unknown {
        unknown(group, key, path, outcome);
    }
}

fn field(
    field: &Field,
    slot: &Slot<'_>,
    parent: &Path<'_>,
    scope: &Scope<'_, '_>,
    outcome: &mut Outcome,
) {
    let suffixed = matches!(slot, Slot::Group(group) if group.suffixed);
    let path = parent.sent_as(&field.name, suffixed);
    let content = match slot {
        Slot::Absent => Content::Absent,
        Slot::Value { value, .. } | Slot::Wrong { value } => Content::Value(value),
        Slot::Group(group) => match &field.body {
            Body::Container(inner) if !holds_anything(inner, group) => Content::Absent,
            _ => Content::Node(group),
        },
        Slot::Items(items) => Content::Items(items),
        Slot::Inactive | Slot::Kept => return,
        Slot::Undecided { cause } => return undecided(cause, path, outcome),
    };
    if let Slot::Value { value, .. } = slot
        && !is_storable(value)
    {
        let params = Params::from([("count", Param::Number(MAX_PLAIN.to_string()))]);
        return outcome.violate(Saying::of(path, &NUMBER_TOO_LONG, params));
    }
    let from_text = matches!(slot, Slot::Value { from_text: true, .. });
    let before = outcome.violations.list.len();
    let is_wrong = matches!(slot, Slot::Wrong { .. });
    rules(
        field,
        &Subject { content, from_text, scope, now: outcome.surroundings.now },
        is_wrong,
        &path,
        outcome,
    );
    let is_refused = outcome.violations.list.len() > before;
    match (&field.body, slot) {
        (body, Slot::Wrong { .. }) if !is_refused => wrong_type(type_name(body), path, outcome),
        // A list that is too long is not looked into: size rules come before element rules.
        (_, _) if is_refused => {}
        (Body::Container(inner), Slot::Group(slots)) => {
            group(inner, slots, &path, Around::Scope(scope), outcome);
        }
        (Body::Node(_), Slot::Group(slots)) if slots.is_untouched() && !outcome.is_muted => {}
        (Body::Node(inner), Slot::Group(slots)) => {
            record(inner, slots, &path, scope.root, outcome);
        }
        (Body::List(inner), Slot::Items(items)) => list(inner, items, &path, scope.root, outcome),
        _ => {}
    }
}

fn rules(
    field: &Field,
    subject: &Subject<'_, '_>,
    is_wrong: bool,
    path: &Path<'_>,
    outcome: &mut Outcome,
) {
    for rule in &field.rules {
        let judges = rule.rule.judges;
        let is_skipped = (is_wrong && !judges.wrong_type)
            || (matches!(subject.content, Content::Absent) && !judges.absent)
            || (outcome.is_alone && rule.check.looks_around())
            || (rule.allow_nil && subject.is_nil())
            || (rule.allow_blank && subject.is_blank());
        if is_skipped {
            continue;
        }
        if !rule.conditions.is_empty() && !applies(rule, subject, path, outcome) {
            continue;
        }
        let value = match subject.content {
            Content::Value(value) => value,
            _ => &NULL,
        };
        let is_secret = field.is_secret;
        let mut report = Report { outcome, path: *path, rule, value, is_secret };
        rule.check.check(subject, &mut report);
    }
}

/// Whether the conditions of a rule hold; one that cannot be evaluated refuses.
fn applies(
    rule: &BoundRule,
    subject: &Subject<'_, '_>,
    path: &Path<'_>,
    outcome: &mut Outcome,
) -> bool {
    let scope = subject.scope;
    let verdict = {
        let (form, this) = (scope.root, scope.record());
        rule.conditions.verdict(&View { form, this, surroundings: &outcome.surroundings })
    };
    if let Verdict::Broken(cause) = &verdict {
        undecided(cause, *path, outcome);
    }
    verdict == Verdict::Holds
}

/// Judges a rule across fields. One that reads a value of the wrong type has nothing to say: that
/// has been told.
fn assert_across(assertion: &Assertion, slots: &GroupSlots<'_>, outcome: &mut Outcome) {
    let surroundings = outcome.surroundings.clone();
    let view = View { form: &slots.slots, this: &slots.slots, surroundings: &surroundings };
    if assertion.must.meets_wrong(&view) {
        return;
    }
    let verdict = match assertion.conditions.verdict(&view) {
        Verdict::Holds => assertion.must.verdict(&view),
        Verdict::Fails => return,
        broken @ Verdict::Broken(_) => broken,
    };
    let own_text = assertion.message.clone();
    at(&assertion.field, Path::ROOT, &mut |path| match &verdict {
        Verdict::Holds => {}
        Verdict::Broken(cause) => undecided(cause, path, outcome),
        Verdict::Fails => {
            let (code, own_text) = (assertion.code.clone(), own_text.clone());
            let message = &ASSERTION;
            let (rule, params) = (Some(assertion.id()), Params::new());
            outcome.violate(Saying { path, message, rule, code, own_text, params });
        }
    });
}

/// Goes down a way of names and calls with the path at its end.
fn at(way: &[Arc<str>], path: Path<'_>, call: &mut dyn FnMut(Path<'_>)) {
    match way.split_first() {
        Some((name, rest)) => at(rest, path.field(name), call),
        None => call(path),
    }
}

fn undecided(cause: &str, path: Path<'_>, outcome: &mut Outcome) {
    if outcome.is_muted {
        return;
    }
    outcome.violations.causes.push(format!("{}: {cause}", path.dotted()));
    outcome.violate(Saying::of(path, &CONDITION_ERROR, Params::new()));
}

/// Whether a container was sent with anything in it that asks to be looked at.
fn holds_anything(inner: &Group, slots: &GroupSlots<'_>) -> bool {
    if !slots.unknown.is_empty() {
        return true;
    }
    inner.fields.iter().zip(&slots.slots).any(|(field, slot)| match (&field.body, slot) {
        (_, Slot::Absent | Slot::Inactive) => false,
        (Body::Scalar(_), _) => slots.sent || slots.stored.is_some(),
        _ => true,
    })
}

fn list(
    inner: &Group,
    items: &[Item<'_>],
    path: &Path<'_>,
    root: &[Slot<'_>],
    outcome: &mut Outcome,
) {
    for (index, item) in items.iter().enumerate() {
        let item_path;
        let path = match &item.key {
            ItemKey::Only | ItemKey::Stored => path,
            ItemKey::Index => {
                item_path = path.item(index, None);
                &item_path
            }
            ItemKey::Key(key) => {
                item_path = path.item(index, Some(key));
                &item_path
            }
        };
        match &item.group {
            Some(GroupSlots { id_fault: Some(message), .. }) => {
                outcome.violate(Saying::of(path.field("id"), message, Params::new()));
            }
            Some(slots) if slots.is_untouched() && outcome.is_muted => {
                record(inner, slots, path, root, outcome);
            }
            // An empty item is ignored, as an empty nested form is.
            Some(slots) if !slots.sent && slots.unknown.is_empty() => {}
            Some(slots) => record(inner, slots, path, root, outcome),
            None => wrong_type("object", *path, outcome),
        }
    }
}

fn unknown(group: &Group, key: &str, path: &Path<'_>, outcome: &mut Outcome) {
    // What is not told need not be helped with, and a client may send very many of them.
    let helped = !outcome.violations.is_full();
    let near =
        helped.then(|| nearest(key, group.fields.iter().map(|field| &*field.name))).flatten();
    let params =
        near.map(|near| ("near", Param::Text(near.to_owned().into()))).into_iter().collect();
    let key = shortened(key);
    let path = path.field(&key);
    outcome.violate(Saying::of(path, &UNKNOWN_FIELD, params));
}

fn type_name(body: &Body) -> &'static str {
    match body {
        Body::Scalar(scalar) => scalar.field_type.name(),
        Body::Container(_) | Body::Node(_) => "object",
        Body::List(_) => "list",
    }
}

fn wrong_type(expected: &'static str, path: Path<'_>, outcome: &mut Outcome) {
    let params = Params::from([("type", Param::Text(expected.into()))]);
    outcome.violate(Saying::of(path, &WRONG_TYPE, params));
    debug_assert_ne!(expected, FieldType::Any.name(), "everything is of the type `value`");
}
