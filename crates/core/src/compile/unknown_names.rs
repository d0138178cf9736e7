//! Reports names of fields and properties that do not exist.

use super::FormCompiler;
use crate::built_ins::Container;
use crate::config::{Entry, ProblemCode};
use crate::record_kind::RecordKind;
use crate::types::{PropertyType, RecordType};

impl FormCompiler<'_, '_> {
    pub(super) fn unknown_field(&mut self, (kind, is_root): (RecordKind, bool), entry: &Entry) {
        let parent_fields = kind.parent_fields().iter().filter(|_| is_root);
        let built_ins = kind.built_ins().iter().chain(parent_fields);
        let mut known: Vec<&str> = built_ins.map(|built_in| built_in.name).collect();
        known.extend(kind.containers().iter().map(|container| container.name()));
        let within = format!("a {}", kind.name());
        let is_property = kind.containers().contains(&Container::Properties);
        let hint = is_property.then(|| "list a field of your own under `properties:`".to_owned());
        let unknown = (ProblemCode::UnknownField, "field", &*entry.key);
        self.reader.unknown_with_hint(unknown, entry.location, (&within, &known), hint);
    }

    pub(super) fn unknown_property(
        &mut self,
        of_type: &RecordType,
        entry: &Entry,
        fits: impl Fn(&PropertyType) -> bool,
    ) {
        let known: Vec<&str> = of_type
            .properties
            .iter()
            .filter(|known| fits(&known.property_type))
            .map(|known| known.name.as_str())
            .collect();
        let within = format!("the type `{}`", of_type.name);
        // A property of another kind is listed in another container.
        let same_name = of_type.properties.iter().find(|known| known.name == entry.key);
        let hint = same_name.map(|known| {
            let (what, container) = match known.property_type {
                PropertyType::Field(_) => ("a value", "properties"),
                PropertyType::Address => ("an address", "custom_addresses"),
                PropertyType::Image => ("an image", "custom_images"),
                PropertyType::Attachment => ("an attachment", "custom_attachments"),
            };
            format!("`{}` is {what}: list it under `{container}:`", entry.key)
        });
        let unknown = (ProblemCode::UnknownField, "property", &*entry.key);
        self.reader.unknown_with_hint(unknown, entry.location, (&within, &known), hint);
    }
}
