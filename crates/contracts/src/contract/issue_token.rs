//! Tokens that a route issues, and random strings that it generates.

use super::expressions::Expressions;
use super::scope::Expr;
use registrar_core::config::{Data, Node, ProblemCode, Reader};
use registrar_core::id_format::CodeFormat;

/// Options of a token to issue.
#[derive(Debug)]
pub struct IssueToken {
    /// Format; that of Registrar's own tokens if `None`.
    pub(crate) format: Option<CodeFormat>,
    /// Lifetime in seconds.
    pub expires_in: u32,
    /// Expression for the token that the caller presents; if `None`, the caller presents a user's
    /// password.
    pub(crate) secret: Option<Expr>,
    /// Expression for the name of that token, if it must match too.
    pub(crate) name: Option<Expr>,
}

/// Reads `generate`: random strings by name.
pub(super) fn read_generated(reader: &mut Reader<'_>, node: &Node) -> Vec<(Box<str>, CodeFormat)> {
    let mut generated = Vec::new();
    let Some(entry) = node.get("generate") else { return generated };
    for entry in reader.map(&entry.value, "generate") {
        let format = code_format(reader, &entry.value, &entry.key);
        generated.extend(format.map(|format| (entry.key.as_str().into(), format)));
    }
    generated
}

fn code_format(reader: &mut Reader<'_>, node: &Node, key: &str) -> Option<CodeFormat> {
    let text = reader.text(node, key)?;
    let format = CodeFormat::parse(text);
    if format.is_none() {
        let what = format!("`{text}` is not a string format");
        let expected = "an alphabet and a length: `hex(40)`, `base62(43)`, `base36(25)`";
        reader.problems.add(ProblemCode::BadOption, node.location, what, expected, None);
    }
    format
}

impl IssueToken {
    /// Returns the format of the token, or `None` for that of Registrar's own tokens.
    #[must_use]
    pub fn code_format(&self) -> Option<CodeFormat> {
        self.format
    }

    /// Reads `issue_token: {expires_in: 3600, format: hex(40)}`.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        node: &Node,
        expressions: &Expressions<'_>,
    ) -> Option<Self> {
        let mut token = Self { format: None, expires_in: 3600, secret: None, name: None };
        for entry in reader.map(node, "issue_token") {
            let value = &entry.value;
            match entry.key.as_str() {
                "format" => token.format = code_format(reader, value, "format"),
                "secret" => token.secret = expressions.condition(reader, value, "secret", &[]),
                "name" => token.name = expressions.condition(reader, value, "name", &[]),
                "expires_in" => {
                    if let Data::Number(text) = &value.data
                        && let Ok(seconds) = text.parse()
                    {
                        token.expires_in = seconds;
                    } else {
                        reader.wrong_shape(value, "expires_in", "a number of seconds");
                    }
                }
                _ => {
                    let keys = ["format", "expires_in", "secret", "name"];
                    reader.unknown_key(entry, "`issue_token`", &keys);
                }
            }
        }
        Some(token)
    }
}
