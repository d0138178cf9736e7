//! The operations of Registrar's own routes, which belong to no contract.

use serde_json::{Value, json};

use super::{OpenApiOperation, ParameterLocation, Paths, Schemas};

/// The tag that groups Registrar's own routes.
pub(super) const TAG: &str = "registrar";

/// The media type of form configurations and error responses.
const API: &str = "application/vnd.api+json";
const PROBLEM: &str = "application/problem+json";

pub(super) fn add(paths: &mut Paths, schemas: &mut Schemas) {
    common(schemas);
    let text = || json!({ "type": "string", "minLength": 1 });
    let forms = json!({
        "type": "object",
        "required": ["form_configurations"],
        "properties": {
            "form_configurations": { "type": "array", "items": Schemas::reference("FormConfiguration") },
        },
    });
    let mut all = guarded("All forms");
    all.response(200, "The forms, by name.", Some((API, forms)));
    paths.add("/api/form_configurations".to_owned(), "GET", all);
    let mut one = guarded("A form");
    one.parameter("name", ParameterLocation::Path, true, text());
    one.response(200, "The form.", Some((API, Schemas::reference("FormConfiguration"))));
    refusal(&mut one, 404, "There is no form of this name.");
    paths.add("/api/form_configurations/{name}".to_owned(), "GET", one);
    let mut schema = guarded("The JSON Schema of submissions to a form");
    schema.parameter("name", ParameterLocation::Path, true, text());
    schema.response(
        200,
        "A JSON Schema of draft 2020-12.",
        Some(("application/schema+json", json!({ "type": "object", "required": ["$schema"] }))),
    );
    refusal(&mut schema, 404, "There is no form of this name.");
    paths.add("/api/form_configurations/{name}/schema".to_owned(), "GET", schema);
    let mut openapi = guarded("This document");
    openapi.response(
        200,
        "The API, in OpenAPI 3.1.",
        Some(("application/json", json!({ "type": "object", "required": ["openapi", "paths"] }))),
    );
    paths.add("/openapi.json".to_owned(), "GET", openapi);
    health(paths);
}

fn health(paths: &mut Paths) {
    let status = |word: &str| json!({ "const": word });
    let mut live = OpenApiOperation::new(TAG, "Whether the server is running");
    let up = json!({ "type": "object", "required": ["status"], "properties": { "status": status("up") } });
    live.response(200, "The server is running.", Some(("application/json", up)));
    paths.add("/health/live".to_owned(), "GET", live);
    let texts = || json!({ "type": "array", "items": { "type": "string" }, "minItems": 1 });
    let mut ready = OpenApiOperation::new(TAG, "Whether users can be created");
    let yes = json!({
        "type": "object",
        "required": ["status", "forms", "forms_loaded_at"],
        "properties": {
            "status": status("ready"),
            "forms": { "type": "integer" },
            "forms_loaded_at": { "type": "string", "format": "date-time" },
            "forms_problems": texts(),
        },
    });
    ready.response(200, "Users can be created.", Some(("application/json", yes)));
    let no = json!({
        "type": "object",
        "required": ["status", "reasons"],
        "properties": { "status": status("not ready"), "reasons": texts() },
    });
    ready.response(503, "Users cannot be created.", Some(("application/json", no)));
    ready.response(503, "Users cannot be created.", Some((PROBLEM, Schemas::reference("Problem"))));
    paths.add("/health/ready".to_owned(), "GET", ready);
    let mut metrics = OpenApiOperation::new(TAG, "Metrics for Prometheus");
    let page = json!({ "type": "string" });
    metrics.response(200, "The text format 0.0.4.", Some(("text/plain", page)));
    paths.add("/metrics".to_owned(), "GET", metrics);
}

/// Returns an operation that requires a token.
fn guarded(summary: &str) -> OpenApiOperation {
    let mut operation = OpenApiOperation::new(TAG, summary);
    operation.secured_by("bearer");
    operation.secured_by("token");
    refusal(&mut operation, 401, "The token is missing or invalid.");
    operation.header(401, "WWW-Authenticate", json!({ "type": "string" }));
    refusal(&mut operation, 403, "The token may not do this.");
    refusal(&mut operation, 429, "Too many requests with this token.");
    operation.header(429, "Retry-After", json!({ "type": "string" }));
    refusal(&mut operation, 500, "The server failed.");
    refusal(&mut operation, 503, "The database is unavailable.");
    operation.header(503, "Retry-After", json!({ "type": "string" }));
    operation
}

fn refusal(operation: &mut OpenApiOperation, status: u16, description: &str) {
    operation.response(status, description, Some((API, Schemas::reference("Refusal"))));
    operation.response(status, description, Some((PROBLEM, Schemas::reference("Problem"))));
}

/// Adds the schemas shared by responses.
fn common(schemas: &mut Schemas) {
    let text = || json!({ "type": "string" });
    let mut add = |name: &str, schema: Value| schemas.add(name.to_owned(), || schema);
    add(
        "FormConfiguration",
        json!({
            "type": "object",
            "required": ["name", "description", "version", "schema"],
            "properties": {
                "name": text(),
                "description": { "type": ["string", "null"] },
                "version": { "type": "string", "description": "A hash of the form and everything it depends on." },
                "schema": { "type": "string", "description": "The URL path of its JSON Schema." },
            },
        }),
    );
    add(
        "Detail",
        json!({
            "type": "object",
            "description": "A violation, or another error of a request.",
            "required": ["field", "code", "params", "message"],
            "properties": {
                "field": { "type": "string", "description": "`transactables.boat[1].name`; `base` if the error does not belong to a single field." },
                "pointer": { "type": "string", "description": "The position in the body, as a JSON Pointer (RFC 6901)." },
                "code": { "type": "string", "description": "Stable and independent of the language." },
                "params": { "type": "object" },
                "message": text(),
                "full_message": text(),
            },
        }),
    );
    let errors = json!({
        "type": "object",
        "description": "Messages by field.",
        "additionalProperties": { "type": "array", "items": { "type": "string" } },
    });
    let details = json!({ "type": "array", "items": Schemas::reference("Detail") });
    let truncated =
        json!({ "const": true, "description": "There are more errors than are listed." });
    add(
        "Refusal",
        json!({
            "type": "object",
            "required": ["errors", "details"],
            "properties": { "errors": errors, "details": details, "truncated": truncated },
        }),
    );
    add(
        "Problem",
        json!({
            "type": "object",
            "description": "RFC 9457 problem details, with `errors` and `details` as in `Refusal`.",
            "required": ["type", "title", "status", "detail"],
            "properties": {
                "type": text(),
                "title": text(),
                "status": { "type": "integer" },
                "detail": text(),
                "errors": { "type": "object" },
                "details": details,
            },
        }),
    );
    add("User", user());
}

/// Returns the schema of a stored user.
fn user() -> Value {
    let maybe = || json!({ "type": ["string", "null"] });
    let time = || json!({ "type": "string", "format": "date-time" });
    let by_type = |of: Value| json!({ "type": "object", "additionalProperties": of });
    let records = || json!({ "type": "array", "items": { "type": "object" } });
    json!({
        "type": "object",
        "required": ["id", "uuid", "properties", "profiles", "created_at", "updated_at"],
        "properties": {
            "id": { "type": "integer" },
            "uuid": { "type": "string", "format": "uuid" },
            "email": maybe(),
            "external_id": maybe(),
            "first_name": maybe(),
            "middle_name": maybe(),
            "last_name": maybe(),
            "name": maybe(),
            "featured": { "type": "boolean" },
            "public_profile": { "type": "boolean" },
            "language": maybe(),
            "time_zone": maybe(),
            "phone": maybe(),
            "mobile_number": maybe(),
            "properties": { "type": "object" },
            "profiles": by_type(json!({ "type": "object" })),
            "relationship_users": by_type(records()),
            "transactables": by_type(records()),
            "customizations": by_type(records()),
            "created_at": time(),
            "updated_at": time(),
        },
    })
}
