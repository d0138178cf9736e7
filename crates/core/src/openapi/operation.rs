//! One operation of the document, put together piece by piece: several routes may be one operation
//! to OpenAPI, where they differ by the query or by a version alone.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Where a parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ParameterLocation {
    Path,
    Query,
}

/// An operation.
#[derive(Debug, Clone, Default)]
pub(crate) struct OpenApiOperation {
    tags: Vec<String>,
    summaries: Vec<String>,
    notes: Vec<String>,
    /// Names of security schemes, each of which is enough. Empty: nobody need say who they are.
    security: Vec<&'static str>,
    parameters: BTreeMap<(ParameterLocation, String), (bool, Value)>,
    /// Whether there must be a body.
    needs_body: bool,
    /// Schemas by media type.
    bodies: BTreeMap<String, Vec<Value>>,
    answers: BTreeMap<u16, OpenApiResponse>,
}

/// The answers of one status.
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

    /// Says more of it.
    pub(crate) fn add_note(&mut self, text: String) {
        push(&mut self.notes, text);
    }

    /// Lets in who says who they are by this scheme.
    pub(crate) fn secured_by(&mut self, scheme: &'static str) {
        push(&mut self.security, scheme);
    }

    pub(crate) fn parameter(
        &mut self,
        name: &str,
        place: ParameterLocation,
        is_needed: bool,
        schema: Value,
    ) {
        self.parameters.insert((place, name.to_owned()), (is_needed, schema));
    }

    /// A body of a media type.
    pub(crate) fn body(&mut self, media_type: &str, schema: Value, is_needed: bool) {
        self.needs_body |= is_needed;
        push(self.bodies.entry(media_type.to_owned()).or_default(), schema);
    }

    /// An answer of a status; with a body, where a media type is said.
    pub(crate) fn response(&mut self, status: u16, description: &str, body: Option<(&str, Value)>) {
        let answer = self.answers.entry(status).or_default();
        push(&mut answer.descriptions, description.to_owned());
        if let Some((media_type, schema)) = body {
            push(answer.bodies.entry(media_type.to_owned()).or_default(), schema);
        }
    }

    /// A header that answers of a status may have.
    pub(crate) fn header(&mut self, status: u16, name: &str, schema: Value) {
        let answer = self.answers.entry(status).or_default();
        answer.headers.insert(name.to_owned(), json!({ "schema": schema }));
    }

    /// Calls the parts of its path by other names.
    pub(crate) fn rename(&mut self, from: &[&str], to: &[&str]) {
        let renamed =
            std::mem::take(&mut self.parameters).into_iter().map(|((place, name), said)| {
                let at = from
                    .iter()
                    .position(|known| *known == name)
                    .filter(|_| place == ParameterLocation::Path);
                let name = at.and_then(|at| to.get(at)).map_or(name, |name| (*name).to_owned());
                ((place, name), said)
            });
        self.parameters = renamed.collect();
    }

    /// Adds what another route at the same place can do.
    pub(crate) fn merge(&mut self, other: Self) {
        for (mine, more) in [
            (&mut self.tags, other.tags),
            (&mut self.summaries, other.summaries),
            (&mut self.notes, other.notes),
        ] {
            more.into_iter().for_each(|text| push(mine, text));
        }
        // Where one of them lets everybody in, all may come.
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
        let parameters = self.parameters.into_iter().map(|((place, name), (is_needed, schema))| {
            let place = if place == ParameterLocation::Path { "path" } else { "query" };
            json!({ "name": name, "in": place, "required": is_needed, "schema": schema })
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
            let mut said = json!({ "description": answer.descriptions.join(" ") });
            if !answer.headers.is_empty() {
                said["headers"] = answer.headers.into_iter().collect();
            }
            if !answer.bodies.is_empty() {
                said["content"] = content(answer.bodies);
            }
            (status.to_string(), said)
        });
        add("responses", answers.collect());
        Value::Object(value)
    }
}

/// A parameter that only one of two routes has. To the other one any value of it in the query is none
/// of its business, so that nothing is refused for it.
fn of_one(
    (place, _): &(ParameterLocation, String),
    is_needed: bool,
    schema: Value,
) -> (bool, Value) {
    match (place, schema.get("enum")) {
        (ParameterLocation::Path, _) => (is_needed, schema),
        (ParameterLocation::Query, Some(known)) => (false, json!({ "examples": known })),
        (ParameterLocation::Query, None) => (false, json!({})),
    }
}

/// Adds what is not there yet.
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

/// Media types with their schemas; of several, any may be.
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
