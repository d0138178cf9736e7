//! Redaction: removes private fields from everything a response can show, before it is rendered, so that
//! no template can show one to a principal without the scope `private`. Preconditions are evaluated
//! before, on the whole entity.

use std::sync::Arc;

use registrar_contracts::Configuration;
use registrar_contracts::RequestContext;
use registrar_core::record_kind::RecordKind;
use registrar_core::value::Value;

use crate::error::ReplyValues;

/// Private fields to remove from a response.
#[derive(Debug, Clone)]
pub(super) struct Redaction(Option<Arc<Configuration>>);

impl Redaction {
    /// Returns the redaction for a principal without the scope `private`.
    pub(super) fn new(registry: &Arc<Configuration>) -> Self {
        let has_private = !registry.private_fields().is_empty();
        Self(has_private.then(|| Arc::clone(registry)))
    }

    /// Disables the redaction: the principal has the scope `private`.
    pub(super) fn disable(&mut self) {
        self.0 = None;
    }

    /// Removes the private fields from the user, the record and the caller.
    pub(super) fn apply(&self, resource: RecordKind, context: &mut RequestContext) {
        let Some(registry) = &self.0 else { return };
        let private = registry.private_fields();
        for (name, value) in &mut context.more {
            match *name {
                "user" => private.redact(value, RecordKind::User),
                "record" => private.redact(value, resource),
                _ => {}
            }
        }
        if let Some(user) = entry_mut(&mut context.caller, "user") {
            private.redact(user, RecordKind::User);
        }
    }

    /// Removes the private fields from the users or records of a list.
    pub(super) fn apply_to_list(&self, resource: RecordKind, values: &mut ReplyValues) {
        let Some(registry) = &self.0 else { return };
        for (name, value) in values {
            let (Value::Array(items), "users" | "records") = (value, *name) else { continue };
            let item_name = name.trim_end_matches('s');
            for item in items.iter_mut().filter_map(|item| entry_mut(item, item_name)) {
                registry.private_fields().redact(item, resource);
            }
        }
    }
}

fn entry_mut<'v>(object: &'v mut Value<'static>, name: &str) -> Option<&'v mut Value<'static>> {
    let Value::Object(entries) = object else { return None };
    entries.iter_mut().find(|(key, _)| *key == *name).map(|(_, value)| value)
}
