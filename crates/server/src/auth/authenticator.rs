//! Authentication of requests, before their body is read.

use std::sync::Arc;

use actix_web::http::header;
use actix_web::{HttpMessage, HttpRequest};
use registrar_contracts::{Action, Contract, Credential};
use registrar_core::aggregate::Secret;
use registrar_store::{Actor, StoredUser, UserFilter};

use super::caches::{PasswordCache, TokenCache};
use super::password_pool::{PasswordPool, Verification};
use super::permissions::Permissions;
use super::principal::Principal;
use super::sign_in_throttle::{Attempt, SignInThrottle};
use super::token;
use crate::database::{Database, find_user};
use crate::error::ApiError;
use crate::http::client_address::client_address;
use crate::http::rate_limit::{RateLimitKey, RateLimits};
use crate::http::request_id::RequestId;
use crate::http::timeout::with_timeout;
use crate::representation::user_to_value;
use crate::settings::Settings;

/// Authenticates requests and verifies passwords.
pub(crate) struct Authenticator {
    settings: Arc<Settings>,
    database: Database,
    pub(crate) passwords: PasswordPool,
    pub(crate) throttle: SignInThrottle,
    pub(crate) tokens: TokenCache,
    verified: PasswordCache,
    rate_limits: RateLimits,
}

impl Authenticator {
    pub(crate) fn new(
        settings: Arc<Settings>,
        database: Database,
        passwords: PasswordPool,
    ) -> Self {
        Self {
            rate_limits: RateLimits::new(&settings),
            settings,
            database,
            passwords,
            throttle: SignInThrottle::default(),
            tokens: TokenCache::default(),
            verified: PasswordCache::default(),
        }
    }

    /// Returns the permissions of a request to the native API. The token is looked up, not cached.
    ///
    /// # Errors
    /// Returns 401 if the token is missing or not valid, 429 if it exceeds its rate limit.
    pub(crate) async fn native_permissions(
        &self,
        request: &HttpRequest,
    ) -> Result<Permissions, ApiError> {
        let Some(header) = request.headers().get(header::AUTHORIZATION) else {
            return Err(ApiError::missing_token());
        };
        let token = header.to_str().ok().and_then(parse_authorization);
        let hash = token::hash(check_format(token.unwrap_or_default())?);
        let found = self.database.read(move |store| Principal::from_token(store, &hash)).await?;
        let principal = found.filter(|principal| principal.is_valid_for(None));
        let principal = principal.ok_or_else(ApiError::invalid_token)?;
        if let Some(key) = principal.rate_limit_key() {
            self.rate_limits.check(key, request)?;
        }
        Ok(principal.permissions)
    }

    /// Returns the principal of a request to a contract.
    ///
    /// # Errors
    /// Returns 401 if the credentials are missing or not valid, 403 if a scope is missing, 429 if a limit
    /// is exceeded.
    pub(crate) async fn authenticate(
        &self,
        contract: &Contract,
        action: Option<&Action>,
        request: &HttpRequest,
    ) -> Result<Principal, ApiError> {
        if action.is_some_and(|action| action.is_public) {
            self.count_anonymous(request)?;
            return Ok(Principal::anonymous());
        }
        if contract.authentication.schemes.is_empty() {
            self.count_anonymous(request)?;
            return Ok(Principal::anonymous());
        }
        let header = request.headers().get(header::AUTHORIZATION);
        // A header that is not ASCII holds no valid credential.
        let header = header.map(|header| header.to_str().unwrap_or("?"));
        let result = match contract.credential(header) {
            Credential::Missing => Err(ApiError::missing_token()),
            Credential::Unreadable => Err(ApiError::invalid_token()),
            Credential::Pair(name, password) => {
                self.authenticate_user(contract, &name, password, request).await
            }
            Credential::Sent(token) => self.authenticate_token(contract, action, token).await,
        };
        match &result {
            Err(_) => self.count_anonymous(request)?,
            Ok(principal) => {
                if let Some(key) = principal.rate_limit_key() {
                    self.rate_limits.check(key, request)?;
                }
            }
        }
        result
    }

    /// Counts a request against the rate limit of the client's address.
    fn count_anonymous(&self, request: &HttpRequest) -> Result<(), ApiError> {
        let address = client_address(request, &self.settings);
        self.rate_limits.check(RateLimitKey::Address(address), request)
    }

    async fn authenticate_token(
        &self,
        contract: &Contract,
        action: Option<&Action>,
        token: &str,
    ) -> Result<Principal, ApiError> {
        if !contract.is_issued_credential(token) {
            check_format(token)?;
        }
        let mut principal = self.tokens.get(token, &self.database).await?;
        let is_for_operators = action.is_some_and(|action| action.operator_only);
        let is_valid = principal.is_valid_for((!is_for_operators).then_some(&*contract.name));
        if !is_valid || !principal.has_attributes_of(contract) {
            return Err(ApiError::invalid_token());
        }
        if let Some(action) = action {
            principal.permissions.allow(action.operation)?;
        }
        if let Some(id) = principal.user_id {
            let user = self.database.read(move |store| store.user(id)).await?;
            principal.user = user.map(user_to_value);
        }
        if let Some(token_info) = &mut principal.token
            && action.is_some_and(|action| action.operation.only_reads())
        {
            token_info.recheck_hash = Some(token::hash(token));
        }
        Ok(principal)
    }

    async fn authenticate_user(
        &self,
        contract: &Contract,
        name: &str,
        password: Secret,
        request: &HttpRequest,
    ) -> Result<Principal, ApiError> {
        let lookup = contract.lookup_caller(name)?;
        let scope = UserFilter { form_names: contract.own_forms(), ..UserFilter::default() };
        let found = self.database.read(move |store| {
            let Some(user) = find_user(store, &lookup, scope)? else { return Ok(None) };
            let phc = store.credentials(user.columns.id)?;
            Ok(Some((user, phc)))
        });
        let (user, phc) = found.await?.map_or((None, None), |(user, phc)| (Some(user), phc));
        let stored_hash = phc.as_deref().unwrap_or_default();
        let key = PasswordCache::key(name, password.reveal(), stored_hash);
        if phc.is_none() || !self.verified.contains(&key) {
            let address = Some(client_address(request, &self.settings));
            let attempt = self.throttle.begin(Some((&contract.name, name)), address)?;
            let request = request.extensions().get::<RequestId>().map(RequestId::text);
            let actor = Actor { request_id: request, ..Actor::default() };
            let id = user.as_ref().map(|user| user.columns.id);
            if !self.verify_password(attempt, id, phc, password, actor).await? {
                return Err(ApiError::invalid_token());
            }
        }
        let user = user.ok_or_else(ApiError::invalid_token)?;
        self.verified.insert(key);
        let (id, name) = (user.columns.id, user.columns.email.clone().unwrap_or_default());
        let user = user_to_value(user);
        if !contract.allows_caller(contract.representation(user.clone()))? {
            return Err(ApiError::invalid_token());
        }
        Ok(Principal {
            name: name.into(),
            user_id: Some(id),
            user: Some(user),
            permissions: Permissions::of_user(id, contract.authentication.has_access_to_all),
            ..Principal::anonymous()
        })
    }

    /// Verifies the password of a user and records the attempt. Returns whether it is right. An unknown
    /// user costs the same time as a wrong password.
    ///
    /// # Errors
    /// Returns 503 if too many passwords are being verified.
    pub(crate) async fn verify_password(
        &self,
        attempt: Attempt<'_>,
        user_id: Option<i64>,
        phc: Option<String>,
        password: Secret,
        actor: Actor,
    ) -> Result<bool, ApiError> {
        let verify = self.passwords.verify(password, phc.clone());
        let verification = with_timeout(&self.settings, verify).await??;
        match (verification, user_id) {
            (Verification::Right { rehashed }, Some(id)) => {
                attempt.end(true);
                if let Some((old, new)) = phc.zip(rehashed) {
                    self.database.store().rehash(id, old, new);
                }
                Ok(true)
            }
            (_, user_id) => {
                attempt.end(false);
                if let Some(id) = user_id {
                    self.database.store().record_failed_sign_in(id, actor);
                }
                Ok(false)
            }
        }
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// Returns 503 if too many passwords are being hashed.
    pub(crate) async fn hash_password(&self, password: Secret) -> Result<String, ApiError> {
        Ok(with_timeout(&self.settings, self.passwords.hash(password)).await??)
    }

    /// Returns the password hash of a user, or `None` if there is none.
    pub(crate) async fn stored_hash(
        &self,
        user: Option<&StoredUser>,
    ) -> Result<Option<String>, ApiError> {
        let Some(id) = user.map(|user| user.columns.id) else { return Ok(None) };
        self.database.read(move |store| store.credentials(id)).await
    }
}

/// Returns a text that has the format of a token. Mistyped tokens are rejected without a database query.
pub(crate) fn check_format(token: &str) -> Result<&str, ApiError> {
    if token::is_well_formed(token) { Ok(token) } else { Err(ApiError::invalid_token()) }
}

/// Parses `Token token=…`, `Token token="…"`, `Token …` or `Bearer …`, as Rails does.
/// Source: Action Controller, `HttpAuthentication::Token`.
fn parse_authorization(header: &str) -> Option<&str> {
    let (scheme, rest) = header.trim().split_once([' ', '\t'])?;
    if !scheme.eq_ignore_ascii_case("token") && !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let first = rest.split([',', ';']).next()?.trim();
    let value = first.strip_prefix("token=").unwrap_or(first).trim();
    Some(value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::parse_authorization;

    #[test]
    fn parses_authorization_header() {
        for header in [
            "Token token=abc",
            "Token token=\"abc\"",
            "token abc",
            "Bearer abc",
            "BEARER  abc",
            "Token token=\"abc\", nonce=\"x\"",
        ] {
            assert_eq!(parse_authorization(header), Some("abc"), "{header}");
        }
        for header in ["abc", "Basic abc", "", "Token"] {
            assert_eq!(parse_authorization(header), None, "{header}");
        }
    }
}
