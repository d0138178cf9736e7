//! What the server counts of requests. A request costs one look under a shared lock and two
//! additions, and allocates nothing once its like was seen.
//!
//! Labels come from the configuration and from the code alone, never from what a client sends, so
//! there are only so many.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use actix_web::http::Method;
use foldhash::fast::RandomState;
use registrar_core::violation::Violations;
use registrar_store::{DURATION_BUCKETS, Histogram, HistogramSnapshot};

/// What stands for the form of a request that names one that there is not.
pub(crate) const UNKNOWN_FORM: &str = "(unknown)";

/// Which request it was. Empty texts where there is no such thing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Asked<'n> {
    /// The contract that answered.
    pub(crate) contract: Cow<'n, str>,
    /// One of those that HTTP has, or `other`.
    pub(crate) method: &'static str,
    /// The route as the contract or the code writes it.
    pub(crate) route: Cow<'n, str>,
    /// The form that decided.
    pub(crate) form: Cow<'n, str>,
    /// The status of the answer.
    pub(crate) status: u16,
}

impl Asked<'_> {
    fn into_owned(self) -> Asked<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Asked {
            contract: own(self.contract),
            method: self.method,
            route: own(self.route),
            form: own(self.form),
            status: self.status,
        }
    }

    fn is_of_route(&self, other: &Self) -> bool {
        self.contract == other.contract && self.method == other.method && self.route == other.route
    }
}

/// Requests of one kind.
#[derive(Debug)]
struct Requests {
    count: AtomicU64,
    /// How long they took, together with all others of the same route.
    took: Arc<Histogram>,
}

/// A map whose keys nobody can choose to be slow: they come from the configuration.
type Map<K, V> = HashMap<K, V, RandomState>;

/// A form and the code of a rule.
type Broken<'n> = (Cow<'n, str>, Cow<'n, str>);

/// All that is counted of requests.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    requests: RwLock<Map<Asked<'static>, Requests>>,
    broken: RwLock<Map<Broken<'static>, AtomicU64>>,
}

impl Counts {
    /// Counts a request that was answered.
    pub(crate) fn answered(&self, asked: Asked<'_>, took: Duration) {
        {
            let known = self.requests.read().unwrap_or_else(PoisonError::into_inner);
            let known: &Map<Asked<'_>, Requests> = &known;
            if let Some(requests) = known.get(&asked) {
                return requests.add(took);
            }
        }
        let mut known = self.requests.write().unwrap_or_else(PoisonError::into_inner);
        let like = known.iter().find(|(other, _)| asked.is_of_route(other));
        let shared = like.map(|(_, requests)| requests.took.clone());
        let new = || Requests {
            count: AtomicU64::new(0),
            took: shared.unwrap_or_else(|| Arc::new(Histogram::new(DURATION_BUCKETS))),
        };
        known.entry(asked.into_owned()).or_insert_with(new).add(took);
    }

    /// Counts the rules that a submission broke.
    pub(crate) fn broken(&self, violations: &Violations) {
        let form = violations.form.as_deref().unwrap_or_default();
        let mut new = Vec::new();
        {
            let known = self.broken.read().unwrap_or_else(PoisonError::into_inner);
            let known: &Map<Broken<'_>, AtomicU64> = &known;
            for violation in &violations.list {
                let code = violation.code();
                match known.get(&(Cow::Borrowed(form), Cow::Borrowed(code))) {
                    Some(count) => drop(count.fetch_add(1, Ordering::Relaxed)),
                    None => new.push(code),
                }
            }
        }
        if new.is_empty() {
            return;
        }
        let mut known = self.broken.write().unwrap_or_else(PoisonError::into_inner);
        for code in new {
            let broken = (Cow::Owned(form.to_owned()), Cow::Owned(code.to_owned()));
            known.entry(broken).or_default().fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many requests of each kind there were, in an order that stays.
    pub(crate) fn requests(&self) -> Vec<(Asked<'static>, u64)> {
        let known = self.requests.read().unwrap_or_else(PoisonError::into_inner);
        let all = known.iter().map(|(asked, requests)| (asked.clone(), requests.count()));
        let mut all: Vec<_> = all.collect();
        all.sort_unstable();
        all
    }

    /// How long the requests of each route took; of each the first kind of request stands for all.
    pub(crate) fn durations(&self) -> Vec<(Asked<'static>, HistogramSnapshot)> {
        let known = self.requests.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = known.iter().collect();
        all.sort_unstable_by_key(|(asked, _)| *asked);
        all.dedup_by(|(asked, _), (before, _)| asked.is_of_route(before));
        all.into_iter().map(|(asked, requests)| (asked.clone(), requests.took.snapshot())).collect()
    }

    /// How often rules were broken: form, code, count, in an order that stays.
    pub(crate) fn violations(&self) -> Vec<(Broken<'static>, u64)> {
        let known = self.broken.read().unwrap_or_else(PoisonError::into_inner);
        let all = known.iter().map(|(of, count)| (of.clone(), count.load(Ordering::Relaxed)));
        let mut all: Vec<_> = all.collect();
        all.sort_unstable();
        all
    }
}

impl Requests {
    fn add(&self, took: Duration) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.took.add_duration(took);
    }

    fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

/// A method as a label: a client can send any word.
pub(crate) fn method(of: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];
    KNOWN.into_iter().find(|known| of.as_str() == *known).unwrap_or("other")
}
