//! What a route makes: credentials, and letters of chance.

use super::expressions::Expressions;
use super::id::CodeFormat;
use super::scope::Expr;
use crate::config::{Data, Node, ProblemCode, Reader};

/// A credential to be made.
#[derive(Debug)]
pub struct IssueToken {
    /// How it is spelled; as Registrar's own tokens where nothing is said.
    pub(crate) format: Option<CodeFormat>,
    /// How long it counts, in seconds.
    pub expires_in: u32,
    /// The token that is shown for it; where there is none, a user's password is.
    pub(crate) secret: Option<Expr>,
    /// The name of that token, where it must be said too.
    pub(crate) name: Option<Expr>,
}

/// What is made of chance, by name.
pub(super) fn read_generated(reader: &mut Reader<'_>, node: &Node) -> Vec<(Box<str>, CodeFormat)> {
    let mut generated = Vec::new();
    let Some(entry) = node.get("generate") else { return generated };
    for entry in reader.map(&entry.value, "generate") {
        let letters = code_format(reader, &entry.value, &entry.key);
        generated.extend(letters.map(|letters| (entry.key.as_str().into(), letters)));
    }
    generated
}

fn code_format(reader: &mut Reader<'_>, node: &Node, key: &str) -> Option<CodeFormat> {
    let text = reader.text(node, key)?;
    let letters = CodeFormat::parse(text);
    if letters.is_none() {
        let what = format!("`{text}` are no letters");
        let expected = "so many of an alphabet: `hex(40)`, `base62(43)`, `base36(25)`";
        reader.problems.add(ProblemCode::BadOption, node.place, what, expected, None);
    }
    letters
}

impl IssueToken {
    /// How the credential is spelled; as Registrar's own tokens where nothing is said.
    #[must_use]
    pub fn code_format(&self) -> Option<CodeFormat> {
        self.format
    }

    pub(super) fn read(
        reader: &mut Reader<'_>,
        node: &Node,
        expressions: &Expressions<'_>,
    ) -> Option<Self> {
        let mut mint = Self { format: None, expires_in: 3600, secret: None, name: None };
        for entry in reader.map(node, "issue_token") {
            let value = &entry.value;
            match entry.key.as_str() {
                "format" => mint.format = code_format(reader, value, "format"),
                "secret" => mint.secret = expressions.condition(reader, value, "secret", &[]),
                "name" => mint.name = expressions.condition(reader, value, "name", &[]),
                "expires_in" => {
                    if let Data::Number(text) = &value.data
                        && let Ok(seconds) = text.parse()
                    {
                        mint.expires_in = seconds;
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
        Some(mint)
    }
}
