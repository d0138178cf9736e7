//! The page of all rules, rendered from what they say of themselves: `docs/rules.md`.

use std::fmt::Write as _;

use super::{COMMON_OPTIONS, RULES, Rule, RuleOption};

/// The page, in Markdown.
#[must_use]
pub fn page() -> String {
    let mut page = String::from(
        "# Rules\n\nRendered from the rules themselves; a test compares. Names, semantics and \
         texts follow Rails' Active Model.\n\n`rule: true` and `rule: {}` mean the rule without \
         options, `rule: false` turns a built-in one off, and a list or a range is its option \
         `in`; any other bare value is the rule's main option. A field that the client did not send \
         is judged only by the rules that say so. In the examples `other` is a field that holds 5, \
         `value_confirmation` one that was not sent, and now is 2026-11-23T10:30:00Z.\n\n\
         Every rule takes:\n\n",
    );
    options(&mut page, COMMON_OPTIONS);
    for rule in RULES {
        section(&mut page, rule);
    }
    page
}

/// What the page says of one rule.
#[must_use]
pub fn page_of(rule: &Rule) -> String {
    let mut page = String::new();
    section(&mut page, rule);
    page.trim_start().to_owned()
}

// Writing to a `String` cannot fail.
fn section(page: &mut String, rule: &Rule) {
    let _ = writeln!(page, "\n## {}\n\n{}", rule.name, rule.summary);
    if !rule.aliases.is_empty() {
        let _ = writeln!(page, "\nAlso: `{}`.", rule.aliases.join("`, `"));
    }
    if rule.judges.absent {
        let _ = writeln!(page, "\nJudges fields that were not sent.");
    }
    if !rule.options.is_empty() {
        page.push('\n');
        options(page, rule.options);
    }
    if let Some(main) = rule.main_option {
        let _ = writeln!(page, "\nA bare value is `{main}`.");
    }
    page.push_str("\n| code | text |\n|---|---|\n");
    for message in rule.messages {
        let _ = write!(page, "| `{}` | {}", message.code, message.text);
        if let Some(one) = message.singular {
            let _ = write!(page, "; for 1: {one}");
        }
        page.push_str(" |\n");
    }
    if rule.accepts.is_empty() && rule.rejects.is_empty() {
        return;
    }
    page.push_str("\n| options | value | |\n|---|---|---|\n");
    for (options, value) in rule.accepts {
        let _ = writeln!(page, "| `{}` | `{}` | accepted |", cell(options), cell(value));
    }
    for (options, value, code) in rule.rejects {
        let _ = writeln!(page, "| `{}` | `{}` | `{code}` |", cell(options), cell(value));
    }
}

fn options(page: &mut String, options: &[RuleOption]) {
    page.push_str("| option | takes | |\n|---|---|---|\n");
    for option in options {
        let mut names = format!("`{}`", option.name);
        for alias in option.aliases {
            let _ = write!(names, ", `{alias}`");
        }
        let _ = writeln!(page, "| {names} | {} | {} |", option.takes, option.summary);
    }
}

/// A bar would end a cell of the table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
