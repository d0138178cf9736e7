//! Records on their own: created, updated and deleted through forms and the store. Their routes are
//! tested with the contracts.

use registrar_contracts::decode::json::parse;
use registrar_core::EvalContext;
use registrar_core::record_kind::RecordKind;
use registrar_server::{record_as_input, record_to_value};
use registrar_store::{CreateRequest, StoredRecord, UpdateRequest};
use registrar_tests::{Setup, TestServer, cases, samples};
use serde_json::{Value, json};

cases! {
    transactable_is_updated_with_nested_records with record_forms,
    relationship_user_is_updated with record_forms,
    profile_customization_is_created_and_updated with record_forms,
}

const BOAT: &str = "\
resource: Transactable
privileged: true
type: boat
resource_owner: anyone
fields:
  creator_id:
  name: { validation: { presence: true } }
  properties: { registration: { validation: { unique: true } }, length_m: }
  custom_addresses: { harbour: { city: { validation: { presence: true } }, street: } }
";
const MEMBER: &str = "\
resource: RelationshipUser
privileged: true
type: agency_member
resource_owner: anyone
fields: { user_id: , relationship_id: , relationship_name: , properties: { status: } }
";
const LINK: &str = "\
resource: Customization
privileged: true
type: link
resource_owner: anyone
fields: { customizable_type: , customizable_id: , properties: { url: { validation: { presence: true } } } }
";

fn record_forms(setup: Setup) -> Setup {
    setup.more_forms(&[("a_boat.yml", BOAT), ("a_member.yml", MEMBER), ("a_link.yml", LINK)])
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    actix_web::rt::System::new().block_on(future)
}

fn load(server: &TestServer, kind: RecordKind, id: i64) -> StoredRecord {
    server.store().record(kind, id).unwrap().unwrap()
}

fn representation_of(server: &TestServer, kind: RecordKind, id: i64) -> Value {
    serde_json::to_value(record_to_value(load(server, kind, id))).unwrap()
}

fn create_record(server: &TestServer, form: &str, sent: &Value) -> i64 {
    let (registry, sent) = (server.registry(), sent.to_string());
    let form = registry.form(form).unwrap();
    let request = CreateRequest {
        aggregate: form.apply(parse(sent.as_bytes()).unwrap(), &EvalContext::default()).unwrap(),
        default_owner: None,
        password_hash: None,
        form_name: form.name.clone(),
        form_version: form.version.clone(),
        actor: None.into(),
        idempotency_key: None,
        hides_conflicts: false,
    };
    wait(server.store().create(request)).unwrap().id
}

/// Updates a record. Returns the violations if the update is rejected.
fn update_record(
    server: &TestServer,
    (form, kind, id): (&str, RecordKind, i64),
    sent: &Value,
) -> Result<(), Vec<(String, String)>> {
    let (registry, sent) = (server.registry(), sent.to_string());
    let form = registry.form(form).unwrap();
    let record = load(server, kind, id);
    let lock_version = record.lock_version;
    let stored = record_as_input(record);
    let sent = parse(sent.as_bytes()).unwrap();
    let changed = form.update(sent, &stored, &EvalContext::default()).map_err(|violations| {
        let reported = violations.list.iter();
        reported.map(|one| (one.path.clone(), one.code().to_owned())).collect::<Vec<_>>()
    })?;
    let update =
        UpdateRequest { id, lock_version, changed, password_hash: None, actor: None.into() };
    wait(server.store().update(update)).unwrap();
    Ok(())
}

fn transactable_is_updated_with_nested_records(server: &TestServer) {
    let user = server.client().submit("marketplace_seller", &samples::seller("siri")).created();
    let boats = server.client().user(user)["transactables"]["boat"].clone();
    let (kind, id) = (RecordKind::Transactable, boats[0]["id"].as_i64().unwrap());
    let before = representation_of(server, kind, id);
    assert_eq!((&before["type_name"], &before["creator_id"]), (&json!("boat"), &json!(user)));
    // The record has the same properties as within its user.
    for (name, value) in boats[0].as_object().unwrap() {
        assert_eq!(&before[name], value, "{name}");
    }
    let it = ("a_boat", kind, id);
    let sent = json!({ "properties": { "length_m": 9 }, "custom_addresses": { "harbour": { "street": "Quay" } } });
    assert_eq!(update_record(server, it, &sent), Ok(()));
    let mut expected = before;
    expected["properties"]["length_m"] = json!(9);
    expected["custom_addresses"]["harbour"]["street"] = json!("Quay");
    assert_eq!(representation_of(server, kind, id), expected);
    assert_eq!(server.client().user(user)["transactables"]["boat"][1], boats[1]);
    let refused = json!({ "name": "", "creator_id": user + 1, "custom_addresses": { "harbour": { "city": null } } });
    let reported = |path: &str, code: &str| (path.to_owned(), code.to_owned());
    let expected = vec![
        reported("name", "blank"),
        reported("custom_addresses.harbour.city", "blank"),
        reported("creator_id", "immutable"),
    ];
    assert_eq!(update_record(server, it, &refused), Err(expected));
}

fn relationship_user_is_updated(server: &TestServer) {
    let user = server.client().submit("marketplace_seller", &samples::seller("siri")).created();
    let member = server.client().user(user)["relationship_users"]["agency_member"][0].clone();
    let (kind, id) = (RecordKind::RelationshipUser, member["id"].as_i64().unwrap());
    let it = ("a_member", kind, id);
    let sent = json!({ "user_id": user, "properties": { "status": "kept" } });
    assert_eq!(update_record(server, it, &sent), Ok(()));
    let kept = representation_of(server, kind, id);
    assert_eq!(kept["relationship"], member["relationship"]);
    assert_eq!((&kept["properties"]["status"], &kept["user_id"]), (&json!("kept"), &json!(user)));
    let moved = json!({ "relationship_id": null, "relationship_name": "agency" });
    assert_eq!(update_record(server, it, &moved), Ok(()));
    assert_ne!(representation_of(server, kind, id)["relationship_id"], member["relationship_id"]);
}

fn profile_customization_is_created_and_updated(server: &TestServer) {
    let user = server.client().submit("marketplace_seller", &samples::seller("siri")).created();
    let profile = server.client().user(user)["profiles"]["seller"]["id"].clone();
    let at = json!({ "customizable_type": "UserProfile", "customizable_id": profile, "properties": { "url": "u" } });
    let id = create_record(server, "a_link", &at);
    let of_profile = |server: &TestServer| {
        server.client().user(user)["profiles"]["seller"]["customizations"]["link"][0].clone()
    };
    assert_eq!(of_profile(server)["properties"], json!({ "url": "u" }));
    let it = ("a_link", RecordKind::Customization, id);
    let same = json!({ "customizable_type": "UserProfile", "properties": { "url": "v" } });
    assert_eq!(update_record(server, it, &same), Ok(()));
    assert_eq!(of_profile(server)["properties"], json!({ "url": "v" }));
    assert_eq!(
        representation_of(server, RecordKind::Customization, id)["customizable_type"],
        "Profile"
    );
    let elsewhere = json!({ "customizable_type": "User" });
    let reported = vec![("customizable_type".to_owned(), "immutable".to_owned())];
    assert_eq!(update_record(server, it, &elsewhere), Err(reported));
    let gone = server.store().delete(RecordKind::Customization, id, None.into());
    assert_eq!(wait(gone), Ok(()));
    assert_eq!(of_profile(server), Value::Null);
}
