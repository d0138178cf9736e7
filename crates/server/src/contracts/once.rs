//! Creates that a client may send again: the same key and the same request have one effect and one
//! answer.
//! Source: draft-ietf-httpapi-idempotency-key-header-07.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use registrar_core::aggregate::NewUser;
use registrar_core::contract::{Contract, Outcome, RequestContext, RouteMatch};
use registrar_core::form::Form;
use registrar_core::value::Value;
use registrar_store::{Created, CreatedResource, IdempotencyKey, StoredResponse};
use sha2::{Digest, Sha256};

use super::answer::Done;
use super::{Call, note_record, note_user};
use crate::answer::Fault;
use crate::auth;
use crate::records::render::stored_record;
use crate::shown::stored_user;

const HEADER: &str = "idempotency-key";
const LONGEST: usize = 255;

/// The keys under which something is being done here.
#[derive(Debug, Default)]
pub(crate) struct UnderWay(Mutex<HashSet<[u8; 32]>>);

/// A key under which something is being done, until it is dropped.
pub(super) struct Keyed<'s> {
    key: [u8; 32],
    request: [u8; 32],
    all: &'s UnderWay,
    /// The answer to what was made.
    answer: Arc<Mutex<Option<StoredResponse>>>,
}

impl Drop for Keyed<'_> {
    fn drop(&mut self) {
        self.all.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

impl<'c> Call<'c> {
    /// Begins what is done once, where the request has a key; ends with the answer that was given to
    /// it before.
    pub(super) async fn by_key(&self) -> Result<Option<Keyed<'c>>, Done> {
        match spelled(self.request)? {
            // It would lie in the database as it is, where else its digest lies alone.
            Some(_) if self.action.generated_codes().next().is_some() => Err(Fault::new(
                StatusCode::BAD_REQUEST,
                "idempotency_key_unsupported",
                "the answer shows a secret that is shown once and kept nowhere: send this without \
                 an Idempotency-Key",
            )
            .into()),
            Some(key) => self.begin(["key", &key, ""]).await.map(Some),
            None => Ok(None),
        }
    }

    /// The same, by the field that the form names.
    pub(super) async fn by_field(
        &self,
        form: &Form,
        user: &NewUser,
    ) -> Result<Option<Keyed<'c>>, Done> {
        match form.natural_key.and_then(|field| field.of_user(user)) {
            Some(value) => self.begin(["form", &form.name, &value]).await.map(Some),
            None => Ok(None),
        }
    }

    async fn begin(&self, key: [&str; 3]) -> Result<Keyed<'c>, Done> {
        let Call { who, contract, request, .. } = self;
        let by = match (who.token, who.user_id) {
            (Some(token), _) => ["token".to_owned(), token.to_string()],
            (None, Some(user)) => ["user".to_owned(), user.to_string()],
            (None, None) => ["contract".to_owned(), contract.name.to_string()],
        };
        let key = digest(by.iter().map(|part| part.as_bytes()).chain(key.map(str::as_bytes)));
        let target = request.uri().path_and_query().map_or("", |target| target.as_str());
        let asked = [request.method().as_str(), target, &self.sent.label].map(str::as_bytes);
        let asked = digest(asked.into_iter().chain([&*self.sent.bytes]));
        let all = &self.state.under_way;
        if !all.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key) {
            return Err(in_flight());
        }
        let keyed = Keyed { key, request: asked, all, answer: Arc::default() };
        match self.answered(&keyed).await? {
            Some(done) => Err(done),
            None => Ok(keyed),
        }
    }

    /// What was answered under a key before, if anything was.
    async fn answered(&self, keyed: &Keyed<'_>) -> Result<Option<Done>, Done> {
        let key = keyed.key;
        let found = auth::load(self.state, move |store| store.stored_response(&key)).await?;
        Ok(found.map(|(request, answer)| match request == keyed.request {
            true => Done::Kept { answer, is_again: true },
            false => Fault::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "something else was asked under this key before: use a new key for a new request",
            )
            .into(),
        }))
    }

    /// What is said where it was done meanwhile by somebody else, on another server perhaps.
    pub(super) async fn done_meanwhile(&self, keyed: &Keyed<'_>) -> Done {
        match self.answered(keyed).await {
            Ok(done) => done.unwrap_or_else(in_flight),
            Err(done) => done,
        }
    }

    /// What the store is told of a key.
    pub(super) fn once(
        &self,
        keyed: &Keyed<'_>,
        form: &Form,
        of: Option<&NewUser>,
    ) -> IdempotencyKey {
        let shows = |root| self.contract.shows(self.action, Outcome::Created, root);
        let contract = Arc::clone(self.contract);
        let (method, path) = (self.request.method().to_string(), self.path.to_owned());
        let (asked, started) = (self.asked.clone(), self.started);
        let external_id = of.and_then(|user| user.external_id.clone());
        let outcome = if self.is_discreet(form) { Outcome::Accepted } else { Outcome::Created };
        let (version, kept) = (form.version.clone(), Arc::clone(&keyed.answer));
        let (redaction, resource) = (self.redaction.clone(), self.action.resource);
        let answer = move |made: CreatedResource| {
            let mut asked = asked.clone();
            match made {
                // The answer does not depend on whether a user was created.
                _ if outcome == Outcome::Accepted => {}
                CreatedResource::User(_, Some(user)) => {
                    note_user(&contract, &mut asked, stored_user(*user))
                }
                CreatedResource::User(created, None) => {
                    note_user(&contract, &mut asked, brief(created, external_id.clone()));
                }
                CreatedResource::Nothing => {}
                CreatedResource::Record(_, Some(record)) => {
                    note_record(&contract, &mut asked, stored_record(*record));
                }
                CreatedResource::Record(id, None) => {
                    note_record(&contract, &mut asked, only_id(id))
                }
            }
            redaction.apply(resource, &mut asked);
            let of = (&*method, &*path, outcome);
            let answer = rendered(&contract, of, asked, (started, &version));
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = answer.clone();
            answer
        };
        // A record is always shown as it is stored.
        let shows = of.is_none() || shows("user");
        IdempotencyKey {
            hash: keyed.key,
            request: keyed.request,
            includes_entity: shows,
            build_response: Arc::new(answer),
        }
    }
}

impl Keyed<'_> {
    /// The answer that was kept.
    pub(super) fn kept(&self) -> Option<Done> {
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        answer.map(|answer| Done::Kept { answer, is_again: false })
    }
}

/// What is known of a user without reading it back.
pub(super) fn brief(created: Created, external_id: Option<String>) -> Value<'static> {
    let own = |text: String| Value::String(text.into());
    Value::Object(vec![
        ("id".into(), Value::Number(created.id.to_string().into())),
        ("uuid".into(), own(created.uuid.to_string())),
        ("external_id".into(), external_id.map(own).unwrap_or_default()),
    ])
}

/// What is known of a record that is gone already.
pub(super) fn only_id(id: i64) -> Value<'static> {
    Value::Object(vec![("id".into(), Value::Number(id.to_string().into()))])
}

/// The answer of a contract to what was made.
fn rendered(
    contract: &Contract,
    (method, path, outcome): (&str, &str, Outcome),
    mut asked: RequestContext,
    (started, version): (Instant, &str),
) -> Option<StoredResponse> {
    let query = std::mem::take(&mut asked.query);
    let RouteMatch::Route(action, _) = contract.find(method, path, &query) else { return None };
    asked.query = query;
    asked.elapsed = started.elapsed().as_secs_f64();
    let status = contract.status(Some(action), outcome)?;
    let reason = StatusCode::from_u16(status).ok()?.canonical_reason().unwrap_or_default();
    let own = Vec::new();
    let answer = contract.answer((Some(action), outcome), (status, reason), &asked, own);
    let answer = answer
        .inspect_err(|cause| {
            let name = &contract.name;
            let outcome = outcome.name();
            log::error!("the answer `{outcome}` of `{name}` cannot be worked out: {cause}");
        })
        .ok()?;
    let content_type = answer.content_type.map(|it| ("Content-Type", it.to_owned()));
    let version = ("Form-Version", version.to_owned());
    let headers = content_type.into_iter().chain(answer.headers).chain([version]);
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).collect();
    Some(StoredResponse { status, headers, body: answer.body })
}

/// The key that a request has: a quoted text (RFC 8941, section 3.3.3) or a bare one.
fn spelled(request: &HttpRequest) -> Result<Option<String>, Fault> {
    let mut headers = request.headers().get_all(HEADER);
    let Some(header) = headers.next() else { return Ok(None) };
    let refused = || {
        Fault::new(
            StatusCode::BAD_REQUEST,
            "idempotency_key_invalid",
            "the Idempotency-Key cannot be read: expected one text of 1 to 255 visible characters, \
             quoted or bare",
        )
    };
    let key = header.to_str().ok().and_then(|text| unquoted(text.trim()));
    let key = key.filter(|key| (1..=LONGEST).contains(&key.len()) && headers.next().is_none());
    key.map(Some).ok_or_else(refused)
}

fn unquoted(text: &str) -> Option<String> {
    let is_visible = |byte: u8| (0x21..=0x7e).contains(&byte);
    let Some(quoted) = text.strip_prefix('"') else {
        return text.bytes().all(|byte| is_visible(byte) && byte != b'"').then(|| text.to_owned());
    };
    let mut key = String::new();
    let mut letters = quoted.strip_suffix('"')?.chars();
    while let Some(letter) = letters.next() {
        key.push(match letter {
            '\\' => letters.next().filter(|letter| matches!(letter, '"' | '\\'))?,
            '"' => return None,
            letter => letter,
        });
    }
    key.bytes().all(|byte| is_visible(byte) || byte == b' ').then_some(key)
}

fn in_flight() -> Done {
    let text = "the same is being done under this key just now: ask again in a moment";
    Fault::new(StatusCode::CONFLICT, "idempotency_in_flight", text)
        .with_header(RETRY_AFTER, 1.into())
        .into()
}

fn digest<'p>(parts: impl Iterator<Item = &'p [u8]>) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::unquoted;

    #[test]
    fn keys_are_quoted_or_bare() {
        let long = "8e03978e-40d5-43e8-bc93-6894a57f9324";
        for (text, key) in [
            (long, Some(long)),
            (&format!("\"{long}\"") as &str, Some(long)),
            ("\"a \\\"b\\\\\"", Some("a \"b\\")),
            ("a\"b", None),
            ("\"a", None),
            ("\"a\"b\"", None),
            ("\"a\\x\"", None),
            ("a b", None),
            ("\"", None),
        ] {
            assert_eq!(unquoted(text).as_deref(), key, "{text}");
        }
    }
}
