//! Load of concurrent creates during faults, and what clients were told.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use registrar_tests::{DirectDatabase, TestServer, TokenClient, samples};

use crate::crash_durability::{ORPHANED_CLAIMS, PARTIAL_USERS};

const CLIENTS: usize = 6;

/// Outcomes of all clients.
#[derive(Default)]
pub(super) struct LoadOutcome {
    /// Ids and e-mail addresses of created users.
    created: Mutex<Vec<(i64, String)>>,
    /// Number of 503 responses.
    refused: AtomicUsize,
    is_over: AtomicBool,
}

/// Runs `meanwhile` while clients create users. Each response must be 201, or 503 with
/// `Retry-After`, and arrive within `most`.
pub(super) fn under_load(
    server: &TestServer,
    most: Duration,
    meanwhile: impl FnOnce(&LoadOutcome),
) -> LoadOutcome {
    let outcome = LoadOutcome::default();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let (client, outcome) = (server.client(), &outcome);
                scope.spawn(move || outcome.create(&client, number, most))
            })
            .collect();
        // Ends the load if `meanwhile` panics, too.
        let ends = StopOnDrop(&outcome);
        meanwhile(&outcome);
        drop(ends);
        clients.into_iter().for_each(|client| client.join().unwrap());
    });
    outcome
}

struct StopOnDrop<'t>(&'t LoadOutcome);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

impl LoadOutcome {
    fn create(&self, client: &TokenClient, number: usize, most: Duration) {
        for count in 0.. {
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
            let tag = format!("c{number}-{count}");
            let started = Instant::now();
            let response = client.submit("marketplace_seller", &samples::seller(&tag));
            let took = started.elapsed();
            assert!(took < most, "{took:?}: {response:?}");
            if response.status == 503 {
                assert!(response.header("retry-after").is_some(), "{response:?}");
                self.refused.fetch_add(1, Ordering::Relaxed);
                thread::sleep(Duration::from_millis(10));
            } else {
                let email = format!("{tag}@example.com");
                self.created.lock().unwrap().push((response.created(), email));
            }
        }
    }

    /// Returns the number of created users so far.
    pub(super) fn count(&self) -> usize {
        self.created.lock().unwrap().len()
    }

    /// Returns the number of 503 responses so far.
    pub(super) fn refused(&self) -> usize {
        self.refused.load(Ordering::Relaxed)
    }

    /// Asserts that every acknowledged user is stored completely.
    pub(super) fn assert_consistent(&self, direct: &DirectDatabase<'_>) {
        let created = self.created.lock().unwrap();
        for some in created.chunks(500) {
            let rows: Vec<String> =
                some.iter().map(|(id, email)| format!("({id}, '{email}')")).collect();
            let rows = rows.join(", ");
            let kept = direct.count(&format!("users WHERE (id, email) IN (VALUES {rows})"));
            assert_eq!(usize::try_from(kept).unwrap(), some.len(), "acknowledged users are lost");
        }
        assert_eq!(direct.count(PARTIAL_USERS), 0, "partial users");
        assert_eq!(direct.count(ORPHANED_CLAIMS), 0, "orphaned claims");
    }
}
