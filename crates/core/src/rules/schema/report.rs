//! Tells what of a value breaks a schema: the keywords of each part, but not of the branches of
//! unions, until the most violations are reported or the budget is used up.

use super::assertions::FailedKeyword;
use super::evaluate::{BudgetExhausted, SchemaRun, child_at};
use super::messages::{
    ADDITIONAL_PROPERTIES, ANY_OF, CONTAINS, FALSE, ITEMS, NOT, ONE_OF, PROPERTY_NAMES,
    TOO_COMPLEX, UNEVALUATED_ITEMS, UNEVALUATED_PROPERTIES, message_of,
};
use super::program::{CompiledSchema, Keywords, SchemaId};
use crate::evaluate::shortened;
use crate::rules::{NestedStep, Reporter};
use crate::value::Value;
use crate::violation::{Message, Params};

pub(super) struct SchemaReporter<'r, 'p, 'o, 'a> {
    run: SchemaRun<'p>,
    report: &'r mut Reporter<'o, 'a>,
    /// Whether anything was told yet.
    has_told: bool,
    /// Whether no further violation is reported.
    is_over: bool,
}

type BudgetResult = Result<(), BudgetExhausted>;

impl<'r, 'p, 'o, 'a> SchemaReporter<'r, 'p, 'o, 'a> {
    pub(super) fn new(run: SchemaRun<'p>, report: &'r mut Reporter<'o, 'a>) -> Self {
        Self { run, report, has_told: false, is_over: false }
    }

    /// Tells what is wrong with an invalid value. Returns how many steps are left.
    pub(super) fn report(mut self, id: SchemaId, value: &Value<'_>) -> u64 {
        let told = self.within(id, value, &mut Vec::new());
        if told.is_err() && !self.has_told {
            self.fail(&[], &TOO_COMPLEX, Params::new());
        }
        self.run.left
    }

    fn fail(&mut self, path: &[NestedStep<'_>], message: &'static Message, params: Params) {
        // The one that is too many notes that there are more.
        self.is_over = self.report.is_full();
        self.has_told = true;
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
        self.report.fail_within(&path, message, params);
    }

    /// Tells what is wrong with a value under a schema under which it is invalid.
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
        let mut broken: Vec<FailedKeyword<'_>> = Vec::new();
        self.run.assertions(keywords, value, &mut |one| {
            broken.push(one);
            true
        })?;
        for one in &broken {
            let (message, params) = message_of(*one);
            self.fail(path, message, params);
        }
        // What is of the wrong type or size is not looked into.
        let is_refused = broken.iter().any(|one| {
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
        for (id, place) in self.run.unevaluated(keywords, value)? {
            let part = child_at(value, place);
            if self.is_over || self.run.is_valid(id, part)? {
                continue;
            }
            match value {
                Value::Object(entries) => {
                    let name = entries.get(place).map_or("", |(name, _)| name);
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
        for (place, item) in items.iter().enumerate() {
            let in_prefix = keywords.prefix.get(place).copied();
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
            path.push(NestedStep::Index(place));
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
