//! Ids of a contract, and how answers show them.

use registrar_core::id_format::IdFormat;
use registrar_core::value::Value;

/// An id of a contract.
#[derive(Debug)]
pub(crate) struct IdField {
    pub(crate) name: Box<str>,
    pub(crate) format: IdFormat,
    /// Format as written in the contract.
    pub(crate) spelled: Box<str>,
    /// Salt: selects the permutation of this contract and resource.
    pub(crate) salt: Box<str>,
    /// Whether clients may choose it. It is then the user's `external_id`.
    pub(crate) may_be_given: bool,
    /// Whether it identifies users, not other records.
    pub(crate) is_of_users: bool,
}

impl IdField {
    /// Returns the id of a user or record as an answer shows it.
    pub(crate) fn show(&self, number: i64, user: &Value<'_>) -> Value<'static> {
        let text = |name: &str| user.get(name).and_then(Value::as_str);
        if self.may_be_given
            && let Some(external_id) = text("external_id")
        {
            return Value::String(external_id.to_owned().into());
        }
        self.format.show(&self.salt, number, text("uuid").unwrap_or_default())
    }
}
