//! Answers of a contract: for each outcome a status, headers and a body template.
//! Bodies are compiled at load: constant JSON is serialised once, and only values are filled in per
//! request.

use super::error::ContractError;
use registrar_core::config::{Data, Entry, Node, ProblemCode, Reader};
use registrar_core::expression::Template;

use super::body_template::{Loop, Segment, fill};
use super::expressions::Expressions;
use super::json_style::{self, JsonStyle};
use super::outcome::{COMMON_ROOTS, Outcome};
use super::scope::{Expr, Scope};

/// The answer for an outcome.
#[derive(Debug)]
pub(crate) struct ResponseTemplate {
    pub(crate) status: Option<u16>,
    content_type: Option<Box<str>>,
    headers: Vec<(Box<str>, Vec<Segment>)>,
    body: Vec<Segment>,
    /// Root variables that it reads.
    shown: Vec<&'static str>,
}

/// A rendered answer.
#[derive(Debug)]
pub struct RenderedResponse<'c> {
    /// Content type, as written in the contract.
    pub content_type: Option<&'c str>,
    /// Other headers.
    pub headers: Vec<(&'c str, String)>,
    /// Body.
    pub body: Vec<u8>,
}

/// Root variables of the items of a list without `$as`.
const RECORD_ROOTS: [&str; 3] = ["user", "record", "ids"];

const KEYS: [&str; 5] = ["status", "content_type", "headers", "body", "text"];

impl ResponseTemplate {
    /// Reads the answer for an outcome.
    pub(crate) fn read(
        reader: &mut Reader<'_>,
        node: &Node,
        outcome: Outcome,
        expressions: &Expressions<'_>,
    ) -> Self {
        let (headers, body) = (Vec::new(), Vec::new());
        let shown = Vec::new();
        let mut answer = Self { status: None, content_type: None, headers, body, shown };
        let roots = outcome.values().iter().chain(&COMMON_ROOTS).map(|name| (*name).to_owned());
        let (roots, within) = (roots.collect(), format!("the answer `{}`", outcome.name()));
        let mut writer = BodyCompiler {
            reader,
            within,
            roots,
            expressions,
            style: expressions.style,
            pieces: Vec::new(),
        };
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
            let what = "both `body` and `text` are given";
            let expected = "a JSON `body` or a plain `text`";
            reader.problems.add(ProblemCode::Contradiction, text.location, what, expected, None);
        }
        if answer.status.is_none() && outcome != Outcome::Error && node.get("status").is_none() {
            let what = format!("the answer `{}` has no `status`", outcome.name());
            reader.problems.add(
                ProblemCode::MissingKey,
                node.location,
                what,
                "`status: 200`",
                None,
            );
        }
        let known = outcome.values().iter().chain(&COMMON_ROOTS);
        answer.shown = known.copied().filter(|root| answer.is_reading(root)).collect();
        answer
    }

    /// Returns the content type, as written in the contract.
    pub(crate) fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// Returns the names of its other headers.
    pub(crate) fn header_names(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|(name, _)| &**name)
    }

    /// Whether it reads the root variable `root`.
    pub(crate) fn reads(&self, root: &str) -> bool {
        self.shown.contains(&root)
    }

    fn is_reading(&self, root: &str) -> bool {
        let headers = self.headers.iter().flat_map(|(_, pieces)| pieces);
        headers.chain(&self.body).any(|piece| piece.reads(root))
    }

    /// Renders the answer.
    ///
    /// # Errors
    /// Returns the reason if an expression fails; it never contains a value.
    pub(crate) fn render(&self, values: &Scope<'_>) -> Result<RenderedResponse<'_>, ContractError> {
        let headers = self.headers.iter().map(|(name, pieces)| {
            let bytes = fill(pieces, values)?;
            Ok((&**name, String::from_utf8_lossy(&bytes).into_owned()))
        });
        let headers = headers.collect::<Result<_, ContractError>>()?;
        let body = fill(&self.body, values)?;
        Ok(RenderedResponse { content_type: self.content_type.as_deref(), headers, body })
    }
}

/// Compiles a body or a header to segments.
struct BodyCompiler<'w, 'p> {
    reader: &'w mut Reader<'p>,
    within: String,
    /// Root variables in scope.
    roots: Vec<String>,
    expressions: &'w Expressions<'w>,
    style: JsonStyle,
    pieces: Vec<Segment>,
}

impl BodyCompiler<'_, '_> {
    fn literal(&mut self, text: &str) {
        match self.pieces.last_mut() {
            Some(Segment::Literal(last)) => last.push_str(text),
            _ => self.pieces.push(Segment::Literal(text.to_owned())),
        }
    }

    fn json(&mut self, value: &impl serde::Serialize) {
        let text = match self.style {
            JsonStyle::Compact => serde_json::to_vec(value).unwrap_or_default(),
            JsonStyle::Python => {
                let mut out = Vec::new();
                // Writing to a vector does not fail.
                let _ = json_style::write_as_python(value, &mut out);
                out
            }
        };
        self.literal(&String::from_utf8_lossy(&text));
    }

    fn tree(&mut self, node: &Node) {
        match &node.data {
            Data::Map(entries) if node.get("$each").is_some() => self.each(node, entries),
            Data::Map(entries) => {
                for (index, entry) in entries.iter().enumerate() {
                    if entry.value.get("$when").is_some() {
                        self.when(entry, index);
                        continue;
                    }
                    self.literal(if index == 0 { "{" } else { self.style.comma() });
                    self.json(&entry.key);
                    self.literal(self.style.colon());
                    self.tree(&entry.value);
                }
                self.literal(if entries.is_empty() { "{}" } else { "}" });
            }
            Data::List(items) if items.iter().any(|item| item.get("$when").is_some()) => {
                self.items(items);
            }
            Data::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.literal(if index == 0 { "[" } else { self.style.comma() });
                    self.tree(item);
                }
                self.literal(if items.is_empty() { "[]" } else { "]" });
            }
            Data::Text(text) if Template::is_in(text) => {
                if let Some(filling) = self.filling(node, text) {
                    self.pieces.push(Segment::Json(filling, self.style));
                }
            }
            Data::Null | Data::Bool(_) | Data::Number(_) | Data::Text(_) | Data::Removed => {
                self.json(&node.to_value());
            }
        }
    }

    /// Compiles a string with expressions in it.
    fn text(&mut self, node: &Node, text: &str, is_html: bool) {
        if !Template::is_in(text) {
            return self.literal(text);
        }
        // Only values are escaped, not the text around them.
        if text.contains("{%") {
            let filling = self.filling(node, text);
            let filling = filling.map(|it| if is_html { it.escape_html() } else { it });
            self.pieces.extend(filling.map(|filling| Segment::Text(filling, false)));
            return;
        }
        let mut rest = text;
        while let Some(start) = rest.find("{{") {
            let Some(end) = rest[start..].find("}}").map(|end| start + end + 2) else { break };
            self.literal(&rest[..start]);
            if let Some(filling) = self.filling(node, &rest[start..end]) {
                self.pieces.push(Segment::Text(filling, is_html));
            }
            rest = &rest[end..];
        }
        if Template::is_in(rest) {
            let filling = self.filling(node, rest);
            self.pieces.extend(filling.map(|filling| Segment::Text(filling, is_html)));
        } else {
            self.literal(rest);
        }
    }

    fn filling(&mut self, node: &Node, text: &str) -> Option<Expr> {
        let roots: Vec<&str> = self.roots.iter().map(String::as_str).collect();
        self.expressions.compile(self.reader, node, text, (&roots, &self.within))
    }

    /// Compiles the expression under a key such as `$if`, with or without braces.
    fn part(&mut self, node: &Node, key: &str) -> Option<Expr> {
        let entry = node.get(key)?;
        let text = self.reader.text(&entry.value, key)?;
        let text =
            if Template::is_in(text) { text.to_owned() } else { format!("{{{{ {text} }}}}") };
        self.filling(&entry.value, &text)
    }

    /// Compiles `{$each: users, $as: user, $if: …, $item: …}`.
    fn each(&mut self, node: &Node, entries: &[Entry]) {
        for entry in entries.iter().filter(|entry| !EACH_KEYS.contains(&entry.key.as_str())) {
            self.reader.unknown_key(entry, "a list", &EACH_KEYS);
        }
        let list = self.part(node, "$each");
        let name = node.get("$as");
        let name = name.and_then(|entry| self.reader.text(&entry.value, "$as")).map(str::to_owned);
        let known = self.roots.len();
        match &name {
            Some(name) => self.roots.push(name.clone()),
            None => self.roots.extend(RECORD_ROOTS.map(str::to_owned)),
        }
        let only = self.part(node, "$if");
        let before = std::mem::take(&mut self.pieces);
        match node.get("$item") {
            Some(item) => self.tree(&item.value),
            None => {
                let what = "a list has no `$item`";
                let code = ProblemCode::MissingKey;
                self.reader.problems.add(code, node.location, what, "`$item:`", None);
            }
        }
        let pieces = std::mem::replace(&mut self.pieces, before);
        self.roots.truncate(known);
        if let Some(list) = list {
            let (name, comma) = (name.map(Into::into), self.style.comma());
            self.pieces.push(Segment::Loop(Box::new(Loop { list, comma, name, only, pieces })));
        }
    }

    /// Compiles `[{$when: …, $value: …}, …]`.
    fn items(&mut self, items: &[Node]) {
        let before = std::mem::take(&mut self.pieces);
        let mut all = Vec::with_capacity(items.len());
        for item in items {
            let condition = item.get("$when").and_then(|_| self.part(item, "$when"));
            match item.get("$value") {
                Some(value) if condition.is_some() => self.tree(&value.value),
                _ => self.tree(item),
            }
            all.push((condition, std::mem::take(&mut self.pieces)));
        }
        self.pieces = before;
        self.pieces.push(Segment::Items(all, self.style.comma()));
    }

    /// Compiles `key: {$when: …, $value: …}`, which must follow an unconditional entry.
    fn when(&mut self, entry: &Entry, index: usize) {
        if let Some(more) = entry.value.get("$value").filter(|_| index > 0) {
            let condition = self.part(&entry.value, "$when");
            let before = std::mem::take(&mut self.pieces);
            self.literal(self.style.comma());
            self.json(&entry.key);
            self.literal(self.style.colon());
            self.tree(&more.value);
            let pieces = std::mem::replace(&mut self.pieces, before);
            self.pieces
                .extend(condition.map(|condition| Segment::When(Box::new((condition, pieces)))));
        } else {
            let what = "an entry with `$when` is the first one, or has no `$value`";
            let expected = "`{$when: …, $value: …}` after an unconditional entry";
            let code = ProblemCode::Contradiction;
            self.reader.problems.add(code, entry.location, what, expected, None);
        }
    }
}

const EACH_KEYS: [&str; 4] = ["$each", "$as", "$if", "$item"];

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
