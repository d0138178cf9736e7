//! Forms composed of several files.

use registrar_core::config::{Problem, ProblemCode};

use super::{compile, source};

fn messages(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn extends_cycle_is_reported_for_each_form() {
    let form = |name: &str, base: &str| {
        source(&format!("{name}.yml"), &format!("resource: User\nextends: {base}\nfields: {{}}\n"))
    };
    let problems = compile(&[form("a", "b"), form("b", "c"), form("c", "a"), form("d", "d")])
        .expect_err("a circle");
    let circles = problems.iter().filter(|problem| problem.code == ProblemCode::Cycle);
    let files: Vec<&str> = circles.map(|problem| &*problem.file).collect();
    assert_eq!(files, ["a.yml", "b.yml", "c.yml", "d.yml"], "{:?}", messages(&problems));
}

#[test]
fn extends_depth_is_limited() {
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

/// Returns the only problem of a configuration that exceeds the size limit.
fn size_problem(text: &str) -> String {
    let reported = messages(&compile(&[source("a.yml", text)]).unwrap_err());
    assert!(reported.len() == 1, "{}: {:?}", reported.len(), &reported[..reported.len().min(5)]);
    assert!(
        reported[0]
            .contains("[cycle] the form would exceed 8 MiB with everything extended and used")
    );
    reported[0].clone()
}

#[test]
fn expansion_of_nested_definitions_is_limited() {
    let ten = |inner: &str| (0..10).map(|n| format!("k{n}: {inner}, ")).collect::<String>();
    let definitions = |with: &str, last: &str| {
        let rows = (1..12)
            .map(|n| format!("  d{n}: {{{with}{}}}\n", last.replace('#', &(n - 1).to_string())));
        rows.collect::<String>()
    };
    // Each uses ten of its predecessor.
    let uses = definitions("", &ten("{use: d#}"));
    let reported = size_problem(&format!(
        "resource: User\ndefinitions:\n  d0: {{}}\n{uses}fields: {{name: {{use: d11}}}}\n"
    ));
    assert!(reported.starts_with("a.yml:"), "{reported}");
    // Each multiplies a string by ten.
    let texts =
        definitions("parameters: {t: }, ", &format!("use: {{d#: {{t: '{}'}}}}", "${t}".repeat(10)));
    let d0 = "  d0: {parameters: {t: }, description: '${t}'}\n";
    size_problem(&format!(
        "resource: User\ndefinitions:\n{d0}{texts}fields: {{name: {{use: {{d11: {{t: x}}}}}}}}\n"
    ));
    // Each multiplies a tree by ten.
    let trees =
        definitions("parameters: {t: }, ", &format!("use: {{d#: {{t: {{{}}}}}}}", ten("'${t}'")));
    let d0 = "  d0: {parameters: {t: }, description: '${t}'}\n";
    size_problem(&format!(
        "resource: User\ndefinitions:\n{d0}{trees}fields: {{name: {{use: {{d11: {{t: x}}}}}}}}\n"
    ));
}

#[test]
fn expansion_of_repeated_extends_is_limited() {
    let form = |n: usize, base: &str| {
        source(&format!("f{n:02}.yml"), &format!("resource: User\n{base}fields: {{email: }}\n"))
    };
    let mut forms = vec![form(0, "")];
    forms.extend((1..15).map(|n| {
        form(n, &format!("extends: [{}]\n", vec![format!("f{:02}", n - 1); 10].join(", ")))
    }));
    let problems = compile(&forms).expect_err("is too much");
    let reported = messages(&problems);
    assert!(problems.iter().all(|problem| problem.code == ProblemCode::Cycle), "{reported:?}");
    assert!(
        reported[0].starts_with("f") && reported[0].contains("the form would exceed 8 MiB"),
        "{reported:?}"
    );
}

#[test]
fn total_size_of_forms_is_limited() {
    let description = "x".repeat(1 << 20);
    let base = format!("resource: User\ndescription: b\nfields: {{email: }}\nx: {description}\n");
    let mut forms = vec![source("base.yml", &base)];
    forms.extend(
        (0..300).map(|n| source(&format!("f{n}.yml"), "resource: User\nextends: base\nx: 1\n")),
    );
    let reported = messages(&compile(&forms).expect_err("is too much"));
    let over = |reported: &&String| {
        reported.contains(
            "[cycle] all forms together would exceed 256 MiB with everything extended and used",
        )
    };
    let number = reported.iter().filter(over).count();
    assert!((40..50).contains(&number), "{number} of {}", reported.len());
}

#[test]
fn problem_in_base_form_is_reported_once_at_its_location() {
    let problems = compile(&[
        source(
            "base.yml",
            "resource: User\nfields: {first_name: {validation: {presense: true}}}\n",
        ),
        source("a.yml", "extends: base\nfields: {last_name: }\n"),
        source("b.yml", "extends: base\nfields: {first_name: {validation: {lenght: 3}}}\n"),
    ])
    .unwrap_err();
    let reported = messages(&problems);
    assert_eq!(reported.len(), 2, "{reported:?}");
    assert!(reported[0].starts_with("b.yml:2:36: [unknown-rule] "), "{reported:?}");
    assert!(reported[1].starts_with("base.yml:2:36: [unknown-rule] "), "{reported:?}");
}

#[test]
fn changed_base_form_changes_the_version() {
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
fn resolved_form_shows_the_origin_of_each_leaf() {
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
    let resolved = registrar_core::registry::Registry::print_resolved(&sources, "a").unwrap();
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
    assert!(registrar_core::registry::Registry::print_resolved(&sources, "nobody").is_none());
}
