//! Rate limits per caller.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use actix_web::{HttpMessage, HttpRequest};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use crate::error::ApiError;
use crate::settings::Settings;

/// Number of requests between two removals of idle callers.
const REQUESTS_PER_CLEANUP: usize = 10_000;

const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Key by which requests are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum RateLimitKey {
    Token(i64),
    User(i64),
    /// A client without a valid credential.
    Address(IpAddr),
}

type Limiter = RateLimiter<
    RateLimitKey,
    DefaultKeyedStateStore<RateLimitKey>,
    DefaultClock,
    StateInformationMiddleware,
>;

/// Rate limits by caller.
#[derive(Debug)]
pub(crate) struct RateLimits {
    limiter: Option<Limiter>,
    policy: HeaderValue,
    clock: DefaultClock,
    checked: AtomicUsize,
}

/// Remaining quota of a caller.
/// Source: draft-ietf-httpapi-ratelimit-headers-10.
#[derive(Debug, Clone)]
pub(crate) struct RateLimitStatus {
    policy: HeaderValue,
    quota: HeaderValue,
}

impl RateLimitStatus {
    /// Adds the `RateLimit` headers to a response.
    pub(super) fn insert_into(self, headers: &mut HeaderMap) {
        headers.insert(RATELIMIT_POLICY, self.policy);
        headers.insert(RATELIMIT, self.quota);
    }
}

impl RateLimits {
    pub(crate) fn new(settings: &Settings) -> Self {
        let (limit, burst) = (settings.rate_limit, settings.rate_burst);
        let burst = if burst == 0 { limit } else { burst };
        let quota = NonZeroU32::new(limit)
            .zip(NonZeroU32::new(burst))
            .map(|(limit, burst)| Quota::per_second(limit).allow_burst(burst));
        let policy = HeaderValue::from_str(&format!("\"token\";q={limit};w=1"));
        Self {
            limiter: quota.map(|quota| RateLimiter::keyed(quota).with_middleware()),
            policy: policy.unwrap_or_else(|_| HeaderValue::from_static("\"token\"")),
            clock: DefaultClock::default(),
            checked: AtomicUsize::new(0),
        }
    }

    /// Counts a request. The remaining quota is attached to the request for its response.
    ///
    /// # Errors
    /// Returns 429 if the caller exceeds its limit.
    pub(crate) fn check(&self, key: RateLimitKey, request: &HttpRequest) -> Result<(), ApiError> {
        if let Some(status) = self.check_key(key)? {
            request.extensions_mut().insert(status);
        }
        Ok(())
    }

    /// Returns the remaining quota, or `None` if there is no limit.
    fn check_key(&self, key: RateLimitKey) -> Result<Option<RateLimitStatus>, ApiError> {
        let Some(limiter) = &self.limiter else { return Ok(None) };
        if self.checked.fetch_add(1, Ordering::Relaxed) % REQUESTS_PER_CLEANUP
            == REQUESTS_PER_CLEANUP - 1
        {
            limiter.retain_recent();
        }
        let status = |remaining: u32, seconds: u64| {
            let quota = HeaderValue::from_str(&format!("\"token\";r={remaining};t={seconds}"));
            let quota = quota.unwrap_or_else(|_| HeaderValue::from_static("\"token\""));
            RateLimitStatus { policy: self.policy.clone(), quota }
        };
        match limiter.check_key(&key) {
            Ok(snapshot) => Ok(Some(status(snapshot.remaining_burst_capacity(), 1))),
            Err(until) => {
                let wait = until.wait_time_from(self.clock.now());
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                let RateLimitStatus { policy, quota } = status(0, seconds);
                let text = "too many requests: try again after `Retry-After` seconds";
                Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", text)
                    .with_header(RETRY_AFTER, seconds.into())
                    .with_header(RATELIMIT_POLICY, policy)
                    .with_header(RATELIMIT, quota))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_limit_applies_per_caller() {
        let settings = Settings { rate_limit: 1, rate_burst: 3, ..Settings::default() };
        let limits = RateLimits::new(&settings);
        for _ in 0..3 {
            assert!(limits.check_key(RateLimitKey::Token(1)).is_ok_and(|status| status.is_some()));
        }
        let error = limits.check_key(RateLimitKey::Token(1)).unwrap_err();
        assert_eq!((error.status().as_u16(), error.code()), (429, "rate_limited"));
        assert!(limits.check_key(RateLimitKey::Token(2)).is_ok());
        assert!(limits.check_key(RateLimitKey::User(1)).is_ok());
        let unlimited = RateLimits::new(&Settings::default());
        assert!((0..10_000).all(|_| {
            unlimited.check_key(RateLimitKey::Token(1)).is_ok_and(|status| status.is_none())
        }));
    }
}
