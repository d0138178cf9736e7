//! Where a JSON document went wrong, told by the visitors that read it and by serde_json.
//!
//! Reads nothing itself.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use serde::de::Error;
use serde_json::error::Category;

use super::{DecodeError, DecodeErrorKind, push_segment};

/// What the visitors report beside serde's error, which carries a text only.
#[derive(Default)]
pub(super) struct Trace {
    kind: Cell<Option<DecodeErrorKind>>,
    /// The pointer's segments, innermost first: collected only while an error climbs out, so
    /// that a good document pays nothing for them.
    segments: RefCell<Vec<String>>,
    /// Whether the last string came owned, as only the text of a number does.
    pub(super) owned: Cell<bool>,
}

impl Trace {
    /// The error that makes serde stop, with the kind kept for [`error`](Self::error).
    pub(super) fn refuse<E: Error>(&self, kind: DecodeErrorKind) -> E {
        self.kind.set(Some(kind));
        E::custom(kind)
    }

    /// Tells that the error on its way out came from within a key or an item.
    pub(super) fn inside(&self, key: &str) {
        let mut segment = String::new();
        push_segment(&mut segment, key);
        self.segments.borrow_mut().push(segment);
    }

    /// What the reader's error comes to.
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
        // Texts of the category "data" could quote the document; those of its grammar do not.
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

/// An error at a byte of the body.
pub(super) fn at_offset(kind: DecodeErrorKind, bytes: &[u8], offset: usize) -> DecodeError {
    let mut error = DecodeError::new(kind);
    let before = bytes.get(..offset).unwrap_or(bytes);
    error.line = Some(1 + before.iter().filter(|byte| **byte == b'\n').count());
    error.column = Some(1 + before.iter().rev().take_while(|byte| **byte != b'\n').count());
    error
}
