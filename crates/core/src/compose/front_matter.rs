//! Front matter of platformOS' form files: YAML between two lines `---`, followed by a page, which
//! is ignored.

use crate::config::{Location, ProblemCode, Problems};

/// Returns the YAML of the front matter with its line numbers preserved, or `None`, with a problem,
/// if there is none.
pub(super) fn extract<'t>(
    text: &'t str,
    problems: &mut Problems,
) -> Option<std::borrow::Cow<'t, str>> {
    let is_mark = |line: &str| line.trim_end() == "---";
    let mut lines = text.strip_prefix('\u{feff}').unwrap_or(text).split('\n');
    let mut skipped = 0;
    let first = lines.by_ref().inspect(|_| skipped += 1).find(|line| !line.trim().is_empty());
    if first.is_none_or(|line| !is_mark(line)) {
        problems.add(
            ProblemCode::BadFile,
            Location::START,
            "the file has no front matter",
            "a line `---`, the form as YAML, another line `---`, then the page",
            None,
        );
        return None;
    }
    let mut yaml = "\n".repeat(skipped);
    for line in lines.take_while(|line| !is_mark(line)) {
        yaml.push_str(line);
        yaml.push('\n');
    }
    Some(yaml.into())
}
