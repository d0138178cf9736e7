//! Request metrics. Counting a request takes one shared lock and two atomic additions, and allocates
//! only for a new combination of labels.
//!
//! Labels come from the configuration and the code, never from clients, so their number is bounded.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use actix_web::http::Method;
use foldhash::fast::RandomState;
use registrar_core::violation::Violations;
use registrar_store::{DURATION_BUCKETS, Histogram, HistogramSnapshot};

/// Value of the `form` label if the request names an unknown form.
pub(crate) const UNKNOWN_FORM: &str = "(unknown)";

/// Labels of a request. A label that does not apply is empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RequestLabels<'n> {
    /// Contract that answered.
    pub(crate) contract: Cow<'n, str>,
    /// HTTP method, or `other`.
    pub(crate) method: &'static str,
    /// Route pattern.
    pub(crate) route: Cow<'n, str>,
    /// Form that was evaluated.
    pub(crate) form: Cow<'n, str>,
    /// Status code of the response.
    pub(crate) status: u16,
}

impl RequestLabels<'_> {
    fn into_owned(self) -> RequestLabels<'static> {
        let into_owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        RequestLabels {
            contract: into_owned(self.contract),
            method: self.method,
            route: into_owned(self.route),
            form: into_owned(self.form),
            status: self.status,
        }
    }

    fn has_same_route(&self, other: &Self) -> bool {
        self.contract == other.contract && self.method == other.method && self.route == other.route
    }
}

/// Counters of the requests with equal labels.
#[derive(Debug)]
struct RequestStats {
    count: AtomicU64,
    /// Durations, shared by all requests of the route.
    durations: Arc<Histogram>,
}

/// Map with a fast hash; keys are not chosen by clients.
type LabelMap<K, V> = HashMap<K, V, RandomState>;

/// Form and code of a violation.
type ViolationLabels<'n> = (Cow<'n, str>, Cow<'n, str>);

/// Counters of requests and violations.
#[derive(Debug, Default)]
pub(crate) struct RequestMetrics {
    requests: RwLock<LabelMap<RequestLabels<'static>, RequestStats>>,
    violations: RwLock<LabelMap<ViolationLabels<'static>, AtomicU64>>,
}

impl RequestMetrics {
    /// Counts a response.
    pub(crate) fn count_response(&self, labels: RequestLabels<'_>, duration: Duration) {
        {
            let entries = self.requests.read().unwrap_or_else(PoisonError::into_inner);
            let entries: &LabelMap<RequestLabels<'_>, RequestStats> = &entries;
            if let Some(requests) = entries.get(&labels) {
                return requests.add(duration);
            }
        }
        let mut entries = self.requests.write().unwrap_or_else(PoisonError::into_inner);
        let similar = entries.iter().find(|(other, _)| labels.has_same_route(other));
        let shared = similar.map(|(_, requests)| requests.durations.clone());
        let new = || RequestStats {
            count: AtomicU64::new(0),
            durations: shared.unwrap_or_else(|| Arc::new(Histogram::new(DURATION_BUCKETS))),
        };
        entries.entry(labels.into_owned()).or_insert_with(new).add(duration);
    }

    /// Counts the violations of a submission.
    pub(crate) fn count_violations(&self, violations: &Violations) {
        let form = violations.form.as_deref().unwrap_or_default();
        let mut new = Vec::new();
        {
            let entries = self.violations.read().unwrap_or_else(PoisonError::into_inner);
            let entries: &LabelMap<ViolationLabels<'_>, AtomicU64> = &entries;
            for violation in &violations.list {
                let code = violation.code();
                match entries.get(&(Cow::Borrowed(form), Cow::Borrowed(code))) {
                    Some(count) => drop(count.fetch_add(1, Ordering::Relaxed)),
                    None => new.push(code),
                }
            }
        }
        if new.is_empty() {
            return;
        }
        let mut entries = self.violations.write().unwrap_or_else(PoisonError::into_inner);
        for code in new {
            let labels = (Cow::Owned(form.to_owned()), Cow::Owned(code.to_owned()));
            entries.entry(labels).or_default().fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns the number of requests by labels, sorted.
    pub(crate) fn requests(&self) -> Vec<(RequestLabels<'static>, u64)> {
        let entries = self.requests.read().unwrap_or_else(PoisonError::into_inner);
        let all = entries.iter().map(|(labels, requests)| (labels.clone(), requests.count()));
        let mut all: Vec<_> = all.collect();
        all.sort_unstable();
        all
    }

    /// Returns the durations by route, sorted.
    pub(crate) fn durations(&self) -> Vec<(RequestLabels<'static>, HistogramSnapshot)> {
        let entries = self.requests.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = entries.iter().collect();
        all.sort_unstable_by_key(|(labels, _)| *labels);
        all.dedup_by(|(labels, _), (before, _)| labels.has_same_route(before));
        all.into_iter()
            .map(|(labels, requests)| (labels.clone(), requests.durations.snapshot()))
            .collect()
    }

    /// Returns the number of violations by form and code, sorted.
    pub(crate) fn violations(&self) -> Vec<(ViolationLabels<'static>, u64)> {
        let entries = self.violations.read().unwrap_or_else(PoisonError::into_inner);
        let all = entries.iter().map(|(of, count)| (of.clone(), count.load(Ordering::Relaxed)));
        let mut all: Vec<_> = all.collect();
        all.sort_unstable();
        all
    }
}

impl RequestStats {
    fn add(&self, duration: Duration) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.durations.add_duration(duration);
    }

    fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

/// Returns a method as a label: clients can send any token.
pub(crate) fn method_label(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];
    KNOWN.into_iter().find(|known| method.as_str() == *known).unwrap_or("other")
}
