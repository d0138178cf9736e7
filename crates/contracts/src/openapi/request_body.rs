//! Request bodies of a contract's routes for OpenAPI.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::{OpenApiOperation, ParameterLocation, Schemas};
use crate::contract::Contract;
use crate::contract::field_mapping::{Casing, FieldMapping, field_at};
use crate::contract::input_mapping::{FormSelector, InputMapping};
use crate::contract::{Action, Operation};
use registrar_core::form::{FieldBody, Form, json_types};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";

impl Contract {
    fn casing_in(&self) -> Casing {
        self.decoding.casing
    }

    /// Adds the request body of a route to its operation, or the query parameter that selects the
    /// form of a deletion.
    pub(crate) fn describe_request_body(
        &self,
        action: &Action,
        schemas: &mut Schemas,
        operation: &mut OpenApiOperation,
    ) {
        if let (Operation::Delete, FormSelector::FromRequest(named)) =
            (action.operation, &action.input.form)
        {
            let names: Vec<&str> = self.forms_of(action).map(|form| &*form.name).collect();
            operation.parameter(
                &named.key,
                ParameterLocation::Query,
                true,
                json!({ "enum": names }),
            );
        }
        if !action.operation.has_body() {
            return;
        }
        let (schema, is_needed) = match &action.input.form {
            _ if action.operation == Operation::Remove => (json!({ "type": "object" }), false),
            FormSelector::FromRequest(named) => {
                operation.add_note(format!(
                    "`{}` selects the form; it may be in the query instead.",
                    named.key
                ));
                (self.describe_selected_form(action, schemas, &named.key, &named.under), true)
            }
            FormSelector::One(form) if action.operation.has_form() => {
                let schema = match &action.input.fields {
                    Some(fields) => self.describe_mapped_fields(action, form, fields),
                    None if action.input.name_value.is_none()
                        && self.casing_in() == Casing::Verbatim =>
                    {
                        Schemas::reference(&Schemas::name_of(form))
                    }
                    None => json!({ "type": "object" }),
                };
                (schema, !action.body_is_optional() && !self.decoding.accepts_no_body())
            }
            _ => (json!({ "type": "object" }), false),
        };
        let (json_body, form_body, multipart) = self.decoding.media_types();
        if json_body {
            operation.body(JSON, schema, is_needed);
        }
        for media_type in [FORM, MULTIPART] {
            if if media_type == FORM { form_body } else { multipart } {
                operation.body(media_type, json!({
                    "type": "object",
                    "description": "The same fields with bracketed names: `form[email]`, `form[profiles][developer][enabled]`.",
                }), is_needed);
            }
        }
    }

    /// Returns the forms that a route can run, sorted by name.
    fn forms_of<'c>(&'c self, action: &'c Action) -> impl Iterator<Item = &'c Arc<Form>> {
        let mut forms: Vec<&Arc<Form>> = match &action.input.form {
            FormSelector::FromRequest(named) => named.forms.values().collect(),
            FormSelector::One(form) => vec![form],
            FormSelector::None => Vec::new(),
        };
        forms.retain(|form| InputMapping::serves(form, action.operation, action.resource));
        forms.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        forms.into_iter()
    }

    /// Returns the schema of a submission that selects one of several forms.
    fn describe_selected_form(
        &self,
        action: &Action,
        schemas: &mut Schemas,
        key: &str,
        under: &str,
    ) -> Json {
        let (mut any, mut mapping) = (Vec::new(), Map::new());
        for form in self.forms_of(action) {
            let reference = Schemas::reference(&schemas.submission(form, key, under));
            mapping.insert(form.name.to_string(), reference["$ref"].clone());
            any.push(reference);
        }
        if any.is_empty() {
            return json!({ "not": {}, "description": "No configured form can be used by this route." });
        }
        json!({
            "oneOf": any,
            "discriminator": { "propertyName": key, "mapping": mapping },
        })
    }

    /// Returns the schema of a submission under the API's field names.
    fn describe_mapped_fields(
        &self,
        action: &Action,
        form: &Form,
        fields: &[FieldMapping],
    ) -> Json {
        let is_change = action.operation != Operation::Create;
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for field in fields {
            let name = match self.casing_in() {
                Casing::Camel => Casing::Camel.to_api(&field.name),
                _ => (&*field.name).into(),
            };
            let schema = match &field.to {
                None => json!({ "readOnly": true, "description": "Ignored if sent." }),
                Some(to) => {
                    let mut schema = wire_type(action, form, field);
                    let path = &to.path;
                    schema["description"] = format!("`{path}` of the form `{}`.", form.name).into();
                    if field.is_write_only || to.is_secret {
                        schema["writeOnly"] = true.into();
                    }
                    schema
                }
            };
            if self.casing_in() != Casing::Both
                && (field.is_always_required || field.is_required && !is_change)
            {
                required.push(name.to_string());
            }
            properties.insert(name.into_owned(), schema);
        }
        let mut schema = json!({ "type": "object", "properties": properties });
        if !required.is_empty() {
            schema["required"] = required.into();
        }
        schema
    }
}

/// Returns the schema of a field's JSON types if values of other types are always rejected, else
/// the empty schema. They are if the value is passed to the form unchanged and is validated under
/// all conditions.
fn wire_type(action: &Action, form: &Form, field: &FieldMapping) -> Json {
    let Some(to) = &field.to else { return json!({}) };
    let is_set = action.input.set.iter().any(|(path, _)| *path == to.path);
    let is_plain = field.is_plain() && !is_set && !form.has_default_payload();
    let parts: Vec<&str> = to.path.split('.').collect();
    let is_judged = (1..=parts.len()).all(|end| {
        field_at(form, &parts[..end].join(".")).is_ok_and(|field| !field.is_conditional())
    });
    match field_at(form, &to.path).map(|field| &field.body) {
        Ok(FieldBody::Scalar(scalar)) if is_plain && is_judged && !scalar.readonly => {
            json!({ "type": json_types(scalar.field_type) })
        }
        _ => json!({}),
    }
}
