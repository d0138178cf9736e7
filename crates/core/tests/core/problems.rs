//! Invalid configuration: `tests/cases/broken/*.yml`, each with its expected problems.
//!
//! The first lines of a case are `#! LINE:COLUMN code part of the text`, one per problem, in order.
//! `#! file types/…` sets the path of the file in the forms directory.

use registrar_core::config::ProblemCode;

use super::{cases, compile, source};

const SUPPORT_FILES: [(&str, &str); 6] = [
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
fn each_problem_is_reported_at_its_location() {
    let (mut seen, mut failures) = (Vec::new(), Vec::new());
    for (path, text) in cases("broken") {
        let mut file = "broken.yml";
        let mut expected = Vec::new();
        for line in text.lines().filter_map(|line| line.strip_prefix("#! ")) {
            match line.strip_prefix("file ") {
                Some(name) => file = name,
                None => expected.push(line),
            }
        }
        let mut sources: Vec<_> =
            SUPPORT_FILES.iter().map(|(name, text)| source(name, text)).collect();
        sources.push(source(file, &text));
        sources.push(source("good.yml", "resource: User\nfields: {email: }\n"));
        let problems = compile(&sources).expect_err(&path.display().to_string());
        let reported: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let as_expected = reported.len() == expected.len()
            && reported.iter().zip(&expected).all(|(reported, expected)| {
                let mut words = expected.splitn(3, ' ');
                let (location, code) = (words.next().unwrap(), words.next().unwrap());
                reported.contains(&format!(":{location}: [{code}] "))
                    && reported.contains(words.next().unwrap_or(""))
            });
        if !as_expected {
            failures.push(format!("{}\n  {}", path.display(), reported.join("\n  ")));
        }
        seen.extend(problems.iter().map(|problem| problem.code));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    for code in ProblemCode::ALL {
        // Notices are not errors, and examples have their own tests.
        let is_elsewhere = matches!(
            code,
            ProblemCode::Ignored
                | ProblemCode::WeakPassword
                | ProblemCode::ExampleFailed
                | ProblemCode::UntestedRule
        );
        assert!(is_elsewhere || seen.contains(code), "no case shows `{}`", code.as_str());
    }
}

#[test]
fn problems_of_all_files_are_reported_together() {
    let broken = "resource: User\nfields: {emial: }\n";
    let problems = compile(&[source("a.yml", broken), source("b.yml", broken)]).unwrap_err();
    let files: Vec<&str> = problems.iter().map(|problem| &*problem.file).collect();
    assert_eq!(files, ["a.yml", "b.yml"]);
}

#[test]
fn unknown_fields_are_reported_with_the_key_that_they_belong_under() {
    let seller = "properties: [{name: home, type: address}]";
    let form =
        "resource: User\nfields:\n  nickname:\n  profiles: {seller: {properties: {home: }}}\n";
    let sources = [source("types/profiles/seller.yml", seller), source("a.yml", form)];
    let Err(problems) = compile(&sources) else { panic!("the form compiles") };
    let hints: Vec<&str> = problems.iter().filter_map(|problem| problem.hint.as_deref()).collect();
    assert_eq!(
        hints,
        [
            "list a field of your own under `properties:`",
            "`home` is an address: list it under `custom_addresses:`"
        ]
    );
}

#[test]
fn failing_example_names_its_time_if_a_rule_is_about_time() {
    let form = |date: &str| {
        format!(
            "resource: User\nfields:\n  properties: {{born: {{type: date, validation: {{date: {{on_or_before: today}}}}}}}}\n\
             examples: [{{form: {{properties: {{born: {date}}}}}, expect: valid}}]\n"
        )
    };
    let hint = |date: &str| {
        let registry = compile(&[source("a.yml", &form(date))]).unwrap();
        registry.try_examples().failed.first().and_then(|problem| problem.hint.clone())
    };
    assert!(hint("1990-01-01").unwrap().starts_with("the time is 1970-01-01"));
    assert_eq!(hint("x"), None);
}

#[test]
fn new_relationship_requires_a_relationship_type() {
    let form = "resource: User\nfields:\n  relationship_users: {member: {relationship_name: }}\n";
    let problems = compile(&[
        source("types/relationship_users/member.yml", "name: member\n"),
        source("form.yml", form),
    ])
    .unwrap_err();
    let reported: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(reported.len(), 1, "{reported:?}");
    assert!(reported[0].starts_with("form.yml:3:33: [unknown-type] "), "{reported:?}");
    assert!(reported[0].contains("types/relationships/"), "{reported:?}");
}

/// Fits into the 2 MiB stack of test and reload threads in unoptimised builds. Longer or deeper
/// configuration is reported like any other error.
#[test]
fn longest_and_deepest_configuration_fits_the_stack() {
    let chain = |head: &str, step: &str, tail: &str| {
        let (head, step, tail) = (head.to_owned(), step.to_owned(), tail.to_owned());
        move |times: usize| format!("{head}{}{tail}", step.repeat(times))
    };
    let nest = |head: &str, open: &str, core: &str, close: &str, tail: &str| {
        let parts = [head, open, core, close, tail].map(str::to_owned);
        move |times: usize| {
            let [head, open, core, close, tail] = &parts;
            format!("{head}{}{core}{}{tail}", open.repeat(times), close.repeat(times))
        }
    };
    type Case = (usize, Box<dyn Fn(usize) -> String>, &'static str);
    let cases: Vec<Case> = vec![
        (497, Box::new(chain("name: {if: '", "not ", "form.email'}")), "bad-expression"),
        (120, Box::new(chain("name: {if: '", "form.email and ", "1'}")), "bad-expression"),
        (249, Box::new(chain("name: {if: '", "1 + ", "1'}")), "bad-expression"),
        (248, Box::new(chain("name: {if: 'form.email", "|trim", "'}")), "bad-expression"),
        (165, Box::new(chain("name: {if: 'form", "[0]", "'}")), "bad-expression"),
        (
            240,
            Box::new(chain("name: {if: '{% if 1 %}", "{% elif 1 %}", "{% endif %}'}")),
            "bad-expression",
        ),
        (
            24,
            Box::new(nest("properties: {a: {type: json, schema: ", "{items: ", "{}", "}", "}}")),
            "syntax",
        ),
        (
            12,
            Box::new(nest("properties: {a: {type: json, schema: ", "{anyOf: [", "{}", "]}", "}}")),
            "syntax",
        ),
        (
            24,
            Box::new(nest(
                "properties: {a: {type: json, property_options: {default: ",
                "[",
                "1",
                "]",
                "}}}",
            )),
            "syntax",
        ),
        (
            13,
            Box::new(nest("customizations: {link: ", "{customizations: {link: ", "{}", "}}", "}")),
            "syntax",
        ),
        (
            200,
            Box::new(nest("name: {validation: {format: {with: '", "(", "a", ")", "'}}}")),
            "bad-pattern",
        ),
    ];
    for (most, field, code) in &cases {
        let reported = |times: usize| {
            let form = format!("resource: User\nfields:\n  email:\n  {}\n", field(times));
            let link = source("types/customizations/link.yml", "name: link\n");
            match compile(&[link, source("a.yml", &form)]) {
                Ok(_) => Vec::new(),
                Err(problems) => problems.iter().map(ToString::to_string).collect(),
            }
        };
        assert!(reported(*most).is_empty(), "{}: {:?}", field(1), reported(*most));
        for times in [3 * most, 20_000] {
            let reported = reported(times);
            assert!(
                reported.len() == 1 && reported[0].contains(&format!(": [{code}] ")),
                "{}: {reported:?}",
                field(1)
            );
        }
    }
}
