//! Compiles the expressions of a contract and checks the names that they read.

use std::collections::HashMap;
use std::sync::Arc;

use super::action::ROOTS;
use super::field_mapping::{FieldMapping, field_at};
use super::input_mapping::InputMapping;
use super::json_style::JsonStyle;
use super::loader::LoadContext;
use super::lookup::{IdField, LookupKey};
use super::outcome::Outcome;
use super::response::ResponseTemplate;
use super::scope::Expr;
use registrar_core::config::{Data, Node, ProblemCode, Reader};
use registrar_core::expression::Template;
use registrar_core::form::Form;
use registrar_core::record_kind::Kind;

/// The context in which an expression is compiled.
#[derive(Clone, Copy)]
pub(crate) struct Expressions<'k> {
    pub(crate) around: &'k LoadContext<'k>,
    pub(crate) form: Option<&'k Arc<Form>>,
    pub(crate) ids: &'k [IdField],
    /// Token attributes that the contract declares.
    pub(crate) attributes: &'k [Box<str>],
    /// JSON style of answers.
    pub(crate) style: JsonStyle,
}

impl<'k> Expressions<'k> {
    /// Returns the context with another form.
    pub(crate) fn with_form<'f>(&self, form: &'f Arc<Form>) -> Expressions<'f>
    where
        'k: 'f,
    {
        Expressions { form: Some(form), ..*self }
    }

    /// Whether the contract has an id of this name.
    pub(crate) fn has_id(&self, name: &str) -> bool {
        self.ids.iter().any(|id| *id.name == *name)
    }

    /// Compiles an expression, with or without braces. `more` are root variables in addition to
    /// [`ROOTS`].
    pub(crate) fn condition(
        &self,
        reader: &mut Reader<'_>,
        node: &Node,
        key: &str,
        more: &[&str],
    ) -> Option<Expr> {
        let text = match &node.data {
            Data::Bool(flag) => flag.to_string(),
            Data::Number(text) => text.clone(),
            _ => reader.text(node, key)?.to_owned(),
        };
        let text = if Template::is_in(&text) { text } else { format!("{{{{ {text} }}}}") };
        let roots: Vec<&str> = ROOTS.iter().chain(more).copied().collect();
        let within = format!("`{key}`");
        Expr::read(reader, node, &text, (&roots, &within), self)
    }

    /// Returns the look-up by the path parameter `name`, or none if it is not both in the path and
    /// an id of the contract.
    pub(crate) fn by_path(
        &self,
        reader: &mut Reader<'_>,
        node: &Node,
        names: &[String],
        name: &str,
    ) -> Vec<(LookupKey, Expr)> {
        if !self.has_id(name) || !names.iter().any(|known| known == name) {
            return Vec::new();
        }
        let text = format!("{{{{ path.{name} }}}}");
        let (roots, within) = (["path"], "`find`");
        let filling = Expr::read(reader, node, &text, (&roots, within), self);
        filling.map(|filling| (LookupKey::Id(name.into()), filling)).into_iter().collect()
    }

    /// Reads the answers of a contract or of a route.
    pub(crate) fn response_roots(
        &self,
        reader: &mut Reader<'_>,
        node: &Node,
        taken: &InputMapping,
    ) -> HashMap<Outcome, ResponseTemplate> {
        let mut answers = HashMap::new();
        let names: Vec<&str> = Outcome::ALL.iter().map(|outcome| outcome.name()).collect();
        for entry in reader.map(node, "answers") {
            let Some(outcome) = Outcome::ALL.iter().find(|known| known.name() == entry.key) else {
                let code = ProblemCode::UnknownKey;
                reader.unknown(code, "outcome", &entry.key, entry.place, "`answers`", &names);
                continue;
            };
            check_no_secrets(reader, &entry.value, taken.fields.as_deref().unwrap_or_default());
            answers.insert(*outcome, ResponseTemplate::read(reader, &entry.value, *outcome, self));
        }
        answers
    }

    /// Adds the format and the salt of ids to the filter `| id('group')` of a template.
    pub(crate) fn with_ids(&self, text: &str) -> String {
        let mut text = text.to_owned();
        if !text.contains("id(") && !text.contains("'id'") {
            return text;
        }
        for id in self.ids {
            let with = format!("id('{}', '{}')", id.spelled, id.salt);
            text = text.replace(&format!("id('{}')", id.name), &with);
            let each = format!("map('id', '{}', '{}')", id.spelled, id.salt);
            text = text.replace(&format!("map('id', '{}')", id.name), &each);
        }
        text
    }

    /// Checks a name that an expression reads.
    ///
    /// # Errors
    /// Returns the unknown part and the names known in its place.
    pub(crate) fn check(&self, name: &str) -> Result<(), (String, Vec<String>)> {
        let one_of = |part: &str, known: &mut dyn Iterator<Item = &str>| {
            let known: Vec<&str> = known.collect();
            let owned = || (part.to_owned(), known.iter().map(|name| (*name).to_owned()).collect());
            if known.contains(&part) { Ok(()) } else { Err(owned()) }
        };
        let mut parts = name.splitn(3, '.');
        let (root, part, rest) = (parts.next(), parts.next(), parts.next());
        let words: &[&str] = match root {
            Some("request") => &["method", "path"],
            Some("error") => &["field", "code", "text"],
            Some("parameter") => &["field", "code", "text"],
            Some("malformed") => &["line", "column", "offset", "what"],
            Some("credential") => &["name", "password", "token", "expires_in"],
            Some("page") => &["number", "size", "offset", "total", "pages", "next", "previous"],
            Some("caller") => &["name", "user", "user_id", "attributes"],
            _ => &[],
        };
        match (root, part) {
            // Tokens can only have attributes that are declared.
            (Some("caller"), Some("attributes")) => match rest {
                Some(rest) => {
                    let first = rest.split('.').next().unwrap_or(rest);
                    one_of(first, &mut self.attributes.iter().map(|name| &**name))
                }
                None => Ok(()),
            },
            (_, Some(part)) if !words.is_empty() => one_of(part, &mut words.iter().copied()),
            (Some("ids"), Some(part)) => one_of(part, &mut self.ids.iter().map(|id| &*id.name)),
            (Some("user"), Some(part)) => {
                let more = ["id", "uuid", "created_at", "updated_at"].into_iter();
                one_of(part, &mut more.chain(Kind::User.readable_names()))?;
                match (
                    self.form.filter(|form| form.resource == registrar_core::form::Resource::User),
                    rest,
                ) {
                    (Some(form), Some(rest)) if part == "properties" => {
                        let first = rest.split('.').next().unwrap_or(rest);
                        let owned = |(name, known): (String, Vec<&str>)| {
                            (name, known.into_iter().map(str::to_owned).collect())
                        };
                        field_at(form, &format!("properties.{first}")).map(|_| ()).map_err(owned)
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}

/// Returns the name of a write-only field that a template reads.
fn secret_field<'f>(text: &str, fields: &'f [FieldMapping]) -> Option<&'f str> {
    let shown = fields.iter().filter(|field| field.is_write_only);
    let shows = |name: &str| {
        let is_more = |rest: &str| rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        text.match_indices(name).any(|(at, _)| !is_more(&text[at + name.len()..]))
    };
    let path = |field: &&FieldMapping| {
        let to = field.to.as_ref();
        to.is_some_and(|to| shows(&format!("user.{}", to.path)))
            || shows(&format!("sent.{}", field.name))
    };
    shown.into_iter().find(path).map(|field| &*field.name)
}

/// Reports templates that read write-only fields.
fn check_no_secrets(reader: &mut Reader<'_>, node: &Node, fields: &[FieldMapping]) {
    match &node.data {
        Data::Map(entries) => {
            for entry in entries {
                check_no_secrets(reader, &entry.value, fields);
            }
        }
        Data::List(items) => {
            for item in items {
                check_no_secrets(reader, item, fields);
            }
        }
        Data::Text(text) => {
            if let Some(name) = secret_field(text, fields) {
                let what = format!("`{name}` is write-only, and an answer shows it");
                let code = ProblemCode::Contradiction;
                reader.problems.add(code, node.place, what, "an answer without it", None);
            }
        }
        _ => {}
    }
}
