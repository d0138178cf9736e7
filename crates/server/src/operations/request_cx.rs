//! Context of a request to a contract, and the dispatch to its operation.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::{HttpMessage, HttpRequest, web};
use registrar_contracts::{Action, Contract, Operation, Outcome, RequestContext};
use registrar_core::EvalContext;
use registrar_core::aggregate::Aggregate;
use registrar_core::form::Form;
use registrar_core::record_kind::RecordKind;
use registrar_core::value::Value;
use registrar_store::{Actor, CreateError, Permit, Refusal};

use super::evaluate::{Evaluation, EvaluationJob, FormResult, MAX_INLINE_BODY, RequestBody};
use super::redaction::Redaction;
use super::reply::Reply;
use super::{set_record, set_user};
use crate::auth::principal::Principal;
use crate::auth::token;
use crate::error::{ApiError, group_refusals};
use crate::http::access_log::FormVersion;
use crate::http::memory_budget::Reservation;
use crate::http::request_id::RequestId;
use crate::http::{body, multipart};
use crate::representation::StoredEntity;
use crate::state::AppState;

/// Minimum of the maximum size of a stored entity, in bytes, however small the body limit is.
const MIN_MAX_ENTITY_BYTES: usize = 64 * 1024;
/// Maximum size of a queued write that is not counted, in bytes. The number of queued writes is limited.
const UNCOUNTED_WRITE_BYTES: usize = 4 * 1024;

/// Context of a request to a contract.
pub(super) struct RequestCx<'c> {
    pub(super) contract: &'c Arc<Contract>,
    pub(super) action: &'c Action,
    pub(super) request: &'c HttpRequest,
    pub(super) state: &'c AppState,
    pub(super) principal: Principal,
    pub(super) eval_cx: EvalContext,
    /// Values that contract expressions can read.
    pub(super) context: &'c mut RequestContext,
    /// Path below the mount of the contract.
    pub(super) path: &'c str,
    pub(super) body: RequestBody,
    /// Memory reserved for the body.
    pub(super) reservation: Reservation,
    pub(super) started: Instant,
    pub(super) redaction: Redaction,
}

/// Returns whether an operation reads a body, required or optional.
fn reads_body(operation: Operation) -> bool {
    match operation {
        Operation::Create
        | Operation::Update
        | Operation::Upsert
        | Operation::Delete
        | Operation::Remove
        | Operation::IssueToken
        | Operation::Verify
        | Operation::Revoke => true,
        Operation::Show | Operation::List | Operation::Respond => false,
    }
}

impl RequestCx<'_> {
    /// Reads the body and runs the operation.
    pub(super) async fn run(&mut self, payload: web::Payload) -> Result<Reply, ApiError> {
        self.read_body(payload).await?;
        self.decode_early().await?;
        self.generate_codes()?;
        match self.action.operation {
            Operation::Create => self.create().await,
            Operation::Show => self.show().await,
            Operation::List => self.list().await,
            Operation::Update => self.update().await,
            Operation::Upsert => self.upsert().await,
            Operation::Delete => self.delete().await,
            Operation::Remove => self.remove().await,
            Operation::IssueToken => self.issue_token().await,
            Operation::Verify => self.verify().await,
            Operation::Revoke => self.revoke().await,
            Operation::Respond => {
                self.check_preconditions()?;
                Ok(Outcome::Responded.into())
            }
        }
    }

    async fn read_body(&mut self, payload: web::Payload) -> Result<(), ApiError> {
        let operation = self.action.operation;
        if operation.has_body() {
            body::reject_encoding(self.request)?;
            if self.contract.requires_content_type() {
                self.body.media_type = body::native_media_type(self.request)?;
            }
        }
        if reads_body(operation) {
            let (settings, memory) = (&self.state.settings, &self.state.memory);
            let is_authenticated = self.principal.is_authenticated();
            (self.body.bytes, self.reservation) =
                body::read(payload, settings, memory, is_authenticated).await?;
            if self.body.media_type == multipart::MEDIA_TYPE {
                self.body.boundary = body::boundary(self.request);
            }
        }
        Ok(())
    }

    /// Decodes the body if expressions read it or the route has preconditions. Otherwise a new user is
    /// decoded when it is evaluated.
    async fn decode_early(&mut self) -> Result<(), ApiError> {
        let (operation, is_user) =
            (self.action.operation, self.action.resource == RecordKind::User);
        let is_read = self.contract.reads(self.action, "sent");
        let is_decoded_later =
            operation == Operation::Create && is_user && !self.action.has_checks();
        if !is_read && (!operation.has_body() || is_decoded_later) {
            return Ok(());
        }
        let names_form = is_user && operation.has_form() && self.action.names_form();
        let decode = move |evaluation: &Evaluation<'_>| -> Result<_, ApiError> {
            let input = evaluation.decode_body()?;
            let form = match names_form {
                true => Some(Arc::clone(evaluation.select_form(&input)?.0)),
                false => None,
            };
            Ok((form, is_read.then(|| input.into_owned())))
        };
        let (form, input) = self.evaluate(decode).await??;
        if let Some(form) = form {
            self.request.extensions_mut().insert(FormVersion::new(&form));
        }
        if let Some(input) = input {
            self.context.sent = input;
        }
        Ok(())
    }

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

    /// Generates the random codes that the route declares.
    fn generate_codes(&mut self) -> Result<(), ApiError> {
        let mut codes = Vec::new();
        for (name, format) in self.action.generated_codes() {
            let text = token::random_string(format.alphabet, format.length)?;
            codes.push((name.to_owned().into(), Value::String(text.into())));
        }
        if !codes.is_empty() {
            self.context.set("generated", Value::Object(codes));
        }
        Ok(())
    }

    /// Returns the kind of what the route is for; the route of a session is for its user.
    pub(super) fn kind(&self) -> RecordKind {
        match self.action.resource {
            RecordKind::Session => RecordKind::User,
            kind => kind,
        }
    }

    /// Checks the preconditions of the route.
    ///
    /// # Errors
    /// Returns the outcome of the first one that fails; with `skip_if` this is `unchanged`.
    pub(super) fn check_preconditions(&self) -> Result<(), ApiError> {
        match self.contract.failed_precondition(self.action, self.context)? {
            Some(outcome) => Err(ApiError::outcome(outcome)),
            None => Ok(()),
        }
    }

    /// Returns the validation error for what the database refused. `existing` is the entity to change.
    pub(super) async fn explain_refusals(
        &mut self,
        existing: Option<Arc<Value<'static>>>,
        refusals: &[Refusal],
    ) -> Result<ApiError, ApiError> {
        let refusals = group_refusals(refusals);
        let explain = move |evaluation: &Evaluation<'_>| {
            let contract = evaluation.contract;
            evaluation.with_form(|submission| {
                Ok(contract.explain(submission, existing.as_deref(), &refusals).into())
            })
        };
        Ok(self.evaluate_form(explain).await?.1)
    }

    /// Returns the actor of a write. A large write counts against the memory budget until it is done.
    ///
    /// # Errors
    /// Returns 413 if the entity would be larger than a body may be, 503 if the budget is exhausted.
    pub(super) fn actor_for_write(&self, aggregate: &Aggregate) -> Result<Actor, ApiError> {
        let weight = aggregate.weight();
        let max = self.state.settings.body_limit.max(MIN_MAX_ENTITY_BYTES);
        if weight > max {
            let text = format!("the stored record would be larger than {max} bytes: send less");
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            return Err(ApiError::new(status, "record_too_large", text));
        }
        let mut actor = self.actor();
        if weight > UNCOUNTED_WRITE_BYTES {
            let mut reservation = self.state.memory.reservation();
            reservation.grow(weight)?;
            actor.permit = Some(Permit::new(reservation));
        }
        Ok(actor)
    }

    /// Returns the actor for audit rows and for the check of ownership.
    pub(super) fn actor(&self) -> Actor {
        let extensions = self.request.extensions();
        Actor {
            token: self.principal.token_id(),
            user: self.principal.user_id,
            owner: self.principal.permissions.owner(),
            request_id: extensions.get::<RequestId>().map(RequestId::text),
            form: extensions.get::<FormVersion>().map(FormVersion::parts),
            permit: None,
        }
    }

    /// Returns the error of a write that failed.
    pub(super) fn write_error(&self, error: &CreateError) -> ApiError {
        if let CreateError::InvalidToken = error {
            self.state.auth.tokens.clear();
        }
        error.into()
    }

    /// Returns whether the response must not reveal if a user exists. Updates reveal it anyway.
    pub(super) fn hides_existence(&self, form: &Form) -> bool {
        form.strict_enumeration && self.action.operation == Operation::Create
    }

    /// Sets the entity that expressions and the response can read.
    pub(super) fn set_entity(&mut self, entity: StoredEntity) {
        let is_user = matches!(entity, StoredEntity::User(_));
        self.set_value(entity.into_value(), is_user);
    }

    /// Sets the JSON of the user or record that expressions and the response can read.
    pub(super) fn set_value(&mut self, value: Value<'static>, is_user: bool) {
        let set = if is_user { set_user } else { set_record };
        set(self.contract, self.context, value);
    }
}
