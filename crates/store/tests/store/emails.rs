//! Users by their e-mail address: found by the claim where there is one, by the key where not.

use registrar_core::aggregate::{Claim, NewUser, Reference, ReferenceKey, ReferenceTarget};
use registrar_core::changes::{ReleasedClaims, UserUpdate};
use registrar_store::{Store, UpdateUser, UserFilter};

use crate::scratch::{Scratch, create, on_both, user, wait};

on_both! {
    user_is_found_by_email_with_any_claim_scope,
    user_is_found_by_email_after_updates,
    migration_adds_the_index_of_uuids,
}

/// A user with an address, and claims of it in these scopes.
fn with_email(key: &str, scopes: &[&str]) -> NewUser {
    let claims: Vec<(&str, &str)> = scopes.iter().map(|scope| (*scope, key)).collect();
    NewUser {
        email: Some(key.to_uppercase()),
        email_key: Some(key.to_owned()),
        properties: Some("{}".to_owned()),
        ..user("ann", &claims)
    }
}

/// The ids of those who have an address; a reference to it says the same.
fn having(store: &Store, key: &str) -> Vec<i64> {
    let filter = UserFilter { email_key: Some(key.to_owned()), ..UserFilter::default() };
    let page = store.users(&filter, 1, 10).unwrap();
    let ids: Vec<i64> = page.users.iter().map(|user| user.columns.id).collect();
    assert_eq!(page.total, i64::try_from(ids.len()).unwrap());
    let reference = Reference {
        resource: ReferenceTarget::User,
        value: ReferenceKey::EmailKey(key.to_owned()),
    };
    let probe = create(store, NewUser { references: vec![reference], ..user("probe", &[]) });
    assert_eq!(probe.is_ok(), !ids.is_empty(), "{key}: {ids:?}");
    if let Ok(created) = probe {
        wait(store.delete(created.id, None.into())).unwrap();
    }
    ids
}

fn user_is_found_by_email_with_any_claim_scope(scratch: &Scratch) {
    let store = scratch.open();
    let new = |user: NewUser| create(&store, user).unwrap().id;
    let claimed = new(with_email("a", &[Claim::OF_EMAIL]));
    assert_eq!(scratch.count("users WHERE email_key IS NOT NULL"), 0);
    let conditional = new(with_email("a", &["user.email?featured=true"]));
    let shared = [new(with_email("a", &[])), new(with_email("b", &[]))];
    assert_eq!(having(&store, "a"), [claimed, conditional, shared[0]]);
    assert_eq!(having(&store, "b"), [shared[1]]);
    assert_eq!(having(&store, "c"), Vec::<i64>::new());

    // Claimed without being stored: a form judges the address and forgets it.
    new(user("virtual", &[(Claim::OF_EMAIL, "c")]));
    assert_eq!(having(&store, "c"), Vec::<i64>::new());
}

fn user_is_found_by_email_after_updates(scratch: &Scratch) {
    let store = scratch.open();
    let id = create(&store, with_email("a", &[Claim::OF_EMAIL])).unwrap().id;
    let change = |user: NewUser| {
        let loaded = store.user(id).unwrap().unwrap().columns;
        let record = UpdateUser {
            id,
            uuid: loaded.uuid,
            lock_version: loaded.updated_at,
            changed: UserUpdate { user, released: ReleasedClaims::default() },
            password_hash: None,
            actor: None.into(),
        };
        wait(store.update(record)).unwrap();
    };
    change(NewUser { first_name: Some("Ann".to_owned()), ..with_email("a", &[Claim::OF_EMAIL]) });
    assert_eq!(having(&store, "a"), [id]);
    // The old claim stays here, since nothing says that it is given up; it leads to nobody.
    change(with_email("b", &[Claim::OF_EMAIL]));
    assert_eq!((having(&store, "a"), having(&store, "b")), (vec![], vec![id]));
    change(with_email("c", &[]));
    assert_eq!((having(&store, "b"), having(&store, "c")), (vec![], vec![id]));
    wait(store.delete(id, None.into())).unwrap();
    assert_eq!(having(&store, "c"), Vec::<i64>::new());
    assert!(scratch.is_empty());
}

fn migration_adds_the_index_of_uuids(scratch: &Scratch) {
    let store = scratch.open();
    create(&store, with_email("a", &[Claim::OF_EMAIL])).unwrap();
    create(&store, with_email("b", &[])).unwrap();
    drop(store);
    // It reads the same for both databases.
    let undo = include_str!("../../../../migrations/postgres/0002_find_users_by_claim/down.sql");
    scratch.raw().run(undo);
    scratch.raw().run("DELETE FROM __diesel_schema_migrations WHERE version = '0002'");
    assert_eq!(scratch.count("users WHERE email_key IN ('a', 'b')"), 2, "as it was before");

    let store = scratch.open();
    create(&store, with_email("c", &[Claim::OF_EMAIL])).unwrap();
    assert_eq!(["a", "b", "c"].map(|key| having(&store, key)), [[1], [2], [3]]);
}
