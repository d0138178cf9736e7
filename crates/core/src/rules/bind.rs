//! Compiles the `validation:` of a field into its rules.

use super::options::{CompileContext, FieldInfo};
use super::{COMMON_OPTIONS, Check, RULES, Rule, RuleOption, named};
use crate::built_ins::BuiltInRule;
use crate::config::{Data, Entry, Location, Node, ProblemCode, Reader};
use crate::expression::Conditions;
use crate::messages::MessageOverride;

/// A compiled rule attached to a field.
#[derive(Debug)]
pub(crate) struct BoundRule {
    pub(crate) rule: &'static Rule,
    pub(crate) check: Box<dyn Check>,
    /// Location of the rule in the form; for a built-in rule, that of the field.
    pub(crate) location: Location,
    pub(crate) allow_nil: bool,
    pub(crate) allow_blank: bool,
    /// Conditions (`if`, `unless`) under which the rule is applied.
    pub(crate) conditions: Conditions,
    /// Message overrides of the form: for one code, or for all codes (`None`).
    overrides: Vec<(Option<&'static str>, MessageOverride)>,
}

impl BoundRule {
    /// Returns an identity that is unique within the form: the address, invalid after a move.
    pub(crate) fn id(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Returns the form's message for a code: the override of that code, else the one for all
    /// codes.
    pub(crate) fn message_override(&self, code: &str) -> Option<&MessageOverride> {
        let of_code = self.overrides.iter().find(|(known, _)| *known == Some(code));
        of_code
            .or_else(|| self.overrides.iter().find(|(known, _)| known.is_none()))
            .map(|(_, text)| text)
    }

    /// Returns all message overrides of the form.
    pub(crate) fn message_overrides(&self) -> impl Iterator<Item = &MessageOverride> {
        self.overrides.iter().map(|(_, text)| text)
    }
}

/// Returns whether a form's rule of the same name replaces the built-in one.
fn yields(rule: &BuiltInRule, entry: &Entry) -> bool {
    if rule.yields_to.is_empty() || matches!(entry.value.data, Data::Bool(false)) {
        return true;
    }
    match &entry.value.data {
        Data::Map(options) => {
            options.iter().any(|option| rule.yields_to.contains(&option.key.as_str()))
        }
        // Shorthand for the option `in`: a list or a range.
        Data::List(_) | Data::Text(_) => rule.yields_to.contains(&"in"),
        _ => false,
    }
}

/// Compiles the rules of a field: the built-in ones first, then those of the form in order.
pub(crate) fn bind_all(
    reader: &mut Reader<'_>,
    field: FieldInfo<'_>,
    built_in: &[BuiltInRule],
    validation: Option<&Node>,
) -> Vec<BoundRule> {
    let entries = validation.map_or(&[][..], |node| reader.map(node, "validation"));
    let mut bound = Vec::new();
    for rule in built_in {
        let given = entries.iter().find(|entry| names_rule(&entry.key, rule.name));
        let is_replaced = entries.iter().any(|entry| {
            rule.replaced_by.iter().any(|name| names_rule(&entry.key, name))
                && !matches!(entry.value.data, Data::Bool(false))
        });
        if is_replaced || given.is_some_and(|entry| yields(rule, entry)) {
            continue;
        }
        let options = crate::config::parse(rule.options, reader.problems);
        if let (Some(options), Some(rule)) = (options, named(rule.name)) {
            bound.extend(bind(reader, field, rule, (rule.name, field.location), &options));
        }
    }
    for entry in entries {
        match named(&entry.key) {
            Some(rule) => {
                bound.extend(bind(reader, field, rule, (&entry.key, entry.location), &entry.value))
            }
            None => unknown_rule(reader, entry, field.name),
        }
    }
    contradictions(reader, entries);
    bound
}

fn names_rule(key: &str, name: &str) -> bool {
    named(key).is_some_and(|rule| rule.name == name)
}

fn unknown_rule(reader: &mut Reader<'_>, entry: &Entry, field: &str) {
    let known: Vec<&str> = RULES
        .iter()
        .flat_map(|rule| [rule.name].into_iter().chain(rule.aliases.iter().copied()))
        .collect();
    let within = format!("the validation of `{field}`");
    let code = ProblemCode::UnknownRule;
    reader.unknown(code, "rule", &entry.key, entry.location, &within, &known);
}

fn contradictions(reader: &mut Reader<'_>, entries: &[Entry]) {
    let on = |name: &str| {
        entries.iter().find(|entry| {
            names_rule(&entry.key, name) && !matches!(entry.value.data, Data::Bool(false))
        })
    };
    if let (Some(_), Some(absence)) = (on("presence"), on("absence")) {
        reader.problems.add(
            ProblemCode::Contradiction,
            absence.location,
            "`presence` and `absence` together reject every value",
            "one of them",
            None,
        );
    }
}

fn bind(
    reader: &mut Reader<'_>,
    field: FieldInfo<'_>,
    rule: &'static Rule,
    (spelled, location): (&str, Location),
    node: &Node,
) -> Option<BoundRule> {
    if matches!(node.data, Data::Bool(false)) {
        return None;
    }
    let is_judged = rule.applies_to.nodes || (rule.applies_to.lists && field.is_list);
    if field.field_type.is_none() && !is_judged {
        reader.problems.add(
            ProblemCode::BadOption,
            node.location,
            format!(
                "the rule `{spelled}` cannot validate `{}`, which is a nested form",
                field.name
            ),
            "`presence`, `absence` or a `required_…` rule; for lists also `length` and `distinct`",
            None,
        );
        return None;
    }
    let options = options_of(reader, rule, spelled, node)?;
    let mut bound = BoundRule {
        rule,
        check: Box::new(PlaceholderCheck),
        location,
        allow_nil: false,
        allow_blank: false,
        conditions: Conditions::default(),
        overrides: Vec::new(),
    };
    let mut rule_options = Vec::new();
    for (option, entry) in options {
        let value = entry.map_or(node, |entry| &entry.value);
        match (option.name, entry) {
            ("allow_nil", _) => bound.allow_nil = reader.boolean(value, "allow_nil")?,
            ("allow_blank", _) => bound.allow_blank = reader.boolean(value, "allow_blank")?,
            ("if" | "unless", Some(entry)) => bound.conditions.add(reader, entry),
            ("message", _) => {
                bound.overrides.push((None, MessageOverride::read(reader, "message", value)?))
            }
            (name, _) if option.is_text => {
                bound.overrides.push((Some(name), MessageOverride::read(reader, name, value)?));
            }
            (name, _) => rule_options.push((name, value)),
        }
    }
    let conditions = std::mem::take(&mut bound.conditions);
    let (location, options) = (node.location, rule_options);
    let mut compile =
        CompileContext { reader, rule: spelled, location, options, field, conditions };
    bound.check = (rule.compile)(&mut compile)?;
    bound.conditions = compile.conditions;
    Some(bound)
}

/// Resolves the options of a rule to their definitions. The entry is `None` if the whole node is
/// the option's value. `true` and `{}` mean no options, a list or a range is `in`, and any other
/// scalar is the main option. Returns `None` if the rule cannot be compiled.
fn options_of<'n>(
    reader: &mut Reader<'_>,
    rule: &'static Rule,
    spelled: &str,
    node: &'n Node,
) -> Option<Vec<(&'static RuleOption, Option<&'n Entry>)>> {
    let known = || rule.options.iter().chain(COMMON_OPTIONS);
    let short_for = |name: &str| known().find(|option| option.name == name);
    let main = rule.main_option.and_then(short_for);
    match &node.data {
        Data::Bool(true) | Data::Null => Some(Vec::new()),
        // The mapping may itself be the value of the main option; no other option is given then.
        Data::Map(entries)
            if main.is_some_and(|main| {
                main.is_mapping
                    && !entries.is_empty()
                    && entries.iter().all(|entry| entry.key != main.name)
            }) =>
        {
            Some(main.map(|option| (option, None)).into_iter().collect())
        }
        Data::Map(entries) => {
            let mut options = Vec::with_capacity(entries.len());
            // A rule with an unknown option is not compiled: the option may be a misspelt required
            // one.
            let mut all_known = true;
            for entry in entries {
                let key = entry.key.as_str();
                let Some(option) =
                    known().find(|option| option.name == key || option.aliases.contains(&key))
                else {
                    let names: Vec<&str> = known().map(|option| option.name).collect();
                    let within = format!("the rule `{spelled}`");
                    let code = ProblemCode::UnknownOption;
                    reader.unknown(code, "option", key, entry.location, &within, &names);
                    all_known = false;
                    continue;
                };
                options.push((option, Some(entry)));
            }
            all_known.then_some(options)
        }
        Data::List(_) if short_for("in").is_some() => {
            short_for("in").map(|option| vec![(option, None)])
        }
        Data::Text(text) if text.contains("..") && short_for("in").is_some() => {
            short_for("in").map(|option| vec![(option, None)])
        }
        _ => {
            if main.is_none() {
                let what = format!("the rule `{spelled}` does not take {}", node.describe());
                let expected = "`true`, `false` or a mapping of options";
                reader.problems.add(ProblemCode::BadOption, node.location, what, expected, None);
            }
            main.map(|option| vec![(option, None)])
        }
    }
}

/// Placeholder until the rule's check is compiled.
#[derive(Debug)]
struct PlaceholderCheck;

impl Check for PlaceholderCheck {
    fn check(&self, _: &super::RuleInput<'_, '_>, _: &mut super::Reporter<'_, '_>) {}
}
