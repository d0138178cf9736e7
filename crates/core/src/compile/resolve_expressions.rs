//! Resolves field names in expressions, once all fields of the form are read: an expression may
//! name any field of the form.

use crate::config::Reader;
use crate::expression::{NameScope, ScopeEntry};
use crate::fields::FieldType;
use crate::form::{Field, FieldBody, Form, Group};

/// Resolves the field names in the form's expressions, and records the fields that have
/// expressions.
pub(super) fn resolve_expressions(reader: &mut Reader<'_>, form: &mut Form) {
    let (mut conditional, mut computed) = (Vec::new(), Vec::new());
    let needs_names = find(&form.root.fields, &mut Vec::new(), &mut conditional, &mut computed);
    if needs_names || !form.assertions.is_empty() || form.payload.is_some() {
        let names = name_scope(&form.root);
        fields(reader, &mut form.root.fields, &names, &names, &names);
        for assertion in &mut form.assertions {
            assertion.resolve(reader, &names);
        }
        if let Some(payload) = &mut form.payload {
            payload.resolve(reader, &names);
        }
    }
    form.is_dynamic = !conditional.is_empty() || !computed.is_empty() || form.payload.is_some();
    (form.conditional, form.computed) = (conditional, computed);
}

/// Collects the index paths of fields with conditions or computed defaults, and returns whether any
/// field or rule has an expression.
fn find(
    fields: &[Field],
    way: &mut Vec<usize>,
    conditional: &mut Vec<Box<[usize]>>,
    computed: &mut Vec<Box<[usize]>>,
) -> bool {
    let mut has_any = false;
    for (index, field) in fields.iter().enumerate() {
        way.push(index);
        has_any |= field.rules.iter().any(|rule| !rule.conditions.is_empty());
        if !field.conditions.is_empty() {
            has_any = true;
            conditional.push(way.as_slice().into());
        }
        match &field.body {
            FieldBody::Scalar(scalar) if scalar.computed.is_some() => {
                has_any = true;
                computed.push(way.as_slice().into());
            }
            FieldBody::Scalar(_) => {}
            FieldBody::Container(group) | FieldBody::Record(group) | FieldBody::Records(group) => {
                has_any |= find(&group.fields, way, conditional, computed);
            }
        }
        way.pop();
    }
    has_any
}

/// Resolves the names in the expressions of a group's fields. `here` has the names of the group,
/// `this` those of the record that it belongs to.
fn fields(
    reader: &mut Reader<'_>,
    of_group: &mut [Field],
    form: &NameScope,
    this: &NameScope,
    here: &NameScope,
) {
    for (index, field) in of_group.iter_mut().enumerate() {
        field.conditions.resolve(reader, form, this);
        for rule in &mut field.rules {
            rule.conditions.resolve(reader, form, this);
        }
        match &mut field.body {
            FieldBody::Scalar(scalar) => {
                if let Some(template) = &mut scalar.computed {
                    template.resolve(reader, form, this, false);
                }
            }
            FieldBody::Container(group) => {
                let inner = here.inside(index).unwrap_or(here);
                fields(reader, &mut group.fields, form, this, inner);
            }
            FieldBody::Record(group) | FieldBody::Records(group) => {
                let inner = here.inside(index).unwrap_or(here);
                fields(reader, &mut group.fields, form, inner, inner);
            }
        }
    }
}

/// Returns the names of a group's fields, with all groups below it.
fn name_scope(group: &Group) -> NameScope {
    let entry = |field: &Field| match &field.body {
        FieldBody::Scalar(scalar) => ScopeEntry::Scalar {
            is_open: matches!(
                scalar.field_type,
                FieldType::Any | FieldType::Json | FieldType::Array
            ),
            is_secret: field.is_secret,
        },
        FieldBody::Container(inner) | FieldBody::Record(inner) => {
            ScopeEntry::Group(name_scope(inner))
        }
        FieldBody::Records(inner) => ScopeEntry::Items(name_scope(inner)),
    };
    NameScope::new(group.fields.iter().map(|field| (field.name.clone(), entry(field))).collect())
}
