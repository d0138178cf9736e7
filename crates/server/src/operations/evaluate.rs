//! Decodes request bodies and evaluates forms. Large bodies are evaluated on the blocking pool, as many at
//! once as there are workers.

use std::sync::Arc;
use std::time::Duration;

use actix_web::{HttpMessage, web};
use registrar_contracts::{Action, BodyError, Contract, ContractInput, RequestContext, RouteMatch};
use registrar_core::EvalContext;
use registrar_core::aggregate::NewUser;
use registrar_core::form::Form;
use registrar_core::locale::Locale;
use registrar_core::value::{NULL, Value};

use super::request_cx::RequestCx;
use crate::auth::permissions::Permissions;
use crate::error::ApiError;
use crate::http::access_log::FormVersion;
use crate::http::{body, language, multipart};

/// Maximum size of a body that is evaluated on the worker thread, in bytes.
const MAX_INLINE_BODY: usize = 64 * 1024;

/// A request body with the headers that describe it.
#[derive(Debug, Default, Clone)]
pub(super) struct RequestBody {
    /// Media type in lower case.
    pub(super) media_type: String,
    /// Boundary of a multipart body.
    pub(super) boundary: Option<String>,
    /// `Accept-Language`, if the contract is localized.
    pub(super) languages: Option<String>,
    pub(super) bytes: web::Bytes,
}

/// Input of the evaluation of a form.
#[derive(Clone, Copy)]
pub(super) struct Evaluation<'e> {
    pub(super) contract: &'e Contract,
    pub(super) action: &'e Action,
    pub(super) context: &'e RequestContext,
    pub(super) eval_cx: &'e EvalContext,
    pub(super) permissions: &'e Permissions,
    pub(super) body: &'e RequestBody,
}

/// The selected form, if there is one, and the result of its evaluation.
pub(super) type FormResult<T> = (Option<Arc<Form>>, Result<T, ApiError>);

impl<'e> Evaluation<'e> {
    /// Decodes the body. The result borrows from it, so it is decoded again for each use.
    ///
    /// # Errors
    /// Returns an error if the body is not a valid object of a supported media type.
    pub(super) fn decode_body(&self) -> Result<Value<'e>, ApiError> {
        let Self {
            contract, action, body: RequestBody { media_type, boundary, bytes, .. }, ..
        } = *self;
        let is_optional = action.body_is_optional() || !action.operation.has_body();
        if bytes.is_empty() && is_optional {
            return Ok(Value::Object(Vec::new()));
        }
        if contract.requires_content_type() {
            body::reject_mislabelled_json(media_type, bytes)?;
        }
        let decoded = if contract.reads_multipart() && media_type == multipart::MEDIA_TYPE {
            multipart::parse(boundary.as_deref(), bytes).map_err(BodyError::Malformed)
        } else {
            contract.decode(Some(media_type), bytes)
        };
        let input = decoded.map_err(|error| match error {
            BodyError::MediaType => {
                let media_type = media_type.chars().take(64).collect::<String>();
                ApiError::unsupported_media_type("the content type is not supported")
                    .with_value("media_type", Value::String(media_type.into()))
            }
            BodyError::Malformed(error) => ApiError::malformed_body(&error, bytes),
        })?;
        if matches!(input, Value::Object(_)) {
            return Ok(input);
        }
        Err(ApiError::not_an_object(contract.type_of(&input), action.names_form()))
    }

    /// Returns the form for the input, and the part of the input that is submitted to it.
    ///
    /// # Errors
    /// Returns an error if the request names no form that may be submitted.
    pub(super) fn select_form<'s>(
        &self,
        input: &'s Value<'s>,
    ) -> Result<(&'e Arc<Form>, &'s Value<'s>), ApiError> {
        let (form, submitted) =
            self.contract.select_form(self.action, input, &self.context.query)?;
        self.permissions.allow_form(form)?;
        Ok((form, submitted))
    }

    fn submission<'s>(&'s self, form: &'s Form, input: &'s Value<'s>) -> ContractInput<'s> {
        let Self {
            contract, action, context, eval_cx, body: RequestBody { languages, .. }, ..
        } = *self;
        let locale = match contract.is_localized() {
            true => language::best_locale(languages.as_deref(), &form.locales),
            false => Locale::english(),
        };
        ContractInput { action, form, sent: input, asked: context, surroundings: eval_cx, locale }
    }

    /// Decodes the body, selects the form and passes the submission to `work`.
    pub(super) fn with_form<T>(
        &self,
        work: impl FnOnce(ContractInput<'_>) -> Result<T, ApiError>,
    ) -> FormResult<T> {
        let input = match self.decode_body() {
            Ok(input) => input,
            Err(error) => return (None, Err(error)),
        };
        match self.select_form(&input) {
            Ok((form, submitted)) => {
                (Some(Arc::clone(form)), work(self.submission(form, submitted)))
            }
            Err(error) => (None, Err(error)),
        }
    }

    /// Validates a new user. `check` runs after the form is selected.
    pub(super) fn validate_user(
        &self,
        check: impl FnOnce() -> Result<(), ApiError>,
    ) -> FormResult<NewUser> {
        if !self.contract.consumes_input(self.action) {
            return self.with_form(|submission| {
                check()?;
                Ok(self.contract.validate(submission)?)
            });
        }
        let input = match self.decode_body() {
            Ok(input) => input,
            Err(error) => return (None, Err(error)),
        };
        let form = match self.select_form(&input) {
            Ok((form, _)) => Arc::clone(form),
            Err(error) => return (None, Err(error)),
        };
        let result = check().and_then(|()| {
            let input = self.contract.form_input(self.action, input);
            let submission = self.submission(&form, &NULL);
            Ok(self.contract.validate_owned(submission, input)?)
        });
        (Some(form), result)
    }
}

/// Owned input of an evaluation on another thread.
struct EvaluationJob {
    contract: Arc<Contract>,
    method: String,
    path: String,
    context: RequestContext,
    eval_cx: EvalContext,
    permissions: Permissions,
    body: RequestBody,
}

impl EvaluationJob {
    fn run<T>(self, work: impl FnOnce(&Evaluation<'_>) -> T) -> Option<(RequestContext, T)> {
        let Self { contract, method, path, context, eval_cx, permissions, body } = self;
        let result = match contract.find(&method, &path, &context.query) {
            RouteMatch::Route(action, _) => work(&Evaluation {
                contract: &contract,
                action,
                context: &context,
                eval_cx: &eval_cx,
                permissions: &permissions,
                body: &body,
            }),
            RouteMatch::Method(_) | RouteMatch::Nothing => return None,
        };
        Some((context, result))
    }
}

impl RequestCx<'_> {
    /// Runs an evaluation: a small body on this thread, a large one on the blocking pool.
    ///
    /// # Errors
    /// Returns 503 on time-out.
    pub(super) async fn evaluate<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Evaluation<'_>) -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        if self.body.bytes.len() <= MAX_INLINE_BODY {
            return Ok(work(&Evaluation {
                contract: self.contract,
                action: self.action,
                context: self.context,
                eval_cx: &self.eval_cx,
                permissions: &self.principal.permissions,
                body: &self.body,
            }));
        }
        let job = EvaluationJob {
            contract: Arc::clone(self.contract),
            method: self.request.method().to_string(),
            path: self.path.to_owned(),
            context: std::mem::take(self.context),
            eval_cx: self.eval_cx.clone(),
            permissions: self.principal.permissions.clone(),
            body: self.body.clone(),
        };
        let permits = Arc::clone(&self.state.evaluation_permits);
        let evaluation = async move {
            let permit = permits.acquire_owned().await.ok()?;
            let run = move || {
                // After a time-out the permit is kept until the evaluation ends.
                let _permit = permit;
                job.run(work)
            };
            web::block(run).await.ok()?
        };
        let limit = Duration::from_secs(self.state.settings.request_seconds);
        let Ok(result) = tokio::time::timeout(limit, evaluation).await else {
            let text = "the submission could not be evaluated in time and was not stored: send less, or \
                        try again later";
            return Err(ApiError::unavailable("timeout", text, 2));
        };
        let (context, result) =
            result.ok_or_else(|| ApiError::failed("an evaluation ended early"))?;
        *self.context = context;
        Ok(result)
    }

    /// Runs an evaluation that selects a form. The form is attached to the request for logs and headers.
    pub(super) async fn evaluate_form<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Evaluation<'_>) -> FormResult<T> + Send + 'static,
    ) -> Result<(Arc<Form>, T), ApiError> {
        let (form, result) = self.evaluate(work).await?;
        if let Some(form) = &form {
            self.request.extensions_mut().insert(FormVersion::new(form));
        }
        let result = result?;
        form.map(|form| (form, result)).ok_or_else(|| ApiError::failed("no form was selected"))
    }
}
