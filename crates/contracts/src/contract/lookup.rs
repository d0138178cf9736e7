//! Look-ups of users and records, by id, e-mail address, property and other keys.

use super::Contract;
use super::expressions::Expressions;
use super::scope::{Expr, Scope};
use registrar_core::aggregate::Claim;
use registrar_core::canonical::email_key;
use registrar_core::config::{Node, ProblemCode, Reader};
use registrar_core::form::Form;
use registrar_core::id_format::IdFormat;
use registrar_core::value::Value;

/// A key by which users and records are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LookupKey {
    /// One of the contract's ids, by its name.
    Id(Box<str>),
    Email,
    ExternalId,
    /// The key of a relationship within its type.
    Key,
    /// A property of users that is unique by the form; found by its claim.
    Unique(Box<str>),
    /// Any other property of users; found by a scan of all users.
    Property(Box<str>),
    /// The number of the owner.
    Owner,
    /// The number of the relationship of users or records.
    Relationship,
}

/// A resolved look-up of a user or record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// Matches nothing.
    Nobody,
    /// By number.
    Id(i64),
    /// By number, for those without an external id; or by external id.
    IdOrOwn(Option<i64>, String),
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

/// Reads `{email: "{{ query.email }}"}`.
pub(crate) fn read_lookup(
    reader: &mut Reader<'_>,
    node: &Node,
    key: &str,
    expressions: &Expressions<'_>,
) -> Vec<(LookupKey, Expr)> {
    let mut ways = Vec::new();
    for entry in reader.map(node, key) {
        let way = read_lookup_key(reader, &entry.key, entry.value.place, expressions);
        let value = expressions.condition(reader, &entry.value, &entry.key, &[]);
        if let (Some(way), Some(value)) = (way, value) {
            ways.push((way, value));
        }
    }
    ways
}

fn read_lookup_key(
    reader: &mut Reader<'_>,
    name: &str,
    place: registrar_core::config::Location,
    expressions: &Expressions<'_>,
) -> Option<LookupKey> {
    let way = match name {
        "email" => LookupKey::Email,
        "external_id" => LookupKey::ExternalId,
        "key" => LookupKey::Key,
        "owner" => LookupKey::Owner,
        "relationship" => LookupKey::Relationship,
        _ => match (name.strip_prefix("ids."), name.strip_prefix("properties.")) {
            (Some(id), _) if expressions.has_id(id) => LookupKey::Id(id.into()),
            (_, Some(_)) => {
                let is_unique = expressions.form.is_some_and(|form| form.is_unique(name));
                if is_unique {
                    LookupKey::Unique(name.into())
                } else {
                    LookupKey::Property(name[11..].into())
                }
            }
            _ => {
                let ids = expressions.ids.iter().map(|id| format!("ids.{}", id.name));
                let ids: Vec<String> = ids.collect();
                let known = ["email", "external_id", "key", "owner", "relationship"];
                let known: Vec<&str> =
                    known.into_iter().chain(ids.iter().map(String::as_str)).collect();
                let code = ProblemCode::UnknownField;
                reader.unknown(code, "look-up key", name, place, "a route", &known);
                return None;
            }
        },
    };
    Some(way)
}

impl Contract {
    /// Evaluates look-ups. Those whose value is null are skipped, as are those whose value is
    /// empty, unless `heeds_empty`.
    pub(crate) fn lookups(
        &self,
        ways: &[(LookupKey, Expr)],
        values: &Scope<'_>,
        form: Option<&Form>,
        heeds_empty: bool,
    ) -> Result<Vec<Lookup>, String> {
        let mut sought = Vec::new();
        for (way, filling) in ways {
            let text = filling.text(values)?;
            let Some(text) = text.filter(|text| heeds_empty || !text.is_empty()) else { continue };
            let number = |text: &str| text.parse().map_or(Lookup::Nobody, Lookup::Id);
            sought.push(match way {
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
        Ok(sought)
    }

    /// Resolves a submitted id.
    pub(crate) fn read_id(&self, name: &str, text: &str) -> Lookup {
        let Some(id) = self.ids.iter().find(|id| *id.name == *name) else { return Lookup::Nobody };
        let number = id.format.read(&id.salt, text);
        match number {
            _ if id.may_be_given => Lookup::IdOrOwn(number, text.to_owned()),
            Some(number) => Lookup::Id(number),
            None => Lookup::Nobody,
        }
    }
}

/// An id of a contract.
#[derive(Debug)]
pub(crate) struct IdField {
    pub(crate) name: Box<str>,
    pub(crate) format: IdFormat,
    /// Format as written in the contract.
    pub(crate) spelled: Box<str>,
    /// Salt: selects the permutation of this contract and resource.
    pub(crate) salt: Box<str>,
    /// Whether clients may choose it. It is then the user's `external_id`.
    pub(crate) may_be_given: bool,
    /// Whether it identifies users, not other records.
    pub(crate) is_of_users: bool,
}

impl IdField {
    /// Returns the id of a user or record as an answer shows it.
    pub(crate) fn show(&self, number: i64, user: &Value<'_>) -> Value<'static> {
        let text = |name: &str| user.get(name).and_then(Value::as_str);
        if self.may_be_given
            && let Some(own) = text("external_id")
        {
            return Value::String(own.to_owned().into());
        }
        self.format.show(&self.salt, number, text("uuid").unwrap_or_default())
    }
}
