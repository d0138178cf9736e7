//! The API as one OpenAPI document: Registrar's own routes and those of all contracts mounted at a
//! path. Contracts at hosts of their own are only named; responses that are not known are left out.
//! Source: spec.openapis.org/oas/v3.1.1.

mod native;
mod operation;
mod request_body;
mod routes;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

pub(crate) use operation::{OpenApiOperation, ParameterLocation};

use crate::contract::Contracts;
use registrar_core::expression::sha256;
use registrar_core::form::Form;

/// The version of the OpenAPI specification.
const OPENAPI_VERSION: &str = "3.1.1";

const API_DESCRIPTION: &str = "Creates users through forms defined by configuration. Violations are reported \
    in the language negotiated by `Accept-Language`, with stable codes. Every response carries \
    `X-Request-Id`.";

/// The schemas shared by operations, by component name.
#[derive(Debug, Default)]
pub(crate) struct Schemas(BTreeMap<String, Value>);

/// Operations by path, then by method.
#[derive(Debug, Default)]
pub(crate) struct Paths(BTreeMap<String, BTreeMap<String, OpenApiOperation>>);

/// Returns the OpenAPI document of a configuration.
pub(crate) fn document<'f>(
    forms: impl Iterator<Item = &'f Arc<Form>>,
    contracts: &Contracts,
) -> Value {
    let (mut schemas, mut paths) = (Schemas::default(), Paths::default());
    native::add(&mut paths, &mut schemas);
    let own_shapes: Vec<String> = paths.0.keys().map(|path| shape(path)).collect();
    for form in forms {
        schemas.form(form);
    }
    let mut tags = vec![json!({ "name": native::TAG, "description": "Registrar's own routes." })];
    let mut unmounted: Vec<&str> = Vec::new();
    for contract in contracts.list() {
        if contract.mount.is_none() {
            unmounted.push(&contract.name);
            continue;
        }
        tags.push(json!({
            "name": *contract.name,
            "description": contract.description.as_deref().unwrap_or(&contract.name),
        }));
        for (path, method, operation) in contract.openapi_operations(&mut schemas) {
            // Registrar's own routes take precedence.
            if !own_shapes.contains(&shape(&path)) {
                paths.add(path, method, operation);
            }
        }
    }
    let mut description = API_DESCRIPTION.to_owned();
    if !unmounted.is_empty() {
        description.push_str(" Served at separate hosts and not described here: ");
        description.push_str(&unmounted.join(", "));
        description.push('.');
    }
    json!({
        "openapi": OPENAPI_VERSION,
        "info": {
            "title": "Registrar",
            "version": env!("CARGO_PKG_VERSION"),
            "description": description,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "tags": tags,
        "paths": paths.into_value(),
        "components": { "schemas": schemas.0, "securitySchemes": security_schemes() },
    })
}

/// Returns the security schemes, named as in [`crate::contract::Scheme`].
fn security_schemes() -> Value {
    let header = |description: &str| json!({ "type": "apiKey", "in": "header", "name": "Authorization", "description": description });
    json!({
        "bearer": { "type": "http", "scheme": "bearer", "description": "`Bearer <token>` (RFC 6750)." },
        "token": header("`Token token=<token>`, or `Token <token>`."),
        "key": header("The token alone."),
        "basic": { "type": "http", "scheme": "basic", "description": "A user's name and password." },
    })
}

impl Schemas {
    /// Returns the component name of a form's submission schema, which [`Schemas::form`] adds.
    pub(crate) fn name_of(form: &Form) -> String {
        component("form", &form.name)
    }

    /// Returns a reference to the schema of this name.
    pub(crate) fn reference(name: &str) -> Value {
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    /// Adds a schema, unless there is one of this name.
    pub(crate) fn add(&mut self, name: String, schema: impl FnOnce() -> Value) {
        self.0.entry(name).or_insert_with(schema);
    }

    fn form(&mut self, form: &Form) {
        self.add(Self::name_of(form), || {
            let mut schema = form.submission_schema();
            if let Value::Object(schema) = &mut schema {
                // OpenAPI 3.1 uses the same dialect, and `$schema` belongs at a document's root.
                schema.remove("$schema");
            }
            schema
        });
    }

    /// Adds the schema of a body that names the form in the property `key` and has the submission
    /// in the property `under`. Returns its component name.
    pub(crate) fn submission(&mut self, form: &Form, key: &str, under: &str) -> String {
        let name = component(&format!("{key}.{under}"), &form.name);
        self.add(name.clone(), || {
            let properties = Map::from_iter([
                (key.to_owned(), json!({ "const": *form.name })),
                (under.to_owned(), Self::reference(&Self::name_of(form))),
            ]);
            json!({ "type": "object", "properties": properties, "required": [key, under] })
        });
        name
    }
}

impl Paths {
    /// Adds an operation, or merges it into the existing one of the same path and method.
    pub(crate) fn add(&mut self, path: String, method: &str, mut operation: OpenApiOperation) {
        let method = method.to_ascii_lowercase();
        // OpenAPI treats paths that differ only in parameter names as identical.
        let same = self.0.keys().find(|existing| shape(existing) == shape(&path)).cloned();
        let path = match same {
            Some(existing) if existing != path => {
                operation.rename(&names(&path), &names(&existing));
                existing
            }
            _ => path,
        };
        let methods = self.0.entry(path).or_default();
        match methods.get_mut(&method) {
            Some(existing) => existing.merge(operation),
            None => drop(methods.insert(method, operation)),
        }
    }

    fn into_value(self) -> Value {
        let item = |(path, methods): (String, BTreeMap<String, OpenApiOperation>)| {
            let id = |method: &str| {
                let words = path.split(|character: char| !character.is_ascii_alphanumeric());
                let words = words.filter(|word| !word.is_empty());
                [method].into_iter().chain(words).collect::<Vec<_>>().join("_")
            };
            let methods = methods.into_iter().map(|(method, operation)| {
                let id = id(&method);
                (method, operation.into_value(&id))
            });
            let item = Value::Object(methods.collect());
            (path, item)
        };
        Value::Object(self.0.into_iter().map(item).collect())
    }
}

/// Returns the parameter names of a path, in order.
fn names(path: &str) -> Vec<&str> {
    let parts = path.split('{').skip(1);
    parts.filter_map(|part| part.split_once('}').map(|(name, _)| name)).collect()
}

/// Returns a path with its parameter names removed: `/a/{}` for `/a/{id}`.
fn shape(path: &str) -> String {
    names(path)
        .iter()
        .fold(path.to_owned(), |path, name| path.replace(&format!("{{{name}}}"), "{}"))
}

/// Returns a valid component name: characters that are not allowed become `_`, and a hash is
/// appended to keep names distinct.
fn component(kind: &str, name: &str) -> String {
    let is_allowed =
        |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    let whole = format!("{kind}.{name}");
    let valid: String = whole
        .chars()
        .map(|character| if is_allowed(character) { character } else { '_' })
        .collect();
    if valid == whole { valid } else { format!("{valid}.{}", &sha256(&whole)[..8]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn component_names_are_valid_and_unique() {
        assert_eq!(component("form", "sign_up.v2-a"), "form.sign_up.v2-a");
        let (one, other) = (component("form", "a/b"), component("form", "a b"));
        assert!(one.starts_with("form.a_b.") && one != other, "{one} {other}");
        assert_ne!(component("form", "a_b"), one);
    }

    #[test]
    fn paths_with_different_parameter_names_are_merged() {
        assert_eq!(
            (shape("/a/{b}/c/{d}.json"), names("/{b}/{d}")),
            ("/a/{}/c/{}.json".into(), vec!["b", "d"])
        );
        let mut paths = Paths::default();
        let operation = |name: &str| {
            let mut operation = OpenApiOperation::new("t", name);
            operation.parameter(name, ParameterLocation::Path, true, json!({ "type": "string" }));
            operation
        };
        paths.add("/a/{id}".to_owned(), "GET", operation("id"));
        paths.add("/a/{key}".to_owned(), "GET", operation("key"));
        paths.add("/a/{key}".to_owned(), "PUT", operation("key"));
        let value = paths.into_value();
        let item = &value["/a/{id}"];
        assert_eq!(value.as_object().map(Map::len), Some(1), "{value}");
        for method in ["get", "put"] {
            let parameters = item[method]["parameters"].as_array().cloned().unwrap_or_default();
            assert_eq!((parameters.len(), &parameters[0]["name"]), (1, &json!("id")), "{value}");
        }
    }
}
