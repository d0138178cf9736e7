//! Look-up of users by e-mail address: by claim if there is one, or by key.

use registrar_core::aggregate::{Aggregate, Claim, Reference, ReferenceKey};
use registrar_core::record_kind::RecordKind;
use registrar_store::{Store, UserFilter};

use crate::support::{Scratch, create, keeping_claims, on_both, update, user, wait, with_user};

on_both! {
    user_is_found_by_email_with_any_claim_scope,
    user_is_found_by_email_after_updates,
    migration_adds_the_index_of_uuids,
}

/// A user with an address, and claims for it in these scopes.
fn with_email(key: &str, scopes: &[&str]) -> Aggregate {
    let claims: Vec<(&str, &str)> = scopes.iter().map(|scope| (*scope, key)).collect();
    with_user(user("ann", &claims), |user| {
        user.email = Some(key.to_uppercase());
        user.email_key = Some(key.to_owned());
        user.properties = Some("{}".to_owned());
    })
}

/// Returns the ids of users with an address, and asserts that references to it agree.
fn ids_with_email(store: &Store, key: &str) -> Vec<i64> {
    let filter = UserFilter { email_key: Some(key.to_owned()), ..UserFilter::default() };
    let page = store.users(&filter, 1, 10).unwrap();
    let ids: Vec<i64> = page.users.iter().map(|user| user.columns.id).collect();
    assert_eq!(page.total, i64::try_from(ids.len()).unwrap());
    let reference =
        Reference { resource: RecordKind::User, value: ReferenceKey::EmailKey(key.to_owned()) };
    let probe = create(store, Aggregate { references: vec![reference], ..user("probe", &[]) });
    assert_eq!(probe.is_ok(), !ids.is_empty(), "{key}: {ids:?}");
    if let Ok(created) = probe {
        wait(store.delete(RecordKind::User, created.id, None.into())).unwrap();
    }
    ids
}

fn user_is_found_by_email_with_any_claim_scope(scratch: &Scratch) {
    let store = scratch.open();
    let new = |user: Aggregate| create(&store, user).unwrap().id;
    let claimed = new(with_email("a", &[Claim::OF_EMAIL]));
    assert_eq!(scratch.count("users WHERE email_key IS NOT NULL"), 0);
    let conditional = new(with_email("a", &["user.email?featured=true"]));
    let shared = [new(with_email("a", &[])), new(with_email("b", &[]))];
    assert_eq!(ids_with_email(&store, "a"), [claimed, conditional, shared[0]]);
    assert_eq!(ids_with_email(&store, "b"), [shared[1]]);
    assert_eq!(ids_with_email(&store, "c"), Vec::<i64>::new());

    // Claimed but not stored: the address of a virtual field.
    new(user("virtual", &[(Claim::OF_EMAIL, "c")]));
    assert_eq!(ids_with_email(&store, "c"), Vec::<i64>::new());
}

fn user_is_found_by_email_after_updates(scratch: &Scratch) {
    let store = scratch.open();
    let id = create(&store, with_email("a", &[Claim::OF_EMAIL])).unwrap().id;
    let change = |user: Aggregate| {
        let loaded = store.user(id).unwrap().unwrap().columns;
        wait(store.update(update((id, loaded.updated_at), keeping_claims(user)))).unwrap();
    };
    let ann = with_email("a", &[Claim::OF_EMAIL]);
    change(with_user(ann, |user| user.first_name = Some("Ann".to_owned())));
    assert_eq!(ids_with_email(&store, "a"), [id]);
    // The old claim remains, since the update does not release it; it matches no user.
    change(with_email("b", &[Claim::OF_EMAIL]));
    assert_eq!((ids_with_email(&store, "a"), ids_with_email(&store, "b")), (vec![], vec![id]));
    change(with_email("c", &[]));
    assert_eq!((ids_with_email(&store, "b"), ids_with_email(&store, "c")), (vec![], vec![id]));
    wait(store.delete(RecordKind::User, id, None.into())).unwrap();
    assert_eq!(ids_with_email(&store, "c"), Vec::<i64>::new());
    assert!(scratch.is_empty());
}

fn migration_adds_the_index_of_uuids(scratch: &Scratch) {
    let store = scratch.open();
    create(&store, with_email("a", &[Claim::OF_EMAIL])).unwrap();
    create(&store, with_email("b", &[])).unwrap();
    drop(store);
    // The script is the same for both databases.
    let undo = include_str!("../../../../migrations/postgres/0002_find_users_by_claim/down.sql");
    scratch.raw().run(undo);
    scratch.raw().run("DELETE FROM __diesel_schema_migrations WHERE version = '0002'");
    assert_eq!(scratch.count("users WHERE email_key IN ('a', 'b')"), 2, "as before migration 0002");

    let store = scratch.open();
    create(&store, with_email("c", &[Claim::OF_EMAIL])).unwrap();
    assert_eq!(["a", "b", "c"].map(|key| ids_with_email(&store, key)), [[1], [2], [3]]);
}
