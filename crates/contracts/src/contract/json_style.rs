//! JSON styles: compact, or as Python writes it by default.

use super::error::ContractError;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};

/// A style of writing JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum JsonStyle {
    /// Without spaces.
    #[default]
    Compact,
    /// With a space after each comma and colon, and ASCII only. Source: Python, `json.dumps`.
    Python,
}

impl JsonStyle {
    pub(crate) fn comma(self) -> &'static str {
        if self == Self::Python { ", " } else { "," }
    }

    pub(crate) fn colon(self) -> &'static str {
        if self == Self::Python { ": " } else { ":" }
    }
}

/// Writes a value as Python does.
pub(crate) fn write_as_python(
    value: &impl Serialize,
    out: &mut Vec<u8>,
) -> Result<(), ContractError> {
    let mut serializer = Serializer::with_formatter(out, PythonFormatter);
    Ok(value.serialize(&mut serializer)?)
}

struct PythonFormatter;

impl Formatter for PythonFormatter {
    fn begin_array_value<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { to.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { to.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        to.write_all(b": ")
    }

    fn write_char_escape<W: ?Sized + Write>(
        &mut self,
        to: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        // Other characters outside ASCII are escaped in `write_string_fragment`.
        serde_json::ser::CompactFormatter.write_char_escape(to, escape)
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        to: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if fragment.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return to.write_all(fragment.as_bytes());
        }
        for letter in fragment.chars() {
            if (' '..='~').contains(&letter) {
                to.write_all(&[letter as u8])?;
            } else {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    write!(to, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::write_as_python;

    #[test]
    fn matches_python_json_dumps() {
        let value = serde_json::json!({"a": [1, "\u{e9}\u{1f600}\u{7f}\n\"\\"], "b": {}});
        let mut out = Vec::new();
        write_as_python(&value, &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"a": [1, "\u00e9\ud83d\ude00\u007f\n\"\\"], "b": {}}"#
        );
    }
}
