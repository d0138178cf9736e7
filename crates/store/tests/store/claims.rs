//! Unique claims and references: rejections, and what they leave behind.

use std::thread;

use registrar_core::aggregate::{Aggregate, NewEntity, NewUser, Reference, ReferenceKey};
use registrar_core::record_kind::RecordKind;
use registrar_store::{CreateError, Created, Refusal};

use crate::support::{Scratch, create, of, on_both, record, user, with_user};

on_both!(
    every_taken_claim_is_reported,
    rejected_user_leaves_no_rows,
    rejected_user_does_not_fail_its_batch,
    claim_of_a_rejected_user_is_free_for_the_next_in_the_batch,
    first_user_of_a_batch_gets_a_contested_claim,
    duplicate_claim_in_one_user_is_taken,
    missing_references_and_taken_claims_are_reported_together,
    every_kind_of_reference_is_resolved,
    user_of_the_same_batch_cannot_be_referenced,
    concurrent_claims_on_two_stores_have_one_winner,
);

type Outcome = Result<Created, CreateError>;

fn ids(outcomes: &[Outcome]) -> Vec<Option<i64>> {
    outcomes.iter().map(|outcome| outcome.as_ref().ok().map(|created| created.id)).collect()
}

fn refusals(outcome: &Outcome) -> &[Refusal] {
    match outcome {
        Err(CreateError::Refused(refusals)) => refusals,
        other => panic!("not refused: {other:?}"),
    }
}

fn taken(claim: usize) -> Refusal {
    Refusal::Taken { claim }
}

fn missing(reference: usize) -> Refusal {
    Refusal::Missing { reference }
}

fn every_taken_claim_is_reported(scratch: &Scratch) {
    let store = scratch.open();
    create(&store, user("ann", &[("email", "ann"), ("handle", "a")])).unwrap();
    let claims = |email, handle| user("bob", &[("email", email), ("handle", handle)]);
    assert_eq!(refusals(&create(&store, claims("ann", "b"))), [taken(0)]);
    assert_eq!(refusals(&create(&store, claims("bob", "a"))), [taken(1)]);
    assert_eq!(refusals(&create(&store, claims("ann", "a"))), [taken(0), taken(1)]);
    // Rejected users hold no claims and used up no id.
    assert_eq!(create(&store, claims("bob", "b")).unwrap().id, 2);
    assert_eq!(scratch.count("unique_claims"), 4);
    // Scopes are independent, and keys are compared exactly.
    create(&store, user("cid", &[("email", "a"), ("handle", "ann"), ("email", "Ann")])).unwrap();
}

fn rejected_user_leaves_no_rows(scratch: &Scratch) {
    let store = scratch.open();
    let outcome = create(
        &store,
        Aggregate {
            references: vec![Reference { resource: RecordKind::User, value: ReferenceKey::Id(1) }],
            ..user("ann", &[("email", "ann")])
        },
    );
    assert_eq!(refusals(&outcome), [missing(0)]);
    assert!(scratch.is_empty());
}

fn rejected_user_does_not_fail_its_batch(scratch: &Scratch) {
    let store = scratch.open();
    create(&store, user("ann", &[("email", "ann")])).unwrap();
    let records = ["bob", "ann", "cid", "dan"]
        .map(|name| record(user(name, &[("email", name), ("handle", name)])));
    let outcomes = scratch.create_together(&store, records.into());
    assert_eq!(refusals(&outcomes[1]), [taken(0)]);
    // Id 2 belonged to the plug; the rejected user took none.
    assert_eq!(ids(&outcomes), [Some(3), None, Some(4), Some(5)]);
    assert_eq!(scratch.count("unique_claims"), 1 + 3 * 2);
    // The other claims of the rejected user are free.
    create(&store, user("eve", &[("handle", "ann")])).unwrap();
}

fn claim_of_a_rejected_user_is_free_for_the_next_in_the_batch(scratch: &Scratch) {
    let store = scratch.open();
    create(&store, user("ann", &[("email", "ann")])).unwrap();
    let nobody = Reference { resource: RecordKind::User, value: ReferenceKey::Id(99) };
    let outcomes = scratch.create_together(
        &store,
        vec![
            record(user("1st", &[("handle", "x"), ("email", "ann")])),
            record(user("2nd", &[("handle", "x")])),
            record(Aggregate { references: vec![nobody], ..user("3rd", &[("handle", "y")]) }),
            record(user("4th", &[("handle", "y"), ("handle", "z")])),
            record(user("5th", &[("handle", "z"), ("handle", "w")])),
            record(user("6th", &[("handle", "w")])),
        ],
    );
    assert_eq!(refusals(&outcomes[0]), [taken(1)]);
    assert!(outcomes[1].is_ok());
    assert_eq!(refusals(&outcomes[2]), [missing(0)]);
    assert!(outcomes[3].is_ok());
    assert_eq!(refusals(&outcomes[4]), [taken(0)]);
    assert!(outcomes[5].is_ok());
}

fn first_user_of_a_batch_gets_a_contested_claim(scratch: &Scratch) {
    let store = scratch.open();
    let records = (0..40).map(|i| record(user(&i.to_string(), &[("email", "same")]))).collect();
    let outcomes = scratch.create_together(&store, records);
    assert_eq!(outcomes[0].as_ref().unwrap().id, 2);
    for outcome in &outcomes[1..] {
        assert_eq!(refusals(outcome), [taken(0)]);
    }
    assert_eq!(scratch.count("users"), 1);
}

fn duplicate_claim_in_one_user_is_taken(scratch: &Scratch) {
    let store = scratch.open();
    let outcome = create(&store, user("ann", &[("handle", "x"), ("email", "a"), ("handle", "x")]));
    assert_eq!(refusals(&outcome), [taken(2)]);
    assert!(scratch.is_empty());
}

fn missing_references_and_taken_claims_are_reported_together(scratch: &Scratch) {
    let store = scratch.open();
    create(&store, user("ann", &[("email", "ann")])).unwrap();
    let reference = |id| Reference { resource: RecordKind::User, value: ReferenceKey::Id(id) };
    let outcome = create(
        &store,
        Aggregate {
            references: vec![reference(1), reference(7), reference(1), reference(i64::MAX)],
            ..user("bob", &[("handle", "b"), ("email", "ann")])
        },
    );
    assert_eq!(refusals(&outcome), [taken(1), missing(1), missing(3)]);
    assert_eq!(scratch.count("unique_claims"), 1);
}

fn every_kind_of_reference_is_resolved(scratch: &Scratch) {
    let store = scratch.open();
    for _ in 0..2 {
        let new = NewUser {
            email_key: Some("ann@example.com".to_owned()),
            external_id: Some("x'1".to_owned()),
            ..NewUser::default()
        };
        create(&store, of(NewEntity::User(new))).unwrap();
    }
    let reference = |resource, value| Reference { resource, value };
    let text = |text: &str| text.to_owned();
    use RecordKind::{Relationship, Transactable, User};
    use ReferenceKey::{EmailKey, ExternalId, Id};
    let outcome = create(
        &store,
        Aggregate {
            references: vec![
                reference(User, Id(2)),
                reference(User, ExternalId(text("x'1"))),
                reference(User, EmailKey(text("ann@example.com"))),
                reference(User, ExternalId(text("ann@example.com"))),
                reference(User, EmailKey(text("x'1"))),
                reference(Relationship, Id(1)),
                reference(Transactable, Id(1)),
                reference(Relationship, ExternalId(text("x'1"))),
            ],
            ..user("bob", &[])
        },
    );
    assert_eq!(refusals(&outcome), [3, 4, 5, 6, 7].map(missing));
}

fn user_of_the_same_batch_cannot_be_referenced(scratch: &Scratch) {
    let store = scratch.open();
    let next =
        Reference { resource: RecordKind::User, value: ReferenceKey::ExternalId("x".to_owned()) };
    let outcomes = scratch.create_together(
        &store,
        vec![
            record(with_user(user("ann", &[]), |ann| ann.external_id = Some("x".to_owned()))),
            record(Aggregate { references: vec![next], ..user("bob", &[]) }),
        ],
    );
    assert!(outcomes[0].is_ok());
    assert_eq!(refusals(&outcomes[1]), [missing(0)]);
}

fn concurrent_claims_on_two_stores_have_one_winner(scratch: &Scratch) {
    let stores = [scratch.open(), scratch.open()];
    let outcomes: Vec<Outcome> = thread::scope(|scope| {
        let threads: Vec<_> = (0..64)
            .map(|i| {
                let store = stores[i % 2].clone();
                scope.spawn(move || {
                    let own = i.to_string();
                    // Claims in both orders would deadlock two writers without a lock order.
                    let claims = [("email", "same"), ("handle", own.as_str())];
                    create(&store, user(&own, &claims))
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for outcome in outcomes.iter().filter(|outcome| outcome.is_err()) {
        assert_eq!(refusals(outcome), [taken(0)]);
    }
    assert_eq!((scratch.count("users"), scratch.count("unique_claims")), (1, 2));
    // No id was skipped.
    assert_eq!(create(&stores[0], user("last", &[])).unwrap().id, 2);
}
