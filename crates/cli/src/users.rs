//! `registrar user get | sign-out`.

use std::process::ExitCode;

use registrar_server::app::open_existing_store;
use registrar_server::settings::Settings;
use registrar_server::user_to_value;
use registrar_store::Actor;

use crate::{CommandResult, print, print_message};

/// Prints a user as `GET /api/users/{id}` returns it.
pub(crate) fn get(settings: &Settings, id: i64) -> CommandResult {
    match open_existing_store(settings)?.user(id)? {
        Some(user) => {
            print(&serde_json::to_string_pretty(&user_to_value(user))?);
            Ok(ExitCode::SUCCESS)
        }
        None => Err(format!("there is no user {id}").into()),
    }
}

/// Ends all sessions of a user. A running server rejects them within a second.
pub(crate) fn sign_out(settings: &Settings, id: i64) -> CommandResult {
    let store = open_existing_store(settings)?;
    if store.user(id)?.is_none() {
        return Err(format!("there is no user {id}").into());
    }
    let ended = actix_web::rt::System::new().block_on(store.end_sessions(id, Actor::default()));
    store.shutdown();
    ended?;
    print_message(&format!("registrar: all sessions of user {id} are ended"));
    Ok(ExitCode::SUCCESS)
}
