//! Locales: `tests/cases/locales/*.case`, and completeness of the shipped ones.
//!
//! A case consists of sections. `--- file NAME` is a file of the forms directory. `--- send
//! LANGUAGE` contains a submission to the form `form`, and the following `--- expect` its messages
//! in that language: a line `PATH CODE | MESSAGE | FULL MESSAGE` per violation; the full message,
//! or both, may be omitted.

use std::path::PathBuf;

use registrar_contracts::Configuration;
use registrar_contracts::decode::json;
use registrar_core::EvalContext;
use registrar_core::registry::SourceFile;
use registrar_core::registry::message_index;

use super::{cases, compile, source};

#[test]
fn most_specific_message_is_used() {
    let mut failures = Vec::new();
    for (path, text) in cases("locales") {
        let mut sources = Vec::new();
        let mut sent = None;
        for section in text.split("--- ").skip(1) {
            let (title, body) = section.split_once('\n').unwrap_or((section, ""));
            let (word, rest) = title.split_once(' ').unwrap_or((title, ""));
            match word {
                "file" => sources.push(source(rest, body)),
                "send" => sent = Some((rest.to_owned(), body.to_owned())),
                "expect" => {
                    let (language, body_sent) = sent.take().unwrap();
                    let got = localized_messages(&sources, &language, &body_sent);
                    let expected: Vec<&str> =
                        body.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
                    if !matches_expected(&got, &expected) {
                        let got = got.join("\n    ");
                        failures.push(format!("{}, {language}:\n    {got}", path.display()));
                    }
                }
                _ => panic!("{}: unknown section {word:?}", path.display()),
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn localized_messages(sources: &[SourceFile], language: &str, sent: &str) -> Vec<String> {
    let registry = match compile(sources) {
        Ok(registry) => registry,
        Err(problems) => return problems.iter().map(ToString::to_string).collect(),
    };
    let value = json::parse(sent.as_bytes()).unwrap();
    let form = registry.form("form").unwrap();
    let violations = form.apply(value, &EvalContext::default()).err().unwrap_or_default();
    let locale = registry.locale(language).unwrap();
    let name = violations.form.as_deref();
    let line = |violation| {
        let text = locale.text(violation, name);
        let full_text = locale.full_text(violation, name);
        format!("{} {} | {text} | {full_text}", violation.path, violation.code())
    };
    violations.list.iter().map(line).collect()
}

fn matches_expected(got: &[String], expected: &[&str]) -> bool {
    got.len() == expected.len()
        && got.iter().zip(expected).all(|(got, expected)| {
            got.strip_prefix(expected).is_some_and(|rest| rest.is_empty() || rest.starts_with(" |"))
        })
}

fn shipped(name: &str) -> PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/locale/built_in").join(name)
}

#[test]
fn english_locale_is_up_to_date() {
    let page = message_index().english_file();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(shipped("en.yml"), &page).unwrap();
    }
    let written = std::fs::read_to_string(shipped("en.yml")).unwrap_or_default();
    assert!(written == page, "built_in/en.yml is out of date: run the tests with UPDATE_DOCS=1");
}

/// Compiles the shipped locales.
fn shipped_registry() -> Configuration {
    let texts = ["en.yml", "de.yml"].map(|name| {
        source(&format!("locales/{name}"), &std::fs::read_to_string(shipped(name)).unwrap())
    });
    compile(&texts).unwrap_or_else(|problems| {
        let reported: Vec<String> = problems.iter().map(ToString::to_string).collect();
        panic!("{}", reported.join("\n"))
    })
}

#[test]
fn shipped_locales_are_complete() {
    let registry = shipped_registry();
    let english = registry.locale("en").unwrap();
    for language in ["en", "de"] {
        let locale = registry.locale(language).unwrap();
        let own = locale.keys();
        for message in message_index().messages() {
            assert!(own.contains(&message.key), "{language} lacks `{}`", message.key);
        }
        for (name, _) in english.types() {
            let has = locale.types().into_iter().any(|(known, _)| known == name);
            assert!(has, "{language} lacks the type `{name}`");
        }
    }
}

#[test]
fn shipped_messages_have_the_placeholders_of_english() {
    let placeholders = |text: &str| {
        let names = text.split("%{").skip(1).filter_map(|rest| rest.split('}').next());
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort();
        names
    };
    let registry = shipped_registry();
    for language in ["en", "de"] {
        for message in message_index().messages() {
            for text in registry.locale(language).unwrap().templates(message.key) {
                assert_eq!(placeholders(text), placeholders(message.text), "{language}: {text}");
            }
        }
    }
}

#[test]
fn duplicate_locale_file_is_reported() {
    let texts = "messages: {}\n";
    let problems =
        compile(&[source("locales/DE.yml", texts), source("locales/de.yaml", texts)]).unwrap_err();
    let reported: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(reported.len(), 1, "{reported:?}");
    assert!(reported[0].starts_with("locales/de.yaml:1:1: [duplicate-name] "), "{reported:?}");
    assert!(reported[0].ends_with("the other one is locales/DE.yml"), "{reported:?}");
}

#[test]
fn changed_message_changes_the_registry() {
    let of = |text: &str| compile(&[source("locales/de.yml", text)]).unwrap();
    let (one, other) = (of("messages: {blank: a}"), of("messages: {blank: b}"));
    assert!(one.is_same_as(&of("messages: {blank: a}")));
    assert!(!one.is_same_as(&other));
    assert!(!one.is_same_as(&compile(&[]).unwrap()));
}

#[test]
fn locale_file_overrides_built_in_translations_by_key() {
    let form = source(
        "form.yml",
        "resource: User\nfields:\n  first_name: {validation: {presence: true}}\n  \
         last_name: {validation: {presence: true, length: 3}}\n  phone: {validation: {presence: true}}\n",
    );
    let sent = r#"{"last_name": "A"}"#;
    let of = |text: Option<&str>, language: &str| {
        let files = text.map(|text| source("locales/de.yml", text));
        let sources: Vec<SourceFile> = [form.clone()].into_iter().chain(files).collect();
        localized_messages(&sources, language, sent)
    };
    let built_in = [
        "first_name blank | muss ausgefüllt werden | Vorname muss ausgefüllt werden",
        "last_name wrong_length | hat die falsche Länge (muss genau 3 Zeichen lang sein) | \
         Nachname hat die falsche Länge (muss genau 3 Zeichen lang sein)",
        "phone blank | muss ausgefüllt werden | Telefonnummer muss ausgefüllt werden",
    ];
    assert_eq!(of(None, "de"), built_in);
    let own =
        "messages: {blank: fehlt}\nattributes: {phone: {blank: ist nötig}, last_name: Name}\n";
    let changed = [
        "first_name blank | fehlt | Vorname fehlt",
        "last_name wrong_length | hat die falsche Länge (muss genau 3 Zeichen lang sein) | \
         Name hat die falsche Länge (muss genau 3 Zeichen lang sein)",
        "phone blank | ist nötig | Telefonnummer ist nötig",
    ];
    assert_eq!(of(Some(own), "de"), changed);
    assert_eq!(
        of(Some(own), "en")[0],
        "first_name blank | can't be blank | First name can't be blank"
    );
    let problems = of(Some("messages: {blnak: fehlt}\n"), "de");
    assert!(problems[0].starts_with("locales/de.yml:1:12: [unknown-code] "), "{problems:?}");
}

#[test]
fn locale_problems_of_invalid_forms_are_not_reported() {
    let texts = "forms: {form: {first_nam: Vorname}}\nattributes: {last_nam: Name}\n";
    let of = |fields: &str| {
        let form = format!("resource: User\nfields: {{{fields}: }}\n");
        let sources = [source("form.yml", &form), source("locales/de.yml", texts)];
        let problems = compile(&sources).unwrap_err();
        problems.iter().map(|problem| problem.file.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(of("emial"), ["form.yml"]);
    assert_eq!(of("email"), ["locales/de.yml", "locales/de.yml"]);
}
