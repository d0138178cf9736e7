//! Reports the violations of an invalid value: the failed keywords of each part, but not those of
//! the branches of unions, until the maximum number of violations or the step budget is reached.

use super::assertions::FailedKeyword;
use super::evaluate::{BudgetExhausted, SchemaRun, child_at};
use super::messages::{
    ADDITIONAL_PROPERTIES, ANY_OF, CONTAINS, FALSE, ITEMS, NOT, ONE_OF, PROPERTY_NAMES,
    TOO_COMPLEX, UNEVALUATED_ITEMS, UNEVALUATED_PROPERTIES, message_of,
};
use super::program::{CompiledSchema, Keywords, SchemaId};
use crate::messages::{Message, Params};
use crate::rules::{NestedStep, Reporter};
use crate::submission::shortened;
use crate::value::Value;

pub(super) struct SchemaReporter<'r, 'p, 'o, 'a> {
    run: SchemaRun<'p>,
    reporter: &'r mut Reporter<'o, 'a>,
    /// Whether a violation has been reported.
    has_reported: bool,
    /// Whether the maximum number of violations is exceeded.
    is_over: bool,
}

type BudgetResult = Result<(), BudgetExhausted>;

impl<'r, 'p, 'o, 'a> SchemaReporter<'r, 'p, 'o, 'a> {
    pub(super) fn new(run: SchemaRun<'p>, reporter: &'r mut Reporter<'o, 'a>) -> Self {
        Self { run, reporter, has_reported: false, is_over: false }
    }

    /// Reports the violations of an invalid value. Returns the number of steps left.
    pub(super) fn report(mut self, id: SchemaId, value: &Value<'_>) -> u64 {
        let result = self.within(id, value, &mut Vec::new());
        if result.is_err() && !self.has_reported {
            self.fail(&[], &TOO_COMPLEX, Params::new());
        }
        self.run.left
    }

    fn fail(&mut self, path: &[NestedStep<'_>], message: &'static Message, params: Params) {
        // A violation beyond the maximum still marks the list as truncated.
        self.is_over = self.reporter.is_full();
        self.has_reported = true;
        let keys: Vec<String> = path
            .iter()
            .map(|step| match step {
                NestedStep::Key(key) => shortened(key),
                NestedStep::Index(_) => String::new(),
            })
            .collect();
        let path: Vec<NestedStep<'_>> = path
            .iter()
            .zip(&keys)
            .map(|(step, key)| match step {
                NestedStep::Key(_) => NestedStep::Key(key),
                NestedStep::Index(index) => NestedStep::Index(*index),
            })
            .collect();
        self.reporter.fail_within(&path, message, params);
    }

    /// Reports the violations of a value under a schema that it does not satisfy.
    ///
    /// # Errors
    ///
    /// Returns an error if the step budget is exhausted.
    fn within<'v>(
        &mut self,
        id: SchemaId,
        value: &'v Value<'_>,
        path: &mut Vec<NestedStep<'v>>,
    ) -> BudgetResult {
        let keywords = match self.run.schema(id) {
            CompiledSchema::Bool(_) => {
                self.fail(path, &FALSE, Params::new());
                return Ok(());
            }
            CompiledSchema::Object(keywords) => &**keywords,
        };
        let mut failed: Vec<FailedKeyword<'_>> = Vec::new();
        self.run.assertions(keywords, value, &mut |one| {
            failed.push(one);
            true
        })?;
        for one in &failed {
            let (message, params) = message_of(*one);
            self.fail(path, message, params);
        }
        // The parts of a value of the wrong type or size are not validated.
        let is_refused = failed.iter().any(|one| {
            matches!(
                one,
                FailedKeyword::Type(_)
                    | FailedKeyword::MaxItems(_)
                    | FailedKeyword::MaxProperties(_)
            )
        });
        if is_refused || self.is_over {
            return Ok(());
        }
        match value {
            Value::Object(_) => self.entries(keywords, value, path)?,
            Value::Array(items) => self.items(keywords, items, path)?,
            _ => {}
        }
        self.in_place(keywords, value, path)?;
        for (id, index) in self.run.unevaluated(keywords, value)? {
            let part = child_at(value, index);
            if self.is_over || self.run.is_valid(id, part)? {
                continue;
            }
            match value {
                Value::Object(entries) => {
                    let name = entries.get(index).map_or("", |(name, _)| name);
                    path.push(NestedStep::Key(name));
                    self.fail(path, &UNEVALUATED_PROPERTIES, Params::new());
                    path.pop();
                }
                _ => {
                    self.fail(path, &UNEVALUATED_ITEMS, Params::new());
                    break;
                }
            }
        }
        Ok(())
    }

    fn entries<'v>(
        &mut self,
        keywords: &'p Keywords,
        value: &'v Value<'_>,
        path: &mut Vec<NestedStep<'v>>,
    ) -> BudgetResult {
        let Value::Object(entries) = value else { return Ok(()) };
        if let Some(id) = keywords.names {
            for (name, _) in entries {
                if !self.run.is_valid(id, &Value::String(name.as_ref().into()))? {
                    self.fail(path, &PROPERTY_NAMES, Params::new());
                    break;
                }
            }
        }
        for (name, value) in entries {
            for id in self.run.applied_to(keywords, name)? {
                if self.is_over {
                    return Ok(());
                }
                if self.run.is_valid(id, value)? {
                    continue;
                }
                path.push(NestedStep::Key(name));
                let is_unknown = keywords.additional == Some(id)
                    && matches!(self.run.schema(id), CompiledSchema::Bool(false));
                match is_unknown {
                    true => self.fail(path, &ADDITIONAL_PROPERTIES, Params::new()),
                    false => self.within(id, value, path)?,
                }
                path.pop();
            }
        }
        Ok(())
    }

    fn items<'v>(
        &mut self,
        keywords: &'p Keywords,
        items: &'v [Value<'_>],
        path: &mut Vec<NestedStep<'v>>,
    ) -> BudgetResult {
        for (index, item) in items.iter().enumerate() {
            let in_prefix = keywords.prefix.get(index).copied();
            let Some(id) = in_prefix.or(keywords.items) else { break };
            if self.is_over {
                return Ok(());
            }
            if self.run.is_valid(id, item)? {
                continue;
            }
            if in_prefix.is_none() && matches!(self.run.schema(id), CompiledSchema::Bool(false)) {
                self.fail(path, &ITEMS, Params::new());
                break;
            }
            path.push(NestedStep::Index(index));
            self.within(id, item, path)?;
            path.pop();
        }
        if !self.run.contains(keywords, items)? {
            self.fail(path, &CONTAINS, Params::new());
        }
        Ok(())
    }

    fn in_place<'v>(
        &mut self,
        keywords: &'p Keywords,
        value: &'v Value<'_>,
        path: &mut Vec<NestedStep<'v>>,
    ) -> BudgetResult {
        for id in self.run.required_in_place(keywords, value)? {
            if self.is_over {
                return Ok(());
            }
            if !self.run.is_valid(id, value)? {
                self.within(id, value, path)?;
            }
        }
        if !self.run.any_of(keywords, value)? {
            self.fail(path, &ANY_OF, Params::new());
        }
        if !self.run.one_of(keywords, value)? {
            self.fail(path, &ONE_OF, Params::new());
        }
        if !self.run.not(keywords, value)? {
            self.fail(path, &NOT, Params::new());
        }
        Ok(())
    }
}
