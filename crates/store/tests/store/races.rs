//! Relationships that several make at the same time.

use std::thread;

use crate::records::{keyed, member};
use crate::scratch::{Scratch, create, on_both};

on_both!(of_equal_keys_one_relationship_comes);

fn of_equal_keys_one_relationship_comes(scratch: &Scratch) {
    // Each has writers of its own, as servers beside each other have.
    let stores: Vec<_> = (0..4).map(|_| scratch.open()).collect();
    let keys = ["a", "b", "c"];
    thread::scope(|scope| {
        for (store, nth) in stores.iter().zip(0..) {
            scope.spawn(move || {
                for round in 0..10 {
                    let key = keys[round % keys.len()];
                    let badge = format!("{nth}-{round}");
                    create(store, member(keyed(key), &badge)).unwrap();
                }
            });
        }
    });
    assert_eq!(scratch.count("relationships"), 3);
    assert_eq!(scratch.count("relationship_users"), 40);
    let joined = "(SELECT count(DISTINCT relationship_id) FROM relationship_users)";
    assert_eq!(scratch.raw().number(joined), 3);
}
