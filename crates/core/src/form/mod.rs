//! Compiled forms: their fields, rules, defaults and examples.
//!
//! All problems of a form are reported when it is compiled; a compiled form causes no configuration
//! errors while serving.

pub(crate) mod assertion;
pub(crate) mod default_payload;
mod example;
pub(crate) mod natural_key;
mod normalize;
mod submission_json_schema;

use std::collections::HashMap;
use std::sync::Arc;

pub use natural_key::NaturalKey;

pub(crate) use assertion::Assertion;
pub(crate) use default_payload::{DefaultPayload, PayloadValue};
pub(crate) use example::{Example, ExampleRelationships};
pub(crate) use normalize::Normalizer;
pub use submission_json_schema::types as json_types;

use crate::built_ins::{BuiltIn, Container};
use crate::expression::{Conditions, Template};
use crate::fields::FieldType;
use crate::locale::Locales;
use crate::record_kind::RecordKind;
use crate::rules::{BoundRule, GroupLayout};
use crate::types::KeyedRelationship;
use crate::value::Value;

/// Keys that configure a record or a field, unless the record has a field of that name.
pub(crate) const RESERVED: &[&str] =
    &["validation", "description", "if", "unless", "property_options", "schema", "use"];

/// A compiled form.
#[derive(Debug)]
pub struct Form {
    /// Name by which clients select it.
    pub name: Arc<str>,
    /// Hash of everything that determines its behaviour: its tree and the types.
    pub version: Arc<str>,
    /// Resource that its submissions create or update.
    pub resource: RecordKind,
    /// Type of its records; `None` for users and sessions, which have no types.
    pub record_type: Option<Arc<str>>,
    /// Description for human readers.
    pub description: Option<Arc<str>>,
    /// Whether it may create: it lists a field that identifies a new record or its owner (`email`
    /// of users, `creator_id` of transactables, …), or it has no `resource_owner`.
    pub may_create: bool,
    /// Whether it may update stored users or records: it has `resource_owner: anyone`.
    pub may_update: bool,
    /// Whether it may list protected fields, such as permissions and owners; only trusted tokens
    /// may use it.
    pub is_privileged: bool,
    /// Whether responses do not reveal who has an account: a taken value gets the same response as
    /// a free one.
    pub strict_enumeration: bool,
    /// Field whose value identifies a repeated submission, which is executed once.
    pub natural_key: Option<NaturalKey>,
    /// Locales for the messages of violations.
    pub locales: Arc<Locales>,
    /// Whether unknown keys are refused; otherwise they are ignored.
    pub(crate) refuses_unknown: bool,
    /// The root object.
    pub root: Group,
    /// Tests of the form.
    pub(crate) examples: Vec<Example>,
    /// File of the form, and all files that a [`Location`](crate::config::Location) in it may refer
    /// to.
    pub(crate) file: Arc<str>,
    pub(crate) files: Arc<[Arc<str>]>,
    /// Rules across fields.
    pub(crate) assertions: Vec<Assertion>,
    /// Values that the server sets in each submission.
    pub(crate) payload: Option<DefaultPayload>,
    /// Fields with conditions, as paths of field indexes.
    pub(crate) conditional: Vec<Box<[usize]>>,
    /// Fields with computed defaults, as paths of field indexes.
    pub(crate) computed: Vec<Box<[usize]>>,
    /// Whether there is a condition, a computed default or a default payload.
    pub(crate) is_dynamic: bool,
}

/// Fields of one object of a form. Slot `i` of a submission belongs to field `i`.
#[derive(Debug)]
pub struct Group {
    /// Kind of record, or `None` for containers.
    pub kind: Option<RecordKind>,
    /// Name of the record type; for untyped records and containers their own name.
    pub type_name: Arc<str>,
    /// Fields, in the order of the form.
    pub fields: Vec<Field>,
    /// For relationship users: the relationships that `relationship_key` can name.
    pub(crate) keyed: Option<KeyedRelationship>,
    /// For relationships: the property that is their unique key.
    pub(crate) key: Option<Arc<str>>,
    by_name: HashMap<Arc<str>, usize>,
}

/// Field of a form.
#[derive(Debug)]
pub struct Field {
    /// Name, as submitted.
    pub name: Arc<str>,
    /// What the field holds.
    pub body: FieldBody,
    pub(crate) target: FieldTarget,
    pub(crate) rules: Vec<BoundRule>,
    pub(crate) conditions: Conditions,
    /// Whether the value never appears in answers, texts or expressions that are shown.
    pub is_secret: bool,
    /// Whether only tokens with the scope `private` see the stored value.
    pub(crate) is_private: bool,
}

/// Content of a field.
#[derive(Debug)]
pub enum FieldBody {
    /// One value.
    Scalar(ScalarField),
    /// Other fields or records, always active: `properties`, `profiles`, `transactables`.
    Container(Group),
    /// A nested form for at most one record, ignored unless one of its keys is submitted.
    Record(Group),
    /// A nested form for several records.
    Records(Group),
}

/// Field with a single value.
#[derive(Debug)]
pub struct ScalarField {
    /// Type that submitted values are coerced to.
    pub field_type: FieldType,
    pub(crate) default: Option<Value<'static>>,
    /// Default that is computed for each submission.
    pub(crate) computed: Option<Template>,
    /// Whether submitted values are ignored.
    pub readonly: bool,
    pub(crate) normalize: Vec<Normalizer>,
}

/// Destination of a valid value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum FieldTarget {
    BuiltIn(&'static BuiltIn),
    Property,
    /// Validated, not stored.
    Virtual,
    /// The records or properties in a container.
    Container(Container),
    /// A record of its own.
    Record,
}

impl Group {
    pub(crate) fn new(kind: Option<RecordKind>, type_name: Arc<str>, fields: Vec<Field>) -> Self {
        let by_name =
            fields.iter().enumerate().map(|(index, field)| (field.name.clone(), index)).collect();
        Self { kind, type_name, fields, keyed: None, key: None, by_name }
    }

    /// Returns whether a rule of a field, or of a nested one, reveals who has an account.
    pub(crate) fn reveals_existence(&self) -> bool {
        self.fields.iter().any(|field| {
            let is_revealing = field.rules.iter().any(|rule| rule.check.reveals_existence());
            is_revealing
                || match &field.body {
                    FieldBody::Scalar(_) => false,
                    FieldBody::Container(group)
                    | FieldBody::Record(group)
                    | FieldBody::Records(group) => group.reveals_existence(),
                }
        })
    }

    /// Returns the index of a field. A linear search is faster than hashing for few fields.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        if self.fields.len() <= 12 {
            return self.fields.iter().position(|field| &*field.name == name);
        }
        self.by_name.get(name).copied()
    }
}

impl Field {
    /// Returns whether the field has conditions (`if:` or `unless:`).
    #[must_use]
    pub fn is_conditional(&self) -> bool {
        !self.conditions.is_empty()
    }

    /// Returns the values that an `inclusion` rule lists, as JSON.
    #[must_use]
    pub fn included_values(&self, field_type: Option<FieldType>) -> Vec<serde_json::Value> {
        let rules = self.rules.iter().filter(|rule| rule.rule.name == "inclusion");
        let keywords = rules.filter_map(|rule| rule.check.keywords(field_type?));
        let values =
            keywords.filter_map(|keywords| keywords.pointer("/anyOf/1/enum")?.as_array().cloned());
        values.flatten().collect()
    }
}

impl Form {
    /// Returns whether the form adds values to each submission (`default_payload:`).
    #[must_use]
    pub fn has_default_payload(&self) -> bool {
        self.payload.is_some()
    }
}

impl GroupLayout for Group {
    fn is_file(&self) -> bool {
        matches!(self.kind, Some(RecordKind::Image | RecordKind::Attachment))
    }

    fn field_index(&self, name: &str) -> Option<usize> {
        self.index_of(name)
    }

    fn field_names(&self) -> Vec<&str> {
        self.fields.iter().map(|field| &*field.name).collect()
    }

    fn object(&self, index: usize) -> Option<&dyn GroupLayout> {
        match &self.fields.get(index)?.body {
            FieldBody::Container(inner) | FieldBody::Record(inner) => Some(inner),
            FieldBody::Scalar(_) | FieldBody::Records(_) => None,
        }
    }
}
