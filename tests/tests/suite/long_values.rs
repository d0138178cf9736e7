//! Long values are stored completely or rejected, alike on both databases.

use registrar_tests::{Random, Setup, TestServer, cases};
use serde_json::json;

cases! {
    long_values_are_stored_and_compared_completely with unique_fields,
}

fn unique_fields(setup: Setup) -> Setup {
    setup.form(
        "\
email: {validation: {email: false, presence: false}}
external_id:
name: {validation: {unique: true}}
properties:
  code: {type: string, validation: {unique: {case_sensitive: false, scope: kind}}}
  kind: {type: string}",
    )
}

/// Returns an incompressible string.
fn random_text(random: &mut Random, length: usize) -> String {
    let characters: Vec<char> = ('a'..='z').chain('0'..='9').collect();
    (0..length).map(|_| *random.pick(&characters)).collect()
}

fn long_values_are_stored_and_compared_completely(server: &TestServer) {
    let mut random = Random::new(7);
    for length in [500, 3_000, 20_000, 200_000] {
        for field in ["email", "external_id", "name", "code", "kind"] {
            let text = random_text(&mut random, length);
            let form = |text: &str| match field {
                "code" | "kind" => json!({ "properties": { field: text, "code": text } }),
                field => json!({ field: text }),
            };
            let response = server.client().submit("form", &form(&text));
            assert_eq!(response.status, 201, "{field} of {length}: {}", response.text);
            let user = server.client().user(response.created());
            let kept =
                if user[field].is_string() { &user[field] } else { &user["properties"][field] };
            assert_eq!(*kept, text.as_str(), "{field} of {length}");
            let again = server.client().submit("form", &form(&text));
            assert_eq!(again.is(422).violations().len(), 1, "{field} of {length}");
            let other = format!("{}-", &text[..length - 1]);
            server.client().submit("form", &form(&other)).created();
        }
    }
}
