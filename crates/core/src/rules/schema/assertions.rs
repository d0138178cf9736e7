//! The keywords that a value satisfies or breaks by itself, away from what is said of its parts.

use std::borrow::Cow;
use std::collections::HashSet;

use super::evaluate::{BudgetExhausted, SchemaRun, Validity};
use super::program::{Bounds, Keywords, Limit};
use crate::decimal::Decimal;
use crate::evaluate::canonical_json;
use crate::value::Value;

/// The longest text that can be of a format, in bytes, but of addresses and pointers.
const MAX_FORMATTED_BYTES: usize = 4 * 1024;
/// A keyword that a value breaks, away from what it says of the parts of the value.
#[derive(Debug, Clone, Copy)]
pub(super) enum FailedKeyword<'k> {
    Type(&'k [&'static str]),
    Const,
    Enum,
    Limit(Limit, &'k str),
    MultipleOf(&'k str),
    MinLength(u64),
    MaxLength(u64),
    Pattern,
    Format(&'k str),
    MinItems(u64),
    MaxItems(u64),
    UniqueItems,
    MinProperties(u64),
    MaxProperties(u64),
    Required(&'k str),
}

impl<'p> SchemaRun<'p> {
    /// Tells the keywords that a value breaks by itself, the cheapest first, until `tell` says no.
    pub(super) fn assertions(
        &mut self,
        keywords: &'p Keywords,
        value: &Value<'_>,
        tell: &mut dyn FnMut(FailedKeyword<'p>) -> bool,
    ) -> Result<(), BudgetExhausted> {
        if let Some(types) = &keywords.types
            && !types.iter().any(|name| is_of_type(value, name))
            && !tell(FailedKeyword::Type(types))
        {
            return Ok(());
        }
        let mut broken: Vec<FailedKeyword<'p>> = Vec::new();
        match value {
            Value::Number(text) => self.number(keywords, text, &mut broken)?,
            Value::String(text) => self.text(keywords, text, &mut broken)?,
            Value::Array(items) => {
                let Bounds { least, most } = keywords.item_count;
                let count = items.len() as u64;
                broken.extend(least.filter(|least| count < *least).map(FailedKeyword::MinItems));
                broken.extend(most.filter(|most| count > *most).map(FailedKeyword::MaxItems));
                if broken.is_empty() && keywords.unique_items && !self.are_unique(items)? {
                    broken.push(FailedKeyword::UniqueItems);
                }
            }
            Value::Object(entries) => self.object(keywords, entries, &mut broken)?,
            Value::Null | Value::Bool(_) => {}
        }
        for broken in broken {
            if !tell(broken) {
                return Ok(());
            }
        }
        if keywords.constant.is_none() && keywords.members.is_none() {
            return Ok(());
        }
        let text = self.canonical(value)?;
        if keywords.constant.as_ref().is_some_and(|constant| *constant != text)
            && !tell(FailedKeyword::Const)
        {
            return Ok(());
        }
        if keywords.members.as_ref().is_some_and(|members| !members.contains(&text)) {
            tell(FailedKeyword::Enum);
        }
        Ok(())
    }

    fn number(
        &mut self,
        keywords: &'p Keywords,
        text: &str,
        broken: &mut Vec<FailedKeyword<'p>>,
    ) -> Result<(), BudgetExhausted> {
        if keywords.limits.is_empty() && keywords.multiple_of.is_none() {
            return Ok(());
        }
        self.spend(text.len() / 8 + 1)?;
        let Some(number) = Decimal::parse(text) else { return Ok(()) };
        for (limit, against, said) in &keywords.limits {
            let order = number.cmp(against);
            let holds = match limit {
                Limit::Minimum => order.is_ge(),
                Limit::Maximum => order.is_le(),
                Limit::ExclusiveMinimum => order.is_gt(),
                Limit::ExclusiveMaximum => order.is_lt(),
            };
            if !holds {
                broken.push(FailedKeyword::Limit(*limit, said));
            }
        }
        if let Some(leaf) = &keywords.multiple_of {
            self.spend(40)?;
            let number = text.parse::<serde_json::Number>().map(serde_json::Value::Number);
            if number.is_ok_and(|number| !leaf.validator.is_valid(&number)) {
                broken.push(FailedKeyword::MultipleOf(&leaf.says));
            }
        }
        Ok(())
    }

    fn text(
        &mut self,
        keywords: &'p Keywords,
        text: &str,
        broken: &mut Vec<FailedKeyword<'p>>,
    ) -> Result<(), BudgetExhausted> {
        let Bounds { least, most } = keywords.length;
        if least.is_some() || most.is_some() {
            self.spend(text.len() / 32)?;
            let count = text.chars().count() as u64;
            broken.extend(least.filter(|least| count < *least).map(FailedKeyword::MinLength));
            broken.extend(most.filter(|most| count > *most).map(FailedKeyword::MaxLength));
        }
        if !broken.is_empty() {
            return Ok(());
        }
        if let Some(leaf) = &keywords.pattern
            && !self.matches(leaf, text)?
        {
            broken.push(FailedKeyword::Pattern);
        }
        if let Some(leaf) = &keywords.format
            && (is_too_long(text, &leaf.says) || !self.matches(leaf, text)?)
        {
            broken.push(FailedKeyword::Format(&leaf.says));
        }
        Ok(())
    }

    fn object(
        &mut self,
        keywords: &'p Keywords,
        entries: &[(Cow<'_, str>, Value<'_>)],
        broken: &mut Vec<FailedKeyword<'p>>,
    ) -> Result<(), BudgetExhausted> {
        let Bounds { least, most } = keywords.entry_count;
        let count = entries.len() as u64;
        broken.extend(least.filter(|least| count < *least).map(FailedKeyword::MinProperties));
        broken.extend(most.filter(|most| count > *most).map(FailedKeyword::MaxProperties));
        for name in &keywords.required {
            if !self.has(entries, name)? {
                broken.push(FailedKeyword::Required(name));
            }
        }
        for (name, required) in &keywords.dependent_required {
            if self.has(entries, name)? {
                for name in required {
                    if !self.has(entries, name)? {
                        broken.push(FailedKeyword::Required(name));
                    }
                }
            }
        }
        Ok(())
    }

    fn are_unique(&mut self, items: &[Value<'_>]) -> Validity {
        let mut seen = HashSet::new();
        for item in items {
            self.spend(4)?;
            if !seen.insert(self.canonical(item)?) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn canonical(&mut self, value: &Value<'_>) -> Result<String, BudgetExhausted> {
        self.spend(value.weight() / 8)?;
        Ok(canonical_json(value))
    }
}

/// Whether a text is longer than any of a format is. Some are not judged in linear time.
fn is_too_long(text: &str, format: &str) -> bool {
    const LINEAR_FORMATS: [&str; 6] =
        ["uri", "uri-reference", "iri", "iri-reference", "json-pointer", "relative-json-pointer"];
    text.len() > MAX_FORMATTED_BYTES && !LINEAR_FORMATS.contains(&format)
}

fn is_of_type(value: &Value<'_>, name: &str) -> bool {
    match value {
        Value::Null => name == "null",
        Value::Bool(_) => name == "boolean",
        Value::String(_) => name == "string",
        Value::Array(_) => name == "array",
        Value::Object(_) => name == "object",
        Value::Number(text) => {
            name == "number"
                || name == "integer"
                    && (text.bytes().all(|byte| byte.is_ascii_digit())
                        || Decimal::parse(text).is_some_and(|number| number.is_integer()))
        }
    }
}
