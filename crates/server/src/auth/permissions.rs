//! Authorization: scopes, forms, and ownership. Every operation is checked here and refused unless the
//! principal's permissions allow it.
//!
//! | principal | operations | forms | users and records |
//! |---|---|---|---|
//! | unlimited token | all | all | all |
//! | `--may SCOPES` | those of its scopes | all; privileged ones with the scope `privileged` | all |
//! | `--form NAMES` | `create`, or those of `--may` | those | those of users created by these forms |
//! | token issued by a contract | at most those of its parent, never `privileged` | at most those of its parent | as its parent |
//! | user: a session, or Basic | as its token | all but privileged ones | its own |
//! | user of a contract with `access: all` | all | all | all of the contract |
//! | anonymous: a public route | the route's | all but privileged ones | those that the route names |

use std::sync::Arc;

use actix_web::http::StatusCode;
use registrar_contracts::Operation;
use registrar_core::form::Form;
use registrar_store::{ApiToken, RecordFilter, UserFilter};
use strum::{IntoStaticStr, VariantArray};

use crate::error::ApiError;

/// A scope of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Scope {
    /// Create users and records.
    Create,
    /// Read users, records and forms.
    Read,
    /// Change users and records.
    Update,
    /// Delete users and records.
    Delete,
    /// Issue, verify and revoke credentials of users.
    Sessions,
    /// Submit forms that are `privileged`.
    Privileged,
    /// See private fields in responses.
    Private,
}

impl Scope {
    /// All scopes.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Returns the name of the scope.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Returns the scopes that an operation needs.
    #[must_use]
    pub fn required_by(operation: Operation) -> &'static [Self] {
        match operation {
            Operation::Create => &[Self::Create],
            Operation::Show | Operation::List => &[Self::Read],
            Operation::Update | Operation::Remove => &[Self::Update],
            Operation::Upsert => &[Self::Create, Self::Update],
            Operation::Delete => &[Self::Delete],
            Operation::IssueToken | Operation::Verify | Operation::Revoke => &[Self::Sessions],
            Operation::Respond => &[],
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scopes(u8);

impl Scopes {
    const ALL: Self = Self(u8::MAX);

    /// Parses a stored JSON array of scope names. Returns the empty set if it is invalid.
    fn parse(list: &str) -> Self {
        let names: Vec<&str> = serde_json::from_str(list).unwrap_or_default();
        let known = Scope::ALL.iter().filter(|scope| names.contains(&scope.name()));
        Self(known.fold(0, |bits, scope| bits | scope.bit()))
    }

    fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    fn without(self, scope: Scope) -> Self {
        Self(self.0 & !scope.bit())
    }
}

/// Permissions of a principal.
#[derive(Debug, Clone)]
pub(crate) struct Permissions {
    scopes: Scopes,
    /// Forms that may be submitted; users created by them may be accessed. `None` if unlimited.
    forms: Option<Arc<[String]>>,
    /// User that the principal acts for: only records owned by it may be accessed.
    owner: Option<i64>,
}

impl Permissions {
    /// Returns the permissions of a token. A token limited to forms but not to scopes may create through
    /// those forms and nothing else.
    pub(crate) fn of_token(token: &ApiToken) -> Self {
        let scopes = match (&token.scopes, &token.forms) {
            (Some(scopes), _) => Scopes::parse(scopes),
            (None, Some(_)) => Scopes(Scope::Create.bit()),
            (None, None) => Scopes::ALL,
        };
        // An issued token belongs to a client, not to the operator, whatever its parent may do.
        let is_issued = token.parent_id.is_some() || token.user_id.is_some();
        let scopes = if is_issued { scopes.without(Scope::Privileged) } else { scopes };
        let forms = token.forms.as_deref();
        let forms = forms.map(|list| serde_json::from_str(list).unwrap_or_default());
        Self { scopes, forms: forms.map(Vec::into), owner: token.user_id }
    }

    /// Returns the permissions of an anonymous caller of a public route.
    pub(crate) fn of_anonymous() -> Self {
        Self { scopes: Scopes::ALL.without(Scope::Privileged), forms: None, owner: None }
    }

    /// Returns the permissions of a user authenticated by password. With `access: all` in the contract, its
    /// users are operators.
    pub(crate) fn of_user(id: i64, has_access_to_all: bool) -> Self {
        if has_access_to_all {
            Self { scopes: Scopes::ALL, forms: None, owner: None }
        } else {
            Self { owner: Some(id), ..Self::of_anonymous() }
        }
    }

    /// Returns the scopes of a token issued by this principal as a JSON array: its own without `privileged`.
    pub(crate) fn scopes_to_issue(&self) -> String {
        let scopes = self.scopes.without(Scope::Privileged);
        let held = Scope::ALL.iter().filter(|scope| scopes.has(**scope));
        let names: Vec<&str> = held.map(|scope| scope.name()).collect();
        serde_json::to_string(&names).unwrap_or_else(|_| "[]".to_owned())
    }

    /// Returns the forms of a token issued by this principal as a JSON array, or `None` if unlimited.
    pub(crate) fn forms_to_issue(&self) -> Option<String> {
        self.forms.as_ref().map(|forms| serde_json::to_string(&**forms).unwrap_or_default())
    }

    /// Returns whether private fields are shown.
    pub(crate) fn shows_private(&self) -> bool {
        self.scopes.has(Scope::Private)
    }

    /// Returns the only user who may own written records, or `None` if unlimited.
    pub(crate) fn owner(&self) -> Option<i64> {
        self.owner
    }

    /// Returns whether all users and records may be accessed.
    pub(crate) fn reaches_all(&self) -> bool {
        self.owner.is_none() && self.forms.is_none()
    }

    /// Authorizes an operation.
    ///
    /// # Errors
    /// Returns 403 if a scope is missing.
    pub(crate) fn allow(&self, operation: Operation) -> Result<(), ApiError> {
        Scope::required_by(operation).iter().try_for_each(|scope| self.allow_scope(*scope))
    }

    /// Authorizes an action that needs a scope.
    ///
    /// # Errors
    /// Returns 403 if the scope is missing.
    pub(crate) fn allow_scope(&self, scope: Scope) -> Result<(), ApiError> {
        if self.scopes.has(scope) {
            return Ok(());
        }
        let text = format!("the token lacks the scope `{}`", scope.name());
        Err(ApiError::new(StatusCode::FORBIDDEN, "insufficient_scope", text))
    }

    /// Authorizes the submission of a form.
    ///
    /// # Errors
    /// Returns 403 if the principal is limited to other forms, or the form is privileged and that scope is
    /// missing.
    pub(crate) fn allow_form(&self, form: &Form) -> Result<(), ApiError> {
        if !self.may_submit(&form.name) {
            let text = "the token is limited to other forms (`--form`)";
            return Err(ApiError::new(StatusCode::FORBIDDEN, "form_not_allowed", text));
        }
        if form.is_privileged { self.allow_scope(Scope::Privileged) } else { Ok(()) }
    }

    /// Authorizes the description of a form, for principals that may read, or create through it.
    ///
    /// # Errors
    /// Returns 403 otherwise.
    pub(crate) fn allow_description(&self, form: &Form) -> Result<(), ApiError> {
        let may_create = form.may_create && self.scopes.has(Scope::Create);
        if may_create && self.allow_form(form).is_ok() {
            return Ok(());
        }
        self.allow_scope(Scope::Read)?;
        if self.may_submit(&form.name) { Ok(()) } else { self.allow_form(form) }
    }

    /// Returns whether the form is among those that may be submitted.
    pub(crate) fn may_submit(&self, form: &str) -> bool {
        self.forms.as_ref().is_none_or(|forms| forms.iter().any(|name| name == form))
    }

    /// Authorizes an action that is not limited to some users or forms.
    ///
    /// # Errors
    /// Returns 403 if the principal is limited to one user or to some forms.
    pub(crate) fn allow_all_users(&self) -> Result<(), ApiError> {
        if self.reaches_all() {
            return Ok(());
        }
        let text = "the token is limited to some forms or to one user";
        Err(ApiError::new(StatusCode::FORBIDDEN, "form_not_allowed", text))
    }

    /// Narrows a filter to the users that the principal may access.
    pub(crate) fn narrow_users(&self, filter: &mut UserFilter) {
        if let Some(forms) = &self.forms {
            let both = match filter.form_names.take() {
                Some(wanted) => wanted.into_iter().filter(|name| forms.contains(name)).collect(),
                None => forms.to_vec(),
            };
            filter.form_names = Some(both);
        }
        if let Some(owner) = self.owner {
            filter.restricted_to = Some(owner);
        }
    }

    /// Narrows a filter to the records that the principal may access.
    pub(crate) fn narrow_records(&self, filter: &mut RecordFilter) {
        filter.owner_forms = self.forms.as_ref().map(|forms| forms.to_vec());
        match (self.owner, filter.user_id) {
            (Some(owner), Some(user)) if owner != user => filter.ids = Some(Vec::new()),
            (Some(owner), _) => filter.user_id = Some(owner),
            (None, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(scopes: Option<&str>, forms: Option<&str>) -> ApiToken {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        ApiToken { scopes: owned(scopes), forms: owned(forms), ..ApiToken::default() }
    }

    const OPERATIONS: [(Operation, &[Scope]); 11] = [
        (Operation::Create, &[Scope::Create]),
        (Operation::Show, &[Scope::Read]),
        (Operation::List, &[Scope::Read]),
        (Operation::Update, &[Scope::Update]),
        (Operation::Upsert, &[Scope::Create, Scope::Update]),
        (Operation::Remove, &[Scope::Update]),
        (Operation::Delete, &[Scope::Delete]),
        (Operation::IssueToken, &[Scope::Sessions]),
        (Operation::Verify, &[Scope::Sessions]),
        (Operation::Revoke, &[Scope::Sessions]),
        (Operation::Respond, &[]),
    ];

    #[test]
    fn operation_requires_all_of_its_scopes() {
        let some = [Scope::Create, Scope::Read];
        let tokens = [
            (token(None, None), None),
            (token(Some(r#"["create","read"]"#), None), Some(&some[..])),
            (token(Some("everything"), None), Some(&[][..])),
            (token(None, Some(r#"["sign_up"]"#)), Some(&some[..1])),
            (token(Some(r#"["read","create"]"#), Some(r#"["sign_up"]"#)), Some(&some[..])),
        ];
        for (token, scopes) in tokens {
            let permissions = Permissions::of_token(&token);
            for (operation, required) in OPERATIONS {
                let allowed =
                    scopes.is_none_or(|scopes| required.iter().all(|scope| scopes.contains(scope)));
                assert_eq!(
                    permissions.allow(operation).is_ok(),
                    allowed,
                    "{token:?} {operation:?}"
                );
            }
        }
    }

    #[test]
    fn issued_token_is_never_privileged_and_acts_for_its_user() {
        let all = Permissions::of_token(&token(None, None));
        assert!(all.allow_scope(Scope::Privileged).is_ok() && all.reaches_all());
        let issued = [
            ApiToken { parent_id: Some(1), ..token(None, None) },
            ApiToken { user_id: Some(7), ..token(Some(r#"["privileged","read"]"#), None) },
        ];
        for token in issued {
            let permissions = Permissions::of_token(&token);
            assert!(permissions.allow_scope(Scope::Privileged).is_err(), "{token:?}");
            assert!(permissions.allow_scope(Scope::Read).is_ok(), "{token:?}");
            assert_eq!(permissions.owner(), token.user_id);
        }
        assert!(!all.scopes_to_issue().contains("privileged"));
        assert!(Permissions::of_anonymous().allow_scope(Scope::Privileged).is_err());
        assert!(Permissions::of_user(7, false).allow_scope(Scope::Privileged).is_err());
    }

    #[test]
    fn filters_are_narrowed_never_widened() {
        let forms = Permissions::of_token(&token(None, Some(r#"["a","b"]"#)));
        for (requested, narrowed) in
            [(None, vec!["a", "b"]), (Some(vec!["b", "c"]), vec!["b"]), (Some(vec!["c"]), vec![])]
        {
            let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<Vec<_>>();
            let mut filter =
                UserFilter { form_names: requested.map(owned), ..UserFilter::default() };
            forms.narrow_users(&mut filter);
            assert_eq!(filter.form_names, Some(owned(narrowed)));
        }
        let user = Permissions::of_user(7, false);
        for (requested, user_id, ids) in
            [(None, Some(7), None), (Some(7), Some(7), None), (Some(8), Some(8), Some(Vec::new()))]
        {
            let mut filter = RecordFilter { user_id: requested, ..RecordFilter::default() };
            user.narrow_records(&mut filter);
            assert_eq!((filter.user_id, filter.ids), (user_id, ids));
        }
    }
}
