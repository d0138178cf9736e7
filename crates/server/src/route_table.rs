//! List of all routes that a configuration serves.

use registrar_contracts::Configuration;
use registrar_contracts::Contract;
use serde::Serialize;

use crate::auth::permissions::Scope;

/// A route that is served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouteEntry {
    /// HTTP method.
    pub method: String,
    /// Path pattern with the mount of its contract.
    pub path: String,
    /// Name of the contract; `None` for a native route.
    pub contract: Option<String>,
    /// Hosts that belong to the contract.
    pub hosts: Vec<String>,
    /// Name of the operation.
    pub operation: String,
    /// Resource that the operation acts on.
    pub resource: String,
    /// Name of the form; `None` if there is none or the request names it.
    pub form: Option<String>,
    /// True if the request names the form.
    pub request_names_form: bool,
    /// True if no authentication is needed.
    pub is_public: bool,
    /// Scopes that a limited token needs.
    pub scopes: Vec<&'static str>,
    /// True if tokens of contracts are rejected.
    pub operator_only: bool,
}

/// Native routes: path, operation, resource, scope (`None` if public).
const NATIVE_ROUTES: [(&str, &str, &str, Option<Scope>); 7] = [
    ("/health/live", "show", "health", None),
    ("/health/ready", "show", "health", None),
    ("/metrics", "show", "metrics", None),
    ("/openapi.json", "show", "openapi", Some(Scope::Read)),
    ("/api/form_configurations", "list", "form", Some(Scope::Read)),
    ("/api/form_configurations/{name}", "show", "form", Some(Scope::Read)),
    ("/api/form_configurations/{name}/schema", "show", "form", Some(Scope::Read)),
];

/// Returns all routes of a configuration: native ones, then those of contracts in matching order.
#[must_use]
pub fn route_table(registry: &Configuration) -> Vec<RouteEntry> {
    let native = NATIVE_ROUTES.iter().map(|(path, operation, resource, scope)| RouteEntry {
        method: "GET".to_owned(),
        path: (*path).to_owned(),
        contract: None,
        hosts: Vec::new(),
        operation: (*operation).to_owned(),
        resource: (*resource).to_owned(),
        form: None,
        request_names_form: false,
        is_public: scope.is_none(),
        scopes: scope.iter().map(|scope| scope.name()).collect(),
        operator_only: scope.is_some(),
    });
    let contracts = registry.contracts().list().iter();
    native.chain(contracts.flat_map(|contract| contract_routes(contract))).collect()
}

fn contract_routes(contract: &Contract) -> impl Iterator<Item = RouteEntry> {
    let hosts = contract.endpoints().into_iter().filter(|endpoint| !endpoint.starts_with('/'));
    let hosts: Vec<String> = hosts.collect();
    contract.routes().map(move |route| RouteEntry {
        method: route.method.to_owned(),
        path: route.path,
        contract: Some(contract.name.to_string()),
        hosts: hosts.clone(),
        operation: route.operation.name().to_owned(),
        resource: route.resource.resource_name().to_lowercase(),
        form: route.form.filter(|_| route.operation.has_form()).map(str::to_owned),
        request_names_form: route.names_form,
        is_public: route.is_open,
        scopes: match route.is_open {
            true => Vec::new(),
            false => Scope::required_by(route.operation).iter().map(|scope| scope.name()).collect(),
        },
        operator_only: route.is_for_operators,
    })
}
