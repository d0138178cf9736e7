//! Every statement of a write fails once, for each row: the database is unchanged, the client
//! learns no details, and the request succeeds afterwards.

use std::collections::BTreeMap;

use registrar_tests::{DirectDatabase, TestResponse, TestServer, cases, samples};
use serde_json::{Value, json};

use super::post;
use crate::updates::update_forms;

cases! {
    create_with_any_failing_statement_is_rolled_back,
    update_or_delete_with_any_failing_statement_is_rolled_back with update_forms,
}

/// Message of the injected database error. It must not reach clients.
const ERROR_CANARY: &str = "c4n4ry";

/// Makes an event on a table fail once it has this many rows.
fn inject_failure(direct: &DirectDatabase<'_>, table: &str, event: &str, from: i64) {
    let reached = format!("(SELECT count(*) FROM {table}) >= {from}");
    if !direct.is_postgres() {
        return direct.execute(&format!(
            "CREATE TRIGGER fails BEFORE {event} ON {table} WHEN {reached} \
             BEGIN SELECT RAISE(ABORT, '{ERROR_CANARY}'); END"
        ));
    }
    direct.execute(&format!(
        "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         IF {reached} THEN RAISE EXCEPTION '{ERROR_CANARY}'; END IF; \
         IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$"
    ));
    let trigger = match event {
        "COMMIT" => {
            "CREATE CONSTRAINT TRIGGER fails AFTER INSERT ON {} DEFERRABLE INITIALLY DEFERRED"
        }
        _ => &format!("CREATE TRIGGER fails BEFORE {event} ON {{}}"),
    };
    let trigger = trigger.replace("{}", table);
    direct.execute(&format!("{trigger} FOR EACH ROW EXECUTE FUNCTION fails()"));
}

fn remove_failure(direct: &DirectDatabase<'_>, table: &str) {
    if direct.is_postgres() {
        direct.execute(&format!("DROP TRIGGER fails ON {table}"));
        direct.execute("DROP FUNCTION fails()");
    } else {
        direct.execute("DROP TRIGGER fails");
    }
}

/// Returns a submission with rows in every table of a user.
fn submission(form_name: &str, tag: &str) -> String {
    let mut form = samples::seller(tag);
    // Required by the form `change`.
    if form_name == "seller" {
        form["mobile_number"] = json!("99");
    }
    form["password"] = json!("correct horse 1");
    let photo = json!({ "photo": { "direct_url": "https://img.example/a.png" } });
    form["transactables"]["boat"][0]["custom_images"] = photo;
    json!({ "form_configuration_name": form_name, "form": form }).to_string()
}

fn assert_internal_error(response: &TestResponse, table: &str) {
    let text = response.rejected(500, "base", "internal");
    assert_eq!(text, "the server failed");
    assert!(!format!("{response:?}").contains(ERROR_CANARY), "{response:?}");
    assert!(!response.text.contains(table), "{response:?}");
}

fn create_with_any_failing_statement_is_rolled_back(server: &TestServer) {
    let (client, direct) = (server.client(), server.database());
    let send = |tag: &str| post(&client, tag, &submission("marketplace_seller", tag)).unwrap();
    let empty = direct.row_counts();
    send("first").created();
    let each = added_rows(&direct, &empty);
    let mut statements = Vec::new();
    for (table, rows) in &each {
        statements.extend((0..*rows).map(|row| (table.as_str(), "INSERT", row)));
    }
    assert!(statements.len() >= 16, "{statements:?}");
    statements.push(("idempotency_records", "UPDATE", 0));
    statements.push(match direct.is_postgres() {
        true => ("users", "COMMIT", 0),
        false => ("counters", "UPDATE", 0),
    });
    for (nth, (table, event, row)) in statements.into_iter().enumerate() {
        let tag = format!("s{nth}");
        let from = direct.count(table) + row;
        inject_failure(&direct, table, event, if event == "INSERT" { from } else { 0 });
        let before = direct.all_cells();
        assert_internal_error(&send(&tag), table);
        assert_eq!(direct.all_cells(), before, "{event} {table} {row}");
        remove_failure(&direct, table);
        let before = direct.row_counts();
        let done = send(&tag);
        done.created();
        assert_eq!(done.header("idempotent-replayed"), None);
        assert_eq!(added_rows(&direct, &before), each, "{event} {table} {row}");
    }
}

/// Returns the number of added rows by table.
fn added_rows(
    direct: &DirectDatabase<'_>,
    before: &BTreeMap<String, i64>,
) -> BTreeMap<String, i64> {
    let now = direct.row_counts().into_iter();
    now.map(|(table, count)| (table.clone(), count - before[&table])).collect()
}

fn update_or_delete_with_any_failing_statement_is_rolled_back(server: &TestServer) {
    let (client, direct) = (server.client(), server.database());
    let mut failed = [0, 0];
    for (nth, table) in direct.row_counts().into_keys().enumerate() {
        for event in ["INSERT", "UPDATE", "DELETE"] {
            let tag = format!("s{nth}{}", event.to_lowercase());
            let id = post(&client, &tag, &submission("seller", &tag)).unwrap().created();
            let user = client.user(id);
            let (boat, member) = (
                &user["transactables"]["boat"][0]["id"],
                &user["relationship_users"]["agency_member"][0]["id"],
            );
            let change = change(&tag, boat, member);
            let path = format!("/api/users/{id}");
            let changed = || client.update(id, "change", &change);
            let deleted = || client.send("DELETE", &path, &[], None);
            let requests: [(usize, &dyn Fn() -> TestResponse); 2] = [(0, &changed), (1, &deleted)];
            for (which, request) in requests {
                inject_failure(&direct, &table, event, 0);
                let before = direct.all_cells();
                let response = request();
                let after = direct.all_cells();
                remove_failure(&direct, &table);
                if response.status == 204 {
                    continue;
                }
                failed[which] += 1;
                assert_internal_error(&response, &table);
                assert_eq!(after, before, "{event} {table}");
                request().is(204);
            }
        }
    }
    assert!(failed[0] >= 10 && failed[1] >= 8, "{failed:?}");
}

/// Returns an update of everything: one boat changes, one is removed and one is added.
fn change(tag: &str, boat: &Value, member: &Value) -> Value {
    json!({
        "email": format!("{tag}.new@example.com"),
        "first_name": "Other",
        "password": "correct horse 2",
        "profiles": { "seller": { "properties": { "shop_name": format!("other shop {tag}") } } },
        "relationship_users": { "agency_member": [
            { "id": member, "properties": { "status": "gone" } },
            { "relationship_name": "agency" },
        ] },
        "transactables": { "boat": [
            {
                "id": boat,
                "name": "Other boat",
                "properties": { "registration": format!("{tag}-9"), "length_m": 3 },
                "custom_addresses": { "harbour": { "city": "Oslo" } },
                "custom_images": { "photo": { "direct_url": "https://img.example/b.png" } },
            },
            {
                "name": "New boat",
                "properties": { "registration": format!("{tag}-10") },
                "custom_addresses": { "harbour": { "city": "Bodø" } },
                "custom_images": { "photo": { "direct_url": "https://img.example/c.png" } },
            },
        ] },
    })
}
