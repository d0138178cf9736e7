//! Keys by which a route finds users and records.

use super::expressions::Expressions;
use super::scope::Expr;
use registrar_core::config::{Node, ProblemCode, Reader};

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

/// Reads `{email: "{{ query.email }}"}`.
pub(crate) fn read_lookup(
    reader: &mut Reader<'_>,
    node: &Node,
    key: &str,
    expressions: &Expressions<'_>,
) -> Vec<(LookupKey, Expr)> {
    let mut ways = Vec::new();
    for entry in reader.map(node, key) {
        let way = read_lookup_key(reader, &entry.key, entry.value.location, expressions);
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
    location: registrar_core::config::Location,
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
                reader.unknown(code, "look-up key", name, location, "a route", &known);
                return None;
            }
        },
    };
    Some(way)
}

/// Returns the look-up by the path parameter `id`, or none if it is not both in the path and an id
/// of the contract.
pub(crate) fn lookup_by_path(
    reader: &mut Reader<'_>,
    node: &Node,
    names: &[String],
    expressions: &Expressions<'_>,
) -> Vec<(LookupKey, Expr)> {
    let name = "id";
    if !expressions.has_id(name) || !names.iter().any(|known| known == name) {
        return Vec::new();
    }
    let text = format!("{{{{ path.{name} }}}}");
    let (roots, within) = (["path"], "`find`");
    let filling = expressions.compile(reader, node, &text, (&roots, within));
    filling.map(|filling| (LookupKey::Id(name.into()), filling)).into_iter().collect()
}
