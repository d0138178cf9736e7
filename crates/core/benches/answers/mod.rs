//! Benchmarks of rendering a contract's response, against serde_json serializing a struct with the
//! same keys and values.

use std::hint::black_box;

use divan::Bencher;
use registrar_contracts::decode::json;
use registrar_contracts::{Contract, Outcome, RequestContext, RouteMatch};
use registrar_core::value::Value;
use serde::Serialize;

/// A stored user as the server passes it to contracts.
const USER: &str = r#"{"id":20901703,"uuid":"0192f0c1-0000-7000-8000-000000000000","email":"myemail@example.org",
    "external_id":null,"first_name":"John","middle_name":null,"last_name":"Doe","name":"John Doe","featured":false,
    "public_profile":false,"language":null,"time_zone":null,"phone":null,"mobile_number":null,
    "properties":{"gender":"unknown","status":"visitor","username":"myemail@example.org","assigned_to":null,"city":null,"region":null,
        "country":null,"timezone":null,"phone_number":null,"facebook_url":null,"google_url":null,"gravatar_url":null,
        "linkedin_url":null,"twitter_url":null,"notifications":true,"unsubscribed":false,"score":0,"verified_member":null,
        "seats":null,"birthday":null,"nickname":null,"trial_ends":null,"plan":null,"balance":null,"custom_data":null},
    "profiles":{},"relationship_users":{},"transactables":{},"customizations":{},
    "created_at":"2017-06-13T12:22:38.748373Z","updated_at":"2017-06-13T12:22:38.748397Z"}"#;

/// Measures rendering the response to a created user, and returns its body.
fn filled(bencher: Bencher<'_, '_>, contract: &str, path: &str, status: u16) -> String {
    let registry = super::registry();
    let contract: &Contract = registry.contracts().named(contract).unwrap();
    let query = Value::Object(Vec::new());
    let RouteMatch::Route(action, _) = contract.find("POST", path, &query) else {
        panic!("there is no such route")
    };
    let mut context = RequestContext {
        base_url: Value::String("https://example.org".into()),
        elapsed: 0.000_597,
        ..RequestContext::default()
    };
    let user = json::parse(USER.as_bytes()).unwrap().into_owned();
    context.set("ids", contract.id_values(&user, true));
    context.set("user", contract.representation(user));
    let answer = || {
        let reason = (status, "Created");
        contract.answer((Some(action), Outcome::Created), reason, &context, Vec::new()).unwrap()
    };
    bencher.bench_local(|| black_box(answer().body.len()));
    String::from_utf8(answer().body).unwrap()
}

/// Measures serializing `value` with serde_json, and returns the JSON.
fn written(bencher: Bencher<'_, '_>, value: &impl Serialize) -> String {
    bencher.bench_local(|| serde_json::to_vec(black_box(value)).unwrap().len());
    serde_json::to_string(value).unwrap()
}

macro_rules! body {
    ($name:ident { $($key:ident: $kind:ty = $value:expr),+ $(,)? }) => {
        #[derive(Serialize)]
        struct $name { $($key: $kind,)+ }

        impl $name {
            fn new() -> Self { Self { $($key: $value,)+ } }
        }
    };
}

type Text = Option<String>;

body! { UserCom {
    updated_at: String = "2017-06-13T12:22:38.748397Z".into(), companies: Vec<i64> = vec![], key: String = "xSoYQG00fg9z".into(),
    city: Text = None, linkedin_url: Text = None, tags: Vec<i64> = vec![], last_contacted: Text = None, phone_number: Text = None,
    facebook_url: Text = None, notifications: bool = true, region: Text = None, timezone: Text = None,
    status: String = "visitor".into(), gravatar_url: Text = None, twitter_url: Text = None, google_url: Text = None,
    os_type: Text = None, email: Text = Some("myemail@example.org".into()), score: i64 = 0, unsubscribed: bool = false,
    first_seen: Text = None, page_views: i64 = 0, last_ip: Text = None,
    chat_id: String = "Chat ID is deprecated and will be removed in future".into(), browser: Text = None,
    gender: String = "unknown".into(), resolution: Text = None, country: Text = None, name: Text = Some("John Doe".into()),
    created_at: String = "2017-06-13T12:22:38.748373Z".into(), last_seen: Text = None, lists: Vec<i64> = vec![],
    attributes: Vec<i64> = vec![], browser_language: Text = None, id: i64 = 20_901_703,
} }

body! { EcontextUser {
    username: Text = Some("myemail@example.org".into()), status: Text = None, applications: Vec<i64> = vec![],
    href: String = "https://example.org/api/users/user/a3bc334a-f9f2-4797-aaa2-1440811c0ec0".into(), groups: Vec<i64> = vec![],
    apikeys: Vec<i64> = vec![], id: String = "a3bc334a-f9f2-4797-aaa2-1440811c0ec0".into(), name: Text = Some("John Doe".into()),
    created_at: String = "2017-04-20 15:55:08.339000+00:00".into(), modified_at: String = "2017-04-20 15:55:08.339000+00:00".into(),
    custom_data: Option<serde_json::Value> = None, email: Text = Some("myemail@example.org".into()),
} }
body! { Result_ { user: EcontextUser = EcontextUser::new() } }
body! { Envelope { result: Result_ = Result_::new(), elapsed: f64 = 0.000_597 } }
body! { Econtext { econtext: Envelope = Envelope::new() } }

#[divan::bench]
fn user_com(bencher: Bencher<'_, '_>) {
    let body = filled(bencher, "user_com", "/api/public/users/", 201);
    assert!(body.contains("\"name\":\"John Doe\""), "{body}");
}

#[divan::bench]
fn user_com_by_serde(bencher: Bencher<'_, '_>) {
    written(bencher, &UserCom::new());
}

#[divan::bench]
fn econtext(bencher: Bencher<'_, '_>) {
    let body = filled(bencher, "econtext", "/api/users/user", 200);
    assert!(body.contains("\"name\": \"John Doe\""), "{body}");
}

#[divan::bench]
fn econtext_by_serde(bencher: Bencher<'_, '_>) {
    written(bencher, &Econtext::new());
}
