//! Evaluates a compiled schema against a value within a budget of steps.
//!
//! The results of referenced schemas are memoized per value, as they depend on nothing else. So a
//! recursive union takes time linear in its size times the value's size, not exponential time. The
//! budget bounds everything else.

use std::borrow::Cow;
use std::collections::HashMap;

use super::program::{Bounds, CompiledSchema, Keywords, Leaf, SchemaId, SchemaProgram};
use crate::value::Value;

/// Maximum number of memoized results.
const MAX_MEMOIZED: usize = 1 << 14;

/// The step budget is exhausted.
#[derive(Debug)]
pub(super) struct BudgetExhausted;

/// The evaluation of one value.
#[derive(Debug)]
pub(super) struct SchemaRun<'p> {
    program: &'p SchemaProgram,
    verdicts: HashMap<(SchemaId, usize), bool>,
    /// Number of steps left.
    pub(super) left: u64,
}

pub(super) type Validity = Result<bool, BudgetExhausted>;

impl<'p> SchemaRun<'p> {
    pub(super) fn new(program: &'p SchemaProgram, steps: u64) -> Self {
        Self { program, verdicts: HashMap::new(), left: steps }
    }

    /// Deducts steps from the budget.
    ///
    /// # Errors
    ///
    /// Returns an error if fewer steps are left.
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), BudgetExhausted> {
        match self.left.checked_sub(steps as u64) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(BudgetExhausted)
            }
        }
    }

    pub(super) fn schema(&self, id: SchemaId) -> &'p CompiledSchema {
        static ALWAYS_VALID: CompiledSchema = CompiledSchema::Bool(true);
        self.program.schemas.get(id).unwrap_or(&ALWAYS_VALID)
    }

    /// Returns whether a value is valid under a schema.
    pub(super) fn is_valid(&mut self, id: SchemaId, value: &Value<'_>) -> Validity {
        self.spend(1)?;
        let keywords = match self.schema(id) {
            CompiledSchema::Bool(is_valid) => return Ok(*is_valid),
            CompiledSchema::Object(keywords) => &**keywords,
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
        if self.verdicts.len() >= MAX_MEMOIZED {
            self.verdicts.clear();
        }
        self.verdicts.insert(key, verdict);
        Ok(verdict)
    }

    fn holds(&mut self, keywords: &'p Keywords, value: &Value<'_>) -> Validity {
        let mut is_broken = false;
        self.assertions(keywords, value, &mut |_| {
            is_broken = true;
            false
        })?;
        if is_broken {
            return Ok(false);
        }
        let are_parts_valid = match value {
            Value::Object(entries) => self.hold_entries(keywords, entries)?,
            Value::Array(items) => self.hold_items(keywords, items)?,
            _ => true,
        };
        Ok(are_parts_valid
            && self.holds_in_place(keywords, value)?
            && self.hold_rest(keywords, value)?)
    }

    fn hold_entries(
        &mut self,
        keywords: &'p Keywords,
        entries: &[(Cow<'_, str>, Value<'_>)],
    ) -> Validity {
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

    /// Returns the schemas that apply to the entry with this name.
    pub(super) fn applied_to(
        &mut self,
        keywords: &'p Keywords,
        name: &str,
    ) -> Result<AppliedSubschemas, BudgetExhausted> {
        let mut applied = AppliedSubschemas::default();
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

    fn hold_items(&mut self, keywords: &'p Keywords, items: &[Value<'_>]) -> Validity {
        for (index, item) in items.iter().enumerate() {
            let Some(id) = keywords.prefix.get(index).copied().or(keywords.items) else { break };
            if !self.is_valid(id, item)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns whether the number of items that are valid under `contains` is within its bounds.
    pub(super) fn contains(&mut self, keywords: &'p Keywords, items: &[Value<'_>]) -> Validity {
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

    fn holds_in_place(&mut self, keywords: &'p Keywords, value: &Value<'_>) -> Validity {
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

    /// Returns the schemas that the same value must satisfy, all of them.
    pub(super) fn required_in_place(
        &mut self,
        keywords: &'p Keywords,
        value: &Value<'_>,
    ) -> Result<Vec<SchemaId>, BudgetExhausted> {
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

    pub(super) fn any_of(&mut self, keywords: &'p Keywords, value: &Value<'_>) -> Validity {
        for id in &keywords.any_of {
            if self.is_valid(*id, value)? {
                return Ok(true);
            }
        }
        Ok(keywords.any_of.is_empty())
    }

    pub(super) fn one_of(&mut self, keywords: &'p Keywords, value: &Value<'_>) -> Validity {
        let mut valid = 0;
        for id in &keywords.one_of {
            valid += usize::from(self.is_valid(*id, value)?);
            if valid > 1 {
                return Ok(false);
            }
        }
        Ok(valid == 1 || keywords.one_of.is_empty())
    }

    pub(super) fn not(&mut self, keywords: &'p Keywords, value: &Value<'_>) -> Validity {
        match keywords.not {
            Some(id) => Ok(!self.is_valid(id, value)?),
            None => Ok(true),
        }
    }

    fn hold_rest(&mut self, keywords: &'p Keywords, value: &Value<'_>) -> Validity {
        for (id, part) in self.unevaluated(keywords, value)? {
            if !self.is_valid(id, child_at(value, part))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns the unevaluated entries or items of a value by index, with the schema of
    /// `unevaluatedProperties` or `unevaluatedItems` that applies to each.
    pub(super) fn unevaluated(
        &mut self,
        keywords: &'p Keywords,
        value: &Value<'_>,
    ) -> Result<Vec<(SchemaId, usize)>, BudgetExhausted> {
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
        Ok(left.map(|(index, _)| (id, index)).collect())
    }

    /// Marks the entries or items that a schema's keywords evaluate, except `unevaluated…` itself.
    fn mark(
        &mut self,
        keywords: &'p Keywords,
        value: &Value<'_>,
        marks: &mut [bool],
    ) -> Result<(), BudgetExhausted> {
        match value {
            Value::Object(entries) => {
                for ((name, _), mark) in entries.iter().zip(marks.iter_mut()) {
                    self.spend(1)?;
                    *mark |= !self.applied_to(keywords, name)?.is_empty();
                }
            }
            Value::Array(items) => {
                for (index, (item, mark)) in items.iter().zip(marks.iter_mut()).enumerate() {
                    self.spend(1)?;
                    *mark |= index < keywords.prefix.len() || keywords.items.is_some();
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
            let CompiledSchema::Object(inner) = self.schema(id) else { continue };
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

    pub(super) fn matches(&mut self, leaf: &Leaf, text: &str) -> Validity {
        self.spend(text.len() / 8 + 4)?;
        Ok(leaf.validator.is_valid(&serde_json::Value::String(text.to_owned())))
    }

    pub(super) fn has(&mut self, entries: &[(Cow<'_, str>, Value<'_>)], name: &str) -> Validity {
        self.spend(entries.len() / 8 + 1)?;
        Ok(entries.iter().any(|(key, _)| key == name))
    }
}

/// The schemas that apply to one entry; rarely more than one, which takes no allocation.
#[derive(Debug, Default)]
pub(super) struct AppliedSubschemas {
    first: Option<SchemaId>,
    more: Vec<SchemaId>,
}

impl AppliedSubschemas {
    fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}

impl Extend<SchemaId> for AppliedSubschemas {
    fn extend<T: IntoIterator<Item = SchemaId>>(&mut self, ids: T) {
        for id in ids {
            if self.first.is_none() { self.first = Some(id) } else { self.more.push(id) }
        }
    }
}

impl IntoIterator for AppliedSubschemas {
    type Item = SchemaId;
    type IntoIter = std::iter::Chain<std::option::IntoIter<SchemaId>, std::vec::IntoIter<SchemaId>>;

    fn into_iter(self) -> Self::IntoIter {
        self.first.into_iter().chain(self.more)
    }
}

/// Returns the entry or item at an index, or the value itself if there is none.
pub(super) fn child_at<'s, 'v>(value: &'s Value<'v>, index: usize) -> &'s Value<'v> {
    let part = match value {
        Value::Object(entries) => entries.get(index).map(|(_, value)| value),
        Value::Array(items) => items.get(index),
        _ => None,
    };
    part.unwrap_or(value)
}
