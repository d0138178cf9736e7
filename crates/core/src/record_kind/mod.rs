//! What Registrar knows of each kind of record without being told: its fields, what it may
//! contain, and where a valid value goes in the aggregate.
//!
//! A new built-in field is a line here, a field of the aggregate, and a column.

mod belonging;
mod built_ins;

use crate::aggregate::{NewAddress, NewFile, NewProfile, NewTransactable, NewUser};
use crate::fields::FieldType;
use crate::rules::BuiltInRule;
use crate::types::TypeKind;
use crate::value::Value;
pub(crate) use belonging::{CUSTOMIZABLE, ParentRefs};
use built_ins::{ADDRESS, CUSTOMIZATION, FILE, PROFILE, RELATIONSHIP_USER, TRANSACTABLE, USER};

/// A kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    User,
    Profile,
    RelationshipUser,
    Transactable,
    Relationship,
    RelationshipTransactable,
    Customization,
    Address,
    Image,
    Attachment,
    /// What somebody signs in with: judged only.
    Session,
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
    pub(crate) set: Setter,
}

/// Where a valid value goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Setter {
    User(fn(&mut NewUser, Value<'_>)),
    Profile(fn(&mut NewProfile, Value<'_>)),
    RelationshipFields(fn(&mut RelationshipFields, Value<'_>)),
    Transactable(fn(&mut NewTransactable, Value<'_>)),
    Address(fn(&mut NewAddress, Value<'_>)),
    File(fn(&mut NewFile, Value<'_>)),
    /// Of the form of a record itself.
    ParentRef(fn(&mut ParentRefs, Value<'_>)),
    /// Judged, and said again elsewhere.
    Nowhere,
}

/// What a relationship user says of its relationship.
#[derive(Debug, Default)]
pub(crate) struct RelationshipFields {
    pub(crate) id: Option<i64>,
    pub(crate) key: Option<String>,
    pub(crate) type_name: Option<String>,
}

impl Kind {
    /// Every kind.
    pub(crate) const ALL: [Self; 11] = [
        Self::User,
        Self::Profile,
        Self::RelationshipUser,
        Self::Transactable,
        Self::Relationship,
        Self::RelationshipTransactable,
        Self::Customization,
        Self::Address,
        Self::Image,
        Self::Attachment,
        Self::Session,
    ];

    /// What it is called in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Profile => "profile",
            Self::RelationshipUser => "relationship user",
            Self::Transactable => "transactable",
            Self::Relationship => "relationship",
            Self::RelationshipTransactable => "relationship transactable",
            Self::Customization => "customization",
            Self::Address => "address",
            Self::Image => "image",
            Self::Attachment => "attachment",
            Self::Session => "session",
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
            Self::Relationship | Self::RelationshipTransactable => &[],
            Self::Session => belonging::SESSION,
        }
    }

    /// The further fields that it has where a form is for it itself: where it belongs.
    pub(crate) fn parent_fields(self) -> &'static [BuiltIn] {
        match self {
            Self::Transactable | Self::Relationship => belonging::CREATED,
            Self::RelationshipUser => belonging::MEMBER,
            Self::RelationshipTransactable => belonging::RELATIONSHIP_TRANSACTABLE,
            Self::Customization => belonging::CUSTOMIZATION,
            _ => &[],
        }
    }

    /// The field that says whose it is, where it is somebody's.
    pub(crate) fn owner_field(self) -> Option<&'static str> {
        match self {
            Self::Transactable => Some("creator_id"),
            Self::RelationshipUser | Self::Customization => Some("user_id"),
            _ => None,
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
            Self::RelationshipUser | Self::Relationship | Self::RelationshipTransactable => {
                &[C::Properties]
            }
            Self::Address | Self::Image | Self::Attachment | Self::Session => &[],
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
