//! Output formats of `registrar check`: text, JSON, GitHub workflow commands and SARIF 2.1.0
//! (docs.oasis-open.org/sarif/sarif/v2.1.0).

use std::io::IsTerminal as _;

use clap::ValueEnum;
use registrar_core::config::{Problem, ProblemCode};
use serde_json::{Value, json};

use crate::finding::{Finding, Severity};
use crate::snippets;

/// Output format of `check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Problems with the underlined line of the file
    Text,
    /// One line per problem: `file:line:column: [kind] what; expected …; hint`
    Short,
    /// JSON object
    Json,
    /// Workflow commands of GitHub Actions, shown as annotations
    Github,
    /// SARIF 2.1.0 for code scanning
    Sarif,
}

/// Number of checked forms and examples.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CheckStats {
    pub(crate) forms: usize,
    pub(crate) examples: usize,
}

/// Renders a report. It is empty if there are no findings, except for JSON and SARIF.
pub(crate) fn render(format: Format, findings: &[Finding], stats: CheckStats) -> String {
    match format {
        Format::Text => snippets::render(findings, has_colours()),
        Format::Short => lines(findings, |(_, problem)| problem.to_string()),
        Format::Github => lines(findings, github),
        Format::Json => pretty(&json!({
            "forms": stats.forms,
            "examples": stats.examples,
            "findings": findings.iter().map(object).collect::<Vec<_>>(),
        })),
        Format::Sarif => pretty(&sarif(findings)),
    }
}

/// Returns whether standard output is a terminal and `NO_COLOR` is not set (no-color.org).
fn has_colours() -> bool {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !no_color && std::io::stdout().is_terminal()
}

fn lines(findings: &[Finding], line: impl Fn(&Finding) -> String) -> String {
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

fn object((severity, problem): &Finding) -> Value {
    let mut object = json!({
        "file": *problem.file,
        "line": problem.location.line,
        "column": problem.location.column,
        "level": level(*severity),
        "kind": problem.code.as_str(),
        "message": problem.what,
        "expected": problem.expected,
    });
    if let Some(hint) = &problem.hint {
        object["hint"] = json!(hint);
    }
    object
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Error => "error",
    }
}

/// Returns the description of a problem without its location.
fn message(problem: &Problem) -> String {
    let mut message = problem.what.clone();
    if !problem.expected.is_empty() {
        message += &format!("; expected {}", problem.expected);
    }
    if let Some(hint) = &problem.hint {
        message += &format!("; {hint}");
    }
    message
}

/// Source: docs.github.com, "Workflow commands for GitHub Actions".
fn github((severity, problem): &Finding) -> String {
    let command = if *severity == Severity::Note { "notice" } else { "error" };
    let escape = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| escape(text).replace(':', "%3A").replace(',', "%2C");
    format!(
        "::{command} file={},line={},col={},title={}::{}",
        property(&problem.file),
        problem.location.line,
        problem.location.column,
        property(problem.code.as_str()),
        escape(&message(problem)),
    )
}

fn sarif(findings: &[Finding]) -> Value {
    let rules: Vec<Value> = ProblemCode::ALL
        .iter()
        .map(|code| {
            json!({
                "id": code.as_str(),
                "shortDescription": { "text": code.summary() },
                "help": { "text": code.page(), "markdown": code.page() },
            })
        })
        .collect();
    let results: Vec<Value> = findings
        .iter()
        .map(|(severity, problem)| {
            let (line, column) = (problem.location.line, problem.location.column);
            json!({
                "ruleId": problem.code.as_str(),
                "level": level(*severity),
                "message": { "text": message(problem) },
                "locations": [{
                    "physicalLocation": {
                        "artifactLocation": { "uri": problem.file.replace('\\', "/") },
                        "region": { "startLine": line, "startColumn": column },
                    },
                }],
            })
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "registrar",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}
