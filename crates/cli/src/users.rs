//! `registrar user get`.

use std::process::ExitCode;

use registrar_server::app::open_existing_store;
use registrar_server::settings::Settings;
use registrar_server::stored_user;

use crate::{Outcome, print};

/// Prints a user as `GET /api/users/{id}` answers it.
pub(crate) fn get(settings: &Settings, id: i64) -> Outcome {
    match open_existing_store(settings)?.user(id)? {
        Some(user) => {
            print(&serde_json::to_string_pretty(&stored_user(user))?);
            Ok(ExitCode::SUCCESS)
        }
        None => Err(format!("there is no user {id}").into()),
    }
}
