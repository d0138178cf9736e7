//! What a caller may do: scopes, forms, and whose records. Every operation asks here, with the caller,
//! the operation, the form and the record, and is refused unless something allows it.
//!
//! | caller | operations | forms | users and records |
//! |---|---|---|---|
//! | a token without limits | all | all | all |
//! | `--may SCOPES` | those of its scopes | all; privileged ones with the scope `privileged` | all |
//! | `--form NAMES` | `create`, or those of `--may` | those | what users of those forms have |
//! | a token that a contract issued | at most those of its parent, never `privileged` | at most those of its parent | as its parent |
//! | a user: a session, or Basic | as its token | none that is privileged | its own |
//! | a user of a contract with `access: all` | all | all | all of the contract |
//! | nobody: an open route | what the route does | none that is privileged | what the route names |

use std::sync::Arc;

use actix_web::http::StatusCode;
use registrar_core::contract::Operation;
use registrar_core::form::Form;
use registrar_store::{ApiToken, RecordFilter, UserFilter};

use crate::answer::Fault;

/// A kind of operation that a token can be limited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// Use forms that are `privileged`.
    Privileged,
    /// See private fields in answers.
    Private,
}

impl Scope {
    /// All scopes, by name.
    pub const ALL: [(&'static str, Self); 7] = [
        ("create", Self::Create),
        ("read", Self::Read),
        ("update", Self::Update),
        ("delete", Self::Delete),
        ("sessions", Self::Sessions),
        ("privileged", Self::Privileged),
        ("private", Self::Private),
    ];

    /// Returns its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, scope)| *scope == self).map_or("", |(name, _)| name)
    }

    /// Returns the scopes that an operation needs.
    fn of(operation: Operation) -> &'static [Self] {
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

    /// Returns the scopes that a stored JSON list names. A text that is no such list names none.
    fn parse(list: &str) -> Self {
        let names: Vec<&str> = serde_json::from_str(list).unwrap_or_default();
        let known = Scope::ALL.iter().filter(|(name, _)| names.contains(name));
        Self(known.fold(0, |bits, (_, scope)| bits | scope.bit()))
    }

    fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    fn without(self, scope: Scope) -> Self {
        Self(self.0 & !scope.bit())
    }
}

/// What a caller may do.
#[derive(Debug, Clone)]
pub(crate) struct Permissions {
    scopes: Scopes,
    /// The forms it may submit; those users that they created are the ones it reaches.
    forms: Option<Arc<[String]>>,
    /// The user it acts for: only what that user owns is reached.
    owner: Option<i64>,
}

impl Permissions {
    /// Returns the permissions of a token: all of them where the operator limited nothing. A token
    /// that is limited to forms, and to no scopes, may create through those forms and nothing else.
    pub(crate) fn of_token(token: &ApiToken) -> Self {
        let scopes = match (&token.scopes, &token.forms) {
            (Some(scopes), _) => Scopes::parse(scopes),
            (None, Some(_)) => Scopes(Scope::Create.bit()),
            (None, None) => Scopes::ALL,
        };
        // Whoever holds an issued token is not the operator, whatever its parent may do.
        let is_issued = token.parent_id.is_some() || token.user_id.is_some();
        let scopes = if is_issued { scopes.without(Scope::Privileged) } else { scopes };
        let forms = token.forms.as_deref();
        let forms = forms.map(|list| serde_json::from_str(list).unwrap_or_default());
        Self { scopes, forms: forms.map(Vec::into), owner: token.user_id }
    }

    /// Returns the permissions of callers of an open route.
    pub(crate) fn of_anonymous() -> Self {
        Self { scopes: Scopes::ALL.without(Scope::Privileged), forms: None, owner: None }
    }

    /// Returns the permissions of a user who shows a password. Where the contract says `access: all`
    /// its users are its operators.
    pub(crate) fn of_user(id: i64, has_access_to_all: bool) -> Self {
        if has_access_to_all {
            Self { scopes: Scopes::ALL, forms: None, owner: None }
        } else {
            Self { owner: Some(id), ..Self::of_anonymous() }
        }
    }

    /// Returns the JSON list of the scopes that a token issued by this caller has: those of the
    /// caller, `privileged` excepted.
    pub(crate) fn scopes_to_issue(&self) -> String {
        let scopes = self.scopes.without(Scope::Privileged);
        let names = Scope::ALL.iter().filter(|(_, scope)| scopes.has(*scope));
        let names: Vec<&str> = names.map(|(name, _)| *name).collect();
        serde_json::to_string(&names).unwrap_or_else(|_| "[]".to_owned())
    }

    /// Returns the JSON list of the forms that a token issued by this caller may submit, or `None`
    /// where it may submit all.
    pub(crate) fn forms_to_issue(&self) -> Option<String> {
        self.forms.as_ref().map(|forms| serde_json::to_string(&**forms).unwrap_or_default())
    }

    /// Returns whether the caller sees private fields.
    pub(crate) fn shows_private(&self) -> bool {
        self.scopes.has(Scope::Private)
    }

    /// Returns the user whose records alone the caller may write, if it is limited to any.
    pub(crate) fn owner(&self) -> Option<i64> {
        self.owner
    }

    /// Returns whether the caller reaches every user and record.
    pub(crate) fn reaches_all(&self) -> bool {
        self.owner.is_none() && self.forms.is_none()
    }

    /// Allows an operation.
    ///
    /// # Errors
    /// 403 where the caller lacks a scope.
    pub(crate) fn allow(&self, operation: Operation) -> Result<(), Fault> {
        Scope::of(operation).iter().try_for_each(|scope| self.allow_scope(*scope))
    }

    /// Allows whatever needs a scope.
    ///
    /// # Errors
    /// 403 where the caller lacks it.
    pub(crate) fn allow_scope(&self, scope: Scope) -> Result<(), Fault> {
        if self.scopes.has(scope) {
            return Ok(());
        }
        let text = format!("the token is not for this: it lacks the scope `{}`", scope.name());
        Err(Fault::new(StatusCode::FORBIDDEN, "insufficient_scope", text))
    }

    /// Allows a form to be submitted.
    ///
    /// # Errors
    /// 403 where the caller is limited to other forms, or the form is privileged and the caller lacks
    /// that scope.
    pub(crate) fn allow_form(&self, form: &Form) -> Result<(), Fault> {
        if !self.may_submit(&form.name) {
            let text = "the token is not for this form: it was made for others (`--form`)";
            return Err(Fault::new(StatusCode::FORBIDDEN, "form_not_allowed", text));
        }
        if form.is_privileged { self.allow_scope(Scope::Privileged) } else { Ok(()) }
    }

    /// Allows a form to be described to the caller: to whoever may read, or create through it.
    ///
    /// # Errors
    /// 403 where the caller may do neither.
    pub(crate) fn allow_description(&self, form: &Form) -> Result<(), Fault> {
        let may_create = form.may_create && self.scopes.has(Scope::Create);
        if may_create && self.allow_form(form).is_ok() {
            return Ok(());
        }
        self.allow_scope(Scope::Read)?;
        if self.may_submit(&form.name) { Ok(()) } else { self.allow_form(form) }
    }

    /// Returns whether the caller is not limited to other forms than the one of this name.
    pub(crate) fn may_submit(&self, form: &str) -> bool {
        self.forms.as_ref().is_none_or(|forms| forms.iter().any(|name| name == form))
    }

    /// Allows what is not limited to the records of one user, or to those of some forms.
    ///
    /// # Errors
    /// 403 where the caller is.
    pub(crate) fn allow_all_users(&self) -> Result<(), Fault> {
        if self.reaches_all() {
            return Ok(());
        }
        let text = "the token is not for this: it was made for some forms, or for one user";
        Err(Fault::new(StatusCode::FORBIDDEN, "form_not_allowed", text))
    }

    /// Narrows a filter to the users whom the caller reaches.
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

    /// Narrows a filter to the records that the caller reaches.
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
    fn an_operation_needs_all_of_its_scopes() {
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
            for (operation, needed) in OPERATIONS {
                let may = scopes.is_none_or(|scopes| needed.iter().all(|it| scopes.contains(it)));
                assert_eq!(permissions.allow(operation).is_ok(), may, "{token:?} {operation:?}");
            }
        }
    }

    #[test]
    fn an_issued_token_is_never_privileged_and_acts_for_its_user() {
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
        for (wanted, narrowed) in
            [(None, vec!["a", "b"]), (Some(vec!["b", "c"]), vec!["b"]), (Some(vec!["c"]), vec![])]
        {
            let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<Vec<_>>();
            let mut filter = UserFilter { form_names: wanted.map(owned), ..UserFilter::default() };
            forms.narrow_users(&mut filter);
            assert_eq!(filter.form_names, Some(owned(narrowed)));
        }
        let user = Permissions::of_user(7, false);
        for (wanted, user_id, ids) in
            [(None, Some(7), None), (Some(7), Some(7), None), (Some(8), Some(8), Some(Vec::new()))]
        {
            let mut filter = RecordFilter { user_id: wanted, ..RecordFilter::default() };
            user.narrow_records(&mut filter);
            assert_eq!((filter.user_id, filter.ids), (user_id, ids));
        }
    }
}
