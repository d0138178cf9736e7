//! Limits how often passwords and client secrets can be guessed: failed attempts are counted by the
//! name that is tried and by the client's address, before the password is hashed.
//!
//! A few failures are free. After those, each one doubles the time in which no further attempt is
//! judged, from a second to a quarter of an hour: a name can be tried about a hundred times a day. An
//! attempt that succeeds clears the name. Source: NIST SP 800-63B-4, section 3.2.2 "Rate Limiting
//! (Throttling)"; OWASP Authentication Cheat Sheet, "Login Throttling".

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use sha2::{Digest, Sha256};

use crate::answer::Fault;

/// How many failures in a row a name has before attempts are delayed.
const FREE_BY_NAME: u32 = 5;
/// How many failures an address has before its attempts are delayed: many people can share one.
const FREE_BY_ADDRESS: u32 = 50;
/// How long no attempt is judged after the first failure that is not free.
const FIRST_DELAY: Duration = Duration::from_secs(1);
/// The longest such time.
const MAX_DELAY: Duration = Duration::from_secs(15 * 60);
/// How long failures count after the last one.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// How many names and addresses are remembered.
const MAX_REMEMBERED: usize = 100_000;

/// What attempts are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    /// A digest of what is signed in to and the name that is tried.
    Name([u8; 32]),
    /// An address; of IPv6 the /64 network, all of which one client can have.
    Address(IpAddr),
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    /// Attempts that are being judged.
    pending: u32,
    last: Instant,
}

/// Failed attempts to sign in.
#[derive(Debug, Default)]
pub(crate) struct Guessing {
    failures: Mutex<HashMap<Key, Failures>>,
    failed: AtomicU64,
    refused: AtomicU64,
}

/// An attempt that is being judged. One that is dropped was not judged, and does not count.
#[derive(Debug)]
pub(crate) struct Attempt<'g> {
    guessing: &'g Guessing,
    keys: [Option<Key>; 2],
    verdict: Option<Verdict>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Right,
    Wrong,
}

impl Key {
    fn of_address(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6((address.to_bits() & (u128::MAX << 64)).into()),
            address => address,
        })
    }

    fn free(self) -> u32 {
        match self {
            Self::Name(_) => FREE_BY_NAME,
            Self::Address(_) => FREE_BY_ADDRESS,
        }
    }
}

impl Failures {
    /// Returns how long no attempt is judged after the last failure.
    fn delay(&self, free: u32) -> Duration {
        let Some(doublings) = self.count.checked_sub(free) else { return Duration::ZERO };
        let delay = FIRST_DELAY.saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX));
        delay.min(MAX_DELAY)
    }

    /// Returns how long an attempt has to wait, or `None` where it is judged now. While there are
    /// failures, no more attempts are judged at once than are free.
    fn wait(&self, free: u32, now: Instant) -> Option<Duration> {
        if self.count > 0 && self.pending > free.saturating_sub(self.count) {
            return Some(FIRST_DELAY);
        }
        let until = self.last + self.delay(free);
        until.checked_duration_since(now).filter(|wait| !wait.is_zero())
    }
}

impl Guessing {
    /// Begins an attempt to sign in under a name (`realm` is what is signed in to), from an address.
    ///
    /// # Errors
    /// 429 with `Retry-After` where too many attempts failed before: this one is not judged.
    pub(crate) fn begin(
        &self,
        name: Option<(&str, &str)>,
        address: Option<IpAddr>,
    ) -> Result<Attempt<'_>, Fault> {
        let name = name.map(|(realm, name)| {
            let mut digest = Sha256::new();
            digest.update((realm.len() as u64).to_be_bytes());
            digest.update(realm);
            digest.update(name.trim().to_lowercase());
            Key::Name(digest.finalize().into())
        });
        let keys = [name, address.map(Key::of_address)];
        self.begin_at(keys, Instant::now())
    }

    fn begin_at(&self, keys: [Option<Key>; 2], now: Instant) -> Result<Attempt<'_>, Fault> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let waits =
            keys.iter().flatten().filter_map(|key| failures.get(key)?.wait(key.free(), now));
        if let Some(wait) = waits.max() {
            drop(failures);
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Err(too_many(wait));
        }
        if failures.len() >= MAX_REMEMBERED {
            forget_some(&mut failures, now);
        }
        for key in keys.into_iter().flatten() {
            let known = failures.entry(key);
            known.or_insert(Failures { count: 0, pending: 0, last: now }).pending += 1;
        }
        Ok(Attempt { guessing: self, keys, verdict: None })
    }

    /// Returns how many attempts failed, and how many were refused because of that.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.failed.load(Ordering::Relaxed), self.refused.load(Ordering::Relaxed))
    }

    fn end(&self, keys: &[Option<Key>; 2], verdict: Option<Verdict>, now: Instant) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys.iter().flatten() {
            let Some(known) = failures.get_mut(key) else { continue };
            known.pending = known.pending.saturating_sub(1);
            match (verdict, key) {
                (Some(Verdict::Right), Key::Name(_)) => known.count = 0,
                (Some(Verdict::Wrong), _) => {
                    (known.count, known.last) = (known.count.saturating_add(1), now);
                }
                // Whoever has one password can try others from the same address.
                (Some(Verdict::Right), Key::Address(_)) | (None, _) => {}
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
    /// Ends the attempt: the password was right, or wrong. A right one clears the name's failures.
    pub(crate) fn end(mut self, is_right: bool) {
        self.verdict = Some(if is_right { Verdict::Right } else { Verdict::Wrong });
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.guessing.end(&self.keys, self.verdict, Instant::now());
    }
}

/// Forgets what is old, and if that is not enough, what has the fewest failures.
fn forget_some(failures: &mut HashMap<Key, Failures>, now: Instant) {
    failures.retain(|_, known| known.pending > 0 || now < known.last + FORGOTTEN_AFTER);
    let mut least = 1;
    while failures.len() >= MAX_REMEMBERED && least <= FREE_BY_ADDRESS {
        failures.retain(|_, known| known.pending > 0 || known.count > least);
        least *= 2;
    }
    if failures.len() >= MAX_REMEMBERED {
        failures.clear();
    }
}

fn too_many(wait: Duration) -> Fault {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let text = "too many attempts to sign in failed: try again after `Retry-After` seconds";
    Fault::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", text)
        .with_header(RETRY_AFTER, seconds.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(guessing: &Guessing, keys: [Option<Key>; 2], now: Instant) -> bool {
        let Ok(attempt) = guessing.begin_at(keys, now) else { return false };
        drop(attempt);
        guessing.failures.lock().unwrap().entry(keys[0].or(keys[1]).unwrap()).or_insert(Failures {
            count: 0,
            pending: 0,
            last: now,
        });
        guessing.end(&keys, Some(Verdict::Wrong), now);
        true
    }

    #[test]
    fn a_name_is_delayed_after_a_few_failures_and_freed_by_a_success() {
        let (guessing, start) = (Guessing::default(), Instant::now());
        let keys = [Some(Key::Name([1; 32])), None];
        for _ in 0..FREE_BY_NAME {
            assert!(fail(&guessing, keys, start));
        }
        assert!(!fail(&guessing, keys, start), "the sixth has to wait");
        assert!(fail(&guessing, [Some(Key::Name([2; 32])), None], start), "others do not");
        assert!(fail(&guessing, keys, start + Duration::from_secs(1)));
        assert!(!fail(&guessing, keys, start + Duration::from_secs(2)));
        let later = start + Duration::from_secs(4);
        guessing.begin_at(keys, later).unwrap().end(true);
        assert!((0..FREE_BY_NAME).all(|_| fail(&guessing, keys, later)));
        assert!(!fail(&guessing, keys, later));
    }

    #[test]
    fn a_day_of_guessing_tries_a_hundred_passwords() {
        let (guessing, start) = (Guessing::default(), Instant::now());
        let keys = [Some(Key::Name([1; 32])), None];
        let tried = (0..24 * 60 * 60_u64)
            .filter(|second| fail(&guessing, keys, start + Duration::from_secs(*second)))
            .count();
        assert!((50..=120).contains(&tried), "{tried}");
    }

    #[test]
    fn attempts_at_once_are_bounded_once_one_failed() {
        let (guessing, start) = (Guessing::default(), Instant::now());
        let keys = [Some(Key::Name([1; 32])), None];
        let at_once: Vec<_> = (0..40).map(|_| guessing.begin_at(keys, start)).collect();
        assert!(at_once.iter().all(Result::is_ok), "many requests of one who has the password");
        for attempt in at_once.into_iter().flatten() {
            attempt.end(false);
        }
        assert!(guessing.begin_at(keys, start).is_err());
        assert_eq!(guessing.counts(), (40, 1));
    }

    #[test]
    fn an_address_is_one_network_and_has_more_failures() {
        let (guessing, start) = (Guessing::default(), Instant::now());
        for number in 0..FREE_BY_ADDRESS {
            let address = Key::of_address(format!("2001:db8::{number:x}").parse().unwrap());
            assert!(fail(&guessing, [None, Some(address)], start));
        }
        let address = Key::of_address("2001:db8::ffff:1".parse().unwrap());
        assert!(!fail(&guessing, [None, Some(address)], start));
        let other = Key::of_address("2001:db8:0:1::1".parse().unwrap());
        assert!(fail(&guessing, [None, Some(other)], start));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (guessing, start) = (Guessing::default(), Instant::now());
        for number in 0..MAX_REMEMBERED + 10 {
            let mut name = [0; 32];
            name[..8].copy_from_slice(&number.to_be_bytes());
            fail(&guessing, [Some(Key::Name(name)), None], start);
        }
        assert!(guessing.failures.lock().unwrap().len() <= MAX_REMEMBERED);
    }
}
