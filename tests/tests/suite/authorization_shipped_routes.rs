//! Authorization on all routes of the shipped contracts: no caller reads or changes data of another
//! user, in responses or in the database.

use registrar_contracts::{Contract, Operation, Scheme};
use registrar_core::value::Value as Shown;
use registrar_tests::{AnonymousClient, TestServer, cases};
use serde_json::{Value, json};

use super::authorization_matrix::PASSWORD;

cases! {
    shipped_routes_do_not_expose_data_of_other_users,
}

/// Replaces the parameters of a route's path by ids of another user's records.
fn route_path(contract: &Contract, path: &str, owner: &Value, record: i64) -> String {
    let uuid = owner["uuid"].as_str().unwrap().to_owned();
    let shown = |id: i64| {
        let id = Shown::Number(id.to_string().into());
        Shown::Object(vec![("id".into(), id), ("uuid".into(), Shown::String(uuid.clone().into()))])
    };
    let user_id = owner["id"].as_i64().unwrap();
    let mut ids = serde_json::to_value(contract.id_values(&shown(record), false)).unwrap();
    let of_user = serde_json::to_value(contract.id_values(&shown(user_id), true)).unwrap();
    ids.as_object_mut().unwrap().extend(of_user.as_object().unwrap().clone());
    let mut path = path.to_owned();
    while let Some((before, rest)) = path.split_once('{') {
        let (name, after) = rest.split_once('}').unwrap();
        let id = match &ids[name] {
            Value::String(text) => text.clone(),
            Value::Null if name.contains("email") => owner["email"].as_str().unwrap().to_owned(),
            Value::Null => user_id.to_string(),
            number => number.to_string(),
        };
        path = format!("{before}{id}{after}");
    }
    path
}

fn shipped_routes_do_not_expose_data_of_other_users(server: &TestServer) {
    let user = |name: &str| json!({ "email": format!("{name}@example.com"), "password": PASSWORD, "first_name": format!("{name}-canary") });
    let form = "reference_rest_api_create_user";
    server.client().submit(form, &user("ann")).created();
    let bob = server.client().submit(form, &user("bob")).created();
    let api = |client: &AnonymousClient, method: &str, path: &str, form: &str, body: Value| {
        let body = json!({ "form_configuration_name": form, "form": body }).to_string();
        let headers = [("content-type", "application/json")];
        client.send(method, path, &headers, Some(body.as_bytes()))
    };
    let boat = json!({ "name": "bob-canary", "creator_id": bob });
    let create = "reference_rest_api_create_transactable";
    let made = api(&server.client(), "POST", "/api/user/transactables", create, boat);
    let boat = made.is(201).json()["id"].as_i64().unwrap();
    let bob = server.client().user(bob);

    let sign_in = json!({ "email": "ann@example.com", "password": PASSWORD });
    let response = api(
        &server.client(),
        "POST",
        "/api/sessions",
        "reference_rest_api_create_session",
        sign_in,
    );
    let cookie = response.is(201).header("set-cookie").unwrap().to_owned();
    let session = cookie.strip_prefix("_registrar_session=").unwrap().split(';').next().unwrap();
    let limited =
        |name: &str, scopes: &[&str], forms: &[&str]| server.new_limited_token(name, scopes, forms);
    let expired = server.new_token("expired", Some(1));
    let all = ["create", "read", "update", "delete", "sessions"];
    let headers = [
        ("nobody", None),
        ("nonsense", Some("Bearer nonsense".to_owned())),
        ("expired", Some(format!("Bearer {expired}"))),
        ("create alone", Some(format!("Bearer {}", limited("c", &["create"], &[])))),
        ("sessions alone", Some(format!("Bearer {}", limited("s", &["sessions"], &[])))),
        ("another form", Some(format!("Bearer {}", limited("f", &all, &["client_sign_up"])))),
        ("a session of ann's", Some(format!("Bearer {session}"))),
        ("another contract's", Some(server.new_authorization("user_com", "usercom", &[]))),
        ("ann by password", Some(Scheme::Basic.header("ann@example.com", PASSWORD))),
    ];
    let of_bob = || -> Vec<String> {
        let mut cells = server.database().all_cells();
        cells.retain(|cell| cell.contains("bob"));
        cells
    };
    let (cells, operators) = (of_bob(), server.database().count("users"));
    let registry = server.registry();
    let forms: Vec<_> = registry.names().iter().filter_map(|name| registry.form(name)).collect();
    let mut routes = 0;
    for contract in registry.contracts().list() {
        for route in contract.routes() {
            let path = route_path(contract, &route.path, &bob, boat);
            let of_resource = forms.iter().filter(|form| form.resource == route.resource);
            let forms: Vec<String> = match route.names_form {
                true => of_resource.map(|form| form.name.to_string()).collect(),
                false => vec![String::new()],
            };
            for (who, header) in &headers {
                let is_own = *who == "another contract's" && contract.name.starts_with("user_com");
                for form in forms.iter().filter(|_| !is_own) {
                    routes += 1;
                    let body = json!({ "form_configuration_name": form, "form": {
                        "first_name": "hacked", "name": "hacked", "email": "bob@example.com" },
                        "first_name": "hacked", "name": "hacked", "email": "bob@example.com" });
                    let query = match route.operation {
                        Operation::Delete => format!("?form_configuration_name={form}"),
                        _ => String::new(),
                    };
                    let mut fields = vec![("content-type", "application/json")];
                    fields.extend(header.as_deref().map(|header| ("authorization", header)));
                    let body = (route.method != "GET").then(|| body.to_string());
                    let path = format!("{path}{query}");
                    let body = body.as_deref().map(str::as_bytes);
                    let response = server.anonymous().send(route.method, &path, &fields, body);
                    let what = format!("{who}: {} {path} {form}: {response:?}", route.method);
                    assert!(response.status < 500, "{what}");
                    assert!(!response.text.contains("bob-canary"), "{what}");
                }
            }
            assert_eq!(of_bob(), cells, "{} {path}", route.method);
        }
    }
    assert!(routes > 500, "{routes}");
    assert_eq!(server.database().count("users"), operators, "no user was created");
    // An unlimited token sees the data that was hidden from the other callers.
    let text = server.client().get("/api/users").is(200).text.clone();
    assert!(text.contains("bob-canary"), "{text}");
}
