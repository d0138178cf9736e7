//! Reports names of fields and properties that do not exist.

use super::FormCompiler;
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
        let code = ProblemCode::UnknownField;
        self.reader.unknown(code, "field", &entry.key, entry.location, &within, &known);
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
        let code = ProblemCode::UnknownField;
        self.reader.unknown(code, "property", &entry.key, entry.location, &within, &known);
    }
}
