//! `idempotency`: the field by whose value a submission is known that is sent again.

use super::Form;
use crate::aggregate::NewUser;
use crate::canonical::{canonical_text, email_key};
use crate::config::{Location, ProblemCode, Reader};

/// A field of users by whose value a submission is known that is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NaturalKey {
    /// `external_id`: the id that somebody else's database has for the user.
    ExternalId,
    /// `email`, in any spelling.
    Email,
}

impl NaturalKey {
    /// The names of the fields.
    pub(crate) const NAMES: [&str; 2] = ["external_id", "email"];

    /// The one of a field.
    pub(crate) fn of(name: &str) -> Option<Self> {
        match name {
            "external_id" => Some(Self::ExternalId),
            "email" => Some(Self::Email),
            _ => None,
        }
    }

    /// The name of the field.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ExternalId => "external_id",
            Self::Email => "email",
        }
    }

    /// What a user is known by; nothing where the value is blank.
    #[must_use]
    pub fn of_user(self, user: &NewUser) -> Option<String> {
        let key = match self {
            Self::ExternalId => canonical_text(user.external_id.as_deref()?, true),
            Self::Email => email_key(user.email.as_deref()?),
        };
        Some(key).filter(|key| !key.is_empty())
    }
}

/// Refuses a key that no submission to the form can have.
pub(super) fn check(reader: &mut Reader<'_>, form: &Form, key: NaturalKey, place: Location) {
    if form.root.index_of(key.name()).is_none() {
        reader.problems.add(
            ProblemCode::Contradiction,
            place,
            format!("`idempotency: {}` of a form that does not list the field", key.name()),
            "one that its `fields` list",
            None,
        );
    }
}
