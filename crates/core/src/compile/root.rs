//! Compiles the root of a form: a user, a session, or a record of one type.

use super::metadata::FormMetadata;
use super::{FormCompiler, RecordContext};
use crate::config::{Entry, Node, ProblemCode, Reader};
use crate::form::{Field, Group};
use crate::record_kind::RecordKind;
use crate::types::{RecordType, RecordTypes};

/// Returns the type of a form's records, `Some(None)` for users and sessions, or `None` if the form
/// is ignored.
#[expect(clippy::option_option, reason = "users and sessions have no types")]
pub(super) fn type_of<'t>(
    reader: &mut Reader<'_>,
    types: &'t RecordTypes,
    resource: RecordKind,
    header: &FormMetadata<'_>,
) -> Option<Option<&'t RecordType>> {
    match (resource.has_types(), header.record_type) {
        (false, None) => Some(None),
        (false, Some((_, location))) => {
            let what = format!("a form for `{}` has no `type`", resource.resource_name());
            reader.problems.add(ProblemCode::Contradiction, location, what, "no `type`", None);
            Some(None)
        }
        (true, None) => {
            let location = header.resource_location;
            let what = format!(
                "the form is ignored: it is for `{}` and has no `type`",
                resource.resource_name()
            );
            reader.problems.add_notice(location, what);
            None
        }
        (true, Some((name, location))) => {
            let found = types.get(resource, name);
            if found.is_none() {
                let known = types.names(resource);
                let code = ProblemCode::UnknownType;
                reader.unknown(code, resource.types_name(), name, location, "`type`", &known);
            }
            Some(found)
        }
    }
}

/// Returns whether a form may create: it lists a field that identifies a new record or its owner,
/// or it has no `resource_owner`.
pub(super) fn may_create(resource: RecordKind, root: &Group, may_update: bool) -> bool {
    let parent_fields = resource.parent_fields().iter().map(|built_in| built_in.name);
    let lists = |name: &str| root.index_of(name).is_some();
    match resource {
        RecordKind::Session => false,
        RecordKind::User => lists("email") || !may_update,
        _ => parent_fields.into_iter().any(lists) || !may_update,
    }
}

impl<'t> FormCompiler<'_, 't> {
    /// Compiles the fields of the form's user or record.
    pub(super) fn root(
        &mut self,
        kind: RecordKind,
        of_type: Option<&'t RecordType>,
        tree: &Node,
        fields: Option<&Entry>,
    ) -> Group {
        let path = match of_type {
            Some(of_type) => format!("{}.{}", kind.list_name(), of_type.name),
            // A separate path: signing in makes no claim on the user's e-mail address.
            None if kind == RecordKind::Session => "session".to_owned(),
            None => String::new(),
        };
        let record = RecordContext { path, enclosing: None, is_root: true };
        let nothing = Node { location: tree.location, data: crate::config::Data::Null };
        let node = fields.map_or(&nothing, |entry| &entry.value);
        let listed = self.record(kind, of_type, node, &record);
        let type_name = of_type.map_or_else(|| kind.name().into(), |of_type| of_type.name.clone());
        let mut root = Group::new(Some(kind), type_name, listed);
        root.keyed = of_type.and_then(|of_type| self.types.keyed_relationship(of_type));
        root.key = of_type.and_then(|of_type| Some(of_type.key.as_ref()?.0.clone()));
        if may_create(kind, &root, self.may_update) {
            let location = fields.map_or(tree.location, |entry| entry.location);
            self.require_fields(kind, &root.fields, &root.type_name, location);
        }
        root
    }

    /// Requires the fields without which the form cannot create records.
    fn require_fields(
        &mut self,
        kind: RecordKind,
        fields: &[Field],
        of: &str,
        location: crate::config::Location,
    ) {
        let lists = |name: &str| fields.iter().any(|field| &*field.name == name);
        let needed: &[&str] = match kind {
            RecordKind::RelationshipUser => return self.require_relationship(of, location, fields),
            RecordKind::RelationshipTransactable => &["relationship_id", "transactable_id"],
            RecordKind::Customization if lists("customizable_id") || lists("customizable_type") => {
                &["customizable_id", "customizable_type"]
            }
            _ => &[],
        };
        for name in needed.iter().filter(|name| !lists(name)) {
            self.reader.problems.add(
                ProblemCode::MissingKey,
                location,
                format!("the form does not list `{name}`"),
                format!("`{name}` among its fields: a {} needs it", kind.name()),
                None,
            );
        }
    }
}
