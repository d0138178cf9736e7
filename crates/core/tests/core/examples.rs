//! Examples in forms: execution, and coverage of rules.

use registrar_core::config::Problem;
use registrar_core::example::ExampleReport;

use super::{compile, source};

fn try_examples(form: &str) -> ExampleReport {
    let types = source(
        "types/profiles/member.yml",
        "properties: [{name: team}, {name: badge, unique: true}]\n",
    );
    let agency = source("types/relationship_users/agent.yml", "name: agent\n");
    let registry = compile(&[types, agency, source("form.yml", form)])
        .unwrap_or_else(|problems| panic!("{:?}", messages(&problems)));
    registry.try_examples()
}

fn messages(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

const FORM: &str = r#"resource: User
fields:
  email:
  first_name: {validation: {presence: true, length: {maximum: 3}}}
  starts: {type: date, property_options: {virtual: true}, validation: {date: {after: today, allow_nil: true}}}
  name: {property_options: {default: "{{ token.name }}"}}
  profiles:
    member: {properties: {team: {validation: {inclusion: [red]}}, badge: }}
  relationship_users:
    agent: {relationship_id: }
rules:
  - {id: not_red, assert: "form.first_name != 'red'", field: first_name}
examples:
  - {name: minimal, form: {email: a@b.co, first_name: Ann}, expect: valid}
  - {name: nothing, form: {}, expect: {email: blank, first_name: [blank]}}
  - {name: too long, from: minimal, form: {first_name: Anna}, expect: {first_name: too_long}}
  - {name: no address, from: minimal, form: {email: "a b"}, expect: {email: invalid}}
  - {name: red, from: minimal, form: {first_name: red}, expect: {first_name: not_red}}
  - {name: in time, from: minimal, now: "2026-11-23T10:00:00Z", form: {starts: "2026-11-24"}, expect: valid}
  - {name: too late, from: minimal, now: "2026-11-25T10:00:00Z", form: {starts: "2026-11-24"}, expect: {starts: after}}
  - {name: taken, from: minimal, users: [{email: " A@B.CO", first_name: Bob}], expect: {email: taken}}
  - {name: member, from: minimal, form: {profiles: {member: {team: x, properties: {team: blue, badge: "7"}}}}, expect: {profiles.member.team: unknown_field, profiles.member.properties.team: inclusion}}
  - {name: badge, from: minimal, form: {profiles: {member: {properties: {badge: "7"}}}}, users: [{email: c@d.co, first_name: C, profiles: {member: {properties: {badge: "7"}}}}], expect: {profiles.member.properties.badge: taken}}
  - {name: agent, from: minimal, relationships: [7], form: {relationship_users: {agent: {relationship_id: 7}}}, expect: valid}
  - {name: no agent, from: agent, relationships: [8], expect: {"relationship_users.agent.relationship_id": required}}
privileged: true
"#;

#[test]
fn examples_run_with_simulated_database_results() {
    let tried = try_examples(FORM);
    assert_eq!(messages(&tried.failed), Vec::<String>::new());
    assert_eq!(tried.count, 12);
    assert_eq!(messages(&tried.untested), Vec::<String>::new());
}

const MEMBERS: &str = r#"resource: RelationshipUser
type: clerk
resource_owner: anyone
fields:
  user_id:
  relationship_key:
  properties: {badge: }
examples:
  - {name: by key, relationships: [ACME], form: {user_id: 3, relationship_key: " ACME"}, expect: valid}
  - {name: no such company, from: by key, relationships: [9, Ace], expect: {relationship_key: required}}
  - {name: nobody, from: by key, form: {user_id: 0}, expect: {user_id: required}}
  - {name: a badge twice, from: by key, form: {properties: {badge: B}}, records: [{relationship_key: x, properties: {badge: B}}], expect: {properties.badge: taken}}
  - {name: another member, stored: {id: 1, user_id: 3, relationship_id: 9, properties: {}}, form: {user_id: 4}, expect: {user_id: immutable}}
privileged: true
"#;

#[test]
fn record_forms_support_examples() {
    let registry = compile(&[
        source("types/relationships/company.yml", "properties: [{name: name}]\nkey: name\n"),
        source(
            "types/relationship_users/clerk.yml",
            "relationship: company\nproperties: [{name: badge, unique: true}]\n",
        ),
        source("form.yml", MEMBERS),
    ]);
    let tried =
        registry.unwrap_or_else(|problems| panic!("{:?}", messages(&problems))).try_examples();
    assert_eq!(messages(&tried.failed), Vec::<String>::new());
    assert_eq!((tried.count, messages(&tried.untested)), (5, Vec::new()));
}

#[test]
fn failed_example_is_reported_at_its_expect_key() {
    let form = FORM
        .replace("expect: {first_name: too_long}", "expect: {first_name: too_short, name: blank}");
    let failed = messages(&try_examples(&form).failed);
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert!(
        failed[0].starts_with("form.yml:16:63: [example-failed] the example `too long`"),
        "{failed:?}"
    );
    assert!(
        failed[0].contains("got first_name: too_long; expected first_name: too_short, name: blank"),
        "{failed:?}"
    );
    let form = FORM.replace("first_name: Bob}", "first_name: Robert}");
    let failed = messages(&try_examples(&form).failed);
    assert!(failed[0].contains("stored user 1 is invalid: first_name: too_long"), "{failed:?}");
}

#[test]
fn rules_without_failing_example_are_reported() {
    let head = FORM.split("examples:").next().unwrap();
    let untested = messages(&try_examples(&format!("{head}examples:\n  - {{form: {{first_name: ''}}, expect: {{email: blank, first_name: blank}}}}\nprivileged: true\n")).untested);
    let lines = [
        ("form.yml:3:3", "`email` of `email`"),
        ("form.yml:3:3", "`unique` of `email`"),
        ("form.yml:4:45", "`length` of `first_name`"),
        ("form.yml:5:72", "`date` of `starts`"),
        ("form.yml:8:47", "`inclusion` of `profiles.member.properties.team`"),
        ("form.yml:8:67", "`unique` of `profiles.member.properties.badge`"),
        ("form.yml:10:13", "`exists` of `relationship_users.agent.relationship_id`"),
        ("form.yml:12:5", "`not_red` of `rules`"),
    ];
    assert_eq!(untested.len(), lines.len(), "{untested:#?}");
    for (untested, (location, what)) in untested.iter().zip(lines) {
        assert!(untested.starts_with(location) && untested.contains(what), "{untested}");
    }
}

#[test]
fn malformed_examples_are_reported() {
    let form = "resource: User
fields: {email: }
examples:
  - {name: a, form: {email: x@y.co}}
  - {from: b, expect: valid}
  - {form: {}, expect: maybe}
  - {form: {}, now: soon, expect: valid}
  - {frm: {}, expect: valid}
";
    let problems = compile(&[source("form.yml", form)]).unwrap_err();
    let reported = messages(&problems);
    let starts = [
        "form.yml:4:5: [missing-key]",
        "form.yml:5:12: [unknown-type]",
        "form.yml:6:24: [wrong-shape]",
        "form.yml:7:21: [bad-option]",
        "form.yml:8:5: [missing-key]",
        "form.yml:8:6: [unknown-key]",
    ];
    assert_eq!(reported.len(), starts.len(), "{reported:#?}");
    for (reported, start) in reported.iter().zip(starts) {
        assert!(reported.starts_with(start), "{reported} instead of {start}");
    }
}
