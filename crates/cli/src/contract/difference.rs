//! Differences between a response and the recorded one.

/// Number of characters shown on either side of a difference.
const CONTEXT: usize = 40;

/// Describes the first difference of two bodies, or returns `None` if they are equal.
pub(crate) fn bodies(expected: &str, found: &str) -> Option<String> {
    if expected == found {
        return None;
    }
    let same = expected.chars().zip(found.chars()).take_while(|(one, other)| one == other).count();
    Some(format!(
        "  body at character {}\n    recorded {}\n    answered {}",
        same + 1,
        excerpt(expected, same),
        excerpt(found, same)
    ))
}

/// Returns the characters excerpt a position, with `…` where the text is cut.
fn excerpt(text: &str, at: usize) -> String {
    let start = at.saturating_sub(CONTEXT);
    let length = text.chars().count();
    let context: String = text.chars().skip(start).take(at - start + CONTEXT).collect();
    let before = if start > 0 { "…" } else { "" };
    let behind = if at + CONTEXT < length { "…" } else { "" };
    format!("{before}{}{behind}", context.escape_debug().to_string().replace("\\\"", "\""))
}

/// Describes the difference of two values, or returns `None` if they are equal.
pub(crate) fn values(what: &str, expected: &str, found: &str) -> Option<String> {
    let display = |value| if str::is_empty(value) { "nothing" } else { value };
    let description =
        || format!("  {what}: recorded {}, answered {}", display(expected), display(found));
    (expected != found).then(description)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_difference_is_shown_with_its_context() {
        assert_eq!(bodies("same", "same"), None);
        assert_eq!(
            bodies(r#"{"ä":1}"#, r#"{"ä":2}"#).unwrap(),
            "  body at character 6\n    recorded {\"ä\":1}\n    answered {\"ä\":2}"
        );
        let long = "x".repeat(100);
        let difference = bodies(&format!("{long}\n"), &format!("{long}y{long}")).unwrap();
        let (x, y) = ("x".repeat(40), "x".repeat(39));
        let expected = format!("    recorded …{x}\\n\n    answered …{x}y{y}…");
        assert_eq!(difference, format!("  body at character 101\n{expected}"));
        assert_eq!(values("status", "1", "1"), None);
        assert_eq!(values("status", "1", "2").unwrap(), "  status: recorded 1, answered 2");
        assert_eq!(values("Allow", "", "x").unwrap(), "  Allow: recorded nothing, answered x");
    }
}
