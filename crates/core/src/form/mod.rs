//! Compiled forms: their fields, rules, defaults and examples.
//!
//! All problems of a form are reported when it is compiled; a compiled form causes no configuration
//! errors while serving.

mod assertion;
mod compile;
mod default_payload;
mod field;
mod form_json_schema;
mod key_kind;
mod metadata;
mod natural_key;
mod normalize;
mod protected;
mod relationship_fields;
mod resolve_expressions;
mod resource;
mod root;
mod submission_json_schema;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

pub use form_json_schema::form_format;
pub use natural_key::NaturalKey;
pub use resource::Resource;

pub(crate) use assertion::Assertion;
pub(crate) use compile::compile;
pub(crate) use default_payload::{DefaultPayload, PayloadValue};
pub(crate) use normalize::Normalizer;
pub use submission_json_schema::types as json_types;

use crate::aggregate::{Claim, NewUser, Reference};
use crate::changes::UserUpdate;
use crate::eval_context::EvalContext;
use crate::evaluate::{self, Refusals};
use crate::example::Example;
use crate::expression::{Conditions, Template};
use crate::fields::FieldType;
use crate::locale::Locales;
use crate::record_kind::{BuiltIn, Container, Kind};
use crate::rules::BoundRule;
use crate::types::KeyedRelationship;
use crate::value::Value;
use crate::violation::Violations;

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
    pub resource: Resource,
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
    pub(crate) is_active: bool,
}

/// Fields of one object of a form. Slot `i` of a submission belongs to field `i`.
#[derive(Debug)]
pub struct Group {
    /// Kind of record, or `None` for containers.
    pub kind: Option<Kind>,
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
    Node(Group),
    /// A nested form for several records.
    List(Group),
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
    pub(crate) fn new(kind: Option<Kind>, type_name: Arc<str>, fields: Vec<Field>) -> Self {
        let by_name =
            fields.iter().enumerate().map(|(index, field)| (field.name.clone(), index)).collect();
        Self { kind, type_name, fields, keyed: None, key: None, by_name }
    }

    /// Returns whether a rule of a field, or of a nested one, reveals who has an account.
    fn reveals_existence(&self) -> bool {
        self.fields.iter().any(|field| {
            let is_revealing = field.rules.iter().any(|rule| rule.check.reveals_existence());
            is_revealing
                || match &field.body {
                    FieldBody::Scalar(_) => false,
                    FieldBody::Container(group)
                    | FieldBody::Node(group)
                    | FieldBody::List(group) => group.reveals_existence(),
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

    /// Validates a submission that creates, and returns the aggregate to store. Performs no IO:
    /// what only the database can check is in the aggregate's claims and references.
    ///
    /// For a resource other than users the result has no user data but exactly one record, in the
    /// list of its kind, with its claims and references. For a session it has the submitted `email`
    /// and `password`.
    ///
    /// # Errors
    /// Returns an error with all violations, in the form's order, if the submission is invalid.
    pub fn apply(
        &self,
        submitted: Value<'_>,
        surroundings: &EvalContext,
    ) -> Result<NewUser, Violations> {
        evaluate::apply(self, submitted, surroundings)
    }

    /// Validates a submission that updates a stored user or record. Fields that were not submitted
    /// keep their stored values. `stored` has the shape of a submission, with the `id` of each
    /// nested record; a record itself also has its `id` and its parent fields.
    ///
    /// # Errors
    /// Returns an error with all violations, in the form's order, if the submission is invalid.
    /// Paths and list indexes are those of the submission.
    pub fn update<'v>(
        &self,
        submitted: Value<'v>,
        stored: &'v Value<'v>,
        surroundings: &EvalContext,
    ) -> Result<UserUpdate, Violations> {
        evaluate::update(self, submitted, stored, surroundings)
    }

    /// Returns the claims and references of a submission, valid or not.
    #[must_use]
    pub fn database_checks(
        &self,
        submitted: Value<'_>,
        surroundings: &EvalContext,
    ) -> (Vec<Claim>, Vec<Reference>) {
        evaluate::database_checks(self, submitted, surroundings)
    }

    /// Returns all violations of a submission that creates: those of the form's rules and those
    /// that correspond to the database's refusals.
    #[must_use]
    pub fn explain_all(
        &self,
        submitted: Value<'_>,
        surroundings: &EvalContext,
        refusals: &Refusals,
    ) -> Violations {
        evaluate::explain_all(self, submitted, surroundings, refusals)
    }

    /// Returns the uniqueness claim on a string at a path such as `properties.username`, or `None`
    /// if the form has no `unique` rule without scope and conditions there.
    #[must_use]
    pub fn claim_of(&self, path: &str, text: &str) -> Option<Claim> {
        let mut value = Value::String(Cow::Borrowed(text));
        for part in path.rsplit('.') {
            value = Value::Object(vec![(Cow::Borrowed(part), value)]);
        }
        let (claims, _) = self.database_checks(value, &EvalContext::default());
        let scope = format!("user.{path}");
        claims.into_iter().find(|claim| {
            let rest = claim.scope.strip_prefix(&scope);
            rest.is_some_and(|rest| rest.is_empty() || rest == "~case")
        })
    }

    /// Returns whether the form has a `unique` rule without scope and conditions at a path.
    pub fn is_unique(&self, path: &str) -> bool {
        self.claim_of(path, "a").is_some()
    }

    /// Returns the violations that correspond to the database's refusals. All arguments must be
    /// those with which the submission was accepted: it is validated again, because the success
    /// path keeps no paths.
    #[must_use]
    pub fn explain_refusals<'v>(
        &self,
        submitted: Value<'v>,
        stored: Option<&'v Value<'v>>,
        surroundings: &EvalContext,
        refusals: &Refusals,
    ) -> Violations {
        evaluate::explain_refusals(self, submitted, stored, surroundings, refusals)
    }
}
