//! Reload of forms at run time: a valid change is applied as a whole, an invalid one is reported
//! and has no effect.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use registrar_tests::{Database, Setup, TempDir, TestResponse, TestServer, cases, eventually};
use serde_json::json;

cases! {
    changed_form_file_is_reloaded with numbered_form,
    invalid_form_change_is_reported_and_ignored with numbered_form,
    reloads_under_load_are_atomic with numbered_form,
}

/// Number of reloads under load; `REGISTRAR_RELOADS=10000` for a long run.
const RELOADS: usize = 200;

/// Returns a form with its number in all messages.
fn form(number: usize) -> String {
    let field = |name: &str| {
        format!("  {name}: {{validation: {{presence: {{message: \"{name} {number}\"}}}}}}\n")
    };
    format!("resource: User\nfields:\n{}{}", field("first_name"), field("last_name"))
}

const INVALID_FORM: &str =
    "resource: User\nfields:\n  first_name: {validation: {presense: true}}\n";

fn numbered_form(setup: Setup) -> Setup {
    setup.forms(&[("form.yml", &form(1))])
}

/// Returns the number in both messages of a response.
fn number_of(response: &TestResponse) -> usize {
    let errors = &response.is(422).json()["errors"];
    let number = |name: &str| {
        let text = errors[name][0].as_str().unwrap();
        text.strip_prefix(name).unwrap().trim().parse::<usize>().unwrap()
    };
    assert_eq!(number("first_name"), number("last_name"), "two form versions in one response");
    number("first_name")
}

/// Polls until a change takes effect.
#[track_caller]
fn eventually_true(mut is_so: impl FnMut() -> bool) {
    eventually("the change is served", Duration::from_secs(20), || is_so().then_some(()));
}

fn version_of(response: &TestResponse) -> String {
    response.header("form-version").unwrap().to_owned()
}

fn changed_form_file_is_reloaded(server: &TestServer) {
    let client = server.client();
    let before = client.submit("form", &json!({}));
    assert_eq!(number_of(&before), 1);
    server.write_form("form.yml", &form(2));
    eventually_true(|| number_of(&client.submit("form", &json!({}))) == 2);
    assert_ne!(version_of(&before), version_of(&client.submit("form", &json!({}))));
    server.write_form("another.yml", &form(3));
    eventually_true(|| client.submit("another", &json!({})).status == 422);
}

fn invalid_form_change_is_reported_and_ignored(server: &TestServer) {
    let client = server.client();
    let version = version_of(&client.submit("form", &json!({})));
    server.write_form("form.yml", INVALID_FORM);
    let ready = || server.anonymous().get("/health/ready").is(200).json();
    eventually_true(|| ready()["forms_problems"].is_array());
    let reported = ready()["forms_problems"][0].as_str().unwrap().to_owned();
    assert!(reported.contains("form.yml:3:29: [unknown-rule]"), "{reported}");
    let metrics = server.anonymous().get("/metrics").is(200).text.clone();
    assert!(metrics.contains("\nregistrar_forms_problems 1\n"), "{metrics}");
    let response = client.submit("form", &json!({}));
    assert_eq!((number_of(&response), version_of(&response)), (1, version));
    server.write_form("form.yml", &form(2));
    eventually_true(|| number_of(&client.submit("form", &json!({}))) == 2);
    assert!(ready()["forms_problems"].is_null());
}

fn reloads_under_load_are_atomic(server: &TestServer) {
    let reloads = std::env::var("REGISTRAR_RELOADS").ok().and_then(|text| text.parse().ok());
    let (over, seen) = (AtomicBool::new(false), Mutex::new(HashMap::new()));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let client = server.client();
                while !over.load(Ordering::Relaxed) {
                    let response = client.submit("form", &json!({}));
                    let (version, number) = (version_of(&response), number_of(&response));
                    let known = *seen.lock().unwrap().entry(version).or_insert(number);
                    assert_eq!(known, number, "the form version does not match the messages");
                }
            });
        }
        for number in 2..2 + reloads.unwrap_or(RELOADS) {
            let is_broken = number % 3 == 0;
            let text = if is_broken { INVALID_FORM.to_owned() } else { form(number) };
            server.write_form("form.yml", &text);
            assert_eq!(server.reload(), !is_broken);
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(seen.lock().unwrap().len() > 2, "no reload took effect under load");
}

#[test]
fn sighup_reloads_forms() {
    let folder = TempDir::of(&[("form.yml", &form(1))]);
    let Some(setup) = Setup::of(Database::Sqlite) else { return };
    // File watching does not notice a link that is redirected to another directory.
    let link = setup.folder().join("forms");
    std::os::unix::fs::symlink(folder.path(), &link).unwrap();
    let setup = setup.with(|settings| settings.forms = vec![link.clone()]);
    let server = setup.serve();
    let client = server.client(&server.first_token());
    assert_eq!(number_of(&client.submit("form", &json!({}))), 1);
    let other = TempDir::of(&[("form.yml", &form(2))]);
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(other.path(), &link).unwrap();
    server.send_sighup();
    eventually_true(|| number_of(&client.submit("form", &json!({}))) == 2);
    server.send_sigterm();
    let log = server.wait_for_exit().success().stderr;
    assert!(log.contains("configuration reloaded: 1 form(s)"), "{log}");
}
