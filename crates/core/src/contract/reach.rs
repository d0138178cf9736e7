//! Where an API is reached: its mount, its hosts, its version.

use super::{Host, Version};
use crate::config::{Node, ProblemCode, Reader};

/// Paths that are Registrar's own.
const OWN: [&str; 3] = ["/api", "/health", "/metrics"];

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
    let own = OWN.iter().find(|own| {
        mount.strip_prefix(**own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    if !is_path {
        let what = format!("`{mount}` is nowhere to mount a contract");
        let expected = "a path such as `/garmat`, without a slash at its end";
        reader.problems.add(ProblemCode::BadOption, node.place, what, expected, None);
    } else if let Some(own) = own {
        let what = format!("`{own}` is Registrar's own");
        let expected = "a mount of the contract's own";
        reader.problems.add(ProblemCode::Contradiction, node.place, what, expected, None);
    }
    Some(mount.into())
}

pub(crate) fn hosts(reader: &mut Reader<'_>, tree: &Node) -> Vec<Host> {
    let mut hosts = Vec::new();
    let Some(entry) = tree.get("hosts") else { return hosts };
    for node in reader.list(&entry.value, "hosts") {
        let Some(text) = reader.text(node, "hosts") else { continue };
        let host = match text.strip_prefix('*') {
            Some(end)
                if end.len() > 1 && end.starts_with('.') && !end.contains([':', '*', '/']) =>
            {
                Host::Below(end.into())
            }
            None if !text.is_empty() && !text.contains(['*', '/', ' ']) => Host::Exact(text.into()),
            _ => {
                let what = format!("`{text}` is no host");
                let expected = "`api.example.com`, `localhost:4000`, or `*.example.com`";
                reader.problems.add(ProblemCode::BadOption, node.place, what, expected, None);
                continue;
            }
        };
        hosts.push(host);
    }
    hosts
}

/// Reads `version: {parameter: version, is: "2"}`.
pub(crate) fn version(reader: &mut Reader<'_>, tree: &Node) -> Option<Version> {
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
    let is_default = default.and_then(|entry| reader.flag(&entry.value, "default")) == Some(true);
    let (Some(parameter), Some(is)) = (parameter, is) else {
        let expected = "`{parameter: version, is: \"1\", default: true}`";
        reader.wrong_shape(node, "version", expected);
        return None;
    };
    Some(Version { parameter, is, is_default })
}
