//! Compares output with the documentation, where `…` stands for any text.

/// Returns whether the lines match. A line that is `…` stands for any number of lines, `…` within a
/// line for any text.
pub(super) fn matches(expected: &[String], actual: &[&str]) -> bool {
    match expected.split_first() {
        None => actual.iter().all(|line| line.trim().is_empty()),
        Some((any, rest)) if any.trim() == "…" => {
            (0..=actual.len()).any(|skipped| matches(rest, &actual[skipped..]))
        }
        Some((line, rest)) => actual.split_first().is_some_and(|(first, following)| {
            line_matches(line.trim_end(), first.trim_end()) && matches(rest, following)
        }),
    }
}

fn line_matches(expected: &str, actual: &str) -> bool {
    let Some((start, rest)) = expected.split_once('…') else { return expected == actual };
    let Some(mut actual) = actual.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('…').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        match actual.split_once(part) {
            Some((_, following)) => actual = following,
            None => return false,
        }
    }
    actual.ends_with(end)
}

#[test]
fn ellipses_stand_for_text_and_lines() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let ok = |expected: &str, actual: &str| {
        matches(&lines(expected), &actual.lines().collect::<Vec<_>>())
    };
    assert!(ok("a\n…\nd", "a\nb\nc\nd"));
    assert!(ok("a\n…", "a"));
    assert!(ok("{\"id\":…,\"x\":[…]}", "{\"id\":12,\"x\":[1,2]}"));
    assert!(!ok("{\"id\":…,\"x\":1}", "{\"id\":12,\"x\":2}"));
    assert!(!ok("a", "a\nb"));
    assert!(!ok("a\nb", "a"));
}
