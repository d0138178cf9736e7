//! A compiled form: what it takes, how it shapes and judges it.
//!
//! Everything that can be wrong with a form is found when it is compiled; nothing of it can
//! surface while serving.

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
pub(crate) use submission_json_schema::types as json_types;

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

/// Words that mean something in a form wherever fields stand, unless a field is known by them.
pub(crate) const RESERVED: &[&str] =
    &["validation", "description", "if", "unless", "property_options", "schema", "use"];

/// A compiled form.
#[derive(Debug)]
pub struct Form {
    /// Its name, as clients call it.
    pub name: Arc<str>,
    /// A hash of everything that decides with it: its file and the types.
    pub version: Arc<str>,
    /// What its submissions become.
    pub resource: Resource,
    /// The type that its records are of; nothing of users and sessions, which have no types.
    pub record_type: Option<Arc<str>>,
    /// What it is for, in its own words.
    pub description: Option<Arc<str>>,
    /// Whether it may create: it lists what says whose a new record is (`email` of users,
    /// `creator_id` of listings, …), or says nothing of an owner.
    pub may_create: bool,
    /// Whether it may change what is stored: it says `resource_owner: anyone`.
    pub may_update: bool,
    /// Whether it lets clients fill in fields that decide what somebody may do, or whose something is:
    /// only trusted tokens may use it.
    pub is_privileged: bool,
    /// Whether it tells nobody who has an account already: a value that is taken is answered as one
    /// that is not.
    pub strict_enumeration: bool,
    /// By which field the same submission, sent again, is known and done once.
    pub natural_key: Option<NaturalKey>,
    /// The languages that what is wrong with a submission can be told in.
    pub locales: Arc<Locales>,
    /// Whether keys that it does not list are refused or ignored.
    pub(crate) refuses_unknown: bool,
    pub(crate) root: Group,
    /// Its tests.
    pub(crate) examples: Vec<Example>,
    /// Its file, and all that places in it may be in.
    pub(crate) file: Arc<str>,
    pub(crate) files: Arc<[Arc<str>]>,
    /// Rules across fields.
    pub(crate) assertions: Vec<Assertion>,
    /// What the server adds to each submission.
    pub(crate) payload: Option<DefaultPayload>,
    /// Where fields with conditions are: the places of the fields on the way there.
    pub(crate) conditional: Vec<Box<[usize]>>,
    /// Where fields with computed defaults are.
    pub(crate) computed: Vec<Box<[usize]>>,
    /// Whether any of the four is there.
    pub(crate) is_active: bool,
}

/// One object of a form: slot `i` of a submission is its field `i`.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) kind: Option<Kind>,
    pub(crate) type_name: Arc<str>,
    pub(crate) fields: Vec<Field>,
    /// Of memberships: the relationships that can be named by their key.
    pub(crate) keyed: Option<KeyedRelationship>,
    /// Of relationships: the property that names one, which nobody else may have.
    pub(crate) key: Option<Arc<str>>,
    by_name: HashMap<Arc<str>, usize>,
}

/// A field of a form.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: Arc<str>,
    pub(crate) body: FieldBody,
    pub(crate) target: FieldTarget,
    pub(crate) rules: Vec<BoundRule>,
    pub(crate) conditions: Conditions,
    pub(crate) is_secret: bool,
    /// Whether only tokens with the scope `private` see the stored value.
    pub(crate) is_private: bool,
}

/// What a field holds.
#[derive(Debug)]
pub(crate) enum FieldBody {
    Scalar(ScalarField),
    /// Other fields, always there: `properties`, `profiles`, `transactables`.
    Container(Group),
    /// A nested form of which there is at most one, ignored unless the client sends a key of it.
    Node(Group),
    /// A nested form of which there may be several.
    List(Group),
}

/// A field that holds one value.
#[derive(Debug)]
pub(crate) struct ScalarField {
    pub(crate) field_type: FieldType,
    pub(crate) default: Option<Value<'static>>,
    /// A default that is worked out for each submission.
    pub(crate) computed: Option<Template>,
    /// What the client sends is ignored.
    pub(crate) readonly: bool,
    pub(crate) normalize: Vec<Normalizer>,
}

/// Where a valid value goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum FieldTarget {
    BuiltIn(&'static BuiltIn),
    Property,
    /// Nowhere: judged, not stored.
    Virtual,
    /// Into the records below.
    Container(Container),
    /// It is a record of its own.
    Record,
}

impl Group {
    pub(crate) fn new(kind: Option<Kind>, type_name: Arc<str>, fields: Vec<Field>) -> Self {
        let by_name =
            fields.iter().enumerate().map(|(index, field)| (field.name.clone(), index)).collect();
        Self { kind, type_name, fields, keyed: None, key: None, by_name }
    }

    /// Returns whether a rule of a field, or of a nested one, tells who has an account.
    fn reveals_existence(&self) -> bool {
        self.fields.iter().any(|field| {
            let is_told = field.rules.iter().any(|rule| rule.check.reveals_existence());
            is_told
                || match &field.body {
                    FieldBody::Scalar(_) => false,
                    FieldBody::Container(group)
                    | FieldBody::Node(group)
                    | FieldBody::List(group) => group.reveals_existence(),
                }
        })
    }

    /// The place of a field. Few fields are found faster by looking than by hashing.
    pub(crate) fn index_of(&self, name: &str) -> Option<usize> {
        if self.fields.len() <= 12 {
            return self.fields.iter().position(|field| &*field.name == name);
        }
        self.by_name.get(name).copied()
    }
}

impl Form {
    /// Shapes and judges a submission. No IO: what only the database can decide is in the
    /// aggregate's claims and references.
    ///
    /// Of a form for another resource than users comes a bag: no user of its own, exactly one
    /// record in the list of its kind, and the claims and references of that. Of a session it holds
    /// what was submitted as `email` and `password`.
    ///
    /// # Errors
    /// All violations at once, in the form's order.
    pub fn apply(
        &self,
        submitted: Value<'_>,
        surroundings: &EvalContext,
    ) -> Result<NewUser, Violations> {
        evaluate::apply(self, submitted, surroundings)
    }

    /// Shapes and judges a submission to a stored user or record: what was not sent is as it is
    /// stored. `stored` is that in the shape of a submission, its records with their `id`; of a
    /// record itself with its `id` and with the fields that say where it belongs.
    ///
    /// # Errors
    /// All violations at once, in the form's order; paths and places are those of what was sent.
    pub fn update<'v>(
        &self,
        submitted: Value<'v>,
        stored: &'v Value<'v>,
        surroundings: &EvalContext,
    ) -> Result<UserUpdate, Violations> {
        evaluate::update(self, submitted, stored, surroundings)
    }

    /// What the database would be asked of a submission, valid or not.
    #[must_use]
    pub fn database_checks(
        &self,
        submitted: Value<'_>,
        surroundings: &EvalContext,
    ) -> (Vec<Claim>, Vec<Reference>) {
        evaluate::database_checks(self, submitted, surroundings)
    }

    /// All that is wrong with a submission to nobody stored: by its rules, and by what the
    /// database would refuse of it.
    #[must_use]
    pub fn explain_all(
        &self,
        submitted: Value<'_>,
        surroundings: &EvalContext,
        refusals: &Refusals,
    ) -> Violations {
        evaluate::explain_all(self, submitted, surroundings, refusals)
    }

    /// The claim that holds a text at a path, such as `properties.username`, for one user alone;
    /// nothing where the form has no such rule.
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

    /// Whether a rule of the form keeps the value at a path for one user alone.
    pub(crate) fn is_unique(&self, path: &str) -> bool {
        self.claim_of(path, "a").is_some()
    }

    /// Says which violations the database's refusals are. The submission is the one that was
    /// accepted before, in the same surroundings and over the same stored user, if any: it is
    /// judged again, because the happy path keeps no paths.
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
