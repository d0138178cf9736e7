//! Compiles patterns in Ruby's syntax to regular expressions that match in linear time.
//!
//! `\Z`, `\h` and `\H` are translated. `^` and `$` without `multiline`, look-around and
//! back-references are rejected with a hint. Source: Ruby's `Regexp`; Rails rejects `^` and `$`
//! too, as they match at lines (Rails Security Guide, "Regular Expressions").

use regex::{Regex, RegexBuilder};

use crate::config::{Location, ProblemCode, Reader};

/// Maximum size of a compiled pattern in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// Compiles a pattern, or reports a problem and returns `None`.
pub(super) fn compile_pattern(
    reader: &mut Reader<'_>,
    pattern: &str,
    location: Location,
    multiline: bool,
) -> Option<Regex> {
    let mut refuse = |what: String, expected: &str, hint: Option<String>| {
        reader.problems.add(ProblemCode::BadPattern, location, what, expected, hint);
        None
    };
    let (translated, anchors) = translate(pattern);
    if let Some(anchor) = anchors.filter(|_| !multiline) {
        return refuse(
            format!("`{anchor}` in `{pattern}` matches at line ends, not only at string ends"),
            "`\\A` and `\\z`, or `multiline: true`",
            Some(format!("did you mean `{}`?", whole_text(pattern))),
        );
    }
    if let Some(what) = beyond_linear_time(pattern) {
        return refuse(
            format!("`{pattern}` uses {what}, which cannot be matched in linear time"),
            "a pattern without look-around and back-references",
            None,
        );
    }
    match RegexBuilder::new(&translated).multi_line(multiline).size_limit(SIZE_LIMIT).build() {
        Ok(regex) => Some(regex),
        Err(error) => {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
            refuse(format!("`{pattern}` is not a pattern: {reason}"), "a regular expression", None)
        }
    }
}

/// Returns the pattern in the syntax of the crate `regex`, and the first `^` or `$` in it that is
/// an anchor.
fn translate(pattern: &str) -> (String, Option<char>) {
    let mut out = String::with_capacity(pattern.len());
    let mut anchor = None;
    let mut class_depth = 0_usize;
    let mut at_class_start = false;
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        let was_class_start = std::mem::take(&mut at_class_start);
        match character {
            '\\' => match characters.next() {
                Some('Z') if class_depth == 0 => out.push_str("(?:\\n?\\z)"),
                Some('h') if class_depth == 0 => out.push_str("[0-9a-fA-F]"),
                Some('h') => out.push_str("0-9a-fA-F"),
                Some('H') => out.push_str("[^0-9a-fA-F]"),
                // Ruby allows any punctuation to be escaped; `regex` rejects needless escapes.
                Some(
                    escaped @ ('"' | '\'' | ',' | ':' | ';' | '<' | '>' | '=' | '!' | '@' | '%'
                    | '`' | '/' | '_'),
                ) => {
                    out.push(escaped);
                }
                Some(escaped) => {
                    out.push('\\');
                    out.push(escaped);
                }
                None => out.push('\\'),
            },
            '[' => {
                class_depth += 1;
                at_class_start = true;
                out.push('[');
            }
            ']' if class_depth > 0 && !was_class_start => {
                class_depth -= 1;
                out.push(']');
            }
            '^' if class_depth > 0 => {
                at_class_start = was_class_start;
                out.push('^');
            }
            '^' | '$' if class_depth == 0 => {
                anchor.get_or_insert(character);
                out.push(character);
            }
            character => out.push(character),
        }
    }
    (out, anchor)
}

fn beyond_linear_time(pattern: &str) -> Option<&'static str> {
    let look_around = ["(?=", "(?!", "(?<=", "(?<!", "(?>"];
    if look_around.iter().any(|group| pattern.contains(group)) {
        return Some("look-around");
    }
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if character == '\\' && matches!(characters.next(), Some('1'..='9' | 'k' | 'g')) {
            return Some("a back-reference");
        }
    }
    None
}

/// Returns the likely intended pattern: with `\A` and `\z` in place of `^` and `$`.
fn whole_text(pattern: &str) -> String {
    let start =
        pattern.strip_prefix('^').map_or_else(|| pattern.to_owned(), |rest| format!("\\A{rest}"));
    match start.strip_suffix('$') {
        Some(rest) if !rest.ends_with('\\') => format!("{rest}\\z"),
        _ => start,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Problems;

    fn compile(pattern: &str, multiline: bool) -> Result<Regex, String> {
        let mut problems = Problems::new("a.yml".into());
        let regex = compile_pattern(
            &mut Reader { problems: &mut problems },
            pattern,
            Location::START,
            multiline,
        );
        regex.ok_or_else(|| problems.into_vec().remove(0).to_string())
    }

    #[test]
    fn translates_ruby_regex_syntax() {
        for (pattern, matching, non_matching) in [
            (r"\Aa\z", "a", "a\n"),
            (r"\Aa\Z", "a\n", "a\n\n"),
            (r"\A\h{2}\z", "fF", "fg"),
            (r"\A[\h-]+\z", "a-f", "a_g"),
            (r"\A[^\]$^]+\z", "ab", "a$"),
            (r"\A[]a]\z", "]", "b"),
            (r"\A[[:alpha:]]+\z", "ab", "a1"),
            (r"\A\$\d+\z", "$5", "5"),
            (r"\Ahttps?:\/\/\w+\z", "http://a", "http:a"),
        ] {
            let regex = compile(pattern, false).unwrap();
            assert!(regex.is_match(matching), "{pattern} should match {matching:?}");
            assert!(!regex.is_match(non_matching), "{pattern} should not match {non_matching:?}");
        }
    }

    #[test]
    fn line_anchors_are_rejected_with_a_suggestion() {
        let problem = compile(r"^\d+$", false).unwrap_err();
        assert!(problem.contains(r"did you mean `\A\d+\z`?"), "{problem}");
        assert!(compile(r"^\d+$", true).unwrap().is_match("a\n12\nb"));
    }

    #[test]
    fn backtracking_patterns_are_rejected() {
        for pattern in [r"(?=a)b", r"(a)\1", r"(?<!a)b", r"(?<n>a)\k<n>"] {
            assert!(compile(pattern, false).unwrap_err().contains("linear time"), "{pattern}");
        }
        assert!(compile(r"(?<n>a)b", false).is_ok());
    }

    #[test]
    fn oversized_and_malformed_patterns_are_rejected() {
        assert!(compile(r"(\w{1000}){1000}", false).is_err());
        assert!(compile(r"a(", false).unwrap_err().contains("unclosed group"));
    }
}
