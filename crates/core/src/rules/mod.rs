//! The rules that a form can attach to a field. Each is one file here and two words in this one.
//!
//! A rule describes itself in one static: its names, what it does, its options, what it says, and
//! examples of what it accepts and rejects. Names, semantics and texts follow Rails' Active Model
//! (guides.rubyonrails.org, "Active Record Validations"; `activemodel/lib/active_model/locale/en.yml`).

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
pub(crate) use bind::{BoundRule, BuiltInRule, bind_all};
pub(crate) use check::{Check, InputContent, NestedStep, Reporter, RuleInput};
pub(crate) use exists::REQUIRED;
pub(crate) use options::{CompileContext, FieldInfo, SiblingNames};
pub(crate) use unique::{TAKEN, may_be_of, value_key};

use crate::violation::Message;

/// Every rule, in the order of the documentation.
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

/// A rule, as it describes itself.
#[derive(Debug)]
pub struct Rule {
    /// The name in a form.
    pub name: &'static str,
    /// Other names it goes by.
    pub aliases: &'static [&'static str],
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// Its own options; [`COMMON_OPTIONS`] come on top.
    pub options: &'static [RuleOption],
    /// The option that a bare text or number stands for: `format: '\A…\z'`.
    pub main_option: Option<&'static str>,
    /// What it can say.
    pub messages: &'static [&'static Message],
    /// What it is asked about.
    pub judges: Applicability,
    /// Values it accepts: the rule as YAML, the value as JSON.
    pub accepts: &'static [(&'static str, &'static str)],
    /// Values it rejects: the rule as YAML, the value as JSON, the code.
    pub rejects: &'static [(&'static str, &'static str, &'static str)],
    /// Makes the check from the options in a form; notes what is wrong with them.
    pub(crate) compile: fn(&mut CompileContext<'_, '_>) -> Option<Box<dyn Check>>,
}

/// An option of a rule.
#[derive(Debug)]
pub struct RuleOption {
    /// The name in a form.
    pub name: &'static str,
    /// Other names it goes by.
    pub aliases: &'static [&'static str],
    /// What its value is: "a number".
    pub takes: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// Whether it is the form's own text for the message whose code is its name.
    pub is_text: bool,
    /// Whether its value is a mapping. Where it is the rule's main option, a mapping without it is
    /// its value: `schema: {type: object}`.
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

    /// An option that holds the form's own words for a message.
    const fn text(name: &'static str) -> Self {
        Self {
            name,
            aliases: &[],
            takes: "a text, or texts by language",
            summary: "The text to give instead of the rule's own.",
            is_text: true,
            is_mapping: false,
        }
    }

    const fn taking_mappings(mut self) -> Self {
        self.is_mapping = true;
        self
    }
}

/// Options that every rule takes.
pub static COMMON_OPTIONS: &[RuleOption] = &[
    RuleOption::new(
        "message",
        "a text, or texts by language",
        "The text to give instead of the rule's own: `{en: …, de: …}` for each language.",
    ),
    RuleOption::new("if", "an expression", "Judge only where it holds."),
    RuleOption::new("unless", "an expression", "Judge only where it does not hold."),
    RuleOption::new("allow_nil", "true or false", "Do not judge null, nor a field not sent."),
    RuleOption::new("allow_blank", "true or false", "Do not judge a blank value."),
];

/// What a rule is asked about, besides the values of scalar fields.
#[derive(Debug, Clone, Copy, Default)]
pub struct Applicability {
    /// Fields the client did not send. A rule that does not judge them says nothing of a field
    /// left out, though it may of one sent as null.
    pub absent: bool,
    /// Nested forms and lists of them.
    pub nodes: bool,
    /// Lists of nested forms.
    pub lists: bool,
    /// Values that are not of the field's type. For all other rules `wrong_type` is said instead.
    pub wrong_type: bool,
}

impl Applicability {
    /// Values alone.
    const VALUES: Self = Self { absent: false, nodes: false, lists: false, wrong_type: false };
}

/// The rule of a name or an alias.
#[must_use]
pub fn named(name: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.name == name || rule.aliases.contains(&name))
}
