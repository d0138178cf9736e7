//! Where a record belongs whose form is for it itself: fields that it has beside those that it has
//! within a user.

use super::built_ins::{field, integer, text};
use super::{BuiltIn, Setter};
use crate::aggregate::{ReferenceTarget, Secret};
use crate::canonical::email_key;
use crate::fields::FieldType;
use crate::rules::BuiltInRule;
use crate::value::Value;

/// What a customization can hang on, by platformOS' words.
pub(crate) const CUSTOMIZABLE: [(&str, ReferenceTarget); 5] = [
    ("User", ReferenceTarget::User),
    ("Profile", ReferenceTarget::Profile),
    ("UserProfile", ReferenceTarget::Profile),
    ("Transactable", ReferenceTarget::Transactable),
    ("Customization", ReferenceTarget::Customization),
];

/// What the form of a record says of where it belongs.
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
const OWNER: Setter = Setter::ParentRef(|belonging, value| belonging.owner = integer(&value));

pub(super) const CREATED: &[BuiltIn] = &[reference("creator_id", USER_EXISTS, OWNER)];

pub(super) const MEMBER: &[BuiltIn] = &[reference("user_id", USER_EXISTS, OWNER)];

pub(super) const RELATIONSHIP_TRANSACTABLE: &[BuiltIn] = &[
    reference(
        "relationship_id",
        &[exists("Relationship")],
        Setter::ParentRef(|belonging, value| belonging.relationship = integer(&value)),
    ),
    reference(
        "transactable_id",
        &[exists("Transactable")],
        Setter::ParentRef(|belonging, value| belonging.transactable = integer(&value)),
    ),
];

pub(super) const CUSTOMIZATION: &[BuiltIn] = &[
    reference("user_id", USER_EXISTS, OWNER),
    // Of which kind it is stands beside it, so that judging it is the form's.
    reference(
        "customizable_id",
        &[],
        Setter::ParentRef(|belonging, value| belonging.customizable = integer(&value)),
    ),
    field(
        "customizable_type",
        FieldType::String,
        Setter::ParentRef(|belonging, value| belonging.customizable_type = text(value)),
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
