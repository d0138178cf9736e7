//! Look-ups of users and records, by id, e-mail address, property and other keys.

use super::error::ContractError;
use super::lookup_key::LookupKey;
use super::model::Contract;
use super::scope::{Expr, Scope};
use registrar_core::aggregate::Claim;
use registrar_core::canonical::email_key;
use registrar_core::form::Form;

/// A resolved look-up of a user or record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// Matches nothing.
    Nobody,
    /// By number.
    Id(i64),
    /// By number, for those without an external id; or by external id.
    IdOrExternalId(Option<i64>, String),
    /// By the canonical key of an e-mail address.
    EmailKey(String),
    /// By external id.
    ExternalId(String),
    /// By key within its type.
    Key(String),
    /// By a uniqueness claim.
    Claim(Claim),
    /// By the name and value of a property.
    Property(String, String),
    /// By the number of the owner.
    Owner(i64),
    /// By the number of the relationship.
    Relationship(i64),
}

impl Contract {
    /// Evaluates look-ups. Those whose value is null are skipped, as are those whose value is
    /// empty, unless `include_empty`.
    pub(crate) fn lookups(
        &self,
        keys: &[(LookupKey, Expr)],
        values: &Scope<'_>,
        form: Option<&Form>,
        include_empty: bool,
    ) -> Result<Vec<Lookup>, ContractError> {
        let mut lookups = Vec::new();
        for (key, value) in keys {
            let text = value.text(values)?;
            let Some(text) = text.filter(|text| include_empty || !text.is_empty()) else {
                continue;
            };
            let number = |text: &str| text.parse().map_or(Lookup::Nobody, Lookup::Id);
            lookups.push(match key {
                LookupKey::Id(name) => self.read_id(name, &text),
                LookupKey::Email => Lookup::EmailKey(email_key(&text)),
                LookupKey::ExternalId => Lookup::ExternalId(text),
                LookupKey::Key => Lookup::Key(text),
                LookupKey::Property(name) => Lookup::Property(name.to_string(), text),
                LookupKey::Unique(path) => {
                    let claim = form.and_then(|form| form.claim_of(path, &text));
                    claim.map_or(Lookup::Nobody, Lookup::Claim)
                }
                LookupKey::Owner => match number(&text) {
                    Lookup::Id(id) => Lookup::Owner(id),
                    other => other,
                },
                LookupKey::Relationship => match number(&text) {
                    Lookup::Id(id) => Lookup::Relationship(id),
                    other => other,
                },
            });
        }
        Ok(lookups)
    }

    /// Resolves a submitted id.
    pub(crate) fn read_id(&self, name: &str, text: &str) -> Lookup {
        let Some(id) = self.ids.iter().find(|id| *id.name == *name) else { return Lookup::Nobody };
        let number = id.format.read(&id.salt, text);
        match number {
            _ if id.may_be_given => Lookup::IdOrExternalId(number, text.to_owned()),
            Some(number) => Lookup::Id(number),
            None => Lookup::Nobody,
        }
    }
}
