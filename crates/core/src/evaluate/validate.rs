//! Validates all active fields of a submission and collects all violations, in the order of the
//! form.

use crate::eval_error::EvalError;
use std::sync::Arc;

use super::ownership::{self, IMMUTABLE};
use crate::config::nearest;
use crate::decimal::MAX_PLAIN;
use crate::expression::{ConditionResult, EvalScope};
use crate::fields::FieldType;
use crate::form::{Assertion, Field, FieldBody, Form, Group};
use crate::messages::{Message, Param, Params};
use crate::record_kind::RecordKind;
use crate::rules::{BoundRule, InputContent, Reporter, RuleInput};
use crate::submission::Path;
use crate::submission::is_storable;
use crate::submission::{Findings, PendingViolation, SCHEMA_STEP_BUDGET, shortened};
use crate::submission::{GroupSlots, ItemKey, ListItem, SiblingScope, Slot};
use crate::value::{NULL, Value};
use crate::violation::Violations;

static UNKNOWN_FIELD: Message = Message::new("unknown_field", "is not a known field");
static ASSERTION: Message = Message::new("assertion", "is invalid");
static CONDITION_ERROR: Message = Message::new("condition_error", "could not be checked");
static NUMBER_TOO_LONG: Message = Message::new(
    "number_too_long",
    "has a number that is too long without an exponent (maximum is %{count} digits)",
);
static WRONG_TYPE: Message = Message::new("wrong_type", "must be %{type}").with_type_param();

/// Messages of violations that no rule reports.
pub(crate) static MESSAGES: &[&Message] =
    &[&UNKNOWN_FIELD, &ASSERTION, &CONDITION_ERROR, &NUMBER_TOO_LONG, &WRONG_TYPE, &IMMUTABLE];

/// Validates a submission.
pub(super) fn validate(form: &Form, slots: &GroupSlots<'_>, findings: &mut Findings) {
    if let Some(cause) = findings.failure.take() {
        report_condition_error(&cause, Path::ROOT, findings);
    }
    if slots.stored.is_some() {
        findings.claims_only = true;
        collect_untouched_claims(&form.root, slots, &slots.slots, findings);
        findings.claims_only = false;
    }
    record(&form.root, slots, &Path::ROOT, &slots.slots, findings);
    ownership::validate_parents(&form.root, slots, findings);
    for assertion in &form.assertions {
        check_assertion(assertion, slots, findings);
    }
}

/// Collects the claims of all slots in `seen_claims`, without violations.
pub(super) fn claims(form: &Form, slots: &GroupSlots<'_>, findings: &mut Findings) {
    findings.claims_only = true;
    group(&form.root, slots, &Path::ROOT, Enclosing::Root(&slots.slots), findings);
}

/// Collects the claims of stored records that are not validated, so that submitted values that
/// collide with them are violations.
fn collect_untouched_claims(
    of: &Group,
    slots: &GroupSlots<'_>,
    root: &[Slot<'_>],
    findings: &mut Findings,
) {
    for (field, slot) in of.fields.iter().zip(&slots.slots) {
        match (&field.body, slot) {
            (FieldBody::Record(inner), Slot::Group(slots)) if slots.is_untouched() => {
                group(inner, slots, &Path::ROOT, Enclosing::Root(root), findings);
            }
            (FieldBody::Container(inner) | FieldBody::Record(inner), Slot::Group(slots)) => {
                collect_untouched_claims(inner, slots, root, findings);
            }
            (FieldBody::Records(inner), Slot::Items(items)) => {
                for slots in items.iter().filter_map(|item| item.group.as_ref()) {
                    if slots.is_untouched() {
                        group(inner, slots, &Path::ROOT, Enclosing::Root(root), findings);
                    } else {
                        collect_untouched_claims(inner, slots, root, findings);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Context of a group.
#[derive(Clone, Copy)]
enum Enclosing<'s, 'v> {
    /// The group is a record; the slots are those of the whole submission.
    Root(&'s [Slot<'v>]),
    /// The group is a container of the enclosing object.
    Scope(&'s SiblingScope<'s, 'v>),
}

/// Validates one value by the field's rules, without a submission.
pub fn validate_value(subject: &Field, value: Value<'static>) -> Violations {
    let mut findings = Findings::default();
    findings.schema_steps = SCHEMA_STEP_BUDGET;
    let slot = match value {
        Value::Null => Slot::Absent,
        value => Slot::Value { value, from_text: false },
    };
    let scope = SiblingScope { slots: &[], enclosing: None, root: &[] };
    findings.is_standalone = true;
    field(subject, &slot, &Path::ROOT, &scope, &mut findings);
    findings.violations
}

/// Validates a group that has a scope of its own. A record is entered as the holder of the claims
/// of its fields.
fn record(
    of: &Group,
    slots: &GroupSlots<'_>,
    path: &Path<'_>,
    root: &[Slot<'_>],
    findings: &mut Findings,
) {
    let kind = of.kind.filter(|kind| kind.has_types()).filter(|_| !findings.claims_only);
    if let Some(kind) = kind {
        findings.record.enter(kind, slots.id());
    }
    group(of, slots, path, Enclosing::Root(root), findings);
    if kind.is_some() {
        findings.record.leave();
    }
}

fn group(
    group: &Group,
    slots: &GroupSlots<'_>,
    path: &Path<'_>,
    enclosing: Enclosing<'_, '_>,
    findings: &mut Findings,
) {
    let scope = match enclosing {
        Enclosing::Root(root) => SiblingScope { slots: &slots.slots, enclosing: None, root },
        Enclosing::Scope(enclosing) => {
            SiblingScope { slots: &slots.slots, enclosing: Some(enclosing), root: enclosing.root }
        }
    };
    for (subject, slot) in group.fields.iter().zip(&slots.slots) {
        field(subject, slot, path, &scope, findings);
    }
    if group.kind == Some(RecordKind::RelationshipUser) && slots.sent {
        ownership::relationship(group, slots, path, findings);
    }
    for key in &slots.unknown {
        report_unknown_field(group, key, path, findings);
    }
}

fn field(
    field: &Field,
    slot: &Slot<'_>,
    parent: &Path<'_>,
    scope: &SiblingScope<'_, '_>,
    findings: &mut Findings,
) {
    let suffixed = matches!(slot, Slot::Group(group) if group.suffixed);
    let path = parent.sent_as(&field.name, suffixed);
    let content = match slot {
        Slot::Absent => InputContent::Absent,
        Slot::Value { value, .. } | Slot::Wrong { value } => InputContent::Value(value),
        Slot::Group(group) => match &field.body {
            FieldBody::Container(inner) if !has_content(inner, group) => InputContent::Absent,
            _ => InputContent::Node(group),
        },
        Slot::Items(items) => InputContent::Items(items),
        Slot::Inactive | Slot::Unchanged => return,
        Slot::Undecided { cause } => return report_condition_error(cause, path, findings),
    };
    if let Slot::Value { value, .. } = slot
        && !is_storable(value)
    {
        let params = Params::from([("count", Param::Number(MAX_PLAIN.to_string()))]);
        return findings.add_violation(PendingViolation::of(path, &NUMBER_TOO_LONG, params));
    }
    let from_text = matches!(slot, Slot::Value { from_text: true, .. });
    let before = findings.violations.list.len();
    let is_wrong = matches!(slot, Slot::Wrong { .. });
    rules(
        field,
        &RuleInput { content, from_text, scope, now: findings.eval_context.now },
        is_wrong,
        &path,
        findings,
    );
    let is_refused = findings.violations.list.len() > before;
    match (&field.body, slot) {
        (body, Slot::Wrong { .. }) if !is_refused => {
            report_wrong_type(type_name(body), path, findings)
        }
        // The items of a refused list are not validated: size rules come before item rules.
        (_, _) if is_refused => {}
        (FieldBody::Container(inner), Slot::Group(slots)) => {
            group(inner, slots, &path, Enclosing::Scope(scope), findings);
        }
        (FieldBody::Record(_), Slot::Group(slots))
            if slots.is_untouched() && !findings.claims_only => {}
        (FieldBody::Record(inner), Slot::Group(slots)) => {
            record(inner, slots, &path, scope.root, findings);
        }
        (FieldBody::Records(inner), Slot::Items(items)) => {
            list(inner, items, &path, scope.root, findings);
        }
        _ => {}
    }
}

fn rules(
    field: &Field,
    subject: &RuleInput<'_, '_>,
    is_wrong: bool,
    path: &Path<'_>,
    findings: &mut Findings,
) {
    for rule in &field.rules {
        let applies_to = rule.rule.applies_to;
        let is_skipped = (is_wrong && !applies_to.wrong_type)
            || (matches!(subject.content, InputContent::Absent) && !applies_to.absent)
            || (findings.is_standalone && rule.check.depends_on_context())
            || (rule.allow_nil && subject.is_nil())
            || (rule.allow_blank && subject.is_blank());
        if is_skipped {
            continue;
        }
        if !rule.conditions.is_empty() && !applies(rule, subject, path, findings) {
            continue;
        }
        let value = match subject.content {
            InputContent::Value(value) => value,
            _ => &NULL,
        };
        let is_secret = field.is_secret;
        let mut report = Reporter { findings, path: *path, rule, value, is_secret };
        rule.check.check(subject, &mut report);
    }
}

/// Returns whether the conditions of a rule hold. One that cannot be evaluated is a violation.
fn applies(
    rule: &BoundRule,
    subject: &RuleInput<'_, '_>,
    path: &Path<'_>,
    findings: &mut Findings,
) -> bool {
    let scope = subject.scope;
    let verdict = {
        let (form, this) = (scope.root, scope.record());
        rule.conditions.verdict(&EvalScope { form, this, eval_context: &findings.eval_context })
    };
    if let ConditionResult::Broken(cause) = &verdict {
        report_condition_error(cause, *path, findings);
    }
    verdict == ConditionResult::Holds
}

/// Validates a rule across fields. It is skipped if it reads a value of the wrong type, which has
/// been reported already.
fn check_assertion(assertion: &Assertion, slots: &GroupSlots<'_>, findings: &mut Findings) {
    let eval_context = findings.eval_context.clone();
    let view = EvalScope { form: &slots.slots, this: &slots.slots, eval_context: &eval_context };
    if assertion.must.reads_invalid_value(&view) {
        return;
    }
    let verdict = match assertion.conditions.verdict(&view) {
        ConditionResult::Holds => assertion.must.verdict(&view),
        ConditionResult::Fails => return,
        broken @ ConditionResult::Broken(_) => broken,
    };
    let own_text = assertion.message.clone();
    visit_paths(&assertion.field, Path::ROOT, &mut |path| match &verdict {
        ConditionResult::Holds => {}
        ConditionResult::Broken(cause) => report_condition_error(cause, path, findings),
        ConditionResult::Fails => {
            let (code, own_text) = (assertion.code.clone(), own_text.clone());
            let message = &ASSERTION;
            let (rule, params) = (Some(assertion.id()), Params::new());
            findings.add_violation(PendingViolation {
                path,
                message,
                rule,
                code,
                message_override: own_text,
                params,
            });
        }
    });
}

/// Calls `call` with the path that the field names lead to.
fn visit_paths(way: &[Arc<str>], path: Path<'_>, call: &mut dyn FnMut(Path<'_>)) {
    match way.split_first() {
        Some((name, rest)) => visit_paths(rest, path.field(name), call),
        None => call(path),
    }
}

fn report_condition_error(cause: &EvalError, path: Path<'_>, findings: &mut Findings) {
    if findings.claims_only {
        return;
    }
    findings.violations.causes.push(format!("{}: {cause}", path.dotted()));
    findings.add_violation(PendingViolation::of(path, &CONDITION_ERROR, Params::new()));
}

/// Returns whether a container has fields, records or unknown keys to validate.
fn has_content(inner: &Group, slots: &GroupSlots<'_>) -> bool {
    if !slots.unknown.is_empty() {
        return true;
    }
    inner.fields.iter().zip(&slots.slots).any(|(field, slot)| match (&field.body, slot) {
        (_, Slot::Absent | Slot::Inactive) => false,
        (FieldBody::Scalar(_), _) => slots.sent || slots.stored.is_some(),
        _ => true,
    })
}

fn list(
    inner: &Group,
    items: &[ListItem<'_>],
    path: &Path<'_>,
    root: &[Slot<'_>],
    findings: &mut Findings,
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
                findings.add_violation(PendingViolation::of(
                    path.field("id"),
                    message,
                    Params::new(),
                ));
            }
            Some(slots) if slots.is_untouched() && findings.claims_only => {
                record(inner, slots, path, root, findings);
            }
            // An item without values is ignored, like a nested form without values.
            Some(slots) if !slots.sent && slots.unknown.is_empty() => {}
            Some(slots) => record(inner, slots, path, root, findings),
            None => report_wrong_type("object", *path, findings),
        }
    }
}

fn report_unknown_field(group: &Group, key: &str, path: &Path<'_>, findings: &mut Findings) {
    // A client may submit very many unknown keys: suggestions are computed only for those reported.
    let helped = !findings.violations.is_full();
    let near =
        helped.then(|| nearest(key, group.fields.iter().map(|field| &*field.name))).flatten();
    let params =
        near.map(|near| ("near", Param::Text(near.to_owned().into()))).into_iter().collect();
    let key = shortened(key);
    let path = path.field(&key);
    findings.add_violation(PendingViolation::of(path, &UNKNOWN_FIELD, params));
}

fn type_name(body: &FieldBody) -> &'static str {
    match body {
        FieldBody::Scalar(scalar) => scalar.field_type.name(),
        FieldBody::Container(_) | FieldBody::Record(_) => "object",
        FieldBody::Records(_) => "list",
    }
}

fn report_wrong_type(expected: &'static str, path: Path<'_>, findings: &mut Findings) {
    let params = Params::from([("type", Param::Text(expected.into()))]);
    findings.add_violation(PendingViolation::of(path, &WRONG_TYPE, params));
    debug_assert_ne!(expected, FieldType::Any.name(), "everything is of the type `value`");
}
