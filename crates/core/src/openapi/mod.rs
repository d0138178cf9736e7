//! The whole API as one OpenAPI document: Registrar's own routes, and those of all contracts that
//! are reached by a path. What is said is so; what is not known of a contract's answers is not said.
//! Source: spec.openapis.org/oas/v3.1.1.

mod operation;
mod own;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

pub(crate) use operation::{OpenApiOperation, ParameterLocation};

use crate::contract::Contracts;
use crate::contract::sha256;
use crate::form::Form;

/// The version of the specification.
const OPENAPI_VERSION: &str = "3.1.1";

const API_DESCRIPTION: &str = "Users created through forms that are configuration. Broken rules are told in the \
    language that `Accept-Language` asks for, with codes that never change. Every answer carries \
    `X-Request-Id`.";

/// The schemas that operations share, by name.
#[derive(Debug, Default)]
pub(crate) struct Schemas(BTreeMap<String, Value>);

/// Operations by path, then by method.
#[derive(Debug, Default)]
pub(crate) struct Paths(BTreeMap<String, BTreeMap<String, OpenApiOperation>>);

/// The document of a configuration.
pub(crate) fn document<'f>(forms: impl Iterator<Item = &'f Arc<Form>>, of: &Contracts) -> Value {
    let (mut schemas, mut paths) = (Schemas::default(), Paths::default());
    own::add(&mut paths, &mut schemas);
    let taken: Vec<String> = paths.0.keys().map(|path| shape(path)).collect();
    for form in forms {
        schemas.form(form);
    }
    let mut tags = vec![json!({ "name": own::TAG, "description": "Registrar's own routes." })];
    let mut elsewhere: Vec<&str> = Vec::new();
    for contract in of.list() {
        if contract.mount.is_none() {
            elsewhere.push(&contract.name);
            continue;
        }
        tags.push(json!({
            "name": *contract.name,
            "description": contract.description.as_deref().unwrap_or(&contract.name),
        }));
        for (path, method, operation) in contract.openapi_operations(&mut schemas) {
            // Registrar's own routes come first.
            if !taken.contains(&shape(&path)) {
                paths.add(path, method, operation);
            }
        }
    }
    let mut about = API_DESCRIPTION.to_owned();
    if !elsewhere.is_empty() {
        about.push_str(" Served at hosts of their own, and not described here: ");
        about.push_str(&elsewhere.join(", "));
        about.push('.');
    }
    json!({
        "openapi": OPENAPI_VERSION,
        "info": {
            "title": "Registrar",
            "version": env!("CARGO_PKG_VERSION"),
            "description": about,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "tags": tags,
        "paths": paths.into_value(),
        "components": { "schemas": schemas.0, "securitySchemes": security_schemes() },
    })
}

/// How callers say who they are; the names are those of [`crate::contract::Scheme`].
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
    /// The name of what is submitted to a form; it is there after [`Schemas::form`].
    pub(crate) fn name_of(form: &Form) -> String {
        component("form", &form.name)
    }

    /// A reference to one of them.
    pub(crate) fn reference(name: &str) -> Value {
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    /// Adds one, unless there is one of this name.
    pub(crate) fn add(&mut self, name: String, schema: impl FnOnce() -> Value) {
        self.0.entry(name).or_insert_with(schema);
    }

    fn form(&mut self, form: &Form) {
        self.add(Self::name_of(form), || {
            let mut schema = form.submission_schema();
            if let Value::Object(schema) = &mut schema {
                // The document's dialect is the same; it is said of a whole document only.
                schema.remove("$schema");
            }
            schema
        });
    }

    /// What is posted to a form that the request names by `key`, under `under`. Gives its name.
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
    /// Adds an operation; to one that is there already it adds what it can do more.
    pub(crate) fn add(&mut self, path: String, method: &str, mut operation: OpenApiOperation) {
        let method = method.to_ascii_lowercase();
        // Paths that differ by the names in them only are one path.
        let same = self.0.keys().find(|known| shape(known) == shape(&path)).cloned();
        let path = match same {
            Some(roots_read) if roots_read != path => {
                operation.rename(&names(&path), &names(&roots_read));
                roots_read
            }
            _ => path,
        };
        let methods = self.0.entry(path).or_default();
        match methods.get_mut(&method) {
            Some(known) => known.merge(operation),
            None => drop(methods.insert(method, operation)),
        }
    }

    fn into_value(self) -> Value {
        let item = |(path, methods): (String, BTreeMap<String, OpenApiOperation>)| {
            let id = |method: &str| {
                let words = path.split(|letter: char| !letter.is_ascii_alphanumeric());
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

/// The names in a path, in their order.
fn names(path: &str) -> Vec<&str> {
    let parts = path.split('{').skip(1);
    parts.filter_map(|part| part.split_once('}').map(|(name, _)| name)).collect()
}

/// A path without the names in it.
fn shape(path: &str) -> String {
    names(path)
        .iter()
        .fold(path.to_owned(), |path, name| path.replace(&format!("{{{name}}}"), "{}"))
}

/// The name of a component: of anything, letters that a component's name may not have replaced.
fn component(kind: &str, name: &str) -> String {
    let is_fit = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let whole = format!("{kind}.{name}");
    let fit: String =
        whole.chars().map(|letter| if is_fit(letter) { letter } else { '_' }).collect();
    if fit == whole { fit } else { format!("{fit}.{}", &sha256(&whole)[..8]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_components_are_fit_and_differ() {
        assert_eq!(component("form", "sign_up.v2-a"), "form.sign_up.v2-a");
        let (one, other) = (component("form", "a/b"), component("form", "a b"));
        assert!(one.starts_with("form.a_b.") && one != other, "{one} {other}");
        assert_ne!(component("form", "a_b"), one);
    }

    #[test]
    fn paths_that_differ_by_names_alone_are_one() {
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
