//! `registrar token create | list | revoke`.

use std::process::ExitCode;

use registrar_core::Timestamp;
use registrar_core::config::nearest;
use registrar_core::contract::Scheme;
use registrar_server::app::{BuildError, open_existing_store, open_store};
use registrar_server::forms;
use registrar_server::settings::Settings;
use registrar_server::token;

use crate::{Outcome, print, say};

/// Prints the token alone, so that a script can take it; with `header`, as the contract's callers
/// send it.
pub(crate) fn create(
    settings: &Settings,
    name: &str,
    contract: Option<&str>,
    header: bool,
) -> Outcome {
    let is_fit = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if name.is_empty() || name.len() > 64 || !name.chars().all(is_fit) {
        return Err("a token's name has 1 to 64 letters, digits, `-`, `_` or `.`".into());
    }
    let scheme = match contract {
        Some(contract) => scheme_of(settings, contract)?,
        None => None,
    };
    let token = token::generate()?;
    open_store(settings)?.create_token(name, &token::hash(token.reveal()), None, None, None)?;
    match scheme.filter(|_| header) {
        Some(scheme) => print(&scheme.header(token.reveal())),
        None => print(token.reveal()),
    }
    Ok(ExitCode::SUCCESS)
}

/// How callers of a contract send a token; an error where there is no such contract, or where
/// nobody need send any.
fn scheme_of(
    settings: &Settings,
    name: &str,
) -> Result<Option<Scheme>, Box<dyn std::error::Error>> {
    let registry = forms::load(&settings.forms).map_err(BuildError::Forms)?;
    let contracts = registry.contracts();
    let Some(contract) = contracts.named(name) else {
        let names = contracts.list().iter().map(|contract| &*contract.name);
        let near = nearest(name, names).map(|near| format!(": did you mean `{near}`?"));
        return Err(format!("there is no contract `{name}`{}", near.unwrap_or_default()).into());
    };
    match contract.schemes.first() {
        Some(scheme) => Ok(Some(*scheme)),
        None => Err(format!("anybody may call `{name}`: it needs no token").into()),
    }
}

/// One line for each: its name, whether it is in use, and what limits it.
pub(crate) fn list(settings: &Settings) -> Outcome {
    let now = Timestamp::now().as_microsecond();
    for token in open_existing_store(settings)?.list_tokens()? {
        let state = match (token.revoked_at, token.expires_at) {
            (Some(_), _) => "revoked",
            (None, Some(end)) if end <= now => "expired",
            (None, _) => "active",
        };
        let mut line = format!("{}\t{state}", token.name);
        if let Some(contract) = &token.contract {
            line.push_str(&format!("\tfor {contract}"));
        }
        if let Some(end) = token.expires_at.and_then(|end| Timestamp::from_microsecond(end).ok()) {
            line.push_str(&format!("\tuntil {end:.0}"));
        }
        print(&line);
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
