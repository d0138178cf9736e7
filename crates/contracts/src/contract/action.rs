//! Actions: the operation of a route, its look-ups, conditions, input and answers.

use std::collections::HashMap;
use std::sync::Arc;

use super::expressions::Expressions;
use super::input_mapping::{FormSelector, InputMapping};
use super::issue_token::{IssueToken, read_generated};
use super::lookup_key::{LookupKey, lookup_by_path, read_lookup};
use super::operation::Operation;
use super::outcome::Outcome;
use super::paging::Paging;
use super::response::ResponseTemplate;
use super::responses::read_responses;
use super::scope::Expr;
use registrar_core::config::{Node, ProblemCode, Reader};
use registrar_core::id_format::CodeFormat;
use registrar_core::record_kind::RecordKind;
use strum::VariantNames;

/// What a route does.
#[derive(Debug)]
pub struct Action {
    /// The operation.
    pub operation: Operation,
    /// The kind of record it applies to.
    pub resource: RecordKind,
    /// Type of the records, if the route names one.
    pub record_type: Option<Arc<str>>,
    /// Whether callers need no credential.
    pub is_public: bool,
    /// Paging of lists.
    pub paging: Paging,
    /// The token to issue.
    pub issue_token: Option<IssueToken>,
    pub(crate) input: InputMapping,
    pub(crate) find: Vec<(LookupKey, Expr)>,
    /// How the user is found that must own the record.
    pub(crate) parent: Option<Vec<(LookupKey, Expr)>>,
    pub(crate) password: Option<Expr>,
    pub(crate) checks: Vec<(Outcome, bool, Expr)>,
    pub(crate) remove: Option<RemovalTarget>,
    pub(crate) generate: Vec<(Box<str>, CodeFormat)>,
    pub(crate) responses: HashMap<Outcome, ResponseTemplate>,
    /// Path as written in the contract, with the mount; used in logs.
    pub path: Arc<str>,
    /// Whether tokens issued for or by a contract are not accepted.
    pub operator_only: bool,
    /// Root variables that it or the contract's answers read.
    pub(crate) roots_read: Vec<&'static str>,
}

/// Nested records of a user to be deleted.
#[derive(Debug)]
pub(crate) struct RemovalTarget {
    /// Path of the list: `relationship_users.tag`.
    pub(crate) path: Box<str>,
    /// Kind of the records.
    pub(crate) resource: RecordKind,
    /// Condition on `member`; all records if `None`.
    pub(crate) only: Option<Expr>,
}

const KEYS: [&str; 23] = [
    "operation",
    "resource",
    "type",
    "public",
    "operator_only",
    "form",
    "fields",
    "unknown",
    "set",
    "inject",
    "name_value",
    "find",
    "parent",
    "password",
    "only_if",
    "allowed_if",
    "skip_if",
    "paging",
    "issue_token",
    "remove",
    "only",
    "generate",
    "answers",
];

/// Conditions: the key, the outcome if it applies, and the value of the condition for which it
/// applies.
const CHECKS: [(&str, Outcome, bool); 3] = [
    ("allowed_if", Outcome::Forbidden, false),
    ("only_if", Outcome::Conflict, false),
    ("skip_if", Outcome::Unchanged, true),
];

impl Action {
    /// Returns the names of the ids used in look-ups.
    pub(crate) fn lookup_names(&self) -> impl Iterator<Item = &str> {
        let ways = self.find.iter().chain(self.parent.iter().flatten());
        ways.filter_map(|(way, _)| match way {
            LookupKey::Id(name) => Some(&**name),
            _ => None,
        })
    }

    /// Whether the request selects the form.
    #[must_use]
    pub fn names_form(&self) -> bool {
        matches!(self.input.form, FormSelector::FromRequest(_))
    }

    /// Whether the route looks up a user or a record.
    #[must_use]
    pub fn looks_up_user(&self) -> bool {
        !self.find.is_empty()
    }

    /// Whether the route has conditions.
    #[must_use]
    pub fn has_checks(&self) -> bool {
        !self.checks.is_empty()
    }

    /// Returns the query keys that look-ups read.
    pub(crate) fn query_lookup_names(&self) -> impl Iterator<Item = &str> {
        self.find.iter().filter_map(|(_, filling)| match filling.name()? {
            [root, key] if **root == *"query" => Some(&**key),
            _ => None,
        })
    }

    /// Whether the body may be absent.
    #[must_use]
    pub fn body_is_optional(&self) -> bool {
        self.operation == Operation::Remove || !self.input.inject.is_empty()
    }

    /// Returns the outcomes of the route, without those that depend on the contract.
    pub(crate) fn outcomes(&self) -> Vec<Outcome> {
        let mut outcomes = self.operation.outcomes().to_vec();
        outcomes.extend(self.checks.iter().map(|(outcome, ..)| *outcome));
        if self.operation.has_body() {
            outcomes.extend([
                Outcome::NotAnObject,
                Outcome::Malformed,
                Outcome::UnsupportedMediaType,
            ]);
        }
        if matches!(self.input.form, FormSelector::FromRequest(_)) {
            outcomes.push(Outcome::WrongParameters);
        }
        let makes_users = self.operation == Operation::Create && self.resource == RecordKind::User;
        if makes_users && self.input.strict_enumeration() {
            outcomes.push(Outcome::Accepted);
        }
        let is_of_user = self.operation == Operation::Revoke && self.looks_up_user();
        if self.parent.is_some() || is_of_user {
            outcomes.push(Outcome::NotFound);
        }
        if self.paging.is_strict {
            outcomes.push(Outcome::BadQuery);
        }
        outcomes
    }

    /// Whether any of its expressions reads the root variable `root`.
    pub(crate) fn reads(&self, root: &str) -> bool {
        let find = self.find.iter().chain(self.parent.iter().flatten()).map(|(_, value)| value);
        let checks = self.checks.iter().map(|(.., value)| value);
        let set = self.input.set.iter().chain(&*self.input.inject).map(|(_, value)| value);
        let token =
            self.issue_token.iter().flat_map(|token| token.secret.iter().chain(&token.name));
        let remove = self.remove.iter().filter_map(|remove| remove.only.as_ref());
        let all = find.chain(checks).chain(set).chain(token).chain(remove).chain(&self.password);
        all.into_iter().any(|filling| filling.reads(root))
            || self.responses.values().any(|answer| answer.reads(root))
    }

    /// Reads the action of a route. `default` is the contract's input mapping, which applies where
    /// the route has no key of its own.
    pub(crate) fn read(
        reader: &mut Reader<'_>,
        node: &Node,
        more_keys: &[&str],
        names: &[String],
        default: &InputMapping,
        expressions: &Expressions<'_>,
    ) -> Option<Self> {
        let keys: Vec<&str> = more_keys.iter().chain(&KEYS).copied().collect();
        for entry in reader.map(node, "a route") {
            if !keys.contains(&entry.key.as_str()) {
                reader.unknown_key(entry, "a route", &keys);
            }
        }
        let operation_entry = node.get("operation")?;
        let word = reader.keyword(&operation_entry.value, "operation", Operation::VARIANTS)?;
        let operation: Operation = word.parse().ok()?;
        let resource = resource(reader, node);
        let record_type = node.get("type");
        let record_type = record_type.and_then(|entry| reader.text(&entry.value, "type"));
        let input =
            InputMapping::of_route(reader, node, default, (operation, resource), expressions);
        let expression = |reader: &mut Reader<'_>, key: &str, more: &[&str]| {
            let entry = node.get(key)?;
            expressions.condition(reader, &entry.value, key, more)
        };
        let checks = CHECKS.into_iter().filter_map(|(key, outcome, when)| {
            Some((outcome, when, expression(reader, key, &[])?))
        });
        let checks: Vec<_> = checks.collect();
        let password = expression(reader, "password", &[]);
        let only = expression(reader, "only", &["member"]);
        let find = match node.get("find") {
            Some(entry) => read_lookup(reader, &entry.value, "find", expressions),
            None if operation.looks_up() => lookup_by_path(reader, node, names, expressions),
            None => Vec::new(),
        };
        if find.is_empty() && operation.looks_up() && resource != RecordKind::Session {
            let what = "the route has no look-up for its user or record";
            let expected = "`{id}` in the path with `id` among `ids:`, or `find:`";
            reader.problems.add(ProblemCode::MissingKey, node.location, what, expected, None);
        }
        let of_users = [Operation::Upsert, Operation::Remove, Operation::Verify];
        if resource != RecordKind::User && of_users.contains(&operation) {
            let what = format!("`{word}` is for users only");
            let (code, location) = (ProblemCode::Contradiction, operation_entry.value.location);
            reader.problems.add(code, location, what, "another operation", None);
        }
        let parent = node.get("parent");
        let parent = parent.map(|entry| read_lookup(reader, &entry.value, "parent", expressions));
        let remove = node.get("remove").and_then(|entry| {
            let path = reader.text(&entry.value, "remove")?;
            let resource = match path.split_once('.').map_or(path, |(root, _)| root) {
                "relationship_users" => RecordKind::RelationshipUser,
                "transactables" => RecordKind::Transactable,
                "customizations" => RecordKind::Customization,
                other => {
                    let known = ["relationship_users", "transactables", "customizations"];
                    let (code, location) = (ProblemCode::UnknownField, entry.value.location);
                    reader.unknown(code, "kind of record", other, location, "`remove`", &known);
                    return None;
                }
            };
            Some((path.into(), resource))
        });
        let remove = remove.map(|(path, resource)| RemovalTarget { path, resource, only });
        if remove.is_none() && operation == Operation::Remove {
            let what = "the route has no `remove`";
            let expected = "`remove: relationship_users.tag`";
            reader.problems.add(ProblemCode::MissingKey, node.location, what, expected, None);
        }
        let issue_token = match node.get("issue_token") {
            Some(entry) => IssueToken::read(reader, &entry.value, expressions),
            None if operation == Operation::IssueToken => {
                let what = "the route has no `issue_token`";
                let expected = "`issue_token: {expires_in: 3600, secret: \"{{ sent.api_key }}\"}`";
                reader.problems.add(ProblemCode::MissingKey, node.location, what, expected, None);
                None
            }
            None => None,
        };
        let paging = node.get("paging").map(|entry| Paging::read(reader, &entry.value));
        let mut boolean = |key: &str| {
            let entry = node.get(key);
            entry.and_then(|entry| reader.boolean(&entry.value, key)) == Some(true)
        };
        let is_public = boolean("public");
        let operator_only = boolean("operator_only");
        let generate = read_generated(reader, node);
        let responses = node.get("answers");
        let responses =
            responses.map(|entry| read_responses(reader, &entry.value, &input, expressions));
        Some(Self {
            operation,
            resource,
            record_type: record_type.map(Into::into),
            is_public,
            paging: paging.unwrap_or_default(),
            issue_token,
            input,
            find,
            parent,
            password,
            checks,
            remove,
            generate,
            responses: responses.unwrap_or_default(),
            path: "".into(),
            operator_only,
            roots_read: Vec::new(),
        })
    }
}

fn resource(reader: &mut Reader<'_>, node: &Node) -> RecordKind {
    let Some(entry) = node.get("resource") else { return RecordKind::User };
    let words = RecordKind::RESOURCES.map(RecordKind::record_name);
    let word = reader.keyword(&entry.value, "resource", &words);
    let named = |kind: &RecordKind| Some(kind.record_name()) == word;
    RecordKind::RESOURCES.into_iter().find(named).unwrap_or(RecordKind::User)
}
