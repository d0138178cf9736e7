//! Stored data: only fields listed in the form are stored, with their exact values (invariant 5).

use registrar_tests::{Setup, TestServer, cases, samples};
use serde_json::{Value, json};

cases! {
    only_listed_fields_are_stored with lenient_form,
    strict_form_rejects_unlisted_fields_at_every_level,
    readonly_fields_ignore_submitted_values with lenient_form,
    virtual_fields_are_validated_but_not_stored with virtual_fields,
    numbers_are_stored_exactly,
    strings_are_stored_exactly,
    password_is_stored_only_as_hash,
}

const PROTECTED_FIELDS: [&str; 14] = [
    "id",
    "uuid",
    "created_at",
    "updated_at",
    "properties",
    "password_hash",
    "phc",
    "email_key",
    "form_name",
    "form_version",
    "user_id",
    "owner_id",
    "creator_id",
    "role",
];

const CANARY: &str = "c4n4ry";

/// The shipped seller form and its types, with unknown fields ignored.
fn lenient_form(setup: Setup) -> Setup {
    let read = |name: &str| {
        std::fs::read_to_string(registrar_tests::repository_path("forms").join(name)).unwrap()
    };
    let types = [
        "types/profiles/seller.yml",
        "types/relationships/agency.yml",
        "types/relationship_users/agency_member.yml",
        "types/transactables/boat.yml",
    ];
    let mut files: Vec<(&str, String)> = types.iter().map(|name| (*name, read(name))).collect();
    files.push((
        "seller.yml",
        format!("unknown_fields: ignore\n{}", read("marketplace_seller.yml")),
    ));
    let files: Vec<(&str, &str)> =
        files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    setup.forms(&files)
}

/// Adds fields that clients may not set to every object of a submission.
fn add_protected_fields(value: &mut Value, at: &str, added: &mut Vec<String>) {
    match value {
        Value::Object(entries) => {
            for (key, inner) in entries.iter_mut() {
                add_protected_fields(inner, &format!("{at}.{key}"), added);
            }
            for name in PROTECTED_FIELDS {
                if !entries.contains_key(name) {
                    entries.insert(name.to_owned(), json!(CANARY));
                    added.push(format!("{at}.{name}"));
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                add_protected_fields(item, &format!("{at}[{index}]"), added);
            }
        }
        _ => {}
    }
}

fn only_listed_fields_are_stored(server: &TestServer) {
    let mut sample = samples::seller("siri");
    let mut added = Vec::new();
    add_protected_fields(&mut sample, "", &mut added);
    assert!(added.len() > 100, "{added:?}");
    // `properties` is listed here, so a string would be a type error rather than an unknown field.
    sample["relationship_users"]["agency_member"]["properties"] = json!({ "id": CANARY });
    let id = server.client().submit("marketplace_seller", &sample).created();
    assert_eq!(id, 1, "clients cannot set the id");
    for cell in server.database().all_cells() {
        assert!(!cell.contains(CANARY), "{cell}");
    }
    let user = server.client().user(id);
    assert_eq!(user["properties"], json!({}));
    assert!(user["created_at"].as_str().unwrap().starts_with("20"), "{user}");
}

fn strict_form_rejects_unlisted_fields_at_every_level(server: &TestServer) {
    for name in PROTECTED_FIELDS {
        for location in [
            "",
            "/profiles",
            "/profiles/seller",
            "/profiles/seller/properties",
            "/transactables",
            "/transactables/boat/0",
            "/transactables/boat/0/properties",
            "/transactables/boat/0/custom_addresses/harbour",
            "/relationship_users/agency_member",
        ] {
            let mut sample = samples::seller("siri");
            let object = sample.pointer_mut(location).unwrap();
            if object.get(name).is_some() {
                continue;
            }
            object[name] = json!(CANARY);
            let response = server.client().submit("marketplace_seller", &sample);
            let reported = response.is(422).violations();
            assert_eq!(reported.len(), 1, "{location}/{name}: {response:?}");
            // `properties` is listed for members, so the string is a type error there.
            let code = if reported[0].0.ends_with("agency_member.properties") {
                "wrong_type"
            } else {
                "unknown_field"
            };
            assert_eq!(reported[0].1, code, "{location}/{name}: {response:?}");
            assert_eq!(response.json()["details"][0]["pointer"], format!("/form{location}/{name}"));
        }
    }
    assert_eq!(server.client().count(), 0);
}

fn readonly_fields_ignore_submitted_values(server: &TestServer) {
    let mut sample = samples::seller("siri");
    sample["profiles"]["seller"]["properties"]["commission"] = json!(0);
    sample["relationship_users"]["agency_member"]["properties"] = json!({ "status": CANARY });
    let id = server.client().submit("marketplace_seller", &sample).created();
    let user = server.client().user(id);
    assert_eq!(user["profiles"]["seller"]["properties"]["commission"], json!(12.5));
    assert_eq!(user["relationship_users"]["agency_member"][0]["properties"]["status"], "pending");
    assert!(server.database().all_cells().iter().all(|cell| !cell.contains(CANARY)));
}

fn virtual_fields(setup: Setup) -> Setup {
    setup.form(
        "\
name: {property_options: {virtual: true}, validation: {length: {minimum: 3}}}
properties:
  company: {type: string, property_options: {virtual: true}, validation: {presence: true}}
  city: {type: string}",
    )
}

fn virtual_fields_are_validated_but_not_stored(server: &TestServer) {
    let submit = |form| server.client().submit("form", &form);
    submit(json!({ "name": "x" }))
        .invalid(&[("name", "too_short"), ("properties.company", "blank")]);
    let sent = json!({ "name": CANARY, "properties": { "company": CANARY, "city": "Oslo" } });
    let id = submit(sent).created();
    let user = server.client().user(id);
    assert_eq!((&user["name"], &user["properties"]), (&Value::Null, &json!({ "city": "Oslo" })));
    assert!(server.database().all_cells().iter().all(|cell| !cell.contains(CANARY)));
}

fn numbers_are_stored_exactly(server: &TestServer) {
    let stored = |tag: &str, budget: &str| {
        let body = serde_json::to_string(&samples::client(tag)).unwrap();
        let body = body.replacen(
            r#""company_name":"#,
            &format!(r#""budget":{budget},"company_name":"#),
            1,
        );
        let body = format!(r#"{{"form_configuration_name":"client_sign_up","form":{body}}}"#);
        let id = server.client().post("/api/users", &body).created();
        server.client().user(id)["profiles"]["client"]["properties"]["budget"].to_string()
    };
    for (index, (sent, kept)) in [
        ("9007199254740993", "9007199254740993"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("0.1", "0.1"),
        ("0.30000000000000000000000000004", "0.30000000000000000000000000004"),
        ("1.50", "1.5"),
        ("1e3", "1000"),
        ("25e-1", "2.5"),
        (r#""0090.10""#, "90.1"),
        ("-0", "0"),
        ("1e-7", "0.0000001"),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(stored(&format!("n{index}"), sent), kept, "{sent}");
    }
}

fn strings_are_stored_exactly(server: &TestServer) {
    let texts = [
        "O'Brien \"the\" \\ % _ ; --",
        "Ünï¢ødé 😀 \u{202e}rtl\u{202c}",
        "e\u{301} is not composed",
        "line\nbreak\ttab\u{1}",
        "$1 {{ form.email }} %{value} <b>",
    ];
    for (index, text) in texts.into_iter().enumerate() {
        let mut sample = samples::client(&format!("t{index}"));
        sample["profiles"]["client"]["properties"]["company_name"] = json!(text);
        let id = server.client().submit("client_sign_up", &sample).created();
        let kept = &server.client().user(id)["profiles"]["client"]["properties"]["company_name"];
        assert_eq!(kept, text);
    }
}

fn password_is_stored_only_as_hash(server: &TestServer) {
    let mut sample = samples::developer("ann");
    sample["password"] = json!("c4n4ry-pässword");
    sample["password_confirmation"] = json!("c4n4ry-pässword");
    let id = server.client().submit("developer_sign_up", &sample).created();
    let cells = server.database().all_cells();
    assert!(cells.iter().all(|cell| !cell.contains(CANARY)));
    let hashes = cells.iter().filter(|cell| cell.contains("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert_eq!(hashes.count(), 1);
    let shown = server.client().get(&format!("/api/users/{id}")).text;
    assert!(!shown.contains("argon2") && !shown.contains("password"), "{shown}");
}
