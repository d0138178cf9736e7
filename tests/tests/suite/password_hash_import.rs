//! Import of users with password hashes of another system, through privileged tokens only.

use registrar_tests::{Setup, TestServer, cases, repository_path};
use serde_json::{Value, json};

cases! {
    imported_password_hash_signs_in with import_form,
    unsupported_password_hash_is_rejected with import_form,
}

fn import_form(setup: Setup) -> Setup {
    let fields = "fields: { email: , password: , password_hash: , first_name: }\n";
    let import = format!("resource: User\nprivileged: true\n{fields}");
    let name = "reference_rest_api_create_session.yml";
    let session = repository_path(&format!("forms/contracts/forms/{name}"));
    let session = std::fs::read_to_string(session).unwrap();
    setup.forms(&[("import.yml", &import), (name, &session)])
}

/// Returns a hash created by another server.
fn existing_hash(server: &TestServer) -> String {
    let form = json!({ "email": "old@example.com", "password": "brisk-harbour-42" });
    server.client().submit("import", &form).created();
    let cells = server.database().all_cells();
    let found = cells.iter().find(|cell| cell.starts_with("password_credentials.phc")).unwrap();
    let start = found.find("$argon2id").unwrap();
    found[start..].trim_end_matches('\'').to_owned()
}

fn sign_in(server: &TestServer, email: &str, password: &str) -> u16 {
    let form = json!({ "email": email, "password": password });
    let name = "reference_rest_api_create_session";
    let body = json!({ "form_configuration_name": name, "form": form });
    server.client().post("/api/sessions", &body.to_string()).status
}

fn imported_password_hash_signs_in(server: &TestServer) {
    let hash = existing_hash(server);
    let form = json!({ "email": "ann@example.com", "password_hash": hash });
    let id = server.client().submit("import", &form).created();
    assert_eq!(sign_in(server, "ann@example.com", "brisk-harbour-42"), 201);
    assert_eq!(sign_in(server, "ann@example.com", "secret2"), 422);
    let stored = server.client().user(id);
    assert!(!stored.to_string().contains("argon2"), "{stored}");
    // Forms without `privileged` have no such field, and limited tokens cannot use privileged
    // forms.
    let token = server.new_limited_token("app", &["create"], &[]);
    let app = server.anonymous().with_token(&token);
    app.submit("import", &form).rejected(403, "base", "insufficient_scope");
}

fn unsupported_password_hash_is_rejected(server: &TestServer) {
    let hash = existing_hash(server);
    for wrong in [
        hash.replace("argon2id", "argon2i"),
        hash.replace("m=", "m=99"),
        hash.replace("t=2", "t=65").replace("t=3", "t=65"),
        hash.replace("p=1", "p=4"),
        hash.replace("v=19", "v=16"),
        format!("{hash}$x"),
        "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW".to_owned(),
        "brisk-harbour-42".to_owned(),
    ] {
        let form = json!({ "email": "ann@example.com", "password_hash": Value::from(&*wrong) });
        let refused = server.client().submit("import", &form);
        refused.invalid(&[("password_hash", "invalid_hash")]);
        assert!(!refused.text.contains(&wrong), "{refused:?}");
    }
    assert_eq!(server.client().count(), 1);
}
