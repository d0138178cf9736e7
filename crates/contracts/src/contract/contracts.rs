//! All contracts of a configuration: selects the contract of a request.

use std::sync::Arc;

use super::model::Contract;
use super::mount::HostPattern;
use registrar_core::config::{Location, ProblemCode, Problems};

/// All contracts of a configuration.
#[derive(Debug, Default)]
pub struct Contracts {
    list: Vec<Arc<Contract>>,
    has_hosts: bool,
}

impl Contracts {
    pub(crate) fn new(list: Vec<Arc<Contract>>) -> Self {
        let has_hosts = list.iter().any(|contract| !contract.hosts.is_empty());
        Self { list, has_hosts }
    }

    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        let versions = |of: &Self| -> Vec<Arc<str>> {
            of.list.iter().map(|contract| contract.version.clone()).collect()
        };
        versions(self) == versions(other)
    }

    /// Returns all contracts, sorted by name.
    #[must_use]
    pub fn list(&self) -> &[Arc<Contract>] {
        &self.list
    }

    /// Returns the contract with a name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Arc<Contract>> {
        self.list.iter().find(|contract| &*contract.name == name)
    }

    /// Returns the contracts of a host: those with its exact name, else those with a matching
    /// wildcard. `host` may include a port.
    #[must_use]
    pub fn for_host(&self, host: &str) -> Vec<&Arc<Contract>> {
        if !self.has_hosts {
            return Vec::new();
        }
        let bare = host.rsplit_once(':').map_or(host, |(bare, _)| bare);
        let with = |fits: &dyn Fn(&HostPattern) -> bool| -> Vec<&Arc<Contract>> {
            self.list.iter().filter(|contract| contract.hosts.iter().any(fits)).collect()
        };
        let is_it =
            |name: &str| name.eq_ignore_ascii_case(if name.contains(':') { host } else { bare });
        let exact = with(&|known| matches!(known, HostPattern::Exact(name) if is_it(name)));
        if !exact.is_empty() {
            return exact;
        }
        with(&|known| match known {
            HostPattern::Below(end) => {
                let start = bare.len().checked_sub(end.len()).filter(|start| *start > 0);
                start
                    .and_then(|start| bare.get(start..))
                    .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
            }
            HostPattern::Exact(_) => false,
        })
    }

    /// Returns the contracts with the longest mount that is a prefix of a path, and the path after
    /// the mount.
    #[must_use]
    pub fn for_path<'p>(&self, path: &'p str) -> (Vec<&Arc<Contract>>, &'p str) {
        let behind = |contract: &Contract| {
            let rest = path.strip_prefix(contract.mount.as_deref()?)?;
            rest.starts_with('/').then_some(rest)
        };
        let found = self.list.iter().filter_map(|contract| Some((contract, behind(contract)?)));
        let mut found: Vec<_> = found.collect();
        let shortest = found.iter().map(|(_, rest)| rest.len()).min().unwrap_or_default();
        found.retain(|(_, rest)| rest.len() == shortest);
        let rest = found.first().map_or("", |(_, rest)| rest);
        (found.into_iter().map(|(contract, _)| contract).collect(), rest)
    }

    /// Selects the contract with the version that an `Accept` header requests. If there is no such
    /// version, returns the default one and `false`.
    #[must_use]
    pub fn select_version<'c>(
        of: &[&'c Arc<Contract>],
        accept: Option<&str>,
    ) -> Option<(&'c Arc<Contract>, bool)> {
        let usual = of.iter().find(|contract| {
            contract.api_version.as_ref().is_none_or(|version| version.is_default)
        });
        let usual = usual.or(of.first()).copied()?;
        let requested_version =
            usual.api_version.as_ref().zip(accept).and_then(|(version, accept)| {
                let mut parameters =
                    accept.split([';', ',']).filter_map(|part| part.split_once('='));
                let is_it = |name: &str| name.trim().eq_ignore_ascii_case(&version.parameter);
                parameters
                    .find(|(name, _)| is_it(name))
                    .map(|(_, value)| value.trim().trim_matches('"'))
            });
        let Some(requested_version) = requested_version else { return Some((usual, true)) };
        let is_requested = |contract: &&&Arc<Contract>| {
            contract.api_version.as_ref().is_some_and(|version| *version.is == *requested_version)
        };
        Some(of.iter().find(is_requested).map_or((usual, false), |found| (*found, true)))
    }
}

/// Reports a name, mount or host that two contracts share.
pub(crate) fn clash(
    contract: &Contract,
    location: Location,
    other: &Contract,
    file: &str,
    problems: &mut Problems,
) {
    let mut note = |code, what: String, expected: &str| {
        problems.add(code, location, what, expected, Some(format!("the other one is {file}")));
    };
    if contract.name == other.name {
        let what = format!("there is another contract `{}`", contract.name);
        note(ProblemCode::DuplicateName, what, "each name once");
    }
    let are_versions = match (&contract.api_version, &other.api_version) {
        (Some(one), Some(other)) => one.parameter == other.parameter && one.is != other.is,
        _ => false,
    };
    let same_mount = contract.mount.as_ref().filter(|mount| other.mount.as_ref() == Some(mount));
    if let Some(mount) = same_mount.filter(|_| !are_versions) {
        let what = format!("another contract is mounted at `{mount}`");
        note(ProblemCode::Contradiction, what, "each mount once");
    }
    for host in contract.hosts.iter().filter(|host| other.hosts.contains(host) && !are_versions) {
        let (HostPattern::Exact(name) | HostPattern::Below(name)) = host;
        let what = format!("another contract has the host `{name}`");
        note(ProblemCode::Contradiction, what, "each host once");
    }
}
