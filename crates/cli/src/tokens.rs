//! `registrar token create | list | revoke`.

use std::error::Error;
use std::process::ExitCode;

use registrar_contracts::Configuration;
use registrar_contracts::{Contract, Scheme};
use registrar_core::Timestamp;
use registrar_server::app::{BuildError, open_existing_store, open_store};
use registrar_server::auth::credentials::{self, NewCredential, TokenLimits};
use registrar_server::config_source;
use registrar_server::settings::Settings;
use registrar_store::redact;

use crate::flags::LimitFlags;
use crate::{CommandResult, contract, print, print_message};

/// Creates a credential and prints it: a token, or with `header` the whole `Authorization` value. If the
/// callers of the contract are users, `name` is an e-mail address and the password is printed.
pub(crate) fn create(
    settings: &Settings,
    name: &str,
    contract: Option<&str>,
    (header, attributes): (bool, &[String]),
    limits: &LimitFlags,
) -> CommandResult {
    let registry = match contract {
        Some(_) => Some(
            config_source::load(&settings.forms, settings.policies).map_err(BuildError::Config)?,
        ),
        None => None,
    };
    let contract = match (&registry, contract) {
        (Some(registry), Some(contract)) => Some(authenticated_contract(registry, contract)?),
        _ => None,
    };
    let scheme = contract.and_then(|contract| contract.authentication.schemes.first());
    let is_set = |names: &'_ [String]| !names.is_empty();
    let limits = TokenLimits {
        scopes: Some(&*limits.scopes).filter(|names| is_set(names)),
        forms: Some(&*limits.only_forms).filter(|names| is_set(names)),
        seconds: limits.days.map(|days| i64::from(days) * 24 * 60 * 60),
    };
    let is_limited = limits.scopes.is_some() || limits.forms.is_some() || limits.seconds.is_some();
    if scheme == Some(&Scheme::Basic) && is_limited {
        return Err("callers of this contract are users, which cannot be limited".into());
    }
    let is_allowed = |char: char| char.is_ascii_alphanumeric() || "-_.".contains(char);
    let is_name = !name.is_empty() && name.len() <= 64 && name.chars().all(is_allowed);
    if scheme != Some(&Scheme::Basic) && !is_name {
        return Err("a token's name has 1 to 64 letters, digits, `-`, `_` or `.`".into());
    }
    let pairs = attributes.iter().map(|pair| {
        let pair = pair.split_once('=').filter(|(name, _)| !name.is_empty());
        pair.map(|(name, text)| (name.to_owned(), text.to_owned()))
    });
    let Some(pairs) = pairs.collect::<Option<Vec<_>>>() else {
        return Err("invalid attribute: expected `NAME=TEXT`".into());
    };
    let (store, cost) = (open_store(settings)?, settings.hash_cost());
    let new = NewCredential { name, contract, attributes: &pairs, limits, cost };
    let system = actix_web::rt::System::new();
    let credential = system.block_on(credentials::create(&store, new))?;
    store.shutdown();
    if store.is_new() {
        print_message(&format!(
            "registrar: {} was empty or missing: a NEW database was created",
            redact(&settings.database_url)
        ));
    }
    if let Some(contract) = contract.filter(|_| pairs.is_empty())
        && let Some(missing) = contract.authentication.attributes.first()
    {
        let of = &contract.name;
        print_message(&format!(
            "registrar: the token has no attribute `{missing}`: the conditions of `{of}` do not restrict it"
        ));
    }
    match scheme.filter(|_| header) {
        Some(scheme) => print(&scheme.header(name, credential.reveal())),
        None => print(credential.reveal()),
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns a contract whose callers authenticate.
fn authenticated_contract<'r>(
    registry: &'r Configuration,
    name: &str,
) -> Result<&'r Contract, Box<dyn Error>> {
    let contract = contract::named(registry, name)?;
    if contract.authentication.schemes.is_empty() {
        return Err(
            format!("`{name}` needs no authentication: a token for it has no effect").into()
        );
    }
    Ok(contract)
}

/// Prints one line per token: its name, state and limits.
pub(crate) fn list(settings: &Settings) -> CommandResult {
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
        for (what, names) in [("may", &token.scopes), ("through", &token.forms)] {
            let names = names.as_deref().map(serde_json::from_str::<Vec<String>>);
            if let Some(Ok(names)) = names {
                line.push_str(&format!("\t{what} {}", names.join(",")));
            }
        }
        if let Some(end) = token.expires_at.and_then(|end| Timestamp::from_microsecond(end).ok()) {
            line.push_str(&format!("\tuntil {end:.0}"));
        }
        let used = token.last_used_at.and_then(|at| Timestamp::from_microsecond(at).ok());
        if let Some(used) = used {
            line.push_str(&format!("\tlast used {used:.0}"));
        }
        print(&line);
    }
    Ok(ExitCode::SUCCESS)
}

/// Revokes a token.
pub(crate) fn revoke(settings: &Settings, name: &str) -> CommandResult {
    if open_existing_store(settings)?.revoke_token(name)? {
        print_message(&format!("registrar: `{name}` is revoked"));
        Ok(ExitCode::SUCCESS)
    } else {
        Err(format!("there is no token `{name}` to revoke: see `registrar token list`").into())
    }
}
