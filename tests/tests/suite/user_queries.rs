//! `GET /api/users`: single users, pages, filters and invalid queries.

use registrar_tests::{TestServer, cases, samples};
use serde_json::{Value, json};

cases! {
    page_contains_users_and_totals,
    email_filter_matches_any_spelling,
    external_id_filter_matches_exactly,
    invalid_query_gets_400,
    unknown_user_gets_404,
    list_and_show_return_the_same_user,
}

const NO_IDS: [i64; 0] = [];

fn ids(page: &Value) -> Vec<i64> {
    page["results"].as_array().unwrap().iter().map(|user| user["id"].as_i64().unwrap()).collect()
}

fn page_contains_users_and_totals(server: &TestServer) {
    let empty = server.client().get("/api/users");
    let nobody = r#"{"results":[],"page":1,"per_page":20,"total":0,"total_pages":0}"#;
    assert_eq!(empty.is(200).text, nobody);
    for tag in ["a", "b", "c", "d", "e"] {
        server.client().submit("client_sign_up", &samples::client(tag)).created();
    }
    let page = |query: &str| server.client().get(&format!("/api/users{query}")).is(200).json();
    let all = page("");
    assert_eq!((ids(&all), &all["total"]), (vec![1, 2, 3, 4, 5], &json!(5)));
    let second = page("?page=2&per_page=2");
    assert_eq!(ids(&second), [3, 4]);
    let numbers = (&second["page"], &second["per_page"], &second["total"], &second["total_pages"]);
    assert_eq!(numbers, (&json!(2), &json!(2), &json!(5), &json!(3)));
    assert_eq!(ids(&page("?page=3&per_page=2")), [5]);
    assert_eq!(ids(&page("?page=4&per_page=2")), NO_IDS);
    assert_eq!(ids(&page("?page=4294967295&per_page=100")), NO_IDS);
}

fn email_filter_matches_any_spelling(server: &TestServer) {
    for (tag, email) in [("a", "José@Exåmple.NO"), ("b", "jose@example.no")] {
        let mut sample = samples::client(tag);
        sample["email"] = json!(email);
        server.client().submit("client_sign_up", &sample).created();
    }
    for spelling in [
        "José%40Ex%C3%A5mple.NO",
        "jos%C3%A9%40ex%C3%A5mple.no",
        "+jose%CC%81%40xn--exmple-jua.no+",
    ] {
        let uri = format!("/api/users?email={}", spelling.replace('é', "%C3%A9"));
        assert_eq!(ids(&server.client().get(&uri).is(200).json()), [1], "{spelling}");
    }
    assert_eq!(ids(&server.client().get("/api/users?email=nobody%40x.no").json()), NO_IDS);
    let both = "/api/users?email=jose%40example.no&external_id=a";
    assert_eq!(ids(&server.client().get(both).json()), NO_IDS, "all filters apply");
}

fn external_id_filter_matches_exactly(server: &TestServer) {
    for (tag, id) in [("a", "7"), ("b", "77"), ("c", "ø 7")] {
        let mut sample = samples::client(tag);
        sample["external_id"] = json!(id);
        server.client().submit("client_sign_up", &sample).created();
    }
    assert_eq!(ids(&server.client().get("/api/users?external_id=7").json()), [1]);
    assert_eq!(ids(&server.client().get("/api/users?external_id=%C3%B8+7").json()), [3]);
    assert_eq!(ids(&server.client().get("/api/users?external_id=%25").json()), NO_IDS);
}

fn invalid_query_gets_400(server: &TestServer) {
    for query in [
        "page=0",
        "page=-1",
        "page=x",
        "page=",
        "page=1.5",
        "page=99999999999999999999",
        "per_page=0",
        "per_page=101",
        "emial=a%40b.co",
        "email[]=a",
        "email[x]=a",
        "page=1&page[x]=1",
        "email=%ff",
        "email=%00",
        "q",
    ] {
        let message =
            server.client().get(&format!("/api/users?{query}")).rejected(400, "base", "bad_query");
        assert!(!message.is_empty(), "{query}");
    }
}

fn unknown_user_gets_404(server: &TestServer) {
    for id in [
        "1",
        "0",
        "-1",
        "x",
        "1x",
        "1.0",
        "%31%00",
        "9223372036854775807",
        "9223372036854775808",
        "99999999999999999999999999",
    ] {
        server.client().get(&format!("/api/users/{id}")).rejected(404, "base", "not_found");
    }
}

fn list_and_show_return_the_same_user(server: &TestServer) {
    server.client().submit("marketplace_seller", &samples::seller("siri")).created();
    server.client().submit("client_sign_up", &samples::client("carl")).created();
    let page = server.client().get("/api/users").json();
    assert_eq!(page["results"], json!([server.client().user(1), server.client().user(2)]));
}
