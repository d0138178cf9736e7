//! Who is meant: by an id, an address, or a property.

use super::Contract;
use super::expressions::Expressions;
use super::id::IdFormat;
use super::values::{Filling, Values};
use crate::aggregate::Claim;
use crate::config::{Node, ProblemCode, Reader};
use crate::form::Form;
use crate::keys::email_key;
use crate::value::Value;

/// A way to find users and records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way {
    /// By one of the contract's ids, by its name.
    Id(Box<str>),
    Email,
    ExternalId,
    /// By the key of its type: relationships.
    Key,
    /// By a property of users that a form says is unique.
    Unique(Box<str>),
    /// By a property of users; all are looked through.
    Property(Box<str>),
    /// By the number of the user it belongs to.
    Owner,
    /// By the number of the relationship that users or records belong to.
    Relationship,
}

/// Somebody who is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sought {
    /// Nobody there can be.
    Nobody,
    /// Of this number.
    Id(i64),
    /// Of this number, unless it has an id of its own; or of this id of its own.
    IdOrOwn(Option<i64>, String),
    /// With the key of an e-mail address.
    EmailKey(String),
    /// With this id of its own.
    ExternalId(String),
    /// With this key of its type.
    Key(String),
    /// Who holds this.
    Claim(Claim),
    /// With this text as a property.
    Property(String, String),
    /// Of this user.
    Owner(i64),
    /// Of this relationship.
    Relationship(i64),
}

/// Reads `{email: "{{ query.email }}"}`.
pub(crate) fn ways(
    reader: &mut Reader<'_>,
    node: &Node,
    key: &str,
    expressions: &Expressions<'_>,
) -> Vec<(Way, Filling)> {
    let mut ways = Vec::new();
    for entry in reader.map(node, key) {
        let way = way(reader, &entry.key, entry.value.place, expressions);
        let value = expressions.condition(reader, &entry.value, &entry.key, &[]);
        if let (Some(way), Some(value)) = (way, value) {
            ways.push((way, value));
        }
    }
    ways
}

fn way(
    reader: &mut Reader<'_>,
    name: &str,
    place: crate::config::Place,
    expressions: &Expressions<'_>,
) -> Option<Way> {
    let way = match name {
        "email" => Way::Email,
        "external_id" => Way::ExternalId,
        "key" => Way::Key,
        "owner" => Way::Owner,
        "relationship" => Way::Relationship,
        _ => match (name.strip_prefix("ids."), name.strip_prefix("properties.")) {
            (Some(id), _) if expressions.has_id(id) => Way::Id(id.into()),
            (_, Some(_)) => {
                let is_unique = expressions.form.is_some_and(|form| form.is_unique(name));
                if is_unique { Way::Unique(name.into()) } else { Way::Property(name[11..].into()) }
            }
            _ => {
                let ids = expressions.ids.iter().map(|id| format!("ids.{}", id.name));
                let ids: Vec<String> = ids.collect();
                let known = ["email", "external_id", "key", "owner", "relationship"];
                let known: Vec<&str> =
                    known.into_iter().chain(ids.iter().map(String::as_str)).collect();
                let code = ProblemCode::UnknownField;
                reader.unknown(code, "way to find somebody", name, place, "a route", &known);
                return None;
            }
        },
    };
    Some(way)
}

impl Contract {
    /// Who is meant, by each way that says anything.
    pub(crate) fn sought(
        &self,
        ways: &[(Way, Filling)],
        values: &Values<'_>,
        form: Option<&Form>,
        heeds_empty: bool,
    ) -> Result<Vec<Sought>, String> {
        let mut sought = Vec::new();
        for (way, filling) in ways {
            let text = filling.text(values)?;
            let Some(text) = text.filter(|text| heeds_empty || !text.is_empty()) else { continue };
            let number = |text: &str| text.parse().map_or(Sought::Nobody, Sought::Id);
            sought.push(match way {
                Way::Id(name) => self.read_id(name, &text),
                Way::Email => Sought::EmailKey(email_key(&text)),
                Way::ExternalId => Sought::ExternalId(text),
                Way::Key => Sought::Key(text),
                Way::Property(name) => Sought::Property(name.to_string(), text),
                Way::Unique(path) => {
                    let claim = form.and_then(|form| form.claim_of(path, &text));
                    claim.map_or(Sought::Nobody, Sought::Claim)
                }
                Way::Owner => match number(&text) {
                    Sought::Id(id) => Sought::Owner(id),
                    other => other,
                },
                Way::Relationship => match number(&text) {
                    Sought::Id(id) => Sought::Relationship(id),
                    other => other,
                },
            });
        }
        Ok(sought)
    }

    /// Who an id means; nobody where it can be nobody's.
    pub(crate) fn read_id(&self, name: &str, text: &str) -> Sought {
        let Some(id) = self.ids.iter().find(|id| *id.name == *name) else { return Sought::Nobody };
        let number = id.format.read(&id.salt, text);
        match number {
            _ if id.may_be_given => Sought::IdOrOwn(number, text.to_owned()),
            Some(number) => Sought::Id(number),
            None => Sought::Nobody,
        }
    }
}

/// An id of a contract.
#[derive(Debug)]
pub(crate) struct Id {
    pub(crate) name: Box<str>,
    pub(crate) format: IdFormat,
    /// As the contract spells it.
    pub(crate) spelled: Box<str>,
    /// Tells the permutations of APIs and of their resources apart.
    pub(crate) salt: Box<str>,
    /// Whether a client may say it: then it is the user's `external_id`.
    pub(crate) may_be_given: bool,
    /// Whether it is one of users: `id`, or another for the same.
    pub(crate) is_of_users: bool,
}

impl Id {
    /// The id of a user, as an answer shows it.
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
