//! Built-in fields of each kind of record.

use crate::aggregate::Secret;
use crate::canonical::email_key;
use crate::fields::FieldType;
use crate::value::Value;
use std::borrow::Cow;

use super::{BuiltIn, BuiltInRule, Setter};

pub(super) const fn field(name: &'static str, field_type: FieldType, set: Setter) -> BuiltIn {
    BuiltIn { name, field_type, rules: &[], is_secret: false, set }
}

const fn rule(name: &'static str) -> BuiltInRule {
    BuiltInRule { name, options: "true", yields_to: &[], replaced_by: &[] }
}

pub(super) const USER: &[BuiltIn] = &[
    BuiltIn {
        name: "email",
        field_type: FieldType::String,
        rules: &[rule("presence"), rule("email"), rule("unique")],
        is_secret: false,
        set: Setter::User(|user, value| {
            user.email = text(value).map(|address| address.trim().to_owned());
            user.email_key = user.email.as_deref().map(email_key);
        }),
    },
    BuiltIn {
        name: "password",
        field_type: FieldType::String,
        rules: &[BuiltInRule {
            name: "length",
            options: "{minimum: 6, allow_nil: true}",
            yields_to: &["minimum", "is", "in", "within"],
            replaced_by: &["password"],
        }],
        is_secret: true,
        set: Setter::User(|user, value| {
            if let Value::String(password) = value
                && !password.is_empty()
            {
                user.password = Some(Secret::new(password.into_owned()));
            }
        }),
    },
    BuiltIn {
        name: "password_hash",
        field_type: FieldType::String,
        rules: &[rule("password_hash")],
        is_secret: true,
        set: Setter::User(|user, value| user.password_hash = text(value).map(Secret::new)),
    },
    BuiltIn {
        name: "external_id",
        field_type: FieldType::String,
        rules: &[rule("unique")],
        is_secret: false,
        set: Setter::User(|user, value| user.external_id = text(value)),
    },
    field(
        "first_name",
        FieldType::String,
        Setter::User(|user, value| user.first_name = text(value)),
    ),
    field(
        "middle_name",
        FieldType::String,
        Setter::User(|user, value| user.middle_name = text(value)),
    ),
    field("last_name", FieldType::String, Setter::User(|user, value| user.last_name = text(value))),
    field("name", FieldType::String, Setter::User(|user, value| user.name = text(value))),
    field("featured", FieldType::Boolean, Setter::User(|user, value| user.featured = flag(&value))),
    field(
        "public_profile",
        FieldType::Boolean,
        Setter::User(|user, value| user.public_profile = flag(&value)),
    ),
    field("language", FieldType::String, Setter::User(|user, value| user.language = text(value))),
    field("time_zone", FieldType::String, Setter::User(|user, value| user.time_zone = text(value))),
    field("phone", FieldType::String, Setter::User(|user, value| user.phone = text(value))),
    field(
        "mobile_number",
        FieldType::String,
        Setter::User(|user, value| user.mobile_number = text(value)),
    ),
];

pub(super) const PROFILE: &[BuiltIn] = &[field(
    "enabled",
    FieldType::Boolean,
    Setter::Profile(|profile, value| profile.enabled = flag(&value)),
)];

pub(super) const RELATIONSHIP_USER: &[BuiltIn] = &[
    BuiltIn {
        name: "relationship_id",
        field_type: FieldType::Integer,
        rules: &[BuiltInRule {
            name: "exists",
            options: "Relationship",
            yields_to: &[],
            replaced_by: &[],
        }],
        is_secret: false,
        set: Setter::RelationshipFields(|fields, value| fields.id = integer(&value)),
    },
    field(
        "relationship_key",
        FieldType::String,
        Setter::RelationshipFields(|fields, value| fields.key = text(value)),
    ),
    field(
        "relationship_name",
        FieldType::String,
        Setter::RelationshipFields(|fields, value| fields.type_name = text(value)),
    ),
];

pub(super) const TRANSACTABLE: &[BuiltIn] = &[
    field(
        "name",
        FieldType::String,
        Setter::Transactable(|transactable, value| transactable.name = text(value)),
    ),
    field(
        "description",
        FieldType::Text,
        Setter::Transactable(|transactable, value| transactable.description = text(value)),
    ),
    BuiltIn {
        name: "currency",
        field_type: FieldType::String,
        rules: &[BuiltInRule {
            name: "currency",
            options: "true",
            yields_to: &[],
            replaced_by: &["format", "inclusion"],
        }],
        is_secret: false,
        set: Setter::Transactable(|transactable, value| {
            if let Some(currency) = text(value).filter(|currency| !currency.trim().is_empty()) {
                transactable.currency = currency;
            }
        }),
    },
    field(
        "enabled",
        FieldType::Boolean,
        Setter::Transactable(|transactable, value| transactable.enabled = flag(&value)),
    ),
];

pub(super) const CUSTOMIZATION: &[BuiltIn] =
    &[field("custom_model_type_name", FieldType::String, Setter::Nowhere)];

pub(super) const ADDRESS: &[BuiltIn] = &[
    field("address", FieldType::String, Setter::Address(|to, value| to.address = text(value))),
    field("street", FieldType::String, Setter::Address(|to, value| to.street = text(value))),
    field(
        "street_number",
        FieldType::String,
        Setter::Address(|to, value| to.street_number = text(value)),
    ),
    field("suburb", FieldType::String, Setter::Address(|to, value| to.suburb = text(value))),
    field("city", FieldType::String, Setter::Address(|to, value| to.city = text(value))),
    field("state", FieldType::String, Setter::Address(|to, value| to.state = text(value))),
    field("postcode", FieldType::String, Setter::Address(|to, value| to.postcode = text(value))),
    field("country", FieldType::String, Setter::Address(|to, value| to.country = text(value))),
    BuiltIn {
        name: "iso_country_code",
        field_type: FieldType::String,
        rules: &[BuiltInRule {
            name: "country",
            options: "{case_sensitive: false}",
            yields_to: &[],
            replaced_by: &["format", "inclusion"],
        }],
        is_secret: false,
        set: Setter::Address(|to, value| to.iso_country_code = text(value)),
    },
    BuiltIn {
        name: "latitude",
        field_type: FieldType::Decimal,
        rules: &[BuiltInRule {
            name: "numericality",
            options: "{in: -90..90, allow_nil: true}",
            yields_to: &[],
            replaced_by: &[],
        }],
        is_secret: false,
        set: Setter::Address(|to, value| to.latitude = text(value)),
    },
    BuiltIn {
        name: "longitude",
        field_type: FieldType::Decimal,
        rules: &[BuiltInRule {
            name: "numericality",
            options: "{in: -180..180, allow_nil: true}",
            yields_to: &[],
            replaced_by: &[],
        }],
        is_secret: false,
        set: Setter::Address(|to, value| to.longitude = text(value)),
    },
];

pub(super) const FILE: &[BuiltIn] = &[
    BuiltIn {
        name: "direct_url",
        field_type: FieldType::String,
        rules: &[
            rule("presence"),
            BuiltInRule {
                name: "format",
                options: "{with: '\\Ahttps?://[^\\s/]+(/\\S*)?\\z', allow_blank: true}",
                yields_to: &[],
                replaced_by: &[],
            },
        ],
        is_secret: false,
        set: Setter::File(|file, value| file.direct_url = text(value)),
    },
    field("file_name", FieldType::String, Setter::File(|file, value| file.file_name = text(value))),
    field(
        "content_type",
        FieldType::String,
        Setter::File(|file, value| file.content_type = text(value)),
    ),
    field("caption", FieldType::String, Setter::File(|file, value| file.caption = text(value))),
];

pub(super) fn text(value: Value<'_>) -> Option<String> {
    match value {
        Value::String(text) | Value::Number(text) => Some(Cow::into_owned(text)),
        _ => None,
    }
}

fn flag(value: &Value<'_>) -> bool {
    matches!(value, Value::Bool(true))
}

pub(super) fn integer(value: &Value<'_>) -> Option<i64> {
    let Value::Number(text) = value else { return None };
    text.parse().ok()
}
