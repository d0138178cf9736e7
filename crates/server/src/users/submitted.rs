//! What creating and changing users share: which form is asked for, and why nothing was stored.

use actix_web::http::StatusCode;
use registrar_core::Refusals;
use registrar_core::form::Form;
use registrar_core::registry::Registry;
use registrar_core::value::Value;
use registrar_store::{CreateError, Refusal};

use crate::answer::Fault;
use crate::passwords::HashError;

/// The form that is asked for, and what is submitted to it; `otherwise` is said of a form that may
/// not.
pub(super) fn select<'v, 'r>(
    registry: &'r Registry,
    body: Value<'v>,
    may: impl FnOnce(&Form) -> bool,
    otherwise: &str,
) -> Result<(&'r Form, Value<'v>), Fault> {
    let Value::Object(entries) = body else {
        let message = "the body is no object: expected `form_configuration_name` and `form`";
        return Err(Fault::wrong_parameter("base", "wrong_parameters", message));
    };
    let (mut name, mut submitted) = (Value::Null, Value::Null);
    for (key, value) in entries {
        match &*key {
            "form_configuration_name" => name = value,
            "form" => submitted = value,
            _ => {}
        }
    }
    let field = "form_configuration_name";
    let Some(name) = name.as_str() else {
        let message = "is missing: expected the name of a form";
        return Err(Fault::wrong_parameter(field, "missing", message));
    };
    let Some(form) = registry.form(name) else {
        let message = "is not the name of a form";
        return Err(Fault::wrong_parameter(field, "unknown_form", message)
            .with_near(registry.nearest(name)));
    };
    if !may(form) {
        return Err(Fault::wrong_parameter(field, "wrong_form", otherwise));
    }
    if !matches!(submitted, Value::Object(_)) {
        let message = "is missing: expected an object with the fields of the form";
        return Err(Fault::wrong_parameter("form", "missing", message));
    }
    Ok((form, submitted))
}

/// The database's refusals as the core knows them.
pub(crate) fn by_kind(refusals: &[Refusal]) -> Refusals {
    let mut told = Refusals::default();
    for refusal in refusals {
        match refusal {
            Refusal::Taken { claim } => told.taken.push(*claim),
            Refusal::Missing { reference } => told.missing.push(*reference),
            Refusal::Ownerless => told.ownerless = true,
        }
    }
    told
}

pub(crate) fn not_hashed(error: HashError) -> Fault {
    match error {
        HashError::Busy => Fault::busy("busy", error.to_string(), 1),
        HashError::Failed => {
            Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server failed")
        }
    }
}

pub(crate) fn not_stored(error: &CreateError) -> Fault {
    let text = error.to_string();
    match error {
        CreateError::Busy => Fault::busy("busy", text, 1),
        CreateError::Unavailable | CreateError::ShuttingDown => Fault::busy("unavailable", text, 2),
        CreateError::Full => Fault::new(StatusCode::INSUFFICIENT_STORAGE, "storage_full", text),
        CreateError::Failed | CreateError::Refused(_) | CreateError::TokenRefused => {
            Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server failed")
        }
    }
}
