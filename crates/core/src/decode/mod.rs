//! Decoders: the bytes of a body to one [`Value`](crate::value::Value), or one clear refusal.
//!
//! They know formats and nothing of forms: which keys are known and which types they have is the
//! shaper's question. How large a body may be is the server's.

pub mod brackets;
mod entries;
pub mod json;
mod trace;

use std::borrow::Cow;

/// How many objects and lists may stand inside one another, the outermost counted.
pub const MAX_DEPTH: usize = 64;

/// Why a body was refused, and where. The text names keys and places, never a submitted value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}{}: {detail}", place(*.line, *.column, .pointer.as_deref()))]
pub struct DecodeError {
    /// What was wrong.
    pub kind: DecodeErrorKind,
    /// The line, from 1; of JSON only.
    pub line: Option<usize>,
    /// The column, from 1, in bytes; of JSON only. It may point one past the cause.
    pub column: Option<usize>,
    /// The JSON pointer (RFC 6901) of the value at fault, or of the place where one was expected.
    /// Keys in it are cut to 64 characters, and control characters in them replaced.
    pub pointer: Option<String>,
    /// What was expected there, as a phrase.
    pub detail: Cow<'static, str>,
}

/// The kinds of refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum DecodeErrorKind {
    /// Nothing but whitespace came.
    #[error("the body is empty")]
    Empty,
    /// The text breaks the grammar of its format.
    #[error("the body is not valid JSON")]
    Syntax,
    /// A key stands twice in one object.
    #[error("a key stands twice in one object")]
    DuplicateKey,
    /// U+0000, which databases cannot store.
    #[error("a NUL character")]
    Nul,
    /// Objects and lists are nested deeper than [`MAX_DEPTH`].
    #[error("nested too deeply")]
    TooDeep,
    /// A number beyond the bounds of [`Decimal`](crate::decimal::Decimal).
    #[error("a number out of range")]
    NumberRange,
    /// The bytes, or the escapes, are not Unicode text.
    #[error("the text is not valid Unicode")]
    Encoding,
    /// More than [`brackets::MAX_PAIRS`] form fields.
    #[error("too many form fields")]
    TooManyFields,
    /// The body is no `multipart/form-data`, or breaks off.
    #[error("the body is not valid multipart/form-data")]
    Multipart,
    /// A part that is a file.
    #[error("a file")]
    File,
    /// The name of a form field that cannot be read, or that conflicts with an earlier one.
    #[error("a form field has a bad name")]
    BadName,
}

impl DecodeErrorKind {
    /// What is expected where this kind is found.
    fn detail(self) -> &'static str {
        match self {
            Self::Empty => "a JSON document is expected",
            Self::Syntax => "JSON as of RFC 8259 is expected",
            Self::DuplicateKey => "each key may stand once",
            Self::Nul => "strings and keys may hold any character but U+0000",
            Self::TooDeep => "objects and lists may be nested 64 deep",
            Self::NumberRange => "at most 400 digits and exponents from -400 to 400 are accepted",
            Self::Encoding => "UTF-8 is expected, and surrogates escaped in pairs",
            Self::TooManyFields => "at most 10000 are accepted",
            Self::Multipart => "parts of RFC 7578 are expected, and the last boundary at the end",
            Self::File => "fields alone are expected: files are kept elsewhere",
            Self::BadName => "names like user[tags][] are expected",
        }
    }
}

impl DecodeError {
    /// A refusal of this kind, with no place.
    #[must_use]
    pub fn new(kind: DecodeErrorKind) -> Self {
        let detail = Cow::Borrowed(kind.detail());
        Self { kind, line: None, column: None, pointer: None, detail }
    }

    fn with_pointer(mut self, pointer: String) -> Self {
        // The empty pointer means the whole document, which says nothing.
        self.pointer = (!pointer.is_empty()).then_some(pointer);
        self
    }
}

/// Adds a key to a pointer: escaped as RFC 6901 section 3 says, cut where it is long, and without
/// control characters, so that it cannot break a line of a log.
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

/// Where an error is, as the middle of its text.
fn place(line: Option<usize>, column: Option<usize>, pointer: Option<&str>) -> String {
    let mut place = String::new();
    if let Some(line) = line {
        place.push_str(&format!(" at line {line}"));
    }
    if let Some(column) = column {
        place.push_str(&format!(", column {column}"));
    }
    if let Some(pointer) = pointer {
        place.push_str(&format!(" in {pointer}"));
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_says_what_where_and_what_was_expected() {
        let mut error = DecodeError::new(DecodeErrorKind::DuplicateKey);
        assert_eq!(error.to_string(), "a key stands twice in one object: each key may stand once");
        error.line = Some(3);
        error.column = Some(7);
        assert_eq!(
            error.with_pointer("/form/email".to_owned()).to_string(),
            "a key stands twice in one object at line 3, column 7 in /form/email: \
             each key may stand once"
        );
    }

    #[test]
    fn segments_are_escaped_cut_and_of_one_line() {
        let mut pointer = String::new();
        push_segment(&mut pointer, "a/b~c\n");
        push_segment(&mut pointer, &"é".repeat(64));
        push_segment(&mut pointer, &"é".repeat(65));
        let (whole, cut) = ("é".repeat(64), "é".repeat(63));
        assert_eq!(pointer, format!("/a~1b~0c\u{fffd}/{whole}/{cut}…"));
    }

    #[test]
    fn the_texts_name_the_bounds_there_are() {
        assert!(DecodeErrorKind::TooDeep.detail().contains(&MAX_DEPTH.to_string()));
        let pairs = brackets::MAX_PAIRS.to_string();
        assert!(DecodeErrorKind::TooManyFields.detail().contains(&pairs));
        let digits = crate::decimal::MAX_DIGITS.to_string();
        assert!(DecodeErrorKind::NumberRange.detail().contains(&digits));
    }
}
