//! Operations `issue_token`, `verify` and `revoke`.

use registrar_contracts::{IssueToken, Outcome};
use registrar_core::aggregate::Secret;
use registrar_core::value::Value;
use registrar_store::{CreateError, NewToken, StoredUser, WriteError};

use super::evaluate::Evaluation;
use super::reply::Reply;
use super::request_cx::RequestCx;
use crate::auth::authenticator::check_format;
use crate::auth::permissions::Permissions;
use crate::auth::{now, token};
use crate::error::ApiError;
use crate::http::client_address::client_address;
use crate::representation::StoredEntity;

/// Number of random characters in the name of an issued token.
const NAME_SUFFIX_LEN: usize = 12;

/// The credentials for which a token is issued.
struct Issuer {
    token_id: Option<i64>,
    /// Attributes that the issued token inherits.
    attributes: Option<String>,
    /// Upper bound of the permissions of the issued token.
    permissions: Permissions,
    user_id: Option<i64>,
}

impl RequestCx<'_> {
    /// Issues a token for a valid token or password in the request.
    pub(super) async fn issue_token(&mut self) -> Result<Reply, ApiError> {
        let action = self.action;
        let Some(issue) = &action.issue_token else {
            return Err(ApiError::failed("the route declares no token to issue"));
        };
        if action.names_form() {
            let validate = |evaluation: &Evaluation<'_>| {
                let contract = evaluation.contract;
                evaluation.with_form(|submission| Ok(contract.validate(submission)?))
            };
            self.evaluate_form(validate).await?;
        }
        let issuer = match self.contract.token_to_issue(action, self.context)? {
            Some((secret, name)) => self.authenticate_client(secret, name).await?,
            None => {
                let user = self.authenticate_user().await?;
                Issuer {
                    token_id: self.principal.token_id(),
                    attributes: None,
                    permissions: self.principal.permissions.clone(),
                    user_id: Some(user.columns.id),
                }
            }
        };
        self.check_preconditions()?;
        self.store_token(issue, issuer).await
    }

    /// Authenticates the token in the body. Its name must match if the route reads one.
    async fn authenticate_client(
        &self,
        secret: Option<String>,
        name: Option<Option<String>>,
    ) -> Result<Issuer, ApiError> {
        let refused = || ApiError::outcome(Outcome::Refused);
        let auth = &self.state.auth;
        let address = client_address(self.request, &self.state.settings);
        let attempt = auth.throttle.begin(None, Some(address))?;
        let secret = secret.ok_or_else(refused)?;
        let found = match check_format(&secret) {
            Ok(secret) => auth.tokens.get(secret, &self.state.database).await,
            Err(error) => Err(error),
        };
        let client = match found {
            Ok(client) => client,
            Err(error) if error.contract_outcome() == Outcome::InvalidCredentials => {
                attempt.end(false);
                return Err(refused());
            }
            Err(error) => return Err(error),
        };
        let has_name = name.is_none_or(|name| name.as_deref() == Some(&*client.name));
        let is_valid = client.is_valid_for(Some(&self.contract.name));
        attempt.end(has_name && is_valid);
        if !has_name || !is_valid || !client.has_attributes_of(self.contract) {
            return Err(refused());
        }
        client.permissions.allow(self.action.operation)?;
        Ok(Issuer {
            token_id: client.token_id(),
            attributes: client.attributes.map(|text| text.to_string()),
            permissions: client.permissions,
            user_id: None,
        })
    }

    async fn store_token(&mut self, issue: &IssueToken, issuer: Issuer) -> Result<Reply, ApiError> {
        let text = match issue.code_format() {
            Some(format) => token::random_string(format.alphabet, format.length)?,
            None => token::generate()?.reveal().to_owned(),
        };
        let suffix = token::random_string("0123456789abcdef", NAME_SUFFIX_LEN)?;
        let seconds = i64::from(issue.expires_in);
        let row = NewToken {
            name: format!("{} {suffix}", self.contract.name),
            hash: token::hash(&text),
            expires_at: Some(now().saturating_add(seconds * 1_000_000)),
            user_id: issuer.user_id,
            contract: Some(self.contract.name.to_string()),
            parent_id: issuer.token_id,
            scopes: Some(issuer.permissions.scopes_to_issue()),
            forms: issuer.permissions.forms_to_issue(),
            attributes: issuer.attributes,
            request_id: self.actor().request_id,
        };
        let database = &self.state.database;
        match database.within_timeout(database.store().issue_token(row)).await? {
            Ok(_) => {}
            Err(WriteError::Create(CreateError::InvalidToken) | WriteError::NotFound) => {
                self.state.auth.tokens.clear();
                return Err(ApiError::outcome(Outcome::Refused));
            }
            Err(WriteError::Create(error)) => return Err(self.write_error(&error)),
            Err(WriteError::Conflict) => return Err(ApiError::contended()),
        }
        let credential = Value::Object(vec![
            ("token".into(), Value::String(text.into())),
            ("expires_in".into(), Value::Number(issue.expires_in.to_string().into())),
        ]);
        Ok(Reply::Outcome(Outcome::TokenIssued, vec![("credential", credential)]))
    }

    /// Verifies the name and password of a user.
    pub(super) async fn verify(&mut self) -> Result<Reply, ApiError> {
        self.authenticate_user().await?;
        self.check_preconditions()?;
        Ok(Outcome::Verified.into())
    }

    /// Returns the user that the request names, if the password is right.
    ///
    /// # Errors
    /// Returns the outcome `refused` if it is not, 429 if too many attempts failed.
    async fn authenticate_user(&mut self) -> Result<StoredUser, ApiError> {
        let lookup = self.contract.resolve_lookup(self.action, self.context)?;
        let name = format!("{lookup:?}");
        let auth = &self.state.auth;
        let address = client_address(self.request, &self.state.settings);
        let attempt = auth.throttle.begin(Some((&self.contract.name, &name)), Some(address))?;
        let user = self.find_user_by(lookup).await?;
        let password = self.contract.password(self.action, self.context)?;
        let phc = auth.stored_hash(user.as_ref()).await?;
        let password = Secret::new(password.unwrap_or_default());
        let id = user.as_ref().map(|user| user.columns.id);
        let is_right = auth.verify_password(attempt, id, phc, password, self.actor()).await?;
        match user.filter(|_| is_right) {
            Some(user) => {
                self.set_entity(StoredEntity::from(user.clone()));
                Ok(user)
            }
            None => Err(ApiError::outcome(Outcome::Refused)),
        }
    }

    /// Ends all sessions of the user that the route names. If it names none, revokes the token of the
    /// principal if a contract issued it.
    pub(super) async fn revoke(&mut self) -> Result<Reply, ApiError> {
        let database = &self.state.database;
        let revoked = if self.action.looks_up_user() {
            let user = self.find().await?;
            let id = user.id();
            self.set_entity(user);
            self.check_preconditions()?;
            database.within_timeout(database.store().end_sessions(id, self.actor())).await?
        } else {
            self.check_preconditions()?;
            if !self.principal.token.as_ref().is_some_and(|token| token.is_issued) {
                return Ok(Outcome::Revoked.into());
            }
            let name = self.principal.name.to_string();
            database.within_timeout(database.store().revoke(name, self.actor())).await?
        };
        self.state.auth.tokens.clear();
        match revoked {
            // Not found: another request revoked it in the meantime.
            Ok(()) | Err(WriteError::NotFound | WriteError::Conflict) => {
                Ok(Outcome::Revoked.into())
            }
            Err(WriteError::Create(error)) => Err(self.write_error(&error)),
        }
    }
}
