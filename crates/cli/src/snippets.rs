//! Renders problems with their line of the configuration file, the location underlined.

use std::collections::HashMap;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use registrar_core::config::Problem;

use crate::finding::{Finding, Severity};

/// Maximum length of a label beside the underlined token; a longer one becomes a note below.
const MAX_LABEL_LEN: usize = 60;

/// Renders findings as annotated snippets, separated by empty lines.
pub(crate) fn render(findings: &[Finding], has_colours: bool) -> String {
    let renderer = if has_colours { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let mut files: HashMap<&str, Option<String>> = HashMap::new();
    let reports = findings.iter().map(|(severity, problem)| {
        let source = files
            .entry(&problem.file)
            .or_insert_with(|| std::fs::read_to_string(&*problem.file).ok());
        renderer.render(&[group(*severity, problem, source.as_deref())])
    });
    reports.collect::<Vec<_>>().join("\n\n")
}

fn group<'f>(severity: Severity, problem: &'f Problem, source: Option<&'f str>) -> Group<'f> {
    let level = match severity {
        Severity::Note => Level::NOTE,
        Severity::Error => Level::ERROR,
    };
    let title = level.primary_title(problem.what.as_str()).id(problem.code.as_str());
    let expected = Some(&problem.expected).filter(|expected| !expected.is_empty());
    let expected = expected.map(|expected| format!("expected {expected}"));
    let (line, column) = (number(problem.location.line), number(problem.location.column));
    let (label, note) = match expected {
        Some(text) if text.len() > MAX_LABEL_LEN => (None, Some(text)),
        text => (text, None),
    };
    let group = match source.and_then(|source| Some((source, span(source, line, column)?))) {
        Some((source, span)) => {
            let annotation = AnnotationKind::Primary.span(span).label(label);
            title.element(Snippet::source(source).path(&*problem.file).annotation(annotation))
        }
        None => {
            let origin = Origin::path(&*problem.file).line(line).char_column(column);
            title.element(origin).elements(label.map(|label| Level::NOTE.message(label)))
        }
    };
    let hint = problem.hint.as_deref().map(|hint| Level::HELP.message(hint));
    group.elements(note.map(|note| Level::NOTE.message(note))).elements(hint)
}

fn number(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Returns the byte range of the key or value at a location, or `None` if the location does not exist.
fn span(source: &str, line: usize, column: usize) -> Option<Range<usize>> {
    let mut lines = source.split_inclusive('\n');
    let start: usize = lines.by_ref().take(line.checked_sub(1)?).map(str::len).sum();
    let text = lines.next().unwrap_or_default().trim_end_matches(['\n', '\r']);
    let index = text.char_indices().map(|(index, _)| index).chain([text.len()]);
    let index = index.into_iter().nth(column.checked_sub(1)?)?;
    let length = token_len(&text[index..]);
    Some(start + index..start + index + length)
}

/// Returns the length of the YAML scalar, key or delimiter at the start of a text.
fn token_len(text: &str) -> usize {
    let first = text.chars().next();
    let end = match first {
        Some(quote @ ('"' | '\'')) => text[1..].find(quote).map(|end| end + 2),
        Some('{' | '[' | '-') => Some(1),
        _ => [": ", ", ", " #", "}", "]"].iter().filter_map(|end| text.find(end)).min(),
    };
    let text = text.get(..end.unwrap_or(text.len())).unwrap_or(text).trim_end();
    text.strip_suffix(':').unwrap_or(text).len().max(first.map_or(0, char::len_utf8))
}

#[cfg(test)]
mod tests {
    use super::{span, token_len};

    #[test]
    fn token_at_the_location_is_underlined() {
        for (text, token) in [
            ("lenght: {maximum: 3}}", "lenght"),
            ("emial:", "emial"),
            ("\"a: b\": 1", "\"a: b\""),
            ("User # a comment", "User"),
            ("{a: 1}", "{"),
            ("x}", "x"),
            ("- a", "-"),
            ("", ""),
        ] {
            assert_eq!(&text[..token_len(text)], token, "{text}");
        }
        let source = "a: 1\r\nä: [ö, x]\n";
        assert_eq!(span(source, 2, 5).map(|span| &source[span]), Some("ö"));
        assert_eq!(span(source, 3, 1), Some(source.len()..source.len()));
        assert_eq!(span(source, 1, 9), None);
    }
}
