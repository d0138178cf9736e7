//! Caches of valid tokens and passwords.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

use super::principal::Principal;
use super::token;
use crate::database::Database;
use crate::error::ApiError;

/// Time during which a valid token is not looked up again to validate a submission. The transaction that
/// stores a submission always checks it.
const TOKEN_CACHE_TTL: Duration = Duration::from_secs(1);
const MAX_CACHED_TOKENS: usize = 10_000;
/// Time during which a valid password is not hashed again. The user and the stored hash are read for each
/// request.
const PASSWORD_CACHE_TTL: Duration = Duration::from_secs(60);
const MAX_CACHED_PASSWORDS: usize = 10_000;

/// Principals of valid tokens by hash.
#[derive(Debug)]
pub(crate) struct TokenCache(Cache<[u8; 32], Arc<CachedToken>>);

#[derive(Debug)]
struct CachedToken {
    principal: Principal,
    expires_at: Mutex<Instant>,
}

impl CachedToken {
    /// Returns whether the entry may be used. Of concurrent requests that find it expired, one gets
    /// false and looks the token up; the others use the entry meanwhile.
    fn is_usable(&self) -> bool {
        let now = Instant::now();
        let mut expires_at = self.expires_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = *expires_at > now;
        if !is_fresh {
            *expires_at = now + TOKEN_CACHE_TTL;
        }
        is_fresh
    }
}

impl Default for TokenCache {
    fn default() -> Self {
        Self(Cache::new(MAX_CACHED_TOKENS))
    }
}

impl TokenCache {
    /// Returns the principal of a token, from the cache or the database.
    ///
    /// # Errors
    /// Returns 401 if the token is not valid.
    pub(crate) async fn get(
        &self,
        token: &str,
        database: &Database,
    ) -> Result<Principal, ApiError> {
        let hash = token::hash(token);
        if let Some(cached) = self.0.get(&hash).filter(|cached| cached.is_usable()) {
            return Ok(cached.principal.clone());
        }
        let found = database.read(move |store| Principal::from_token(store, &hash)).await;
        match found.and_then(|found| found.ok_or_else(ApiError::invalid_token)) {
            Ok(principal) => {
                let expires_at = Mutex::new(Instant::now() + TOKEN_CACHE_TTL);
                let cached = CachedToken { principal: principal.clone(), expires_at };
                self.0.insert(hash, Arc::new(cached));
                Ok(principal)
            }
            Err(error) => {
                self.0.remove(&hash);
                Err(error)
            }
        }
    }

    /// Removes all tokens, after one was refused or revoked.
    pub(crate) fn clear(&self) {
        self.0.clear();
    }
}

/// Digests of valid passwords with the time at which they expire.
#[derive(Debug)]
pub(crate) struct PasswordCache(Cache<[u8; 32], Instant>);

impl Default for PasswordCache {
    fn default() -> Self {
        Self(Cache::new(MAX_CACHED_PASSWORDS))
    }
}

impl PasswordCache {
    /// Returns the key of a name, a password and the stored hash.
    pub(crate) fn key(name: &str, password: &str, phc: &str) -> [u8; 32] {
        let mut digest = Sha256::new();
        for part in [name, password, phc] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        digest.finalize().into()
    }

    pub(crate) fn contains(&self, key: &[u8; 32]) -> bool {
        self.0.get(key).is_some_and(|expires_at| expires_at > Instant::now())
    }

    pub(crate) fn insert(&self, key: [u8; 32]) {
        self.0.insert(key, Instant::now() + PASSWORD_CACHE_TTL);
    }
}
