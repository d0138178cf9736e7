//! Concurrent writes by several stores.

use registrar_core::record_kind::RecordKind;
use std::thread;

use registrar_store::{CreateError, Refusal, WriteError};

use crate::records::{boat, make};
use crate::relationships::{company, keyed, member, member_user};
use crate::support::{Scratch, create, on_both, user, wait};

on_both!(
    concurrent_creates_by_key_create_one_relationship,
    relationship_key_is_unique_across_both_ways_to_create_it,
    concurrent_writes_to_one_user_are_serialized,
);

fn concurrent_creates_by_key_create_one_relationship(scratch: &Scratch) {
    // Each store has its own writers, like separate servers.
    let stores: Vec<_> = (0..4).map(|_| scratch.open()).collect();
    let keys = ["a", "b", "c"];
    thread::scope(|scope| {
        for (store, nth) in stores.iter().zip(0..) {
            scope.spawn(move || {
                for round in 0..10 {
                    let key = keys[round % keys.len()];
                    let badge = format!("{nth}-{round}");
                    create(store, member_user(keyed(key), &badge)).unwrap();
                }
            });
        }
    });
    assert_eq!(scratch.count("relationships"), 3);
    assert_eq!(scratch.count("relationship_users"), 40);
    let joined = "(SELECT count(DISTINCT relationship_id) FROM relationship_users)";
    assert_eq!(scratch.raw().number(joined), 3);
}

fn relationship_key_is_unique_across_both_ways_to_create_it(scratch: &Scratch) {
    let stores: Vec<_> = (0..4).map(|_| scratch.open()).collect();
    thread::scope(|scope| {
        for (store, nth) in stores.iter().zip(0..) {
            scope.spawn(move || {
                for round in 0..10 {
                    let name = format!("company {round}");
                    if nth % 2 == 0 {
                        create(store, member_user(keyed(&name), &format!("{nth}-{round}")))
                            .unwrap();
                        continue;
                    }
                    let taken = CreateError::Refused(vec![Refusal::Taken { claim: 0 }]);
                    let made = make(store, company(&name), None);
                    assert!(made.is_ok() || made == Err(taken), "{made:?}");
                }
            });
        }
    });
    assert_eq!(scratch.count("relationships"), 10);
    assert_eq!(scratch.count("relationship_users"), 20);
}

fn concurrent_writes_to_one_user_are_serialized(scratch: &Scratch) {
    let stores: Vec<_> = (0..4).map(|_| scratch.open()).collect();
    let owners = ["ann", "bob"].map(|name| create(&stores[0], user(name, &[])).unwrap().id);
    thread::scope(|scope| {
        for (store, nth) in stores.iter().zip(0..) {
            scope.spawn(move || {
                for round in 0..8 {
                    let owner = owners[(nth + round) % 2];
                    let code = (round % 3).to_string();
                    let taken = CreateError::Refused(vec![Refusal::Taken { claim: 0 }]);
                    match make(store, boat(&code), Some(owner)) {
                        Ok(id) => {
                            let deleted = store.delete(RecordKind::Transactable, id, None.into());
                            assert_eq!(wait(deleted), Ok(()));
                        }
                        refused => assert_eq!(refused, Err(taken)),
                    }
                    let key = keyed("A");
                    let badge = format!("{nth}-{round}");
                    let member = make(store, member(key, &badge), Some(owner)).unwrap();
                    if nth == 0 {
                        let all = store.relationship_by_key("company", "A").unwrap();
                        let Some(id) = all.map(|record| record.id()) else { continue };
                        let deleted = store.delete(RecordKind::Relationship, id, None.into());
                        let deleted = wait(deleted);
                        assert!(matches!(deleted, Ok(()) | Err(WriteError::NotFound)));
                    } else {
                        let kind = RecordKind::RelationshipUser;
                        let deleted = wait(store.delete(kind, member, None.into()));
                        assert!(matches!(deleted, Ok(()) | Err(WriteError::NotFound)));
                    }
                }
            });
        }
    });
    for table in ["transactables", "relationship_users"] {
        assert_eq!(scratch.count(table), 0, "{table}");
    }
    assert_eq!(scratch.count("unique_claims"), 0);
}
