//! How much anybody may ask for: of a second, of memory, of time.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use actix_web::{HttpMessage, HttpRequest};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use crate::answer::Fault;
use crate::settings::Settings;

/// How many callers are remembered before those who paused long enough are forgotten.
const MANY: usize = 10_000;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// Who asks, by the number of a token or of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Asking {
    Token(i64),
    User(i64),
    /// A client that shows no credential, or one that is not valid.
    Address(IpAddr),
}

type Limiter =
    RateLimiter<Asking, DefaultKeyedStateStore<Asking>, DefaultClock, StateInformationMiddleware>;

/// How many requests a second each caller may make.
#[derive(Debug)]
pub(crate) struct Rates {
    limiter: Option<Limiter>,
    policy: HeaderValue,
    clock: DefaultClock,
    asked: AtomicUsize,
}

/// What is left to a caller.
/// Source: draft-ietf-httpapi-ratelimit-headers-10.
#[derive(Debug, Clone)]
pub(crate) struct Left {
    policy: HeaderValue,
    left: HeaderValue,
}

impl Left {
    /// Says so in the head of an answer.
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        headers.insert(POLICY, self.policy);
        headers.insert(LEFT, self.left);
    }
}

impl Rates {
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
            asked: AtomicUsize::new(0),
        }
    }

    /// Counts a request, and notes for the answer to it what is left.
    ///
    /// # Errors
    /// 429 where the caller makes too many.
    pub(crate) fn count(&self, who: Asking, request: &HttpRequest) -> Result<(), Fault> {
        if let Some(left) = self.left_after(who)? {
            request.extensions_mut().insert(left);
        }
        Ok(())
    }

    /// What is left; nothing where anybody may make any number.
    fn left_after(&self, who: Asking) -> Result<Option<Left>, Fault> {
        let Some(limiter) = &self.limiter else { return Ok(None) };
        if self.asked.fetch_add(1, Ordering::Relaxed) % MANY == MANY - 1 {
            limiter.retain_recent();
        }
        let told = |left: u32, seconds: u64| {
            let left = HeaderValue::from_str(&format!("\"token\";r={left};t={seconds}"));
            let left = left.unwrap_or_else(|_| HeaderValue::from_static("\"token\""));
            Left { policy: self.policy.clone(), left }
        };
        match limiter.check_key(&who) {
            Ok(snapshot) => Ok(Some(told(snapshot.remaining_burst_capacity(), 1))),
            Err(until) => {
                let wait = until.wait_time_from(self.clock.now());
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                let Left { policy, left } = told(0, seconds);
                let text = "too many requests: try again after `Retry-After` seconds";
                Err(Fault::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", text)
                    .with_header(RETRY_AFTER, seconds.into())
                    .with_header(POLICY, policy)
                    .with_header(LEFT, left))
            }
        }
    }
}

/// Waits for something no longer than a request may.
///
/// # Errors
/// 503 where it takes longer. What was asked of the database may still be done.
pub(crate) async fn in_time<T>(
    settings: &Settings,
    work: impl Future<Output = T>,
) -> Result<T, Fault> {
    let most = Duration::from_secs(settings.request_seconds);
    tokio::time::timeout(most, work).await.map_err(|_| {
        let text = "it took too long, and may be done yet: look, or ask again with the same \
                    Idempotency-Key";
        Fault::busy("timeout", text, 2)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_has_a_rate_of_his_own() {
        let settings = Settings { rate_limit: 1, rate_burst: 3, ..Settings::default() };
        let rates = Rates::new(&settings);
        for _ in 0..3 {
            assert!(rates.left_after(Asking::Token(1)).is_ok_and(|left| left.is_some()));
        }
        let refused = rates.left_after(Asking::Token(1)).unwrap_err();
        assert_eq!((refused.status().as_u16(), refused.code()), (429, "rate_limited"));
        assert!(rates.left_after(Asking::Token(2)).is_ok());
        assert!(rates.left_after(Asking::User(1)).is_ok());
        let any = Rates::new(&Settings::default());
        assert!(
            (0..10_000).all(|_| any.left_after(Asking::Token(1)).is_ok_and(|left| left.is_none()))
        );
    }
}
