//! Parent fields: fields that name the owner or parent of a record in a form for the record itself,
//! and the fields of a session.

use super::fields::{field, integer, text};
use super::{BuiltIn, BuiltInRule, Setter};
use crate::aggregate::Secret;
use crate::canonical::email_key;
use crate::fields::FieldType;
use crate::record_kind::RecordKind;
use crate::value::Value;

/// Kinds of parents of a customization, by platformOS' names.
pub(crate) const CUSTOMIZABLE: [(&str, RecordKind); 5] = [
    ("User", RecordKind::User),
    ("Profile", RecordKind::Profile),
    ("UserProfile", RecordKind::Profile),
    ("Transactable", RecordKind::Transactable),
    ("Customization", RecordKind::Customization),
];

/// Parent references of a record.
#[derive(Debug, Default)]
pub(crate) struct ParentRefs {
    pub(crate) owner: Option<i64>,
    pub(crate) relationship: Option<i64>,
    pub(crate) transactable: Option<i64>,
    pub(crate) customizable: Option<i64>,
    pub(crate) customizable_type: Option<String>,
}

const fn reference(name: &'static str, rules: &'static [BuiltInRule], set: Setter) -> BuiltIn {
    BuiltIn { name, field_type: FieldType::Integer, rules, is_secret: false, set }
}

const fn exists(options: &'static str) -> BuiltInRule {
    BuiltInRule { name: "exists", options, yields_to: &[], replaced_by: &[] }
}

const USER_EXISTS: &[BuiltInRule] = &[exists("User")];
const OWNER: Setter = Setter::ParentRef(|parents, value| parents.owner = integer(&value));

pub(super) const CREATED: &[BuiltIn] = &[reference("creator_id", USER_EXISTS, OWNER)];

pub(super) const MEMBER: &[BuiltIn] = &[reference("user_id", USER_EXISTS, OWNER)];

pub(super) const RELATIONSHIP_TRANSACTABLE: &[BuiltIn] = &[
    reference(
        "relationship_id",
        &[exists("Relationship")],
        Setter::ParentRef(|parents, value| parents.relationship = integer(&value)),
    ),
    reference(
        "transactable_id",
        &[exists("Transactable")],
        Setter::ParentRef(|parents, value| parents.transactable = integer(&value)),
    ),
];

pub(super) const CUSTOMIZATION: &[BuiltIn] = &[
    reference("user_id", USER_EXISTS, OWNER),
    // No `exists` rule: the kind of parent depends on `customizable_type`, see
    // `evaluate::ownership`.
    reference(
        "customizable_id",
        &[],
        Setter::ParentRef(|parents, value| parents.customizable = integer(&value)),
    ),
    field(
        "customizable_type",
        FieldType::String,
        Setter::ParentRef(|parents, value| parents.customizable_type = text(value)),
    ),
];

pub(super) const SESSION: &[BuiltIn] = &[
    field(
        "email",
        FieldType::String,
        Setter::User(|user, value| {
            user.email = text(value).map(|address| address.trim().to_owned());
            user.email_key = user.email.as_deref().map(email_key);
        }),
    ),
    BuiltIn {
        name: "password",
        field_type: FieldType::String,
        rules: &[],
        is_secret: true,
        set: Setter::User(|user, value| {
            if let Value::String(password) = value
                && !password.is_empty()
            {
                user.password = Some(Secret::new(password.into_owned()));
            }
        }),
    },
];
