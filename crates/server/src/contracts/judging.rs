//! What was sent to a contract, decoded and judged: a large body away from the threads that answer,
//! as many at once as there are of those.

use std::sync::Arc;
use std::time::Duration;

use actix_web::{HttpMessage, web};
use registrar_core::EvalContext;
use registrar_core::aggregate::NewUser;
use registrar_core::contract::{
    Action, BodyError, Contract, ContractInput, InvalidParameter, Outcome, RequestContext,
    RouteMatch,
};
use registrar_core::form::Form;
use registrar_core::locale::Locale;
use registrar_core::value::{NULL, Value};

use super::answer::{Done, failed};
use super::{Call, not_taken};
use crate::answer::Fault;
use crate::observe::UsedForm;
use crate::permissions::Permissions;
use crate::{body, language, multipart};

/// The largest body, in bytes, that is judged on the thread that answers.
const LARGE: usize = 64 * 1024;

/// A body, and what its request says of it.
#[derive(Debug, Default, Clone)]
pub(super) struct Sent {
    /// The media type, in lower case.
    pub(super) label: String,
    /// The boundary of a multipart body.
    pub(super) boundary: Option<String>,
    /// The languages that the client asks for, where the contract has several.
    pub(super) languages: Option<String>,
    pub(super) bytes: web::Bytes,
}

/// All that judging depends on.
#[derive(Clone, Copy)]
pub(super) struct Judging<'j> {
    pub(super) contract: &'j Contract,
    pub(super) action: &'j Action,
    pub(super) asked: &'j RequestContext,
    pub(super) surroundings: &'j EvalContext,
    pub(super) permissions: &'j Permissions,
    pub(super) sent: &'j Sent,
}

/// The form that was found, and what came of it.
pub(super) type ByForm<T> = (Option<Arc<Form>>, Result<T, Done>);

impl<'j> Judging<'j> {
    /// What was sent, which must be an object. It is decoded for each use: what comes out borrows
    /// from the body.
    pub(super) fn sent(&self) -> Result<Value<'j>, Done> {
        let Self { contract, action, sent: Sent { label, boundary, bytes, .. }, .. } = *self;
        let need_not = action.body_is_optional() || !action.operation.has_body();
        if bytes.is_empty() && need_not {
            return Ok(Value::Object(Vec::new()));
        }
        if contract.requires_content_type() {
            body::check_form(label, bytes)?;
        }
        let decoded = if contract.reads_multipart() && label == multipart::MEDIA_TYPE {
            multipart::parse(boundary.as_deref(), bytes).map_err(BodyError::Malformed)
        } else {
            contract.decode(Some(label), bytes)
        };
        let sent = decoded.map_err(|error| match error {
            BodyError::MediaType => {
                let media_type = label.chars().take(64).collect::<String>();
                let own = vec![("media_type", Value::String(media_type.into()))];
                Done::Outcome(Outcome::UnsupportedMediaType, own)
            }
            BodyError::Malformed(error) => {
                Done::Outcome(Outcome::Malformed, vec![Contract::malformed_details(&error, bytes)])
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
        &self,
        sent: &'s Value<'s>,
    ) -> Result<(&'j Arc<Form>, &'s Value<'s>), Done> {
        let chosen = self.contract.select_form(self.action, sent, &self.asked.query);
        let (form, submitted) = chosen.map_err(|wrong| {
            let InvalidParameter { field, code, text, near } = wrong;
            let near = near.map(|near| ("near", near));
            let entries =
                [("field", field), ("code", code), ("text", text)].into_iter().chain(near);
            let entries =
                entries.map(|(name, text)| (name.into(), Value::String(text.to_owned().into())));
            let own = vec![("parameter", Value::Object(entries.collect()))];
            Done::Outcome(Outcome::WrongParameters, own)
        })?;
        self.permissions.allow_form(form)?;
        Ok((form, submitted))
    }

    fn submission<'s>(&'s self, form: &'s Form, sent: &'s Value<'s>) -> ContractInput<'s> {
        let Self { contract, action, asked, surroundings, sent: Sent { languages, .. }, .. } =
            *self;
        let locale = match contract.is_localized() {
            true => language::of(languages.as_deref(), &form.locales),
            false => Locale::english(),
        };
        ContractInput { action, form, sent, asked, surroundings, locale }
    }

    /// Finds the form, and hands what goes to it to `work`.
    pub(super) fn by_form<T>(
        &self,
        work: impl FnOnce(ContractInput<'_>) -> Result<T, Done>,
    ) -> ByForm<T> {
        let sent = match self.sent() {
            Ok(sent) => sent,
            Err(done) => return (None, Err(done)),
        };
        match self.chosen(&sent) {
            Ok((form, submitted)) => {
                (Some(Arc::clone(form)), work(self.submission(form, submitted)))
            }
            Err(done) => (None, Err(done)),
        }
    }

    /// Judges what shall become a new user, where `may_begin` has nothing against it.
    pub(super) fn new_user(&self, may_begin: impl FnOnce() -> Result<(), Done>) -> ByForm<NewUser> {
        if !self.contract.consumes_input(self.action) {
            return self.by_form(|of| {
                may_begin()?;
                self.contract.validate(of).map_err(not_taken)
            });
        }
        let sent = match self.sent() {
            Ok(sent) => sent,
            Err(done) => return (None, Err(done)),
        };
        let form = match self.chosen(&sent) {
            Ok((form, _)) => Arc::clone(form),
            Err(done) => return (None, Err(done)),
        };
        let judged = may_begin().and_then(|()| {
            let own = self.contract.form_input(self.action, sent);
            let of = self.submission(&form, &NULL);
            self.contract.validate_owned(of, own).map_err(not_taken)
        });
        (Some(form), judged)
    }
}

/// The same, owned, for another thread.
struct Job {
    contract: Arc<Contract>,
    method: String,
    path: String,
    asked: RequestContext,
    surroundings: EvalContext,
    permissions: Permissions,
    sent: Sent,
}

impl Job {
    fn run<T>(self, work: impl FnOnce(&Judging<'_>) -> T) -> Option<(RequestContext, T)> {
        let Self { contract, method, path, asked, surroundings, permissions, sent } = self;
        let done = match contract.find(&method, &path, &asked.query) {
            RouteMatch::Route(action, _) => work(&Judging {
                contract: &contract,
                action,
                asked: &asked,
                surroundings: &surroundings,
                permissions: &permissions,
                sent: &sent,
            }),
            RouteMatch::Method(_) | RouteMatch::Nothing => return None,
        };
        Some((asked, done))
    }
}

impl Call<'_> {
    fn judging(&self) -> Judging<'_> {
        Judging {
            contract: self.contract,
            action: self.action,
            asked: self.asked,
            surroundings: &self.surroundings,
            permissions: &self.who.permissions,
            sent: &self.sent,
        }
    }

    /// Decodes or judges: here where little was sent, else on a thread of its own.
    pub(super) async fn judged<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Judging<'_>) -> T + Send + 'static,
    ) -> Result<T, Done> {
        if self.sent.bytes.len() <= LARGE {
            return Ok(work(&self.judging()));
        }
        let job = Job {
            contract: Arc::clone(self.contract),
            method: self.request.method().to_string(),
            path: self.path.to_owned(),
            asked: std::mem::take(self.asked),
            surroundings: self.surroundings.clone(),
            permissions: self.who.permissions.clone(),
            sent: self.sent.clone(),
        };
        let judges = Arc::clone(&self.state.judges);
        let judged = async move {
            let permit = judges.acquire_owned().await.ok()?;
            let run = move || {
                // What takes too long keeps its permit until it ends.
                let _permit = permit;
                job.run(work)
            };
            web::block(run).await.ok()?
        };
        let most = Duration::from_secs(self.state.settings.request_seconds);
        let Ok(judged) = tokio::time::timeout(most, judged).await else {
            let text = "the submission could not be judged in time, nothing was done: send less, or \
                        try again later";
            return Err(Fault::busy("timeout", text, 2).into());
        };
        let (asked, done) = judged.ok_or_else(|| failed("a judge ended early".to_owned()))?;
        *self.asked = asked;
        Ok(done)
    }

    /// The same by the form that takes what was sent, which is noted for logs and answers.
    pub(super) async fn judged_by_form<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Judging<'_>) -> ByForm<T> + Send + 'static,
    ) -> Result<(Arc<Form>, T), Done> {
        let (form, done) = self.judged(work).await?;
        if let Some(form) = &form {
            self.request.extensions_mut().insert(UsedForm::of(form));
        }
        let done = done?;
        form.map(|form| (form, done)).ok_or_else(|| failed("no form was found".to_owned()))
    }
}
