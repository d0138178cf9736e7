//! What waits to be written: bounded, in the order it came, shared by the writers.
//!
//! A batch costs much and a submission in it little, so a writer that finds another one at work
//! begins a batch of its own only where enough waits to be worth it, or where the other one seems
//! to be stuck. Nobody waits while no writer is at work. A writer that cannot write stands aside while
//! another one can.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many submissions must wait for a writer to begin a batch beside another one's. Measured on
/// PostgreSQL: with 1 small batches use the processors up, with 16 and more the second writer
/// stands idle at 16 connections.
const WORTH_IT: usize = 8;

/// After how long a writer at work counts as stuck (behind a lock of somebody else's, say).
const STUCK: Duration = Duration::from_millis(100);

/// The queue.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    /// Where writers wait that stand aside.
    aside: Condvar,
    /// How many may wait.
    most: usize,
    /// How many must wait for a second batch at the same time.
    enough: usize,
    /// How many were refused because too many waited.
    turned_away: AtomicU64,
}

#[derive(Debug)]
struct State<T> {
    waiting: VecDeque<T>,
    is_closed: bool,
    /// Writers that are there.
    writers: u32,
    /// Writers that can write.
    able: u32,
    /// Writers at work.
    busy: u32,
    /// Whether an idle writer looks after those at work.
    is_watched: bool,
}

/// Why nothing can be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// As much waits as may.
    Full,
    /// The queue was closed.
    Closed,
    /// There is no writer any more.
    Abandoned,
}

impl<T> Queue<T> {
    /// A queue for so many writers with batches of so many, in which at most `most` may wait.
    pub(crate) fn new(writers: u32, batch: usize, most: usize) -> Self {
        let waiting = VecDeque::new();
        let able = writers;
        let state = State { waiting, is_closed: false, writers, able, busy: 0, is_watched: false };
        let enough = WORTH_IT.min(batch).min(most);
        let (changed, aside) = (Condvar::new(), Condvar::new());
        let turned_away = AtomicU64::new(0);
        Self { state: Mutex::new(state), changed, aside, most, enough, turned_away }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds one, unless too many wait.
    pub(crate) fn push(&self, item: T) -> Result<(), Refused> {
        let mut state = self.state();
        if state.is_closed {
            return Err(Refused::Closed);
        }
        if state.writers == 0 {
            return Err(Refused::Abandoned);
        }
        if state.waiting.len() >= self.most {
            self.turned_away.fetch_add(1, Ordering::Relaxed);
            return Err(Refused::Full);
        }
        state.waiting.push_back(item);
        let wakes = state.busy == 0 || state.waiting.len() >= self.enough;
        drop(state);
        if wakes {
            self.changed.notify_one();
        }
        Ok(())
    }

    /// Whether one more may wait just now; who is not let in counts as turned away.
    pub(crate) fn has_room(&self) -> bool {
        let has_room = self.state().waiting.len() < self.most;
        if !has_room {
            self.turned_away.fetch_add(1, Ordering::Relaxed);
        }
        has_room
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    /// How many may wait.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// How many were refused because too many waited.
    pub(crate) fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }

    /// Lets nobody add any more. What waits is still taken.
    pub(crate) fn close(&self) {
        self.state().is_closed = true;
        self.changed.notify_all();
        self.aside.notify_all();
    }

    /// Takes at most so many of what waits, for a batch that there is anyway.
    pub(crate) fn take_now(&self, most: usize) -> Vec<T> {
        let mut state = self.state();
        state.busy += 1;
        take(&mut state, most)
    }

    /// Waits until there is a batch, and takes it: at most so many. `None` where the queue is closed
    /// and empty. The writer is at work until it says [`done`](Self::done).
    ///
    /// Who cannot write just now has `patience`, and comes back with nothing where that runs out. It
    /// takes what waits only where no other one could write it either.
    pub(crate) fn take(&self, most: usize, patience: Option<Duration>) -> Option<Vec<T>> {
        let mut state = self.state();
        loop {
            if let Some(patience) = patience
                && state.able > 0
            {
                if state.is_closed {
                    return None;
                }
                // What it may have been woken for is another one's to do.
                self.changed.notify_one();
                let (after, ended) = self
                    .aside
                    .wait_timeout(state, patience)
                    .unwrap_or_else(PoisonError::into_inner);
                if ended.timed_out() {
                    return Some(Vec::new());
                }
                state = after;
                continue;
            }
            let others = state.busy;
            if !state.waiting.is_empty() && (others == 0 || state.waiting.len() >= self.enough) {
                break;
            }
            if state.is_closed {
                if state.waiting.is_empty() {
                    return None;
                }
                break;
            }
            let watches = others > 0 && !state.is_watched;
            let limit = if watches { Some(STUCK) } else { patience };
            let Some(limit) = limit else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            state.is_watched |= watches;
            let (after, ended) =
                self.changed.wait_timeout(state, limit).unwrap_or_else(PoisonError::into_inner);
            state = after;
            if watches {
                state.is_watched = false;
                if ended.timed_out() && !state.waiting.is_empty() {
                    break;
                }
            } else if ended.timed_out() {
                break;
            }
        }
        if state.waiting.is_empty() {
            return Some(Vec::new());
        }
        state.busy += 1;
        let batch = take(&mut state, most);
        let wakes = !state.is_watched && state.writers > state.busy;
        drop(state);
        if wakes {
            self.changed.notify_one();
        }
        Some(batch)
    }

    /// A writer is not at work any more.
    pub(crate) fn done(&self) {
        let mut state = self.state();
        state.busy = state.busy.saturating_sub(1);
    }

    /// A writer can write again, or cannot any more. All can at first.
    pub(crate) fn can_write(&self, is_able: bool) {
        let mut state = self.state();
        if is_able {
            state.able += 1;
            return;
        }
        state.able = state.able.saturating_sub(1);
        if state.able == 0 {
            drop(state);
            self.aside.notify_all();
        }
    }

    /// A writer ends, which cannot write any more. After the last one nobody waits in vain.
    pub(crate) fn leave(&self) {
        let mut state = self.state();
        state.writers = state.writers.saturating_sub(1);
        if state.writers == 0 {
            state.waiting.clear();
        }
    }
}

fn take<T>(state: &mut State<T>, most: usize) -> Vec<T> {
    let count = state.waiting.len().min(most);
    state.waiting.drain(..count).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc};
    use std::thread;
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_second_batch_begins_only_where_enough_waits() {
        let queue = Arc::new(Queue::new(2, 256, 256));
        queue.push(0).unwrap();
        assert_eq!(queue.take(256, None), Some(vec![0]), "nobody is at work");
        let other = Arc::clone(&queue);
        let second = thread::spawn(move || other.take(256, None).map(|batch| batch.len()));
        for item in 0..WORTH_IT {
            queue.push(item).unwrap();
        }
        assert_eq!(second.join().unwrap(), Some(WORTH_IT));
    }

    #[test]
    fn what_waits_behind_a_writer_that_is_stuck_is_taken_all_the_same() {
        let queue = Arc::new(Queue::new(2, 256, 256));
        let other = Arc::clone(&queue);
        // It waits before anybody is at work: whoever begins has it look after them.
        let second = thread::spawn(move || {
            let mut batches = Vec::new();
            while let Some(batch) = other.take(256, None) {
                batches.push((batch, Instant::now()));
                other.done();
            }
            batches
        });
        let first = Instant::now();
        queue.push(1).unwrap();
        let ours = queue.take(256, Some(Duration::ZERO));
        queue.push(2).unwrap();
        thread::sleep(STUCK * 3);
        queue.close();
        let batches = second.join().unwrap();
        let taken = batches.iter().find(|(batch, _)| batch.contains(&2)).unwrap();
        assert!(taken.1 - first < STUCK * 2, "{ours:?} {batches:?}");
    }

    #[test]
    fn who_cannot_write_stands_aside_while_another_one_can() {
        let queue = Arc::new(Queue::new(2, 256, 256));
        queue.can_write(false);
        for item in 0..WORTH_IT {
            queue.push(item).unwrap();
        }
        let soon = Some(Duration::from_millis(1));
        assert_eq!(queue.take(256, soon), Some(Vec::new()), "the other one can");
        let other = Arc::clone(&queue);
        let begun = Instant::now();
        let aside = thread::spawn(move || other.take(256, Some(Duration::from_secs(60))));
        queue.can_write(false);
        assert_eq!(aside.join().unwrap().map(|batch| batch.len()), Some(WORTH_IT), "nobody can");
        assert!(begun.elapsed() < Duration::from_secs(30));
        queue.done();
        queue.can_write(true);
        queue.push(0).unwrap();
        queue.close();
        assert_eq!(queue.take(256, soon), None, "the other one ends it");
        assert_eq!(queue.take(256, None), Some(vec![0]));
    }

    #[test]
    fn who_stands_aside_keeps_nobody_asleep() {
        let queue = Arc::new(Queue::new(2, 256, 256));
        queue.can_write(false);
        queue.can_write(false);
        let waits = |patience| {
            let (other, (told, taken)) = (Arc::clone(&queue), mpsc::channel());
            thread::spawn(move || told.send(other.take(256, patience)));
            thread::sleep(STUCK);
            taken
        };
        // It waits for what comes, as nobody can write; then the other one can, and waits too.
        let unable = waits(Some(Duration::from_secs(60)));
        queue.can_write(true);
        let able = waits(None);
        queue.push(1).unwrap();
        let soon = Duration::from_secs(10);
        assert_eq!(able.recv_timeout(soon), Ok(Some(vec![1])));
        queue.done();
        queue.close();
        assert_eq!(unable.recv_timeout(soon), Ok(None));
    }

    #[test]
    fn a_writer_alone_takes_what_there_is_at_once() {
        let queue = Queue::new(1, 2, 4);
        for item in 0..4 {
            queue.push(item).unwrap();
        }
        assert_eq!((queue.waiting(), queue.turned_away()), (4, 0));
        assert_eq!(queue.push(4), Err(Refused::Full));
        assert_eq!((queue.waiting(), queue.turned_away()), (4, 1));
        assert_eq!(queue.take(2, None), Some(vec![0, 1]));
        queue.done();
        queue.close();
        assert_eq!(queue.push(5), Err(Refused::Closed));
        assert_eq!(queue.turned_away(), 1, "not because too many waited");
        assert_eq!(queue.take(2, None), Some(vec![2, 3]));
        queue.done();
        assert_eq!(queue.take(2, None), None);
    }

    #[test]
    fn without_writers_nobody_waits() {
        let queue = Queue::new(1, 2, 4);
        queue.push(Arc::new(())).unwrap();
        queue.can_write(false);
        queue.leave();
        assert_eq!(queue.push(Arc::new(())), Err(Refused::Abandoned));
        let patient = queue.take(2, Some(Duration::ZERO));
        assert_eq!(patient, Some(Vec::new()), "what waited is dropped");
    }
}
