//! Authorization matrix: caller kinds, operations, owners and scopes, on a contract with every
//! operation on every record kind.

use registrar_contracts::Scheme;
use registrar_core::record_kind::RecordKind;
use registrar_tests::{AnonymousClient, Setup, TestResponse, TestServer, TokenClient, cases};
use serde_json::{Value, json};

cases! {
    operations_require_scope_and_ownership with all_operations,
    session_cannot_create_records_for_another_user with all_operations,
    form_limited_token_reaches_only_records_of_its_forms with all_operations,
    public_routes_and_sessions_cannot_use_privileged_forms with all_operations,
}

const KINDS: [(&str, RecordKind, &str); 5] = [
    ("transactable", RecordKind::Transactable, "boat"),
    ("relationship", RecordKind::Relationship, "club"),
    ("relationship_user", RecordKind::RelationshipUser, "member"),
    ("relationship_transactable", RecordKind::RelationshipTransactable, "berth"),
    ("customization", RecordKind::Customization, "link"),
];

/// Configures a contract with every operation on every record kind, and the forms that it uses.
pub(crate) fn all_operations(setup: Setup) -> Setup {
    let mut routes = String::from(
        "  - { method: POST, path: /users, operation: create }
  - { method: GET, path: /users, operation: list }
  - { method: GET, path: '/users/{id}', operation: show }
  - { method: PUT, path: '/users/{id}', operation: update }
  - { method: PUT, path: /users, operation: upsert, find: { email: '{{ sent.email }}' } }
  - { method: DELETE, path: '/users/{id}', operation: delete }
  - { method: POST, path: '/users/{id}/detach', operation: remove, remove: transactables.boat }
  - { method: POST, path: /verify, operation: verify, find: { email: '{{ sent.email }}' }, password: '{{ sent.password }}' }
  - { method: POST, path: /sessions, operation: issue_token, find: { email: '{{ sent.email }}' }, password: '{{ sent.password }}', issue_token: { expires_in: 600 } }
  - { method: DELETE, path: /sessions, operation: revoke }
  - { method: POST, path: /open, operation: create, public: true }
  - { method: POST, path: /trusted, operation: create, form: trusted }
",
    );
    let mut files: Vec<(String, String)> = Vec::new();
    let properties = "properties: [{ name: note, type: string }]\n";
    for (kind, resource, of_type) in KINDS {
        routes.push_str(&format!(
            "  - {{ method: POST, path: /{kind}s, operation: create, resource: {kind}, form: create_{kind} }}
  - {{ method: GET, path: /{kind}s, operation: list, resource: {kind}, type: {of_type} }}
  - {{ method: GET, path: '/{kind}s/{{id}}', operation: show, resource: {kind}, find: &id {{ ids.record: '{{{{ path.id }}}}' }} }}
  - {{ method: PUT, path: '/{kind}s/{{id}}', operation: update, resource: {kind}, form: update_{kind}, find: *id }}
  - {{ method: DELETE, path: '/{kind}s/{{id}}', operation: delete, resource: {kind}, find: *id }}
"
        ).replace("&id", &format!("&{kind}")).replace("*id", &format!("*{kind}")));
        let public = "{ property_options: { public: true } }";
        let fields = match kind {
            "transactable" => "{ name: , properties: { note: } }".to_owned(),
            "relationship_user" => {
                format!("{{ relationship_id: {public}, properties: {{ note: }} }}")
            }
            "relationship_transactable" => format!(
                "{{ relationship_id: {public}, transactable_id: {public}, properties: {{ note: }} }}"
            ),
            _ => "{ properties: { note: } }".to_owned(),
        };
        let head = format!("resource: {}\ntype: {of_type}\n", resource.resource_name());
        files.push((format!("create_{kind}.yml"), format!("{head}fields: {fields}\n")));
        let fields = "fields: { properties: { note: } }\n";
        let update = format!("{head}resource_owner: anyone\n{fields}");
        files.push((format!("update_{kind}.yml"), update));
        let more = if kind == "relationship_user" { "relationship: club\n" } else { "" };
        let folder = resource.list_name();
        files.push((format!("types/{folder}/{of_type}.yml"), format!("{properties}{more}")));
    }
    files.push(("found_club.yml".to_owned(), "resource: Relationship\ntype: club\nprivileged: true\nfields: { creator_id: , properties: { note: } }\n".to_owned()));
    let person = "resource: User\nfields:\n  email:\n  password:\n  first_name:\n  properties: { note: { type: string } }\n  transactables: { boat: { name: , properties: { note: } } }\n  customizations: { link: { properties: { note: } } }\n";
    files.push(("person.yml".to_owned(), format!("resource_owner: anyone\n{person}")));
    files.push(("other.yml".to_owned(), person.to_owned()));
    files.push(("trusted.yml".to_owned(), "resource: User\nprivileged: true\nfields: { email: , properties: { role: { type: string } } }\n".to_owned()));
    let contract = format!(
        "mount: /all
form: person
authentication: {{ schemes: [bearer, basic], user: {{ email: '{{{{ credential.name }}}}' }} }}
catalogue: forms
ids: {{ id: integer, record: {{ format: integer, of: record }} }}
routes:
{routes}  - {{ method: POST, path: /clubs, operation: create, resource: relationship, form: found_club }}
answers:
  created: {{ status: 201, body: {{ id: '{{{{ ids.id or record.id }}}}' }} }}
  updated: {{ status: 204 }}
  unchanged: {{ status: 204 }}
  deleted: {{ status: 204 }}
  revoked: {{ status: 204 }}
  verified: {{ status: 200 }}
  token_issued: {{ status: 201, body: {{ token: '{{{{ credential.token }}}}' }} }}
  refused: {{ status: 422 }}
  found: {{ status: 200, body: {{ user: '{{{{ user }}}}', record: '{{{{ record }}}}' }} }}
  listed: {{ status: 200, body: {{ users: '{{{{ users }}}}', records: '{{{{ records }}}}' }} }}
  invalid: {{ status: 422, body: {{ errors: '{{{{ errors }}}}' }} }}
  missing_credentials: {{ status: 401 }}
  invalid_credentials: {{ status: 401 }}
  not_found: {{ status: 404 }}
  not_an_object: {{ status: 400 }}
  malformed: {{ status: 400 }}
  unsupported_media_type: {{ status: 415 }}
  route_not_found: {{ status: 404 }}
  method_not_allowed: {{ status: 405 }}
  error: {{ body: {{ errors: '{{{{ errors }}}}', details: '{{{{ details }}}}' }} }}
"
    );
    files.push(("contracts/all.yml".to_owned(), contract));
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
    setup.forms(&files)
}

pub(crate) fn call(
    client: &AnonymousClient,
    method: &str,
    path: &str,
    body: &Value,
) -> TestResponse {
    let body = (method != "GET").then(|| body.to_string());
    let headers = [("content-type", "application/json")];
    client.send(method, &format!("/all{path}"), &headers, body.as_deref().map(str::as_bytes))
}

pub(crate) fn bearer(server: &TestServer, token: &str) -> TokenClient {
    server.anonymous().with_authorization(&format!("Bearer {token}"))
}

/// A user with one record of each kind, in the order of [`KINDS`].
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) email: String,
    pub(crate) id: i64,
    pub(crate) records: Vec<i64>,
}

pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) fn create_person(server: &TestServer, name: &str) -> Person {
    let operator = bearer(server, server.token());
    let made = |response: TestResponse| response.is(201).json()["id"].as_i64().unwrap();
    let email = format!("{name}@example.com");
    let note = json!({ "note": format!("{name}-canary") });
    let user = json!({ "email": email, "password": PASSWORD, "first_name": format!("{name}-canary"),
        "transactables": { "boat": [{ "name": "Vega", "properties": note }] },
        "customizations": { "link": [{ "properties": note }] } });
    let id = made(call(&operator, "POST", "/users", &user));
    let stored = server.client().user(id);
    let boat = stored["transactables"]["boat"][0]["id"].as_i64().unwrap();
    let link = stored["customizations"]["link"][0]["id"].as_i64().unwrap();
    let club =
        made(call(&operator, "POST", "/clubs", &json!({ "creator_id": id, "properties": note })));
    let session = sign_in(server, &email);
    let member = json!({ "relationship_id": club, "properties": note });
    let member = made(call(&session, "POST", "/relationship_users", &member));
    let berth = json!({ "relationship_id": club, "transactable_id": boat, "properties": note });
    let berth = made(call(&session, "POST", "/relationship_transactables", &berth));
    Person { email, id, records: vec![boat, club, member, berth, link] }
}

pub(crate) fn sign_in(server: &TestServer, email: &str) -> TokenClient {
    let operator = bearer(server, server.token());
    let sign_in = json!({ "email": email, "password": PASSWORD });
    let response = call(&operator, "POST", "/sessions", &sign_in).is(201).json();
    bearer(server, response["token"].as_str().unwrap())
}

/// A caller of the matrix: its scopes, and whether it acts for a user.
struct Caller {
    name: String,
    client: TokenClient,
    scopes: Vec<&'static str>,
    is_user: bool,
}

const SCOPES: [&str; 5] = ["create", "read", "update", "delete", "sessions"];

fn callers(server: &TestServer, ann: &Person) -> Vec<Caller> {
    let mut callers = vec![Caller {
        name: "an unlimited token".to_owned(),
        client: bearer(server, server.token()),
        scopes: SCOPES.to_vec(),
        is_user: false,
    }];
    for scope in SCOPES {
        let token = server.new_limited_token(scope, &[scope], &[]);
        let client = bearer(server, &token);
        let name = format!("a token with {scope}");
        callers.push(Caller { name, client, scopes: vec![scope], is_user: false });
    }
    let token = server.new_limited_token("form", &[], &["person"]);
    let (name, client) = ("a token for a form".to_owned(), bearer(server, &token));
    callers.push(Caller { name, client, scopes: vec!["create"], is_user: false });
    let (name, client) = ("a session".to_owned(), sign_in(server, &ann.email));
    callers.push(Caller { name, client, scopes: SCOPES.to_vec(), is_user: true });
    let client = server.anonymous().with_authorization(&Scheme::Basic.header(&ann.email, PASSWORD));
    callers.push(Caller {
        name: "Basic".to_owned(),
        client,
        scopes: SCOPES.to_vec(),
        is_user: true,
    });
    callers
}

fn operations_require_scope_and_ownership(server: &TestServer) {
    let (ann, bob) = (create_person(server, "ann"), create_person(server, "bob"));
    let mut failures = Vec::new();
    for caller in callers(server, &ann) {
        let may = |scope: &str| caller.scopes.contains(&scope);
        let mut check = |what: &str, response: &TestResponse, expected: &[u16]| {
            if !expected.contains(&response.status) {
                failures.push(format!("{}: {what}: {expected:?}, got {response:?}", caller.name));
            }
        };
        let change = json!({ "properties": { "note": "changed" } });
        // Another user's records come first, while all of them exist.
        for (owner, is_own) in [(&bob, false), (&ann, true)] {
            let found = |scope: &str, done: u16| match (may(scope), !caller.is_user || is_own) {
                (false, _) => vec![403],
                (true, false) => vec![404],
                (true, true) => vec![done],
            };
            let path = format!("/users/{}", owner.id);
            check("show", &call(&caller.client, "GET", &path, &json!({})), &found("read", 200));
            check("update", &call(&caller.client, "PUT", &path, &change), &found("update", 204));
            // A permitted `detach` is tested at the end.
            if !may("update") || caller.is_user && !is_own {
                let detached = call(&caller.client, "POST", &format!("{path}/detach"), &json!({}));
                check("detach", &detached, &found("update", 204));
            }
            for ((kind, ..), id) in KINDS.iter().zip(&owner.records) {
                let path = format!("/{kind}s/{id}");
                let shown = call(&caller.client, "GET", &path, &json!({}));
                check(&format!("show {kind}"), &shown, &found("read", 200));
                let changed = call(&caller.client, "PUT", &path, &change);
                check(&format!("update {kind}"), &changed, &found("update", 204));
                if !may("delete") || caller.is_user && !is_own {
                    let deleted = call(&caller.client, "DELETE", &path, &json!({}));
                    check(&format!("delete {kind}"), &deleted, &found("delete", 204));
                }
                let listed = call(&caller.client, "GET", &format!("/{kind}s"), &json!({}));
                check(&format!("list {kind}"), &listed, if may("read") { &[200] } else { &[403] });
                if caller.is_user && listed.text.contains("bob-canary") {
                    check(&format!("list {kind} of others"), &listed, &[]);
                }
            }
            if !may("delete") || caller.is_user && !is_own {
                let deleted = call(&caller.client, "DELETE", &path, &json!({}));
                check("delete", &deleted, &found("delete", 204));
            }
            let sign_in = json!({ "email": owner.email, "password": PASSWORD });
            let refused = if caller.is_user && !is_own { 422 } else { 200 };
            let expected = if may("sessions") { refused } else { 403 };
            check("verify", &call(&caller.client, "POST", "/verify", &sign_in), &[expected]);
        }
        let listed = call(&caller.client, "GET", "/users", &json!({}));
        check("list", &listed, if may("read") { &[200] } else { &[403] });
        if caller.is_user && listed.text.contains("bob-canary") {
            check("list others", &listed, &[]);
        }
        let fresh = format!("{}@example.com", caller.name.replace(' ', "."));
        let user = json!({ "email": fresh, "password": PASSWORD });
        let created = call(&caller.client, "POST", "/users", &user);
        let expected = if may("create") && !caller.is_user { 201 } else { 403 };
        check("create", &created, &[expected]);
        let upsert = json!({ "email": bob.email, "first_name": "changed" });
        let upserted = call(&caller.client, "PUT", "/users", &upsert);
        let expected = if may("create") && may("update") && !caller.is_user { 204 } else { 403 };
        check("upsert", &upserted, &[expected]);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    // Permitted deletions come last.
    let session = sign_in(server, &ann.email);
    for (client, owner) in [(&session, &ann), (&bearer(server, server.token()), &bob)] {
        let path = format!("/users/{}/detach", owner.id);
        assert_eq!(call(client, "POST", &path, &json!({})).status, 204);
        assert_eq!(server.client().user(owner.id)["transactables"], json!({}));
    }
    let remover = server.new_limited_token("remover", &["delete"], &[]);
    for (client, owner) in [(&session, &ann), (&bearer(server, &remover), &bob)] {
        for ((kind, ..), id) in KINDS.iter().zip(&owner.records).rev() {
            let response = call(client, "DELETE", &format!("/{kind}s/{id}"), &json!({}));
            assert!(matches!(response.status, 204 | 404), "{kind}: {response:?}");
        }
        assert_eq!(call(client, "DELETE", &format!("/users/{}", owner.id), &json!({})).status, 204);
    }
}

fn session_cannot_create_records_for_another_user(server: &TestServer) {
    let (ann, bob) = (create_person(server, "ann"), create_person(server, "bob"));
    let before = server.database().row_counts();
    let session = sign_in(server, &ann.email);
    let berth = json!({ "relationship_id": ann.records[1], "transactable_id": bob.records[0] });
    let response = call(&session, "POST", "/relationship_transactables", &berth);
    response.rejected(403, "base", "not_owner");
    let boat = json!({ "creator_id": bob.id, "name": "Vega" });
    call(&session, "POST", "/transactables", &boat).is(422);
    let mine = call(&session, "POST", "/transactables", &json!({ "name": "Deneb" })).is(201).json();
    let id = mine["id"].as_i64().unwrap();
    let stored = server.client().user(ann.id)["transactables"]["boat"].clone();
    assert!(stored.as_array().unwrap().iter().any(|boat| boat["id"] == id), "{stored}");
    let after = server.database().row_counts();
    assert_eq!(after["transactables"], before["transactables"] + 1);
    assert_eq!(after["relationship_transactables"], before["relationship_transactables"]);
}

fn form_limited_token_reaches_only_records_of_its_forms(server: &TestServer) {
    let ann = create_person(server, "ann");
    let other = json!({ "email": "other@example.com", "password": PASSWORD,
        "transactables": { "boat": [{ "name": "other-canary" }] } });
    let other = server.client().submit("other", &other).created();
    let boat = server.client().user(other)["transactables"]["boat"][0]["id"].as_i64().unwrap();
    let all = ["create", "read", "update", "delete"];
    let forms = ["person", "update_transactable"];
    let limited = server.new_limited_token("limited", &all, &forms);
    let client = bearer(server, &limited);
    let list = call(&client, "GET", "/users", &json!({})).is(200).text.clone();
    assert!(list.contains("ann-canary") && !list.contains("other@example.com"), "{list}");
    let list = call(&client, "GET", "/transactables", &json!({})).is(200).text.clone();
    assert!(list.contains("ann-canary") && !list.contains("other-canary"), "{list}");
    let change = json!({ "properties": { "note": "new" } });
    for (user, boat, is_reached) in [(other, boat, false), (ann.id, ann.records[0], true)] {
        let expected = |done: u16| if is_reached { done } else { 404 };
        for (method, path, done) in [
            ("GET", format!("/users/{user}"), 200),
            ("GET", format!("/transactables/{boat}"), 200),
            ("PUT", format!("/users/{user}"), 204),
            ("PUT", format!("/transactables/{boat}"), 204),
            ("DELETE", format!("/transactables/{boat}"), 204),
            ("DELETE", format!("/users/{user}"), 204),
        ] {
            let response = call(&client, method, &path, &change);
            assert_eq!(response.status, expected(done), "{method} {path}: {response:?}");
        }
    }
    // Without `--may`, a token limited to a form can create through it and read its schema.
    let token = server.new_limited_token("form", &[], &["person"]);
    let client = server.anonymous().with_token(&token);
    let user = json!({ "email": "new@example.com", "password": PASSWORD });
    let id = client.submit("person", &user).created();
    for path in
        ["/api/users", &format!("/api/users/{id}"), "/api/form_configurations", "/openapi.json"]
    {
        assert_eq!(client.get(path).status, 403, "{path}");
    }
    assert_eq!(client.send("DELETE", &format!("/api/users/{id}"), &[], None).status, 403);
    client.get("/api/form_configurations/person/schema").is(200);
    client.get("/api/form_configurations/other/schema").rejected(403, "base", "insufficient_scope");
}

fn public_routes_and_sessions_cannot_use_privileged_forms(server: &TestServer) {
    let ann = create_person(server, "ann");
    let body = json!({ "email": "x@example.com", "properties": { "role": "admin" } });
    let basic = server.anonymous().with_authorization(&Scheme::Basic.header(&ann.email, PASSWORD));
    for client in [&sign_in(server, &ann.email), &basic] {
        assert_eq!(call(client, "POST", "/trusted", &body).status, 403);
    }
    let limited = server.new_limited_token("creator", &["create"], &[]);
    assert_eq!(call(&bearer(server, &limited), "POST", "/trusted", &body).status, 403);
    call(&bearer(server, server.token()), "POST", "/trusted", &body).is(201);
    let open = json!({ "email": "open@example.com" });
    call(server.anonymous(), "POST", "/open", &open).is(201);
}
