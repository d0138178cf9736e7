//! What a token may do: everything, or what its operator said.

use std::sync::Arc;

use actix_web::http::StatusCode;
use registrar_core::contract::Operation;
use registrar_core::form::Form;
use registrar_store::ApiToken;

use crate::answer::Fault;

/// Something that a token may be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// To make users and records.
    Create,
    /// To read them, and which forms there are.
    Read,
    /// To change them.
    Update,
    /// To delete them.
    Delete,
    /// To make, try and end credentials of users.
    Sessions,
    /// To use forms that are `privileged`.
    Privileged,
}

impl Scope {
    /// All of them, by name.
    pub const ALL: [(&'static str, Self); 6] = [
        ("create", Self::Create),
        ("read", Self::Read),
        ("update", Self::Update),
        ("delete", Self::Delete),
        ("sessions", Self::Sessions),
        ("privileged", Self::Privileged),
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, scope)| *scope == self).map_or("", |(name, _)| name)
    }

    /// What an operation needs.
    fn of(operation: Operation) -> &'static [Self] {
        match operation {
            Operation::Create => &[Self::Create],
            Operation::Show | Operation::List => &[Self::Read],
            Operation::Update | Operation::Detach => &[Self::Update],
            Operation::Upsert => &[Self::Create, Self::Update],
            Operation::Delete => &[Self::Delete],
            Operation::Mint | Operation::Verify | Operation::Revoke => &[Self::Sessions],
            Operation::Say => &[],
        }
    }
}

/// What a token may do. By default everything.
#[derive(Debug, Default, Clone)]
pub(crate) struct May {
    /// A JSON list of names of scopes.
    pub(crate) scopes: Option<Arc<str>>,
    /// A JSON list of names of forms.
    pub(crate) forms: Option<Arc<str>>,
}

impl May {
    /// What is stored of a token.
    pub(crate) fn of(token: &ApiToken) -> Self {
        let shared = |text: &Option<String>| text.as_deref().map(Arc::from);
        Self { scopes: shared(&token.scopes), forms: shared(&token.forms) }
    }

    /// Refuses an operation that the token is not for.
    pub(crate) fn check(&self, operation: Operation) -> Result<(), Fault> {
        Scope::of(operation).iter().try_for_each(|scope| self.check_scope(*scope))
    }

    /// Refuses what needs a scope that the token has not.
    pub(crate) fn check_scope(&self, scope: Scope) -> Result<(), Fault> {
        match &self.scopes {
            Some(scopes) if !names(scopes, scope.name()) => {
                let text =
                    format!("the token is not for this: it lacks the scope `{}`", scope.name());
                Err(Fault::new(StatusCode::FORBIDDEN, "insufficient_scope", text))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a form that the token is not for.
    pub(crate) fn check_form(&self, form: &Form) -> Result<(), Fault> {
        if self.forms.as_deref().is_some_and(|forms| !names(forms, &form.name)) {
            let text = "the token is not for this form: its operator said which ones";
            return Err(Fault::new(StatusCode::FORBIDDEN, "form_not_allowed", text));
        }
        if form.is_privileged { self.check_scope(Scope::Privileged) } else { Ok(()) }
    }
}

/// Whether a JSON list has a name in it. What is no such list has none.
fn names(list: &str, name: &str) -> bool {
    serde_json::from_str::<Vec<&str>>(list).is_ok_and(|list| list.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_may_do_what_its_scopes_say() {
        let all = May::default();
        let some = May { scopes: Some(r#"["create","read"]"#.into()), forms: None };
        let broken = May { scopes: Some("everything".into()), forms: None };
        for (operation, is_allowed) in [
            (Operation::Create, true),
            (Operation::Show, true),
            (Operation::List, true),
            (Operation::Update, false),
            (Operation::Upsert, false),
            (Operation::Detach, false),
            (Operation::Delete, false),
            (Operation::Mint, false),
            (Operation::Verify, false),
            (Operation::Revoke, false),
            (Operation::Say, true),
        ] {
            assert!(all.check(operation).is_ok());
            assert_eq!(some.check(operation).is_ok(), is_allowed, "{operation:?}");
            assert_eq!(broken.check(operation).is_ok(), operation == Operation::Say);
        }
        assert!(all.check_scope(Scope::Privileged).is_ok());
        assert!(some.check_scope(Scope::Privileged).is_err());
    }
}
