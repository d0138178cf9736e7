//! Judges a value by a compiled schema within a budget of steps.
//!
//! Whether a value is valid under a schema depends on nothing else, so the verdicts of schemas that
//! references lead to are remembered: a recursive union costs its size times the value's, not a
//! power of it. Whatever remains is bounded by the budget.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::program::{Bounds, Id, Keywords, Leaf, Limit, Program, Schema};
use crate::decimal::Decimal;
use crate::submission::canonical_json;
use crate::value::Value;

/// The longest text that can be of a format, in bytes, but of addresses and pointers.
const LONGEST_FORMATTED: usize = 4 * 1024;
/// How many verdicts are remembered at once.
const REMEMBERED: usize = 1 << 14;

/// The budget is used up.
#[derive(Debug)]
pub(super) struct Exhausted;

/// A keyword that a value breaks, away from what it says of the parts of the value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Broken<'k> {
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

/// One value that is judged.
#[derive(Debug)]
pub(super) struct Run<'p> {
    program: &'p Program,
    verdicts: HashMap<(Id, usize), bool>,
    /// How many steps are left.
    pub(super) left: u64,
}

type Verdict = Result<bool, Exhausted>;

impl<'p> Run<'p> {
    pub(super) fn new(program: &'p Program, steps: u64) -> Self {
        Self { program, verdicts: HashMap::new(), left: steps }
    }

    /// Takes steps off the budget.
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), Exhausted> {
        match self.left.checked_sub(steps as u64) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(Exhausted)
            }
        }
    }

    pub(super) fn schema(&self, id: Id) -> &'p Schema {
        static ANYTHING: Schema = Schema::Bool(true);
        self.program.schemas.get(id).unwrap_or(&ANYTHING)
    }

    /// Whether a value is valid under a schema.
    pub(super) fn is_valid(&mut self, id: Id, value: &Value<'_>) -> Verdict {
        self.spend(1)?;
        let keywords = match self.schema(id) {
            Schema::Bool(is_valid) => return Ok(*is_valid),
            Schema::Object(keywords) => &**keywords,
        };
        let is_container = matches!(value, Value::Array(_) | Value::Object(_));
        if !keywords.is_referenced || !is_container {
            return self.holds(keywords, value);
        }
        let key = (id, std::ptr::from_ref(value).addr());
        if let Some(verdict) = self.verdicts.get(&key) {
            return Ok(*verdict);
        }
        let verdict = self.holds(keywords, value)?;
        if self.verdicts.len() >= REMEMBERED {
            self.verdicts.clear();
        }
        self.verdicts.insert(key, verdict);
        Ok(verdict)
    }

    fn holds(&mut self, keywords: &'p Keywords, value: &Value<'_>) -> Verdict {
        let mut is_broken = false;
        self.assertions(keywords, value, &mut |_| {
            is_broken = true;
            false
        })?;
        if is_broken {
            return Ok(false);
        }
        let parts = match value {
            Value::Object(entries) => self.hold_entries(keywords, entries)?,
            Value::Array(items) => self.hold_items(keywords, items)?,
            _ => true,
        };
        Ok(parts && self.holds_in_place(keywords, value)? && self.hold_rest(keywords, value)?)
    }

    /// Tells the keywords that a value breaks by itself, the cheapest first, until `tell` says no.
    pub(super) fn assertions(
        &mut self,
        keywords: &'p Keywords,
        value: &Value<'_>,
        tell: &mut dyn FnMut(Broken<'p>) -> bool,
    ) -> Result<(), Exhausted> {
        if let Some(types) = &keywords.types
            && !types.iter().any(|name| is_of_type(value, name))
            && !tell(Broken::Type(types))
        {
            return Ok(());
        }
        let mut broken: Vec<Broken<'p>> = Vec::new();
        match value {
            Value::Number(text) => self.number(keywords, text, &mut broken)?,
            Value::String(text) => self.text(keywords, text, &mut broken)?,
            Value::Array(items) => {
                let Bounds { least, most } = keywords.item_count;
                let count = items.len() as u64;
                broken.extend(least.filter(|least| count < *least).map(Broken::MinItems));
                broken.extend(most.filter(|most| count > *most).map(Broken::MaxItems));
                if broken.is_empty() && keywords.unique_items && !self.are_unique(items)? {
                    broken.push(Broken::UniqueItems);
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
            && !tell(Broken::Const)
        {
            return Ok(());
        }
        if keywords.members.as_ref().is_some_and(|members| !members.contains(&text)) {
            tell(Broken::Enum);
        }
        Ok(())
    }

    fn number(
        &mut self,
        keywords: &'p Keywords,
        text: &str,
        broken: &mut Vec<Broken<'p>>,
    ) -> Result<(), Exhausted> {
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
                broken.push(Broken::Limit(*limit, said));
            }
        }
        if let Some(leaf) = &keywords.multiple_of {
            self.spend(40)?;
            let number = text.parse::<serde_json::Number>().map(serde_json::Value::Number);
            if number.is_ok_and(|number| !leaf.validator.is_valid(&number)) {
                broken.push(Broken::MultipleOf(&leaf.says));
            }
        }
        Ok(())
    }

    fn text(
        &mut self,
        keywords: &'p Keywords,
        text: &str,
        broken: &mut Vec<Broken<'p>>,
    ) -> Result<(), Exhausted> {
        let Bounds { least, most } = keywords.length;
        if least.is_some() || most.is_some() {
            self.spend(text.len() / 32)?;
            let count = text.chars().count() as u64;
            broken.extend(least.filter(|least| count < *least).map(Broken::MinLength));
            broken.extend(most.filter(|most| count > *most).map(Broken::MaxLength));
        }
        if !broken.is_empty() {
            return Ok(());
        }
        if let Some(leaf) = &keywords.pattern
            && !self.matches(leaf, text)?
        {
            broken.push(Broken::Pattern);
        }
        if let Some(leaf) = &keywords.format
            && (is_too_long(text, &leaf.says) || !self.matches(leaf, text)?)
        {
            broken.push(Broken::Format(&leaf.says));
        }
        Ok(())
    }

    fn object(
        &mut self,
        keywords: &'p Keywords,
        entries: &[(Cow<'_, str>, Value<'_>)],
        broken: &mut Vec<Broken<'p>>,
    ) -> Result<(), Exhausted> {
        let Bounds { least, most } = keywords.entry_count;
        let count = entries.len() as u64;
        broken.extend(least.filter(|least| count < *least).map(Broken::MinProperties));
        broken.extend(most.filter(|most| count > *most).map(Broken::MaxProperties));
        for name in &keywords.required {
            if !self.has(entries, name)? {
                broken.push(Broken::Required(name));
            }
        }
        for (name, required) in &keywords.dependent_required {
            if self.has(entries, name)? {
                for name in required {
                    if !self.has(entries, name)? {
                        broken.push(Broken::Required(name));
                    }
                }
            }
        }
        Ok(())
    }

    fn hold_entries(
        &mut self,
        keywords: &'p Keywords,
        entries: &[(Cow<'_, str>, Value<'_>)],
    ) -> Verdict {
        for (name, value) in entries {
            if let Some(id) = keywords.names
                && !self.is_valid(id, &Value::String(Cow::Borrowed(name)))?
            {
                return Ok(false);
            }
            for id in self.applied_to(keywords, name)? {
                if !self.is_valid(id, value)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// The schemas that are applied to the entry of a name.
    pub(super) fn applied_to(
        &mut self,
        keywords: &'p Keywords,
        name: &str,
    ) -> Result<Applied, Exhausted> {
        let mut applied = Applied::default();
        applied.extend(keywords.properties.get(name).copied());
        for (pattern, id) in &keywords.patterns {
            if self.matches(pattern, name)? {
                applied.extend([*id]);
            }
        }
        if applied.is_empty() {
            applied.extend(keywords.additional);
        }
        Ok(applied)
    }

    fn hold_items(&mut self, keywords: &'p Keywords, items: &[Value<'_>]) -> Verdict {
        for (place, item) in items.iter().enumerate() {
            let Some(id) = keywords.prefix.get(place).copied().or(keywords.items) else { break };
            if !self.is_valid(id, item)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether as many items as there must be are valid under `contains`.
    pub(super) fn contains(&mut self, keywords: &'p Keywords, items: &[Value<'_>]) -> Verdict {
        let Some(id) = keywords.contains else { return Ok(true) };
        let Bounds { least, most } = keywords.contained;
        let (least, mut count) = (least.unwrap_or(1), 0);
        for item in items {
            if most.is_none() && count >= least {
                break;
            }
            count += u64::from(self.is_valid(id, item)?);
            if most.is_some_and(|most| count > most) {
                return Ok(false);
            }
        }
        Ok(count >= least)
    }

    fn holds_in_place(&mut self, keywords: &'p Keywords, value: &Value<'_>) -> Verdict {
        if let Value::Array(items) = value
            && !self.contains(keywords, items)?
        {
            return Ok(false);
        }
        for id in self.required_in_place(keywords, value)? {
            if !self.is_valid(id, value)? {
                return Ok(false);
            }
        }
        Ok(self.any_of(keywords, value)?
            && self.one_of(keywords, value)?
            && self.not(keywords, value)?)
    }

    /// The schemas under all of which the same value must be valid.
    pub(super) fn required_in_place(
        &mut self,
        keywords: &'p Keywords,
        value: &Value<'_>,
    ) -> Result<Vec<Id>, Exhausted> {
        let mut required = keywords.references.clone();
        required.extend(&keywords.all_of);
        if let Some((condition, then, other)) = keywords.condition {
            required.extend(if self.is_valid(condition, value)? { then } else { other });
        }
        if let Value::Object(entries) = value {
            for (name, id) in &keywords.dependent {
                if self.has(entries, name)? {
                    required.push(*id);
                }
            }
        }
        Ok(required)
    }

    pub(super) fn any_of(&mut self, keywords: &'p Keywords, value: &Value<'_>) -> Verdict {
        for id in &keywords.any_of {
            if self.is_valid(*id, value)? {
                return Ok(true);
            }
        }
        Ok(keywords.any_of.is_empty())
    }

    pub(super) fn one_of(&mut self, keywords: &'p Keywords, value: &Value<'_>) -> Verdict {
        let mut valid = 0;
        for id in &keywords.one_of {
            valid += usize::from(self.is_valid(*id, value)?);
            if valid > 1 {
                return Ok(false);
            }
        }
        Ok(valid == 1 || keywords.one_of.is_empty())
    }

    pub(super) fn not(&mut self, keywords: &'p Keywords, value: &Value<'_>) -> Verdict {
        match keywords.not {
            Some(id) => Ok(!self.is_valid(id, value)?),
            None => Ok(true),
        }
    }

    fn hold_rest(&mut self, keywords: &'p Keywords, value: &Value<'_>) -> Verdict {
        for (id, part) in self.unevaluated(keywords, value)? {
            if !self.is_valid(id, part_of(value, part))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The parts of a value that `unevaluatedProperties` and `unevaluatedItems` are about, by their
    /// places, with the schema that is applied to each.
    pub(super) fn unevaluated(
        &mut self,
        keywords: &'p Keywords,
        value: &Value<'_>,
    ) -> Result<Vec<(Id, usize)>, Exhausted> {
        let (rest, count) = match value {
            Value::Object(entries) => (keywords.unevaluated_properties, entries.len()),
            Value::Array(items) => (keywords.unevaluated_items, items.len()),
            _ => (None, 0),
        };
        let Some(id) = rest else { return Ok(Vec::new()) };
        self.spend(count / 8)?;
        let mut marks = vec![false; count];
        self.mark(keywords, value, &mut marks)?;
        let left = marks.iter().enumerate().filter(|(_, is_marked)| !**is_marked);
        Ok(left.map(|(place, _)| (id, place)).collect())
    }

    /// Marks the parts that the keywords of a schema evaluate, `unevaluated…` itself not among them.
    fn mark(
        &mut self,
        keywords: &'p Keywords,
        value: &Value<'_>,
        marks: &mut [bool],
    ) -> Result<(), Exhausted> {
        match value {
            Value::Object(entries) => {
                for ((name, _), mark) in entries.iter().zip(marks.iter_mut()) {
                    self.spend(1)?;
                    *mark |= !self.applied_to(keywords, name)?.is_empty();
                }
            }
            Value::Array(items) => {
                for (place, (item, mark)) in items.iter().zip(marks.iter_mut()).enumerate() {
                    self.spend(1)?;
                    *mark |= place < keywords.prefix.len() || keywords.items.is_some();
                    if let (Some(id), false) = (keywords.contains, *mark) {
                        *mark = self.is_valid(id, item)?;
                    }
                }
            }
            _ => return Ok(()),
        }
        let mut inner = self.required_in_place(keywords, value)?;
        inner.extend(keywords.condition.map(|(condition, _, _)| condition));
        inner.extend(keywords.any_of.iter().chain(&keywords.one_of));
        for id in inner {
            let Schema::Object(inner) = self.schema(id) else { continue };
            if !self.is_valid(id, value)? {
                continue;
            }
            let rest = match value {
                Value::Object(_) => inner.unevaluated_properties,
                _ => inner.unevaluated_items,
            };
            match rest {
                Some(_) => marks.fill(true),
                None => self.mark(inner, value, marks)?,
            }
        }
        Ok(())
    }

    fn are_unique(&mut self, items: &[Value<'_>]) -> Verdict {
        let mut seen = HashSet::new();
        for item in items {
            self.spend(4)?;
            if !seen.insert(self.canonical(item)?) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn canonical(&mut self, value: &Value<'_>) -> Result<String, Exhausted> {
        self.spend(value.weight() / 8)?;
        Ok(canonical_json(value))
    }

    fn matches(&mut self, leaf: &Leaf, text: &str) -> Verdict {
        self.spend(text.len() / 8 + 4)?;
        Ok(leaf.validator.is_valid(&serde_json::Value::String(text.to_owned())))
    }

    fn has(&mut self, entries: &[(Cow<'_, str>, Value<'_>)], name: &str) -> Verdict {
        self.spend(entries.len() / 8 + 1)?;
        Ok(entries.iter().any(|(key, _)| key == name))
    }
}

/// Whether a text is longer than any of a format is. Some are not judged in linear time.
fn is_too_long(text: &str, format: &str) -> bool {
    const LINEAR: [&str; 6] =
        ["uri", "uri-reference", "iri", "iri-reference", "json-pointer", "relative-json-pointer"];
    text.len() > LONGEST_FORMATTED && !LINEAR.contains(&format)
}

/// The schemas that are applied to one entry: seldom more than one.
#[derive(Debug, Default)]
pub(super) struct Applied {
    first: Option<Id>,
    more: Vec<Id>,
}

impl Applied {
    fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}

impl Extend<Id> for Applied {
    fn extend<T: IntoIterator<Item = Id>>(&mut self, ids: T) {
        for id in ids {
            if self.first.is_none() { self.first = Some(id) } else { self.more.push(id) }
        }
    }
}

impl IntoIterator for Applied {
    type Item = Id;
    type IntoIter = std::iter::Chain<std::option::IntoIter<Id>, std::vec::IntoIter<Id>>;

    fn into_iter(self) -> Self::IntoIter {
        self.first.into_iter().chain(self.more)
    }
}

/// The entry or item at a place.
pub(super) fn part_of<'s, 'v>(value: &'s Value<'v>, place: usize) -> &'s Value<'v> {
    let part = match value {
        Value::Object(entries) => entries.get(place).map(|(_, value)| value),
        Value::Array(items) => items.get(place),
        _ => None,
    };
    part.unwrap_or(value)
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
