//! The sample request that `serve` prints: a curl command that creates a user.

use std::path::Path;

use registrar_contracts::Configuration;
use registrar_core::form::Form;
use registrar_core::record_kind::RecordKind;
use registrar_core::value::Value;
use registrar_core::{EvalContext, Timestamp};
use registrar_server::route_table::{RouteEntry, route_table};
use serde_json::{Value as Json, json};

/// Name of the form that is preferred.
const PREFERRED_FORM: &str = "sign_up";
/// Maximum length of a submission that is written on one line.
const MAX_LINE_LENGTH: usize = 100;

/// Returns a curl command that creates a user through a served form, or `None` if no form creates users or
/// has a sample. `token` is the token as a word of the shell within double quotes.
pub(crate) fn create_command(
    registry: &Configuration,
    url: &str,
    token: &str,
    now: Timestamp,
) -> Option<String> {
    let routes = route_table(registry);
    let creates = |route: &&RouteEntry| route.method == "POST" && route.path == "/api/users";
    routes.iter().find(creates).filter(|route| route.request_names_form)?;
    let is_of_contract = |form: &Form| {
        routes.iter().any(|route| route.form.as_deref().is_some_and(|name| name == &*form.name))
    };
    let served = registry.served().iter().filter_map(|name| registry.served_form(name));
    let mut forms: Vec<&Form> = served.map(|form| &**form).filter(creates_users).collect();
    forms.sort_by_key(|form| {
        let is_preferred = &*form.name == PREFERRED_FORM;
        (!is_preferred, is_of_contract(form), form.strict_enumeration, form.name.clone())
    });
    let (form, sample) =
        forms.into_iter().find_map(|form| Some((form, sample_without_references(form, now)?)))?;
    let name = json!(*form.name);
    let line = sample.to_string();
    let sample = if line.len() <= MAX_LINE_LENGTH { line } else { format!("{sample:#}") };
    let body = format!("{{\"form_configuration_name\": {name}, \"form\": {sample}}}");
    Some(format!(
        "curl -i {url}/api/users \\\n    -H \"Authorization: Token token={token}\" \\\n    \
         -H 'Content-Type: application/json' \\\n    -d {}",
        quoted(&body)
    ))
}

/// Returns a curl command that lists the forms.
pub(crate) fn list_command(url: &str, token: &str) -> String {
    format!("curl -i {url}/api/form_configurations -H \"Authorization: Token token={token}\"")
}

fn creates_users(form: &&Form) -> bool {
    form.resource == RecordKind::User && form.may_create && !form.is_privileged
}

/// Returns a sample that a new database accepts.
fn sample_without_references(form: &Form, now: Timestamp) -> Option<Json> {
    let sample = form.sample(now)?;
    let context = EvalContext { now, ..EvalContext::default() };
    let (_, references) = form.database_checks(Value::from(sample.clone()), &context);
    references.is_empty().then_some(sample)
}

/// Returns a text as one word of a POSIX shell.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Returns a path as one word of a POSIX shell, in quotes only if it needs them.
pub(crate) fn quoted_if_needed(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "/._-+".contains(char);
    if !text.is_empty() && text.chars().all(is_plain) { text } else { quoted(&text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_the_shell() {
        assert_eq!(quoted("a $b `c` \"d\""), "'a $b `c` \"d\"'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted_if_needed(Path::new("a/b-1.yml")), "a/b-1.yml");
        assert_eq!(quoted_if_needed(Path::new("a b")), "'a b'");
    }
}
