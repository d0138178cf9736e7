//! What the writer does when things go wrong.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use registrar_core::aggregate::{NewProfile, NewUser};
use registrar_store::{CreateError, PingError, ReadError, Store, StoreSettings};

use crate::scratch::{Scratch, create, on_both, record, user, wait};

on_both!(
    only_the_culprit_of_a_batch_fails,
    a_full_queue_answers_at_once,
    a_lock_that_is_not_released_makes_it_busy,
    shutting_down_finishes_what_was_accepted,
    a_dropped_future_takes_nothing_back,
    several_writers_store_everything_once,
);

/// A user that core would never let through: its properties are no JSON.
fn malformed(name: &str) -> NewUser {
    let profile = NewProfile {
        id: None,
        type_name: "developer".into(),
        enabled: true,
        properties: "{".to_owned(),
        attached: Default::default(),
    };
    NewUser { profiles: vec![profile], ..user(name, &[("email", name)]) }
}

fn only_the_culprit_of_a_batch_fails(scratch: &Scratch) {
    let store = scratch.open();
    let users = [user("ann", &[("email", "ann")]), malformed("bob"), user("cid", &[])];
    let outcomes = scratch.create_together(&store, users.map(record).into());
    assert!(outcomes[0].is_ok());
    assert_eq!(outcomes[1], Err(CreateError::Failed));
    assert!(outcomes[2].is_ok());
    assert_eq!((scratch.count("users"), scratch.count("unique_claims")), (2, 1));
    assert_eq!(scratch.count("user_profiles"), 0);
    create(&store, user("bob", &[("email", "bob")])).unwrap();
    assert_eq!(store.ping(), Ok(()));
}

fn a_full_queue_answers_at_once(scratch: &Scratch) {
    let settings = StoreSettings { queue: 2, ..StoreSettings::new(&scratch.url) };
    let store = Store::open(&settings).unwrap();
    let held = scratch.hold();
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

fn a_lock_that_is_not_released_makes_it_busy(scratch: &Scratch) {
    let store = scratch.open();
    let held = scratch.hold();
    let begun = Instant::now();
    assert_eq!(create(&store, user("ann", &[("email", "ann")])), Err(CreateError::Busy));
    assert!(begun.elapsed() < Duration::from_secs(15));
    drop(held);
    create(&store, user("ann", &[("email", "ann")])).unwrap();
    assert_eq!(scratch.count("users"), 1);
}

fn shutting_down_finishes_what_was_accepted(scratch: &Scratch) {
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

fn a_dropped_future_takes_nothing_back(scratch: &Scratch) {
    let store = scratch.open();
    drop(store.create(record(user("ann", &[]))));
    assert_eq!(create(&store, user("bob", &[])).unwrap().id, 2);
}

fn several_writers_store_everything_once(scratch: &Scratch) {
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
fn a_writer_that_lost_its_connection_connects_again() {
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
fn a_server_that_is_gone_makes_it_unavailable() {
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
