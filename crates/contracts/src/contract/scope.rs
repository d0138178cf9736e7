//! Variables and compiled expressions of contracts.

use super::error::ContractError;
use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::atomic::{AtomicUsize, Ordering};

use minijinja::Value as Dynamic;

use super::request_context::RequestContext;
use registrar_core::expression::{Template, to_dynamic};
use registrar_core::value::{NULL, Value};

/// Variables by name, in nested scopes.
#[derive(Debug)]
pub(crate) struct Scope<'v> {
    frame: Frame<'v>,
    parent: Option<&'v Scope<'v>>,
    dynamic: OnceCell<Dynamic>,
}

/// The variables of one scope, borrowed where possible.
#[derive(Debug)]
pub(crate) enum Frame<'v> {
    /// The entries of an owned object.
    Object(Value<'v>),
    /// The entries of a borrowed object.
    Borrowed(&'v Value<'v>),
    /// A single variable.
    Named(&'v str, &'v Value<'v>),
    /// The root variables of a request.
    Request(&'v RequestContext),
}

impl<'v> Scope<'v> {
    /// Creates a scope from the entries of an object.
    pub(crate) fn new(object: Value<'v>) -> Self {
        Self { frame: Frame::Object(object), parent: None, dynamic: OnceCell::new() }
    }

    /// Creates a scope from the root variables of a request.
    pub(crate) fn of(request: &'v RequestContext) -> Self {
        Self { frame: Frame::Request(request), parent: None, dynamic: OnceCell::new() }
    }

    /// Creates a nested scope, whose variables hide outer ones with the same name.
    pub(crate) fn inside(&'v self, frame: Frame<'v>) -> Self {
        Self { frame, parent: Some(self), dynamic: OnceCell::new() }
    }

    fn get(&self, name: &str) -> Option<&Value<'v>> {
        let found = match &self.frame {
            Frame::Object(value) => value.get(name),
            Frame::Borrowed(value) => value.get(name),
            Frame::Named(known, value) => (*known == name).then_some(*value),
            Frame::Request(request) => request.get(name),
        };
        found.or_else(|| self.parent?.get(name))
    }

    /// Returns the value at a path.
    fn at(&self, path: &NamePath) -> Option<&Value<'v>> {
        let (first, rest) = path.parts.split_first()?;
        follow(self.get(first)?, rest)
    }

    /// Resolves the roots that most paths start from.
    pub(crate) fn cached_roots(&self) -> CachedRoots<'_> {
        let user: Option<&Value<'_>> = self.get("user");
        let properties = user.and_then(|user| user.get("properties"));
        CachedRoots { user, properties, ids: self.get("ids") }
    }

    /// Converts all variables for minijinja, once.
    fn dynamic(&self) -> &Dynamic {
        self.dynamic.get_or_init(|| {
            let variables = match &self.frame {
                Frame::Object(value) => to_dynamic(value),
                Frame::Borrowed(value) => to_dynamic(value),
                Frame::Named(name, value) => Dynamic::from_pairs([(*name, to_dynamic(value))]),
                Frame::Request(request) => Dynamic::from_pairs(
                    request.all().map(|(name, value)| (name, to_dynamic(value))),
                ),
            };
            match self.parent {
                Some(parent) => minijinja::context! { ..variables, ..parent.dynamic().clone() },
                None => variables,
            }
        })
    }
}

impl<'h> CachedRoots<'h> {
    /// Returns the value at a path.
    fn at(self, values: &'h Scope<'h>, path: &NamePath) -> Option<&'h Value<'h>> {
        match path.root {
            PathRoot::User => path.below(self.user?, 1),
            PathRoot::Properties => path.below(self.properties?, 2),
            PathRoot::Ids => path.below(self.ids?, 1),
            PathRoot::Other => values.at(path),
        }
    }
}

/// Follows keys and indices from a value.
fn follow<'s, 'v>(value: &'s Value<'v>, parts: &[Box<str>]) -> Option<&'s Value<'v>> {
    parts.iter().try_fold(value, |value, part| match value {
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        other => other.get(part),
    })
}

/// A path of plain names, such as `user.properties.city`.
#[derive(Debug)]
pub(crate) struct NamePath {
    parts: Box<[Box<str>]>,
    root: PathRoot,
    /// Index of its key below the root in the last look-up, where it usually is again.
    hint: AtomicUsize,
}

/// The cached root from which a path starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PathRoot {
    /// A path such as `user.name`.
    User,
    /// A path such as `user.properties.city`.
    Properties,
    /// A path such as `ids.id`.
    Ids,
    Other,
}

/// Values that most paths of an answer start from, resolved once per answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CachedRoots<'h> {
    user: Option<&'h Value<'h>>,
    properties: Option<&'h Value<'h>>,
    ids: Option<&'h Value<'h>>,
}

impl NamePath {
    /// Returns the value at the path below `root`, which the first `taken` parts lead to.
    fn below<'s, 'v>(&self, root: &'s Value<'v>, taken: usize) -> Option<&'s Value<'v>> {
        let (first, rest) = self.parts.get(taken..)?.split_first()?;
        let Value::Object(entries) = root else { return None };
        let hint = self.hint.load(Ordering::Relaxed);
        let entry = match entries.get(hint).filter(|(key, _)| **key == **first) {
            Some(entry) => entry,
            None => {
                let index = entries.iter().position(|(key, _)| **key == **first)?;
                self.hint.store(index, Ordering::Relaxed);
                &entries[index]
            }
        };
        follow(&entry.1, rest)
    }

    /// Parses a path. Returns `None` for any other expression.
    fn parse(text: &str) -> Option<Self> {
        let is_name = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        let text = text.trim();
        let is_plain = text.split('.').all(is_name)
            && !text.starts_with(|c: char| c.is_ascii_digit())
            && !["true", "false", "none"].contains(&text);
        is_plain.then(|| {
            let root = match text.strip_prefix("user.") {
                Some(rest) if rest.starts_with("properties.") => PathRoot::Properties,
                Some(_) => PathRoot::User,
                None if text.starts_with("ids.") => PathRoot::Ids,
                None => PathRoot::Other,
            };
            let parts = text.split('.').map(Into::into).collect();
            Self { parts, root, hint: AtomicUsize::new(0) }
        })
    }
}

/// An expression, or a string with expressions in it. Plain paths are evaluated without minijinja,
/// with the same result.
#[derive(Debug)]
pub(crate) enum Expr {
    /// A path.
    Name(NamePath),
    /// `user.name is none`, or `is not none` if false.
    IsNone(NamePath, bool),
    /// A string with paths in it; the template renders values whose format is not trivial.
    Text(Box<[TextPart]>, Template),
    Template(Template),
}

/// A part of a string.
#[derive(Debug)]
pub(crate) enum TextPart {
    Text(Box<str>),
    Name(NamePath),
}

/// Splits a string into constant parts and paths. Returns `None` if it contains other expressions.
fn parse_parts(mut text: &str) -> Option<Box<[TextPart]>> {
    let mut parts = Vec::new();
    while let Some((before, behind)) = text.split_once("{{") {
        let (name, after) = behind.split_once("}}")?;
        parts.extend([TextPart::Text(before.into()), TextPart::Name(NamePath::parse(name)?)]);
        text = after;
    }
    parts.push(TextPart::Text(text.into()));
    Some(parts.into())
}

/// Concatenates the parts. Returns `None` if a value needs the template's formatting.
fn join_parts<'v>(
    parts: &[TextPart],
    at: impl Fn(&NamePath) -> Option<&'v Value<'v>>,
) -> Option<String> {
    let mut text = String::with_capacity(96);
    for part in parts {
        match part {
            TextPart::Text(more) => text.push_str(more),
            TextPart::Name(path) => match at(path) {
                None | Some(Value::Null) => {}
                Some(Value::String(more)) => text.push_str(more),
                Some(Value::Number(more)) if more.parse().is_ok_and(|number: u32| number > 0) => {
                    text.push_str(more);
                }
                Some(_) => return None,
            },
        }
    }
    // The template enforces the limit on the length.
    (text.len() < 32 * 1024).then_some(text)
}

impl Expr {
    /// Returns the expression of a template; one that needs no more than values by name is evaluated
    /// without the template.
    pub(crate) fn new(text: &str, template: Template) -> Self {
        let inner = text.strip_prefix("{{").and_then(|text| text.strip_suffix("}}"));
        if let Some(path) = inner.and_then(NamePath::parse) {
            return Self::Name(path);
        }
        let words = inner.and_then(|inner| inner.trim().strip_suffix(" none"));
        let (name, is_none) = match words {
            Some(words) if words.ends_with(" is not") => (words.strip_suffix(" is not"), false),
            Some(words) => (words.strip_suffix(" is"), true),
            None => (None, true),
        };
        if let Some(path) = name.and_then(NamePath::parse) {
            return Self::IsNone(path, is_none);
        }
        match parse_parts(text).filter(|_| !text.contains("{%")) {
            Some(parts) => Self::Text(parts, template),
            None => Self::Template(template),
        }
    }

    /// Escapes values for HTML in a text with `{% %}` tags; see [`Template::escape_html`].
    pub(crate) fn escape_html(self) -> Self {
        match self {
            Self::Template(template) => Self::Template(template.escape_html()),
            other => other,
        }
    }

    /// Returns the parts of the path if it is one.
    pub(crate) fn name(&self) -> Option<&[Box<str>]> {
        match self {
            Self::Name(path) => Some(&path.parts),
            _ => None,
        }
    }

    /// Whether it reads the root variable `root`.
    pub(crate) fn reads(&self, root: &str) -> bool {
        match self {
            Self::Name(path) | Self::IsNone(path, _) => {
                path.parts.first().is_some_and(|first| **first == *root)
            }
            Self::Text(_, template) | Self::Template(template) => {
                template.names().iter().any(|name| name.split('.').next() == Some(root))
            }
        }
    }

    /// Evaluates the expression and passes the value to `use_it`.
    ///
    /// # Errors
    /// Returns the kind of error; it never contains a value.
    pub(crate) fn with<R>(
        &self,
        values: &Scope<'_>,
        use_it: impl FnOnce(&Value<'_>) -> R,
    ) -> Result<R, ContractError> {
        let template = match self {
            Self::Name(path) => return Ok(use_it(values.at(path).unwrap_or(&NULL))),
            Self::IsNone(path, is_none) => {
                let found = values.at(path).is_none_or(|value| matches!(value, Value::Null));
                return Ok(use_it(&Value::Bool(found == *is_none)));
            }
            Self::Text(parts, template) => match join_parts(parts, |path| values.at(path)) {
                Some(text) => return Ok(use_it(&Value::String(Cow::Owned(text)))),
                None => template,
            },
            Self::Template(template) => template,
        };
        Ok(use_it(&template.value_in(values.dynamic())?.unwrap_or_default()))
    }

    /// Evaluates the expression like [`with`](Self::with), with cached roots.
    pub(crate) fn with_cached<'h, R>(
        &self,
        (values, hot): (&'h Scope<'h>, CachedRoots<'h>),
        use_it: impl FnOnce(&Value<'_>) -> R,
    ) -> Result<R, ContractError> {
        match self {
            Self::Name(path) => Ok(use_it(hot.at(values, path).unwrap_or(&NULL))),
            Self::Text(parts, _) => match join_parts(parts, |path| hot.at(values, path)) {
                Some(text) => Ok(use_it(&Value::String(Cow::Owned(text)))),
                None => self.with(values, use_it),
            },
            _ => self.with(values, use_it),
        }
    }

    /// Evaluates the expression to an owned value.
    pub(crate) fn value(&self, values: &Scope<'_>) -> Result<Value<'static>, ContractError> {
        self.with(values, |value| value.clone().into_owned())
    }

    /// Evaluates the expression as a condition. As in Jinja, null, 0 and empty values are false.
    pub(crate) fn is_true(&self, values: &Scope<'_>) -> Result<bool, ContractError> {
        self.with(values, |value| match value {
            Value::Bool(flag) => *flag,
            other => to_dynamic(other).is_true(),
        })
    }

    /// Evaluates the expression to a string. Returns `None` if it is null.
    pub(crate) fn text(&self, values: &Scope<'_>) -> Result<Option<String>, ContractError> {
        self.with(values, |value| match value {
            Value::Null => None,
            Value::String(text) | Value::Number(text) => Some(text.to_string()),
            other => serde_json::to_string(other).ok(),
        })
    }
}

/// Builds an object from names and values.
pub(crate) fn object<'v>(entries: impl IntoIterator<Item = (&'v str, Value<'v>)>) -> Value<'v> {
    let named = |(name, value)| (Cow::Borrowed(name), value);
    Value::Object(entries.into_iter().map(named).collect())
}
