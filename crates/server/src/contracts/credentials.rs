//! Credentials: made for who shows another, tried, ended.

use std::sync::Arc;

use registrar_core::aggregate::Secret;
use registrar_core::contract::{Mint, Outcome};
use registrar_core::value::Value;
use registrar_store::{ChangeError, CreateError, NewToken, StoredUser};

use super::answer::{Done, Own, failed};
use super::caller::{self, Who};
use super::{Call, not_taken};
use crate::auth;
use crate::limits::in_time;
use crate::may::May;
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
    /// What it may do: what it makes may do no more.
    may: May,
}

impl Call<'_> {
    /// Makes a credential for who shows another.
    pub(super) async fn mint(&mut self) -> Result<Done, Done> {
        let action = self.action;
        let Some(mint) = &action.mint else { return Err(failed("nothing is made".to_owned())) };
        if action.names_form() {
            let sent = self.sent()?;
            let (form, submitted) = self.chosen(&sent)?;
            self.contract.judge(self.submission(form, submitted)).map_err(not_taken)?;
        }
        let (parent, user_id) = match self.contract.mints_for(action, self.asked).map_err(failed)? {
            Some((secret, name)) => (self.shown(secret, name).await?, None),
            None => {
                let user = self.proven().await?;
                let Who { token, may, .. } = &self.who;
                let parent = Parent { token: *token, attributes: None, may: may.clone() };
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
        let secret = secret.ok_or_else(refused)?;
        let secret = auth::well_formed(&secret).map_err(|_| refused())?;
        let caller = match self.state.tokens.remembered(secret, self.state).await {
            Ok(caller) => caller,
            Err(fault) if fault.code() == "invalid_token" => return Err(refused()),
            Err(fault) => return Err(fault.into()),
        };
        let is_named = name.is_none_or(|name| name.as_deref() == Some(&*caller.name));
        let is_good = caller.is_good_for(Some(&self.contract.name));
        let is_whole = caller::has_attributes(self.contract, caller.attributes.as_deref());
        if !is_named || !is_good || !is_whole {
            return Err(refused());
        }
        caller.may.check(self.action.operation)?;
        Ok(Parent { token: Some(caller.id), attributes: caller.attributes, may: caller.may })
    }

    async fn make(
        &mut self,
        mint: &Mint,
        parent: Parent,
        user_id: Option<i64>,
    ) -> Result<Done, Done> {
        let none = |_| failed("no chance is to be had".to_owned());
        let text = match mint.letters() {
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
            scopes: owned(parent.may.scopes),
            forms: owned(parent.may.forms),
            attributes: owned(parent.attributes),
        };
        match in_time(&self.state.settings, self.state.store.mint_token(new)).await? {
            Ok(_) => {}
            Err(ChangeError::NotWritten(CreateError::TokenRefused) | ChangeError::NotFound) => {
                self.state.tokens.forget();
                return Err(Done::Outcome(Outcome::Refused, Own::new()));
            }
            Err(ChangeError::NotWritten(error)) => return Err(self.not_written(error)),
            Err(ChangeError::Conflict) => return Err(super::contended()),
        }
        let credential = Value::Object(vec![
            ("token".into(), Value::String(text.into())),
            ("expires_in".into(), Value::Number(mint.expires_in.to_string().into())),
        ]);
        Ok(Done::Outcome(Outcome::Minted, vec![("credential", credential)]))
    }

    /// Tries a user's name and password.
    pub(super) async fn verify(&mut self) -> Result<Done, Done> {
        self.proven().await?;
        self.check()?;
        Ok(Done::Outcome(Outcome::Verified, Own::new()))
    }

    /// The user who is meant, if the password is theirs. Nobody's takes as long as a wrong one.
    async fn proven(&mut self) -> Result<StoredUser, Done> {
        let refused = || Done::Outcome(Outcome::Refused, Own::new());
        let found = self.find_any().await?;
        let password = self.contract.password(self.action, self.asked).map_err(failed)?;
        let phc = match &found {
            Some(user) => {
                let id = user.columns.id;
                auth::load(self.state, move |store| store.credentials(id)).await?
            }
            None => None,
        };
        let password = Secret::new(password.unwrap_or_default());
        let is_theirs =
            in_time(&self.state.settings, self.state.hashes.verify(password, phc)).await?;
        let is_theirs = is_theirs.map_err(not_hashed)?;
        let user = found.filter(|_| is_theirs).ok_or_else(refused)?;
        self.knows(stored_user(user.clone()));
        Ok(user)
    }

    /// Ends the credential that the caller shows.
    pub(super) async fn revoke(&mut self) -> Result<Done, Done> {
        self.check()?;
        if self.who.is_minted {
            let name = self.who.name.to_string();
            auth::load(self.state, move |store| store.revoke_token(&name)).await?;
            self.state.tokens.forget();
        }
        Ok(Done::Outcome(Outcome::Revoked, Own::new()))
    }
}
