//! Files of recorded answers: a line of JSON for each request with its answer.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;

/// A request, and the answer that was seen.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exchange {
    name: Option<String>,
    pub(crate) request: Request,
    pub(crate) answer: Answer,
    /// More keys whose values differ from time to time.
    #[serde(default)]
    pub(crate) mask: Vec<String>,
    /// What later lines call `{{name}}`, by a JSON pointer into the answer that comes.
    #[serde(default)]
    pub(crate) capture: BTreeMap<String, String>,
    /// Where it stands: `file:line`.
    #[serde(skip)]
    pub(crate) place: String,
}

/// What is sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Behind the contract's mount.
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// The text as it is sent.
    pub(crate) body: Option<String>,
}

/// What must come.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Those that are compared; an empty text means that there is none of this name.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Option<String>,
}

impl Exchange {
    /// What it is called, else what it asks.
    pub(crate) fn name(&self) -> String {
        let Request { method, path, .. } = &self.request;
        self.name.clone().unwrap_or_else(|| format!("{method} {path}"))
    }
}

/// Reads a file. Empty lines count as lines only.
///
/// # Errors
/// Where it cannot be read, or a line of it is none: `file:line: why`.
pub(crate) fn read(file: &Path) -> Result<Vec<Exchange>, String> {
    let shown = file.display();
    let text =
        std::fs::read_to_string(file).map_err(|error| format!("cannot read {shown}: {error}"))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let exchanges = lines.map(|(index, line)| {
        let place = format!("{shown}:{}", index + 1);
        match serde_json::from_str::<Exchange>(line) {
            Ok(exchange) => Ok(Exchange { place, ..exchange }),
            Err(error) => Err(format!("{place}: {}", told(&error))),
        }
    });
    exchanges.collect()
}

/// What is wrong with a line, with the column alone: its line is that of the file.
fn told(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let mut told = text.split(" at line ").next().unwrap_or(&text).to_owned();
    let _ = write!(told, " at column {}", error.column());
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_none_is_told_by_its_column() {
        for (line, expected) in [
            ("{", "EOF while parsing an object at column 1"),
            (
                r#"{"request": 1}"#,
                "invalid type: integer `1`, expected struct Request at column 13",
            ),
            (
                r#"{"asked": 1}"#,
                "unknown field `asked`, expected one of `name`, `request`, `answer`, `mask`, `capture` at column 8",
            ),
        ] {
            assert_eq!(told(&serde_json::from_str::<Exchange>(line).unwrap_err()), expected);
        }
    }
}
