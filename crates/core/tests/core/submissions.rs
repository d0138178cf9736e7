//! Submissions to forms: `tests/cases/submissions/*.case`.
//!
//! A case consists of sections: `--- type profiles/developer`, `--- file PATH` and `--- form`
//! contain YAML, followed by any number of `--- send DESCRIPTION` with JSON (`--- now TIME` sets
//! the current time), each with `--- expect`: either `valid` and lines that the `Debug` output of
//! the result must contain (or, after `without `, must not), or a line `PATH CODE` per violation,
//! in order. After `--- stored` with a user in JSON, they update that user.

use registrar_contracts::decode::json;
use registrar_core::EvalContext;

use super::{cases, compile, source};

#[test]
fn submission_cases_pass() {
    let mut failures = Vec::new();
    for (path, text) in cases("submissions") {
        let mut sources = Vec::new();
        let (mut sent, mut stored) = (None, None);
        let mut eval_context = EvalContext { token: "the-token".into(), ..Default::default() };
        for section in text.split("--- ").filter(|section| !section.trim().is_empty()) {
            let (title, body) = section.split_once('\n').unwrap_or((section, ""));
            let (word, rest) = title.split_once(' ').unwrap_or((title, ""));
            match word {
                "type" => sources.push(source(&format!("types/{rest}.yml"), body)),
                "file" => sources.push(source(rest, body)),
                "form" => sources.push(source("form.yml", body)),
                "now" => eval_context.now = rest.parse().unwrap(),
                "stored" => stored = Some(body.to_owned()),
                "send" => sent = Some((rest.to_owned(), body.to_owned())),
                "expect" => {
                    let (what, body_sent) = sent.take().unwrap();
                    let stored = stored.as_deref();
                    if let Err(got) = check(&sources, &eval_context, stored, &body_sent, body) {
                        failures.push(format!("{}: {what}: {got}", path.display()));
                    }
                }
                _ => panic!("{}: unknown section {word:?}", path.display()),
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn check(
    sources: &[registrar_core::registry::SourceFile],
    eval_context: &EvalContext,
    stored: Option<&str>,
    sent: &str,
    expected: &str,
) -> Result<(), String> {
    let registry = compile(sources).map_err(|problems| {
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    })?;
    let value = json::parse(sent.as_bytes()).map_err(|error| error.to_string())?;
    let mut lines = expected.lines().map(str::trim).filter(|line| !line.is_empty());
    let form = registry.form("form").unwrap();
    let stored = stored.map(|text| json::parse(text.as_bytes()).unwrap());
    let outcome = match &stored {
        Some(stored) => form.update(value, stored, eval_context).map(|user| format!("{user:?}")),
        None => form.apply(value, eval_context).map(|user| format!("{user:?}")),
    };
    match outcome {
        Ok(got) => {
            if lines.next() != Some("valid") {
                return Err(format!("was accepted: {got}"));
            }
            let is_wrong = |line: &&str| match line.strip_prefix("without ") {
                Some(line) => got.contains(line),
                None => !got.contains(line),
            };
            match lines.find(is_wrong) {
                Some(line) => Err(format!("is not so: {line}\n  {got}")),
                None => Ok(()),
            }
        }
        Err(violations) => {
            let got: Vec<String> =
                violations.list.iter().map(|v| format!("{} {}", v.path, v.code())).collect();
            let expected: Vec<String> = lines.map(str::to_owned).collect();
            if got == expected {
                Ok(())
            } else {
                Err(format!("{got:?}\n  instead of {expected:?}"))
            }
        }
    }
}

#[test]
fn violations_are_truncated_at_one_hundred() {
    let form = "resource: User\nfields:\n  transactables:\n    boat: {name: {validation: {presence: true}}}\n";
    let registry = compile(&[
        source("form.yml", form),
        source("types/transactables/boat.yml", "name: boat\n"),
    ])
    .unwrap();
    let boats = vec![r#"{"name": ""}"#; 500].join(",");
    let body = format!(r#"{{"transactables": {{"boat": [{boats}]}}}}"#);
    let value = json::parse(body.as_bytes()).unwrap();
    let violations =
        registry.form("form").unwrap().apply(value, &EvalContext::default()).unwrap_err();
    assert_eq!((violations.list.len(), violations.truncated), (100, true));
    assert_eq!(violations.list[99].path, "transactables.boat[99].name");
    assert_eq!(violations.list[99].pointer, "/form/transactables/boat/99/name");
}

#[test]
fn database_refusal_is_reported_at_its_path() {
    let form = "resource: User\nfields:\n  email:\n  external_id:\n  profiles:\n    developer: {properties: {handle: }}\n";
    let registry = compile(&[
        source("form.yml", form),
        source("types/profiles/developer.yml", "properties: [{name: handle, unique: true}]\n"),
    ])
    .unwrap();
    let form = registry.form("form").unwrap();
    let body = br#"{"email": "a@b.co", "external_id": "7", "profiles": {"developer": {"properties": {"handle": "Ann"}}}}"#;
    let user = form.apply(json::parse(body).unwrap(), &EvalContext::default()).unwrap();
    let scopes: Vec<&str> = user.claims.iter().map(|claim| &*claim.claim.scope).collect();
    assert_eq!(
        scopes,
        ["user.email", "user.external_id", "user.profiles.developer.properties.handle"]
    );
    let refusals = registrar_core::Refusals { taken: vec![0, 2], ..Default::default() };
    let violations =
        form.explain_refusals(json::parse(body).unwrap(), None, &EvalContext::default(), &refusals);
    let reported: Vec<_> =
        violations.list.iter().map(|v| (v.path.as_str(), v.code(), v.text())).collect();
    let text = "has already been taken".to_owned();
    assert_eq!(
        reported,
        [("email", "taken", text.clone()), ("profiles.developer.properties.handle", "taken", text)]
    );
}
