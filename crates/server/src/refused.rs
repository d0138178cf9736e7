//! Why nothing was stored, as the core and clients know it.

use actix_web::http::StatusCode;
use registrar_core::Refusals;
use registrar_store::{CreateError, Refusal, Store};

use crate::answer::Fault;
use crate::passwords::HashError;

/// The database's refusals as the core knows them.
pub(crate) fn by_kind(refusals: &[Refusal]) -> Refusals {
    let mut told = Refusals::default();
    for refusal in refusals {
        match refusal {
            Refusal::Taken { claim } => told.taken.push(*claim),
            Refusal::Missing { reference } => told.missing.push(*reference),
            Refusal::MissingOwner => told.ownerless = true,
        }
    }
    told
}

/// Returns the refusal of a write that only an operator's token may do.
pub(crate) fn not_owned() -> Fault {
    let text = "a user may write nothing but its own records: call with a token of the operator's";
    Fault::new(StatusCode::FORBIDDEN, "not_owner", text)
}

pub(crate) fn not_hashed(error: HashError) -> Fault {
    match error {
        HashError::Busy => Fault::busy("busy", error.to_string(), 1),
        HashError::Failed => {
            Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server failed")
        }
    }
}

/// Turns a submission away that could not wait to be written, before it costs more.
pub(crate) fn has_room<E: From<Fault>>(store: &Store) -> Result<(), E> {
    if store.has_room() { Ok(()) } else { Err(not_stored(&CreateError::Busy).into()) }
}

pub(crate) fn not_stored(error: &CreateError) -> Fault {
    let text = error.to_string();
    match error {
        CreateError::Busy => Fault::busy("busy", text, 1),
        CreateError::Unavailable | CreateError::ShuttingDown => Fault::busy("unavailable", text, 2),
        CreateError::DiskFull => Fault::new(StatusCode::INSUFFICIENT_STORAGE, "storage_full", text),
        CreateError::OwnerMismatch => not_owned(),
        CreateError::IdempotencyKeyUsed => Fault::busy("idempotency_in_flight", text, 1),
        CreateError::Internal | CreateError::Refused(_) | CreateError::InvalidToken => {
            Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server failed")
        }
    }
}
