//! Credentials: made for who shows another, tried, ended.

use std::sync::Arc;

use registrar_core::aggregate::Secret;
use registrar_core::contract::{IssueToken, Outcome};
use registrar_core::value::Value;
use registrar_store::{CreateError, NewToken, StoredUser, WriteError};

use super::answer::{Done, Own, failed};
use super::caller::{self, Who};
use super::judging::Judging;
use super::{Call, not_taken};
use crate::auth::{self, Caller};
use crate::client_address::client_address;
use crate::limits::in_time;
use crate::passwords::Verified;
use crate::permissions::Permissions;
use crate::refused::not_hashed;
use crate::shown::stored_user;
use crate::token;

/// Letters of chance in the name of a token that is made for a caller.
const NAME: usize = 12;

/// What a credential is made by.
struct Parent {
    /// The id of the token.
    token: Option<i64>,
    /// What its operator noted of it.
    attributes: Option<Arc<str>>,
    /// What it may do: what is issued for it may do no more.
    permissions: Permissions,
}

impl Call<'_> {
    /// Makes a credential for who shows another.
    pub(super) async fn mint(&mut self) -> Result<Done, Done> {
        let action = self.action;
        let Some(mint) = &action.issue_token else {
            return Err(failed("nothing is made".to_owned()));
        };
        if action.names_form() {
            let judge = |of: &Judging<'_>| {
                let contract = of.contract;
                of.by_form(|submission| contract.validate(submission).map_err(not_taken))
            };
            self.judged_by_form(judge).await?;
        }
        let (parent, user_id) =
            match self.contract.token_to_issue(action, self.asked).map_err(failed)? {
                Some((secret, name)) => (self.shown(secret, name).await?, None),
                None => {
                    let user = self.proven().await?;
                    let Who { token, permissions, .. } = &self.who;
                    let permissions = permissions.clone();
                    let parent = Parent { token: *token, attributes: None, permissions };
                    (parent, Some(user.columns.id))
                }
            };
        self.check()?;
        self.make(mint, parent, user_id).await
    }

    /// The token that was shown in the body; it must have the name that was said.
    async fn shown(
        &self,
        secret: Option<String>,
        name: Option<Option<String>>,
    ) -> Result<Parent, Done> {
        let refused = || Done::Outcome(Outcome::Refused, Own::new());
        let attempt = self.state.guessing.begin(None, Some(client_address(self.request)))?;
        let secret = secret.ok_or_else(refused)?;
        let Ok(secret) = auth::well_formed(&secret) else {
            attempt.end(false);
            return Err(refused());
        };
        let caller = match self.state.tokens.remembered(secret, self.state).await {
            Ok(caller) => caller,
            Err(fault) if fault.code() == "invalid_token" => {
                attempt.end(false);
                return Err(refused());
            }
            Err(fault) => return Err(fault.into()),
        };
        let is_named = name.is_none_or(|name| name.as_deref() == Some(&*caller.name));
        let is_good = caller.is_good_for(Some(&self.contract.name));
        let is_whole = caller::has_attributes(self.contract, caller.attributes.as_deref());
        attempt.end(is_named && is_good);
        if !is_named || !is_good || !is_whole {
            return Err(refused());
        }
        let Caller { id, attributes, permissions, .. } = caller;
        permissions.allow(self.action.operation)?;
        Ok(Parent { token: Some(id), attributes, permissions })
    }

    async fn make(
        &mut self,
        mint: &IssueToken,
        parent: Parent,
        user_id: Option<i64>,
    ) -> Result<Done, Done> {
        let none = |_| failed("no chance is to be had".to_owned());
        let text = match mint.code_format() {
            Some(letters) => token::letters(letters.alphabet, letters.length).map_err(none)?,
            None => token::generate().map_err(none)?.reveal().to_owned(),
        };
        let chance = token::letters("0123456789abcdef", NAME).map_err(none)?;
        let seconds = i64::from(mint.expires_in);
        let owned = |text: Option<Arc<str>>| text.map(|text| text.to_string());
        let new = NewToken {
            name: format!("{} {chance}", self.contract.name),
            hash: token::hash(&text),
            expires_at: Some(auth::now().saturating_add(seconds * 1_000_000)),
            user_id,
            contract: Some(self.contract.name.to_string()),
            parent_id: parent.token,
            scopes: Some(parent.permissions.scopes_to_issue()),
            forms: parent.permissions.forms_to_issue(),
            attributes: owned(parent.attributes),
            request_id: self.by().request_id,
        };
        match in_time(&self.state.settings, self.state.store.issue_token(new)).await? {
            Ok(_) => {}
            Err(WriteError::Create(CreateError::InvalidToken) | WriteError::NotFound) => {
                self.state.tokens.forget();
                return Err(Done::Outcome(Outcome::Refused, Own::new()));
            }
            Err(WriteError::Create(error)) => return Err(self.not_written(error)),
            Err(WriteError::Conflict) => return Err(super::contended()),
        }
        let credential = Value::Object(vec![
            ("token".into(), Value::String(text.into())),
            ("expires_in".into(), Value::Number(mint.expires_in.to_string().into())),
        ]);
        Ok(Done::Outcome(Outcome::TokenIssued, vec![("credential", credential)]))
    }

    /// Tries a user's name and password.
    pub(super) async fn verify(&mut self) -> Result<Done, Done> {
        self.proven().await?;
        self.check()?;
        Ok(Done::Outcome(Outcome::Verified, Own::new()))
    }

    /// Returns the user who is named, if the password is right. A name that is not known takes as long
    /// as a wrong password.
    async fn proven(&mut self) -> Result<StoredUser, Done> {
        let refused = || Done::Outcome(Outcome::Refused, Own::new());
        let sought = self.contract.resolve_lookup(self.action, self.asked).map_err(failed)?;
        let name = format!("{sought:?}");
        let (realm, address) = (&*self.contract.name, Some(client_address(self.request)));
        let attempt = self.state.guessing.begin(Some((realm, &name)), address)?;
        let found = self.user(sought).await?;
        let password = self.contract.password(self.action, self.asked).map_err(failed)?;
        let phc = match &found {
            Some(user) => {
                let id = user.columns.id;
                auth::load(self.state, move |store| store.credentials(id)).await?
            }
            None => None,
        };
        let password = Secret::new(password.unwrap_or_default());
        let hash = phc.clone();
        let verified =
            in_time(&self.state.settings, self.state.hashes.verify(password, hash)).await?;
        match (verified.map_err(not_hashed)?, found) {
            (Verified::Right { rehashed }, Some(user)) => {
                attempt.end(true);
                if let Some((old, new)) = phc.zip(rehashed) {
                    self.state.store.rehash(user.columns.id, old, new);
                }
                self.knows(stored_user(user.clone()));
                Ok(user)
            }
            (_, found) => {
                attempt.end(false);
                if let Some(user) = found {
                    self.state.store.record_failed_sign_in(user.columns.id, self.by());
                }
                Err(refused())
            }
        }
    }

    /// Ends all sessions of the user whom the route names; where it names none, the credential that
    /// the caller shows, if an API issued it.
    pub(super) async fn revoke(&mut self) -> Result<Done, Done> {
        let ended = if self.action.looks_up_user() {
            let user = self.find().await?;
            let id = user.columns.id;
            self.knows(stored_user(user));
            self.check()?;
            in_time(&self.state.settings, self.state.store.end_sessions(id, self.by())).await?
        } else {
            self.check()?;
            if !self.who.is_minted {
                return Ok(Done::Outcome(Outcome::Revoked, Own::new()));
            }
            let name = self.who.name.to_string();
            in_time(&self.state.settings, self.state.store.revoke(name, self.by())).await?
        };
        self.state.tokens.forget();
        match ended {
            // Another request ended it meanwhile.
            Ok(()) | Err(WriteError::NotFound | WriteError::Conflict) => {
                Ok(Done::Outcome(Outcome::Revoked, Own::new()))
            }
            Err(WriteError::Create(error)) => Err(self.not_written(error)),
        }
    }
}
