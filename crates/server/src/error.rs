//! Errors of requests: status, stable code and message, and the contract outcome that they map to.
//!
//! An error never contains submitted values.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use registrar_contracts::decode::DecodeError;
use registrar_contracts::{
    Contract, ContractError, ErrorResponse, InvalidParameter, Outcome, Rejection,
};
use registrar_core::Refusals;
use registrar_core::record_kind::RecordKind;
use registrar_core::value::Value;
use registrar_core::violation::Violations;
use registrar_store::{CreateError, ReadError, Refusal};

/// Values of one reply for its body template, by name.
pub(crate) type ReplyValues = Vec<(&'static str, Value<'static>)>;

/// Reason that a request is not fulfilled.
#[derive(Debug)]
pub(crate) struct ApiError(Box<Details>);

#[derive(Debug)]
struct Details {
    outcome: Outcome,
    /// Status unless the contract defines one for the outcome.
    status: StatusCode,
    field: Cow<'static, str>,
    code: &'static str,
    /// Message; empty for the reason phrase of the status.
    message: String,
    suggestion: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
    values: ReplyValues,
    /// Cause that is logged but not shown.
    cause: Option<String>,
    validation: Option<Box<ErrorResponse>>,
}

impl ApiError {
    /// Returns an error without a contract outcome of its own.
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            outcome: Outcome::Error,
            status,
            field: "base".into(),
            code,
            message: message.into(),
            suggestion: None,
            headers: Vec::new(),
            values: Vec::new(),
            cause: None,
            validation: None,
        }))
    }

    /// Ends an operation with an outcome of the contract, which also defines the status.
    pub(crate) fn outcome(outcome: Outcome) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, outcome.name(), "").with_outcome(outcome)
    }

    /// Returns 500.
    pub(crate) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server failed")
    }

    /// Returns 503 with `Retry-After`.
    pub(crate) fn unavailable(
        code: &'static str,
        message: impl Into<String>,
        retry_after_seconds: u16,
    ) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message)
            .with_header(header::RETRY_AFTER, retry_after_seconds.into())
    }

    /// Returns 404.
    pub(crate) fn not_found(message: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message).with_outcome(Outcome::NotFound)
    }

    /// Returns 404 for a user or record that does not exist or may not be accessed.
    pub(crate) fn entity_not_found(resource: RecordKind) -> Self {
        let is_user = resource == RecordKind::User;
        Self::not_found(if is_user { "there is no such user" } else { "there is no such record" })
    }

    /// Returns 404 for an unknown route.
    pub(crate) fn route_not_found() -> Self {
        Self::not_found("there is no such route").with_outcome(Outcome::RouteNotFound)
    }

    /// Returns 405. `allowed` is the value of `Allow`.
    pub(crate) fn method_not_allowed(allowed: &str) -> Self {
        let message = format!("the method is not served here: expected {allowed}");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
            .with_outcome(Outcome::MethodNotAllowed)
            .with_value("allow", Value::String(allowed.to_owned().into()))
    }

    /// Returns 401 for a request without a token.
    pub(crate) fn missing_token() -> Self {
        Self::unauthorized(
            "missing_token",
            "a token is needed: send `Authorization: Token token=…`",
        )
        .with_outcome(Outcome::MissingCredentials)
    }

    /// Returns 401 for credentials that are not valid.
    pub(crate) fn invalid_token() -> Self {
        let message = "the token is not valid: unknown, revoked or expired";
        Self::unauthorized("invalid_token", message).with_outcome(Outcome::InvalidCredentials)
    }

    fn unauthorized(code: &'static str, message: &str) -> Self {
        let challenge = HeaderValue::from_static("Token realm=\"Application\"");
        Self::new(StatusCode::UNAUTHORIZED, code, message)
            .with_header(header::WWW_AUTHENTICATE, challenge)
    }

    /// Returns 403 for a write to records of somebody else.
    pub(crate) fn not_owner() -> Self {
        let text = "a user may only write its own records: use an operator token";
        Self::new(StatusCode::FORBIDDEN, "not_owner", text)
    }

    /// Returns 400 for a body that cannot be decoded.
    pub(crate) fn malformed_body(error: &DecodeError, bytes: &[u8]) -> Self {
        let (name, value) = Contract::malformed_details(error, bytes);
        let message = value.get("what").and_then(Value::as_str).unwrap_or_default();
        let message = format!("the body cannot be read: {message}");
        Self::new(StatusCode::BAD_REQUEST, "malformed", message)
            .with_outcome(Outcome::Malformed)
            .with_value(name, value)
    }

    /// Returns 415.
    pub(crate) fn unsupported_media_type(message: &str) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message)
            .with_outcome(Outcome::UnsupportedMediaType)
    }

    /// Returns 406 for a body that is not an object. `got` names the type of the body.
    pub(crate) fn not_an_object(got: &str, names_form: bool) -> Self {
        let message = match names_form {
            true => "the body is not an object: expected `form_configuration_name` and `form`",
            false => "the body is not an object",
        };
        Self::new(StatusCode::NOT_ACCEPTABLE, "wrong_parameters", message)
            .with_outcome(Outcome::NotAnObject)
            .with_value("got", Value::String(got.to_owned().into()))
    }

    /// Returns 422 or the contract's status for a submission that is not valid.
    pub(crate) fn invalid(validation: Box<ErrorResponse>) -> Self {
        let mut error = Self::outcome(Outcome::Invalid);
        error.0.validation = Some(validation);
        error
    }

    /// Returns the error for writes that keep conflicting with others.
    pub(crate) fn contended() -> Self {
        Self::unavailable("busy", "the user is being changed by others: try again in a moment", 1)
    }

    /// Returns the error for a failed internal step. The cause is logged, not shown.
    pub(crate) fn failed(cause: impl Into<String>) -> Self {
        let mut error = Self::internal();
        error.0.cause = Some(cause.into());
        error
    }

    /// Sets the outcome of a contract that the error maps to.
    pub(crate) fn with_outcome(mut self, outcome: Outcome) -> Self {
        self.0.outcome = outcome;
        self
    }

    /// Adds a header.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// Adds a value for the body template of a contract.
    pub(crate) fn with_value(mut self, name: &'static str, value: Value<'static>) -> Self {
        self.0.values.push((name, value));
        self
    }

    /// Adds a similar name that was probably meant.
    pub(crate) fn with_suggestion(mut self, name: Option<&str>) -> Self {
        if let Some(name) = name {
            self.0.message = format!("{}: did you mean `{name}`?", self.0.message);
            self.0.suggestion = Some(name.to_owned());
        }
        self
    }

    /// Returns the stable code.
    pub(crate) fn code(&self) -> &'static str {
        self.0.code
    }

    /// Returns the status to use unless a contract defines one.
    pub(crate) fn status(&self) -> StatusCode {
        self.0.status
    }

    /// Returns the contract outcome.
    pub(crate) fn contract_outcome(&self) -> Outcome {
        self.0.outcome
    }

    /// Returns the headers.
    pub(crate) fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.0.headers
    }

    /// Returns the cause to log, or `None`.
    pub(crate) fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// Returns the violations, or `None` if the submission was not validated.
    pub(crate) fn violations(&self) -> Option<&Violations> {
        self.0.validation.as_ref().map(|validation| &validation.violations)
    }

    /// Removes and returns the validation errors, or `None` if there are none.
    pub(crate) fn take_validation(&mut self) -> Option<ErrorResponse> {
        self.0.validation.take().map(|validation| *validation)
    }

    /// Removes and returns the values for the body template.
    pub(crate) fn take_values(&mut self) -> ReplyValues {
        std::mem::take(&mut self.0.values)
    }

    /// Returns the message, by default the reason phrase of a status.
    pub(crate) fn message(&self, status: StatusCode) -> &str {
        match &*self.0.message {
            "" => status.canonical_reason().unwrap_or_default(),
            message => message,
        }
    }

    /// Returns `errors` and `details` in the format of validation errors.
    pub(crate) fn to_values(&self, status: StatusCode) -> [(&'static str, Value<'static>); 2] {
        let text = |text: &str| Value::String(text.to_owned().into());
        let message = text(self.message(status));
        let suggestion = self.0.suggestion.as_deref().map(|name| ("near".into(), text(name)));
        let detail = Value::Object(vec![
            ("field".into(), text(&self.0.field)),
            ("code".into(), text(self.0.code)),
            ("params".into(), Value::Object(suggestion.into_iter().collect())),
            ("message".into(), message.clone()),
        ]);
        let messages = (self.0.field.clone(), Value::Array(vec![message]));
        [("errors", Value::Object(vec![messages])), ("details", Value::Array(vec![detail]))]
    }
}

impl From<ContractError> for ApiError {
    fn from(error: ContractError) -> Self {
        Self::failed(error.to_string())
    }
}

impl From<getrandom::Error> for ApiError {
    fn from(_: getrandom::Error) -> Self {
        Self::failed("the operating system's random source failed")
    }
}

impl From<Rejection> for ApiError {
    fn from(error: Rejection) -> Self {
        match error {
            Rejection::Invalid(validation) => Self::invalid(validation),
            Rejection::Failed(error) => error.into(),
        }
    }
}

/// Returns 406 for a parameter beside the form.
impl From<InvalidParameter<'_>> for ApiError {
    fn from(error: InvalidParameter<'_>) -> Self {
        const CODES: [&str; 4] = ["missing", "unknown_form", "wrong_form", "wrong_type"];
        let InvalidParameter { field, code, text, near } = error;
        let known_code = CODES.into_iter().find(|known| *known == code);
        let entries = [("field", field), ("code", code), ("text", text)].into_iter();
        let entries = entries
            .chain(near.map(|near| ("near", near)))
            .map(|(name, text)| (name.into(), Value::String(text.to_owned().into())));
        let parameter = Value::Object(entries.collect());
        let code = known_code.unwrap_or("wrong_parameters");
        let mut error = Self::new(StatusCode::NOT_ACCEPTABLE, code, text);
        error.0.field = field.to_owned().into();
        error
            .with_suggestion(near)
            .with_outcome(Outcome::WrongParameters)
            .with_value("parameter", parameter)
    }
}

impl From<ReadError> for ApiError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable => Self::unavailable("unavailable", error.to_string(), 1),
            ReadError::Failed => Self::internal(),
        }
    }
}

impl From<&CreateError> for ApiError {
    fn from(error: &CreateError) -> Self {
        let text = error.to_string();
        match error {
            CreateError::Busy => Self::unavailable("busy", text, 1),
            CreateError::Unavailable | CreateError::ShuttingDown => {
                Self::unavailable("unavailable", text, 2)
            }
            CreateError::DiskFull => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "storage_full", text)
            }
            CreateError::OwnerMismatch => Self::not_owner(),
            CreateError::InvalidToken => Self::invalid_token(),
            CreateError::IdempotencyKeyUsed => Self::unavailable("idempotency_in_flight", text, 1),
            CreateError::Internal | CreateError::Refused(_) => Self::internal(),
        }
    }
}

/// Groups the refusals of the database by kind.
pub(crate) fn group_refusals(refusals: &[Refusal]) -> Refusals {
    let mut grouped = Refusals::default();
    for refusal in refusals {
        match refusal {
            Refusal::Taken { claim } => grouped.taken.push(*claim),
            Refusal::Missing { reference } => grouped.missing.push(*reference),
            Refusal::MissingOwner => grouped.ownerless = true,
        }
    }
    grouped
}
