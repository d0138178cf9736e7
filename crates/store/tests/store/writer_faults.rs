//! Failures of the writer: malformed jobs, full queues, locks, shutdown, lost connections.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use registrar_core::aggregate::{Aggregate, NewProfile};
use registrar_store::{CreateError, PingError, ReadError, Store, StoreSettings};

use crate::support::{Scratch, create, on_both, record, user, wait, with_user};

on_both!(
    invalid_user_fails_alone_in_a_batch,
    full_queue_rejects_at_once,
    held_lock_returns_busy,
    shutdown_finishes_queued_jobs,
    dropped_future_does_not_cancel_the_write,
    concurrent_writers_store_every_user_once,
);

/// A user that the core would reject: its properties are not JSON.
fn malformed(name: &str) -> Aggregate {
    let profile = NewProfile {
        id: None,
        type_name: "developer".into(),
        enabled: true,
        properties: "{".to_owned(),
        attached: Default::default(),
    };
    with_user(user(name, &[("email", name)]), |user| user.profiles.push(profile))
}

fn invalid_user_fails_alone_in_a_batch(scratch: &Scratch) {
    let store = scratch.open();
    let users = [user("ann", &[("email", "ann")]), malformed("bob"), user("cid", &[])];
    let outcomes = scratch.create_together(&store, users.map(record).into());
    assert!(outcomes[0].is_ok());
    assert_eq!(outcomes[1], Err(CreateError::Internal));
    assert!(outcomes[2].is_ok());
    assert_eq!((scratch.count("users"), scratch.count("unique_claims")), (2, 1));
    assert_eq!(scratch.count("user_profiles"), 0);
    create(&store, user("bob", &[("email", "bob")])).unwrap();
    assert_eq!(store.ping(), Ok(()));
}

fn full_queue_rejects_at_once(scratch: &Scratch) {
    let settings = StoreSettings { queue: 2, ..StoreSettings::new(&scratch.url) };
    let store = Store::open(&settings).unwrap();
    let held = scratch.lock_writer();
    let plug = store.create(record(user("plug", &[("email", "plug")])));
    thread::sleep(Duration::from_millis(100));
    let waiting = ["ann", "bob"].map(|name| store.create(record(user(name, &[]))));
    assert_eq!(wait(store.create(record(user("cid", &[])))), Err(CreateError::Busy));
    drop(held);
    wait(plug).unwrap();
    for answer in waiting {
        wait(answer).unwrap();
    }
    assert_eq!(scratch.count("users"), 3);
}

fn held_lock_returns_busy(scratch: &Scratch) {
    let store = scratch.open();
    let held = scratch.lock_writer();
    let begun = Instant::now();
    assert_eq!(create(&store, user("ann", &[("email", "ann")])), Err(CreateError::Busy));
    assert!(begun.elapsed() < Duration::from_secs(15));
    drop(held);
    create(&store, user("ann", &[("email", "ann")])).unwrap();
    assert_eq!(scratch.count("users"), 1);
}

fn shutdown_finishes_queued_jobs(scratch: &Scratch) {
    let store = scratch.open();
    let answers: Vec<_> = (0..600)
        .map(|i| store.create(record(user("ann", &[("email", &(i % 500).to_string())]))))
        .collect();
    store.shutdown();
    assert_eq!(create(&store, user("late", &[])), Err(CreateError::ShuttingDown));
    store.shutdown();
    let stored = answers.into_iter().map(wait).filter(Result::is_ok).count();
    assert_eq!((stored, scratch.count("users")), (500, 500));
    assert_eq!(store.ping(), Err(PingError::Writers));
    if let Some(path) = scratch.url.strip_prefix("sqlite:") {
        let log = fs::metadata(format!("{path}-wal")).map_or(0, |data| data.len());
        assert_eq!(log, 0);
    }
    assert!(store.user(500).unwrap().is_some());
}

fn dropped_future_does_not_cancel_the_write(scratch: &Scratch) {
    let store = scratch.open();
    drop(store.create(record(user("ann", &[]))));
    assert_eq!(create(&store, user("bob", &[])).unwrap().id, 2);
}

fn concurrent_writers_store_every_user_once(scratch: &Scratch) {
    let settings = StoreSettings { writers: 3, batch: 8, ..StoreSettings::new(&scratch.url) };
    let store = Store::open(&settings).unwrap();
    let answers: Vec<_> = (0..300)
        .map(|i| {
            let (email, handle) = ((i % 200).to_string(), (i * 7 % 250).to_string());
            store.create(record(user("ann", &[("email", &email), ("handle", &handle)])))
        })
        .collect();
    let mut ids: Vec<i64> =
        answers.into_iter().map(wait).filter_map(|outcome| Some(outcome.ok()?.id)).collect();
    ids.sort_unstable();
    let count = i64::try_from(ids.len()).unwrap();
    assert_eq!(ids, (1..=count).collect::<Vec<i64>>());
    assert_eq!(scratch.count("users"), count);
    assert_eq!(scratch.count("unique_claims"), 2 * count);
    store.shutdown();
}

#[test]
fn writer_reconnects_after_connection_loss() {
    let Some(scratch) = Scratch::postgres() else { return };
    let store = scratch.open();
    create(&store, user("ann", &[])).unwrap();
    for round in 2..5 {
        scratch.raw().run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        thread::sleep(Duration::from_millis(50));
        assert_eq!(create(&store, user("bob", &[])).unwrap().id, round);
        assert!(store.user(round).unwrap().is_some());
    }
}

#[test]
fn stopped_server_returns_unavailable() {
    let Some(cluster) = registrar_scratch_postgres::scratch() else { return };
    let store = Store::open(&StoreSettings::new(cluster.database())).unwrap();
    create(&store, user("ann", &[])).unwrap();
    store.user(1).unwrap();
    drop(cluster);
    for _ in 0..3 {
        let begun = Instant::now();
        assert_eq!(create(&store, user("bob", &[])), Err(CreateError::Unavailable));
        assert!(begun.elapsed() < Duration::from_secs(2));
    }
    assert_eq!(store.user(1), Err(ReadError::Unavailable));
    assert_eq!(store.ping(), Err(PingError::Readers));
    store.shutdown();
}
