//! Benchmarks of the core: compiling forms, decoding, validating, and rendering violations.
//!
//! Run with `cargo bench -p registrar-core`; `tests/bench` measures a whole server.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark fails by panicking"
)]

mod answers;

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use divan::Bencher;
use registrar_contracts::Configuration;
use registrar_contracts::decode::{brackets, json};
use registrar_core::EvalContext;
use registrar_core::locale::Locale;
use registrar_core::registry::SourceFile;
use registrar_core::rules::RULES;
use registrar_core::value::Value;

fn main() {
    divan::main();
}

/// Returns the files of the shipped `forms/` folder.
fn shipped() -> Vec<SourceFile> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("the forms folder") {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, files) } else { files.push(path) }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../forms");
    let mut files = Vec::new();
    walk(&root, &mut files);
    files.sort();
    let source = |path: &PathBuf| {
        let within = path.strip_prefix(&root).unwrap().display().to_string();
        SourceFile {
            file: within.as_str().into(),
            within,
            text: std::fs::read_to_string(path).unwrap(),
        }
    };
    files.iter().map(source).collect()
}

fn registry() -> Configuration {
    Configuration::compile(&shipped()).expect("the shipped forms compile")
}

const SEED: &str =
    r#"{"first_name": "Example", "email": "example1@example.com", "password": "somepassword"}"#;

const DEVELOPER: &str = r#"{"email": "ann@example.com", "password": "copper-kettle-42", "password_confirmation": "copper-kettle-42",
    "first_name": "Ann", "last_name": "Lee", "terms_of_service": true,
    "profiles": {"developer": {
        "properties": {"handle": "ann_lee", "hourly_rate": 95.5, "years_of_experience": 7, "bio": "Writes Rust.", "skills": ["rust", "sql"]},
        "custom_addresses": {"home": {"city": "Oslo", "iso_country_code": "no"}},
        "customizations": {"link": [{"properties": {"url": "https://example.com", "title": "Home"}}]}}}}"#;

fn seller(boats: usize) -> String {
    let mut list = String::new();
    for boat in 0..boats {
        let comma = if boat == 0 { "" } else { "," };
        let _ = write!(
            list,
            r#"{comma}{{"name": "Boat {boat}", "properties": {{"registration": "ABC{boat}", "length_m": 9.5, "price_per_day": 100}}}}"#
        );
    }
    format!(
        r#"{{"email": "sven@example.com", "first_name": "Sven", "last_name": "Larsen",
        "profiles": {{"seller": {{"properties": {{"shop_name": "Sail away", "response_hours": 5}}}}}},
        "transactables": {{"boat": [{list}]}}}}"#
    )
}

/// Measures decoding and validating a JSON body and assembling the user to be written.
fn apply(bencher: Bencher<'_, '_>, form: &str, body: &str) {
    let registry = registry();
    let form = registry.form(form).unwrap();
    bencher.bench_local(|| {
        form.apply(json::parse(black_box(body.as_bytes())).unwrap(), &EvalContext::default())
            .unwrap()
    });
}

#[divan::bench]
fn apply_seed(bencher: Bencher<'_, '_>) {
    apply(bencher, "reference_rest_api_create_user", SEED);
}

#[divan::bench]
fn apply_developer_sign_up(bencher: Bencher<'_, '_>) {
    apply(bencher, "developer_sign_up", DEVELOPER);
}

#[divan::bench(args = [2, 30])]
fn apply_marketplace_seller(bencher: Bencher<'_, '_>, boats: usize) {
    apply(bencher, "marketplace_seller", &seller(boats));
}

#[divan::bench]
fn refuse_and_render_developer_sign_up(bencher: Bencher<'_, '_>) {
    let registry = registry();
    let form = registry.form("developer_sign_up").unwrap();
    bencher.bench_local(|| {
        let violations = form
            .apply(json::parse(black_box(b"{}")).unwrap(), &EvalContext::default())
            .unwrap_err();
        let details = violations.list.iter().map(|violation| {
            let text = violation.text();
            violation.detail(Locale::english(), Some("developer_sign_up"), &text)
        });
        serde_json::to_string(&Value::Array(details.collect())).unwrap()
    });
}

#[divan::bench(args = [2, 30])]
fn decode_json(bencher: Bencher<'_, '_>, boats: usize) {
    let body = seller(boats);
    bencher.bench_local(|| json::parse(black_box(body.as_bytes())).unwrap());
}

#[divan::bench]
fn decode_brackets(bencher: Bencher<'_, '_>) {
    let body = "form_configuration_name=marketplace_seller&form[email]=ann%40example.com\
                &form[first_name]=Ann&form[profiles][seller][properties][shop_name]=Sail\
                &form[transactables][boat][0][name]=Anna&form[transactables][boat][1][name]=Berta";
    bencher.bench_local(|| brackets::parse_urlencoded(black_box(body.as_bytes())).unwrap());
}

#[divan::bench]
fn compile_shipped_forms(bencher: Bencher<'_, '_>) {
    let sources = shipped();
    bencher.bench_local(|| Configuration::compile(black_box(&sources)).unwrap());
}

/// Measures a form with `fields` fields, all submitted; the cost per field must not grow with their
/// number.
#[divan::bench(args = [10, 100, 1000])]
fn apply_fields(bencher: Bencher<'_, '_>, fields: usize) {
    let mut form = String::from("resource: User\nfields:\n  properties:\n");
    let mut body = String::from(r#"{"properties": {"#);
    for field in 0..fields {
        let _ = writeln!(
            form,
            "    field_{field}: {{validation: {{presence: true, length: {{maximum: 40}}}}}}"
        );
        let comma = if field == 0 { "" } else { "," };
        let _ = write!(body, r#"{comma}"field_{field}": "value {field}""#);
    }
    body.push_str("}}");
    let source = SourceFile { file: "form.yml".into(), within: "form.yml".to_owned(), text: form };
    let registry = Configuration::compile(&[source]).unwrap();
    let form = registry.form("form").unwrap();
    bencher.counter(divan::counter::ItemsCount::new(fields)).bench_local(|| {
        form.apply(json::parse(black_box(body.as_bytes())).unwrap(), &EvalContext::default())
            .unwrap()
    });
}

/// Measures each rule on the first value that it accepts, in the form that the rules' examples
/// are written for.
#[divan::bench(args = RULES.iter().filter(|rule| !rule.accepts.is_empty()).map(|rule| rule.name))]
fn rule(bencher: Bencher<'_, '_>, name: &str) {
    let rule = registrar_core::rules::named(name).unwrap();
    let (options, value) = rule.accepts[0];
    let text = format!(
        "resource: User\nfields:\n  other: {{type: integer, property_options: {{virtual: true}}}}\n  \
         value_confirmation: {{property_options: {{virtual: true}}}}\n  \
         value: {{validation: {{{name}: {options}}}, property_options: {{virtual: true}}}}\n"
    );
    let source = SourceFile { file: "form.yml".into(), within: "form.yml".to_owned(), text };
    let registry = Configuration::compile(&[source]).unwrap();
    let form = registry.form("form").unwrap();
    let body = match value {
        "absent" => r#"{"other": 5}"#.to_owned(),
        value if value.starts_with("with ") => format!("{{{}}}", &value[5..]),
        value => format!(r#"{{"other": 5, "value": {value}}}"#),
    };
    bencher.bench_local(|| {
        form.apply(json::parse(black_box(body.as_bytes())).unwrap(), &EvalContext::default())
            .unwrap()
    });
}
