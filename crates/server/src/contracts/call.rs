//! A request to a contract under way: its body, the form that takes it, what is refused.

use std::sync::Arc;
use std::time::Instant;

use actix_web::http::StatusCode;
use actix_web::{HttpMessage, HttpRequest, web};
use registrar_core::EvalContext;
use registrar_core::aggregate::NewUser;
use registrar_core::contract::{Action, Contract, Operation, Outcome, RequestContext};
use registrar_core::form::{Form, Resource};
use registrar_core::value::Value;
use registrar_store::{Actor, CreateError, Permit, Refusal};

use super::answer::{Done, Own, failed};
use super::caller::Who;
use super::judging::{Judging, Sent};
use super::redaction::Redaction;
use super::{not_taken, records};
use crate::answer::Fault;
use crate::app::AppState;
use crate::body_memory::Held;
use crate::multipart;
use crate::observe::{RequestId, UsedForm};
use crate::refused::{by_kind, not_stored};
use crate::{auth, body};

/// What may be stored of a submission in any case, in bytes, however small bodies must be.
const LEAST_WEIGHT: usize = 64 * 1024;
/// Up to how many bytes what waits to be written is not counted: the queue is bounded.
const LIGHT: usize = 4 * 1024;

/// A request under way.
pub(super) struct Call<'c> {
    pub(super) contract: &'c Arc<Contract>,
    pub(super) action: &'c Action,
    pub(super) request: &'c HttpRequest,
    pub(super) state: &'c AppState,
    pub(super) who: Who,
    pub(super) surroundings: EvalContext,
    pub(super) asked: &'c mut RequestContext,
    /// What lies behind the contract's mount.
    pub(super) path: &'c str,
    /// The body.
    pub(super) sent: Sent,
    /// What of the memory for bodies it takes.
    pub(super) held: Held,
    /// When it came.
    pub(super) started: Instant,
    /// What its answer must not show.
    pub(super) redaction: Redaction,
}

impl Call<'_> {
    pub(super) async fn run(&mut self, payload: web::Payload) -> Result<Done, Done> {
        let (operation, is_user) = (self.action.operation, self.action.resource == Resource::User);
        if operation.has_body() {
            body::check_encoding(self.request)?;
            if self.contract.requires_content_type() {
                self.sent.label = body::strict_label(self.request)?;
            }
        }
        let may_have_body = matches!(operation, Operation::Delete | Operation::Revoke);
        if operation.has_body() || may_have_body {
            let is_known = self.who.token.is_some() || self.who.user_id.is_some();
            (self.sent.bytes, self.held) = body::read(payload, self.state, is_known).await?;
            if self.sent.label == multipart::MEDIA_TYPE {
                self.sent.boundary = body::boundary(self.request);
            }
        }
        let is_read = self.contract.reads(self.action, "sent");
        // What becomes a user is decoded when it is judged, unless it is wanted before.
        let is_soon = operation == Operation::Create && is_user && !self.action.has_checks();
        if is_read || operation.has_body() && !is_soon {
            let finds_form = is_user && operation.has_form() && self.action.names_form();
            let work = move |of: &Judging<'_>| -> Result<_, Done> {
                let sent = of.sent()?;
                let form = match finds_form {
                    true => Some(Arc::clone(of.chosen(&sent)?.0)),
                    false => None,
                };
                Ok((form, is_read.then(|| sent.into_owned())))
            };
            let (form, sent) = self.judged(work).await??;
            if let Some(form) = form {
                self.request.extensions_mut().insert(UsedForm::of(&form));
            }
            if let Some(sent) = sent {
                self.asked.sent = sent;
            }
        }
        self.generate()?;
        if let Some(kind) = records::kind_of(self.action.resource) {
            match operation {
                Operation::Create => return self.create_record(kind).await,
                Operation::Show => return self.show_record(kind).await,
                Operation::List => return self.list_records(kind).await,
                Operation::Update => return self.update_record(kind).await,
                Operation::Delete => return self.delete_record(kind).await,
                _ => {}
            }
        }
        match operation {
            Operation::Create => self.create().await,
            Operation::Show => self.show().await,
            Operation::List => self.list().await,
            Operation::Update => self.update().await,
            Operation::Upsert => self.upsert().await,
            Operation::Delete => self.delete().await,
            Operation::Remove => self.detach().await,
            Operation::IssueToken => self.mint().await,
            Operation::Verify => self.verify().await,
            Operation::Revoke => self.revoke().await,
            Operation::Respond => {
                self.check()?;
                Ok(Done::Outcome(Outcome::Responded, Own::new()))
            }
        }
    }

    /// What is told of what was sent where the database refuses some of it. `stored` is what it was
    /// to change.
    pub(super) async fn refused<T>(
        &mut self,
        stored: Option<Arc<Value<'static>>>,
        refusals: &[Refusal],
    ) -> Result<T, Done> {
        let refusals = by_kind(refusals);
        let told = self.judged_by_form(move |of| {
            let contract = of.contract;
            of.by_form(|submission| {
                Ok(not_taken(contract.explain(submission, stored.as_deref(), &refusals)))
            })
        });
        Err(told.await?.1)
    }

    /// Refuses what would be stored in more bytes than a body may have, and counts the rest among
    /// the bodies until it is written.
    pub(super) fn by_weight(&self, record: &NewUser) -> Result<Actor, Done> {
        let (weight, most) = (record.weight(), self.state.settings.body_limit.max(LEAST_WEIGHT));
        if weight > most {
            let text = format!("what would be stored is larger than {most} bytes: send less");
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            return Err(Fault::new(status, "record_too_large", text).into());
        }
        let mut by = self.by();
        if weight > LIGHT {
            let mut held = self.state.body_memory.hold();
            held.add(weight)?;
            by.permit = Some(Permit::new(held));
        }
        Ok(by)
    }

    /// What is told where nothing could be written.
    pub(super) fn not_written(&self, error: CreateError) -> Done {
        if let CreateError::InvalidToken = error {
            self.state.tokens.forget();
            return auth::invalid().into();
        }
        not_stored(&error).into()
    }

    /// Who asks, as it is noted of what is written.
    pub(super) fn by(&self) -> Actor {
        let known = self.request.extensions();
        Actor {
            token: self.who.token,
            user: self.who.user_id,
            owner: self.who.permissions.owner(),
            request_id: known.get::<RequestId>().map(RequestId::text),
            form: known.get::<UsedForm>().map(UsedForm::told),
            permit: None,
        }
    }

    /// Whether nobody is to learn by this request who has an account. One that changes who is there
    /// tells it anyway.
    pub(super) fn is_discreet(&self, form: &Form) -> bool {
        form.strict_enumeration && self.action.operation == Operation::Create
    }

    /// Refuses what the route's conditions are against.
    pub(super) fn check(&self) -> Result<(), Done> {
        match self.contract.failed_precondition(self.action, self.asked).map_err(failed)? {
            Some(outcome) => Err(Done::Outcome(outcome, Own::new())),
            None => Ok(()),
        }
    }

    /// Makes what the route wants of chance.
    pub(super) fn generate(&mut self) -> Result<(), Done> {
        let mut made = Vec::new();
        for (name, letters) in self.action.generated_codes() {
            let text = crate::token::letters(letters.alphabet, letters.length);
            let text = text.map_err(|_| failed("no chance is to be had".to_owned()))?;
            made.push((name.to_owned().into(), Value::String(text.into())));
        }
        if !made.is_empty() {
            self.asked.set("generated", Value::Object(made));
        }
        Ok(())
    }
}
