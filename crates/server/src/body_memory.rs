//! The memory that the bodies of all requests may take together.
//!
//! Where it is used up, the body that takes most of it and has not arrived yet is cut: clients that
//! send large bodies and pause cannot keep others out.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::http::StatusCode;
use tokio::sync::Notify;

use crate::answer::Fault;

/// Up to how many bytes a body is small. A quarter of the memory is kept for those.
pub(crate) const SMALL: usize = 16 * 1024;

/// Up to how many bytes an answer is not counted: what reads at once is bounded.
const LARGE_ANSWER: usize = 64 * 1024;

/// The memory for bodies.
#[derive(Debug, Clone)]
pub(crate) struct BodyMemory(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    held: AtomicUsize,
    most: usize,
    /// Bodies that are waited for, by number: the oldest has the lowest.
    arriving: Mutex<HashMap<u64, Arc<Arriving>>>,
    next: AtomicU64,
}

/// A body that is waited for.
#[derive(Debug)]
struct Arriving {
    number: u64,
    bytes: AtomicUsize,
    is_cut: AtomicBool,
    cut: Notify,
}

/// Bytes that count until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    memory: BodyMemory,
    bytes: usize,
    /// Set while more is waited for; then it has the bytes.
    arriving: Option<Arc<Arriving>>,
}

impl BodyMemory {
    pub(crate) fn new(most: usize) -> Self {
        let (held, next) = (AtomicUsize::new(0), AtomicU64::new(0));
        Self(Arc::new(Shared { held, most, arriving: Mutex::default(), next }))
    }

    /// Begins to hold bytes.
    pub(crate) fn hold(&self) -> Held {
        Held { memory: self.clone(), bytes: 0, arriving: None }
    }

    /// Holds what was read for an answer, which must not be larger than an answer may be. Up to
    /// [`LARGE_ANSWER`] it is not counted.
    ///
    /// # Errors
    /// 422 where it is larger, 503 where there is no room.
    pub(crate) fn hold_answer(&self, bytes: usize, most: usize) -> Result<Option<Held>, Fault> {
        if bytes > most {
            let text = format!(
                "the answer would be larger than {most} bytes: ask for fewer at once, or for one"
            );
            return Err(Fault::new(StatusCode::UNPROCESSABLE_ENTITY, "answer_too_large", text));
        }
        if bytes <= LARGE_ANSWER {
            return Ok(None);
        }
        let mut held = self.hold();
        held.add(bytes)?;
        Ok(Some(held))
    }

    /// Takes room for more bytes of something that then has so many in all, if there is any.
    fn take(&self, more: usize, in_all: usize) -> bool {
        let Shared { held, most, .. } = &*self.0;
        let most = if in_all <= SMALL { *most } else { most - most / 4 };
        let after = |held: usize| held.checked_add(more).filter(|after| *after <= most);
        held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after).is_ok()
    }

    /// Cuts the arriving body that holds most, the oldest of several, if one holds as much as what
    /// asks for room. Returns whether there was one.
    fn cut_largest(&self, at_least: usize, but: Option<u64>) -> bool {
        let mut arriving = self.0.arriving.lock().unwrap_or_else(PoisonError::into_inner);
        let others = arriving.values().filter(|other| Some(other.number) != but);
        let size = |of: &Arriving| of.bytes.load(Ordering::Relaxed);
        let largest = others.max_by_key(|other| (size(other), std::cmp::Reverse(other.number)));
        let Some(largest) = largest.filter(|largest| size(largest) >= at_least.max(1)) else {
            return false;
        };
        let largest = Arc::clone(largest);
        arriving.remove(&largest.number);
        largest.is_cut.store(true, Ordering::Release);
        let freed = largest.bytes.swap(0, Ordering::Relaxed);
        self.0.held.fetch_sub(freed, Ordering::Relaxed);
        largest.cut.notify_one();
        true
    }
}

impl Held {
    /// Holds more, where there is room or can be made.
    ///
    /// # Errors
    /// 503 where this itself takes most, or was cut.
    pub(crate) fn add(&mut self, more: usize) -> Result<(), Fault> {
        let in_all = self.bytes() + more;
        let own = self.arriving.as_ref().map(|own| own.number);
        while self.is_cut() || !self.memory.take(more, in_all) {
            if self.is_cut() || !self.memory.cut_largest(in_all, own) {
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

    /// From here on, it may be cut.
    pub(crate) fn wait(&mut self) {
        if self.arriving.is_some() {
            return;
        }
        let shared = &self.memory.0;
        let number = shared.next.fetch_add(1, Ordering::Relaxed);
        let bytes = AtomicUsize::new(std::mem::take(&mut self.bytes));
        let (is_cut, cut) = (AtomicBool::new(false), Notify::new());
        let own = Arc::new(Arriving { number, bytes, is_cut, cut });
        let mut arriving = shared.arriving.lock().unwrap_or_else(PoisonError::into_inner);
        arriving.insert(number, Arc::clone(&own));
        self.arriving = Some(own);
    }

    /// Waits until it is cut.
    pub(crate) async fn cut(&self) -> Fault {
        match &self.arriving {
            Some(arriving) => arriving.cut.notified().await,
            None => std::future::pending().await,
        }
        busy()
    }

    /// From here on, it is not cut any more.
    ///
    /// # Errors
    /// 503 where it was.
    pub(crate) fn arrived(&mut self) -> Result<(), Fault> {
        let Some(own) = self.arriving.take() else { return Ok(()) };
        let shared = &self.memory.0;
        let mut arriving = shared.arriving.lock().unwrap_or_else(PoisonError::into_inner);
        arriving.remove(&own.number);
        self.bytes += own.bytes.swap(0, Ordering::Relaxed);
        if own.is_cut.load(Ordering::Acquire) { Err(busy()) } else { Ok(()) }
    }

    fn bytes(&self) -> usize {
        let arriving = self.arriving.as_ref();
        self.bytes + arriving.map_or(0, |own| own.bytes.load(Ordering::Relaxed))
    }

    fn is_cut(&self) -> bool {
        self.arriving.as_ref().is_some_and(|own| own.is_cut.load(Ordering::Acquire))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Whether it was cut meanwhile does not count: what it gave up then is not in its bytes.
        let _ = self.arrived();
        self.memory.0.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

fn busy() -> Fault {
    Fault::busy("busy", "too many bodies arrive at once: try again in a moment", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_held_up_to_a_bound_and_given_back() {
        let memory = BodyMemory::new(10);
        let mut one = memory.hold();
        assert!(one.add(6).is_ok());
        let mut other = memory.hold();
        assert!(other.add(6).is_err());
        drop(other);
        assert!(memory.hold().add(4).is_ok());
        drop(one);
        assert!(memory.hold().add(10).is_ok());
    }

    #[test]
    fn a_quarter_is_kept_for_small_bodies() {
        let memory = BodyMemory::new(8 * SMALL);
        let mut large: Vec<Held> = (0..3).map(|_| memory.hold()).collect();
        assert!(large.iter_mut().all(|held| held.add(2 * SMALL).is_ok()));
        assert!(memory.hold().add(SMALL + 1).is_err());
        let mut small: Vec<Held> = (0..2).map(|_| memory.hold()).collect();
        assert!(small.iter_mut().all(|held| held.add(SMALL).is_ok()));
        assert!(memory.hold().add(1).is_err());
    }

    #[test]
    fn what_arrives_and_holds_most_is_cut_first() {
        let memory = BodyMemory::new(8 * SMALL);
        let mut first = memory.hold();
        let mut second = memory.hold();
        let mut third = memory.hold();
        for (held, bytes) in [(&mut first, 2), (&mut second, 3), (&mut third, 1)] {
            held.add(bytes * SMALL).unwrap();
            held.wait();
        }
        let mut new = memory.hold();
        assert!(new.add(3 * SMALL).is_ok());
        assert!(second.is_cut() && !first.is_cut() && !third.is_cut());
        assert!(second.arrived().is_err() && first.arrived().is_ok());
        // What asks for more than any other has is refused itself.
        assert!(memory.hold().add(2 * SMALL).is_err());
        drop((first, second, third, new));
        assert_eq!(memory.0.held.load(Ordering::Relaxed), 0);
        assert!(memory.0.arriving.lock().unwrap().is_empty());
    }
}
