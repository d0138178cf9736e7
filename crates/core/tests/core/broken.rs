//! Broken configuration: `tests/cases/broken/*.yml`, each with what must be said of it.
//!
//! The first lines of a case are `#! LINE:COLUMN code part of the text`, one for each problem, in
//! order. `#! file types/…` gives the file another place in the forms folder.

use registrar_core::config::ProblemCode;

use super::{cases, compile, source};

const OTHERS: [(&str, &str); 6] = [
    (
        "types/profiles/developer.yml",
        "name: developer\nproperties:\n  - {name: bio, type: text}\n  - {name: rate, type: float}\n  - {name: home, type: address}\n",
    ),
    ("types/transactables/boat.yml", "name: boat\nproperties: [{name: length, type: integer}]\n"),
    ("types/relationships/agency.yml", "name: agency\n"),
    ("types/relationship_users/agency_member.yml", "name: agency_member\n"),
    ("types/customizations/link.yml", "name: link\nproperties: [{name: url}]\n"),
    ("contracts/catalogues/words.yml", "messages: {blank: is needed}\n"),
];

#[test]
fn each_mistake_is_reported_at_its_place() {
    let (mut seen, mut wrong) = (Vec::new(), Vec::new());
    for (path, text) in cases("broken") {
        let mut file = "broken.yml";
        let mut expected = Vec::new();
        for line in text.lines().filter_map(|line| line.strip_prefix("#! ")) {
            match line.strip_prefix("file ") {
                Some(name) => file = name,
                None => expected.push(line),
            }
        }
        let mut sources: Vec<_> = OTHERS.iter().map(|(name, text)| source(name, text)).collect();
        sources.push(source(file, &text));
        sources.push(source("good.yml", "resource: User\nfields: {email: }\n"));
        let problems = compile(&sources).expect_err(&path.display().to_string());
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let as_expected = told.len() == expected.len()
            && told.iter().zip(&expected).all(|(told, expected)| {
                let mut words = expected.splitn(3, ' ');
                let (place, code) = (words.next().unwrap(), words.next().unwrap());
                told.contains(&format!(":{place}: [{code}] "))
                    && told.contains(words.next().unwrap_or(""))
            });
        if !as_expected {
            wrong.push(format!("{}\n  {}", path.display(), told.join("\n  ")));
        }
        seen.extend(problems.iter().map(|problem| problem.code));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for code in ProblemCode::ALL {
        // Notices are no mistakes, and examples have tests of their own.
        let is_elsewhere = matches!(
            code,
            ProblemCode::Ignored | ProblemCode::ExampleFailed | ProblemCode::UntestedRule
        );
        assert!(is_elsewhere || seen.contains(code), "no case shows `{}`", code.as_str());
    }
}

#[test]
fn problems_of_all_files_are_told_at_once() {
    let broken = "resource: User\nfields: {emial: }\n";
    let problems = compile(&[source("a.yml", broken), source("b.yml", broken)]).unwrap_err();
    let files: Vec<&str> = problems.iter().map(|problem| &*problem.file).collect();
    assert_eq!(files, ["a.yml", "b.yml"]);
}

#[test]
fn a_new_relationship_needs_a_type_to_be_of() {
    let form = "resource: User\nfields:\n  relationship_users: {member: {relationship_name: }}\n";
    let problems = compile(&[
        source("types/relationship_users/member.yml", "name: member\n"),
        source("form.yml", form),
    ])
    .unwrap_err();
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("form.yml:3:33: [unknown-type] "), "{told:?}");
    assert!(told[0].contains("types/relationships/"), "{told:?}");
}
