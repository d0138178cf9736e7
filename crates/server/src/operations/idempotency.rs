//! Idempotent creates: repeated requests with one key have one effect and one response.
//! Source: draft-ietf-httpapi-idempotency-key-header-07.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use actix_web::http::StatusCode;
use registrar_contracts::{Contract, Outcome, RequestContext, RouteMatch};
use registrar_core::aggregate::NewUser;
use registrar_core::form::Form;
use registrar_store::{CreatedResource, IdempotencyKey, StoredResponse};
use sha2::{Digest, Sha256};

use super::reply::Reply;
use super::request_cx::RequestCx;
use super::{set_record, set_user};
use crate::error::ApiError;
use crate::http::idempotency_key::{InFlightKey, in_flight, parse_header};
use crate::representation::{id_only, record_to_value, user_stub, user_to_value};

/// The key that is reserved for a request, or `None` if it has no key. `Err` is the reply to the same
/// request, which used the key before.
pub(super) type AcquiredKey<'k> = Result<Option<KeyGuard<'k>>, Reply>;

/// A key reserved for a request.
pub(super) struct KeyGuard<'k> {
    key: InFlightKey<'k>,
    /// Digest of the request.
    request: [u8; 32],
    /// The response, set by the store when it is stored.
    response: Arc<Mutex<Option<StoredResponse>>>,
}

impl KeyGuard<'_> {
    /// Takes the stored response.
    pub(super) fn response(&self) -> Option<Reply> {
        let response = self.response.lock().unwrap_or_else(PoisonError::into_inner).take();
        response.map(|response| Reply::Stored { response, is_replay: false })
    }
}

impl<'c> RequestCx<'c> {
    /// Acquires the key in the header `Idempotency-Key`.
    ///
    /// # Errors
    /// Returns an error if the key is invalid, in use, or was used by another request.
    pub(super) async fn acquire_header_key(&self) -> Result<AcquiredKey<'c>, ApiError> {
        match parse_header(self.request)? {
            // The stored response would contain the code, of which the database holds only a digest.
            Some(_) if self.action.generated_codes().next().is_some() => Err(ApiError::new(
                StatusCode::BAD_REQUEST,
                "idempotency_key_unsupported",
                "the response contains a secret that is not stored: send the request without an \
                 Idempotency-Key",
            )),
            Some(key) => self.acquire_key(["key", &key, ""]).await,
            None => Ok(Ok(None)),
        }
    }

    /// Acquires the natural key that the form declares.
    ///
    /// # Errors
    /// Returns an error if the key is in use, or was used by another request.
    pub(super) async fn acquire_natural_key(
        &self,
        form: &Form,
        user: &NewUser,
    ) -> Result<AcquiredKey<'c>, ApiError> {
        match form.natural_key.and_then(|field| field.of_user(user)) {
            Some(value) => self.acquire_key(["form", &form.name, &value]).await,
            None => Ok(Ok(None)),
        }
    }

    async fn acquire_key(&self, key: [&str; 3]) -> Result<AcquiredKey<'c>, ApiError> {
        let owner = match (self.principal.token_id(), self.principal.user_id) {
            (Some(token), _) => ["token".to_owned(), token.to_string()],
            (None, Some(user)) => ["user".to_owned(), user.to_string()],
            (None, None) => ["contract".to_owned(), self.contract.name.to_string()],
        };
        let key = digest(owner.iter().map(|part| part.as_bytes()).chain(key.map(str::as_bytes)));
        let target = self.request.uri().path_and_query().map_or("", |target| target.as_str());
        let head = [self.request.method().as_str(), target, &self.body.media_type];
        let request = digest(head.map(str::as_bytes).into_iter().chain([&*self.body.bytes]));
        let key = self.state.in_flight_keys.acquire(key)?;
        let guard = KeyGuard { key, request, response: Arc::default() };
        Ok(match self.stored_reply(&guard).await? {
            Some(reply) => Err(reply),
            None => Ok(Some(guard)),
        })
    }

    /// Returns the response stored under a key, or `None`.
    ///
    /// # Errors
    /// Returns 422 if the key was used by another request.
    async fn stored_reply(&self, guard: &KeyGuard<'_>) -> Result<Option<Reply>, ApiError> {
        let key = guard.key.digest;
        let found = self.state.database.read(move |store| store.stored_response(&key)).await?;
        match found {
            None => Ok(None),
            Some((request, response)) if request == guard.request => {
                Ok(Some(Reply::Stored { response, is_replay: true }))
            }
            Some(_) => Err(ApiError::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "this Idempotency-Key was already used for a different request",
            )),
        }
    }

    /// Returns the response of a concurrent request with this key, perhaps on another server.
    pub(super) async fn concurrent_response(
        &self,
        guard: &KeyGuard<'_>,
    ) -> Result<Reply, ApiError> {
        self.stored_reply(guard).await?.ok_or_else(in_flight)
    }

    /// Returns the key as the store needs it, with a callback that renders the response to be stored.
    /// `user` is `None` for a record.
    pub(super) fn stored_key(
        &self,
        guard: &KeyGuard<'_>,
        form: &Form,
        user: Option<&NewUser>,
    ) -> IdempotencyKey {
        // A record is always shown as it is stored.
        let shows = user.is_none() || self.contract.shows(self.action, Outcome::Created, "user");
        let contract = Arc::clone(self.contract);
        let (method, path) = (self.request.method().to_string(), self.path.to_owned());
        let (context, started) = (self.context.clone(), self.started);
        let external_id = user.and_then(|user| user.external_id.clone());
        let hides_existence = self.hides_existence(form);
        let outcome = if hides_existence { Outcome::Accepted } else { Outcome::Created };
        let (version, response) = (form.version.clone(), Arc::clone(&guard.response));
        let (redaction, resource) = (self.redaction.clone(), self.action.resource);
        let answer = move |made: CreatedResource| {
            let mut context = context.clone();
            match made {
                // The response must not depend on whether a user was created.
                _ if hides_existence => {}
                CreatedResource::User(_, Some(user)) => {
                    set_user(&contract, &mut context, user_to_value(*user));
                }
                CreatedResource::User(created, None) => {
                    let user = user_stub(&created, external_id.clone());
                    set_user(&contract, &mut context, user);
                }
                CreatedResource::Nothing => {}
                CreatedResource::Record(_, Some(record)) => {
                    set_record(&contract, &mut context, record_to_value(*record));
                }
                CreatedResource::Record(id, None) => {
                    set_record(&contract, &mut context, id_only(id))
                }
            }
            redaction.apply(resource, &mut context);
            let route = (&*method, &*path, outcome);
            let rendered = render(&contract, route, context, (started, &version));
            *response.lock().unwrap_or_else(PoisonError::into_inner) = rendered.clone();
            rendered
        };
        IdempotencyKey {
            hash: guard.key.digest,
            request: guard.request,
            includes_entity: shows,
            build_response: Arc::new(answer),
        }
    }
}

/// Renders the response to store.
fn render(
    contract: &Contract,
    (method, path, outcome): (&str, &str, Outcome),
    mut context: RequestContext,
    (started, version): (Instant, &str),
) -> Option<StoredResponse> {
    let query = std::mem::take(&mut context.query);
    let RouteMatch::Route(action, _) = contract.find(method, path, &query) else { return None };
    context.query = query;
    context.elapsed = started.elapsed().as_secs_f64();
    let status = contract.status(Some(action), outcome)?;
    let reason = StatusCode::from_u16(status).ok()?.canonical_reason().unwrap_or_default();
    let rendered = contract.answer((Some(action), outcome), (status, reason), &context, Vec::new());
    let rendered = rendered
        .inspect_err(|cause| {
            let (name, outcome) = (&contract.name, outcome.name());
            log::error!("cannot render the response `{outcome}` of contract `{name}`: {cause}");
        })
        .ok()?;
    let content_type = rendered.content_type.map(|it| ("Content-Type", it.to_owned()));
    let version = ("Form-Version", version.to_owned());
    let headers = content_type.into_iter().chain(rendered.headers).chain([version]);
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).collect();
    Some(StoredResponse { status, headers, body: rendered.body })
}

fn digest<'p>(parts: impl Iterator<Item = &'p [u8]>) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}
