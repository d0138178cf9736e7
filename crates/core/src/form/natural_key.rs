//! `idempotency:` of a form: the field whose value identifies a repeated submission.

use strum::{EnumString, IntoStaticStr, VariantNames};

use super::Form;
use crate::aggregate::NewUser;
use crate::canonical::{canonical_text, email_key};
use crate::config::{Location, ProblemCode, Reader};

/// Field of users whose value identifies a repeated submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum NaturalKey {
    /// `external_id`: the id of the user in an external system.
    ExternalId,
    /// `email`; spellings of the same address are equal.
    Email,
}

impl NaturalKey {
    /// Returns the name of the field.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Returns the canonical value of a user, or `None` if it is blank.
    #[must_use]
    pub fn of_user(self, user: &NewUser) -> Option<String> {
        let key = match self {
            Self::ExternalId => canonical_text(user.external_id.as_deref()?, true),
            Self::Email => email_key(user.email.as_deref()?),
        };
        Some(key).filter(|key| !key.is_empty())
    }
}

/// Adds a problem if the form does not list the key's field.
pub(crate) fn check(reader: &mut Reader<'_>, form: &Form, key: NaturalKey, location: Location) {
    if form.root.index_of(key.name()).is_none() {
        reader.problems.add(
            ProblemCode::Contradiction,
            location,
            format!("`idempotency: {}` of a form that does not list the field", key.name()),
            "one that its `fields` list",
            None,
        );
    }
}
