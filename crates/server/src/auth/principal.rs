//! The caller of a request.

use std::sync::Arc;

use registrar_contracts::Contract;
use registrar_contracts::decode::json;
use registrar_core::value::Value;
use registrar_store::{ReadError, Store, TokenWithRoot};

use super::now;
use super::permissions::Permissions;
use crate::http::rate_limit::RateLimitKey;

/// The caller of a request: a token, a user, or an anonymous client.
#[derive(Debug, Clone)]
pub(crate) struct Principal {
    /// The token; `None` for users with a password and for anonymous clients.
    pub(crate) token: Option<PrincipalToken>,
    /// The user that authenticated, with a password or for the token.
    pub(crate) user_id: Option<i64>,
    /// Name of the token or of the user.
    pub(crate) name: Arc<str>,
    /// Attributes of the token, a JSON object.
    pub(crate) attributes: Option<Arc<str>>,
    /// Authorization of the principal.
    pub(crate) permissions: Permissions,
    /// JSON representation of the user.
    pub(crate) user: Option<Value<'static>>,
}

/// The token of a principal.
#[derive(Debug, Clone)]
pub(crate) struct PrincipalToken {
    pub(crate) id: i64,
    /// The operator's token from which this one was issued, or itself. Rate limits apply to it.
    pub(crate) root_id: i64,
    /// The only contract that accepts the token.
    pub(crate) contract: Option<Arc<str>>,
    /// True if a contract issued the token.
    pub(crate) is_issued: bool,
    /// Hash of the token, if a read must check it again.
    pub(crate) recheck_hash: Option<[u8; 32]>,
}

impl Principal {
    /// Returns the caller of a public route.
    pub(crate) fn anonymous() -> Self {
        Self {
            token: None,
            user_id: None,
            name: Arc::default(),
            attributes: None,
            permissions: Permissions::of_anonymous(),
            user: None,
        }
    }

    /// Looks up the token with a hash. Returns `None` if it is unknown, revoked or expired.
    pub(crate) fn from_token(store: &Store, hash: &[u8; 32]) -> Result<Option<Self>, ReadError> {
        let Some(TokenWithRoot { token, root_id }) = store.token(hash)? else { return Ok(None) };
        let is_expired = token.expires_at.is_some_and(|expires_at| expires_at <= now());
        if token.revoked_at.is_some() || is_expired {
            return Ok(None);
        }
        store.record_token_use(token.id);
        Ok(Some(Self {
            permissions: Permissions::of_token(&token),
            token: Some(PrincipalToken {
                id: token.id,
                root_id,
                contract: token.contract.map(Arc::from),
                is_issued: token.parent_id.is_some() || token.user_id.is_some(),
                recheck_hash: None,
            }),
            user_id: token.user_id,
            name: token.name.into(),
            attributes: token.attributes.map(Arc::from),
            user: None,
        }))
    }

    /// Returns the id of the token.
    pub(crate) fn token_id(&self) -> Option<i64> {
        self.token.as_ref().map(|token| token.id)
    }

    /// Returns whether the client is not anonymous.
    pub(crate) fn is_authenticated(&self) -> bool {
        self.token.is_some() || self.user_id.is_some()
    }

    /// Returns the key of its rate limit, or `None` for an anonymous client.
    pub(crate) fn rate_limit_key(&self) -> Option<RateLimitKey> {
        let token = self.token.as_ref().map(|token| RateLimitKey::Token(token.root_id));
        token.or(self.user_id.map(RateLimitKey::User))
    }

    /// Returns whether a contract, or with `None` the native API, accepts the token.
    pub(crate) fn is_valid_for(&self, contract: Option<&str>) -> bool {
        let limited_to = self.token.as_ref().and_then(|token| token.contract.as_deref());
        limited_to.is_none() || limited_to == contract
    }

    /// Returns whether the token has all attributes that the contract declares, or none at all. The
    /// conditions of the contract would not limit a token with other attributes only.
    pub(crate) fn has_attributes_of(&self, contract: &Contract) -> bool {
        let Some(attributes) = &self.attributes else { return true };
        contract.authentication.attributes.is_empty()
            || json::parse(attributes.as_bytes())
                .is_ok_and(|attributes| contract.missing_attribute(&attributes).is_none())
    }

    /// Returns the principal as the value `caller` of contract expressions.
    pub(crate) fn to_value(&self, contract: &Contract) -> Value<'static> {
        let user = self.user.clone().map(|user| contract.representation(user));
        let id = self.user_id.map(|id| Value::Number(id.to_string().into()));
        let attributes = self.attributes.as_deref();
        let attributes = attributes.and_then(|text| json::parse(text.as_bytes()).ok());
        Value::Object(vec![
            ("name".into(), Value::String(self.name.to_string().into())),
            ("user_id".into(), id.unwrap_or_default()),
            ("user".into(), user.unwrap_or_default()),
            ("attributes".into(), attributes.map(Value::into_owned).unwrap_or_default()),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_of_a_contract_is_valid_for_that_contract_only() {
        let principal = |contract: Option<&str>| Principal {
            token: Some(PrincipalToken {
                id: 1,
                root_id: 1,
                contract: contract.map(Into::into),
                is_issued: false,
                recheck_hash: None,
            }),
            ..Principal::anonymous()
        };
        for (limited_to, contract, is_valid) in [
            (None, None, true),
            (None, Some("shop"), true),
            (Some("shop"), Some("shop"), true),
            (Some("shop"), Some("desk"), false),
            (Some("shop"), None, false),
        ] {
            let principal = principal(limited_to);
            assert_eq!(principal.is_valid_for(contract), is_valid, "{limited_to:?} {contract:?}");
        }
    }
}
