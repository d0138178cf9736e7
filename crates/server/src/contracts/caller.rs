//! Who calls an API.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header;
use registrar_core::contract::{Contract, Credential, Outcome};
use registrar_core::value::Value;

use super::answer::{Done, Own};
use crate::app::AppState;
use crate::auth;

/// Who calls: nobody in particular where anybody may.
#[derive(Debug, Default, Clone)]
pub(super) struct Who {
    /// The id of the token.
    pub(super) token: Option<i64>,
    /// The name of the token.
    pub(super) name: Arc<str>,
    /// The user who calls, as `GET` shows one.
    pub(super) user: Option<Value<'static>>,
}

impl Who {
    /// What expressions see of it.
    pub(super) fn shown(&self, contract: &Contract) -> Value<'static> {
        let user = self.user.clone().map(|user| contract.shown(user));
        let id = user.as_ref().and_then(|user| user.get("id").cloned());
        let name = Value::String(self.name.to_string().into());
        Value::Object(vec![
            ("name".into(), name),
            ("user_id".into(), id.unwrap_or_default()),
            ("user".into(), user.unwrap_or_default()),
        ])
    }
}

/// Who calls, where the contract lets them in.
pub(super) async fn caller(
    contract: &Contract,
    request: &HttpRequest,
    state: &AppState,
) -> Result<Who, Done> {
    if contract.authentication.schemes.is_empty() {
        return Ok(Who::default());
    }
    let refused = |outcome| Done::Outcome(outcome, Own::new());
    let header = request.headers().get(header::AUTHORIZATION);
    // What is not ASCII can be no credential of anybody's.
    match contract.credential(header.map(|header| header.to_str().unwrap_or("?"))) {
        Credential::Missing => Err(refused(Outcome::Unauthenticated)),
        Credential::Unreadable | Credential::Pair(..) => Err(refused(Outcome::BadCredential)),
        Credential::Sent(token) => {
            let caller = state.tokens.remembered(auth::well_formed(token)?, state).await?;
            Ok(Who { token: Some(caller.id), name: caller.name, user: None })
        }
    }
}
