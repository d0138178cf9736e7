//! Round trips: stored data equals what was written, in the same order, on both databases.

use registrar_core::aggregate::{
    Aggregate, Attachments, NewAddress, NewCustomization, NewEntity, NewFile, NewProfile,
    NewRelationshipUser, NewTransactable, NewUser, Reference, ReferenceKey, RelationshipLink,
};
use registrar_core::record_kind::RecordKind;
use registrar_store::{CreateRequest, Created, Store, StoredAttached, StoredUser, UserFilter};

use crate::support::{Scratch, claim, create, of, on_both, record, user, wait};

on_both!(
    nested_user_is_read_back_as_created,
    timestamps_and_uuids_are_exact,
    users_are_paginated,
    reads_do_not_wait_for_writers,
);

/// Keys that `jsonb` would reorder, numbers that it would reformat, and strings with escapes.
const JSON: &str = r#"{"aa":[1,2.50,-3],"b":{"x":null,"zzz":"\"é\"\n\\"},"ccc":true,"Ω":""}"#;

fn customization(name: &str, attached: Attachments) -> NewCustomization {
    NewCustomization {
        id: None,
        type_name: name.into(),
        properties: format!(r#"{{"name":"{name}"}}"#),
        attached,
    }
}

fn attached(prefix: &str, customizations: Vec<NewCustomization>) -> Attachments {
    Attachments {
        addresses: vec![
            NewAddress {
                id: None,
                name: format!("{prefix}_home").as_str().into(),
                address: Some("1 Long Street, Łódź".to_owned()),
                latitude: Some("51.7500".to_owned()),
                longitude: Some("-0.1".to_owned()),
                ..NewAddress::default()
            },
            NewAddress {
                id: None,
                name: format!("{prefix}_away").as_str().into(),
                street: Some("Street".to_owned()),
                street_number: Some("7b".to_owned()),
                suburb: Some("Suburb".to_owned()),
                city: Some("City".to_owned()),
                state: Some("State".to_owned()),
                postcode: Some("01234".to_owned()),
                country: Some("Poland".to_owned()),
                iso_country_code: Some("PL".to_owned()),
                ..NewAddress::default()
            },
        ],
        files: vec![NewFile {
            id: None,
            name: format!("{prefix}_photo").as_str().into(),
            is_image: true,
            direct_url: Some("https://example.com/a.png".to_owned()),
            file_name: Some("a.png".to_owned()),
            content_type: Some("image/png".to_owned()),
            caption: Some(String::new()),
        }],
        customizations,
    }
}

fn nested_user() -> NewUser {
    let leaf = customization("leaf", attached("leaf", vec![]));
    let tree = customization(
        "tree",
        attached("tree", vec![leaf, customization("twig", Attachments::default())]),
    );
    NewUser {
        email: Some("Ann@Example.com".to_owned()),
        email_key: Some("ann@example.com".to_owned()),
        external_id: Some("dev-1".to_owned()),
        first_name: Some("Ann".to_owned()),
        middle_name: Some(String::new()),
        last_name: Some("O'Hara \u{1F600}".to_owned()),
        name: None,
        featured: true,
        public_profile: false,
        language: Some("en-GB".to_owned()),
        time_zone: Some("Europe/Warsaw".to_owned()),
        phone: Some("1".to_owned()),
        mobile_number: Some("2".to_owned()),
        properties: Some(JSON.to_owned()),
        profiles: ["developer", "client"]
            .map(|name| NewProfile {
                id: None,
                type_name: name.into(),
                enabled: name == "client",
                properties: JSON.to_owned(),
                attached: attached(name, vec![tree.clone()]),
            })
            .into(),
        relationship_users: vec![
            NewRelationshipUser {
                id: None,
                type_name: "agency_member".into(),
                relationship: RelationshipLink::New { type_name: "agency".into() },
                properties: r#"{"role":"owner"}"#.to_owned(),
            },
            NewRelationshipUser {
                id: None,
                type_name: "team_member".into(),
                relationship: RelationshipLink::New { type_name: "team".into() },
                properties: "{}".to_owned(),
            },
        ],
        transactables: (0..3)
            .map(|i| NewTransactable {
                id: None,
                type_name: "boat".into(),
                name: Some(format!("boat {i}")),
                description: (i == 1).then(|| "wet".to_owned()),
                currency: "EUR".to_owned(),
                enabled: i != 1,
                properties: format!(r#"{{"i":{i}}}"#),
                attached: if i == 2 { attached("boat", vec![]) } else { Attachments::default() },
            })
            .collect(),
        customizations: vec![tree, customization("last", Attachments::default())],
        ..NewUser::default()
    }
}

fn assert_attached(sent: &Attachments, stored: &StoredAttached) {
    assert_eq!(sent.addresses.len(), stored.addresses.len());
    for (sent, stored) in sent.addresses.iter().zip(&stored.addresses) {
        assert_eq!(*sent.name, stored.name);
        assert_eq!(
            [&sent.address, &sent.street, &sent.street_number, &sent.suburb, &sent.city],
            [&stored.address, &stored.street, &stored.street_number, &stored.suburb, &stored.city]
        );
        assert_eq!(
            [&sent.state, &sent.postcode, &sent.country, &sent.iso_country_code],
            [&stored.state, &stored.postcode, &stored.country, &stored.iso_country_code]
        );
        assert_eq!([&sent.latitude, &sent.longitude], [&stored.latitude, &stored.longitude]);
    }
    assert_eq!(sent.files.len(), stored.files.len());
    for (sent, stored) in sent.files.iter().zip(&stored.files) {
        assert_eq!((&*sent.name, sent.is_image), (stored.name.as_str(), stored.is_image));
        assert_eq!(
            [&sent.direct_url, &sent.file_name, &sent.content_type, &sent.caption],
            [&stored.direct_url, &stored.file_name, &stored.content_type, &stored.caption]
        );
    }
    assert_eq!(sent.customizations.len(), stored.customizations.len());
    for (sent, stored) in sent.customizations.iter().zip(&stored.customizations) {
        assert_eq!((&*sent.type_name, &sent.properties), (&*stored.type_name, &stored.properties));
        assert_attached(&sent.attached, &stored.attached);
    }
}

fn assert_stored(sent: &NewUser, created: Created, stored: &StoredUser) {
    let columns = &stored.columns;
    assert_eq!((columns.id, Some(columns.uuid)), (created.id, created.uuid));
    assert_eq!(
        [&sent.email, &sent.external_id, &sent.first_name, &sent.middle_name],
        [&columns.email, &columns.external_id, &columns.first_name, &columns.middle_name]
    );
    assert_eq!(
        [&sent.last_name, &sent.name, &sent.language, &sent.time_zone, &sent.phone],
        [&columns.last_name, &columns.name, &columns.language, &columns.time_zone, &columns.phone]
    );
    assert_eq!(sent.mobile_number, columns.mobile_number);
    assert_eq!((sent.featured, sent.public_profile), (columns.featured, columns.public_profile));
    assert_eq!(sent.properties.as_deref().unwrap_or("{}"), columns.properties);
    assert_eq!((&*columns.form_name, &*columns.form_version), ("sign_up", "abc123"));

    assert_eq!(sent.profiles.len(), stored.profiles.len());
    for (sent, stored) in sent.profiles.iter().zip(&stored.profiles) {
        assert_eq!((&*sent.type_name, sent.enabled), (stored.type_name.as_str(), stored.enabled));
        assert_eq!(sent.properties, stored.properties);
        assert_attached(&sent.attached, &stored.attached);
    }
    assert_eq!(sent.relationship_users.len(), stored.relationship_users.len());
    for (sent, stored) in sent.relationship_users.iter().zip(&stored.relationship_users) {
        assert_eq!((&*sent.type_name, &sent.properties), (&*stored.type_name, &stored.properties));
        match &sent.relationship {
            RelationshipLink::Existing(id) => assert_eq!(*id, stored.relationship_id),
            RelationshipLink::New { type_name } => {
                assert_eq!(**type_name, stored.relationship.type_name);
            }
            RelationshipLink::Keyed { .. } => unreachable!("none is sent here"),
        }
    }
    assert_eq!(sent.transactables.len(), stored.transactables.len());
    for (sent, stored) in sent.transactables.iter().zip(&stored.transactables) {
        assert_eq!((&*sent.type_name, sent.enabled), (stored.type_name.as_str(), stored.enabled));
        assert_eq!((&sent.name, &sent.description), (&stored.name, &stored.description));
        assert_eq!((&sent.currency, &sent.properties), (&stored.currency, &stored.properties));
        assert_attached(&sent.attached, &stored.attached);
    }
    let own = Attachments { customizations: sent.customizations.clone(), ..Attachments::default() };
    let customizations = stored.customizations.clone();
    assert_attached(&own, &StoredAttached { customizations, ..StoredAttached::default() });
}

fn nested_user_is_read_back_as_created(scratch: &Scratch) {
    let store = scratch.open();
    let sent = nested_user();
    let claims = vec![claim("user.email", "ann@example.com")];
    let aggregate = Aggregate { claims, ..of(NewEntity::User(sent.clone())) };
    let hashed =
        CreateRequest { password_hash: Some("$argon2id$x".to_owned()), ..record(aggregate) };
    let created = wait(store.create(hashed)).unwrap();
    assert_eq!(created.id, 1);
    assert_eq!(created.uuid.map(|uuid| uuid.get_version_num()), Some(7));
    let stored = store.user(1).unwrap().unwrap();
    assert_stored(&sent, created, &stored);
    assert_eq!(scratch.count("password_credentials"), 1);
    assert_eq!(stored.relationship_users[1].relationship_id, 2);

    // Another user joins the second relationship.
    let id = stored.relationship_users[1].relationship_id;
    let member = NewUser {
        relationship_users: vec![NewRelationshipUser {
            id: None,
            type_name: "team_member".into(),
            relationship: RelationshipLink::Existing(id),
            properties: "{}".to_owned(),
        }],
        ..NewUser::default()
    };
    let reference = Reference { resource: RecordKind::Relationship, value: ReferenceKey::Id(id) };
    let aggregate =
        Aggregate { references: vec![reference], ..of(NewEntity::User(member.clone())) };
    let joined = create(&store, aggregate).unwrap();
    let stored = store.user(joined.id).unwrap().unwrap();
    assert_stored(&member, joined, &stored);
    assert_eq!(stored.relationship_users[0].relationship.type_name, "team");
    assert_eq!(scratch.count("relationships"), 2);
    assert_eq!(store.user(3).unwrap(), None);
}

fn timestamps_and_uuids_are_exact(scratch: &Scratch) {
    let store = scratch.open();
    let created = create(&store, user("ann", &[])).unwrap();
    let columns = store.user(created.id).unwrap().unwrap().columns;
    assert_eq!(columns.created_at, columns.updated_at);
    // 2020-01-01 to 2100-01-01.
    assert!((1_577_836_800_000_000..4_102_444_800_000_000).contains(&columns.created_at));
    let said = if scratch.is_sqlite() {
        "SELECT created_at FROM users"
    } else {
        "SELECT (extract(epoch FROM created_at) * 1000000)::bigint FROM users"
    };
    assert_eq!(scratch.raw().number(said), columns.created_at);
    let uuid = created.uuid.unwrap();
    let same_uuid = if scratch.is_sqlite() {
        format!("SELECT count(*) FROM users WHERE hex(uuid) = upper('{:x}')", uuid.simple())
    } else {
        format!("SELECT count(*) FROM users WHERE uuid = '{uuid}'")
    };
    assert_eq!(scratch.raw().number(&same_uuid), 1);
}

fn list(store: &Store, filter: &UserFilter, page: u32, per_page: u32) -> (Vec<i64>, i64) {
    let page = store.users(filter, page, per_page).unwrap();
    (page.users.iter().map(|user| user.columns.id).collect(), page.total)
}

fn users_are_paginated(scratch: &Scratch) {
    let store = scratch.open();
    for i in 0..5 {
        let new = NewUser {
            email_key: Some(format!("{}@example.com", i % 2)),
            external_id: (i == 3).then(|| "three".to_owned()),
            ..nested_user()
        };
        create(&store, of(NewEntity::User(new))).unwrap();
    }
    let all = UserFilter::default();
    assert_eq!(list(&store, &all, 1, 2), (vec![1, 2], 5));
    assert_eq!(list(&store, &all, 3, 2), (vec![5], 5));
    assert_eq!(list(&store, &all, 4, 2), (vec![], 5));
    let odd = UserFilter { email_key: Some("1@example.com".to_owned()), ..all.clone() };
    assert_eq!(list(&store, &odd, 1, 10), (vec![2, 4], 2));
    let third = UserFilter { external_id: Some("three".to_owned()), ..odd };
    assert_eq!(list(&store, &third, 1, 10), (vec![4], 1));
    let page = store.users(&all, 1, 5).unwrap();
    for user in page.users {
        assert_eq!(Some(&user), store.user(user.columns.id).unwrap().as_ref());
        assert_eq!(user.profiles.len(), 2);
    }
}

fn reads_do_not_wait_for_writers(scratch: &Scratch) {
    let store = scratch.open();
    create(&store, user("ann", &[])).unwrap();
    let mut held = scratch.lock_writer();
    held.run("UPDATE users SET name = 'changed'");
    let begun = std::time::Instant::now();
    let stored = store.user(1).unwrap().unwrap();
    assert_eq!(stored.columns.name.as_deref(), Some("ann"));
    assert!(begun.elapsed().as_millis() < 2000);
}
