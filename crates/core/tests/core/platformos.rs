//! Forms and types in the notation of platformOS' documentation.

use registrar_contracts::Configuration;
use registrar_contracts::decode::json;
use registrar_core::EvalContext;
use registrar_core::config::{Policies, Problem};

use super::{compile, source};

const SIGN_UP: &str = r"---
name: developer_sign_up
base_form: UserForm
resource_owner: anyone
return_to: /sign-in
flash_notice: You have signed up.
configuration:
  email:
    validation: {uniqueness: true}
  password:
    validation: {confirmation: true}
  password_confirmation:
    property_options: {virtual: true}
  first_name:
    validation: {presence: {}}
  accept_emails:
    validation: {inclusion: [true]}
  current_address:
    address: {validation: {presence: true}}
  external_id:
    validation:
      presence:
        if: '{% if form.first_name == blank %}{% else %}true{% endif %}'
        message: 'is needed'
      format: {with: !ruby/regexp '/\A[a-z]{2}\d+\z/i', allow_blank: true}
  profiles:
    validation: {presence: true}
    developer:
      validation: {presence: true}
      enabled:
        property_options: {default: true, readonly: true}
      properties:
        validation: {presence: true}
        years_of_experience: {validation: {numericality: {greater_than_or_equal_to: 0}}}
        bio:
      custom_images:
        avatar:
email_notifications:
  - welcome_user
callback_actions: |-
  {% graphql g = 'x', email: form.email %}
default_payload: |-
  {
    'properties_attributes': { }
  }
---
{% form %}
  <input name='{{ form_builder.fields.email.name }}'>
  --- not yaml: [
{% endform %}
";
const DEVELOPER: &str = "name: developer
properties:
- {name: years_of_experience, type: integer}
- {name: bio, type: string, default_value: none}
- {name: avatar, type: photo}
- {name: cv, type: file}
";

fn sources() -> Vec<registrar_core::registry::SourceFile> {
    vec![
        source(
            "users/developer_sign_up.liquid",
            &SIGN_UP.replace("    'properties_attributes': { }\n", ""),
        ),
        source("user_profile_types/developer.yml", DEVELOPER),
        source("users/log_out.liquid", "---\nname: log_out\nresource: Session\n---\n"),
        source("users/new_boat.liquid", "---\nname: new_boat\nbase_form: TransactableForm\n---\n"),
        source(
            "contact.liquid",
            "\n---\nname: contact\nresource: modules/contacts/contact\nfields: {properties: {geometry: {validation: {geometry: true}}}}\n---\nx",
        ),
    ]
}

#[test]
fn platformos_forms_compile_with_a_notice_per_ignored_key() {
    let registry = compile(&sources()).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(registry.names().len(), 2, "one form for users and one for sessions");
    let reported: Vec<String> = registry.notices().iter().map(Problem::to_string).collect();
    let starts = [
        "contact.liquid:4:11: [ignored] the form is ignored: the resource `modules/contacts/contact` is not supported",
        "user_profile_types/developer.yml:4:29: [ignored] `default_value`",
        "users/developer_sign_up.liquid:5:1: [ignored] `return_to`",
        "users/developer_sign_up.liquid:6:1: [ignored] `flash_notice`",
        "users/developer_sign_up.liquid:10:3: [weak-password] `password` may have 6 characters",
        "users/developer_sign_up.liquid:16:3: [ignored] `accept_emails` of platformOS is validated",
        "users/developer_sign_up.liquid:18:3: [ignored] `current_address` of platformOS is ignored",
        "users/developer_sign_up.liquid:38:1: [ignored] `email_notifications`",
        "users/developer_sign_up.liquid:40:1: [ignored] `callback_actions`",
        "users/new_boat.liquid:3:12: [ignored] the form is ignored: it is for `Transactable` and has no `type`",
    ];
    assert_eq!(reported.len(), starts.len(), "{reported:#?}");
    for (reported, start) in reported.iter().zip(starts) {
        assert!(reported.starts_with(start), "{reported} instead of {start}");
    }
}

fn codes(registry: &Configuration, body: &str) -> Vec<String> {
    let value = json::parse(body.as_bytes()).unwrap();
    let form = registry.form("developer_sign_up").unwrap();
    let violations = form.apply(value, &EvalContext::default()).err().unwrap_or_default();
    violations.list.iter().map(|v| format!("{} {}", v.path, v.text())).collect()
}

#[test]
fn platformos_forms_validate_submissions() {
    let registry = compile(&sources()).unwrap();
    let good = r#"{"email": "a@b.co", "password": "secret1", "first_name": "", "profiles": {"developer": {"properties": {"bio": "x"}}}}"#;
    assert_eq!(codes(&registry, good), ["first_name can't be blank"]);
    let needs = r#"{"email": "a@b.co", "first_name": "A", "profiles": {"developer": {"properties": {"years_of_experience": -1}}}}"#;
    assert_eq!(
        codes(&registry, needs),
        [
            "external_id is needed",
            "profiles.developer.properties.years_of_experience must be greater than or equal to 0"
        ]
    );
    let pattern = r#"{"email": "a@b.co", "first_name": "A", "external_id": "Ab1", "profiles": {"developer": {"properties": {"bio": "x"}}}}"#;
    assert!(codes(&registry, pattern).is_empty());
}

#[test]
fn unknown_keys_of_platformos_forms_are_reported() {
    let form = "---\nresource: User\nredirect_too: /x\nfields: {email: }\n---\n";
    let problems = compile(&[source("a.liquid", form)]).unwrap_err();
    assert!(problems[0].to_string().starts_with("a.liquid:3:1: [unknown-key] "), "{problems:?}");
    for (text, what) in [
        ("resource: Usr\nfields: {}\n", "did you mean `User`?"),
        ("resource: user\nfields: {}\n", "did you mean `User`?"),
    ] {
        let problems = compile(&[source("a.yml", text)]).unwrap_err();
        assert!(problems[0].to_string().contains(what), "{problems:?}");
    }
    let problems = compile(&[source("a.liquid", "<p>page</p>\n")]).unwrap_err();
    assert!(problems[0].to_string().contains("no front matter"), "{problems:?}");
}

#[test]
fn form_with_policy_is_rejected_unless_policies_are_ignored() {
    let form = "---\nname: reset\nresource: User\nresource_owner: anyone\nfields: {first_name: }\n\
        authorization_policies: [modules/users/token_is_valid]\nspam_protection: \n---\n";
    let sources = [source("reset.liquid", form)];
    let problems = compile(&sources).unwrap_err();
    let reported: Vec<String> = problems.iter().map(Problem::to_string).collect();
    assert_eq!(reported.len(), 1, "{reported:?}");
    assert!(
        reported[0].contains(":6:1: [policy-not-enforced] `authorization_policies`"),
        "{reported:?}"
    );
    let registry = Configuration::compile_with(&sources, Policies::Ignore).unwrap();
    let notices: Vec<String> = registry.notices().iter().map(Problem::to_string).collect();
    assert!(notices.iter().any(|notice| notice.contains("is not enforced")), "{notices:?}");
    assert!(registry.served_form("reset").is_some());
}
