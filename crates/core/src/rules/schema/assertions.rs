//! Evaluates the keywords that apply to a value itself and not to its items or entries.

use std::borrow::Cow;
use std::collections::HashSet;

use super::evaluate::{BudgetExhausted, SchemaRun, Validity};
use super::program::{Bounds, Keywords, Limit};
use crate::decimal::Decimal;
use crate::submission::canonical_json;
use crate::value::Value;

/// Maximum length of a string with a format other than a URI or a JSON pointer, in bytes.
const MAX_FORMATTED_BYTES: usize = 4 * 1024;

/// A failed keyword that applies to the value itself, with its argument for the message.
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
    /// Calls `on_failure` with each failed keyword, the cheapest first, until it returns false.
    ///
    /// # Errors
    ///
    /// Returns an error if the step budget is exhausted.
    pub(super) fn assertions(
        &mut self,
        keywords: &'p Keywords,
        value: &Value<'_>,
        on_failure: &mut dyn FnMut(FailedKeyword<'p>) -> bool,
    ) -> Result<(), BudgetExhausted> {
        if let Some(types) = &keywords.types
            && !types.iter().any(|name| is_of_type(value, name))
            && !on_failure(FailedKeyword::Type(types))
        {
            return Ok(());
        }
        let mut failed: Vec<FailedKeyword<'p>> = Vec::new();
        match value {
            Value::Number(text) => self.number(keywords, text, &mut failed)?,
            Value::String(text) => self.text(keywords, text, &mut failed)?,
            Value::Array(items) => {
                let Bounds { least, most } = keywords.item_count;
                let count = items.len() as u64;
                failed.extend(least.filter(|least| count < *least).map(FailedKeyword::MinItems));
                failed.extend(most.filter(|most| count > *most).map(FailedKeyword::MaxItems));
                if failed.is_empty() && keywords.unique_items && !self.are_unique(items)? {
                    failed.push(FailedKeyword::UniqueItems);
                }
            }
            Value::Object(entries) => self.object(keywords, entries, &mut failed)?,
            Value::Null | Value::Bool(_) => {}
        }
        for failed in failed {
            if !on_failure(failed) {
                return Ok(());
            }
        }
        if keywords.constant.is_none() && keywords.members.is_none() {
            return Ok(());
        }
        let text = self.canonical(value)?;
        if keywords.constant.as_ref().is_some_and(|constant| *constant != text)
            && !on_failure(FailedKeyword::Const)
        {
            return Ok(());
        }
        if keywords.members.as_ref().is_some_and(|members| !members.contains(&text)) {
            on_failure(FailedKeyword::Enum);
        }
        Ok(())
    }

    fn number(
        &mut self,
        keywords: &'p Keywords,
        text: &str,
        failed: &mut Vec<FailedKeyword<'p>>,
    ) -> Result<(), BudgetExhausted> {
        if keywords.limits.is_empty() && keywords.multiple_of.is_none() {
            return Ok(());
        }
        self.spend(text.len() / 8 + 1)?;
        let Some(number) = Decimal::parse(text) else { return Ok(()) };
        for (limit, against, argument) in &keywords.limits {
            let order = number.cmp(against);
            let holds = match limit {
                Limit::Minimum => order.is_ge(),
                Limit::Maximum => order.is_le(),
                Limit::ExclusiveMinimum => order.is_gt(),
                Limit::ExclusiveMaximum => order.is_lt(),
            };
            if !holds {
                failed.push(FailedKeyword::Limit(*limit, argument));
            }
        }
        if let Some(leaf) = &keywords.multiple_of {
            self.spend(40)?;
            let number = text.parse::<serde_json::Number>().map(serde_json::Value::Number);
            if number.is_ok_and(|number| !leaf.validator.is_valid(&number)) {
                failed.push(FailedKeyword::MultipleOf(&leaf.argument));
            }
        }
        Ok(())
    }

    fn text(
        &mut self,
        keywords: &'p Keywords,
        text: &str,
        failed: &mut Vec<FailedKeyword<'p>>,
    ) -> Result<(), BudgetExhausted> {
        let Bounds { least, most } = keywords.length;
        if least.is_some() || most.is_some() {
            self.spend(text.len() / 32)?;
            let count = text.chars().count() as u64;
            failed.extend(least.filter(|least| count < *least).map(FailedKeyword::MinLength));
            failed.extend(most.filter(|most| count > *most).map(FailedKeyword::MaxLength));
        }
        if !failed.is_empty() {
            return Ok(());
        }
        if let Some(leaf) = &keywords.pattern
            && !self.matches(leaf, text)?
        {
            failed.push(FailedKeyword::Pattern);
        }
        if let Some(leaf) = &keywords.format
            && (is_too_long(text, &leaf.argument) || !self.matches(leaf, text)?)
        {
            failed.push(FailedKeyword::Format(&leaf.argument));
        }
        Ok(())
    }

    fn object(
        &mut self,
        keywords: &'p Keywords,
        entries: &[(Cow<'_, str>, Value<'_>)],
        failed: &mut Vec<FailedKeyword<'p>>,
    ) -> Result<(), BudgetExhausted> {
        let Bounds { least, most } = keywords.entry_count;
        let count = entries.len() as u64;
        failed.extend(least.filter(|least| count < *least).map(FailedKeyword::MinProperties));
        failed.extend(most.filter(|most| count > *most).map(FailedKeyword::MaxProperties));
        for name in &keywords.required {
            if !self.has(entries, name)? {
                failed.push(FailedKeyword::Required(name));
            }
        }
        for (name, required) in &keywords.dependent_required {
            if self.has(entries, name)? {
                for name in required {
                    if !self.has(entries, name)? {
                        failed.push(FailedKeyword::Required(name));
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

/// Returns whether a string is too long for its format. Bounded because some formats are not
/// checked in linear time.
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
