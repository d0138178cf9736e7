//! What the expressions of a contract say about a request: the user or record that it is about,
//! failed preconditions, credentials, the selected form.

use super::error::ContractError;
use std::borrow::Cow;

use super::action::Action;
use super::lookup::Lookup;
use super::model::Contract;
use super::outcome::Outcome;
use super::request_context::RequestContext;
use super::scope::{Frame, Scope, object};
use registrar_core::form::Form;
use registrar_core::record_kind::RecordKind;
use registrar_core::value::Value;

impl Contract {
    /// Evaluates the look-ups of a route, all of which must match.
    ///
    /// # Errors
    /// Returns the reason if an expression fails; it never contains a value.
    pub fn resolve_lookup(
        &self,
        action: &Action,
        context: &RequestContext,
    ) -> Result<Vec<Lookup>, ContractError> {
        let values = Scope::of(context);
        let form = self.form().map(|form| &**form);
        self.lookups(&action.find, &values, form, action.paging.is_strict)
    }

    /// Evaluates the `parent:` look-ups: the user that must own the record. Returns `None` if the
    /// route has none.
    ///
    /// # Errors
    /// Returns an error as [`resolve_lookup`](Self::resolve_lookup) does.
    pub fn resolve_parent(
        &self,
        action: &Action,
        context: &RequestContext,
    ) -> Result<Option<Vec<Lookup>>, ContractError> {
        let Some(parent) = &action.parent else { return Ok(None) };
        let values = Scope::of(context);
        self.lookups(parent, &values, self.form().map(|form| &**form), false).map(Some)
    }

    /// Evaluates the look-ups for the user of a Basic credential.
    ///
    /// # Errors
    /// Returns an error as [`resolve_lookup`](Self::resolve_lookup) does.
    pub fn lookup_caller(&self, name: &str) -> Result<Vec<Lookup>, ContractError> {
        let name = Value::String(Cow::Borrowed(name));
        let values = Scope::new(object([("credential", object([("name", name)]))]));
        let form = self.form().map(|form| &**form);
        self.lookups(&self.authentication.user, &values, form, false)
    }

    /// Whether a user may call the API.
    ///
    /// # Errors
    /// Returns an error as [`resolve_lookup`](Self::resolve_lookup) does.
    pub fn allows_caller(&self, user: Value<'_>) -> Result<bool, ContractError> {
        let Some(condition) = &self.authentication.allowed_if else { return Ok(true) };
        condition.is_true(&Scope::new(object([("user", user)])))
    }

    /// Returns the outcome of the first failed condition of a route, or `None` if all hold.
    ///
    /// # Errors
    /// Returns an error as [`resolve_lookup`](Self::resolve_lookup) does.
    pub fn failed_precondition(
        &self,
        action: &Action,
        context: &RequestContext,
    ) -> Result<Option<Outcome>, ContractError> {
        if action.checks.is_empty() {
            return Ok(None);
        }
        let values = Scope::of(context);
        for (outcome, when, condition) in &action.checks {
            if condition.is_true(&values)? == *when {
                return Ok(Some(*outcome));
            }
        }
        Ok(None)
    }

    /// Returns the password in a request, or `None` if the route has no `password:` or it is null.
    ///
    /// # Errors
    /// Returns an error as [`resolve_lookup`](Self::resolve_lookup) does.
    pub fn password(
        &self,
        action: &Action,
        context: &RequestContext,
    ) -> Result<Option<String>, ContractError> {
        let Some(filling) = &action.password else { return Ok(None) };
        filling.text(&Scope::of(context))
    }

    /// Returns the token, and its name, for which another one is to be issued. Returns `None` if
    /// the route issues tokens for users or none at all.
    ///
    /// # Errors
    /// Returns an error as [`resolve_lookup`](Self::resolve_lookup) does.
    #[expect(clippy::type_complexity, reason = "both may be missing, and it may fail")]
    pub fn token_to_issue(
        &self,
        action: &Action,
        context: &RequestContext,
    ) -> Result<Option<(Option<String>, Option<Option<String>>)>, ContractError> {
        let Some(issue_token) = &action.issue_token else { return Ok(None) };
        let Some(secret) = &issue_token.secret else { return Ok(None) };
        let values = Scope::of(context);
        let name = issue_token.name.as_ref().map(|name| name.text(&values)).transpose()?;
        Ok(Some((secret.text(&values)?, name)))
    }

    /// Returns the kind and numbers of the user's records that a route removes.
    ///
    /// # Errors
    /// Returns an error as [`resolve_lookup`](Self::resolve_lookup) does.
    pub fn removed_ids(
        &self,
        action: &Action,
        context: &RequestContext,
        user: &Value<'_>,
    ) -> Result<(RecordKind, Vec<i64>), ContractError> {
        let Some(remove) = &action.remove else { return Ok((RecordKind::User, Vec::new())) };
        let found = remove.path.split('.').try_fold(user, |value, part| value.get(part));
        let Some(Value::Array(members)) = found else {
            return Ok((remove.resource, Vec::new()));
        };
        let values = Scope::of(context);
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

    /// Returns the form of a submission and its input.
    ///
    /// # Errors
    /// Returns an error if the parameters that select the form are missing or wrong.
    pub fn select_form<'c, 'v>(
        &'c self,
        action: &'c Action,
        sent: &'v Value<'v>,
        query: &Value<'_>,
    ) -> Result<(&'c std::sync::Arc<Form>, &'v Value<'v>), super::InvalidParameter<'c>> {
        action.input.select(sent, query, action.operation, action.resource)
    }

    /// Takes the input of the form that [`select_form`](Self::select_form) returned out of the
    /// submission.
    #[must_use]
    pub fn form_input<'v>(&self, action: &Action, sent: Value<'v>) -> Value<'v> {
        action.input.form_input(sent)
    }
}

impl Action {
    /// Returns the names and formats of the random strings to generate.
    pub fn generated_codes(&self) -> impl Iterator<Item = (&str, super::CodeFormat)> {
        self.generate.iter().map(|(name, letters)| (&**name, *letters))
    }
}
