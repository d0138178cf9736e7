//! A request to a contract under way: its body, the form that takes it, what is refused.

use std::sync::Arc;
use std::time::Instant;

use actix_web::{HttpMessage, HttpRequest, web};
use registrar_core::Surroundings;
use registrar_core::contract::{
    Action, Asked, Contract, Operation, Outcome, Submission, Undecoded, WrongParameter,
};
use registrar_core::form::{Form, Resource};
use registrar_core::locale::Locale;
use registrar_core::value::Value;
use registrar_store::{Asker, CreateError, Refusal};

use super::answer::{Done, Own, failed};
use super::caller::Who;
use super::redaction::Redaction;
use super::{not_taken, records};
use crate::app::AppState;
use crate::limits::Held;
use crate::multipart;
use crate::observe::{RequestId, UsedForm};
use crate::refused::{by_kind, not_stored};
use crate::{auth, body, language};

/// A request under way.
pub(super) struct Call<'c> {
    pub(super) contract: &'c Arc<Contract>,
    pub(super) action: &'c Action,
    pub(super) request: &'c HttpRequest,
    pub(super) state: &'c AppState,
    pub(super) who: Who,
    pub(super) surroundings: Surroundings,
    pub(super) asked: &'c mut Asked,
    /// What lies behind the contract's mount.
    pub(super) path: &'c str,
    /// The media type of the body, in lower case.
    pub(super) label: String,
    pub(super) bytes: web::Bytes,
    /// What of the memory for bodies it takes.
    pub(super) held: Held<'c>,
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
            if self.contract.is_strict_with_labels() {
                self.label = body::strict_label(self.request)?;
            }
            (self.bytes, self.held) = body::read(payload, self.state).await?;
        } else if operation == Operation::Delete || operation == Operation::Revoke {
            (self.bytes, self.held) = body::read(payload, self.state).await?;
        }
        let is_read = self.contract.reads(self.action, "sent");
        // What becomes a user is decoded when it is judged, unless it is wanted before.
        let is_soon = operation == Operation::Create && is_user && !self.action.has_checks();
        if is_read || operation.has_body() && !is_soon {
            let sent = self.sent()?;
            if is_user && operation.has_form() && self.action.names_form() {
                let (form, _) = self.chosen(&sent)?;
                self.request.extensions_mut().insert(UsedForm::of(form));
            }
            if is_read {
                let sent = sent.into_owned();
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
            Operation::Detach => self.detach().await,
            Operation::Mint => self.mint().await,
            Operation::Verify => self.verify().await,
            Operation::Revoke => self.revoke().await,
            Operation::Say => {
                self.check()?;
                Ok(Done::Outcome(Outcome::Said, Own::new()))
            }
        }
    }

    /// What was sent, which must be an object. It is decoded for each use: what comes out borrows
    /// from the body.
    pub(super) fn sent(&self) -> Result<Value<'_>, Done> {
        let Call { contract, label, bytes, .. } = self;
        let need_not = self.action.says_enough() || !self.action.operation.has_body();
        if bytes.is_empty() && need_not {
            return Ok(Value::Object(Vec::new()));
        }
        if contract.is_strict_with_labels() {
            body::check_form(label, bytes)?;
        }
        let decoded = if contract.reads_multipart() && label == multipart::MEDIA_TYPE {
            let parsed = multipart::parse(body::boundary(self.request).as_deref(), bytes);
            parsed.map_err(Undecoded::Malformed)
        } else {
            contract.decode(Some(label), bytes)
        };
        let sent = decoded.map_err(|error| match error {
            Undecoded::MediaType => {
                let media_type = label.chars().take(64).collect::<String>();
                let own = vec![("media_type", Value::String(media_type.into()))];
                Done::Outcome(Outcome::MediaType, own)
            }
            Undecoded::Malformed(error) => {
                Done::Outcome(Outcome::Malformed, vec![Contract::malformed(&error, bytes)])
            }
        })?;
        if matches!(sent, Value::Object(_)) {
            return Ok(sent);
        }
        let got = Value::String(contract.type_of(&sent).to_owned().into());
        Err(Done::Outcome(Outcome::NotAnObject, vec![("got", got)]))
    }

    /// The form that takes what was sent, and what goes to it.
    pub(super) fn chosen<'s>(
        &'s self,
        sent: &'s Value<'s>,
    ) -> Result<(&'s Arc<Form>, &'s Value<'s>), Done> {
        let chosen = self.contract.chosen(self.action, sent, &self.asked.query);
        let (form, submitted) = chosen.map_err(|wrong| {
            let WrongParameter { field, code, text, near } = wrong;
            let near = near.map(|near| ("near", near));
            let entries =
                [("field", field), ("code", code), ("text", text)].into_iter().chain(near);
            let entries =
                entries.map(|(name, text)| (name.into(), Value::String(text.to_owned().into())));
            let own = vec![("parameter", Value::Object(entries.collect()))];
            Done::Outcome(Outcome::WrongParameters, own)
        })?;
        self.who.permissions.allow_form(form)?;
        Ok((form, submitted))
    }

    pub(super) fn submission<'s>(&'s self, form: &'s Form, sent: &'s Value<'s>) -> Submission<'s> {
        let Call { contract, action, asked, surroundings, request, .. } = self;
        let locale = match contract.has_languages() {
            true => language::of(request, &form.locales),
            false => Locale::english(),
        };
        Submission { action, form, sent, asked, surroundings, locale }
    }

    /// What is told of what was sent where the database refuses some of it. `stored` is what it was
    /// to change.
    pub(super) fn refused<T>(
        &self,
        stored: Option<&Value<'_>>,
        refusals: &[Refusal],
    ) -> Result<T, Done> {
        let sent = self.sent()?;
        let (form, submitted) = self.chosen(&sent)?;
        let of = self.submission(form, submitted);
        Err(not_taken(self.contract.explain(of, stored, &by_kind(refusals))))
    }

    /// Turns a submission away that could not wait to be written, before it costs more.
    pub(super) fn check_room(&self) -> Result<(), Done> {
        match self.state.store.has_room() {
            true => Ok(()),
            false => Err(self.not_written(CreateError::Busy)),
        }
    }

    /// What is told where nothing could be written.
    pub(super) fn not_written(&self, error: CreateError) -> Done {
        if let CreateError::TokenRefused = error {
            self.state.tokens.forget();
            return auth::invalid().into();
        }
        not_stored(&error).into()
    }

    /// Who asks, as it is noted of what is written.
    pub(super) fn by(&self) -> Asker {
        let known = self.request.extensions();
        Asker {
            token: self.who.token,
            user: self.who.user_id,
            owner: self.who.permissions.owner(),
            request: known.get::<RequestId>().map(RequestId::text),
            form: known.get::<UsedForm>().map(UsedForm::told),
        }
    }

    /// Whether nobody is to learn by this request who has an account. One that changes who is there
    /// tells it anyway.
    pub(super) fn is_discreet(&self, form: &Form) -> bool {
        form.is_discreet && self.action.operation == Operation::Create
    }

    /// Refuses what the route's conditions are against.
    pub(super) fn check(&self) -> Result<(), Done> {
        match self.contract.objection(self.action, self.asked).map_err(failed)? {
            Some(outcome) => Err(Done::Outcome(outcome, Own::new())),
            None => Ok(()),
        }
    }

    /// Makes what the route wants of chance.
    pub(super) fn generate(&mut self) -> Result<(), Done> {
        let mut made = Vec::new();
        for (name, letters) in self.action.generates() {
            let text = crate::token::letters(letters.alphabet, letters.length);
            let text = text.map_err(|_| failed("no chance is to be had".to_owned()))?;
            made.push((name.to_owned().into(), Value::String(text.into())));
        }
        if !made.is_empty() {
            self.asked.note("generated", Value::Object(made));
        }
        Ok(())
    }
}
