//! Memory budget shared by the bodies of all requests and by large responses.
//!
//! If it is exhausted, the largest body that is still arriving is evicted: clients that send large
//! bodies slowly cannot starve the others.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::http::StatusCode;
use tokio::sync::Notify;

use crate::error::ApiError;

/// Maximum size of a small body, in bytes. A quarter of the budget is reserved for small bodies.
pub(crate) const MAX_SMALL_BODY: usize = 16 * 1024;

/// Maximum size of a response that is not counted, in bytes. The number of concurrent reads is limited.
const UNCOUNTED_RESPONSE_BYTES: usize = 64 * 1024;

/// A memory budget. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct MemoryBudget(Arc<BudgetState>);

#[derive(Debug)]
struct BudgetState {
    reserved: AtomicUsize,
    max: usize,
    /// Bodies that are still arriving, by sequence number.
    arriving: Mutex<HashMap<u64, Arc<ArrivingBody>>>,
    next: AtomicU64,
}

/// A body that is still arriving.
#[derive(Debug)]
struct ArrivingBody {
    number: u64,
    bytes: AtomicUsize,
    is_evicted: AtomicBool,
    evicted: Notify,
}

/// Reserved bytes; dropping it releases them.
#[derive(Debug)]
pub(crate) struct Reservation {
    memory: MemoryBudget,
    bytes: usize,
    /// Set while the body is arriving; it then holds the byte count.
    arriving: Option<Arc<ArrivingBody>>,
}

impl MemoryBudget {
    pub(crate) fn new(max: usize) -> Self {
        let (reserved, next) = (AtomicUsize::new(0), AtomicU64::new(0));
        Self(Arc::new(BudgetState { reserved, max, arriving: Mutex::default(), next }))
    }

    /// Returns an empty reservation.
    pub(crate) fn reservation(&self) -> Reservation {
        Reservation { memory: self.clone(), bytes: 0, arriving: None }
    }

    /// Reserves memory for data read for a response. Returns `None` up to
    /// [`UNCOUNTED_RESPONSE_BYTES`], which is not counted.
    ///
    /// # Errors
    /// Returns 422 if the response is larger than `max`, 503 if the budget is exhausted.
    pub(crate) fn reserve_response(
        &self,
        bytes: usize,
        max: usize,
    ) -> Result<Option<Reservation>, ApiError> {
        if bytes > max {
            let text = format!(
                "the response would be larger than {max} bytes: request fewer records, or a single one"
            );
            return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "answer_too_large", text));
        }
        if bytes <= UNCOUNTED_RESPONSE_BYTES {
            return Ok(None);
        }
        let mut reserved = self.reservation();
        reserved.grow(bytes)?;
        Ok(Some(reserved))
    }

    /// Reserves `more` bytes for an owner that then holds `total` bytes. Returns false if they do not fit.
    fn try_reserve(&self, more: usize, total: usize) -> bool {
        let BudgetState { reserved, max, .. } = &*self.0;
        let max = if total <= MAX_SMALL_BODY { *max } else { max - max / 4 };
        let after = |reserved: usize| reserved.checked_add(more).filter(|after| *after <= max);
        reserved.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after).is_ok()
    }

    /// Evicts the largest arriving body, the oldest of several, if it holds at least `min_bytes`. Returns
    /// whether one was evicted.
    fn evict_largest(&self, min_bytes: usize, except: Option<u64>) -> bool {
        let mut arriving = self.0.arriving.lock().unwrap_or_else(PoisonError::into_inner);
        let others = arriving.values().filter(|other| Some(other.number) != except);
        let size = |of: &ArrivingBody| of.bytes.load(Ordering::Relaxed);
        let largest = others.max_by_key(|other| (size(other), std::cmp::Reverse(other.number)));
        let Some(largest) = largest.filter(|largest| size(largest) >= min_bytes.max(1)) else {
            return false;
        };
        let largest = Arc::clone(largest);
        arriving.remove(&largest.number);
        largest.is_evicted.store(true, Ordering::Release);
        let freed = largest.bytes.swap(0, Ordering::Relaxed);
        self.0.reserved.fetch_sub(freed, Ordering::Relaxed);
        largest.evicted.notify_one();
        true
    }
}

impl Reservation {
    /// Reserves more bytes, evicting a larger arriving body if necessary.
    ///
    /// # Errors
    /// Returns 503 if this is the largest body, or if it was evicted.
    pub(crate) fn grow(&mut self, more: usize) -> Result<(), ApiError> {
        let total = self.bytes() + more;
        let number = self.arriving.as_ref().map(|body| body.number);
        while self.is_evicted() || !self.memory.try_reserve(more, total) {
            if self.is_evicted() || !self.memory.evict_largest(total, number) {
                return Err(busy());
            }
        }
        match &self.arriving {
            Some(arriving) => {
                arriving.bytes.fetch_add(more, Ordering::Relaxed);
            }
            None => self.bytes += more,
        }
        Ok(())
    }

    /// Marks the body as arriving: from now on it may be evicted.
    pub(crate) fn mark_arriving(&mut self) {
        if self.arriving.is_some() {
            return;
        }
        let shared = &self.memory.0;
        let number = shared.next.fetch_add(1, Ordering::Relaxed);
        let bytes = AtomicUsize::new(std::mem::take(&mut self.bytes));
        let (is_evicted, evicted) = (AtomicBool::new(false), Notify::new());
        let body = Arc::new(ArrivingBody { number, bytes, is_evicted, evicted });
        let mut arriving = shared.arriving.lock().unwrap_or_else(PoisonError::into_inner);
        arriving.insert(number, Arc::clone(&body));
        self.arriving = Some(body);
    }

    /// Resolves once the body is evicted.
    pub(crate) async fn evicted(&self) -> ApiError {
        match &self.arriving {
            Some(arriving) => arriving.evicted.notified().await,
            None => std::future::pending().await,
        }
        busy()
    }

    /// Marks the body as complete: it cannot be evicted any more.
    ///
    /// # Errors
    /// Returns 503 if it was evicted.
    pub(crate) fn complete(&mut self) -> Result<(), ApiError> {
        let Some(body) = self.arriving.take() else { return Ok(()) };
        let shared = &self.memory.0;
        let mut arriving = shared.arriving.lock().unwrap_or_else(PoisonError::into_inner);
        arriving.remove(&body.number);
        self.bytes += body.bytes.swap(0, Ordering::Relaxed);
        if body.is_evicted.load(Ordering::Acquire) { Err(busy()) } else { Ok(()) }
    }

    fn bytes(&self) -> usize {
        let arriving = self.arriving.as_ref();
        self.bytes + arriving.map_or(0, |body| body.bytes.load(Ordering::Relaxed))
    }

    fn is_evicted(&self) -> bool {
        self.arriving.as_ref().is_some_and(|body| body.is_evicted.load(Ordering::Acquire))
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // If it was evicted, its bytes are already released.
        let _ = self.complete();
        self.memory.0.reserved.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

fn busy() -> ApiError {
    ApiError::unavailable("busy", "too many request bodies at once: try again in a moment", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reservations_are_limited_and_released() {
        let memory = MemoryBudget::new(10);
        let mut first = memory.reservation();
        assert!(first.grow(6).is_ok());
        let mut second = memory.reservation();
        assert!(second.grow(6).is_err());
        drop(second);
        assert!(memory.reservation().grow(4).is_ok());
        drop(first);
        assert!(memory.reservation().grow(10).is_ok());
    }

    #[test]
    fn a_quarter_is_reserved_for_small_bodies() {
        let memory = MemoryBudget::new(8 * MAX_SMALL_BODY);
        let mut large: Vec<Reservation> = (0..3).map(|_| memory.reservation()).collect();
        assert!(large.iter_mut().all(|reserved| reserved.grow(2 * MAX_SMALL_BODY).is_ok()));
        assert!(memory.reservation().grow(MAX_SMALL_BODY + 1).is_err());
        let mut small: Vec<Reservation> = (0..2).map(|_| memory.reservation()).collect();
        assert!(small.iter_mut().all(|reserved| reserved.grow(MAX_SMALL_BODY).is_ok()));
        assert!(memory.reservation().grow(1).is_err());
    }

    #[test]
    fn largest_arriving_body_is_evicted_first() {
        let memory = MemoryBudget::new(8 * MAX_SMALL_BODY);
        let mut first = memory.reservation();
        let mut second = memory.reservation();
        let mut third = memory.reservation();
        for (reserved, bytes) in [(&mut first, 2), (&mut second, 3), (&mut third, 1)] {
            reserved.grow(bytes * MAX_SMALL_BODY).unwrap();
            reserved.mark_arriving();
        }
        let mut new = memory.reservation();
        assert!(new.grow(3 * MAX_SMALL_BODY).is_ok());
        assert!(second.is_evicted() && !first.is_evicted() && !third.is_evicted());
        assert!(second.complete().is_err() && first.complete().is_ok());
        // A body larger than all others is rejected itself.
        assert!(memory.reservation().grow(2 * MAX_SMALL_BODY).is_err());
        drop((first, second, third, new));
        assert_eq!(memory.0.reserved.load(Ordering::Relaxed), 0);
        assert!(memory.0.arriving.lock().unwrap().is_empty());
    }
}
