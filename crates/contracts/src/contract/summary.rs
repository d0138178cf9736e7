//! Summaries of contracts for people: where a contract is served, and what each of its routes does.

use registrar_core::record_kind::RecordKind;
use std::fmt::Write as _;

use super::action::Action;
use super::input_mapping::FormSelector;
use super::model::Contract;
use super::mount::HostPattern;
use super::operation::Operation;
use super::outcome::Outcome;

/// A summary of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteSummary<'c> {
    /// HTTP method.
    pub method: &'c str,
    /// Path with the contract's mount: `/garmat/api/users/{id}`.
    pub path: String,
    /// Operation.
    pub operation: Operation,
    /// Kind of record it applies to.
    pub resource: RecordKind,
    /// Name of its form, if the contract names one.
    pub form: Option<&'c str>,
    /// Whether the request selects the form.
    pub names_form: bool,
    /// Whether it needs no credential.
    pub is_open: bool,
    /// Whether tokens issued for a contract are not accepted.
    pub is_for_operators: bool,
}

impl Contract {
    /// Returns all routes, in the order in which they are tried.
    pub fn routes(&self) -> impl Iterator<Item = RouteSummary<'_>> {
        let mount = self.mount.as_deref().unwrap_or_default();
        self.routes.iter().map(move |route| {
            let action = &route.action;
            RouteSummary {
                method: route.method(),
                path: format!("{mount}{}", route.plain_paths().0),
                operation: action.operation,
                resource: action.resource,
                form: match &action.input.form {
                    FormSelector::One(form) => Some(&form.name),
                    FormSelector::FromRequest(_) | FormSelector::None => None,
                },
                names_form: action.names_form(),
                is_open: action.is_public || self.authentication.schemes.is_empty(),
                is_for_operators: action.operator_only,
            }
        })
    }

    /// Returns its mount and the hosts that serve only this contract.
    #[must_use]
    pub fn endpoints(&self) -> Vec<String> {
        let mount = self.mount.iter().map(|mount| match &**mount {
            "" => "/".to_owned(),
            mount => mount.to_owned(),
        });
        let hosts = self.hosts.iter().map(|host| match host {
            HostPattern::Exact(name) => name.to_string(),
            HostPattern::Below(end) => format!("*{end}"),
        });
        mount.chain(hosts).collect()
    }

    /// Returns a text page on the contract: where it is served, its routes in the order in which
    /// they are tried, and the outcomes that have answers.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut page = self.name.to_string();
        if let Some(description) = &self.description {
            let _ = write!(page, ": {description}");
        }
        let _ = write!(page, "\n  reached at {}", self.endpoints().join(", "));
        if let Some(version) = &self.api_version {
            let usual = if version.is_default { ", or by default" } else { "" };
            let _ =
                write!(page, "\n  for `Accept: …; {}={}`{usual}", version.parameter, version.is);
        }
        for route in &self.routes {
            let action = &route.action;
            let (method, paths) = (route.method(), route.spelled().join(", "));
            let _ = write!(page, "\n  {method:6} {paths}: {} ", action.operation.name());
            page.push_str(&action.resource.resource_name().to_lowercase());
            match &action.input.form {
                _ if !action.operation.has_form() => {}
                FormSelector::One(form) => {
                    let _ = write!(page, " by the form {}", form.name);
                }
                FormSelector::FromRequest(named) => {
                    let _ = write!(page, " by the form named in `{}`", named.key);
                }
                FormSelector::None => {}
            }
            let _ = write!(page, "; {}", names(&self.outcomes_of(action)));
        }
        let mut everywhere: Vec<Outcome> = self.responses.keys().copied().collect();
        everywhere.sort_unstable();
        let _ = write!(page, "\n  answers of all routes: {}", names(&everywhere));
        page
    }

    /// Returns the outcomes of a route that have an answer, in the route or in the contract.
    fn outcomes_of(&self, action: &Action) -> Vec<Outcome> {
        let checked = action.checks.iter().map(|(outcome, ..)| *outcome);
        let of_operation = action.operation.outcomes().iter().copied();
        let mut all: Vec<Outcome> =
            of_operation.chain(checked).chain(action.responses.keys().copied()).collect();
        all.retain(|outcome| self.response_template(Some(action), *outcome).is_some());
        all.sort_unstable();
        all.dedup();
        all
    }
}

fn names(outcomes: &[Outcome]) -> String {
    outcomes.iter().map(|outcome| outcome.name()).collect::<Vec<_>>().join(", ")
}
