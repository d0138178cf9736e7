//! Renders the built-in fields as Markdown: `docs/fields.md`.

use std::fmt::Write as _;

use super::{BuiltIn, Container, RecordKind};

/// Where records of a kind are in a form, and what they are.
const SECTIONS: [(RecordKind, &str); 11] = [
    (RecordKind::User, "The record of a form with `resource: User`."),
    (
        RecordKind::Profile,
        "`profiles.<type>` of a user: at most one of each type in `types/profiles/`.",
    ),
    (
        RecordKind::Transactable,
        "`transactables.<type>` of a user, or the record of a form with `resource: Transactable`: \
         something that the user offers, of a type in `types/transactables/`.",
    ),
    (
        RecordKind::RelationshipUser,
        "`relationship_users.<type>` of a user, or the record of a form with `resource: \
         RelationshipUser`: the membership of a user in a relationship. A form lists one of \
         `relationship_id`, `relationship_key` and `relationship_name`.",
    ),
    (
        RecordKind::Relationship,
        "The record of a form with `resource: Relationship`: a group of users, of a type in \
         `types/relationships/`.",
    ),
    (
        RecordKind::RelationshipTransactable,
        "The record of a form with `resource: RelationshipTransactable`: a transactable in a \
         relationship.",
    ),
    (
        RecordKind::Customization,
        "`customizations.<type>` of a user, profile, transactable or customization, or the record \
         of a form with `resource: Customization`.",
    ),
    (
        RecordKind::Address,
        "`custom_addresses.<property>`: the address for a property of type `address`.",
    ),
    (RecordKind::Image, "`custom_images.<property>`: the image for a property of type `image`."),
    (
        RecordKind::Attachment,
        "`custom_attachments.<property>`: the file for a property of type `attachment`.",
    ),
    (
        RecordKind::Session,
        "The fields of a form with `resource: Session`, for sign-ins. They are validated but not \
         stored.",
    ),
];

/// Returns the documentation of the built-in fields as Markdown.
#[must_use]
pub fn page() -> String {
    let mut page = String::from(
        "# Fields\n\nGenerated from the code; do not edit. These fields need no declaration. Any \
         other field is a property: declare it under `properties:` of a record type, or directly \
         in the form under `properties:` of the user.\n\nA built-in rule applies to a field as \
         soon as the form lists the field. A rule of the same name in the form replaces it; \
         `rule: false` turns it off. [Rules](rules.md) describes each rule.\n",
    );
    for (kind, place) in SECTIONS {
        section(&mut page, kind, place);
    }
    page
}

// Writing to a `String` cannot fail.
fn section(page: &mut String, kind: RecordKind, place: &str) {
    let mut name = kind.name().to_owned();
    name[..1].make_ascii_uppercase();
    let _ = writeln!(page, "\n## {name}\n\n{place}");
    if !kind.built_ins().is_empty() {
        table(page, kind.built_ins());
    }
    if !kind.parent_fields().is_empty() {
        let _ = writeln!(page, "\nOnly in a form for the record itself:");
        table(page, kind.parent_fields());
    }
    let containers = kind.containers();
    if !containers.is_empty() {
        let names = containers.iter().map(|container| format!("`{}`", container.name()));
        let _ = writeln!(page, "\nIt also has {}.", names.collect::<Vec<_>>().join(", "));
    }
    if containers.contains(&Container::Profiles) {
        let _ = writeln!(
            page,
            "`password_confirmation`, like each field whose name ends in `_confirmation`, is \
             validated but not stored."
        );
    }
}

fn table(page: &mut String, fields: &[BuiltIn]) {
    page.push_str("\n| field | type | built-in rules |\n|---|---|---|\n");
    for field in fields {
        let rules: Vec<String> = field
            .rules
            .iter()
            .map(|rule| match rule.options {
                "true" => format!("`{}`", rule.name),
                options => format!("`{}: {}`", rule.name, options.replace('|', "\\|")),
            })
            .collect();
        let secret = if field.is_secret { "; never returned" } else { "" };
        let (name, of) = (field.name, field.field_type.name());
        let _ = writeln!(page, "| `{name}` | {of}{secret} | {} |", rules.join(", "));
    }
}
