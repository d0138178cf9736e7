//! Memberships that refer to a relationship by its key.

use registrar_tests::{Setup, TestServer, cases};
use serde_json::{Value, json};

cases! {
    relationship_is_found_or_created_by_key with company_types,
    missing_relationship_key_is_rejected with company_types,
    membership_can_move_to_another_key with company_types,
}

fn company_types(setup: Setup) -> Setup {
    setup.forms(&[
        ("types/relationships/company.yml", "properties: [{name: name}]\nkey: name\n"),
        (
            "types/relationship_users/founder.yml",
            "relationship: company\nmake: true\nproperties: [{name: role}]\n",
        ),
        ("types/relationship_users/clerk.yml", "relationship: company\n"),
        (
            "join.yml",
            "resource: User\nprivileged: true\nresource_owner: anyone\nfields:\n  email:\n  relationship_users:\n    \
             founder: { relationship_key: , relationship_id: , properties: { role: } }\n    \
             clerk: { relationship_key: }\n",
        ),
    ])
}

fn membership_form(email: &str, kind: &str, key: &str) -> Value {
    json!({ "email": email, "relationship_users": { kind: [{ "relationship_key": key }] } })
}

/// Returns the relationship of a user's only membership of a type.
fn relationship_of(server: &TestServer, id: i64, kind: &str) -> Value {
    let mut members = server.client().user(id)["relationship_users"][kind].take();
    assert_eq!(members.as_array().map(Vec::len), Some(1), "{members}");
    assert_eq!(members[0]["relationship_id"], members[0]["relationship"]["id"]);
    members[0]["relationship"].take()
}

fn relationship_is_found_or_created_by_key(server: &TestServer) {
    let client = server.client();
    let ann = client.submit("join", &membership_form("a@b.co", "founder", " ACME ")).created();
    let made = relationship_of(server, ann, "founder");
    assert_eq!((&made["type_name"], &made["key"]), (&json!("company"), &json!("ACME")));
    assert_eq!(made["properties"], json!({ "name": "ACME" }));
    let bob = client.submit("join", &membership_form("b@b.co", "founder", "ACME")).created();
    assert_eq!(relationship_of(server, bob, "founder"), made);
    let claire = client.submit("join", &membership_form("c@b.co", "clerk", "ＡCME")).created();
    assert_eq!(relationship_of(server, claire, "clerk"), made);
    let dan = client.submit("join", &membership_form("d@b.co", "founder", "acme")).created();
    assert_ne!(
        relationship_of(server, dan, "founder")["id"],
        made["id"],
        "keys are case-sensitive"
    );
}

fn missing_relationship_key_is_rejected(server: &TestServer) {
    let client = server.client();
    client.submit("join", &membership_form("a@b.co", "founder", "ACME")).created();
    let missing = client.submit("join", &membership_form("b@b.co", "clerk", "Ace"));
    missing.invalid(&[("relationship_users.clerk[0].relationship_key", "required")]);
    // All findings of the database are reported together.
    let both = client.submit("join", &membership_form("A@B.co", "clerk", "Ace"));
    both.invalid(&[
        ("email", "taken"),
        ("relationship_users.clerk[0].relationship_key", "required"),
    ]);
    assert_eq!(client.count(), 1);
}

fn membership_can_move_to_another_key(server: &TestServer) {
    let client = server.client();
    let ann = client.submit("join", &membership_form("a@b.co", "founder", "ACME")).created();
    let bob = client.submit("join", &membership_form("b@b.co", "clerk", "ACME")).created();
    let first = relationship_of(server, ann, "founder");
    let member = client.user(ann)["relationship_users"]["founder"][0]["id"].clone();
    let change = |record: Value| json!({ "relationship_users": { "founder": [record] } });
    let stay = change(json!({ "id": member, "properties": { "role": "chair" } }));
    client.update(ann, "join", &stay).is(204);
    assert_eq!(relationship_of(server, ann, "founder"), first);
    let go = json!({ "id": member, "relationship_id": null, "relationship_key": "Ace" });
    client.update(ann, "join", &change(go)).is(204);
    assert_eq!(relationship_of(server, ann, "founder")["key"], "Ace");

    let clerk = client.user(bob)["relationship_users"]["clerk"][0]["id"].clone();
    let change = |key: &str| json!({ "relationship_users": { "clerk": [{ "id": clerk, "relationship_key": key }] } });
    let path = "relationship_users.clerk[0].relationship_key";
    client.update(bob, "join", &change("Nobody")).invalid(&[(path, "required")]);
    client.update(bob, "join", &change("Ace")).is(204);
    assert_eq!(relationship_of(server, bob, "clerk"), relationship_of(server, ann, "founder"));
}
