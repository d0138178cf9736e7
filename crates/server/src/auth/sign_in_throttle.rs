//! Throttles failed sign-ins by user name and by client address, before a password is hashed.
//!
//! A few failures are free. After those, each failure doubles the delay before the next attempt, from one
//! second to 15 minutes: about a hundred attempts per name and day. A successful attempt resets the name.
//! Source: NIST SP 800-63B-4, section 3.2.2 "Rate Limiting (Throttling)"; OWASP Authentication Cheat
//! Sheet, "Login Throttling".

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use sha2::{Digest, Sha256};

use crate::error::ApiError;

/// Consecutive failures per name before attempts are delayed.
const FREE_FAILURES_PER_NAME: u32 = 5;
/// Failures per address before attempts are delayed. An address can be shared by many people.
const FREE_FAILURES_PER_ADDRESS: u32 = 50;
/// Delay after the first failure that is not free.
const FIRST_DELAY: Duration = Duration::from_secs(1);
/// Maximum delay after a failure.
const MAX_DELAY: Duration = Duration::from_secs(15 * 60);
/// Time after the last failure at which a counter expires.
const FAILURE_TTL: Duration = Duration::from_secs(24 * 60 * 60);
/// Maximum number of names and addresses that are tracked.
const MAX_TRACKED_KEYS: usize = 100_000;

/// Key of a failure counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum ThrottleKey {
    /// Digest of the realm and the user name.
    Name([u8; 32]),
    /// Client address; for IPv6 the /64 network, which usually belongs to one client.
    Address(IpAddr),
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    /// Attempts in progress.
    pending: u32,
    last: Instant,
}

/// Counters of failed sign-ins.
#[derive(Debug, Default)]
pub(crate) struct SignInThrottle {
    failures: Mutex<HashMap<ThrottleKey, Failures>>,
    failed: AtomicU64,
    throttled: AtomicU64,
}

/// A sign-in attempt in progress. It does not count if it is dropped without a result.
#[derive(Debug)]
pub(crate) struct Attempt<'g> {
    throttle: &'g SignInThrottle,
    keys: [Option<ThrottleKey>; 2],
    verdict: Option<Verdict>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Right,
    Wrong,
}

impl ThrottleKey {
    fn of_address(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6((address.to_bits() & (u128::MAX << 64)).into()),
            address => address,
        })
    }

    fn free(self) -> u32 {
        match self {
            Self::Name(_) => FREE_FAILURES_PER_NAME,
            Self::Address(_) => FREE_FAILURES_PER_ADDRESS,
        }
    }
}

impl Failures {
    /// Returns the delay after the last failure.
    fn delay(&self, free: u32) -> Duration {
        let Some(doublings) = self.count.checked_sub(free) else { return Duration::ZERO };
        let delay = FIRST_DELAY.saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX));
        delay.min(MAX_DELAY)
    }

    /// Returns the remaining delay before an attempt, or `None` if it is allowed now. Once there are failures,
    /// the number of concurrent attempts is limited to the free ones.
    fn wait(&self, free: u32, now: Instant) -> Option<Duration> {
        if self.count > 0 && self.pending > free.saturating_sub(self.count) {
            return Some(FIRST_DELAY);
        }
        let until = self.last + self.delay(free);
        until.checked_duration_since(now).filter(|wait| !wait.is_zero())
    }
}

impl SignInThrottle {
    /// Starts an attempt to sign in to `realm` with a user name, from an address.
    ///
    /// # Errors
    /// Returns 429 with `Retry-After` if the attempt is throttled.
    pub(crate) fn begin(
        &self,
        name: Option<(&str, &str)>,
        address: Option<IpAddr>,
    ) -> Result<Attempt<'_>, ApiError> {
        let name = name.map(|(realm, name)| {
            let mut digest = Sha256::new();
            digest.update((realm.len() as u64).to_be_bytes());
            digest.update(realm);
            digest.update(name.trim().to_lowercase());
            ThrottleKey::Name(digest.finalize().into())
        });
        let keys = [name, address.map(ThrottleKey::of_address)];
        self.begin_at(keys, Instant::now())
    }

    fn begin_at(
        &self,
        keys: [Option<ThrottleKey>; 2],
        now: Instant,
    ) -> Result<Attempt<'_>, ApiError> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let waits =
            keys.iter().flatten().filter_map(|key| failures.get(key)?.wait(key.free(), now));
        if let Some(wait) = waits.max() {
            drop(failures);
            self.throttled.fetch_add(1, Ordering::Relaxed);
            return Err(throttled(wait));
        }
        if failures.len() >= MAX_TRACKED_KEYS {
            evict_oldest(&mut failures, now);
        }
        for key in keys.into_iter().flatten() {
            let known = failures.entry(key);
            known.or_insert(Failures { count: 0, pending: 0, last: now }).pending += 1;
        }
        Ok(Attempt { throttle: self, keys, verdict: None })
    }

    /// Returns the number of failed and of throttled attempts.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.failed.load(Ordering::Relaxed), self.throttled.load(Ordering::Relaxed))
    }

    fn end(&self, keys: &[Option<ThrottleKey>; 2], verdict: Option<Verdict>, now: Instant) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys.iter().flatten() {
            let Some(known) = failures.get_mut(key) else { continue };
            known.pending = known.pending.saturating_sub(1);
            match (verdict, key) {
                (Some(Verdict::Right), ThrottleKey::Name(_)) => known.count = 0,
                (Some(Verdict::Wrong), _) => {
                    (known.count, known.last) = (known.count.saturating_add(1), now);
                }
                // A client that knows one password can still guess others.
                (Some(Verdict::Right), ThrottleKey::Address(_)) | (None, _) => {}
            }
            if known.count == 0 && known.pending == 0 {
                failures.remove(key);
            }
        }
        if verdict == Some(Verdict::Wrong) {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Attempt<'_> {
    /// Records the result of the attempt. A success resets the failures of the name.
    pub(crate) fn end(mut self, is_right: bool) {
        self.verdict = Some(if is_right { Verdict::Right } else { Verdict::Wrong });
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.throttle.end(&self.keys, self.verdict, Instant::now());
    }
}

/// Removes expired counters, then those with the fewest failures.
fn evict_oldest(failures: &mut HashMap<ThrottleKey, Failures>, now: Instant) {
    failures.retain(|_, known| known.pending > 0 || now < known.last + FAILURE_TTL);
    let mut least = 1;
    while failures.len() >= MAX_TRACKED_KEYS && least <= FREE_FAILURES_PER_ADDRESS {
        failures.retain(|_, known| known.pending > 0 || known.count > least);
        least *= 2;
    }
    if failures.len() >= MAX_TRACKED_KEYS {
        failures.clear();
    }
}

fn throttled(wait: Duration) -> ApiError {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let text = "too many failed sign-in attempts: try again after `Retry-After` seconds";
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", text)
        .with_header(RETRY_AFTER, seconds.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(throttle: &SignInThrottle, keys: [Option<ThrottleKey>; 2], now: Instant) -> bool {
        let Ok(attempt) = throttle.begin_at(keys, now) else { return false };
        drop(attempt);
        throttle.failures.lock().unwrap().entry(keys[0].or(keys[1]).unwrap()).or_insert(Failures {
            count: 0,
            pending: 0,
            last: now,
        });
        throttle.end(&keys, Some(Verdict::Wrong), now);
        true
    }

    #[test]
    fn attempts_for_a_name_are_delayed_after_free_failures_until_success() {
        let (throttle, start) = (SignInThrottle::default(), Instant::now());
        let keys = [Some(ThrottleKey::Name([1; 32])), None];
        for _ in 0..FREE_FAILURES_PER_NAME {
            assert!(fail(&throttle, keys, start));
        }
        assert!(!fail(&throttle, keys, start), "the sixth attempt should be delayed");
        assert!(
            fail(&throttle, [Some(ThrottleKey::Name([2; 32])), None], start),
            "other names are not delayed"
        );
        assert!(fail(&throttle, keys, start + Duration::from_secs(1)));
        assert!(!fail(&throttle, keys, start + Duration::from_secs(2)));
        let later = start + Duration::from_secs(4);
        throttle.begin_at(keys, later).unwrap().end(true);
        assert!((0..FREE_FAILURES_PER_NAME).all(|_| fail(&throttle, keys, later)));
        assert!(!fail(&throttle, keys, later));
    }

    #[test]
    fn attempts_for_a_name_are_limited_to_about_100_per_day() {
        let (throttle, start) = (SignInThrottle::default(), Instant::now());
        let keys = [Some(ThrottleKey::Name([1; 32])), None];
        let attempts = (0..24 * 60 * 60_u64)
            .filter(|second| fail(&throttle, keys, start + Duration::from_secs(*second)))
            .count();
        assert!((50..=120).contains(&attempts), "{attempts} attempts");
    }

    #[test]
    fn concurrent_attempts_are_limited_after_a_failure() {
        let (throttle, start) = (SignInThrottle::default(), Instant::now());
        let keys = [Some(ThrottleKey::Name([1; 32])), None];
        let concurrent: Vec<_> = (0..40).map(|_| throttle.begin_at(keys, start)).collect();
        assert!(concurrent.iter().all(Result::is_ok), "attempts are not limited before a failure");
        for attempt in concurrent.into_iter().flatten() {
            attempt.end(false);
        }
        assert!(throttle.begin_at(keys, start).is_err());
        assert_eq!(throttle.counts(), (40, 1));
    }

    #[test]
    fn failures_of_ipv6_addresses_are_counted_by_network() {
        let (throttle, start) = (SignInThrottle::default(), Instant::now());
        for number in 0..FREE_FAILURES_PER_ADDRESS {
            let address = ThrottleKey::of_address(format!("2001:db8::{number:x}").parse().unwrap());
            assert!(fail(&throttle, [None, Some(address)], start));
        }
        let address = ThrottleKey::of_address("2001:db8::ffff:1".parse().unwrap());
        assert!(!fail(&throttle, [None, Some(address)], start));
        let other = ThrottleKey::of_address("2001:db8:0:1::1".parse().unwrap());
        assert!(fail(&throttle, [None, Some(other)], start));
    }

    #[test]
    fn number_of_tracked_keys_is_limited() {
        let (throttle, start) = (SignInThrottle::default(), Instant::now());
        for number in 0..MAX_TRACKED_KEYS + 10 {
            let mut name = [0; 32];
            name[..8].copy_from_slice(&number.to_be_bytes());
            fail(&throttle, [Some(ThrottleKey::Name(name)), None], start);
        }
        assert!(throttle.failures.lock().unwrap().len() <= MAX_TRACKED_KEYS);
    }
}
