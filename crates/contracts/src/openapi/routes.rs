//! The routes of a contract as OpenAPI operations, with parameters, bodies and a response for each
//! outcome.

use serde_json::{Value as Json, json};

use super::{OpenApiOperation, ParameterLocation, Schemas};
use crate::contract::outcome::Outcome;
use crate::contract::request_context::RequestContext;
use crate::contract::route::Route;
use crate::contract::{Action, Operation};
use crate::contract::{Contract, Scheme};
use registrar_core::record_kind::RecordKind;
use registrar_core::value::Value;

/// Server errors that every request can have.
const SERVER_ERRORS: [(u16, &str); 2] =
    [(500, "The server failed."), (503, "The server is overloaded or has no database connection.")];
/// Errors that every request with a token can have.
const CALLER_ERRORS: [(u16, &str); 2] =
    [(403, "The token may not do this."), (429, "Too many requests with this token.")];
/// Errors that every request with a body can have.
const BODY_ERRORS: [(u16, &str); 3] = [
    (400, "The body is incomplete."),
    (408, "The body was not received in time."),
    (413, "The body is too large."),
];
/// The error of an unreadable query.
const QUERY_ERROR: (u16, &str) = (400, "The query cannot be read.");
/// The error that every request that writes can have.
const WRITE_ERROR: (u16, &str) = (507, "The database's disk is full.");

impl Contract {
    /// Returns the operations of its routes: path with the mount, method, operation.
    pub(crate) fn openapi_operations(
        &self,
        schemas: &mut Schemas,
    ) -> Vec<(String, &str, OpenApiOperation)> {
        let mount = self.mount.as_deref().unwrap_or_default();
        let of = |route| {
            let (path, operation) = self.operation(route, schemas);
            (format!("{mount}{path}"), Route::method(route), operation)
        };
        self.routes.iter().map(of).collect()
    }

    fn operation(&self, route: &Route, schemas: &mut Schemas) -> (String, OpenApiOperation) {
        let action = &route.action;
        let (path, aliases) = route.plain_paths();
        let mut operation = OpenApiOperation::new(&self.name, &summary(action));
        if !aliases.is_empty() {
            operation.add_note(format!("Also at `{}`.", aliases.join("`, `")));
        }
        if let Some(version) = &self.api_version {
            let (parameter, is) = (&version.parameter, &version.is);
            operation.add_note(format!(
                "`{}` is selected by `Accept: */*; {parameter}={is}`.",
                self.name
            ));
        }
        if !action.is_public {
            for scheme in &self.authentication.schemes {
                operation.secured_by(match scheme {
                    Scheme::Token => "token",
                    Scheme::Bearer => "bearer",
                    Scheme::Key => "key",
                    Scheme::Basic => "basic",
                });
            }
        }
        let text = || json!({ "type": "string", "minLength": 1 });
        for name in route.path_names() {
            operation.parameter(&name, ParameterLocation::Path, true, text());
        }
        for name in action.query_lookup_names() {
            operation.parameter(name, ParameterLocation::Query, false, json!({ "type": "string" }));
        }
        if action.operation == Operation::List {
            for (name, schema) in action.paging.parameters() {
                operation.parameter(name, ParameterLocation::Query, false, schema);
            }
        }
        for (name, required) in route.query() {
            let schema = required.map_or_else(
                || json!({ "type": "string" }),
                |required| json!({ "enum": [required] }),
            );
            operation.parameter(name, ParameterLocation::Query, true, schema);
        }
        self.describe_request_body(action, schemas, &mut operation);
        let outcomes = self.possible_outcomes(action, !route.path_names().is_empty());
        for outcome in outcomes {
            self.describe_response(action, outcome, &mut operation);
        }
        (path, operation)
    }

    /// Whether the route needs a credential.
    fn requires_caller(&self, action: &Action) -> bool {
        !self.authentication.schemes.is_empty() && !action.is_public
    }

    /// Returns all outcomes that a route can have.
    fn possible_outcomes(&self, action: &Action, has_names: bool) -> Vec<Outcome> {
        let mut outcomes = action.outcomes();
        if self.requires_caller(action) {
            outcomes.extend([Outcome::MissingCredentials, Outcome::InvalidCredentials]);
        }
        if action.operation.has_form() {
            outcomes.push(Outcome::Taken);
        }
        if action.names_form() {
            // The selected form validates the submission, whatever the operation is.
            outcomes.push(Outcome::Invalid);
        }
        if self.api_version.is_some() {
            outcomes.push(Outcome::NotAcceptable);
        }
        if has_names {
            outcomes.push(Outcome::RouteNotFound);
        }
        outcomes.push(Outcome::Error);
        outcomes.sort_unstable();
        outcomes.dedup();
        outcomes
    }

    fn describe_response(
        &self,
        action: &Action,
        outcome: Outcome,
        operation: &mut OpenApiOperation,
    ) {
        let Some(answer) = self.response_template(Some(action), outcome) else { return };
        let statuses: Vec<(u16, &str)> = match (answer.status, outcome) {
            (Some(status), _) => vec![(status, outcome.description())],
            (None, Outcome::Error) => {
                let reads = action.operation.has_body()
                    || matches!(action.operation, Operation::Delete | Operation::Revoke);
                let reading = BODY_ERRORS.into_iter().filter(|_| reads);
                let writes =
                    !action.operation.only_reads() && action.operation != Operation::Respond;
                let writing = [WRITE_ERROR].into_iter().filter(|_| writes);
                let asking = CALLER_ERRORS.into_iter().filter(|_| self.requires_caller(action));
                let query_errors = [QUERY_ERROR].into_iter().filter(|_| self.reads_query(action));
                SERVER_ERRORS
                    .into_iter()
                    .chain(asking)
                    .chain(query_errors)
                    .chain(reading)
                    .chain(writing)
                    .collect()
            }
            (None, _) => return,
        };
        for (status, description) in statuses {
            let body = self.example_body(action, outcome, status);
            let body = body.as_ref().map(|(media, schema)| (media.as_str(), schema.clone()));
            operation.response(status, description, body);
            if self.has_problems && status >= 400 {
                let problem = Some(("application/problem+json", Schemas::reference("Problem")));
                operation.response(status, description, problem);
            }
            let headers =
                answer.header_names().filter(|name| !name.eq_ignore_ascii_case("content-type"));
            for name in headers {
                operation.header(status, name, json!({ "type": "string" }));
            }
            if [429, 503].contains(&status) && outcome == Outcome::Error {
                operation.header(status, "Retry-After", json!({ "type": "string" }));
            }
        }
    }

    /// Returns the content type of an answer, and a schema of its body with the names that are
    /// always present and the types of ids. The answer is rendered without values, and again with
    /// ids only.
    fn example_body(
        &self,
        action: &Action,
        outcome: Outcome,
        status: u16,
    ) -> Option<(String, Json)> {
        let answer = self.response_template(Some(action), outcome)?;
        let media_type = essence(answer.content_type()?);
        let filled = |ids: &Value<'static>| {
            let known = |name: &str| if name == "ids" { ids.clone() } else { Value::Null };
            let values = outcome.values().iter().map(|name| (*name, known(name))).collect();
            let request = RequestContext::default();
            self.answer((Some(action), outcome), (status, ""), &request, values).ok()
        };
        let Some(rendered) = filled(&Value::Null) else { return Some((media_type, json!({}))) };
        if rendered.body.is_empty() {
            return None;
        }
        if !media_type.ends_with("json") {
            return Some((media_type, json!({ "type": "string" })));
        }
        let read = |body: &[u8]| serde_json::from_slice::<Json>(body).ok();
        let schema = match read(&rendered.body) {
            Some(Json::Null) if answer.reads("user") => match self.times {
                None => Schemas::reference("User"),
                Some(_) => json!({ "type": "object" }),
            },
            Some(Json::Object(entries))
                if self.catalogue.is_of_forms
                    && entries.len() == 2
                    && ["errors", "details"].iter().all(|name| entries.contains_key(*name))
                    && answer.reads("details") =>
            {
                Schemas::reference("Refusal")
            }
            Some(body) => {
                let one = Value::Object(vec![("id".into(), Value::Number("1".into()))]);
                let ids = self.id_values(&one, action.resource == RecordKind::User);
                let with_ids = filled(&ids).and_then(|rendered| read(&rendered.body));
                skeleton(&body, &with_ids.unwrap_or_default())
            }
            None => json!({}),
        };
        Some((media_type, schema))
    }
}

/// Derives a schema from a body rendered without values and from the same body with ids only: a
/// value that appears only in the second one is an id.
fn skeleton(body: &Json, with_ids: &Json) -> Json {
    match (body, with_ids) {
        (Json::Object(entries), _) if !entries.is_empty() => {
            let inner = |(name, value): (&String, &Json)| {
                (name.clone(), skeleton(value, with_ids.get(name).unwrap_or_default()))
            };
            let properties: Json = entries.iter().map(inner).collect();
            let names: Vec<&String> = entries.keys().collect();
            json!({ "type": "object", "properties": properties, "required": names })
        }
        (Json::Object(_), _) => json!({ "type": "object" }),
        (Json::Array(_), _) => json!({ "type": "array" }),
        (Json::Null, Json::Number(_)) => json!({ "type": "integer" }),
        (Json::Null, Json::String(_)) => json!({ "type": "string" }),
        _ => json!({}),
    }
}

/// Returns a media type without its parameters.
fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Returns the summary of an operation: `Create transactable`.
fn summary(action: &Action) -> String {
    let word = action.operation.name();
    match (action.operation, action.resource) {
        (Operation::IssueToken, _) => "Issue a token".to_owned(),
        (Operation::Revoke, _) => "Revoke the caller's token".to_owned(),
        (Operation::Verify, _) => "Verify a user's name and password".to_owned(),
        (Operation::Respond, _) => "Return a fixed response".to_owned(),
        (_, resource) => {
            let what = match resource {
                RecordKind::User => "user".to_owned(),
                other => other.resource_name().to_lowercase(),
            };
            let many = if action.operation == Operation::List { "s" } else { "" };
            let mut letters = word.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            format!("{}{} {what}{many}", first.into_iter().collect::<String>(), letters.as_str())
        }
    }
}
