//! Updates of stored users: optimistic locking, and isolation of jobs in a batch.

use std::thread;
use std::time::Duration;

use registrar_core::aggregate::{Aggregate, NewProfile};
use registrar_core::record_kind::RecordKind;
use registrar_store::{CreateError, Refusal, Store, UpdateRequest, WriteError};

use crate::support::{
    Scratch, create, keeping_claims, on_both, record, update, user, wait, with_user,
};

on_both! {
    update_with_a_stale_lock_version_conflicts,
    updated_at_grows_when_the_clock_goes_back,
    jobs_of_one_batch_do_not_affect_each_other,
    failing_update_does_not_fail_its_batch,
    deleting_a_user_releases_its_claims,
}

/// Returns an update of a user to the given values, as loaded now.
fn change(store: &Store, id: i64, new: Aggregate) -> UpdateRequest {
    let loaded = store.user(id).unwrap().unwrap().columns;
    let new = with_user(new, |user| {
        user.properties.get_or_insert_with(|| "{}".to_owned());
    });
    update((id, loaded.updated_at), keeping_claims(new))
}

fn name(store: &Store, id: i64) -> Option<String> {
    store.user(id).unwrap().and_then(|user| user.columns.name)
}

fn update_with_a_stale_lock_version_conflicts(scratch: &Scratch) {
    let store = scratch.open();
    let id = create(&store, user("old", &[])).unwrap().id;
    let (one, other) =
        (change(&store, id, user("one", &[])), change(&store, id, user("other", &[])));
    assert_eq!(wait(store.update(one)), Ok(()));
    assert_eq!(wait(store.update(other.clone())), Err(WriteError::Conflict));
    assert_eq!(name(&store, id).as_deref(), Some("one"));
    assert_eq!(wait(store.delete(RecordKind::User, id, None.into())), Ok(()));
    assert_eq!(wait(store.delete(RecordKind::User, id, None.into())), Err(WriteError::NotFound));
    assert_eq!(wait(store.update(other)), Err(WriteError::Conflict));
    assert!(scratch.is_empty());
}

fn updated_at_grows_when_the_clock_goes_back(scratch: &Scratch) {
    let store = scratch.open();
    let id = create(&store, user("old", &[])).unwrap().id;
    scratch.raw().run(if scratch.is_sqlite() {
        "UPDATE users SET updated_at = 7258118400000000"
    } else {
        "UPDATE users SET updated_at = '2200-01-01T00:00:00Z'"
    });
    let update = change(&store, id, user("new", &[]));
    assert_eq!(wait(store.update(update)), Ok(()));
    let moment = store.user(id).unwrap().unwrap().columns.updated_at;
    assert_eq!(moment, 7_258_118_400_000_001);
}

fn jobs_of_one_batch_do_not_affect_each_other(scratch: &Scratch) {
    let store = scratch.open();
    let ids: Vec<i64> = ["a", "b", "c"]
        .map(|name| create(&store, user(name, &[("name", name)])).unwrap().id)
        .to_vec();
    let updates = [
        change(&store, ids[0], user("a2", &[("name", "a2")])),
        change(&store, ids[0], user("a3", &[("name", "a3")])),
        change(&store, ids[1], user("b2", &[("name", "b2"), ("name", "c")])),
        change(&store, ids[2], user("c2", &[("name", "c")])),
    ];
    let held = scratch.lock_writer();
    let plug = store.create(record(user("plug", &[("plug", "plug")])));
    thread::sleep(Duration::from_millis(100));
    let good = store.create(record(user("d", &[("name", "d")])));
    let updates = updates.map(|update| store.update(update));
    let gone = store.delete(RecordKind::User, 404, None.into());
    let bad = store.create(record(user("e", &[("name", "b")])));
    drop(held);
    wait(plug).unwrap();
    assert!(wait(good).is_ok());
    let taken = |claim| CreateError::Refused(vec![Refusal::Taken { claim }]);
    assert_eq!(wait(bad), Err(taken(0)));
    assert_eq!(wait(gone), Err(WriteError::NotFound));
    let outcomes = updates.map(wait);
    // Either of the first two may have come first.
    assert_eq!(outcomes[..2].iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(outcomes[..2].contains(&Err(WriteError::Conflict)));
    assert_eq!(outcomes[2], Err(taken(1).into()));
    assert_eq!(outcomes[3], Ok(()));
    assert_eq!(name(&store, ids[1]).as_deref(), Some("b"));
    assert_eq!(name(&store, ids[2]).as_deref(), Some("c2"));
    assert_eq!(
        scratch.count("unique_claims WHERE value_key = 'b2'"),
        0,
        "rejected jobs leave no claims"
    );
}

fn failing_update_does_not_fail_its_batch(scratch: &Scratch) {
    let store = scratch.open();
    let ids = ["a", "b"].map(|name| create(&store, user(name, &[])).unwrap().id);
    let broken = with_user(user("a2", &[]), |user| user.properties = Some("{".to_owned()));
    let updates = [change(&store, ids[0], broken), change(&store, ids[1], user("b2", &[]))];
    let held = scratch.lock_writer();
    let plug = store.create(record(user("plug", &[("plug", "plug")])));
    thread::sleep(Duration::from_millis(100));
    let updates = updates.map(|update| store.update(update));
    drop(held);
    wait(plug).unwrap();
    let outcomes = updates.map(wait);
    assert_eq!(outcomes, [Err(CreateError::Internal.into()), Ok(())]);
    assert_eq!(name(&store, ids[0]).as_deref(), Some("a"));

    // A record of another user is not updated, and nothing else of the update is stored.
    let other = with_user(user("c", &[]), |user| user.profiles.push(profile(None)));
    let other = create(&store, other).unwrap().id;
    let theirs = store.user(other).unwrap().unwrap().profiles[0].id;
    let stolen = NewProfile { enabled: false, ..profile(Some(theirs)) };
    let thief = with_user(user("thief", &[]), |user| user.profiles.push(stolen));
    let steal = change(&store, ids[1], thief);
    assert_eq!(wait(store.update(steal)), Err(WriteError::Conflict));
    assert!(store.user(other).unwrap().unwrap().profiles[0].enabled);
    assert_eq!(name(&store, ids[1]).as_deref(), Some("b2"));
}

fn profile(id: Option<i64>) -> NewProfile {
    NewProfile {
        id,
        type_name: "seller".into(),
        enabled: true,
        properties: "{}".to_owned(),
        attached: registrar_core::aggregate::Attachments::default(),
    }
}

fn deleting_a_user_releases_its_claims(scratch: &Scratch) {
    let store = scratch.open();
    let ids = ["a", "b"].map(|name| create(&store, user(name, &[("name", name)])).unwrap().id);
    let take = change(&store, ids[1], user("b", &[("name", "b"), ("name", "a")]));
    let taken = CreateError::Refused(vec![Refusal::Taken { claim: 1 }]);
    assert_eq!(wait(store.update(take.clone())), Err(taken.into()));
    assert_eq!(wait(store.delete(RecordKind::User, ids[0], None.into())), Ok(()));
    assert_eq!(wait(store.update(take)), Ok(()));
    assert_eq!(scratch.count("unique_claims"), 2);
    assert_eq!(wait(store.delete(RecordKind::User, ids[1], None.into())), Ok(()));
    assert!(scratch.is_empty());
}
