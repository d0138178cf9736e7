//! What an API answers: for each outcome a status, headers, and a body with values to fill in.
//!
//! A body is compiled to pieces: JSON that is always the same is written when the file is read,
//! and to answer is to put values between.

use std::cell::OnceCell;

use crate::config::{Data, Node, ProblemCode, Reader};
use crate::expression::{Template, to_dynamic};
use crate::value::{NULL, Value};

macro_rules! outcomes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal [$($value:literal),*],)+) => {
        /// What can come of a request.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Outcome { $($(#[doc = $doc])+ $variant,)+ }

        impl Outcome {
            /// All of them.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// What it is called in a contract, and in logs.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The values that only its answer has.
            fn values(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($value),*],)+ }
            }
        }
    };
}

outcomes! {
    /// A user was created.
    Created = "created" ["user", "ids"],
    /// A user is shown.
    Found = "found" ["user", "ids"],
    /// Rules are broken.
    Invalid = "invalid" ["errors", "error"],
    /// The body is something else than an object.
    NotAnObject = "not_an_object" ["got"],
    /// The body cannot be read.
    Malformed = "malformed" ["malformed"],
    /// Nobody says who asks.
    Unauthenticated = "unauthenticated" [],
    /// Who asks is not let in.
    BadCredential = "bad_credential" [],
    /// There is no such user.
    NotFound = "not_found" [],
    /// There is no such path.
    NoRoute = "no_route" [],
    /// The path has other methods.
    Method = "method" ["allow"],
    /// The body is of a type that is not read.
    MediaType = "media_type" ["media_type"],
    /// Anything else: too large, too slow, too busy, broken. With the status that says which.
    Failed = "failed" [],
}

/// Values that every answer has.
const EVERYWHERE: [&str; 5] = ["status", "reason", "request", "elapsed", "base_url"];

/// An answer of a contract.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: Option<u16>,
    content_type: Option<Box<str>>,
    headers: Vec<(Box<str>, Vec<Piece>)>,
    body: Vec<Piece>,
}

/// An answer, filled in.
#[derive(Debug)]
pub struct Rendered<'c> {
    /// The content type, verbatim.
    pub content_type: Option<&'c str>,
    /// Other headers.
    pub headers: Vec<(&'c str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

#[derive(Debug)]
enum Piece {
    Literal(String),
    /// A value as JSON.
    Json(Filling),
    /// A value as text, with what means something in HTML escaped where it is HTML.
    Text(Filling, bool),
}

#[derive(Debug)]
enum Filling {
    /// A plain name, `user.properties.city`: looked up as it is.
    Name(Box<[Box<str>]>),
    Template(Template),
}

/// What an answer is filled in with.
pub(crate) struct Values<'v> {
    values: Value<'v>,
    dynamic: OnceCell<minijinja::Value>,
}

/// Checks that a name in a template is known: `user.properties.city`. What is said of an unknown
/// one comes back: the part, and the names known there.
pub(crate) type IsKnown<'c> = dyn Fn(&str) -> Result<(), (String, Vec<String>)> + 'c;

const KEYS: [&str; 5] = ["status", "content_type", "headers", "body", "text"];

impl<'v> Values<'v> {
    pub(crate) fn new(values: Value<'v>) -> Self {
        Self { values, dynamic: OnceCell::new() }
    }
}

impl Answer {
    /// Reads the answer of an outcome.
    pub(crate) fn read(
        reader: &mut Reader<'_>,
        node: &Node,
        outcome: Outcome,
        is_known: &IsKnown<'_>,
    ) -> Self {
        let (headers, body) = (Vec::new(), Vec::new());
        let mut answer = Self { status: None, content_type: None, headers, body };
        let mut writer = Writer { reader, outcome, is_known, pieces: Vec::new() };
        for entry in writer.reader.map(node, outcome.name()) {
            let value = &entry.value;
            match entry.key.as_str() {
                "status" => answer.status = status(writer.reader, value),
                "content_type" => {
                    answer.content_type = writer.reader.text(value, "content_type").map(Into::into);
                }
                "headers" => {
                    for header in writer.reader.map(value, "headers") {
                        let Some(text) = writer.reader.text(&header.value, &header.key) else {
                            continue;
                        };
                        writer.text(&header.value, text, false);
                        let pieces = std::mem::take(&mut writer.pieces);
                        answer.headers.push((header.key.as_str().into(), pieces));
                    }
                }
                "body" => {
                    writer.tree(value);
                    answer.body = std::mem::take(&mut writer.pieces);
                }
                "text" => {
                    let is_html = node.get("content_type").is_some_and(
                        |entry| matches!(&entry.value.data, Data::Text(text) if text.contains("html")),
                    );
                    if let Some(text) = writer.reader.text(value, "text") {
                        writer.text(value, text, is_html);
                        answer.body = std::mem::take(&mut writer.pieces);
                    }
                }
                _ => writer.reader.unknown_key(entry, &format!("`{}`", outcome.name()), &KEYS),
            }
        }
        if let (Some(_), Some(text)) = (node.get("body"), node.get("text")) {
            let what = "`body` and `text` stand beside each other";
            let expected = "a JSON `body`, or a `text` as it is";
            reader.problems.add(ProblemCode::Contradiction, text.place, what, expected, None);
        }
        if answer.status.is_none() && outcome != Outcome::Failed && node.get("status").is_none() {
            let what = format!("the answer `{}` does not say its `status`", outcome.name());
            reader.problems.add(ProblemCode::MissingKey, node.place, what, "`status: 200`", None);
        }
        answer
    }

    /// Fills it in. An expression that fails says why: its kind, never a value.
    pub(crate) fn render(&self, values: &Values<'_>) -> Result<Rendered<'_>, String> {
        let headers = self.headers.iter().map(|(name, pieces)| {
            let bytes = fill(pieces, values)?;
            Ok((&**name, String::from_utf8_lossy(&bytes).into_owned()))
        });
        let headers = headers.collect::<Result<_, String>>()?;
        let body = fill(&self.body, values)?;
        Ok(Rendered { content_type: self.content_type.as_deref(), headers, body })
    }
}

fn fill(pieces: &[Piece], values: &Values<'_>) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(512);
    for piece in pieces {
        match piece {
            Piece::Literal(text) => out.extend_from_slice(text.as_bytes()),
            Piece::Json(filling) => filling.with(values, |value| {
                serde_json::to_writer(&mut out, value).map_err(|error| error.to_string())
            })??,
            Piece::Text(filling, is_html) => filling.with(values, |value| {
                let text = match value {
                    Value::Null => String::new(),
                    Value::String(text) | Value::Number(text) => text.to_string(),
                    other => serde_json::to_string(other).unwrap_or_default(),
                };
                let text = if *is_html { escaped(&text) } else { text };
                out.extend_from_slice(text.as_bytes());
            })?,
        }
    }
    Ok(out)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

impl Filling {
    fn with<R>(
        &self,
        values: &Values<'_>,
        use_it: impl FnOnce(&Value<'_>) -> R,
    ) -> Result<R, String> {
        match self {
            Self::Name(parts) => {
                let found = parts.iter().try_fold(&values.values, |value, part| value.get(part));
                Ok(use_it(found.unwrap_or(&NULL)))
            }
            Self::Template(template) => {
                let dynamic = values.dynamic.get_or_init(|| to_dynamic(&values.values));
                Ok(use_it(&template.value_in(dynamic)?.unwrap_or_default()))
            }
        }
    }
}

/// Writes the pieces of an answer.
struct Writer<'w, 'p> {
    reader: &'w mut Reader<'p>,
    outcome: Outcome,
    is_known: &'w IsKnown<'w>,
    pieces: Vec<Piece>,
}

impl Writer<'_, '_> {
    fn literal(&mut self, text: &str) {
        match self.pieces.last_mut() {
            Some(Piece::Literal(last)) => last.push_str(text),
            _ => self.pieces.push(Piece::Literal(text.to_owned())),
        }
    }

    fn json(&mut self, value: &impl serde::Serialize) {
        self.literal(&serde_json::to_string(value).unwrap_or_default());
    }

    fn tree(&mut self, node: &Node) {
        match &node.data {
            Data::Map(entries) => {
                for (index, entry) in entries.iter().enumerate() {
                    self.literal(if index == 0 { "{" } else { "," });
                    self.json(&entry.key);
                    self.literal(":");
                    self.tree(&entry.value);
                }
                self.literal(if entries.is_empty() { "{}" } else { "}" });
            }
            Data::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.literal(if index == 0 { "[" } else { "," });
                    self.tree(item);
                }
                self.literal(if items.is_empty() { "[]" } else { "]" });
            }
            Data::Text(text) if Template::is_in(text) => {
                if let Some(filling) = self.filling(node, text) {
                    self.pieces.push(Piece::Json(filling));
                }
            }
            Data::Null | Data::Bool(_) | Data::Number(_) | Data::Text(_) | Data::Removed => {
                self.json(&node.to_value());
            }
        }
    }

    fn text(&mut self, node: &Node, text: &str, is_html: bool) {
        if !Template::is_in(text) {
            return self.literal(text);
        }
        // Its own words are not escaped, so it is taken apart at its expressions.
        let mut rest = text;
        while let Some(start) = rest.find("{{").filter(|_| !text.contains("{%")) {
            let Some(end) = rest[start..].find("}}").map(|end| start + end + 2) else { break };
            self.literal(&rest[..start]);
            if let Some(filling) = self.filling(node, &rest[start..end]) {
                self.pieces.push(Piece::Text(filling, is_html));
            }
            rest = &rest[end..];
        }
        if Template::is_in(rest) {
            let filling = self.filling(node, rest);
            self.pieces.extend(filling.map(|filling| Piece::Text(filling, is_html)));
        } else {
            self.literal(rest);
        }
    }

    fn filling(&mut self, node: &Node, text: &str) -> Option<Filling> {
        let template = Template::compile(self.reader, node, text)?;
        for name in template.names() {
            self.check(node, name);
        }
        let inner = text.strip_prefix("{{").and_then(|text| text.strip_suffix("}}"));
        let plain = inner.map(str::trim).filter(|name| {
            name.split('.').all(|part| {
                !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            }) && !name.starts_with(|c: char| c.is_ascii_digit())
        });
        Some(match plain {
            Some(name) if !["true", "false", "none"].contains(&name) => {
                Filling::Name(name.split('.').map(Into::into).collect())
            }
            _ => Filling::Template(template),
        })
    }

    fn check(&mut self, node: &Node, name: &str) {
        let root = name.split('.').next().unwrap_or(name);
        let own = self.outcome.values();
        if !own.contains(&root) && !EVERYWHERE.contains(&root) {
            let known: Vec<&str> = own.iter().chain(&EVERYWHERE).copied().collect();
            let within = format!("the answer `{}`", self.outcome.name());
            let code = ProblemCode::BadExpression;
            self.reader.unknown(code, "name", root, node.place, &within, &known);
        } else if let Err((part, known)) = (self.is_known)(name) {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let within = format!("`{name}`");
            let code = ProblemCode::UnknownField;
            self.reader.unknown(code, "field", &part, node.place, &within, &known);
        }
    }
}

fn status(reader: &mut Reader<'_>, node: &Node) -> Option<u16> {
    let status = match &node.data {
        Data::Number(text) => text.parse().ok().filter(|status| (200..600).contains(status)),
        _ => None,
    };
    if status.is_none() {
        reader.wrong_shape(node, "status", "a status from 200 to 599");
    }
    status
}
