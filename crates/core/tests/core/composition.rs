//! Forms that are made of several files.

use registrar_core::config::{Problem, ProblemCode};
use registrar_core::registry::Registry;

use super::{compile, source};

fn told(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn forms_that_extend_each_other_are_told_with_their_circle() {
    let form = |name: &str, base: &str| {
        source(&format!("{name}.yml"), &format!("resource: User\nextends: {base}\nfields: {{}}\n"))
    };
    let problems = compile(&[form("a", "b"), form("b", "c"), form("c", "a"), form("d", "d")])
        .expect_err("a circle");
    let circles = problems.iter().filter(|problem| problem.code == ProblemCode::Cycle);
    let files: Vec<&str> = circles.map(|problem| &*problem.file).collect();
    assert_eq!(files, ["a.yml", "b.yml", "c.yml", "d.yml"], "{:?}", told(&problems));
}

#[test]
fn a_row_of_forms_has_an_end() {
    let forms: Vec<_> = (0..40)
        .map(|n| {
            let extends = if n == 0 { String::new() } else { format!("extends: f{}\n", n - 1) };
            let fields = "fields: {email: {validation: {presence: true}}}";
            source(&format!("f{n}.yml"), &format!("resource: User\n{extends}{fields}\n"))
        })
        .collect();
    let problems = compile(&forms).expect_err("too deep");
    assert!(problems.iter().all(|problem| problem.code == ProblemCode::Cycle));
}

#[test]
fn a_mistake_in_what_is_extended_is_told_once_where_it_stands() {
    let problems = compile(&[
        source(
            "base.yml",
            "resource: User\nfields: {first_name: {validation: {presense: true}}}\n",
        ),
        source("a.yml", "extends: base\nfields: {last_name: }\n"),
        source("b.yml", "extends: base\nfields: {first_name: {validation: {lenght: 3}}}\n"),
    ])
    .unwrap_err();
    let told = told(&problems);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("b.yml:2:36: [unknown-rule] "), "{told:?}");
    assert!(told[1].starts_with("base.yml:2:36: [unknown-rule] "), "{told:?}");
}

#[test]
fn a_change_in_what_is_extended_is_a_new_version() {
    let version = |most: u32| {
        let base = format!(
            "resource: User\nfields: {{name: {{validation: {{length: {{maximum: {most}}}}}}}}}\n"
        );
        let forms = [source("base.yml", &base), source("a.yml", "extends: base\nfields: {}\n")];
        compile(&forms).unwrap().form("a").unwrap().version.clone()
    };
    assert_eq!(version(3), version(3));
    assert_ne!(version(3), version(4));
}

#[test]
fn the_resolved_form_says_where_each_leaf_came_from() {
    let sources = [
        source(
            "base.yml",
            "resource: User\nfields:\n  email:\n  name: {validation: {presence: true, length: {maximum: 3}}}\n",
        ),
        source("definitions/short.yml", "validation:\n  length: {maximum: 9}\n"),
        source(
            "a.yml",
            "extends: base\nfields:\n  name:\n    validation: {presence: !remove, length: {minimum: 2}}\n  phone: {use: short}\n  language: {validation: {inclusion: [en, 'no']}}\n",
        ),
    ];
    let resolved = Registry::resolved(&sources, "a").unwrap();
    let expected = "\
resource: User  # base.yml:1
fields:
  email:  # base.yml:3
  name:
    validation:
      length:
        maximum: 3  # base.yml:4
        minimum: 2  # a.yml:4
  phone:
    validation:
      length:
        maximum: 9  # definitions/short.yml:2
  language:
    validation:
      inclusion: [en, \"no\"]  # a.yml:6
";
    assert_eq!(resolved, expected);
    let again = compile(&[source("a.yml", &resolved)]).unwrap();
    assert_eq!(
        again.form("a").unwrap().version,
        compile(&sources).unwrap().form("a").unwrap().version
    );
    assert!(Registry::resolved(&sources, "nobody").is_none());
}
