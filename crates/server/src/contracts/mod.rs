//! Requests to contracts: authenticate, read, decode, do what the route says, answer in the words
//! of the contract. A fault becomes the outcome of the contract that it is. The native API is a
//! contract too.

mod answer;
mod caller;
mod change;
mod create;
mod credentials;
mod find;
mod once;
mod records;

use std::sync::Arc;
use std::time::Instant;

use actix_web::dev::RequestHead;
use actix_web::guard::GuardContext;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use registrar_core::contract::{
    Action, Asked, Contract, Contracts, Matched, NotTaken, Operation, Outcome, Submission,
    Undecoded, WrongParameter,
};
use registrar_core::decode::brackets;
use registrar_core::form::{Form, Resource};
use registrar_core::locale::Locale;
use registrar_core::value::Value;
use registrar_core::{Surroundings, Timestamp};
use registrar_store::{Asker, CreateError, Refusal};

use crate::answer::Fault;
use crate::app::AppState;
use crate::limits::Held;
use crate::multipart;
use crate::observe::{RequestId, UsedForm};
use crate::refused::{by_kind, not_stored};
use crate::routes::no_route;
use crate::{auth, body, language};
use answer::{Done, Own, failed};
pub(crate) use caller::KnownPasswords;
use caller::Who;
pub(crate) use once::UnderWay;

/// How often what is stored is loaded and judged again because somebody else changed it meanwhile.
const ATTEMPTS: u32 = 3;

/// Whether the host of a request is a contract's: then none of Registrar's own routes is there.
pub(crate) fn has_host(context: &GuardContext<'_>) -> bool {
    let Some(state) = context.app_data::<web::Data<AppState>>() else { return false };
    host_of(context.head())
        .is_some_and(|host| !state.forms.current().contracts().of_host(host).is_empty())
}

/// The host that a request is to, with its port. What proxies say of it does not count: they pass
/// on the host whose contract is to answer.
fn host_of(head: &RequestHead) -> Option<&str> {
    let host = head.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    host.or(head.uri.authority().map(|authority| authority.as_str()))
}

/// Answers what none of Registrar's own routes takes.
pub(crate) async fn serve(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> HttpResponse {
    let started = Instant::now();
    let registry = state.forms.current();
    let contracts = registry.contracts();
    let of_host = host_of(request.head()).map(|host| contracts.of_host(host)).unwrap_or_default();
    let is_at_root = of_host.is_empty();
    let (found, path) = if of_host.is_empty() {
        contracts.of_path(request.path())
    } else {
        (of_host, request.path())
    };
    let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let Some((contract, is_served)) = Contracts::accepted(&found, accept) else {
        return actix_web::Responder::respond_to(no_route(request.method()), &request)
            .map_into_boxed_body();
    };
    // A query that cannot be read is null, and refused where it counts.
    let query = match request.query_string() {
        "" => Value::Object(Vec::new()),
        query => {
            brackets::parse_urlencoded(query.as_bytes()).map_or(Value::Null, Value::into_owned)
        }
    };
    let mut asked = Asked { query, ..Asked::default() };
    let (action, done) = if is_served {
        run(contract, path, &mut asked, &request, payload, &state, started).await
    } else {
        (None, Done::Outcome(Outcome::NotAcceptable, Own::new()))
    };
    // At the root, what no contract has is told as what Registrar itself has not.
    let is_at_root = is_at_root && contract.mount.as_deref() == Some("");
    if is_at_root && matches!(done, Done::Outcome(Outcome::NoRoute, _)) {
        return actix_web::Responder::respond_to(no_route(request.method()), &request)
            .map_into_boxed_body();
    }
    if action.is_none() {
        know_address(&mut asked, &request, path);
    }
    if let Done::Invalid(told) = &done {
        state.counts.broken(&told.violations);
    }
    asked.elapsed = started.elapsed().as_secs_f64();
    answer::answer(contract, action, &asked, &request, done)
}

/// From here on, expressions and answers know what the request was to.
fn know_address(asked: &mut Asked, request: &HttpRequest, path: &str) {
    let text = |text: &str| Value::String(text.to_owned().into());
    asked.request = Value::Object(vec![
        ("method".into(), text(request.method().as_str())),
        ("path".into(), text(request.path())),
    ]);
    asked.base_url = Value::String(base_url(request, path).into());
}

/// Where a contract is reached, without a slash at the end; `path` is what lies behind its mount.
fn base_url(request: &HttpRequest, path: &str) -> String {
    let mount = request.path().strip_suffix(path).unwrap_or_default();
    let from = request.connection_info();
    format!("{}://{}{mount}", from.scheme(), from.host())
}

async fn run<'c>(
    contract: &'c Arc<Contract>,
    path: &str,
    asked: &mut Asked,
    request: &HttpRequest,
    payload: web::Payload,
    state: &'c AppState,
    started: Instant,
) -> (Option<&'c Action>, Done) {
    let outcome = |outcome, own| (None, Done::Outcome(outcome, own));
    let matched = contract.find(request.method().as_str(), path, &asked.query);
    let known = if let Matched::Route(action, _) = &matched { Some(*action) } else { None };
    if matches!(matched, Matched::Nothing) && !contract.authentication.is_first {
        return outcome(Outcome::NoRoute, Own::new());
    }
    if let Some(action) = known
        && ["request", "base_url"].iter().any(|root| contract.reads(action, root))
    {
        know_address(asked, request, path);
    }
    let who = if known.is_some_and(|action| action.is_open) {
        Who::default()
    } else {
        match caller::caller(contract, known, request, state).await {
            Ok(who) => who,
            Err(done) => return (known, done),
        }
    };
    let (action, names) = match matched {
        Matched::Route(action, names) => (action, names),
        Matched::Method(allow) => {
            return outcome(Outcome::Method, vec![("allow", Value::String(allow.into()))]);
        }
        Matched::Nothing => return outcome(Outcome::NoRoute, Own::new()),
    };
    let counts = action.operation == Operation::List || contract.reads(action, "query");
    if asked.query == Value::Null && counts && !action.paging.is_strict {
        let text = "the query cannot be read: expected `name=value`, each name once";
        let fault = Fault::new(StatusCode::BAD_REQUEST, "unreadable_query", text);
        return (known, fault.into());
    }
    asked.names = names;
    if contract.reads(action, "caller") {
        asked.caller = who.shown(contract);
    }
    let mut call = Call {
        contract,
        action,
        request,
        state,
        surroundings: Surroundings { now: Timestamp::now(), token: who.name.clone() },
        who,
        asked,
        path,
        label: body::label(request),
        bytes: web::Bytes::new(),
        held: state.body_memory.hold(),
        started,
    };
    let done = call.run(payload).await;
    (Some(action), done.unwrap_or_else(|done| done))
}

/// A request under way.
struct Call<'c> {
    contract: &'c Arc<Contract>,
    action: &'c Action,
    request: &'c HttpRequest,
    state: &'c AppState,
    who: Who,
    surroundings: Surroundings,
    asked: &'c mut Asked,
    /// What lies behind the contract's mount.
    path: &'c str,
    /// The media type of the body, in lower case.
    label: String,
    bytes: web::Bytes,
    /// What of the memory for bodies it takes.
    held: Held<'c>,
    /// When it came.
    started: Instant,
}

impl Call<'_> {
    async fn run(&mut self, payload: web::Payload) -> Result<Done, Done> {
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
    fn sent(&self) -> Result<Value<'_>, Done> {
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
    fn chosen<'s>(&'s self, sent: &'s Value<'s>) -> Result<(&'s Arc<Form>, &'s Value<'s>), Done> {
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
        self.who.may.check_form(form)?;
        Ok((form, submitted))
    }

    fn submission<'s>(&'s self, form: &'s Form, sent: &'s Value<'s>) -> Submission<'s> {
        let Call { contract, action, asked, surroundings, request, .. } = self;
        let locale = match contract.has_languages() {
            true => language::of(request, &form.locales),
            false => Locale::english(),
        };
        Submission { action, form, sent, asked, surroundings, locale }
    }

    /// What is told of what was sent where the database refuses some of it. `stored` is what it was
    /// to change.
    fn refused<T>(&self, stored: Option<&Value<'_>>, refusals: &[Refusal]) -> Result<T, Done> {
        let sent = self.sent()?;
        let (form, submitted) = self.chosen(&sent)?;
        let of = self.submission(form, submitted);
        Err(not_taken(self.contract.explain(of, stored, &by_kind(refusals))))
    }

    /// What is told where nothing could be written.
    fn not_written(&self, error: CreateError) -> Done {
        if let CreateError::TokenRefused = error {
            self.state.tokens.forget();
            return auth::invalid().into();
        }
        not_stored(&error).into()
    }

    /// Who asks, as it is noted of what is written.
    fn by(&self) -> Asker {
        let known = self.request.extensions();
        Asker {
            token: self.who.token,
            user: self.who.user_id,
            request: known.get::<RequestId>().map(RequestId::text),
            form: known.get::<UsedForm>().map(UsedForm::told),
        }
    }

    /// Whether nobody is to learn by this request who has an account. One that changes who is there
    /// tells it anyway.
    fn is_discreet(&self, form: &Form) -> bool {
        form.is_discreet && self.action.operation == Operation::Create
    }

    /// Refuses what the route's conditions are against.
    fn check(&self) -> Result<(), Done> {
        match self.contract.objection(self.action, self.asked).map_err(failed)? {
            Some(outcome) => Err(Done::Outcome(outcome, Own::new())),
            None => Ok(()),
        }
    }

    /// Makes what the route wants of chance.
    fn generate(&mut self) -> Result<(), Done> {
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

/// From here on, expressions and answers know a user.
fn note_user(contract: &Contract, asked: &mut Asked, user: Value<'static>) {
    asked.note("ids", contract.ids_of(&user, true));
    asked.note("user", contract.shown(user));
}

/// From here on, expressions and answers know a record.
fn note_record(contract: &Contract, asked: &mut Asked, record: Value<'static>) {
    asked.note("ids", contract.ids_of(&record, false));
    asked.note("record", contract.shown(record));
}

/// What is said of a submission that is not taken.
fn not_taken(not: NotTaken) -> Done {
    match not {
        NotTaken::Invalid(told) => Done::Invalid(told),
        NotTaken::Failed(cause) => failed(cause),
    }
}

/// What a client is told who asks again and again while others change the same.
fn contended() -> Done {
    Fault::busy("busy", "others change the user too: try again in a moment", 1).into()
}
