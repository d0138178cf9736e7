//! Records without their user: created, read, updated and deleted on their own.

use registrar_core::aggregate::{
    Aggregate, Attachments, ClaimHolder, Customizable, NewAddress, NewClaim, NewCustomization,
    NewEntity, NewTransactable, Reference, ReferenceKey,
};
use registrar_core::record_kind::RecordKind;
use registrar_store::{
    CreateError, CreateRequest, Pagination, RecordBody, RecordFilter, Refusal, Store, StoredRecord,
    UserFilter, WriteError,
};

use crate::relationships::{company, keyed, member_user};
use crate::support::{
    self, Scratch, claim, create, keeping_claims, of, on_both, record, record_claim, update, user,
    wait, with_user,
};

on_both!(
    transactable_is_read_back_as_created,
    record_requires_an_owner,
    record_update_with_a_stale_lock_version_conflicts,
    nested_and_separate_records_share_claims,
    deleting_a_record_releases_only_its_claims,
    updating_a_record_keeps_claims_of_other_records,
    customizations_belong_to_their_owner,
    records_are_paginated,
    relationship_users_are_listed_newest_first,
);

pub(crate) const CODE: &str = "user.transactables.boat.properties.code";

fn listing(code: &str) -> NewTransactable {
    NewTransactable {
        id: None,
        type_name: "boat".into(),
        name: Some(format!("boat {code}")),
        description: None,
        currency: "EUR".to_owned(),
        enabled: true,
        properties: format!(r#"{{"code":"{code}"}}"#),
        attached: Attachments::default(),
    }
}

/// A transactable with a unique code, as its form returns it.
pub(crate) fn boat(code: &str) -> Aggregate {
    boat_of(None, listing(code), code)
}

fn boat_of(owner: Option<i64>, transactable: NewTransactable, code: &str) -> Aggregate {
    Aggregate {
        claims: vec![record_claim(RecordKind::Transactable, None, CODE, code)],
        ..of(NewEntity::Transactable { owner, transactable })
    }
}

fn customization(url: &str) -> NewCustomization {
    let properties = format!(r#"{{"url":"{url}"}}"#);
    let attached = Attachments::default();
    NewCustomization { id: None, type_name: "link".into(), properties, attached }
}

pub(crate) fn make(
    store: &Store,
    aggregate: Aggregate,
    default_owner: Option<i64>,
) -> Result<i64, CreateError> {
    let created = wait(store.create(CreateRequest { default_owner, ..record(aggregate) }));
    created.map(|created| created.id)
}

pub(crate) fn load(store: &Store, kind: RecordKind, id: i64) -> Option<StoredRecord> {
    store.record(kind, id).unwrap()
}

/// Returns a submission whose claims belong to a stored record.
pub(crate) fn stored(id: i64, mut aggregate: Aggregate) -> Aggregate {
    let kind = aggregate.entity.kind();
    for claim in &mut aggregate.claims {
        if claim.holder == ClaimHolder::New(vec![(kind, 0)]) {
            claim.holder = ClaimHolder::Stored { kind, id };
        }
    }
    aggregate
}

/// Updates a record and releases none of its claims.
pub(crate) fn change(store: &Store, id: i64, aggregate: Aggregate) -> Result<(), WriteError> {
    let lock_version = load(store, aggregate.entity.kind(), id).unwrap().lock_version;
    let changed = keeping_claims(stored(id, aggregate));
    wait(store.update(update((id, lock_version), changed)))
}

pub(crate) fn taken(place: usize) -> CreateError {
    CreateError::Refused(vec![Refusal::Taken { claim: place }])
}

fn transactable_is_read_back_as_created(scratch: &Scratch) {
    let store = scratch.open();
    let ann = create(&store, user("ann", &[])).unwrap().id;
    let before = store.user(ann).unwrap().unwrap().columns.updated_at;
    let attached = Attachments {
        addresses: vec![NewAddress {
            name: "home".into(),
            city: Some("Łódź".to_owned()),
            ..NewAddress::default()
        }],
        files: vec![],
        customizations: vec![customization("u")],
    };
    let new = boat_of(Some(ann), NewTransactable { attached, ..listing("X") }, "X");
    let id = make(&store, new, None).unwrap();
    assert_eq!(id, 1);
    let stored = load(&store, RecordKind::Transactable, id).unwrap();
    assert_eq!((stored.kind(), stored.id()), (RecordKind::Transactable, 1));
    assert_eq!(stored.user_id, Some(ann));
    assert!(stored.lock_version > before, "updated_at of the owner changes");
    let RecordBody::Transactable(listing) = &stored.body else { panic!("{stored:?}") };
    assert_eq!(listing.properties, r#"{"code":"X"}"#);
    assert_eq!(listing.attached.addresses[0].city.as_deref(), Some("Łódź"));
    assert_eq!(listing.attached.customizations[0].properties, r#"{"url":"u"}"#);
    // The record is part of the user, as if created with it.
    let user = store.user(ann).unwrap().unwrap();
    assert_eq!(user.transactables, std::slice::from_ref(listing));

    assert_eq!(wait(store.delete(RecordKind::Transactable, id, None.into())), Ok(()));
    assert_eq!(load(&store, RecordKind::Transactable, id), None);
    for table in ["transactables", "addresses", "customizations", "unique_claims"] {
        assert_eq!(scratch.count(table), 0, "{table}");
    }
    let again = wait(store.delete(RecordKind::Transactable, id, None.into()));
    assert_eq!(again, Err(WriteError::NotFound));
}

fn record_requires_an_owner(scratch: &Scratch) {
    let store = scratch.open();
    let ann = create(&store, user("ann", &[])).unwrap().id;
    let ownerless = Err(CreateError::Refused(vec![Refusal::MissingOwner]));
    assert_eq!(make(&store, boat("X"), None), ownerless);
    assert_eq!(make(&store, boat("X"), Some(404)), ownerless);
    let nobody = Reference { resource: RecordKind::User, value: ReferenceKey::Id(404) };
    let references = vec![nobody];
    let new = Aggregate { references, ..boat_of(Some(404), listing("X"), "X") };
    let missing = CreateError::Refused(vec![Refusal::Missing { reference: 0 }]);
    assert_eq!(make(&store, new, Some(ann)), Err(missing));
    assert_eq!(scratch.count("unique_claims"), 0);
    // No id was used up.
    assert_eq!(make(&store, boat("X"), Some(ann)), Ok(1));
    assert_eq!(make(&store, boat("X"), Some(ann)), Err(taken(0)), "also for the same owner");
    // All rejections are reported together.
    let references =
        vec![Reference { resource: RecordKind::Relationship, value: ReferenceKey::Id(9) }];
    let both = vec![Refusal::Taken { claim: 0 }, Refusal::Missing { reference: 0 }];
    let new = Aggregate { references, ..boat("X") };
    assert_eq!(make(&store, new, Some(ann)), Err(CreateError::Refused(both)));
    assert_eq!(make(&store, company("A"), Some(404)), ownerless, "no creator");
}

fn record_update_with_a_stale_lock_version_conflicts(scratch: &Scratch) {
    let store = scratch.open();
    let ann = create(&store, user("ann", &[])).unwrap().id;
    let id = make(&store, boat("X"), Some(ann)).unwrap();
    let lock_version = load(&store, RecordKind::Transactable, id).unwrap().lock_version;
    let update = |code: &str| {
        let listing = NewTransactable { id: Some(id), ..listing(code) };
        let changed = keeping_claims(stored(id, boat_of(None, listing, code)));
        wait(store.update(support::update((id, lock_version), changed)))
    };
    assert_eq!(update("Y"), Ok(()));
    assert_eq!(update("Z"), Err(WriteError::Conflict));
    let stored = load(&store, RecordKind::Transactable, id).unwrap();
    let RecordBody::Transactable(listing) = stored.body else { panic!("another kind") };
    assert_eq!(listing.properties, r#"{"code":"Y"}"#);
    assert_eq!(wait(store.delete(RecordKind::User, ann, None.into())), Ok(()));
    assert_eq!(update("Z"), Err(WriteError::NotFound));
    assert!(scratch.is_empty());
}

fn nested_and_separate_records_share_claims(scratch: &Scratch) {
    let store = scratch.open();
    let ann = create(&store, user("ann", &[])).unwrap().id;
    let id = make(&store, boat("X"), Some(ann)).unwrap();
    let nested = || {
        let bob = with_user(user("bob", &[]), |bob| bob.transactables.push(listing("X")));
        create(&store, Aggregate { claims: boat("X").claims, ..bob })
    };
    assert_eq!(nested(), Err(taken(0)));
    assert_eq!(wait(store.delete(RecordKind::Transactable, id, None.into())), Ok(()));
    let bob = nested().unwrap().id;
    assert_eq!(make(&store, boat("X"), Some(ann)), Err(taken(0)));
    // A record created with its user can be deleted on its own.
    let theirs = store.user(bob).unwrap().unwrap().transactables[0].id;
    assert_eq!(wait(store.delete(RecordKind::Transactable, theirs, None.into())), Ok(()));
    assert!(make(&store, boat("X"), Some(ann)).is_ok());
}

fn deleting_a_record_releases_only_its_claims(scratch: &Scratch) {
    let store = scratch.open();
    let ann = create(&store, user("ann", &[("user.name", "ann")])).unwrap().id;
    let mut listing = listing("X");
    let nested = (RecordKind::Customization, 0);
    listing.attached.customizations = vec![customization("u")];
    let mut new = boat_of(None, listing, "X");
    let of_nested = ClaimHolder::New(vec![(RecordKind::Transactable, 0), nested]);
    new.claims.push(NewClaim { holder: of_nested, ..claim("user.customizations.link.url", "u") });
    let first = make(&store, new, Some(ann)).unwrap();
    let second = make(&store, boat("Y"), Some(ann)).unwrap();
    // It has the first one's code and claims nothing.
    let mut same = boat("X");
    same.claims.clear();
    let third = make(&store, same, Some(ann)).unwrap();
    assert_eq!(scratch.count("unique_claims"), 4);
    assert_eq!(scratch.count("unique_claims WHERE record_id IS NOT NULL"), 3);
    let delete = |id| wait(store.delete(RecordKind::Transactable, id, None.into())).unwrap();
    let left = |key: &str| scratch.count(&format!("unique_claims WHERE value_key = '{key}'"));
    delete(third);
    assert_eq!((left("X"), left("u"), left("Y"), left("ann")), (1, 1, 1, 1));
    delete(first);
    assert_eq!((left("X"), left("u"), left("Y"), left("ann")), (0, 0, 1, 1));
    delete(second);
    assert_eq!((left("Y"), left("ann")), (0, 1));
}

fn updating_a_record_keeps_claims_of_other_records(scratch: &Scratch) {
    let store = scratch.open();
    let ann = create(&store, user("ann", &[])).unwrap().id;
    let first = make(&store, boat("X"), Some(ann)).unwrap();
    let second = make(&store, boat("Y"), Some(ann)).unwrap();
    let as_it_is =
        |id, code| boat_of(None, NewTransactable { id: Some(id), ..listing(code) }, code);
    // A record does not conflict with itself, but with others.
    assert_eq!(change(&store, second, as_it_is(second, "Y")), Ok(()));
    assert_eq!(change(&store, second, as_it_is(second, "X")), Err(taken(0).into()));
    assert_eq!(change(&store, first, as_it_is(first, "X")), Ok(()));
    assert_eq!(scratch.count("unique_claims"), 2);
}

fn customizations_belong_to_their_owner(scratch: &Scratch) {
    let store = scratch.open();
    let ann = create(&store, user("ann", &[])).unwrap().id;
    let bob = create(&store, user("bob", &[])).unwrap().id;
    let boat = make(&store, boat("X"), Some(ann)).unwrap();
    let link_of = |owner, customization, at: Option<Customizable>| Aggregate {
        references: at
            .map(|at| Reference { resource: at.resource, value: ReferenceKey::Id(at.id) })
            .into_iter()
            .collect(),
        ..of(NewEntity::Customization { owner, parent: at, customization })
    };
    let link = |url: &str, at| link_of(None, customization(url), at);
    let at = |resource, id| Some(Customizable { resource, id });
    let of_boat = at(RecordKind::Transactable, boat);
    let one = make(&store, link("a", of_boat), None).unwrap();
    let inner = make(&store, link("b", at(RecordKind::Customization, one)), None).unwrap();
    let own = make(&store, link("c", None), Some(bob)).unwrap();
    let missing = CreateError::Refused(vec![Refusal::Missing { reference: 0 }]);
    let nowhere = link("d", at(RecordKind::Profile, 404));
    assert_eq!(make(&store, nowhere, Some(ann)), Err(missing.clone()));
    // The transactable of another user.
    let theirs = link_of(Some(bob), customization("e"), of_boat);
    assert_eq!(make(&store, theirs, None), Err(missing));

    let listing = store.user(ann).unwrap().unwrap().transactables.remove(0);
    let outer = &listing.attached.customizations[0];
    assert_eq!((outer.id, outer.attached.customizations[0].id), (one, inner));
    assert_eq!(store.user(bob).unwrap().unwrap().customizations[0].id, own);
    let stored = load(&store, RecordKind::Customization, inner).unwrap();
    let RecordBody::Customization { owner_kind, owner_id, .. } = &stored.body else {
        panic!("{stored:?}")
    };
    assert_eq!((owner_kind.as_str(), *owner_id, stored.user_id), ("customization", one, Some(ann)));

    let changed = NewCustomization { id: Some(inner), ..customization("z") };
    let changed = link_of(None, changed, at(RecordKind::Customization, one));
    assert_eq!(change(&store, inner, changed), Ok(()));
    let stored = load(&store, RecordKind::Customization, inner).unwrap();
    let RecordBody::Customization { customization, .. } = stored.body else { panic!("no link") };
    assert_eq!(customization.properties, r#"{"url":"z"}"#);
    assert_eq!(wait(store.delete(RecordKind::Customization, one, None.into())), Ok(()));
    assert_eq!(load(&store, RecordKind::Customization, inner), None);
    assert_eq!(scratch.count("customizations"), 1);
}

fn records_are_paginated(scratch: &Scratch) {
    let store = scratch.open();
    let ann = create(&store, member_user(keyed("A"), "1")).unwrap().id;
    let bob = create(&store, member_user(keyed("A"), "2")).unwrap().id;
    for (code, owner) in [("1", ann), ("2", bob), ("3", ann), ("4", ann)] {
        make(&store, boat(code), Some(owner)).unwrap();
    }
    let all = RecordFilter::default();
    let shown = |kind, filter: &RecordFilter, newest_first, offset, limit| {
        let window = Pagination { newest_first, offset, limit };
        let page = store.records(kind, filter, window).unwrap();
        let ids: Vec<i64> = page.records.iter().map(StoredRecord::id).collect();
        (ids, page.total)
    };
    let ids =
        |kind, filter: &RecordFilter, offset, limit| shown(kind, filter, false, offset, limit);
    let boats = RecordKind::Transactable;
    assert_eq!(ids(boats, &all, 0, 3), (vec![1, 2, 3], 4));
    assert_eq!(ids(boats, &all, 3, 3), (vec![4], 4));
    assert_eq!(ids(boats, &all, 1, 2), (vec![2, 3], 4));
    assert_eq!(shown(boats, &all, true, 1, 2), (vec![3, 2], 4));
    let of_ann = RecordFilter { user_id: Some(ann), ..all.clone() };
    assert_eq!(ids(boats, &of_ann, 0, 2), (vec![1, 3], 3));
    let some = RecordFilter { ids: Some(vec![2, 3, 99]), ..of_ann.clone() };
    assert_eq!(ids(boats, &some, 0, 9), (vec![3], 1));
    let planes = RecordFilter { type_name: Some("plane".to_owned()), ..all.clone() };
    assert_eq!(ids(boats, &planes, 0, 9), (vec![], 0));
    assert_eq!(ids(RecordKind::RelationshipUser, &all, 0, 9), (vec![1, 2], 2));
    let members = RecordFilter { relationship_id: Some(1), user_id: Some(bob), ..all.clone() };
    assert_eq!(ids(RecordKind::RelationshipUser, &members, 0, 9), (vec![2], 1));
    let keyed = RecordFilter { key: Some("A".to_owned()), ..all.clone() };
    assert_eq!(ids(RecordKind::Relationship, &keyed, 0, 9), (vec![1], 1));
    assert_eq!(ids(RecordKind::RelationshipTransactable, &of_ann, 0, 9), (vec![], 0));
    assert_eq!(ids(RecordKind::Customization, &all, 0, 9), (vec![], 0));
}

fn relationship_users_are_listed_newest_first(scratch: &Scratch) {
    let store = scratch.open();
    for n in ["1", "2", "3"] {
        create(&store, member_user(keyed(if n == "2" { "B" } else { "A" }), n)).unwrap();
    }
    let ids = |relationship_id, newest_first, offset, limit| {
        let filter = UserFilter { relationship_id, ..UserFilter::default() };
        let window = Pagination { newest_first, offset, limit };
        let page = store.list_users(&filter, window).unwrap();
        (page.users.iter().map(|user| user.columns.id).collect::<Vec<_>>(), page.total)
    };
    assert_eq!(ids(Some(1), true, 0, 9), (vec![3, 1], 2));
    assert_eq!(ids(Some(1), false, 1, 9), (vec![3], 2));
    assert_eq!(ids(None, true, 1, 1), (vec![2], 3));
    let scope = "user.relationship_users.employee.properties.badge";
    let found = store.user_by_claim(scope, "2").unwrap().unwrap();
    assert_eq!(found.columns.id, 2);
    assert_eq!(store.user_by_claim(scope, "9"), Ok(None));
    assert_eq!(store.credentials(1), Ok(None));
}
