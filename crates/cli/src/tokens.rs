//! `registrar token create | list | revoke`.

use std::process::ExitCode;

use registrar_server::app::{open_existing_store, open_store};
use registrar_server::settings::Settings;
use registrar_server::token;

use crate::{Outcome, print, say};

/// Prints the token alone, so that a script can take it.
pub(crate) fn create(settings: &Settings, name: &str) -> Outcome {
    let is_fit = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if name.is_empty() || name.len() > 64 || !name.chars().all(is_fit) {
        return Err("a token's name has 1 to 64 letters, digits, `-`, `_` or `.`".into());
    }
    let token = token::generate()?;
    open_store(settings)?.create_token(name, &token::hash(token.reveal()), None, None, None)?;
    print(token.reveal());
    Ok(ExitCode::SUCCESS)
}

/// One line for each: its name, and whether it is in use.
pub(crate) fn list(settings: &Settings) -> Outcome {
    for token in open_existing_store(settings)?.list_tokens()? {
        let state = if token.revoked_at.is_some() { "revoked" } else { "active" };
        print(&format!("{}\t{state}", token.name));
    }
    Ok(ExitCode::SUCCESS)
}

/// Requests with the token are refused from now on.
pub(crate) fn revoke(settings: &Settings, name: &str) -> Outcome {
    if open_existing_store(settings)?.revoke_token(name)? {
        say(&format!("registrar: `{name}` is revoked"));
        Ok(ExitCode::SUCCESS)
    } else {
        Err(format!("there is no token `{name}` to revoke: see `registrar token list`").into())
    }
}
