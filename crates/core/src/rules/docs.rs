//! Renders the rules as Markdown: `docs/rules.md` and `registrar rules`.

use std::fmt::Write as _;

use super::{COMMON_OPTIONS, RULES, Rule, RuleOption};

/// Returns the documentation of all rules as Markdown.
#[must_use]
pub fn page() -> String {
    let mut page = String::from(
        "# Rules\n\nGenerated from the code; do not edit. Names, semantics and messages follow \
         Rails' Active Model.\n\n`rule: true` and `rule: {}` apply the rule without options, and \
         `rule: false` turns a built-in rule off. A list or a range is the value of the option \
         `in`; any other bare value is the value of the rule's main option. A field missing from \
         the submission is validated only by rules with the note \"Also applied to fields missing \
         from the submission\". In the examples, `other` is a field with the value 5, \
         `value_confirmation` is missing from the submission, and the current time is \
         2026-11-23T10:30:00Z.\n\n\
         Every rule has these options:\n\n",
    );
    options(&mut page, COMMON_OPTIONS);
    for rule in RULES {
        section(&mut page, rule);
    }
    page
}

/// Returns the documentation of one rule as Markdown.
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
        let _ = writeln!(page, "\nAlias: `{}`.", rule.aliases.join("`, `"));
    }
    if rule.applies_to.absent {
        let _ = writeln!(page, "\nAlso applied to fields missing from the submission.");
    }
    if !rule.options.is_empty() {
        page.push('\n');
        options(page, rule.options);
    }
    if let Some(main) = rule.main_option {
        let _ = writeln!(page, "\nA bare value is `{main}`.");
    }
    page.push_str("\n| code | message |\n|---|---|\n");
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

/// Escapes the bars of a table cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
