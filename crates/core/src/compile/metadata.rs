//! Reads the keys of a form other than its fields.

use strum::VariantNames;

use crate::config::{Data, Entry, Location, Node, ProblemCode, Reader, nearest};
use crate::form::NaturalKey;
use crate::record_kind::RecordKind;

/// Metadata of a form.
#[derive(Debug)]
pub(crate) struct FormMetadata<'n> {
    pub(crate) description: Option<&'n str>,
    /// Whether the form may update stored records: it has `resource_owner`.
    pub(crate) may_update: bool,
    pub(crate) refuses_unknown: bool,
    /// Resource of the form; `None` if it is not supported and the form is ignored.
    pub(crate) resource: Option<RecordKind>,
    /// Location of the resource's name.
    pub(crate) resource_location: Location,
    /// Name of the type of its records.
    pub(crate) record_type: Option<(&'n str, Location)>,
    pub(crate) fields: Option<&'n Entry>,
    /// Whether `enumeration: strict` is set: responses do not reveal who has an account.
    pub(crate) strict_enumeration: bool,
    pub(crate) enumeration_location: Location,
    /// Whether the form may list protected fields.
    pub(crate) is_privileged: bool,
    /// Field whose value identifies a repeated submission.
    pub(crate) idempotency: Option<(NaturalKey, Location)>,
    pub(crate) rules: Option<&'n Node>,
    pub(crate) default_payload: Option<&'n Node>,
    pub(crate) examples: Option<&'n Node>,
}

pub(super) const KEYS: &[&str] = &[
    "name",
    "resource",
    "base_form",
    "type",
    "resource_owner",
    "description",
    "unknown_fields",
    "idempotency",
    "privileged",
    "enumeration",
    "fields",
    "configuration",
    "extends",
    "definitions",
    "rules",
    "default_payload",
    "examples",
];

/// Keys that are reserved but not supported by this version.
const UNSUPPORTED_KEYS: [&str; 1] = ["events"];

/// Keys of platformOS' forms that are ignored: Registrar has no pages, e-mails, API calls or
/// captchas. Source: documentation.platformos.com, "Form configuration".
pub(super) const IGNORED_KEYS: &[&str] = &[
    "redirect_to",
    "return_to",
    "flash_notice",
    "flash_alert",
    "callback_actions",
    "async_callback_actions",
    "email_notifications",
    "sms_notifications",
    "api_call_notifications",
    "live_reindex",
    "metadata",
    "layout",
    "layout_name",
    "body",
];

/// Keys of platformOS' forms that decide who may submit the form. Registrar does not enforce them,
/// so a form with one is refused unless the operator sets `policies: ignore`.
pub(super) const POLICIES: &[&str] =
    &["authorization_policies", "spam_protection", "request_allowed"];

/// Resources of platformOS that this version does not support.
const UNSUPPORTED_RESOURCES: [&str; 7] = [
    "UserProfile",
    "Reservation",
    "Order",
    "BankAccount",
    "CreditCard",
    "AuthenticationToken",
    "Comment",
];

/// Reads the metadata of a form.
pub(crate) fn read<'n>(reader: &mut Reader<'_>, tree: &'n Node) -> FormMetadata<'n> {
    let mut header = FormMetadata {
        description: None,
        may_update: false,
        refuses_unknown: true,
        resource: Some(RecordKind::User),
        resource_location: tree.location,
        record_type: None,
        fields: None,
        strict_enumeration: false,
        enumeration_location: tree.location,
        is_privileged: false,
        idempotency: None,
        rules: None,
        default_payload: None,
        examples: None,
    };
    let mut has_resource = false;
    for entry in reader.map(tree, "a form") {
        match entry.key.as_str() {
            "name" => {
                reader.text(&entry.value, "name");
            }
            key @ ("resource" | "base_form") => {
                let named = resource(reader, &entry.value, key);
                // Both keys may be given; one unsupported resource is enough to ignore the form.
                header.resource = named.filter(|_| header.resource.is_some());
                header.resource_location = entry.value.location;
                has_resource = true;
            }
            "type" => {
                let name = reader.text(&entry.value, "type");
                header.record_type = name.map(|name| (name, entry.value.location));
            }
            "resource_owner" => {
                header.may_update = true;
                reader.keyword(&entry.value, "resource_owner", &["anyone"]);
            }
            "description" => {
                header.description = reader.text(&entry.value, "description");
            }
            "unknown_fields" => {
                let word = reader.keyword(&entry.value, "unknown_fields", &["reject", "ignore"]);
                header.refuses_unknown = word != Some("ignore");
            }
            "enumeration" => {
                let word = reader.keyword(&entry.value, "enumeration", &["strict", "open"]);
                header.strict_enumeration = word == Some("strict");
                header.enumeration_location = entry.value.location;
            }
            "privileged" => {
                header.is_privileged = reader.boolean(&entry.value, "privileged") == Some(true);
            }
            "idempotency" => {
                let word = reader.keyword(&entry.value, "idempotency", NaturalKey::VARIANTS);
                let key = word.and_then(|word| word.parse().ok());
                header.idempotency = key.map(|key| (key, entry.value.location));
            }
            "rules" => header.rules = Some(&entry.value),
            "default_payload" => header.default_payload = Some(&entry.value),
            "examples" => header.examples = Some(&entry.value),
            "fields" | "configuration" => fields(reader, &mut header, entry),
            // Composition has resolved them already.
            "extends" | "definitions" => {}
            key if IGNORED_KEYS.contains(&key) => reader.ignored_key(entry),
            key if POLICIES.contains(&key) => policy(reader, entry),
            key if UNSUPPORTED_KEYS.contains(&key) => reader.problems.add(
                ProblemCode::NotServed,
                entry.location,
                format!("`{key}` of a form"),
                "a form without it: this version does not support it",
                None,
            ),
            _ => reader.unknown_key(entry, "a form", KEYS),
        }
    }
    // `extends` is still there if it could not be resolved; the extended form may have the keys.
    let is_whole = tree.get("extends").is_none();
    if !has_resource && is_whole {
        missing(reader, tree, "resource", "`resource: User`");
    }
    if header.fields.is_none() && header.resource == Some(RecordKind::User) && is_whole {
        missing(reader, tree, "fields", "`fields:` with the fields that a client may send");
    }
    header
}

/// Returns the resource of a form, or `None` if it is not supported.
fn resource(reader: &mut Reader<'_>, node: &Node, key: &str) -> Option<RecordKind> {
    let Some(name) = reader.text(node, key) else { return Some(RecordKind::User) };
    let names = RecordKind::RESOURCES.map(RecordKind::resource_name);
    let forms = RecordKind::RESOURCES.map(RecordKind::form_name);
    let ours = if key == "resource" { &names } else { &forms };
    if let Some(found) =
        RecordKind::RESOURCES.into_iter().zip(ours).find(|(_, known)| **known == name)
    {
        return Some(found.0);
    }
    let plain = name.strip_suffix("Form").unwrap_or(name);
    // Names of platformOS' models are in lower case; one similar to a known resource is a typo.
    let is_model = name.contains('/')
        || (name.chars().all(|c| c.is_lowercase() || c.is_numeric() || c == '_')
            && nearest(name, ours.iter().copied()).is_none());
    if UNSUPPORTED_RESOURCES.contains(&plain) || is_model {
        let what = format!("the form is ignored: the resource `{name}` is not supported");
        reader.problems.add_notice(node.location, what);
        return None;
    }
    reader.keyword(node, key, ours);
    // Continue with the most similar resource, so that its correct keys cause no further problems.
    let near = nearest(name, ours.iter().copied());
    let near = RecordKind::RESOURCES.into_iter().zip(ours).find(|(_, name)| Some(**name) == near);
    Some(near.map_or(RecordKind::User, |(resource, _)| resource))
}

fn fields<'n>(reader: &mut Reader<'_>, header: &mut FormMetadata<'n>, entry: &'n Entry) {
    if header.fields.is_some() {
        reader.problems.add(
            ProblemCode::Contradiction,
            entry.location,
            "`fields` and `configuration` mean the same and are both present",
            "one of them",
            None,
        );
    }
    header.fields = Some(entry);
}

/// Adds a problem for a policy that would not be enforced. One that allows everything is ignored.
fn policy(reader: &mut Reader<'_>, entry: &Entry) {
    let allows_all = match &entry.value.data {
        Data::Null | Data::Removed => true,
        Data::List(items) => items.is_empty(),
        Data::Map(entries) => entries.is_empty(),
        Data::Bool(allowed) => *allowed == (entry.key == "request_allowed"),
        Data::Text(text) => text.trim().is_empty(),
        Data::Number(_) => false,
    };
    if allows_all {
        return reader.ignored_key(entry);
    }
    let what = format!("`{}` decides who may submit the form, and is not enforced", entry.key);
    let expected = "a form without it; or, where it is not needed, `policies: ignore` in the settings \
                    (`--policies ignore`)";
    reader.problems.add_policy_problem(entry.location, what, expected);
}

fn missing(reader: &mut Reader<'_>, tree: &Node, key: &str, expected: &str) {
    let what = format!("the form has no `{key}`");
    reader.problems.add(ProblemCode::MissingKey, tree.location, what, expected, None);
}
