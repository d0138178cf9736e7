//! Custom contracts: served once their file exists, and never if it is invalid.

use registrar_tests::{Setup, TestServer, cases};
use serde_json::json;

use super::{JSON, assert_response, post, send};

const FORM: &str =
    "resource: User\nfields: { email: , password: { validation: { presence: true } } }\n";
const CONTRACT: &str = "\
mount: /mine
form: form
authentication: { schemes: [none] }
catalogue: words
unknown: reject
casing_out: camel
fields: { e_mail: { to: email, messages: { taken: 'gone: %{value}' } }, pass_word: { to: password, write_only: true } }
routes: [{ method: POST, path: /people, aliases: [/people.json], operation: create }]
answers:
  created: { status: 204, headers: { Location: '{{ base_url }}/{{ user.id }}', X-Name: \"{{ user.email | upcase }}\" } }
  invalid: { status: 422, content_type: text/plain, text: '{{ error.field }} {{ error.code }}: {{ error.text }}' }
  not_an_object: { status: 400 }
  malformed: { status: 400 }
  unsupported_media_type: { status: 415 }
  route_not_found: { status: 404, content_type: text/html, text: '<p>{{ request.path }}</p>' }
  method_not_allowed: { status: 405, content_type: text/html, text: '{% for name in [request.path] %}<i title=\"{{ name }}\">{% endfor %}' }
  error: { content_type: application/json, body: { code: '{{ status }}', why: '{{ reason }}' } }
";

const CLUB: &str = "resource: Relationship\ntype: club\nfields: { properties: { name: } }\n";
const CLUBS: &str = "\
mount: /sea
form: club
authentication: { schemes: [none] }
catalogue: words
routes:
  - { method: POST, path: /clubs, operation: create, resource: relationship }
  - method: GET
    path: /clubs
    operation: list
    resource: relationship
    type: club
    only_if: \"query.from != '3'\"
    paging: { offset: from, size: most, order: last, strict: true }
answers:
  created: { status: 201 }
  listed: { status: 200, content_type: text/plain, text: '{{ records | map(attribute=\"record.properties.name\") | join(\" \") }} of {{ page.total }}' }
  bad_query: { status: 400 }
  not_found: { status: 404 }
  conflict: { status: 409 }
  invalid: { status: 422 }
  not_an_object: { status: 400 }
  malformed: { status: 400 }
  unsupported_media_type: { status: 415 }
  route_not_found: { status: 404 }
  method_not_allowed: { status: 405 }
  error: { status: 500 }
";

const ROOM: &str = "resource: User\nfields: { email: , external_id: , properties: { house: { type: string }, city: { type: string } } }\n";
/// A contract with look-ups by several fields, in different orders.
const ROOMS: &str = "\
mount: /rooms
form: form
authentication: { schemes: [none] }
catalogue: words
ids: { id: integer, key: integer }
routes:
  - { method: GET, path: '/first/{id}', operation: show, find: { ids.id: '{{ path.id }}', properties.house: '{{ query.house }}', properties.city: '{{ query.city }}', email: '{{ query.email }}', external_id: '{{ query.own }}', ids.key: '{{ query.key }}' } }
  - { method: GET, path: '/last/{id}', operation: show, find: { properties.city: '{{ query.city }}', properties.house: '{{ query.house }}', ids.key: '{{ query.key }}', external_id: '{{ query.own }}', email: '{{ query.email }}', ids.id: '{{ path.id }}' } }
  - { method: GET, path: /all, operation: list, find: { properties.house: '{{ query.house }}', properties.city: '{{ query.city }}' } }
answers:
  found: { status: 200, content_type: text/plain, text: '{{ user.external_id }}' }
  listed: { status: 200, content_type: text/plain, text: '{{ users | map(attribute=\"user.external_id\") | join(\" \") }} of {{ page.total }}' }
  not_found: { status: 404 }
  route_not_found: { status: 404 }
  method_not_allowed: { status: 405 }
  error: { status: 500 }
";

cases! {
    lookup_requires_all_given_fields with rooms_contract,
    custom_contract_is_served with custom_contract,
    reloaded_contract_is_served with custom_contract,
    records_are_listed_with_offset_paging with clubs_contract,
}

fn clubs_contract(setup: Setup) -> Setup {
    setup.forms(&[
        ("types/relationships/club.yml", "properties: [{ name: name, type: string }]\n"),
        ("club.yml", CLUB),
        ("contracts/catalogues/words.yml", "messages: {}\n"),
        ("contracts/clubs.yml", CLUBS),
    ])
}

fn records_are_listed_with_offset_paging(server: &TestServer) {
    for name in ["A", "B", "C"] {
        let body = format!(r#"{{"properties":{{"name":"{name}"}}}}"#);
        post(server, "/sea/clubs", "", JSON, &body).is(201);
    }
    let list = |query: &str| send(server, "GET", &format!("/sea/clubs{query}"), "", &[], None);
    for (query, reported) in
        [("", "C B A of 3"), ("?from=1&most=2", "B A of 3"), ("?from=9", " of 3")]
    {
        assert_response(&list(query), 200, "text/plain", reported);
    }
    for (query, status) in
        [("?most=0", 400), ("?from=x", 400), ("?more=1", 400), ("?from=3&more=1", 409)]
    {
        list(query).is(status);
    }
}

fn rooms_contract(setup: Setup) -> Setup {
    setup.forms(&[
        ("form.yml", ROOM),
        ("contracts/catalogues/words.yml", "messages: {}\n"),
        ("contracts/rooms.yml", ROOMS),
    ])
}

fn lookup_requires_all_given_fields(server: &TestServer) {
    let mut ids = Vec::new();
    for (name, house, city) in [("a", "1", "Ulm"), ("b", "1", "Bonn"), ("c", "2", "Ulm")] {
        let properties = json!({ "house": house, "city": city });
        let email = format!("{name}@example.com");
        let form = json!({ "email": email, "external_id": name, "properties": properties });
        ids.push(server.client().submit("form", &form).created());
    }
    let get = |path: &str| send(server, "GET", &format!("/rooms{path}"), "", &[], None);
    let first = ids[0];
    for route in ["first", "last"] {
        for query in ["", "house=1", "house=1&city=Ulm", "email=A@example.com&own=a&house=1"] {
            assert_response(&get(&format!("/{route}/{first}?{query}")), 200, "text/plain", "a");
        }
        assert_response(&get(&format!("/{route}/{first}?key={first}")), 200, "text/plain", "a");
        let other = format!("key={}", ids[1]);
        for query in [
            "house=2",
            "city=Bonn",
            "house=2&city=Ulm",
            "house=1&city=Bonn",
            "email=b@example.com",
            "own=b",
            "key=x",
            &other,
        ] {
            get(&format!("/{route}/{first}?{query}")).is(404);
        }
    }
    assert_response(&get("/all?house=1"), 200, "text/plain", "a b of 2");
    assert_response(&get("/all?house=1&city=Ulm"), 200, "text/plain", "a of 1");
}

fn custom_contract(setup: Setup) -> Setup {
    setup
        .forms(&[
            ("form.yml", FORM),
            ("contracts/catalogues/words.yml", "messages: { blank: 'is needed' }\n"),
            ("contracts/mine.yml", CONTRACT),
        ])
        .with(|settings| settings.body_limit = 200)
}

fn custom_contract_is_served(server: &TestServer) {
    let send = |path: &str, body: &str| post(server, path, "", JSON, body);
    let sent = r#"{"e_mail":"a@b.co","pass_word":"secret1"}"#;
    let created = send("/mine/people", sent);
    assert_eq!(created.is(204).text, "");
    assert!(created.header("location").unwrap().ends_with("/mine/1"), "{created:?}");
    assert_eq!(created.header("x-name"), Some("A@B.CO"));
    // `Host` is optional in HTTP/1.0.
    let old = r#"{"e_mail":"old@b.co","pass_word":"secret1"}"#;
    let (content_type, length) = ("Content-Type: application/json", old.len());
    let old = format!(
        "POST /mine/people HTTP/1.0\r\n{content_type}\r\nContent-Length: {length}\r\n\r\n{old}"
    );
    let mut connection = server.connect();
    connection.send(old.as_bytes());
    let location = format!("{}/mine/2", server.url());
    assert_eq!(connection.read_response().is(204).header("location"), Some(&*location));
    for (body, reported) in [
        (sent, "eMail taken: gone: a@b.co"),
        ("{}", "eMail blank: is needed"),
        (r#"{"e_mail":"a","pass_word":"x"}"#, "eMail invalid: is invalid"),
        (
            r#"{"e_mail":"c@b.co","pass_word":"secret1","more":1}"#,
            "more unknown_field: is not a known field",
        ),
        (r#"{"e_mail":"c@b.co","password":"secret1"}"#, "passWord blank: is needed"),
    ] {
        assert_response(&send("/mine/people.json", body), 422, "text/plain", reported);
    }
    // Values are escaped for text and for attributes in either quotes; the template is not.
    assert_response(&send("/mine/a&b'", ""), 404, "text/html", "<p>/mine/a&amp;b&#39;</p>");
    let not_allowed = server.anonymous().get("/mine/people");
    assert_response(&not_allowed, 405, "text/html", "<i title=\"&#x2f;mine&#x2f;people\">");
    assert_response(
        &send("/mine/people", &"x".repeat(300)),
        413,
        "application/json",
        r#"{"code":413,"why":"Payload Too Large"}"#,
    );
    assert_eq!(server.client().count(), 2);
}

fn reloaded_contract_is_served(server: &TestServer) {
    let sent = r#"{"e_mail":"a@b.co","pass_word":"secret1"}"#;
    server.write_form("contracts/mine.yml", &CONTRACT.replace("/mine", "/yours"));
    assert!(server.reload());
    post(server, "/mine/people", "", JSON, sent).rejected(404, "base", "not_found");
    post(server, "/yours/people", "", JSON, sent).is(204);
    server.write_form("contracts/mine.yml", "mount: /gone\n");
    assert!(!server.reload());
    post(server, "/yours/people", "", JSON, "{}").is(422);
    server.write_form("contracts/catalogues/words.yml", "messages: { blank: 'is missing' }\n");
    server.write_form("contracts/mine.yml", &CONTRACT.replace("/mine", "/yours"));
    assert!(server.reload());
    let reported = post(server, "/yours/people", "", JSON, "{}");
    assert_response(&reported, 422, "text/plain", "eMail blank: is missing");
}
