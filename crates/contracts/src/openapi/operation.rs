//! A builder for one OpenAPI operation. Several routes may be one operation, if they differ only in
//! the query or the version.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// The location of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ParameterLocation {
    Path,
    Query,
}

/// An OpenAPI operation under construction.
#[derive(Debug, Clone, Default)]
pub(crate) struct OpenApiOperation {
    tags: Vec<String>,
    summaries: Vec<String>,
    notes: Vec<String>,
    /// Names of security schemes, each of which suffices. Empty if the operation is public.
    security: Vec<&'static str>,
    parameters: BTreeMap<(ParameterLocation, String), (bool, Value)>,
    /// Whether the body is required.
    needs_body: bool,
    /// Schemas of the request body by media type.
    bodies: BTreeMap<String, Vec<Value>>,
    answers: BTreeMap<u16, OpenApiResponse>,
}

/// The responses of one status.
#[derive(Debug, Clone, Default)]
struct OpenApiResponse {
    descriptions: Vec<String>,
    headers: BTreeMap<String, Value>,
    bodies: BTreeMap<String, Vec<Value>>,
}

impl OpenApiOperation {
    pub(crate) fn new(tag: &str, summary: &str) -> Self {
        let (tags, summaries) = (vec![tag.to_owned()], vec![summary.to_owned()]);
        Self { tags, summaries, ..Self::default() }
    }

    /// Adds a sentence to the description.
    pub(crate) fn add_note(&mut self, text: String) {
        push(&mut self.notes, text);
    }

    /// Adds a security scheme that suffices for access.
    pub(crate) fn secured_by(&mut self, scheme: &'static str) {
        push(&mut self.security, scheme);
    }

    pub(crate) fn parameter(
        &mut self,
        name: &str,
        location: ParameterLocation,
        is_needed: bool,
        schema: Value,
    ) {
        self.parameters.insert((location, name.to_owned()), (is_needed, schema));
    }

    /// Adds a schema of the request body for a media type.
    pub(crate) fn body(&mut self, media_type: &str, schema: Value, is_needed: bool) {
        self.needs_body |= is_needed;
        push(self.bodies.entry(media_type.to_owned()).or_default(), schema);
    }

    /// Adds a response of a status, with the media type and schema of its body, if it has one.
    pub(crate) fn response(&mut self, status: u16, description: &str, body: Option<(&str, Value)>) {
        let answer = self.answers.entry(status).or_default();
        push(&mut answer.descriptions, description.to_owned());
        if let Some((media_type, schema)) = body {
            push(answer.bodies.entry(media_type.to_owned()).or_default(), schema);
        }
    }

    /// Adds a header to the responses of a status.
    pub(crate) fn header(&mut self, status: u16, name: &str, schema: Value) {
        let answer = self.answers.entry(status).or_default();
        answer.headers.insert(name.to_owned(), json!({ "schema": schema }));
    }

    /// Renames the path parameters from `from` to the names at the same index in `to`.
    pub(crate) fn rename(&mut self, from: &[&str], to: &[&str]) {
        let renamed = std::mem::take(&mut self.parameters).into_iter().map(
            |((location, name), parameter)| {
                let at = from
                    .iter()
                    .position(|known| *known == name)
                    .filter(|_| location == ParameterLocation::Path);
                let name = at.and_then(|at| to.get(at)).map_or(name, |name| (*name).to_owned());
                ((location, name), parameter)
            },
        );
        self.parameters = renamed.collect();
    }

    /// Merges the operation of another route with the same path and method.
    pub(crate) fn merge(&mut self, other: Self) {
        for (mine, more) in [
            (&mut self.tags, other.tags),
            (&mut self.summaries, other.summaries),
            (&mut self.notes, other.notes),
        ] {
            more.into_iter().for_each(|text| push(mine, text));
        }
        // If one of them is public, so is the merged operation.
        if self.security.is_empty() || other.security.is_empty() {
            self.security.clear();
        } else {
            other.security.into_iter().for_each(|scheme| push(&mut self.security, scheme));
        }
        let mut parameters = std::mem::take(&mut self.parameters);
        for (key, (is_needed, schema)) in other.parameters {
            match parameters.remove(&key) {
                Some((was_needed, known)) => {
                    let schema = if known == schema { schema } else { json!({}) };
                    self.parameters.insert(key, (is_needed && was_needed, schema));
                }
                None => drop(self.parameters.insert(key.clone(), of_one(&key, is_needed, schema))),
            }
        }
        for (key, (is_needed, schema)) in parameters {
            self.parameters.insert(key.clone(), of_one(&key, is_needed, schema));
        }
        self.needs_body &= other.needs_body;
        join(&mut self.bodies, other.bodies);
        for (status, answer) in other.answers {
            let mine = self.answers.entry(status).or_default();
            answer.descriptions.into_iter().for_each(|text| push(&mut mine.descriptions, text));
            mine.headers.extend(answer.headers);
            join(&mut mine.bodies, answer.bodies);
        }
    }

    pub(crate) fn into_value(self, id: &str) -> Value {
        let mut value = Map::new();
        let mut add = |key: &str, of: Value| drop(value.insert(key.to_owned(), of));
        add("operationId", id.into());
        add("tags", self.tags.into());
        add("summary", self.summaries.join("; ").into());
        if !self.notes.is_empty() {
            add("description", self.notes.join(" ").into());
        }
        let security = self.security.into_iter().map(|scheme| json!({ scheme: [] }));
        add("security", security.collect());
        let parameters =
            self.parameters.into_iter().map(|((location, name), (is_needed, schema))| {
                let location = if location == ParameterLocation::Path { "path" } else { "query" };
                json!({ "name": name, "in": location, "required": is_needed, "schema": schema })
            });
        let parameters: Vec<Value> = parameters.collect();
        if !parameters.is_empty() {
            add("parameters", parameters.into());
        }
        if !self.bodies.is_empty() {
            let content = content(self.bodies);
            add("requestBody", json!({ "required": self.needs_body, "content": content }));
        }
        let answers = self.answers.into_iter().map(|(status, answer)| {
            let mut response = json!({ "description": answer.descriptions.join(" ") });
            if !answer.headers.is_empty() {
                response["headers"] = answer.headers.into_iter().collect();
            }
            if !answer.bodies.is_empty() {
                response["content"] = content(answer.bodies);
            }
            (status.to_string(), response)
        });
        add("responses", answers.collect());
        Value::Object(value)
    }
}

/// Returns a parameter that only one of two merged routes has. In the query it becomes optional,
/// with any value, since the other route ignores it.
fn of_one(
    (location, _): &(ParameterLocation, String),
    is_needed: bool,
    schema: Value,
) -> (bool, Value) {
    match (location, schema.get("enum")) {
        (ParameterLocation::Path, _) => (is_needed, schema),
        (ParameterLocation::Query, Some(known)) => (false, json!({ "examples": known })),
        (ParameterLocation::Query, None) => (false, json!({})),
    }
}

/// Adds an item unless the list contains it.
fn push<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

fn join(mine: &mut BTreeMap<String, Vec<Value>>, more: BTreeMap<String, Vec<Value>>) {
    for (media_type, schemas) in more {
        let known = mine.entry(media_type).or_default();
        schemas.into_iter().for_each(|schema| push(known, schema));
    }
}

/// Returns a `content` object: the schema of each media type, or `anyOf` several.
fn content(bodies: BTreeMap<String, Vec<Value>>) -> Value {
    let one = |(media_type, mut schemas): (String, Vec<Value>)| {
        let schema = match schemas.len() {
            1 => schemas.swap_remove(0),
            _ if schemas.contains(&json!({})) => json!({}),
            _ => json!({ "anyOf": schemas }),
        };
        (media_type, json!({ "schema": schema }))
    };
    bodies.into_iter().map(one).collect()
}
