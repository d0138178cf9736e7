//! Recorded exchanges: one JSON object per line, a request with its response.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;

/// A request and the recorded response.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exchange {
    name: Option<String>,
    pub(crate) request: Request,
    pub(crate) answer: RecordedResponse,
    /// Additional keys with volatile values.
    #[serde(default)]
    pub(crate) mask: Vec<String>,
    /// Variables captured from the response, by JSON pointer; later lines use them as `{{name}}`.
    #[serde(default)]
    pub(crate) capture: BTreeMap<String, String>,
    /// `file:line` of the exchange.
    #[serde(skip)]
    pub(crate) location: String,
}

/// A request to send.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path below the mount of the contract.
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// Body, verbatim.
    pub(crate) body: Option<String>,
}

/// The expected response.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordedResponse {
    pub(crate) status: u16,
    /// Headers to compare; an empty value means that the header must be absent.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Option<String>,
}

impl Exchange {
    /// Returns the name of the exchange, by default its method and path.
    pub(crate) fn name(&self) -> String {
        let Request { method, path, .. } = &self.request;
        self.name.clone().unwrap_or_else(|| format!("{method} {path}"))
    }
}

/// Reads a file of exchanges. Empty lines are skipped.
///
/// # Errors
/// Returns `file:line: cause` if the file cannot be read or a line is invalid.
pub(crate) fn read(file: &Path) -> Result<Vec<Exchange>, String> {
    let path = file.display();
    let text =
        std::fs::read_to_string(file).map_err(|error| format!("cannot read {path}: {error}"))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let exchanges = lines.map(|(index, line)| {
        let location = format!("{path}:{}", index + 1);
        match serde_json::from_str::<Exchange>(line) {
            Ok(exchange) => Ok(Exchange { location, ..exchange }),
            Err(error) => Err(format!("{location}: {}", message(&error))),
        }
    });
    exchanges.collect()
}

/// Returns the message of a JSON error with the column; the line is that of the file.
fn message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let mut message = text.split(" at line ").next().unwrap_or(&text).to_owned();
    let _ = write!(message, " at column {}", error.column());
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_line_is_reported_with_its_column() {
        for (line, expected) in [
            ("{", "EOF while parsing an object at column 1"),
            (
                r#"{"request": 1}"#,
                "invalid type: integer `1`, expected struct Request at column 13",
            ),
            (
                r#"{"query": 1}"#,
                "unknown field `query`, expected one of `name`, `request`, `answer`, `mask`, `capture` at column 8",
            ),
        ] {
            assert_eq!(message(&serde_json::from_str::<Exchange>(line).unwrap_err()), expected);
        }
    }
}
