//! Reads where a contract is served: its mount, hosts and version.

use registrar_core::config::{Node, ProblemCode, Reader};

/// Path prefixes reserved for Registrar.
const RESERVED_PATHS: [&str; 4] = ["/api", "/health", "/metrics", "/openapi.json"];

/// The version of an API that a contract serves, selected by a parameter of `Accept`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiVersion {
    pub(crate) parameter: Box<str>,
    pub(crate) is: Box<str>,
    pub(crate) is_default: bool,
}

/// A host of a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HostPattern {
    /// A host name; with its port if the contract gives one.
    Exact(Box<str>),
    /// Any subdomain of a name: `.user.com`.
    Below(Box<str>),
}

/// Reads `mount: /garmat`.
pub(crate) fn mount(reader: &mut Reader<'_>, tree: &Node) -> Option<Box<str>> {
    let node = &tree.get("mount")?.value;
    let mount = reader.text(node, "mount")?;
    if mount == "/" {
        return Some("".into());
    }
    let is_path = mount.len() > 1
        && mount.strip_prefix('/').is_some_and(|rest| {
            rest.split('/')
                .all(|part| !part.is_empty() && !part.contains(['{', '}', '?', '#', '%']))
        });
    let reserved = RESERVED_PATHS.iter().find(|path| {
        mount.strip_prefix(**path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    if !is_path {
        let what = format!("`{mount}` is not a valid mount");
        let expected = "a path such as `/garmat`, without a slash at its end";
        reader.problems.add(ProblemCode::BadOption, node.location, what, expected, None);
    } else if let Some(path) = reserved {
        let what = format!("`{path}` is reserved for Registrar");
        let expected = "another mount";
        reader.problems.add(ProblemCode::Contradiction, node.location, what, expected, None);
    }
    Some(mount.into())
}

/// Reads `hosts: [api.example.com, "*.example.com"]`.
pub(crate) fn hosts(reader: &mut Reader<'_>, tree: &Node) -> Vec<HostPattern> {
    let mut hosts = Vec::new();
    let Some(entry) = tree.get("hosts") else { return hosts };
    for node in reader.list(&entry.value, "hosts") {
        let Some(text) = reader.text(node, "hosts") else { continue };
        let host = match text.strip_prefix('*') {
            Some(end)
                if end.len() > 1 && end.starts_with('.') && !end.contains([':', '*', '/']) =>
            {
                HostPattern::Below(end.into())
            }
            None if !text.is_empty() && !text.contains(['*', '/', ' ']) => {
                HostPattern::Exact(text.into())
            }
            _ => {
                let what = format!("`{text}` is not a host");
                let expected = "`api.example.com`, `localhost:4000`, or `*.example.com`";
                reader.problems.add(ProblemCode::BadOption, node.location, what, expected, None);
                continue;
            }
        };
        hosts.push(host);
    }
    hosts
}

/// Reads `version: {parameter: version, is: "2"}`.
pub(crate) fn version(reader: &mut Reader<'_>, tree: &Node) -> Option<ApiVersion> {
    let node = &tree.get("version")?.value;
    for entry in reader.map(node, "version") {
        if !["parameter", "is", "default"].contains(&entry.key.as_str()) {
            reader.unknown_key(entry, "`version`", &["parameter", "is", "default"]);
        }
    }
    let mut text = |key: &str| {
        let entry = node.get(key)?;
        reader.text(&entry.value, key).map(Into::into)
    };
    let (parameter, is) = (text("parameter"), text("is"));
    let default = node.get("default");
    let is_default =
        default.and_then(|entry| reader.boolean(&entry.value, "default")) == Some(true);
    let (Some(parameter), Some(is)) = (parameter, is) else {
        let expected = "`{parameter: version, is: \"1\", default: true}`";
        reader.wrong_shape(node, "version", expected);
        return None;
    };
    Some(ApiVersion { parameter, is, is_default })
}
