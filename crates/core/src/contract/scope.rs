//! The values that the expressions of a contract are worked out over, and those expressions.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::atomic::{AtomicUsize, Ordering};

use minijinja::Value as Dynamic;

use super::RequestContext;
use super::expressions::Expressions;
use crate::config::{Node, ProblemCode, Reader};
use crate::expression::{Template, to_dynamic};
use crate::value::{NULL, Value};

/// Values by name, before those of what is around them.
#[derive(Debug)]
pub(crate) struct Scope<'v> {
    own: Frame<'v>,
    around: Option<&'v Scope<'v>>,
    dynamic: OnceCell<Dynamic>,
}

/// Where values are: nothing is copied to look one up.
#[derive(Debug)]
pub(crate) enum Frame<'v> {
    /// In an object.
    Object(Value<'v>),
    /// In an object of somebody else's.
    Lent(&'v Value<'v>),
    /// It is one, of this name.
    Named(&'v str, &'v Value<'v>),
    /// In a request.
    Asked(&'v RequestContext),
}

impl<'v> Scope<'v> {
    /// Those of an object.
    pub(crate) fn new(own: Value<'v>) -> Self {
        Self { own: Frame::Object(own), around: None, dynamic: OnceCell::new() }
    }

    /// Those of a request.
    pub(crate) fn of(asked: &'v RequestContext) -> Self {
        Self { own: Frame::Asked(asked), around: None, dynamic: OnceCell::new() }
    }

    /// More of them, which hide those of their name.
    pub(crate) fn inside(&'v self, own: Frame<'v>) -> Self {
        Self { own, around: Some(self), dynamic: OnceCell::new() }
    }

    fn get(&self, name: &str) -> Option<&Value<'v>> {
        let own = match &self.own {
            Frame::Object(value) => value.get(name),
            Frame::Lent(value) => value.get(name),
            Frame::Named(known, value) => (*known == name).then_some(*value),
            Frame::Asked(asked) => asked.get(name),
        };
        own.or_else(|| self.around?.get(name))
    }

    /// The value of a path; nothing where it leads nowhere.
    fn at(&self, path: &NamePath) -> Option<&Value<'v>> {
        let (first, rest) = path.parts.split_first()?;
        follow(self.get(first)?, rest)
    }

    /// What most names lead into.
    pub(crate) fn cached_roots(&self) -> CachedRoots<'_> {
        let user: Option<&Value<'_>> = self.get("user");
        let properties = user.and_then(|user| user.get("properties"));
        CachedRoots { user, properties, ids: self.get("ids") }
    }

    fn dynamic(&self) -> &Dynamic {
        self.dynamic.get_or_init(|| {
            let own = match &self.own {
                Frame::Object(value) => to_dynamic(value),
                Frame::Lent(value) => to_dynamic(value),
                Frame::Named(name, value) => Dynamic::from_pairs([(*name, to_dynamic(value))]),
                Frame::Asked(asked) => {
                    Dynamic::from_pairs(asked.all().map(|(name, value)| (name, to_dynamic(value))))
                }
            };
            match self.around {
                Some(around) => minijinja::context! { ..own, ..around.dynamic().clone() },
                None => own,
            }
        })
    }
}

impl<'h> CachedRoots<'h> {
    /// The value of a path; nothing where it leads nowhere.
    fn at(self, values: &'h Scope<'h>, path: &NamePath) -> Option<&'h Value<'h>> {
        match path.root {
            PathRoot::User => path.below(self.user?, 1),
            PathRoot::Properties => path.below(self.properties?, 2),
            PathRoot::Ids => path.below(self.ids?, 1),
            PathRoot::Other => values.at(path),
        }
    }
}

/// What is where parts lead from a value.
fn follow<'s, 'v>(value: &'s Value<'v>, parts: &[Box<str>]) -> Option<&'s Value<'v>> {
    parts.iter().try_fold(value, |value, part| match value {
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        other => other.get(part),
    })
}

/// A plain name, `user.properties.city`, by its parts.
#[derive(Debug)]
pub(crate) struct NamePath {
    parts: Box<[Box<str>]>,
    root: PathRoot,
    /// Where its key was found the last time behind the root: most often it is there again.
    hint: AtomicUsize,
}

/// Where most names lead: found once for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PathRoot {
    /// `user.name`
    User,
    /// `user.properties.city`
    Properties,
    /// `ids.id`
    Ids,
    Other,
}

/// What most names of an answer lead into.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CachedRoots<'h> {
    user: Option<&'h Value<'h>>,
    properties: Option<&'h Value<'h>>,
    ids: Option<&'h Value<'h>>,
}

impl NamePath {
    /// The value that it leads to from a root that takes so many of its parts.
    fn below<'s, 'v>(&self, root: &'s Value<'v>, taken: usize) -> Option<&'s Value<'v>> {
        let (first, rest) = self.parts.get(taken..)?.split_first()?;
        let Value::Object(entries) = root else { return None };
        let hint = self.hint.load(Ordering::Relaxed);
        let entry = match entries.get(hint).filter(|(key, _)| **key == **first) {
            Some(entry) => entry,
            None => {
                let place = entries.iter().position(|(key, _)| **key == **first)?;
                self.hint.store(place, Ordering::Relaxed);
                &entries[place]
            }
        };
        follow(&entry.1, rest)
    }

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

/// An expression, or a text with some in it. What needs no more than values by name is done without
/// the language of expressions, to the same result.
#[derive(Debug)]
pub(crate) enum Expr {
    /// Looked up as it is.
    Name(NamePath),
    /// `user.name is none`, or `is not none`.
    IsNone(NamePath, bool),
    /// A text with names in it; as a template for values that are not spelled as they stand.
    Text(Box<[TextPart]>, Template),
    Template(Template),
}

/// A part of a text.
#[derive(Debug)]
pub(crate) enum TextPart {
    Text(Box<str>),
    Name(NamePath),
}

/// The parts of a text that has plain names in it and nothing else.
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

/// The text of parts; nothing where a value is one that the language would spell otherwise.
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
    // The language says what is too long.
    (text.len() < 32 * 1024).then_some(text)
}

impl Expr {
    /// Compiles the text of a node. `roots` are the names that there are, `within` says where.
    pub(crate) fn read(
        reader: &mut Reader<'_>,
        node: &Node,
        text: &str,
        (roots, within): (&[&str], &str),
        expressions: &Expressions<'_>,
    ) -> Option<Self> {
        let template = Template::compile(reader, node, &expressions.with_ids(text))?;
        for name in template.names() {
            let root = name.split('.').next().unwrap_or(name);
            if !roots.contains(&root) {
                let code = ProblemCode::BadExpression;
                reader.unknown(code, "name", root, node.place, within, roots);
            } else if let Err((part, known)) = expressions.check(name) {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                let code = ProblemCode::UnknownField;
                reader.unknown(code, "field", &part, node.place, &format!("`{name}`"), &known);
            }
        }
        let inner = text.strip_prefix("{{").and_then(|text| text.strip_suffix("}}"));
        if let Some(path) = inner.and_then(NamePath::parse) {
            return Some(Self::Name(path));
        }
        let words = inner.and_then(|inner| inner.trim().strip_suffix(" none"));
        let (name, is_none) = match words {
            Some(words) if words.ends_with(" is not") => (words.strip_suffix(" is not"), false),
            Some(words) => (words.strip_suffix(" is"), true),
            None => (None, true),
        };
        if let Some(path) = name.and_then(NamePath::parse) {
            return Some(Self::IsNone(path, is_none));
        }
        Some(match parse_parts(text).filter(|_| !text.contains("{%")) {
            Some(parts) => Self::Text(parts, template),
            None => Self::Template(template),
        })
    }

    /// The parts of the plain name that it is, where it is one.
    pub(crate) fn name(&self) -> Option<&[Box<str>]> {
        match self {
            Self::Name(path) => Some(&path.parts),
            _ => None,
        }
    }

    /// Whether it reads a value of this name.
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

    /// Works it out. One that fails says why: its kind, never a value.
    pub(crate) fn with<R>(
        &self,
        values: &Scope<'_>,
        use_it: impl FnOnce(&Value<'_>) -> R,
    ) -> Result<R, String> {
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

    /// Works it out, with what most names lead into at hand.
    pub(crate) fn with_cached<'h, R>(
        &self,
        (values, hot): (&'h Scope<'h>, CachedRoots<'h>),
        use_it: impl FnOnce(&Value<'_>) -> R,
    ) -> Result<R, String> {
        match self {
            Self::Name(path) => Ok(use_it(hot.at(values, path).unwrap_or(&NULL))),
            Self::Text(parts, _) => match join_parts(parts, |path| hot.at(values, path)) {
                Some(text) => Ok(use_it(&Value::String(Cow::Owned(text)))),
                None => self.with(values, use_it),
            },
            _ => self.with(values, use_it),
        }
    }

    /// Its value, owned.
    pub(crate) fn value(&self, values: &Scope<'_>) -> Result<Value<'static>, String> {
        self.with(values, |value| value.clone().into_owned())
    }

    /// Whether it is true: as in Jinja, where nothing, 0 and what is empty are not.
    pub(crate) fn is_true(&self, values: &Scope<'_>) -> Result<bool, String> {
        self.with(values, |value| match value {
            Value::Bool(flag) => *flag,
            other => to_dynamic(other).is_true(),
        })
    }

    /// Its value as a text; nothing where it is null.
    pub(crate) fn text(&self, values: &Scope<'_>) -> Result<Option<String>, String> {
        self.with(values, |value| match value {
            Value::Null => None,
            Value::String(text) | Value::Number(text) => Some(text.to_string()),
            other => serde_json::to_string(other).ok(),
        })
    }
}

/// An object of named values.
pub(crate) fn object<'v>(entries: impl IntoIterator<Item = (&'v str, Value<'v>)>) -> Value<'v> {
    let named = |(name, value)| (Cow::Borrowed(name), value);
    Value::Object(entries.into_iter().map(named).collect())
}
