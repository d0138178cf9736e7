//! Options and limits of the YAML parser. Without limits, a few lines of aliases exhaust memory,
//! and a few thousand brackets the stack.

use serde_yaml::Error;
use serde_yaml::budget::BudgetBreach;
use serde_yaml::options::DuplicateKeyPolicy;

/// Maximum number of values in a file, with aliases expanded.
const MAX_VALUES: usize = 100_000;
/// Maximum size of the keys and strings of a file in bytes, with aliases expanded.
const MAX_FILE_BYTES: usize = 4 << 20;
/// Maximum nesting depth of lists and mappings. A level takes 35 KB of stack in an unoptimised
/// build, and the thread that reloads forms has 2 MiB.
const MAX_DEPTH: usize = 32;
/// Maximum number of aliases in a file; beyond the first 100, ten for each anchor.
const MAX_ALIASES: usize = 1_000;

/// Returns the parser's options.
pub(super) fn options() -> serde_yaml::Options {
    serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_nodes: MAX_VALUES,
            max_events: 4 * MAX_VALUES,
            max_depth: MAX_DEPTH,
            max_total_scalar_bytes: MAX_FILE_BYTES,
            max_aliases: MAX_ALIASES,
            alias_anchor_min_aliases: 100,
            alias_anchor_ratio_multiplier: 10,
            max_documents: 1,
        },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        reject_unsupported_tags: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
    }
}

/// Describes an exceeded limit: what is wrong, and what is expected. Returns `None` for any other
/// error.
pub(super) fn describe(error: &Error) -> Option<(String, &'static str)> {
    let mut error = error;
    while let Error::AliasError { error: inner, .. } | Error::WithSnippet { error: inner, .. } =
        error
    {
        error = inner;
    }
    let Error::Budget { breach, .. } = error else { return None };
    Some(match breach {
        BudgetBreach::Nodes { .. } | BudgetBreach::Events { .. } => (
            format!("the file has more than {MAX_VALUES} values"),
            "fewer values; each alias counts with its expansion",
        ),
        BudgetBreach::ScalarBytes { .. } => (
            format!("the strings of the file exceed {} MiB", MAX_FILE_BYTES >> 20),
            "shorter strings; each alias counts with its expansion",
        ),
        BudgetBreach::Depth { .. } => {
            (format!("lists and mappings are nested more than {MAX_DEPTH} deep"), "fewer levels")
        }
        BudgetBreach::Documents { .. } => {
            ("a second document begins here".to_owned(), "one YAML document in a file")
        }
        BudgetBreach::Aliases { .. } | BudgetBreach::AliasAnchorRatio { .. } => (
            format!(
                "the file has more than {MAX_ALIASES} aliases, or more than ten for each anchor"
            ),
            "fewer aliases",
        ),
        _ => ("the file exceeds a limit of the YAML parser".to_owned(), "a smaller file"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Problems, parse};

    /// Returns the only problem of a file.
    fn problem(text: &str) -> String {
        let mut problems = Problems::new("a.yml".into());
        let tree = parse(text, &mut problems);
        let problems = problems.into_vec();
        assert!(tree.is_none() && problems.len() == 1, "{problems:?}");
        problems[0].to_string()
    }

    fn is_valid(text: &str) -> bool {
        let mut problems = Problems::new("a.yml".into());
        parse(text, &mut problems).is_some() && problems.is_empty()
    }

    fn aliases(count: usize) -> String {
        vec!["*a"; count].join(", ")
    }

    #[test]
    fn nested_alias_expansion_is_rejected() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        let problem = problem(&text);
        assert!(problem.starts_with("a.yml:5:"), "{problem}");
        assert!(problem.contains("[syntax] the file has more than 100000 values"), "{problem}");
    }

    #[test]
    fn alias_expansion_of_large_values_is_rejected() {
        let wide =
            |count| format!("a: &a [{}]\nb: [{}]\n", vec!["x"; 2_000].join(", "), aliases(count));
        assert!(is_valid(&wide(40)));
        assert!(problem(&wide(50)).contains("more than 100000 values"));
        let long = |count| format!("a: &a '{}'\nb: [{}]\n", "x".repeat(100_000), aliases(count));
        assert!(is_valid(&long(40)));
        let problem = problem(&long(41));
        assert!(problem.starts_with("a.yml:2:"), "{problem}");
        assert!(problem.contains("the strings of the file exceed 4 MiB"), "{problem}");
    }

    #[test]
    fn too_many_aliases_are_rejected() {
        assert!(is_valid(&format!("a: &a 1\nb: [{}]\n", aliases(99))));
        assert!(
            problem(&format!("a: &a 1\nb: [{}]\n", aliases(101))).contains("ten for each anchor")
        );
    }

    /// Runs within the default stack of a thread.
    #[test]
    fn nesting_depth_is_limited() {
        for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", "")] {
            let nest = |depth| format!("{}x{}", open.repeat(depth), close.repeat(depth));
            assert!(is_valid(&nest(MAX_DEPTH)), "{open}");
            let problem = problem(&nest(MAX_DEPTH + 1));
            assert!(problem.contains("more than 32 deep"), "{problem}");
        }
    }

    #[test]
    fn too_many_values_and_second_document_are_rejected() {
        let lines = |count| (0..count).map(|line| format!("k{line}: 1\n")).collect::<String>();
        assert!(is_valid(&lines(MAX_VALUES / 2 - 1)));
        assert!(problem(&lines(MAX_VALUES / 2)).starts_with("a.yml:50000:"));
        assert!(problem("a: 1\n---\nb: 1\n").contains("a second document"));
    }
}
