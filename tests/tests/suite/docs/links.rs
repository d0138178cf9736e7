//! Checks relative links and their anchors.

use std::path::{Component, Path, PathBuf};

use registrar_tests::repository_path;

use super::read;

/// Returns a description of each relative link of a page whose file or anchor does not exist.
pub(super) fn broken(page: &str) -> Vec<String> {
    let text = read(page);
    let folder = Path::new(page).parent().unwrap_or(Path::new(""));
    let mut broken = Vec::new();
    for (index, line) in prose(&text) {
        for target in line.split("](").skip(1).filter_map(|rest| rest.split_once(')')) {
            let target = target.0.split_whitespace().next().unwrap_or_default();
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() { page.into() } else { normal(&folder.join(file)) };
            let is_page = path.extension().is_some_and(|extension| extension == "md");
            let resolves = repository_path("").join(&path).exists()
                && (anchor.is_empty() || !is_page || has_anchor(&path, anchor));
            if !resolves {
                broken.push(format!("{page}:{}: {target}", index + 1));
            }
        }
    }
    broken
}

/// Returns the lines outside code blocks, with their indexes.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut is_code = false;
    let is_prose = |(_, line): &(usize, &str)| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    };
    text.lines().enumerate().filter(is_prose).collect()
}

fn has_anchor(page: &Path, anchor: &str) -> bool {
    let text = read(page.to_str().unwrap());
    prose(&text).iter().any(|(_, line)| {
        let heading = line.strip_prefix('#').map(|rest| rest.trim_start_matches('#').trim());
        heading.is_some_and(|heading| slug(heading) == anchor)
            || line.contains(&format!("id=\"{anchor}\""))
            || line.contains(&format!("name=\"{anchor}\""))
    })
}

/// Returns the anchor that GitHub gives a heading.
fn slug(heading: &str) -> String {
    let kept = |c: char| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
        _ => None,
    };
    heading.to_lowercase().chars().filter_map(kept).collect()
}

/// Resolves `..` in a relative path.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                normal.pop();
            }
            Component::Normal(name) => normal.push(name),
            _ => {}
        }
    }
    normal
}
