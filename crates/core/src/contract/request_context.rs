//! A request, as the expressions of a contract see it.

use std::borrow::Cow;

use super::action::Action;
use super::lookup::Lookup;
use super::scope::{Frame, Scope, object};
use super::{Contract, Outcome};
use crate::form::{Form, Resource};
use crate::value::Value;

/// What is known of a request.
#[derive(Debug, Default, Clone)]
pub struct RequestContext {
    /// Its method and path, `request`, where an expression reads them.
    pub request: Value<'static>,
    /// Where the contract is reached, without a slash at the end, where an expression reads it:
    /// `https://api.example.com`.
    pub base_url: Value<'static>,
    /// Seconds since it came.
    pub elapsed: f64,
    /// What its path says, by name.
    pub names: Value<'static>,
    /// Its query, by key.
    pub query: Value<'static>,
    /// Its body, where an expression reads it.
    pub sent: Value<'static>,
    /// Who sends it: `name`, `user`, `user_id`, `attributes`.
    pub caller: Value<'static>,
    /// Whatever was found or made since, by name: `user`, `record`, `ids`, `generated`.
    pub more: Vec<(&'static str, Value<'static>)>,
}

impl RequestContext {
    /// All of it by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, &Value<'static>)> {
        let known = [
            ("request", &self.request),
            ("base_url", &self.base_url),
            ("path", &self.names),
            ("query", &self.query),
            ("sent", &self.sent),
            ("caller", &self.caller),
        ];
        known.into_iter().chain(self.more.iter().map(|(name, value)| (*name, value)))
    }

    /// What is known by a name.
    pub(crate) fn get(&self, name: &str) -> Option<&Value<'static>> {
        self.all().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Notes something that was found or made, in place of what was known by that name.
    pub fn set(&mut self, name: &'static str, value: Value<'static>) {
        self.more.retain(|(known, _)| *known != name);
        self.more.push((name, value));
    }
}

impl Contract {
    /// Who is meant by a request, by each way that says anything.
    ///
    /// # Errors
    /// Where an expression cannot be worked out: why, never with a value.
    pub fn resolve_lookup(
        &self,
        action: &Action,
        asked: &RequestContext,
    ) -> Result<Vec<Lookup>, String> {
        let values = Scope::of(asked);
        let form = self.form().map(|form| &**form);
        self.lookups(&action.find, &values, form, action.paging.is_strict)
    }

    /// The user to whom what is meant must belong, where the route says so.
    ///
    /// # Errors
    /// As for [`meant`](Self::meant).
    pub fn resolve_parent(
        &self,
        action: &Action,
        asked: &RequestContext,
    ) -> Result<Option<Vec<Lookup>>, String> {
        let Some(within) = &action.parent else { return Ok(None) };
        let values = Scope::of(asked);
        self.lookups(within, &values, self.form().map(|form| &**form), false).map(Some)
    }

    /// The user who calls by a name.
    ///
    /// # Errors
    /// As for [`meant`](Self::meant).
    pub fn lookup_caller(&self, name: &str) -> Result<Vec<Lookup>, String> {
        let name = Value::String(Cow::Borrowed(name));
        let values = Scope::new(object([("credential", object([("name", name)]))]));
        let form = self.form().map(|form| &**form);
        self.lookups(&self.authentication.user, &values, form, false)
    }

    /// Whether a user may call at all.
    ///
    /// # Errors
    /// As for [`meant`](Self::meant).
    pub fn allows_caller(&self, user: Value<'_>) -> Result<bool, String> {
        let Some(condition) = &self.authentication.allowed_if else { return Ok(true) };
        condition.is_true(&Scope::new(object([("user", user)])))
    }

    /// What the contract's conditions have against a request, the first of it.
    ///
    /// # Errors
    /// As for [`meant`](Self::meant).
    pub fn failed_precondition(
        &self,
        action: &Action,
        asked: &RequestContext,
    ) -> Result<Option<Outcome>, String> {
        if action.checks.is_empty() {
            return Ok(None);
        }
        let values = Scope::of(asked);
        for (outcome, when, condition) in &action.checks {
            if condition.is_true(&values)? == *when {
                return Ok(Some(*outcome));
            }
        }
        Ok(None)
    }

    /// The password that a request shows.
    ///
    /// # Errors
    /// As for [`meant`](Self::meant).
    pub fn password(
        &self,
        action: &Action,
        asked: &RequestContext,
    ) -> Result<Option<String>, String> {
        let Some(filling) = &action.password else { return Ok(None) };
        filling.text(&Scope::of(asked))
    }

    /// The token, and its name, for which another shall be made.
    ///
    /// # Errors
    /// As for [`meant`](Self::meant).
    #[expect(clippy::type_complexity, reason = "both may be missing, and it may fail")]
    pub fn token_to_issue(
        &self,
        action: &Action,
        asked: &RequestContext,
    ) -> Result<Option<(Option<String>, Option<Option<String>>)>, String> {
        let Some(mint) = &action.issue_token else { return Ok(None) };
        let Some(secret) = &mint.secret else { return Ok(None) };
        let values = Scope::of(asked);
        let name = mint.name.as_ref().map(|name| name.text(&values)).transpose()?;
        Ok(Some((secret.text(&values)?, name)))
    }

    /// The numbers of a user's records that a route takes away.
    ///
    /// # Errors
    /// As for [`meant`](Self::meant).
    pub fn removed_ids(
        &self,
        action: &Action,
        asked: &RequestContext,
        user: &Value<'_>,
    ) -> Result<(Resource, Vec<i64>), String> {
        let Some(remove) = &action.remove else { return Ok((Resource::User, Vec::new())) };
        let found = remove.path.split('.').try_fold(user, |value, part| value.get(part));
        let Some(Value::Array(members)) = found else {
            return Ok((remove.resource, Vec::new()));
        };
        let values = Scope::of(asked);
        let mut removed = Vec::new();
        for member in members {
            let inside = Frame::Named("member", member);
            let is_meant = match &remove.only {
                Some(only) => only.is_true(&values.inside(inside))?,
                None => true,
            };
            if let (true, Some(Value::Number(id))) = (is_meant, member.get("id")) {
                removed.extend(id.parse::<i64>());
            }
        }
        Ok((remove.resource, removed))
    }

    /// The form of a submission and what is submitted, where the request says which.
    ///
    /// # Errors
    /// What is wrong around the form.
    pub fn select_form<'c, 'v>(
        &'c self,
        action: &'c Action,
        sent: &'v Value<'v>,
        query: &Value<'_>,
    ) -> Result<(&'c std::sync::Arc<Form>, &'v Value<'v>), super::InvalidParameter<'c>> {
        action.input.select(sent, query, action.operation, action.resource)
    }

    /// What goes to the form that was [`chosen`](Self::chosen), taken out of what was sent.
    #[must_use]
    pub fn form_input<'v>(&self, action: &Action, sent: Value<'v>) -> Value<'v> {
        action.input.form_input(sent)
    }
}

impl Action {
    /// What is to be made of chance, by name.
    pub fn generated_codes(&self) -> impl Iterator<Item = (&str, super::CodeFormat)> {
        self.generate.iter().map(|(name, letters)| (&**name, *letters))
    }
}
