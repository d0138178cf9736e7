//! `registrar routes`: lists all routes of the configuration.

use std::process::ExitCode;

use clap::ValueEnum;
use registrar_server::app::BuildError;
use registrar_server::config_source;
use registrar_server::route_table::{RouteEntry, route_table};
use registrar_server::settings::Settings;

use crate::{CommandResult, print};

/// Output format of `routes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoutesFormat {
    /// Aligned columns
    Text,
    /// JSON array
    Json,
}

const HEADER: [&str; 6] = ["METHOD", "PATH", "CONTRACT", "OPERATION", "FORM", "SCOPE"];

/// Prints all routes with their contract, operation, form and the scopes that a limited token needs.
pub(crate) fn routes(settings: &Settings, format: RoutesFormat) -> CommandResult {
    let registry =
        config_source::load(&settings.forms, settings.policies).map_err(BuildError::Config)?;
    let routes = route_table(&registry);
    match format {
        RoutesFormat::Text => print(&table(&routes)),
        RoutesFormat::Json => print(&serde_json::to_string_pretty(&routes)?),
    }
    Ok(ExitCode::SUCCESS)
}

fn table(routes: &[RouteEntry]) -> String {
    let rows: Vec<[String; 6]> =
        [HEADER.map(str::to_owned)].into_iter().chain(routes.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; 6] = std::array::from_fn(|column| width(column).unwrap_or_default());
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn row(route: &RouteEntry) -> [String; 6] {
    let form = match &route.form {
        Some(form) => form,
        None if route.request_names_form => "(named by request)",
        None => "-",
    };
    let scope = match route.scopes.join(",") {
        _ if route.is_public => "(public)".to_owned(),
        scopes if scopes.is_empty() => "-".to_owned(),
        scopes => scopes,
    };
    [
        route.method.clone(),
        route.path.clone(),
        route.contract.clone().unwrap_or_else(|| "(native)".to_owned()),
        format!("{} {}", route.operation, route.resource),
        form.to_owned(),
        scope,
    ]
}
