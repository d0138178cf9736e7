//! Compiled body templates of answers: constant text, and expressions to fill in.

use super::error::ContractError;
use super::json_style::{self, JsonStyle};
use super::scope::{CachedRoots, Expr, Frame, Scope};
use registrar_core::value::Value;

/// Estimated size of a rendered value in bytes, to allocate the buffer.
const TYPICAL_VALUE_BYTES: usize = 24;

/// A segment of a template.
#[derive(Debug)]
pub(crate) enum Segment {
    /// Constant text.
    Literal(String),
    /// A value as JSON.
    Json(Expr, JsonStyle),
    /// A value as a string; escaped for HTML if true.
    Text(Expr, bool),
    /// A list with an item for each value of another list.
    Loop(Box<Loop>),
    /// An object entry that is present under a condition.
    When(Box<(Expr, Vec<Segment>)>),
    /// A list whose items may have conditions; with its separator.
    Items(Vec<(Option<Expr>, Vec<Segment>)>, &'static str),
}

/// A list that is built from another one.
#[derive(Debug)]
pub(crate) struct Loop {
    pub(crate) list: Expr,
    pub(crate) comma: &'static str,
    /// Variable name of each item. If `None`, the items are objects whose keys become variables.
    pub(crate) name: Option<Box<str>>,
    pub(crate) only: Option<Expr>,
    pub(crate) pieces: Vec<Segment>,
}

impl Segment {
    /// Whether it reads the root variable `root`.
    pub(crate) fn reads(&self, root: &str) -> bool {
        let any = |pieces: &[Self]| pieces.iter().any(|piece| piece.reads(root));
        match self {
            Self::Literal(_) => false,
            Self::Json(filling, _) | Self::Text(filling, _) => filling.reads(root),
            Self::Loop(each) => {
                each.list.reads(root)
                    || each.only.as_ref().is_some_and(|only| only.reads(root))
                    || any(&each.pieces)
            }
            Self::When(entry) => entry.0.reads(root) || any(&entry.1),
            Self::Items(items, _) => items.iter().any(|(condition, pieces)| {
                condition.as_ref().is_some_and(|condition| condition.reads(root)) || any(pieces)
            }),
        }
    }
}

/// Renders a template.
pub(crate) fn fill(pieces: &[Segment], values: &Scope<'_>) -> Result<Vec<u8>, ContractError> {
    let size = |piece: &Segment| match piece {
        Segment::Literal(text) => text.len(),
        _ => TYPICAL_VALUE_BYTES,
    };
    let mut out = Vec::with_capacity(pieces.iter().map(size).sum());
    fill_into(pieces, values, &mut out)?;
    Ok(out)
}

/// Writes a value as JSON.
fn write(value: &Value<'_>, style: JsonStyle, out: &mut Vec<u8>) -> Result<(), ContractError> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        other if style == JsonStyle::Python => return json_style::write_as_python(other, out),
        other => return Ok(serde_json::to_writer(out, other)?),
    }
    Ok(())
}

fn fill_into(
    pieces: &[Segment],
    values: &Scope<'_>,
    out: &mut Vec<u8>,
) -> Result<(), ContractError> {
    let hot = values.cached_roots();
    for piece in pieces {
        match piece {
            Segment::Literal(text) => out.extend_from_slice(text.as_bytes()),
            Segment::Json(filling, style) => {
                filling.with_cached((values, hot), |value| write(value, *style, out))??;
            }
            Segment::Text(filling, is_html) => {
                let text = filling.text(values)?.unwrap_or_default();
                let text = if *is_html { escaped(&text) } else { text };
                out.extend_from_slice(text.as_bytes());
            }
            Segment::Loop(each) => fill_each(each, (values, hot), out)?,
            Segment::Items(items, comma) => {
                out.push(b'[');
                let start = out.len();
                for (condition, pieces) in items {
                    if condition.as_ref().map_or(Ok(true), |only| only.is_true(values))? {
                        if out.len() > start {
                            out.extend_from_slice(comma.as_bytes());
                        }
                        fill_into(pieces, values, out)?;
                    }
                }
                out.push(b']');
            }
            Segment::When(entry) => {
                if entry.0.is_true(values)? {
                    fill_into(&entry.1, values, out)?;
                }
            }
        }
    }
    Ok(())
}

fn fill_each<'h>(
    each: &Loop,
    (values, hot): (&'h Scope<'h>, CachedRoots<'h>),
    out: &mut Vec<u8>,
) -> Result<(), ContractError> {
    out.push(b'[');
    each.list.with_cached((values, hot), |list| {
        let items = if let Value::Array(items) = list { items.as_slice() } else { &[] };
        let mut is_first = true;
        for item in items {
            let values = values.inside(match &each.name {
                Some(name) => Frame::Named(name, item),
                None => Frame::Borrowed(item),
            });
            if let Some(only) = &each.only
                && !only.is_true(&values)?
            {
                continue;
            }
            if !std::mem::take(&mut is_first) {
                out.extend_from_slice(each.comma.as_bytes());
            }
            fill_into(&each.pieces, &values, out)?;
        }
        Ok::<(), ContractError>(())
    })??;
    out.push(b']');
    Ok(())
}

/// Escapes a value for HTML text and for attributes in single or double quotes.
fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}
