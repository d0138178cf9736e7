//! Private fields are shown to tokens with the scope `private` only.

use registrar_tests::{Setup, TestServer, cases};
use serde_json::{Value, json};

cases! {
    private_fields_require_private_scope with private_fields,
}

const COLUMNS: [&str; 10] = [
    "external_id",
    "first_name",
    "middle_name",
    "last_name",
    "name",
    "language",
    "time_zone",
    "phone",
    "mobile_number",
    "email",
];

fn private_fields(setup: Setup) -> Setup {
    let fields: String = COLUMNS
        .iter()
        .map(|name| format!("  {name}: {{ property_options: {{ private: true }} }}\n"))
        .collect();
    let form = format!(
        "resource: User\nfields:\n{fields}  properties: {{ tax: {{ type: string, property_options: {{ private: true }} }}, open: {{ type: string }} }}
  profiles: {{ client: {{ properties: {{ company: , insured: }}, custom_addresses: {{ home: {{ city: {{ property_options: {{ private: true }} }}, street: }} }} }} }}
  transactables: {{ boat: {{ name: {{ property_options: {{ private: true }} }}, properties: {{ hull: , berth: }} }} }}
"
    );
    setup.forms(&[
        ("form.yml", &form),
        ("plain.yml", "resource: User\nfields: { email: , first_name: }\n"),
        (
            "types/profiles/client.yml",
            "properties: [{ name: company }, { name: insured, private: true }, { name: home, type: address }]\n",
        ),
        (
            "types/transactables/boat.yml",
            "properties: [{ name: hull, private: true }, { name: berth }]\n",
        ),
    ])
}

fn private_fields_require_private_scope(server: &TestServer) {
    let mut form: Value =
        COLUMNS.iter().map(|name| ((*name).to_owned(), json!("hidden-canary"))).collect();
    (form["email"], form["language"]) = (json!("hidden-canary@example.com"), json!("en"));
    form["properties"] = json!({ "tax": "hidden-canary", "open": "shown" });
    form["profiles"] = json!({ "client": { "properties": { "company": "shown", "insured": "hidden-canary" },
        "custom_addresses": { "home": { "city": "hidden-canary", "street": "shown" } } } });
    form["transactables"] = json!({ "boat": [{ "name": "hidden-canary", "properties": { "hull": "hidden-canary", "berth": "shown" } }] });
    let id = server.client().submit("form", &form).created();
    let plain = json!({ "email": "plain@example.com", "first_name": "hidden-canary" });
    let plain = server.client().submit("plain", &plain).created();
    let reader = server.new_limited_token("reader", &["read"], &[]);
    let auditor = server.new_limited_token("auditor", &["read", "private"], &[]);
    let (reader, auditor) =
        (server.anonymous().with_token(&reader), server.anonymous().with_token(&auditor));
    let paths =
        [format!("/api/users/{id}"), "/api/users".to_owned(), format!("/api/users/{plain}")];
    for path in &paths {
        let shown = reader.get(path).is(200).text.clone();
        assert!(!shown.contains("hidden-canary"), "{path}: {shown}");
        assert!(auditor.get(path).is(200).text.contains("hidden-canary"), "{path}");
        assert!(server.client().get(path).is(200).text.contains("hidden-canary"), "{path}");
    }
    let user = reader.user(id);
    for column in COLUMNS {
        assert!(user.get(column).is_none(), "{column}: {user}");
    }
    assert_eq!(user["properties"], json!({ "open": "shown" }));
    let client = &user["profiles"]["client"];
    assert_eq!(client["properties"], json!({ "company": "shown" }));
    assert_eq!(client["custom_addresses"]["home"]["street"], "shown");
    assert_eq!(user["transactables"]["boat"][0]["properties"], json!({ "berth": "shown" }));
    // A create response stored under an idempotency key is replayed unchanged.
    let key = [("content-type", "application/json"), ("idempotency-key", "one")];
    let body = json!({ "form_configuration_name": "form", "form": { "email": "b@example.com" } });
    let creator = server.new_limited_token("creator", &["create"], &[]);
    let creator = server.anonymous().with_token(&creator);
    let created = creator.send("POST", "/api/users", &key, Some(body.to_string().as_bytes()));
    let again = creator.send("POST", "/api/users", &key, Some(body.to_string().as_bytes()));
    assert_eq!((created.status, &created.text), (201, &again.text));
}
