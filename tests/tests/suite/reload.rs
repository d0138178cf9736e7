//! Forms that change while the server runs: a good change is served as a whole, a broken one is
//! told and changes nothing.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use registrar_tests::{Answer, Database, Folder, Setup, TestServer, cases, eventually};
use serde_json::json;

cases! {
    a_change_of_a_file_is_served_soon with numbered,
    a_broken_change_is_told_and_changes_nothing with numbered,
    reloads_under_load_break_and_mix_nothing with numbered,
}

/// How many reloads the load test does; `REGISTRAR_RELOADS=10000` for the long run.
const RELOADS: usize = 200;

/// A form whose refusals all say its number.
fn form(number: usize) -> String {
    let field = |name: &str| {
        format!("  {name}: {{validation: {{presence: {{message: \"{name} {number}\"}}}}}}\n")
    };
    format!("resource: User\nfields:\n{}{}", field("first_name"), field("last_name"))
}

const BROKEN: &str = "resource: User\nfields:\n  first_name: {validation: {presense: true}}\n";

fn numbered(setup: Setup) -> Setup {
    setup.forms(&[("form.yml", &form(1))])
}

/// The number that an answer says, in both of its texts.
fn number_of(answer: &Answer) -> usize {
    let errors = &answer.is(422).json()["errors"];
    let number = |name: &str| {
        let text = errors[name][0].as_str().unwrap();
        text.strip_prefix(name).unwrap().trim().parse::<usize>().unwrap()
    };
    assert_eq!(number("first_name"), number("last_name"), "two versions in one answer");
    number("first_name")
}

/// Waits for what a change brings.
#[track_caller]
fn soon(mut is_so: impl FnMut() -> bool) {
    eventually("the change is served", Duration::from_secs(20), || is_so().then_some(()));
}

fn version_of(answer: &Answer) -> String {
    answer.header("form-version").unwrap().to_owned()
}

fn a_change_of_a_file_is_served_soon(server: &TestServer) {
    let client = server.client();
    let before = client.submit("form", &json!({}));
    assert_eq!(number_of(&before), 1);
    server.write_form("form.yml", &form(2));
    soon(|| number_of(&client.submit("form", &json!({}))) == 2);
    assert_ne!(version_of(&before), version_of(&client.submit("form", &json!({}))));
    server.write_form("another.yml", &form(3));
    soon(|| client.submit("another", &json!({})).status == 422);
}

fn a_broken_change_is_told_and_changes_nothing(server: &TestServer) {
    let client = server.client();
    let version = version_of(&client.submit("form", &json!({})));
    server.write_form("form.yml", BROKEN);
    let ready = || server.anonymous().get("/health/ready").is(200).json();
    soon(|| ready()["forms_problems"].is_array());
    let told = ready()["forms_problems"][0].as_str().unwrap().to_owned();
    assert!(told.contains("form.yml:3:29: [unknown-rule]"), "{told}");
    let metrics = server.anonymous().get("/metrics").is(200).text.clone();
    assert!(metrics.contains("\nregistrar_forms_problems 1\n"), "{metrics}");
    let answer = client.submit("form", &json!({}));
    assert_eq!((number_of(&answer), version_of(&answer)), (1, version));
    server.write_form("form.yml", &form(2));
    soon(|| number_of(&client.submit("form", &json!({}))) == 2);
    assert!(ready()["forms_problems"].is_null());
}

fn reloads_under_load_break_and_mix_nothing(server: &TestServer) {
    let reloads = std::env::var("REGISTRAR_RELOADS").ok().and_then(|text| text.parse().ok());
    let (over, seen) = (AtomicBool::new(false), Mutex::new(HashMap::new()));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let client = server.client();
                while !over.load(Ordering::Relaxed) {
                    let answer = client.submit("form", &json!({}));
                    let (version, number) = (version_of(&answer), number_of(&answer));
                    let known = *seen.lock().unwrap().entry(version).or_insert(number);
                    assert_eq!(known, number, "a version that is not what decided");
                }
            });
        }
        for number in 2..2 + reloads.unwrap_or(RELOADS) {
            let is_broken = number % 3 == 0;
            let text = if is_broken { BROKEN.to_owned() } else { form(number) };
            server.write_form("form.yml", &text);
            assert_eq!(server.reload(), !is_broken);
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(seen.lock().unwrap().len() > 2, "nothing changed under the load");
}

#[test]
fn a_hangup_reads_the_forms_again() {
    let folder = Folder::of(&[("form.yml", &form(1))]);
    let Some(setup) = Setup::of(Database::Sqlite) else { return };
    // A link that is turned to another folder is a change that watching does not see.
    let link = setup.folder().join("forms");
    std::os::unix::fs::symlink(folder.path(), &link).unwrap();
    let setup = setup.with(|settings| settings.forms = vec![link.clone()]);
    let server = setup.serve();
    let client = server.client(&server.first_token());
    assert_eq!(number_of(&client.submit("form", &json!({}))), 1);
    let other = Folder::of(&[("form.yml", &form(2))]);
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(other.path(), &link).unwrap();
    server.hang_up();
    soon(|| number_of(&client.submit("form", &json!({}))) == 2);
    server.terminate();
    let log = server.finished().success().stderr;
    assert!(log.contains("configuration reloaded: 1 form(s)"), "{log}");
}
