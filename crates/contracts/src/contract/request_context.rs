//! The request context: root variables for the expressions of a contract.

use registrar_core::value::Value;

/// Root variables of a request.
#[derive(Debug, Default, Clone)]
pub struct RequestContext {
    /// `request`: method and path; null unless an expression reads it.
    pub request: Value<'static>,
    /// `base_url`: the contract's URL without a trailing slash, such as `https://api.example.com`;
    /// null unless an expression reads it.
    pub base_url: Value<'static>,
    /// Seconds since the request arrived.
    pub elapsed: f64,
    /// `path`: path parameters by name.
    pub names: Value<'static>,
    /// `query`: query parameters by key.
    pub query: Value<'static>,
    /// `sent`: the body; null unless an expression reads it.
    pub sent: Value<'static>,
    /// `caller`: `name`, `user`, `user_id`, `attributes`.
    pub caller: Value<'static>,
    /// Further variables that are set during the request: `user`, `record`, `ids`, `generated`.
    pub more: Vec<(&'static str, Value<'static>)>,
}

impl RequestContext {
    /// Returns all root variables.
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

    /// Returns the root variable with a name.
    pub(crate) fn get(&self, name: &str) -> Option<&Value<'static>> {
        self.all().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Sets a variable, replacing an earlier one with its name.
    pub fn set(&mut self, name: &'static str, value: Value<'static>) {
        self.more.retain(|(known, _)| *known != name);
        self.more.push((name, value));
    }
}
