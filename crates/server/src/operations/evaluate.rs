//! Decodes request bodies and evaluates forms.

use std::sync::Arc;

use actix_web::web;
use registrar_contracts::{Action, BodyError, Contract, ContractInput, RequestContext, RouteMatch};
use registrar_core::EvalContext;
use registrar_core::aggregate::Aggregate;
use registrar_core::form::Form;
use registrar_core::locale::Locale;
use registrar_core::value::{NULL, Value};

use crate::auth::permissions::Permissions;
use crate::error::ApiError;
use crate::http::{body, language, multipart};

/// Maximum size of a body that is evaluated on the worker thread, in bytes.
pub(super) const MAX_INLINE_BODY: usize = 64 * 1024;

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
        ContractInput {
            action,
            form,
            sent: input,
            request_context: context,
            eval_context: eval_cx,
            locale,
        }
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

    /// Validates a new user or record. `check` runs after the form is selected.
    pub(super) fn validate_new(
        &self,
        check: impl FnOnce() -> Result<(), ApiError>,
    ) -> FormResult<Aggregate> {
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
pub(super) struct EvaluationJob {
    pub(super) contract: Arc<Contract>,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) context: RequestContext,
    pub(super) eval_cx: EvalContext,
    pub(super) permissions: Permissions,
    pub(super) body: RequestBody,
}

impl EvaluationJob {
    pub(super) fn run<T>(
        self,
        work: impl FnOnce(&Evaluation<'_>) -> T,
    ) -> Option<(RequestContext, T)> {
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
