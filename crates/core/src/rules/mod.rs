//! The validation rules that a form can attach to a field: one file per rule, listed in [`RULES`].
//!
//! Each file holds a [`Rule`] with its names, options, messages and examples of accepted and
//! rejected values. Names, semantics and messages follow Rails' Active Model
//! (guides.rubyonrails.org, "Active Record Validations";
//! `activemodel/lib/active_model/locale/en.yml`).

mod absence;
mod acceptance;
mod bind;
mod check;
mod comparison;
mod condition;
mod confirmation;
mod country;
mod currency;
mod date;
mod datetime;
mod decimal_bounds;
mod distinct;
mod docs;
mod email;
mod exclusion;
mod exists;
mod file;
mod file_content_type;
mod file_extension;
mod file_size;
mod format;
mod hostname;
mod inclusion;
mod ip;
mod language;
mod length;
mod notation;
mod numericality;
mod options;
mod password;
pub mod password_hash;
mod pattern;
mod phone;
mod presence;
mod prohibited_if;
mod relative_time;
mod required_if;
mod required_unless;
mod required_with;
mod required_without;
mod schema;
mod temporal;
mod temporal_bound;
mod time;
mod timezone;
mod unique;
mod url;
mod uuid;
mod value_set;

pub use docs::{page, page_of};

pub(crate) use absence::PRESENT;
pub(crate) use bind::{BoundRule, bind_all};
pub(crate) use check::{Check, InputContent, NestedStep, Reporter, RuleInput};
pub(crate) use exists::REQUIRED;
pub(crate) use options::{CompileContext, FieldInfo, GroupLayout, SiblingNames};
pub use unique::claim_matches;
pub(crate) use unique::{TAKEN, value_key};

use crate::messages::Message;

/// All rules, in the order of `docs/rules.md`.
pub static RULES: &[&Rule] = &[
    &presence::RULE,
    &absence::RULE,
    &acceptance::RULE,
    &confirmation::RULE,
    &comparison::RULE,
    &email::RULE,
    &exclusion::RULE,
    &inclusion::RULE,
    &format::RULE,
    &length::RULE,
    &numericality::RULE,
    &unique::RULE,
    &exists::RULE,
    &date::RULE,
    &datetime::RULE,
    &time::RULE,
    &url::RULE,
    &uuid::RULE,
    &phone::RULE,
    &country::RULE,
    &currency::RULE,
    &timezone::RULE,
    &language::RULE,
    &ip::RULE,
    &hostname::RULE,
    &password::RULE,
    &password_hash::RULE,
    &distinct::RULE,
    &required_if::RULE,
    &required_unless::RULE,
    &required_with::RULE,
    &required_without::RULE,
    &prohibited_if::RULE,
    &file_content_type::RULE,
    &file_extension::RULE,
    &file_size::RULE,
    &schema::RULE,
];

/// The description of a rule, from which `docs/rules.md` is generated, and its compile function.
#[derive(Debug)]
pub struct Rule {
    /// Name in a form.
    pub name: &'static str,
    /// Alternative names.
    pub aliases: &'static [&'static str],
    /// Description in one or a few sentences.
    pub summary: &'static str,
    /// Options specific to this rule; [`COMMON_OPTIONS`] apply as well.
    pub options: &'static [RuleOption],
    /// Option set by a bare string or number, as in `format: '\A…\z'`.
    pub main_option: Option<&'static str>,
    /// Messages of the violations that the rule can report.
    pub messages: &'static [&'static Message],
    /// Inputs that the rule is applied to.
    pub applies_to: Applicability,
    /// Examples of accepted values: the options as YAML, the value as JSON.
    pub accepts: &'static [(&'static str, &'static str)],
    /// Examples of rejected values: the options as YAML, the value as JSON, the violation's code.
    pub rejects: &'static [(&'static str, &'static str, &'static str)],
    /// Compiles the options given in a form. Reports invalid options as problems.
    pub(crate) compile: fn(&mut CompileContext<'_, '_>) -> Option<Box<dyn Check>>,
}

/// An option of a rule.
#[derive(Debug)]
pub struct RuleOption {
    /// Name in a form.
    pub name: &'static str,
    /// Alternative names.
    pub aliases: &'static [&'static str],
    /// Kind of value, as shown in the documentation: "a number".
    pub takes: &'static str,
    /// Description in one sentence.
    pub summary: &'static str,
    /// Whether it overrides the message whose code equals the option's name.
    pub is_text: bool,
    /// Whether its value may be a mapping. If it is also the main option, a mapping without its key
    /// is its value: `schema: {type: object}`.
    pub is_mapping: bool,
}

impl RuleOption {
    const fn new(name: &'static str, takes: &'static str, summary: &'static str) -> Self {
        Self { name, aliases: &[], takes, summary, is_text: false, is_mapping: false }
    }

    const fn with_alias(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// Returns an option that overrides a message of the rule.
    const fn text(name: &'static str) -> Self {
        Self {
            name,
            aliases: &[],
            takes: "a string, or strings by language",
            summary: "Replaces the rule's message.",
            is_text: true,
            is_mapping: false,
        }
    }

    const fn taking_mappings(mut self) -> Self {
        self.is_mapping = true;
        self
    }
}

/// Options accepted by every rule.
pub static COMMON_OPTIONS: &[RuleOption] = &[
    RuleOption::new(
        "message",
        "a string, or strings by language",
        "Replaces the rule's messages: one text, or one for each language (`{en: …, de: …}`).",
    ),
    RuleOption::new("if", "an expression", "Apply the rule only if the expression is true."),
    RuleOption::new("unless", "an expression", "Apply the rule only if the expression is false."),
    RuleOption::new("allow_nil", "true or false", "Skip null and missing fields."),
    RuleOption::new("allow_blank", "true or false", "Skip blank values."),
];

/// The inputs that a rule is applied to, besides the values of scalar fields.
#[derive(Debug, Clone, Copy, Default)]
pub struct Applicability {
    /// Fields missing from the submission. Null counts as sent.
    pub absent: bool,
    /// Nested forms and lists of them.
    pub nodes: bool,
    /// Lists of nested forms.
    pub lists: bool,
    /// Values not of the field's type. All other rules are skipped for them.
    pub wrong_type: bool,
}

impl Applicability {
    /// Only values of scalar fields.
    const VALUES: Self = Self { absent: false, nodes: false, lists: false, wrong_type: false };
}

/// Returns the rule with this name or alias, or `None` if there is none.
#[must_use]
pub fn named(name: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.name == name || rule.aliases.contains(&name))
}
