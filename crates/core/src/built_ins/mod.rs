//! Built-in fields of each kind of record, its containers, and the setters that store a valid value
//! in the aggregate.
//!
//! A new built-in field needs an entry here, a field in the aggregate, and a column in the
//! database.

mod docs;
mod fields;
mod parent_fields;

use crate::aggregate::{NewAddress, NewFile, NewProfile, NewTransactable, NewUser};
use crate::fields::FieldType;
use crate::record_kind::RecordKind;
use crate::value::Value;
pub use docs::page;
use fields::{ADDRESS, CUSTOMIZATION, FILE, PROFILE, RELATIONSHIP_USER, TRANSACTABLE, USER};
pub(crate) use parent_fields::{CUSTOMIZABLE, ParentRefs};

/// Key that holds other fields or records.
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

/// A rule that a field has by default.
#[derive(Debug)]
pub(crate) struct BuiltInRule {
    pub(crate) name: &'static str,
    /// Options as YAML.
    pub(crate) options: &'static str,
    /// Options that make a form's rule of this name replace the built-in one. If empty, any rule of
    /// this name does.
    pub(crate) yields_to: &'static [&'static str],
    /// Other rules that replace the built-in one.
    pub(crate) replaced_by: &'static [&'static str],
}

/// Field that every record of a kind has, without a declaration.
#[derive(Debug)]
pub(crate) struct BuiltIn {
    pub(crate) name: &'static str,
    pub(crate) field_type: FieldType,
    pub(crate) rules: &'static [BuiltInRule],
    /// Whether its value must never be shown, not even in a message of the form.
    pub(crate) is_secret: bool,
    pub(crate) set: Setter,
}

/// Setter for a valid value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Setter {
    User(fn(&mut NewUser, Value<'_>)),
    Profile(fn(&mut NewProfile, Value<'_>)),
    RelationshipFields(fn(&mut RelationshipFields, Value<'_>)),
    Transactable(fn(&mut NewTransactable, Value<'_>)),
    Address(fn(&mut NewAddress, Value<'_>)),
    File(fn(&mut NewFile, Value<'_>)),
    /// Parent field, only in a form for the record itself.
    ParentRef(fn(&mut ParentRefs, Value<'_>)),
    /// Validated, not set: the aggregate gets the name from the type of the form.
    Nowhere,
}

/// Fields by which a relationship user names its relationship.
#[derive(Debug, Default)]
pub(crate) struct RelationshipFields {
    pub(crate) id: Option<i64>,
    pub(crate) key: Option<String>,
    pub(crate) type_name: Option<String>,
}

impl RecordKind {
    /// Returns the names that answers show of this kind: built-in fields that are not secret, and
    /// containers.
    pub fn readable_names(self) -> impl Iterator<Item = &'static str> {
        let fields = self.built_ins().iter().filter(|field| !field.is_secret);
        let containers = self.containers().iter().map(|container| container.name());
        fields.map(|field| field.name).chain(containers)
    }

    /// Returns the names and types of the built-in fields that answers show.
    pub fn readable_fields(self) -> impl Iterator<Item = (&'static str, FieldType)> {
        let fields = self.built_ins().iter().filter(|field| !field.is_secret);
        fields.map(|field| (field.name, field.field_type))
    }

    /// Returns the built-in fields.
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
            Self::Session => parent_fields::SESSION,
        }
    }

    /// Returns the parent fields, which a record has only in a form for the record itself.
    pub(crate) fn parent_fields(self) -> &'static [BuiltIn] {
        match self {
            Self::Transactable | Self::Relationship => parent_fields::CREATED,
            Self::RelationshipUser => parent_fields::MEMBER,
            Self::RelationshipTransactable => parent_fields::RELATIONSHIP_TRANSACTABLE,
            Self::Customization => parent_fields::CUSTOMIZATION,
            _ => &[],
        }
    }

    /// Returns the allowed containers.
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
    /// Returns the key in forms and submissions.
    pub(crate) fn name(self) -> &'static str {
        self.holds().map_or("properties", RecordKind::list_name)
    }

    /// Returns the kind of its records, or `None` for `properties`, which holds fields.
    pub(crate) fn holds(self) -> Option<RecordKind> {
        match self {
            Self::Properties => None,
            Self::Profiles => Some(RecordKind::Profile),
            Self::RelationshipUsers => Some(RecordKind::RelationshipUser),
            Self::Transactables => Some(RecordKind::Transactable),
            Self::Customizations => Some(RecordKind::Customization),
            Self::CustomAddresses => Some(RecordKind::Address),
            Self::CustomImages => Some(RecordKind::Image),
            Self::CustomAttachments => Some(RecordKind::Attachment),
        }
    }

    /// Returns whether it can hold several records of one type.
    pub(crate) fn holds_many(self) -> bool {
        matches!(self, Self::RelationshipUsers | Self::Transactables | Self::Customizations)
    }
}
