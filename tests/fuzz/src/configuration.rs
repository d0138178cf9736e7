//! Fuzz targets of forms and contracts.

use registrar_contracts::Configuration;
use registrar_core::EvalContext;
use registrar_core::config::Problem;
use registrar_core::registry::SourceFile;
use registrar_core::value::Value;

/// Files that a form or contract can refer to.
const SUPPORT_FILES: [(&str, &str); 7] = [
    (
        "types/profiles/developer.yml",
        "name: developer\nproperties:\n  - {name: bio, type: text}\n  - {name: rate, type: float}\n  - {name: home, type: address}\n",
    ),
    ("types/transactables/boat.yml", "name: boat\nproperties: [{name: length, type: integer}]\n"),
    ("types/relationships/agency.yml", "name: agency\n"),
    ("types/relationship_users/agency_member.yml", "name: agency_member\n"),
    ("types/customizations/link.yml", "name: link\nproperties: [{name: url}]\n"),
    ("contracts/catalogues/words.yml", "messages: {blank: is needed}\n"),
    (
        "good.yml",
        "resource: User\nresource_owner: anyone\nfields: {email: , password: , first_name: {validation: {presence: true}}}\n",
    ),
];

/// Every error has a location. A valid form compiles to the same form again, also from its resolved
/// text, and gives the same violations for the same submission.
pub fn forms(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let sources = with_support_files("fuzzed.yml", text);
    let Some(registry) = compile(&sources, text) else { return };
    let Some(form) = registry.names().iter().find(|name| &***name != "good") else { return };
    let submit = |registry: &Configuration| {
        let applied =
            registry.form(form).unwrap().apply(Value::Object(vec![]), &EvalContext::default());
        applied.map(|_| ()).map_err(|violations| format!("{violations:?}"))
    };
    let _ = registry.try_examples();
    let resolved = registrar_core::registry::Registry::print_resolved(&sources, form).unwrap();
    let again = Configuration::compile(&with_support_files("fuzzed.yml", &resolved));
    let again = again.unwrap_or_else(|problems| panic!("{problems:?} in {resolved}"));
    assert_eq!(submit(&registry), submit(&again), "{resolved}");
}

/// Every error has a location, and a valid contract compiles to the same contract again.
pub fn contracts(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let sources = with_support_files("contracts/fuzzed.yml", text);
    let Some(registry) = compile(&sources, text) else { return };
    assert!(registry.is_same_as(&Configuration::compile(&sources).unwrap()));
}

/// Returns the file together with [`SUPPORT_FILES`].
fn with_support_files(within: &str, text: &str) -> Vec<SourceFile> {
    let source = |within: &str, text: &str| SourceFile {
        file: within.into(),
        within: within.to_owned(),
        text: text.to_owned(),
    };
    let mut sources = vec![source(within, text)];
    sources.extend(SUPPORT_FILES.iter().map(|(within, text)| source(within, text)));
    sources
}

/// Compiles the sources. Returns `None` after checking the locations of all errors.
fn compile(sources: &[SourceFile], text: &str) -> Option<Configuration> {
    match Configuration::compile(sources) {
        Ok(registry) => {
            registry.notices().iter().for_each(|notice| check(notice, sources, text));
            Some(registry)
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            problems.iter().for_each(|problem| check(problem, sources, text));
            None
        }
    }
}

/// Asserts that a problem names an existing file and, in the fuzzed one, a line and a column of it
/// or the position after its end. Lines end as in YAML 1.2, section 5.4.
fn check(problem: &Problem, sources: &[SourceFile], text: &str) {
    assert!(sources.iter().any(|source| source.file == problem.file), "{problem}");
    assert!(!problem.what.is_empty(), "{problem}");
    if problem.file != sources[0].file {
        return;
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines = text.split('\n');
    let line = usize::try_from(problem.location.line).unwrap();
    let length = lines.nth(line.wrapping_sub(1)).map(|line| line.chars().count());
    let column = usize::try_from(problem.location.column).unwrap();
    let is_there = length.is_some_and(|length| (1..=length + 1).contains(&column));
    assert!(is_there, "{problem}\n{text}");
}
