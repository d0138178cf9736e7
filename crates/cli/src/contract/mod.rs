//! `registrar contract`: summarizes contracts and replays recorded exchanges.

mod difference;
mod mask;
mod recording;
mod replay;

use std::process::ExitCode;

use registrar_contracts::Configuration;
use registrar_contracts::Contract;
use registrar_core::config::nearest;
use registrar_server::app::BuildError;
use registrar_server::config_source::{self, ConfigError};
use registrar_server::settings::Settings;

use crate::flags::ReplayFlags;
use crate::{CommandResult, print, print_message};
use replay::ReplayClient;

/// `registrar contract check [CONTRACT]`: prints a summary of one contract, or of all.
pub(crate) fn check(settings: &Settings, name: Option<&str>) -> CommandResult {
    let registry = match config_source::load(&settings.forms, settings.policies) {
        Err(ConfigError::Invalid(problems)) => {
            problems.iter().for_each(|problem| print(&problem.to_string()));
            print_message(&format!("registrar: {} problem(s)", problems.len()));
            return Ok(ExitCode::FAILURE);
        }
        loaded => loaded?,
    };
    let pages: Vec<String> = match name {
        Some(name) => vec![named(&registry, name)?.summary()],
        None => registry.contracts().list().iter().map(|contract| contract.summary()).collect(),
    };
    print(&pages.join("\n\n"));
    Ok(ExitCode::SUCCESS)
}

/// `registrar contract replay CONTRACT FILE`: sends recorded requests and prints the differences of the
/// responses. Exits with 1 if there are any.
pub(crate) fn replay(settings: &Settings, flags: &ReplayFlags) -> CommandResult {
    let registry =
        config_source::load(&settings.forms, settings.policies).map_err(BuildError::Config)?;
    let contract = named(&registry, &flags.contract)?;
    let exchanges = recording::read(&flags.file)?;
    let in_file = flags.credential_file.as_ref().map(std::fs::read_to_string).transpose();
    let in_file = in_file.map_err(|error| format!("cannot read the credential: {error}"))?;
    let credential = in_file.as_deref().map(|text| text.trim_end_matches(['\r', '\n']));
    let credential = flags.credential.as_deref().or(credential);
    let mut server = ReplayClient::new(contract, &flags.url, credential);
    let mut matching = 0;
    for exchange in &exchanges {
        let differences = server.replay(exchange, &flags.mask)?;
        if differences.is_empty() {
            matching += 1;
            continue;
        }
        print(&format!("{}: {}", exchange.location, exchange.name()));
        differences.iter().for_each(|difference| print(difference));
    }
    print(&format!("{matching} of {} answers match", exchanges.len()));
    Ok(if matching == exchanges.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns the contract with a name.
pub(crate) fn named<'r>(registry: &'r Configuration, name: &str) -> Result<&'r Contract, String> {
    let contracts = registry.contracts();
    contracts.named(name).map(|contract| &**contract).ok_or_else(|| {
        let names = contracts.list().iter().map(|contract| &*contract.name);
        let near = nearest(name, names).map(|near| format!(": did you mean `{near}`?"));
        format!("there is no contract `{name}`{}", near.unwrap_or_default())
    })
}
