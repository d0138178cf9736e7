//! What Registrar knows of each kind of record without being told: its fields, what it may
//! contain, and where a valid value goes in the aggregate.
//!
//! A new built-in field is a line here, a field of the aggregate, and a column.

use std::borrow::Cow;

use crate::aggregate::{NewAddress, NewFile, NewProfile, NewTransactable, NewUser, Secret};
use crate::fields::FieldType;
use crate::keys::email_key;
use crate::rules::BuiltInRule;
use crate::types::TypeKind;
use crate::value::Value;

/// A kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    User,
    Profile,
    RelationshipUser,
    Transactable,
    Customization,
    Address,
    Image,
    Attachment,
}

/// A key that holds other fields or records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    Properties,
    Profiles,
    RelationshipUsers,
    Transactables,
    Customizations,
    CustomAddresses,
    CustomImages,
    CustomAttachments,
}

/// A field that a kind of record has without being told.
#[derive(Debug)]
pub(crate) struct BuiltIn {
    pub(crate) name: &'static str,
    pub(crate) field_type: FieldType,
    pub(crate) rules: &'static [BuiltInRule],
    /// Never shown, not even in the form's own words.
    pub(crate) is_secret: bool,
    pub(crate) set: Set,
}

/// Where a valid value goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Set {
    User(fn(&mut NewUser, Value<'_>)),
    Profile(fn(&mut NewProfile, Value<'_>)),
    Membership(fn(&mut Membership, Value<'_>)),
    Transactable(fn(&mut NewTransactable, Value<'_>)),
    Address(fn(&mut NewAddress, Value<'_>)),
    File(fn(&mut NewFile, Value<'_>)),
    /// Judged, and said again elsewhere.
    Nowhere,
}

/// What a relationship user says of its relationship.
#[derive(Debug, Default)]
pub(crate) struct Membership {
    pub(crate) id: Option<i64>,
    pub(crate) type_name: Option<String>,
}

impl Kind {
    /// Every kind.
    pub(crate) const ALL: [Self; 8] = [
        Self::User,
        Self::Profile,
        Self::RelationshipUser,
        Self::Transactable,
        Self::Customization,
        Self::Address,
        Self::Image,
        Self::Attachment,
    ];

    /// What it is called in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Profile => "profile",
            Self::RelationshipUser => "relationship user",
            Self::Transactable => "transactable",
            Self::Customization => "customization",
            Self::Address => "address",
            Self::Image => "image",
            Self::Attachment => "attachment",
        }
    }

    /// The fields it has without being told.
    pub(crate) fn built_ins(self) -> &'static [BuiltIn] {
        match self {
            Self::User => USER,
            Self::Profile => PROFILE,
            Self::RelationshipUser => RELATIONSHIP_USER,
            Self::Transactable => TRANSACTABLE,
            Self::Customization => CUSTOMIZATION,
            Self::Address => ADDRESS,
            Self::Image | Self::Attachment => FILE,
        }
    }

    /// What it may contain.
    pub(crate) fn containers(self) -> &'static [Container] {
        use Container as C;
        match self {
            Self::User => &[
                C::Properties,
                C::Profiles,
                C::RelationshipUsers,
                C::Transactables,
                C::Customizations,
            ],
            Self::Profile | Self::Transactable | Self::Customization => &[
                C::Properties,
                C::CustomAddresses,
                C::CustomImages,
                C::CustomAttachments,
                C::Customizations,
            ],
            Self::RelationshipUser => &[C::Properties],
            Self::Address | Self::Image | Self::Attachment => &[],
        }
    }
}

impl Container {
    /// The key in a form and in a submission.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Properties => "properties",
            Self::Profiles => "profiles",
            Self::RelationshipUsers => "relationship_users",
            Self::Transactables => "transactables",
            Self::Customizations => "customizations",
            Self::CustomAddresses => "custom_addresses",
            Self::CustomImages => "custom_images",
            Self::CustomAttachments => "custom_attachments",
        }
    }

    /// The kind of record in it; nothing for `properties`, which holds fields.
    pub(crate) fn holds(self) -> Option<Kind> {
        match self {
            Self::Properties => None,
            Self::Profiles => Some(Kind::Profile),
            Self::RelationshipUsers => Some(Kind::RelationshipUser),
            Self::Transactables => Some(Kind::Transactable),
            Self::Customizations => Some(Kind::Customization),
            Self::CustomAddresses => Some(Kind::Address),
            Self::CustomImages => Some(Kind::Image),
            Self::CustomAttachments => Some(Kind::Attachment),
        }
    }

    /// The kind of type file that names what is in it.
    pub(crate) fn type_kind(self) -> Option<TypeKind> {
        match self {
            Self::Profiles => Some(TypeKind::Profile),
            Self::RelationshipUsers => Some(TypeKind::RelationshipUser),
            Self::Transactables => Some(TypeKind::Transactable),
            Self::Customizations => Some(TypeKind::Customization),
            _ => None,
        }
    }

    /// Whether there may be several records of one type in it.
    pub(crate) fn holds_many(self) -> bool {
        matches!(self, Self::RelationshipUsers | Self::Transactables | Self::Customizations)
    }
}

const fn field(name: &'static str, field_type: FieldType, set: Set) -> BuiltIn {
    BuiltIn { name, field_type, rules: &[], is_secret: false, set }
}

const fn rule(name: &'static str) -> BuiltInRule {
    BuiltInRule { name, options: "true", yields_to: &[], replaced_by: &[] }
}

const USER: &[BuiltIn] = &[
    BuiltIn {
        name: "email",
        field_type: FieldType::String,
        rules: &[rule("presence"), rule("email"), rule("unique")],
        is_secret: false,
        set: Set::User(|user, value| {
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
        set: Set::User(|user, value| {
            if let Value::String(password) = value
                && !password.is_empty()
            {
                user.password = Some(Secret::new(password.into_owned()));
            }
        }),
    },
    BuiltIn {
        name: "external_id",
        field_type: FieldType::String,
        rules: &[rule("unique")],
        is_secret: false,
        set: Set::User(|user, value| user.external_id = text(value)),
    },
    field("first_name", FieldType::String, Set::User(|user, value| user.first_name = text(value))),
    field(
        "middle_name",
        FieldType::String,
        Set::User(|user, value| user.middle_name = text(value)),
    ),
    field("last_name", FieldType::String, Set::User(|user, value| user.last_name = text(value))),
    field("name", FieldType::String, Set::User(|user, value| user.name = text(value))),
    field("featured", FieldType::Boolean, Set::User(|user, value| user.featured = flag(&value))),
    field(
        "public_profile",
        FieldType::Boolean,
        Set::User(|user, value| user.public_profile = flag(&value)),
    ),
    field("language", FieldType::String, Set::User(|user, value| user.language = text(value))),
    field("time_zone", FieldType::String, Set::User(|user, value| user.time_zone = text(value))),
    field("phone", FieldType::String, Set::User(|user, value| user.phone = text(value))),
    field(
        "mobile_number",
        FieldType::String,
        Set::User(|user, value| user.mobile_number = text(value)),
    ),
];

const PROFILE: &[BuiltIn] = &[field(
    "enabled",
    FieldType::Boolean,
    Set::Profile(|profile, value| profile.enabled = flag(&value)),
)];

const RELATIONSHIP_USER: &[BuiltIn] = &[
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
        set: Set::Membership(|membership, value| membership.id = integer(&value)),
    },
    field(
        "relationship_name",
        FieldType::String,
        Set::Membership(|membership, value| membership.type_name = text(value)),
    ),
];

const TRANSACTABLE: &[BuiltIn] = &[
    field(
        "name",
        FieldType::String,
        Set::Transactable(|listing, value| listing.name = text(value)),
    ),
    field(
        "description",
        FieldType::Text,
        Set::Transactable(|listing, value| listing.description = text(value)),
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
        set: Set::Transactable(|listing, value| {
            if let Some(currency) = text(value).filter(|currency| !currency.trim().is_empty()) {
                listing.currency = currency;
            }
        }),
    },
    field(
        "enabled",
        FieldType::Boolean,
        Set::Transactable(|listing, value| listing.enabled = flag(&value)),
    ),
];

const CUSTOMIZATION: &[BuiltIn] =
    &[field("custom_model_type_name", FieldType::String, Set::Nowhere)];

const ADDRESS: &[BuiltIn] = &[
    field("address", FieldType::String, Set::Address(|to, value| to.address = text(value))),
    field("street", FieldType::String, Set::Address(|to, value| to.street = text(value))),
    field(
        "street_number",
        FieldType::String,
        Set::Address(|to, value| to.street_number = text(value)),
    ),
    field("suburb", FieldType::String, Set::Address(|to, value| to.suburb = text(value))),
    field("city", FieldType::String, Set::Address(|to, value| to.city = text(value))),
    field("state", FieldType::String, Set::Address(|to, value| to.state = text(value))),
    field("postcode", FieldType::String, Set::Address(|to, value| to.postcode = text(value))),
    field("country", FieldType::String, Set::Address(|to, value| to.country = text(value))),
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
        set: Set::Address(|to, value| to.iso_country_code = text(value)),
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
        set: Set::Address(|to, value| to.latitude = text(value)),
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
        set: Set::Address(|to, value| to.longitude = text(value)),
    },
];

const FILE: &[BuiltIn] = &[
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
        set: Set::File(|file, value| file.direct_url = text(value)),
    },
    field("file_name", FieldType::String, Set::File(|file, value| file.file_name = text(value))),
    field(
        "content_type",
        FieldType::String,
        Set::File(|file, value| file.content_type = text(value)),
    ),
    field("caption", FieldType::String, Set::File(|file, value| file.caption = text(value))),
];

fn text(value: Value<'_>) -> Option<String> {
    match value {
        Value::String(text) | Value::Number(text) => Some(Cow::into_owned(text)),
        _ => None,
    }
}

fn flag(value: &Value<'_>) -> bool {
    matches!(value, Value::Bool(true))
}

fn integer(value: &Value<'_>) -> Option<i64> {
    let Value::Number(text) = value else { return None };
    text.parse().ok()
}
