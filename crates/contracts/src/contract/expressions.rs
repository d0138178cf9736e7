//! Compiles the expressions of a contract and checks the names that they read.

use std::sync::Arc;

use super::field_mapping::field_at;
use super::id_field::IdField;
use super::json_style::JsonStyle;
use super::load_context::LoadContext;
use super::scope::Expr;
use registrar_core::config::{Data, Node, ProblemCode, Reader};
use registrar_core::expression::Template;
use registrar_core::form::Form;
use registrar_core::record_kind::RecordKind;

/// Root variables available to the expressions of a route.
pub(crate) const ROOTS: [&str; 11] = [
    "sent",
    "path",
    "query",
    "caller",
    "user",
    "record",
    "generated",
    "credential",
    "request",
    "base_url",
    "ids",
];

/// The context in which an expression is compiled.
#[derive(Clone, Copy)]
pub(crate) struct Expressions<'k> {
    pub(crate) load_context: &'k LoadContext<'k>,
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
        self.compile(reader, node, &text, (&roots, &within))
    }

    /// Compiles an expression or a string with expressions. `roots` are the root variables in
    /// scope, `within` describes the place for problems.
    pub(crate) fn compile(
        &self,
        reader: &mut Reader<'_>,
        node: &Node,
        text: &str,
        (roots, within): (&[&str], &str),
    ) -> Option<Expr> {
        let template = Template::compile(reader, node, &self.with_ids(text))?;
        for name in template.names() {
            let root = name.split('.').next().unwrap_or(name);
            if !roots.contains(&root) {
                let code = ProblemCode::BadExpression;
                reader.unknown(code, "name", root, node.location, within, roots);
            } else if let Err((part, known)) = self.check(name) {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                let code = ProblemCode::UnknownField;
                reader.unknown(code, "field", &part, node.location, &format!("`{name}`"), &known);
            }
        }
        Some(Expr::new(text, template))
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
                one_of(part, &mut more.chain(RecordKind::User.readable_names()))?;
                match (self.form.filter(|form| form.resource == RecordKind::User), rest) {
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
