//! Private fields are removed from all that an answer can show, right before the answer is rendered:
//! no template, and so no contract, can show one to a caller without the scope `private`. Conditions
//! are evaluated before, on the whole record.

use std::sync::Arc;

use registrar_core::contract::RequestContext;
use registrar_core::form::Resource;
use registrar_core::registry::Registry;
use registrar_core::value::Value;

use super::answer::Own;

/// What is removed from an answer.
#[derive(Debug, Clone)]
pub(super) struct Redaction(Option<Arc<Registry>>);

impl Redaction {
    /// Returns the redaction for a caller without the scope `private`.
    pub(super) fn new(registry: &Arc<Registry>) -> Self {
        let has_private = !registry.private_fields().is_empty();
        Self(has_private.then(|| Arc::clone(registry)))
    }

    /// Removes nothing from here on: the caller has the scope.
    pub(super) fn disable(&mut self) {
        self.0 = None;
    }

    /// Removes the private fields from the user, the record and the caller that the answer can show.
    pub(super) fn apply(&self, resource: Resource, asked: &mut RequestContext) {
        let Some(registry) = &self.0 else { return };
        let private = registry.private_fields();
        for (name, value) in &mut asked.more {
            match *name {
                "user" => private.redact(value, Resource::User),
                "record" => private.redact(value, resource),
                _ => {}
            }
        }
        if let Some(user) = entry(&mut asked.caller, "user") {
            private.redact(user, Resource::User);
        }
    }

    /// Removes the private fields from the users or records of a list.
    pub(super) fn apply_to_list(&self, resource: Resource, own: &mut Own) {
        let Some(registry) = &self.0 else { return };
        for (name, value) in own {
            let (Value::Array(items), "users" | "records") = (value, *name) else { continue };
            let item_name = name.trim_end_matches('s');
            for item in items.iter_mut().filter_map(|item| entry(item, item_name)) {
                registry.private_fields().redact(item, resource);
            }
        }
    }
}

fn entry<'v>(object: &'v mut Value<'static>, name: &str) -> Option<&'v mut Value<'static>> {
    let Value::Object(entries) = object else { return None };
    entries.iter_mut().find(|(known, _)| *known == *name).map(|(_, value)| value)
}
