//! Relationships: unique keys, and deletion with their members.

use registrar_core::aggregate::{
    Aggregate, Claim, ClaimHolder, NewClaim, NewEntity, NewRelationship,
    NewRelationshipTransactable, NewRelationshipUser, NewUser, Reference, ReferenceKey,
    RelationshipLink,
};
use registrar_core::record_kind::RecordKind;
use registrar_store::{CreateError, RecordBody, Refusal, WriteError};

use crate::records::{boat, change, load, make, taken};
use crate::support::{
    Scratch, claim, create, keeping_claims, of, on_both, record_claim, update, user, wait,
};

on_both!(relationship_keys_are_unique, deleting_a_relationship_deletes_its_users_and_transactables,);

pub(crate) fn company(name: &str) -> Aggregate {
    let scope = "user.relationships.company.properties.name";
    let key = Claim { scope: scope.into(), value_key: name.to_owned() };
    let relationship = NewRelationship {
        id: None,
        type_name: "company".into(),
        key: Some(key),
        properties: format!(r#"{{"name":"{name}"}}"#),
    };
    Aggregate {
        claims: vec![NewClaim { holder: ClaimHolder::Relationship, ..claim(scope, name) }],
        ..of(NewEntity::Relationship { creator: None, relationship })
    }
}

/// A relationship user, as its form returns it.
pub(crate) fn member(relationship: RelationshipLink, badge: &str) -> Aggregate {
    let relationship_user = NewRelationshipUser {
        id: None,
        type_name: "employee".into(),
        relationship,
        properties: format!(r#"{{"badge":"{badge}"}}"#),
    };
    Aggregate {
        claims: vec![record_claim(
            RecordKind::RelationshipUser,
            None,
            "user.relationship_users.employee.properties.badge",
            badge,
        )],
        ..of(NewEntity::RelationshipUser { owner: None, relationship_user })
    }
}

/// A user with one relationship user.
pub(crate) fn member_user(relationship: RelationshipLink, badge: &str) -> Aggregate {
    let member = member(relationship, badge);
    let relationship_users = member.entity.records().relationship_users.to_vec();
    let entity = NewEntity::User(NewUser { relationship_users, ..NewUser::default() });
    Aggregate { entity, ..member }
}

pub(crate) fn keyed(key: &str) -> RelationshipLink {
    let make = Some(format!(r#"{{"name":"{key}"}}"#));
    RelationshipLink::Keyed { type_name: "company".into(), key: key.to_owned(), make }
}

fn relationship_keys_are_unique(scratch: &Scratch) {
    let store = scratch.open();
    let ann = create(&store, user("ann", &[])).unwrap().id;
    let acme = make(&store, company("ACME"), Some(ann)).unwrap();
    assert_eq!(make(&store, company("ACME"), None), Err(taken(0)));
    let stored = store.relationship_by_key("company", "ACME").unwrap().unwrap();
    assert_eq!((stored.id(), stored.user_id), (acme, Some(ann)));
    assert_eq!(store.relationship_by_key("company", "ACM"), Ok(None));
    assert_eq!(store.relationship_by_key("club", "ACME"), Ok(None));

    // A relationship created by its key has no claim, but conflicts nonetheless.
    let bob = create(&store, member_user(keyed("B"), "1")).unwrap().id;
    let made = store.user(bob).unwrap().unwrap().relationship_users.remove(0).relationship;
    assert_eq!((made.key.as_deref(), made.properties.as_str()), (Some("B"), r#"{"name":"B"}"#));
    assert_eq!((made.creator_id, made.uuid.get_version_num()), (None, 7));
    assert_eq!(made.created_at, made.updated_at);
    assert_eq!(make(&store, company("B"), None), Err(taken(0)));
    let renamed = |name: &str| {
        let mut company = company(name);
        if let NewEntity::Relationship { relationship, .. } = &mut company.entity {
            relationship.id = Some(acme);
        }
        change(&store, acme, company)
    };
    assert_eq!(renamed("B"), Err(taken(0).into()));
    assert_eq!(renamed("C"), Ok(()));
    assert!(store.relationship_by_key("company", "C").unwrap().is_some());
    let stored = load(&store, RecordKind::Relationship, acme).unwrap();
    let RecordBody::Relationship(relationship) = &stored.body else { panic!("{stored:?}") };
    assert!(relationship.updated_at > relationship.created_at);
    let stale = update((acme, relationship.created_at), keeping_claims(company("D")));
    assert_eq!(wait(store.update(stale)), Err(WriteError::Conflict));
    // Members find existing relationships by key or id, and references to a key are verified.
    let claire = create(&store, member_user(keyed("C"), "2")).unwrap().id;
    let joined = store.user(claire).unwrap().unwrap().relationship_users[0].relationship_id;
    assert_eq!(joined, acme);
    let must = |key: &str| {
        let link = RelationshipLink::Keyed {
            type_name: "company".into(),
            key: key.to_owned(),
            make: None,
        };
        let value = ReferenceKey::Key { type_name: "company".into(), key: key.to_owned() };
        let references = vec![Reference { resource: RecordKind::Relationship, value }];
        make(&store, Aggregate { references, ..member(link, key) }, Some(ann))
    };
    assert!(must("C").is_ok());
    let missing = CreateError::Refused(vec![Refusal::Missing { reference: 0 }]);
    assert_eq!(must("ACME"), Err(missing));
    assert_eq!(scratch.count("relationships"), 2);
}

fn deleting_a_relationship_deletes_its_users_and_transactables(scratch: &Scratch) {
    let store = scratch.open();
    let ann = create(&store, member_user(keyed("A"), "1")).unwrap().id;
    let bob = create(&store, member_user(keyed("A"), "2")).unwrap().id;
    let other = make(&store, member(keyed("B"), "3"), Some(ann)).unwrap();
    let boat = make(&store, boat("X"), Some(bob)).unwrap();
    let company = store.relationship_by_key("company", "A").unwrap().unwrap().id();
    let offered = |relationship_id| NewRelationshipTransactable {
        id: None,
        type_name: "offer".into(),
        relationship_id,
        transactable_id: boat,
        properties: r#"{"slot":"9"}"#.to_owned(),
    };
    let listed = |relationship_id| Aggregate {
        claims: vec![record_claim(
            RecordKind::RelationshipTransactable,
            None,
            "user.relationship_transactables.offer.properties.slot",
            "9",
        )],
        ..of(NewEntity::RelationshipTransactable(offered(relationship_id)))
    };
    let offer = make(&store, listed(company), None).unwrap();
    let stored = load(&store, RecordKind::RelationshipTransactable, offer).unwrap();
    assert_eq!(stored.user_id, Some(bob));
    let RecordBody::RelationshipTransactable(found) = stored.body else { panic!("no offer") };
    assert_eq!((found.relationship_id, found.transactable_id), (company, boat));
    assert_eq!(scratch.count("unique_claims"), 5);

    assert_eq!(wait(store.delete(RecordKind::Relationship, company, None.into())), Ok(()));
    let left = store.user(ann).unwrap().unwrap().relationship_users;
    assert_eq!(left.iter().map(|member| member.id).collect::<Vec<_>>(), [other]);
    assert_eq!(scratch.count("relationship_transactables"), 0);
    assert_eq!(scratch.count("unique_claims"), 2, "claims of the other member and of the boat");
    let again = wait(store.delete(RecordKind::Relationship, company, None.into()));
    assert_eq!(again, Err(WriteError::NotFound));

    // Deleting a transactable deletes its offers, and deleting a user its transactables.
    let company = store.relationship_by_key("company", "B").unwrap().unwrap().id();
    let offer = make(&store, listed(company), None).unwrap();
    let changed = NewRelationshipTransactable {
        id: Some(offer),
        properties: "{}".to_owned(),
        ..offered(company)
    };
    let changed = of(NewEntity::RelationshipTransactable(changed));
    assert_eq!(change(&store, offer, changed), Ok(()));
    assert_eq!(wait(store.delete(RecordKind::Transactable, boat, None.into())), Ok(()));
    assert_eq!(scratch.count("relationship_transactables"), 0);
    assert_eq!(wait(store.delete(RecordKind::RelationshipUser, other, None.into())), Ok(()));
    assert!(store.user(ann).unwrap().unwrap().relationship_users.is_empty());
}
