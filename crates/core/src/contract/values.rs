//! The values that the expressions of a contract are worked out over, and those expressions.

use std::borrow::Cow;
use std::cell::OnceCell;

use minijinja::Value as Dynamic;

use super::Asked;
use super::expressions::Expressions;
use crate::config::{Node, ProblemCode, Reader};
use crate::expression::{Template, to_dynamic};
use crate::value::{NULL, Value};

/// Values by name, before those of what is around them.
#[derive(Debug)]
pub(crate) struct Values<'v> {
    own: Own<'v>,
    around: Option<&'v Values<'v>>,
    dynamic: OnceCell<Dynamic>,
}

/// Where values are: nothing is copied to look one up.
#[derive(Debug)]
pub(crate) enum Own<'v> {
    /// In an object.
    Object(Value<'v>),
    /// In an object of somebody else's.
    Lent(&'v Value<'v>),
    /// It is one, of this name.
    Named(&'v str, &'v Value<'v>),
    /// In a request.
    Asked(&'v Asked),
}

impl<'v> Values<'v> {
    /// Those of an object.
    pub(crate) fn new(own: Value<'v>) -> Self {
        Self { own: Own::Object(own), around: None, dynamic: OnceCell::new() }
    }

    /// Those of a request.
    pub(crate) fn of(asked: &'v Asked) -> Self {
        Self { own: Own::Asked(asked), around: None, dynamic: OnceCell::new() }
    }

    /// More of them, which hide those of their name.
    pub(crate) fn inside(&'v self, own: Own<'v>) -> Self {
        Self { own, around: Some(self), dynamic: OnceCell::new() }
    }

    fn get(&self, name: &str) -> Option<&Value<'v>> {
        let own = match &self.own {
            Own::Object(value) => value.get(name),
            Own::Lent(value) => value.get(name),
            Own::Named(known, value) => (*known == name).then_some(*value),
            Own::Asked(asked) => asked.get(name),
        };
        own.or_else(|| self.around?.get(name))
    }

    fn dynamic(&self) -> &Dynamic {
        self.dynamic.get_or_init(|| {
            let own = match &self.own {
                Own::Object(value) => to_dynamic(value),
                Own::Lent(value) => to_dynamic(value),
                Own::Named(name, value) => Dynamic::from_pairs([(*name, to_dynamic(value))]),
                Own::Asked(asked) => {
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

/// An expression, or a text with some in it.
#[derive(Debug)]
pub(crate) enum Filling {
    /// A plain name, `user.properties.city`: looked up as it is.
    Name(Box<[Box<str>]>),
    Template(Template),
}

impl Filling {
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
        let plain = inner.map(str::trim).filter(|name| {
            name.split('.').all(|part| {
                !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            }) && !name.starts_with(|c: char| c.is_ascii_digit())
        });
        Some(match plain {
            Some(name) if !["true", "false", "none"].contains(&name) => {
                Self::Name(name.split('.').map(Into::into).collect())
            }
            _ => Self::Template(template),
        })
    }

    /// Whether it reads a value of this name.
    pub(crate) fn reads(&self, root: &str) -> bool {
        match self {
            Self::Name(parts) => parts.first().is_some_and(|first| **first == *root),
            Self::Template(template) => {
                template.names().iter().any(|name| name.split('.').next() == Some(root))
            }
        }
    }

    /// Works it out. One that fails says why: its kind, never a value.
    pub(crate) fn with<R>(
        &self,
        values: &Values<'_>,
        use_it: impl FnOnce(&Value<'_>) -> R,
    ) -> Result<R, String> {
        match self {
            Self::Name(parts) => {
                let mut parts = parts.iter();
                let first = parts.next().and_then(|first| values.get(first));
                let found = first.and_then(|first| {
                    parts.try_fold(first, |value, part| match value {
                        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
                        other => other.get(part),
                    })
                });
                Ok(use_it(found.unwrap_or(&NULL)))
            }
            Self::Template(template) => {
                Ok(use_it(&template.value_in(values.dynamic())?.unwrap_or_default()))
            }
        }
    }

    /// Its value, owned.
    pub(crate) fn value(&self, values: &Values<'_>) -> Result<Value<'static>, String> {
        self.with(values, |value| value.clone().into_owned())
    }

    /// Whether it is true: as in Jinja, where nothing, 0 and what is empty are not.
    pub(crate) fn is_true(&self, values: &Values<'_>) -> Result<bool, String> {
        self.with(values, |value| to_dynamic(value).is_true())
    }

    /// Its value as a text; nothing where it is null.
    pub(crate) fn text(&self, values: &Values<'_>) -> Result<Option<String>, String> {
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
