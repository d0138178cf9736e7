//! Claims of nested records: swapped in an update, released with their record, and assigned to their
//! record by the migration.

use registrar_contracts::decode::json;
use registrar_core::EvalContext;
use registrar_core::aggregate::Aggregate;
use registrar_core::record_kind::RecordKind;
use registrar_core::registry::{Registry, SourceFile};
use registrar_core::value::Value;
use registrar_store::{CreateError, Refusal, Store, WriteError};

use crate::support::{self, Scratch, create, on_both, record, wait};

on_both!(
    unique_values_can_be_swapped_between_records,
    unique_value_of_another_record_is_taken,
    removing_a_unique_value_from_a_list_releases_it,
    deleting_a_record_releases_nested_claims,
    migration_assigns_stored_claims_to_their_records,
    claims_of_a_batch_have_the_ids_of_their_records,
);

const SOURCES: [(&str, &str); 9] = [
    (
        "types/profiles/seller.yml",
        "properties: [{name: handle}, {name: home, type: address}, {name: logo, type: image}]",
    ),
    ("types/transactables/boat.yml", "properties: [{name: code}, {name: harbour}]"),
    ("types/customizations/link.yml", "properties: [{name: url}]"),
    ("types/relationships/company.yml", "properties: [{name: name}]\nkey: name"),
    (
        "types/relationship_users/employee.yml",
        "properties: [{name: badge}]\nrelationship: company",
    ),
    ("types/relationship_transactables/offer.yml", "properties: [{name: slot}]"),
    (
        "seller.yml",
        "resource: User\nprivileged: true\nfields:
  email: {validation: {unique: true}}
  profiles:
    seller:
      properties: {handle: {validation: {unique: {case_sensitive: false}}}}
      custom_addresses: {home: {city: {validation: {unique: true}}, latitude: {validation: {unique: true}}}}
      custom_images: {logo: {direct_url: {validation: {unique: true}}}}
      customizations: {link: {properties: {url: {validation: {unique: true}}}}}
  relationship_users:
    employee: {relationship_key: , properties: {badge: {validation: {unique: {scope: relationship_key}}}}}
  transactables:
    boat:
      name: {validation: {unique: {conditions: {enabled: true}}}}
      enabled:
      properties:
        code: {validation: {unique: true}}
        harbour: {validation: {unique: {scope: [code, name]}}}
      customizations: {link: {properties: {url: {validation: {unique: true}}}}}
  customizations: {link: {properties: {url: {validation: {unique: true}}}}}
",
    ),
    (
        "company.yml",
        "resource: Relationship\nprivileged: true\ntype: company\nresource_owner: anyone\n\
         fields: {properties: {name: }}",
    ),
    (
        "offer.yml",
        "resource: RelationshipTransactable\nprivileged: true\ntype: offer\nresource_owner: anyone\nfields:
  relationship_id:
  transactable_id:
  properties: {slot: {validation: {unique: true}}}
",
    ),
];

const USER: &str = r#"{
  "email": "Ann@Example.com",
  "profiles": {"seller": {
    "properties": {"handle": "Ann"},
    "custom_addresses": {"home": {"city": "Łódź ", "latitude": 51.750}},
    "custom_images": {"logo": {"direct_url": "https://example.com/a.png"}},
    "customizations": {"link": [{"properties": {"url": "p"}}]}
  }},
  "relationship_users": {"employee": [
    {"relationship_key": "ACME", "properties": {"badge": "1"}},
    {"relationship_key": "Bolt", "properties": {"badge": "1"}}
  ]},
  "transactables": {"boat": [
    {"name": "one", "enabled": true, "properties": {"code": "Ⅸ", "harbour": "Oslo"},
     "customizations": {"link": [{"properties": {"url": "t"}}]}},
    {"name": "two", "enabled": true, "properties": {"code": "7", "harbour": "Oslo"}}
  ]},
  "customizations": {"link": [{"properties": {"url": "u"}}]}
}"#;

fn registry() -> Registry {
    let source = |(name, text): &(&str, &str)| SourceFile {
        file: (*name).into(),
        within: (*name).to_owned(),
        text: (*text).to_owned(),
    };
    match Registry::compile(&SOURCES.iter().map(source).collect::<Vec<_>>()) {
        Ok(registry) => registry,
        Err(problems) => panic!("{problems:?}"),
    }
}

fn apply(registry: &Registry, form: &str, sent: &str) -> Aggregate {
    let sent = json::parse(sent.as_bytes()).unwrap();
    registry.form(form).unwrap().apply(sent, &EvalContext::default()).unwrap()
}

fn create_record(store: &Store, registry: &Registry, form: &str, sent: &str) {
    create(store, apply(registry, form, sent)).unwrap();
}

/// Creates the relationships that the user refers to.
fn create_companies(store: &Store, registry: &Registry) {
    for name in ["ACME", "Bolt"] {
        let sent = format!(r#"{{"properties": {{"name": "{name}"}}}}"#);
        create_record(store, registry, "company", &sent);
    }
}

/// The user as a submission, with the ids of its boats and the codes given.
fn stored_boats(codes: [&str; 2]) -> String {
    format!(
        r#"{{"email": "Ann@Example.com", "transactables": {{"boat": [
            {{"id": 1, "name": "one", "enabled": true, "properties": {{"code": "{}", "harbour": "Oslo"}}}},
            {{"id": 2, "name": "two", "enabled": true, "properties": {{"code": "{}", "harbour": "Oslo"}}}}
        ]}}}}"#,
        codes[0], codes[1],
    )
}

fn update(
    store: &Store,
    registry: &Registry,
    id: i64,
    (stored, sent): (&str, &str),
) -> Result<(), WriteError> {
    let columns = store.user(id).unwrap().unwrap().columns;
    let stored: Value<'_> = json::parse(stored.as_bytes()).unwrap();
    let sent = json::parse(sent.as_bytes()).unwrap();
    let form = registry.form("seller").unwrap();
    let changed = form.update(sent, &stored, &EvalContext::default()).unwrap();
    wait(store.update(support::update((id, columns.updated_at), changed)))
}

fn unique_values_can_be_swapped_between_records(scratch: &Scratch) {
    let (store, registry) = (scratch.open(), registry());
    let new = stored_boats(["A", "B"]).replace(r#""id": 1, "#, "").replace(r#""id": 2, "#, "");
    let ann = create(&store, apply(&registry, "seller", &new)).unwrap().id;
    let before = scratch.count("unique_claims");
    let stored = (&*stored_boats(["A", "B"]), &*stored_boats(["B", "A"]));
    assert_eq!(update(&store, &registry, ann, stored), Ok(()));
    assert_eq!(scratch.count("unique_claims"), before);
    let holder = |code: &str| {
        scratch.raw().number(&format!(
            "SELECT record_id FROM unique_claims WHERE value_key = '{code}' \
             AND scope = 'user.transactables.boat.properties.code'"
        ))
    };
    assert_eq!((holder("A"), holder("B")), (2, 1));
    let deleted = store.delete(RecordKind::Transactable, 1, None.into());
    assert_eq!(wait(deleted), Ok(()));
    let code = |code: &str| format!("unique_claims WHERE value_key = '{code}'");
    assert_eq!((scratch.count(&code("A")), scratch.count(&code("B"))), (1, 0));
}

fn unique_value_of_another_record_is_taken(scratch: &Scratch) {
    let (store, registry) = (scratch.open(), registry());
    let new = stored_boats(["A", "B"]).replace(r#""id": 1, "#, "").replace(r#""id": 2, "#, "");
    let ann = create(&store, apply(&registry, "seller", &new)).unwrap().id;
    let other = r#"{"email": "b@example.com", "transactables": {"boat": [
        {"name": "three", "enabled": false, "properties": {"code": "C"}}]}}"#;
    create(&store, apply(&registry, "seller", other)).unwrap();
    let before = scratch.count("unique_claims");
    let taken = stored_boats(["A", "C"]);
    let result = update(&store, &registry, ann, (&stored_boats(["A", "B"]), &taken));
    let Err(WriteError::Create(CreateError::Refused(refusals))) = result else {
        panic!("{result:?}")
    };
    assert!(matches!(refusals[..], [Refusal::Taken { .. }]), "{refusals:?}");
    assert_eq!(scratch.count("unique_claims"), before, "the update is rolled back");
}

fn removing_a_unique_value_from_a_list_releases_it(scratch: &Scratch) {
    let (store, registry) = (scratch.open(), registry());
    let new = stored_boats(["A", "B"]).replace(r#""id": 1, "#, "").replace(r#""id": 2, "#, "");
    let ann = create(&store, apply(&registry, "seller", &new)).unwrap().id;
    // The second boat is not sent and keeps its claims.
    let sent = r#"{"transactables": {"boat": [{"id": 1, "enabled": false, "properties": {"code": null}}]}}"#;
    assert_eq!(update(&store, &registry, ann, (&stored_boats(["A", "B"]), sent)), Ok(()));
    let left = |record: i64| scratch.count(&format!("unique_claims WHERE record_id = {record}"));
    assert_eq!((left(1), left(2)), (1, 3), "only harbour is left of the first boat");
}

fn deleting_a_record_releases_nested_claims(scratch: &Scratch) {
    let (store, registry) = (scratch.open(), registry());
    create_companies(&store, &registry);
    create(&store, apply(&registry, "seller", USER)).unwrap();
    let offer = r#"{"relationship_id": 1, "transactable_id": 1, "properties": {"slot": "s"}}"#;
    create_record(&store, &registry, "offer", offer);
    let left = |key: &str| scratch.count(&format!("unique_claims WHERE value_key = '{key}'"));
    assert_eq!((left("IX"), left("t"), left("s"), left("u"), left("p")), (1, 1, 1, 1, 1));
    let delete = |kind, id| wait(store.delete(kind, id, None.into()));
    assert_eq!(delete(RecordKind::Transactable, 1), Ok(()));
    assert_eq!((left("IX"), left("t"), left("s"), left("u"), left("p")), (0, 0, 0, 1, 1));
    let badges = || scratch.count("unique_claims WHERE record_kind = 'relationship_user'");
    assert_eq!(badges(), 2);
    assert_eq!(delete(RecordKind::Relationship, 1), Ok(()));
    assert_eq!(badges(), 1);
    assert_eq!(wait(store.delete(RecordKind::User, 1, None.into())), Ok(()));
    assert_eq!(scratch.count("unique_claims"), 1, "the other company");
}

fn migration_assigns_stored_claims_to_their_records(scratch: &Scratch) {
    let registry = registry();
    let store = scratch.open();
    create_companies(&store, &registry);
    create(&store, apply(&registry, "seller", USER)).unwrap();
    let other = USER.replace("Ann", "Bob").replace("51.750", "-51.5").replace("Łódź ", "łódź");
    let other = ["a.png", "\"1\"", "Ⅸ", "\"7\"", "\"p\"", "\"t\"", "\"u\"", "one", "two"]
        .iter()
        .zip(["b.png", "\"2\"", "X", "\"8\"", "\"p2\"", "\"t2\"", "\"u2\"", "1", "2"])
        .fold(other, |text, (old, new)| text.replace(old, new));
    create(&store, apply(&registry, "seller", &other)).unwrap();
    for (relationship, transactable) in [(1, 1), (2, 4)] {
        let sent = format!(
            r#"{{"relationship_id": {relationship}, "transactable_id": {transactable},
                "properties": {{"slot": "s{transactable}"}}}}"#
        );
        create_record(&store, &registry, "offer", &sent);
    }
    store.shutdown();
    drop(store);
    assert_eq!(scratch.count("unique_claims"), 36);
    assert_backfill_agrees(scratch);
    assert_eq!(scratch.count("unique_claims WHERE record_id IS NOT NULL"), 36 - 4);
}

/// Removes the records of claims, lets the migration find them in the stored rows, and compares.
fn assert_backfill_agrees(scratch: &Scratch) {
    let claims = scratch.count("unique_claims");
    let dump = "SELECT count(*) FROM unique_claims a JOIN expected b USING (scope, value_key) \
                WHERE a.record_kind = b.record_kind AND a.path = b.path \
                AND coalesce(a.record_id, 0) = coalesce(b.record_id, 0)";
    // The file is the same for both databases.
    let down = include_str!("../../../../migrations/sqlite/0008_claims_of_records/down.sql");
    let mut raw = scratch.raw();
    raw.run("CREATE TABLE expected AS SELECT * FROM unique_claims");
    assert_eq!(raw.number(dump), claims);
    raw.run(down);
    raw.run("DELETE FROM __diesel_schema_migrations WHERE version = '0008'");
    drop(raw);
    drop(scratch.open());
    assert_eq!(scratch.raw().number(dump), claims);
}

fn claims_of_a_batch_have_the_ids_of_their_records(scratch: &Scratch) {
    let (store, registry) = (scratch.open(), registry());
    create_companies(&store, &registry);
    let user = |name: &str| {
        let link = |url: &str| format!(r#"{{"properties": {{"url": "{name}{url}"}}}}"#);
        let links = |place| format!(r#""link": [{}, {}]"#, link(place), link(&format!("{place}2")));
        let sent = format!(
            r#"{{"email": "{name}@example.com",
                "profiles": {{"seller": {{"properties": {{"handle": "{name}"}}, "customizations": {{{}}}}}}},
                "relationship_users": {{"employee": [
                    {{"relationship_key": "ACME", "properties": {{"badge": "{name}"}}}}]}},
                "transactables": {{"boat": [
                    {{"properties": {{"code": "{name}1"}}, "customizations": {{{}}}}},
                    {{"properties": {{"code": "{name}2"}}, "customizations": {{{}}}}}]}},
                "customizations": {{{}}}}}"#,
            links("p"),
            links("t"),
            links("s"),
            links("u"),
        );
        apply(&registry, "seller", &sent)
    };
    create(&store, user("ann")).unwrap();
    // The claims of rejected users are deleted, and the records of later ones get other ids.
    let mut users = ["bob", "cid", "dan", "eve", "fay"].map(user);
    for (rejected, taken) in [(1, "ann"), (3, "bob")] {
        let claim = users[rejected].claims.iter_mut().find(|it| it.claim.value_key.ends_with('1'));
        claim.unwrap().claim.value_key = format!("{taken}2");
    }
    let outcomes = scratch.create_together(&store, users.map(record).into());
    let is_created: Vec<bool> = outcomes.iter().map(Result::is_ok).collect();
    assert_eq!(is_created, [true, false, true, false, true], "{outcomes:?}");
    store.shutdown();
    drop(store);
    assert_eq!(scratch.count("unique_claims"), 2 + 4 * 13);
    assert_backfill_agrees(scratch);
}
