//! `exists`: the value must refer to a row that exists when the submission is written.

use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput, RuleOption};
use crate::aggregate::{Reference, ReferenceKey};
use crate::canonical::email_key;
use crate::messages::{Message, Params};
use crate::record_kind::RecordKind;
use crate::value::Value;

pub(crate) static REQUIRED: Message = Message::new("required", "must exist");

pub(super) static RULE: Rule = Rule {
    name: "exists",
    aliases: &[],
    summary: "The value must refer to an existing row. Checked against the database in the \
              transaction that writes the submission; all references of a submission are looked up \
              together.",
    options: &[
        RuleOption::new("resource", "User, Relationship or Transactable", "The kind of row."),
        RuleOption::new(
            "by",
            "id, external_id or email",
            "The key of the row. Default: id. The other keys are for users only.",
        ),
    ],
    main_option: Some("resource"),
    messages: &[&REQUIRED],
    applies_to: Applicability { wrong_type: true, ..Applicability::VALUES },
    accepts: &[
        ("User", "7"),
        ("{resource: User, by: email}", "\"ann@example.com\""),
        ("User", "null"),
    ],
    rejects: &[("User", "\"seven\"", "required"), ("Relationship", "{}", "required")],
    compile,
};

fn compile(compile: &mut CompileContext<'_, '_>) -> Option<Box<dyn Check>> {
    const RESOURCES: [&str; 3] = ["User", "Relationship", "Transactable"];
    const KEYS: [&str; 3] = ["id", "external_id", "email"];
    let Some(node) = compile.get("resource") else {
        compile.bad(
            compile.location,
            "`exists` has no `resource`",
            "User, Relationship or Transactable",
        );
        return None;
    };
    let resource = match compile.reader.keyword(node, "resource", &RESOURCES)? {
        "Relationship" => RecordKind::Relationship,
        "Transactable" => RecordKind::Transactable,
        _ => RecordKind::User,
    };
    let by = match compile.get("by") {
        None => LookupField::Id,
        Some(node) => {
            let by = match compile.reader.keyword(node, "by", &KEYS)? {
                "external_id" => LookupField::ExternalId,
                "email" => LookupField::Email,
                _ => LookupField::Id,
            };
            if by != LookupField::Id && resource != RecordKind::User {
                compile.contradiction(
                    node.location,
                    "only users have an e-mail and an external id",
                    "`by: id`",
                );
                return None;
            }
            by
        }
    };
    Some(Box::new(Exists { resource, by }))
}

#[derive(Debug)]
struct Exists {
    resource: RecordKind,
    by: LookupField,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LookupField {
    Id,
    ExternalId,
    Email,
}

impl LookupField {
    fn key(self, value: &Value<'_>) -> Option<ReferenceKey> {
        let (Value::String(text) | Value::Number(text)) = value else { return None };
        match self {
            Self::Id => text.trim().parse().ok().map(ReferenceKey::Id),
            Self::ExternalId => Some(ReferenceKey::ExternalId(text.clone().into_owned())),
            Self::Email => Some(ReferenceKey::EmailKey(email_key(text))),
        }
    }
}

impl Check for Exists {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        if input.is_nil() || matches!(input.value(), Value::String(text) if text.is_empty()) {
            return;
        }
        match self.by.key(input.value()) {
            Some(value) => {
                reporter.reference(Reference { resource: self.resource, value }, &REQUIRED)
            }
            None => reporter.fail(&REQUIRED, Params::new()),
        }
    }

    fn reveals_existence(&self) -> bool {
        self.by != LookupField::Id
    }
}
