//! Language negotiation: the language of responses, which affects texts only.

use std::time::Duration;

use registrar_tests::{Setup, TestResponse, TestServer, TokenClient, cases, eventually, samples};
use serde_json::{Value, json};

cases! {
    accept_language_selects_response_language,
    codes_and_params_are_language_independent,
    database_violations_are_localized,
    update_violations_are_localized,
    problem_documents_are_localized,
    content_language_is_set_only_for_localized_responses,
    form_and_field_messages_override_locale with custom_messages,
    changed_locale_file_is_reloaded with custom_messages,
    built_in_languages_are_served_without_locale_files with one_form,
}

fn submit(client: &TokenClient, language: &str, form: &str, fields: &Value) -> TestResponse {
    let body = json!({ "form_configuration_name": form, "form": fields }).to_string();
    let headers = [("content-type", "application/json"), ("accept-language", language)];
    client.send("POST", "/api/users", &headers, Some(body.as_bytes()))
}

fn accept_language_selects_response_language(server: &TestServer) {
    let english = ("en", "can't be blank", "First name can't be blank");
    let german = ("de", "muss ausgefüllt werden", "Vorname muss ausgefüllt werden");
    for (accepted, (tag, text, full_text)) in [
        ("", english),
        ("de", german),
        ("DE-at", german),
        ("fr, de;q=0.5", german),
        ("en;q=0.5, de;q=0.9", german),
        ("en, de", english),
        ("fr", english),
        ("*", english),
        ("de;q=0", english),
        ("en;q=0, *", german),
        ("not a language;;;", english),
    ] {
        let response = submit(&server.client(), accepted, "developer_sign_up", &json!({}));
        let body = response.is(422).json();
        assert_eq!(response.header("content-language"), Some(tag), "{accepted:?}");
        assert_eq!(response.header("vary"), Some("Accept-Language, Accept"));
        assert_eq!(body["errors"]["first_name"], json!([text]), "{accepted:?}");
        assert_eq!(body["details"][2]["message"], text, "{accepted:?}");
        assert_eq!(body["details"][2]["full_message"], full_text, "{accepted:?}");
    }
    let silent = server.client().submit("developer_sign_up", &json!({}));
    assert_eq!(silent.is(422).header("content-language"), Some("en"));
}

fn codes_and_params_are_language_independent(server: &TestServer) {
    let mut sample = samples::developer("ann");
    sample["password"] = json!("a");
    sample["password_confirmation"] = json!("b");
    sample["profiles"]["developer"]["properties"]["hourly_rate"] = json!(1000);
    sample["frist_name"] = json!("A");
    let reported = |language: &str| {
        let mut body = submit(&server.client(), language, "developer_sign_up", &sample).json();
        for detail in body["details"].as_array_mut().unwrap() {
            let detail = detail.as_object_mut().unwrap();
            let texts = [detail.remove("message"), detail.remove("full_message")];
            assert!(texts.iter().all(Option::is_some));
        }
        body["details"].take()
    };
    let english = reported("en");
    assert!(english.as_array().unwrap().len() >= 4, "{english}");
    assert_eq!(english, reported("de"));
    let german = submit(&server.client(), "de", "developer_sign_up", &sample).json();
    let confirmation = json!(["stimmt nicht mit Passwort überein"]);
    assert_eq!(german["errors"]["password_confirmation"], confirmation);
    assert_eq!(
        german["errors"]["profiles.developer.properties.hourly_rate"],
        json!(["muss kleiner als 1000 sein"])
    );
}

fn database_violations_are_localized(server: &TestServer) {
    let sample = samples::client("ann");
    submit(&server.client(), "de", "client_sign_up", &sample).created();
    let response = submit(&server.client(), "de", "client_sign_up", &sample);
    assert_eq!(response.is(422).header("content-language"), Some("de"));
    assert_eq!(response.json()["details"][0]["message"], "ist bereits vergeben");
}

fn update_violations_are_localized(server: &TestServer) {
    let client = server.client();
    let id = client.submit("client_sign_up", &samples::client("ann")).created();
    let body = json!({
        "form_configuration_name": "reference_rest_api_update_user",
        "form": { "first_name": "" },
    });
    let headers = [("content-type", "application/json"), ("accept-language", "de")];
    let path = format!("/api/users/{id}");
    let response = client.send("PUT", &path, &headers, Some(body.to_string().as_bytes()));
    assert_eq!(response.is(422).header("content-language"), Some("de"));
    assert_eq!(response.json()["details"][0]["message"], "muss ausgefüllt werden");
}

fn problem_documents_are_localized(server: &TestServer) {
    let body = json!({ "form_configuration_name": "developer_sign_up", "form": {} }).to_string();
    let headers = [("accept", "application/problem+json"), ("accept-language", "de")];
    let response = server.client().send("POST", "/api/users", &headers, Some(body.as_bytes()));
    let problem = response.is(422).json();
    assert_eq!(response.header("content-language"), Some("de"));
    assert_eq!(problem["detail"], "5 Regeln des Formulars sind verletzt");
    assert_eq!(problem["title"], "Unprocessable Entity");
    assert_eq!(problem["errors"]["password"], json!(["muss ausgefüllt werden"]));
}

fn content_language_is_set_only_for_localized_responses(server: &TestServer) {
    let client = server.client();
    let responses = [
        submit(&client, "de", "client_sign_up", &samples::client("ann")),
        submit(&client, "de", "no_such_form", &json!({})),
        client.send("GET", "/nowhere", &[("accept-language", "de")], None),
        client.send("GET", "/api/users", &[("accept-language", "de")], None),
    ];
    assert_eq!(responses.each_ref().map(|response| response.status), [201, 406, 404, 200]);
    for response in responses {
        assert_eq!(response.header("content-language"), None, "{response:?}");
    }
}

const FORM: &str = "resource: User\nfields:\n  first_name: {validation: {presence: true}}\n  \
    last_name: {validation: {presence: {message: {en: own, de: eigen}}}}\n  \
    phone: {validation: {presence: true}}\n";

fn custom_messages(setup: Setup) -> Setup {
    setup.forms(&[
        ("form.yml", FORM),
        ("another.yml", FORM),
        ("locales/de.yml", &locale_file("leer")),
    ])
}

fn locale_file(blank: &str) -> String {
    format!(
        "de:\n  messages: {{blank: {blank}}}\n  \
         attributes: {{first_name: Vorname, phone: {{blank: \"ohne %{{attribute}}\"}}}}\n  \
         forms: {{form: {{phone: {{_name: Telefon, blank: \"%{{attribute}} fehlt\"}}}}}}\n"
    )
}

fn form_and_field_messages_override_locale(server: &TestServer) {
    let client = server.client();
    let reported = |language: &str, form: &str| {
        submit(&client, language, form, &json!({})).is(422).json()["errors"].clone()
    };
    let here =
        json!({ "first_name": ["leer"], "last_name": ["eigen"], "phone": ["Telefon fehlt"] });
    assert_eq!(reported("de", "form"), here);
    let there =
        json!({ "first_name": ["leer"], "last_name": ["eigen"], "phone": ["ohne Telefonnummer"] });
    assert_eq!(reported("de", "another"), there);
    let blank = "can't be blank";
    let english = json!({ "first_name": [blank], "last_name": ["own"], "phone": [blank] });
    assert_eq!(reported("en", "form"), english);
}

fn changed_locale_file_is_reloaded(server: &TestServer) {
    let client = server.client();
    let reported = |language: &str| {
        let response = submit(&client, language, "form", &json!({}));
        let text = response.json()["errors"]["first_name"][0].as_str().unwrap().to_owned();
        (text, response.header("content-language").unwrap().to_owned())
    };
    assert_eq!(reported("de"), ("leer".to_owned(), "de".to_owned()));
    server.write_form("locales/de.yml", &locale_file("immer noch leer"));
    server.write_form("locales/fr.yml", "messages: {blank: vide}\n");
    eventually("the change is served", Duration::from_secs(20), || {
        (reported("de").0 == "immer noch leer" && reported("fr").0 == "vide").then_some(())
    });
    server.write_form("locales/fr.yml", "messages: {blnak: vide}\n");
    assert!(!server.reload());
    assert_eq!(reported("fr"), ("vide".to_owned(), "fr".to_owned()));
    let ready = server.anonymous().get("/health/ready").is(200).json();
    let problem = ready["forms_problems"][0].as_str().unwrap();
    assert!(problem.contains("fr.yml:1:12: [unknown-code]"), "{problem}");
}

fn one_form(setup: Setup) -> Setup {
    setup
        .forms(&[("form.yml", "resource: User\nfields:\n  name: {validation: {presence: true}}\n")])
}

fn built_in_languages_are_served_without_locale_files(server: &TestServer) {
    for (accepted, language, full_text) in [
        ("de-AT, fr;q=0.5", "de", "Name muss ausgefüllt werden"),
        ("fr", "en", "Name can't be blank"),
    ] {
        let response = submit(&server.client(), accepted, "form", &json!({}));
        assert_eq!(response.is(422).header("content-language"), Some(language));
        assert_eq!(response.json()["details"][0]["full_message"], full_text);
    }
}
