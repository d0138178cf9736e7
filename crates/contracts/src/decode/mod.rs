//! Decoders: they convert the bytes of a request body to a [`Value`](registrar_core::value::Value) or return
//! one error.
//!
//! They handle formats only; forms decide on keys and types, and the server limits the size of
//! bodies.

pub mod brackets;
mod entries;
pub mod json;
mod trace;

use std::borrow::Cow;

/// Maximum nesting depth of objects and lists, including the outermost.
pub const MAX_DEPTH: usize = 64;

/// An error in a request body. Its text contains keys and locations, never a submitted value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}{}: {detail}", location(*.line, *.column, .pointer.as_deref()))]
pub struct DecodeError {
    /// The kind of error.
    pub kind: DecodeErrorKind,
    /// Line, from 1; for JSON only.
    pub line: Option<usize>,
    /// Column, from 1, in bytes; for JSON only. It may be one past the cause.
    pub column: Option<usize>,
    /// JSON pointer (RFC 6901) of the value in error, or of the expected one. Keys in it are
    /// truncated to 64 characters, and their control characters replaced.
    pub pointer: Option<String>,
    /// What was expected, as a phrase.
    pub detail: Cow<'static, str>,
}

/// The kinds of decoding errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum DecodeErrorKind {
    /// The body is empty or whitespace.
    #[error("the body is empty")]
    Empty,
    /// The text violates the grammar of its format.
    #[error("the body is not valid JSON")]
    Syntax,
    /// An object has the same key twice.
    #[error("duplicate key in an object")]
    DuplicateKey,
    /// U+0000, which databases cannot store.
    #[error("a NUL character")]
    Nul,
    /// Objects and lists are nested deeper than [`MAX_DEPTH`].
    #[error("nested too deeply")]
    TooDeep,
    /// A number exceeds the bounds of [`Decimal`](registrar_core::decimal::Decimal).
    #[error("a number out of range")]
    NumberRange,
    /// The bytes or escapes are not valid Unicode.
    #[error("the text is not valid Unicode")]
    Encoding,
    /// There are more than [`brackets::MAX_PAIRS`] form fields.
    #[error("too many form fields")]
    TooManyFields,
    /// The body is not valid `multipart/form-data`, or incomplete.
    #[error("the body is not valid multipart/form-data")]
    Multipart,
    /// A part is a file.
    #[error("a file")]
    File,
    /// The name of a form field cannot be parsed, or conflicts with an earlier one.
    #[error("a form field has a bad name")]
    BadName,
}

impl DecodeErrorKind {
    /// Returns the default text of [`DecodeError::detail`].
    fn detail(self) -> &'static str {
        match self {
            Self::Empty => "a JSON document is expected",
            Self::Syntax => "JSON as of RFC 8259 is expected",
            Self::DuplicateKey => "each key may occur once",
            Self::Nul => "strings and keys may hold any character but U+0000",
            Self::TooDeep => "objects and lists may be nested 64 deep",
            Self::NumberRange => "at most 400 digits and exponents from -400 to 400 are accepted",
            Self::Encoding => "UTF-8 is expected, and surrogates escaped in pairs",
            Self::TooManyFields => "at most 10000 are accepted",
            Self::Multipart => "parts as of RFC 7578 and a closing boundary are expected",
            Self::File => "only text fields are accepted",
            Self::BadName => "names like user[tags][] are expected",
        }
    }
}

impl DecodeError {
    /// Creates an error without a location.
    #[must_use]
    pub fn new(kind: DecodeErrorKind) -> Self {
        let detail = Cow::Borrowed(kind.detail());
        Self { kind, line: None, column: None, pointer: None, detail }
    }

    fn with_pointer(mut self, pointer: String) -> Self {
        // The empty pointer is the whole document, which adds no information.
        self.pointer = (!pointer.is_empty()).then_some(pointer);
        self
    }
}

/// Appends a key to a JSON pointer: escaped as in RFC 6901 section 3, truncated, and without
/// control characters, so that it cannot break a log line.
fn push_segment(pointer: &mut String, key: &str) {
    const MAX_SEGMENT_CHARS: usize = 64;
    pointer.push('/');
    let cut = key.char_indices().nth(MAX_SEGMENT_CHARS).is_some();
    for character in key.chars().take(if cut { MAX_SEGMENT_CHARS - 1 } else { MAX_SEGMENT_CHARS }) {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            control if control.is_control() => pointer.push(char::REPLACEMENT_CHARACTER),
            other => pointer.push(other),
        }
    }
    if cut {
        pointer.push('…');
    }
}

/// Formats the location of an error for the middle of its message.
fn location(line: Option<usize>, column: Option<usize>, pointer: Option<&str>) -> String {
    let mut location = String::new();
    if let Some(line) = line {
        location.push_str(&format!(" at line {line}"));
    }
    if let Some(column) = column {
        location.push_str(&format!(", column {column}"));
    }
    if let Some(pointer) = pointer {
        location.push_str(&format!(" in {pointer}"));
    }
    location
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_message_has_location_pointer_and_detail() {
        let mut error = DecodeError::new(DecodeErrorKind::DuplicateKey);
        assert_eq!(error.to_string(), "duplicate key in an object: each key may occur once");
        error.line = Some(3);
        error.column = Some(7);
        assert_eq!(
            error.with_pointer("/form/email".to_owned()).to_string(),
            "duplicate key in an object at line 3, column 7 in /form/email: \
             each key may occur once"
        );
    }

    #[test]
    fn pointer_segments_are_escaped_and_truncated() {
        let mut pointer = String::new();
        push_segment(&mut pointer, "a/b~c\n");
        push_segment(&mut pointer, &"é".repeat(64));
        push_segment(&mut pointer, &"é".repeat(65));
        let (complete, truncated) = ("é".repeat(64), "é".repeat(63));
        assert_eq!(pointer, format!("/a~1b~0c\u{fffd}/{complete}/{truncated}…"));
    }

    #[test]
    fn error_details_state_the_limits() {
        assert!(DecodeErrorKind::TooDeep.detail().contains(&MAX_DEPTH.to_string()));
        let pairs = brackets::MAX_PAIRS.to_string();
        assert!(DecodeErrorKind::TooManyFields.detail().contains(&pairs));
        let digits = registrar_core::decimal::MAX_DIGITS.to_string();
        assert!(DecodeErrorKind::NumberRange.detail().contains(&digits));
    }
}
