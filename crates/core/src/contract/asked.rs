//! A request, as the expressions of a contract see it.

use std::borrow::Cow;

use super::action::Action;
use super::sought::Sought;
use super::values::{Held, Values, object, owned};
use super::{Contract, Outcome};
use crate::form::{Form, Resource};
use crate::value::Value;

/// What is known of a request.
#[derive(Debug, Default, Clone)]
pub struct Asked {
    /// Its method.
    pub method: String,
    /// Its path, as the client wrote it.
    pub path: String,
    /// Where the contract is reached, without a slash at the end: `https://api.example.com`.
    pub base_url: String,
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

impl Asked {
    /// All of it by name.
    pub(crate) fn values(&self) -> Values<'_> {
        fn text(text: &str) -> Value<'_> {
            Value::String(Cow::Borrowed(text))
        }
        let request = object([("method", text(&self.method)), ("path", text(&self.path))]);
        let known = [
            ("request", Held::Own(request)),
            ("base_url", Held::Own(text(&self.base_url))),
            ("path", Held::Lent(&self.names)),
            ("query", Held::Lent(&self.query)),
            ("sent", Held::Lent(&self.sent)),
            ("caller", Held::Lent(&self.caller)),
        ];
        let more = self.more.iter().map(|(name, value)| (*name, Held::Lent(value)));
        Values::new(more.chain(known).collect())
    }

    /// Notes something that was found or made, in place of what was known by that name.
    pub fn note(&mut self, name: &'static str, value: Value<'static>) {
        self.more.retain(|(known, _)| *known != name);
        self.more.push((name, value));
    }
}

impl Contract {
    /// Who is meant by a request, by each way that says anything.
    ///
    /// # Errors
    /// Where an expression cannot be worked out: why, never with a value.
    pub fn meant(&self, action: &Action, asked: &Asked) -> Result<Vec<Sought>, String> {
        let values = asked.values();
        let form = self.form().map(|form| &**form);
        self.sought(&action.find, &values, form)
    }

    /// The user to whom what is meant must belong, where the route says so.
    ///
    /// # Errors
    /// As for [`meant`](Self::meant).
    pub fn meant_within(
        &self,
        action: &Action,
        asked: &Asked,
    ) -> Result<Option<Vec<Sought>>, String> {
        let Some(within) = &action.within else { return Ok(None) };
        let values = asked.values();
        self.sought(within, &values, self.form().map(|form| &**form)).map(Some)
    }

    /// The user who calls by a name.
    ///
    /// # Errors
    /// As for [`meant`](Self::meant).
    pub fn caller_named(&self, name: &str) -> Result<Vec<Sought>, String> {
        let name = Value::String(Cow::Borrowed(name));
        let values = Values::new(owned([("credential", object([("name", name)]))]));
        self.sought(&self.authentication.user, &values, self.form().map(|form| &**form))
    }

    /// Whether a user may call at all.
    ///
    /// # Errors
    /// As for [`meant`](Self::meant).
    pub fn lets_in(&self, user: Value<'_>) -> Result<bool, String> {
        let Some(condition) = &self.authentication.allowed_if else { return Ok(true) };
        condition.is_true(&Values::new(owned([("user", user)])))
    }

    /// What the contract's conditions have against a request, the first of it.
    ///
    /// # Errors
    /// As for [`meant`](Self::meant).
    pub fn objection(&self, action: &Action, asked: &Asked) -> Result<Option<Outcome>, String> {
        if action.checks.is_empty() {
            return Ok(None);
        }
        let values = asked.values();
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
    pub fn password(&self, action: &Action, asked: &Asked) -> Result<Option<String>, String> {
        let Some(filling) = &action.password else { return Ok(None) };
        filling.text(&asked.values())
    }

    /// The token, and its name, for which another shall be made.
    ///
    /// # Errors
    /// As for [`meant`](Self::meant).
    #[expect(clippy::type_complexity, reason = "both may be missing, and it may fail")]
    pub fn mints_for(
        &self,
        action: &Action,
        asked: &Asked,
    ) -> Result<Option<(Option<String>, Option<Option<String>>)>, String> {
        let Some(mint) = &action.mint else { return Ok(None) };
        let Some(secret) = &mint.secret else { return Ok(None) };
        let values = asked.values();
        let name = mint.name.as_ref().map(|name| name.text(&values)).transpose()?;
        Ok(Some((secret.text(&values)?, name)))
    }

    /// The numbers of a user's records that a route takes away.
    ///
    /// # Errors
    /// As for [`meant`](Self::meant).
    pub fn removed(
        &self,
        action: &Action,
        asked: &Asked,
        user: &Value<'_>,
    ) -> Result<(Resource, Vec<i64>), String> {
        let Some(remove) = &action.remove else { return Ok((Resource::User, Vec::new())) };
        let found = remove.path.split('.').try_fold(user, |value, part| value.get(part));
        let Some(Value::Array(members)) = found else {
            return Ok((remove.resource, Vec::new()));
        };
        let values = asked.values();
        let mut removed = Vec::new();
        for member in members {
            let inside = vec![("member", Held::Lent(member))];
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
    pub fn chosen<'c, 'v>(
        &'c self,
        action: &'c Action,
        sent: &'v Value<'v>,
        query: &Value<'_>,
    ) -> Result<(&'c std::sync::Arc<Form>, &'v Value<'v>), super::WrongParameter<'c>> {
        action.taken.choose(sent, query, action.operation, action.resource)
    }
}

impl Action {
    /// What is to be made of chance, by name.
    pub fn generates(&self) -> impl Iterator<Item = (&str, super::Letters)> {
        self.generate.iter().map(|(name, letters)| (&**name, *letters))
    }
}
