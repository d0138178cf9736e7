//! `check`, `rules`, `explain`, `schema` and `openapi`.

use registrar_tests::TempDir;
use serde_json::Value;

use super::setup;

const FORM: &str = "resource: User
redirect_to: /home
fields:
  first_name: {validation: {presence: true, length: {maximum: 3}}}
examples:
  - {name: long, form: {first_name: Anna}, expect: {first_name: too_long}}
";

fn run_check(form: &str, flags: &[&str], code: i32) -> registrar_tests::ProcessOutput {
    let folder = TempDir::of(&[("form.yml", form)]);
    let path = folder.path().display().to_string();
    let mut arguments = vec!["check", &path];
    arguments.extend(flags);
    let finished = setup().run(&arguments);
    if code == 0 { finished.success() } else { finished.failure(code) }
}

#[test]
fn check_runs_examples_and_fails_on_mismatch() {
    let good = run_check(FORM, &["--format", "short"], 0);
    assert!(good.stdout.contains("form.yml:2:1: [ignored] `redirect_to`"), "{good:?}");
    assert_eq!(good.stderr, "registrar: 1 form(s), 1 example(s), no problem\n");
    let bad = run_check(&FORM.replace("maximum: 3", "maximum: 4"), &["--format", "short"], 1);
    assert!(bad.stdout.contains("form.yml:6:44: [example-failed] the example `long`"), "{bad:?}");
    let coverage = run_check(FORM, &["--format", "short", "--coverage"], 1);
    let reported =
        "form.yml:4:29: [untested-rule] no example of `form` violates `presence` of `first_name`";
    assert!(coverage.stdout.contains(reported), "{coverage:?}");
}

#[test]
fn check_underlines_each_problem_in_its_line() {
    let text = run_check(&FORM.replace("length", "lenght"), &[], 1).stdout;
    let lines: Vec<&str> = text.lines().collect();
    let start = "error[unknown-rule]: unknown rule `lenght` ";
    assert!(lines[0].starts_with(start) && lines[1].ends_with("form.yml:4:45"), "{text}");
    assert_eq!(
        lines[3], "4 |   first_name: {validation: {presence: true, lenght: {maximum: 3}}}",
        "{text}"
    );
    assert_eq!(lines[4], format!("  | {}^^^^^^", " ".repeat(44)), "{text}");
    assert!(text.contains("\n  = note: expected one of `presence`"), "{text}");
    assert!(text.contains("\n  = help: did you mean `length`?"), "{text}");
    let notice = run_check(FORM, &[], 0).stdout;
    assert!(notice.starts_with("note[ignored]: `redirect_to`"), "{notice}");
}

#[test]
fn check_formats_json_github_and_sarif() {
    let form = FORM.replace("length", "lenght");
    let json: Value =
        serde_json::from_str(&run_check(&form, &["--format", "json"], 1).stdout).unwrap();
    let finding = &json["findings"][0];
    assert_eq!(
        (&finding["kind"], &finding["line"], &finding["column"], &finding["level"]),
        (&"unknown-rule".into(), &4.into(), &45.into(), &"error".into())
    );
    assert_eq!(finding["hint"], "did you mean `length`?");

    let github = run_check(&form, &["--format", "github"], 1).stdout;
    assert!(github.starts_with("::error file="), "{github}");
    assert!(
        github.contains(",line=4,col=45,title=unknown-rule::unknown rule `lenght`"),
        "{github}"
    );
    let notice = run_check(FORM, &["--format", "github"], 0).stdout;
    assert!(notice.starts_with("::notice file="), "{notice}");

    let sarif: Value =
        serde_json::from_str(&run_check(&form, &["--format", "sarif"], 1).stdout).unwrap();
    let run = &sarif["runs"][0];
    assert_eq!(
        (&sarif["version"], &run["tool"]["driver"]["name"]),
        (&"2.1.0".into(), &"registrar".into())
    );
    let result = &run["results"][0];
    assert_eq!((&result["ruleId"], &result["level"]), (&"unknown-rule".into(), &"error".into()));
    let location = &result["locations"][0]["physicalLocation"];
    assert_eq!(location["region"]["startLine"], 4);
    assert!(location["artifactLocation"]["uri"].as_str().unwrap().ends_with("form.yml"));
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(rules.iter().any(|rule| rule["id"] == result["ruleId"]), "no rule for the result");
    let clean: Value =
        serde_json::from_str(&run_check(FORM, &["--format", "json"], 0).stdout).unwrap();
    assert_eq!((&clean["forms"], &clean["examples"]), (&1.into(), &1.into()));
}

#[test]
fn rules_and_explain_print_documentation() {
    let setup = setup();
    let all = setup.run(&["rules"]).success().stdout;
    assert!(all.starts_with("# Rules\n") && all.contains("\n## numericality\n"));
    let one = setup.run(&["rules", "uniqueness"]).success().stdout;
    assert!(one.starts_with("## unique\n") && one.contains("`scope`"), "{one}");
    let unknown = setup.run(&["rules", "presense"]).failure(1).stderr;
    assert_eq!(unknown, "registrar: there is no rule `presense`: did you mean `presence`?\n");
    let kinds = setup.run(&["explain"]).success().stdout;
    assert!(kinds.contains("\n## bad-expression\n"));
    let kind = setup.run(&["explain", "cycle"]).success().stdout;
    assert!(kind.starts_with("## cycle\n"), "{kind}");
    setup.run(&["explain", "cycles"]).failure(1);
}

#[test]
fn schema_command_prints_json_schemas() {
    let setup = setup();
    let of_form = setup.run(&["schema", "client_sign_up"]).success().stdout;
    let schema: Value = serde_json::from_str(&of_form).unwrap();
    assert_eq!(schema["title"], "client_sign_up");
    let of_forms: Value = serde_json::from_str(&setup.run(&["schema"]).success().stdout).unwrap();
    assert!(of_forms["$defs"]["rule_length"]["properties"]["maximum"].is_object());
    let unknown = setup.run(&["schema", "client_signup"]).failure(1).stderr;
    assert_eq!(
        unknown,
        "registrar: there is no form `client_signup`: did you mean `client_sign_up`?\n"
    );
}

#[test]
fn check_resolved_prints_composed_form_with_origins() {
    let folder = TempDir::of(&[
        ("base.yml", "resource: User\nfields:\n  email:\n"),
        ("form.yml", "extends: base\nfields:\n  name: {validation: {presence: true}}\n"),
    ]);
    let path = folder.path().display().to_string();
    let printed = setup().run(&["check", &path, "--resolved", "form"]).success().stdout;
    let file = |name: &str| folder.path().join(name).display().to_string();
    let expected = format!(
        "resource: User  # {base}:1\nfields:\n  email:  # {base}:3\n  name:\n    validation:\n      presence: true  # {form}:3\n",
        base = file("base.yml"),
        form = file("form.yml"),
    );
    assert_eq!(printed, expected);
    setup().run(&["check", &path, "--resolved", "nobody"]).failure(1);
}

#[test]
fn openapi_command_equals_served_document() {
    let setup = setup();
    let printed = setup.run(&["openapi"]).success().stdout;
    let printed: Value = serde_json::from_str(&printed).unwrap();
    let server = setup.serve();
    let served = server.client(&server.first_token()).get("/openapi.json").is(200).json();
    assert_eq!(printed, served);
}
