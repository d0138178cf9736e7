//! Locates errors in JSON documents, from the visitors that read them and the errors of serde_json.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use serde::de::Error;
use serde_json::error::Category;

use super::{DecodeError, DecodeErrorKind, push_segment};

/// What the visitors record besides serde's error, which is only a string.
#[derive(Default)]
pub(super) struct Trace {
    kind: Cell<Option<DecodeErrorKind>>,
    /// Segments of the JSON pointer, innermost first. Collected only while an error propagates, so
    /// that a valid document costs nothing.
    segments: RefCell<Vec<String>>,
    /// Whether the last string was owned, as only that of a number is.
    pub(super) owned: Cell<bool>,
}

impl Trace {
    /// Creates the error that stops serde, and records its kind for [`error`](Self::error).
    pub(super) fn refuse<E: Error>(&self, kind: DecodeErrorKind) -> E {
        self.kind.set(Some(kind));
        E::custom(kind)
    }

    /// Records that the propagating error occurred within a key or an item.
    pub(super) fn inside(&self, key: &str) {
        let mut segment = String::new();
        push_segment(&mut segment, key);
        self.segments.borrow_mut().push(segment);
    }

    /// Converts the error of serde_json to a decoding error with its kind and location.
    pub(super) fn error(&self, error: &serde_json::Error) -> DecodeError {
        let text = error.to_string();
        let what = text.split_once(" at line ").map_or(text.as_str(), |(what, _)| what);
        let kind = self.kind.get().unwrap_or(match what {
            "lone leading surrogate in hex escape" | "unexpected end of hex escape" => {
                DecodeErrorKind::Encoding
            }
            "recursion limit exceeded" => DecodeErrorKind::TooDeep,
            _ => DecodeErrorKind::Syntax,
        });
        let mut refusal = DecodeError::new(kind);
        // Messages of the category "data" could quote the document; those about its grammar do not.
        if kind == DecodeErrorKind::Syntax && error.classify() != Category::Data {
            refusal.detail = match what {
                "expected ident" => Cow::Borrowed("expected `true`, `false` or `null`"),
                "expected value" => Cow::Borrowed("expected a JSON value"),
                other => Cow::Owned(other.to_owned()),
            };
        }
        if error.line() > 0 {
            refusal.line = Some(error.line());
            refusal.column = Some(error.column().max(1));
        }
        refusal.with_pointer(self.segments.borrow().iter().rev().map(String::as_str).collect())
    }
}

/// Creates an error at a byte offset of the body.
pub(super) fn at_offset(kind: DecodeErrorKind, bytes: &[u8], offset: usize) -> DecodeError {
    let mut error = DecodeError::new(kind);
    let before = bytes.get(..offset).unwrap_or(bytes);
    error.line = Some(1 + before.iter().filter(|byte| **byte == b'\n').count());
    error.column = Some(1 + before.iter().rev().take_while(|byte| **byte != b'\n').count());
    error
}
