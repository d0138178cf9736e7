//! Routes: methods, paths and query conditions, relative to a mount or a host.

use std::borrow::Cow;

use crate::decode::brackets;
use registrar_core::config::{Data, Entry, Node, ProblemCode, Reader};
use registrar_core::value::Value;

use super::action::Action;

/// Whether paths end with a slash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TrailingSlash {
    Required,
    Optional,
    Forbidden,
}

/// A route of a contract.
#[derive(Debug)]
pub(crate) struct Route {
    method: Box<str>,
    paths: Vec<PathPattern>,
    slash: TrailingSlash,
    /// Required query keys, each with its value or with any.
    query: Vec<(Box<str>, Option<Box<str>>)>,
    pub(crate) action: Action,
}

/// A path such as `/v1/users/{id}`, by segments.
#[derive(Debug, PartialEq, Eq)]
struct PathPattern(Vec<PathSegment>);

#[derive(Debug, PartialEq, Eq)]
enum PathSegment {
    Word(Box<str>),
    /// A parameter and the suffix after it: `{id}`, `{id}.json`.
    Name(Box<str>, Box<str>),
}

/// The result of matching a request against the routes.
#[derive(Debug)]
pub enum RouteMatch<'c> {
    /// The action of the route, and the path parameters by name.
    Route(&'c Action, Value<'static>),
    /// The path exists with other methods only: the value of `Allow`.
    Method(String),
    /// No route has this path.
    Nothing,
}

/// Keys of a route that this module reads; the others belong to its action.
const KEYS: [&str; 5] = ["method", "path", "aliases", "trailing_slash", "query"];
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Reads a route. `action` reads its other keys; it is given the node, the keys read here and the
/// names of the path parameters.
pub(crate) fn read(
    reader: &mut Reader<'_>,
    node: &Node,
    action: impl FnOnce(&mut Reader<'_>, &Node, &[&str], &[String]) -> Option<Action>,
) -> Option<Route> {
    let (mut method, mut slash) = (None, TrailingSlash::Optional);
    let (mut paths, mut query) = (Vec::new(), Vec::new());
    for entry in reader.map(node, "a route") {
        let value = &entry.value;
        match entry.key.as_str() {
            "method" => method = reader.keyword(value, "method", &METHODS),
            "path" => paths.extend(path(reader, value)),
            "aliases" => {
                for alias in reader.list(value, "aliases") {
                    paths.extend(path(reader, alias));
                }
            }
            "trailing_slash" => slash = trailing_slash(reader, entry),
            "query" => {
                for entry in reader.map(value, "query") {
                    let required = match &entry.value.data {
                        Data::Null => None,
                        Data::Bool(flag) => Some(flag.to_string().into()),
                        Data::Number(text) => Some(text.as_str().into()),
                        _ => reader.text(&entry.value, &entry.key).map(Into::into),
                    };
                    query.push((entry.key.as_str().into(), required));
                }
            }
            _ => {}
        }
    }
    for key in ["method", "path", "operation"] {
        if node.get(key).is_none() {
            let what = format!("a route has no `{key}`");
            let expected = format!("`{key}:`");
            reader.problems.add(ProblemCode::MissingKey, node.location, what, expected, None);
        }
    }
    let names = paths.first().map(PathPattern::names).unwrap_or_default();
    if let Some(other) = paths.iter().find(|path| path.names() != names) {
        let what = "the paths of a route have different parameters";
        let expected = format!("{names:?} in each, not {:?}", other.names());
        reader.problems.add(ProblemCode::Contradiction, node.location, what, expected, None);
    }
    let mut action = action(reader, node, &KEYS, &names)?;
    if let Some(Data::Text(text)) = node.get("path").map(|entry| &entry.value.data) {
        action.path = text.as_str().into();
    }
    Some(Route { method: method?.into(), paths, slash, query, action })
}

impl Route {
    /// Whether a request could match both routes.
    pub(crate) fn clashes_with(&self, other: &Self) -> bool {
        let overlap = |one: &PathPattern| other.paths.iter().any(|path| path.overlaps(one));
        self.method == other.method && self.query == other.query && self.paths.iter().any(overlap)
    }

    pub(crate) fn method(&self) -> &str {
        &self.method
    }

    /// Returns its main path, one without `.json` if there is one, and its other paths. They end
    /// with a slash if one is required.
    pub(crate) fn plain_paths(&self) -> (String, Vec<String>) {
        let slash = if self.slash == TrailingSlash::Required { "/" } else { "" };
        let mut paths: Vec<String> =
            self.paths.iter().map(|path| format!("{}{slash}", path.spelled())).collect();
        paths.sort_by_key(|path| path.ends_with(".json"));
        let others = paths.split_off(paths.len().min(1));
        (paths.pop().unwrap_or_default(), others)
    }

    /// Returns the names of its path parameters.
    pub(crate) fn path_names(&self) -> Vec<String> {
        self.paths.first().map(PathPattern::names).unwrap_or_default()
    }

    /// Returns the required query keys, each with its value or `None` for any.
    pub(crate) fn query(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.query.iter().map(|(key, required)| (&**key, required.as_deref()))
    }

    /// Returns its paths as the contract writes them, with the query conditions; an optional slash
    /// is in brackets.
    pub(crate) fn spelled(&self) -> Vec<String> {
        let slash = match self.slash {
            TrailingSlash::Required => "/",
            TrailingSlash::Optional => "[/]",
            TrailingSlash::Forbidden => "",
        };
        let conditions = self.query.iter().map(|(key, required)| match required {
            Some(required) => format!("{key}={required}"),
            None => format!("{key}=…"),
        });
        let conditions: Vec<String> = conditions.collect();
        let mark = if conditions.is_empty() { "" } else { "?" };
        let conditions = conditions.join("&");
        self.paths
            .iter()
            .map(|path| format!("{}{slash}{mark}{conditions}", path.spelled()))
            .collect()
    }

    /// Matches a path and query. Returns the path parameters by name.
    fn find(&self, path: &str, query: &Value<'_>) -> Option<Value<'static>> {
        let (bare, has_slash) = match path.strip_suffix('/') {
            Some(bare) => (bare, true),
            None => (path, false),
        };
        let fits = match self.slash {
            TrailingSlash::Required => has_slash,
            TrailingSlash::Optional => true,
            TrailingSlash::Forbidden => !has_slash,
        };
        let is_satisfied = |(key, required): &(Box<str>, Option<Box<str>>)| {
            let value = query.get(key).and_then(Value::as_str);
            value.is_some_and(|value| required.as_ref().is_none_or(|required| **required == *value))
        };
        if !fits || !self.query.iter().all(is_satisfied) {
            return None;
        }
        self.paths.iter().find_map(|known| known.find(bare))
    }
}

impl PathPattern {
    fn find(&self, path: &str) -> Option<Value<'static>> {
        let (mut names, mut parts) = (Vec::new(), path.strip_prefix('/')?.split('/'));
        for segment in &self.0 {
            let part = parts.next()?;
            match segment {
                PathSegment::Word(word) if **word == *part => {}
                PathSegment::Name(name, end) if part.len() > end.len() => {
                    let text = decoded(part.strip_suffix(&**end)?)?;
                    names.push((Cow::Owned(name.to_string()), Value::String(Cow::Owned(text))));
                }
                PathSegment::Word(_) | PathSegment::Name(..) => return None,
            }
        }
        parts.next().is_none().then_some(Value::Object(names))
    }

    fn spelled(&self) -> String {
        let segment = |segment: &PathSegment| match segment {
            PathSegment::Word(word) => format!("/{word}"),
            PathSegment::Name(name, end) => format!("/{{{name}}}{end}"),
        };
        self.0.iter().map(segment).collect()
    }

    fn names(&self) -> Vec<String> {
        let name = |segment: &PathSegment| match segment {
            PathSegment::Name(name, _) => Some(name.to_string()),
            PathSegment::Word(_) => None,
        };
        let mut names: Vec<String> = self.0.iter().filter_map(name).collect();
        names.sort_unstable();
        names
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self.0.iter().zip(&other.0).all(|pair| match pair {
                (PathSegment::Word(one), PathSegment::Word(other)) => one == other,
                // Words take precedence over parameters, so they do not overlap.
                (PathSegment::Name(..), PathSegment::Name(..)) => true,
                _ => false,
            })
    }

    /// Returns the number of parameters; paths with fewer are tried first.
    fn openness(&self) -> usize {
        self.0.iter().filter(|segment| matches!(segment, PathSegment::Name(..))).count()
    }
}

/// Decodes percent-encoded characters of a path segment (RFC 3986, section 2.1). Returns `None` if
/// it is not UTF-8 or encodes an unreserved character: clients need not encode those (section 2.3),
/// and rejecting them leaves a single spelling of each id.
fn decoded(part: &str) -> Option<String> {
    if !part.contains('%') {
        return Some(part.to_owned());
    }
    let is_unreserved = |encoded: &str| {
        let digits = encoded.get(..2).filter(|digits| !digits.starts_with('+'));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    if part.split('%').skip(1).any(is_unreserved) {
        return None;
    }
    // In a path, a plus is not a space.
    let part = part.replace('+', "%2B");
    brackets::percent_decoded(part.as_bytes()).ok().map(Cow::into_owned)
}

/// Sorts routes into the order in which they are tried: those with more query conditions first,
/// then those with fewer path parameters.
pub(crate) fn sort(routes: &mut [Route]) {
    let openness = |route: &Route| route.paths.iter().map(PathPattern::openness).max();
    routes.sort_by_key(|route| (std::cmp::Reverse(route.query.len()), openness(route)));
}

/// Finds the route of a request. `path` is the part after the mount; HEAD is treated as GET.
pub(crate) fn find<'c>(
    routes: &'c [Route],
    method: &str,
    path: &str,
    query: &Value<'_>,
) -> RouteMatch<'c> {
    let method = if method == "HEAD" { "GET" } else { method };
    let mut allowed: Vec<&str> = Vec::new();
    for route in routes {
        let Some(names) = route.find(path, query) else { continue };
        if *route.method == *method {
            return RouteMatch::Route(&route.action, names);
        }
        for method in [&*route.method, "HEAD"] {
            let is_it = method != "HEAD" || &*route.method == "GET";
            if is_it && !allowed.contains(&method) {
                allowed.push(method);
            }
        }
    }
    if allowed.is_empty() { RouteMatch::Nothing } else { RouteMatch::Method(allowed.join(", ")) }
}

fn trailing_slash(reader: &mut Reader<'_>, entry: &Entry) -> TrailingSlash {
    let words = ["required", "optional", "forbidden"];
    match reader.keyword(&entry.value, &entry.key, &words) {
        Some("required") => TrailingSlash::Required,
        Some("forbidden") => TrailingSlash::Forbidden,
        _ => TrailingSlash::Optional,
    }
}

fn path(reader: &mut Reader<'_>, node: &Node) -> Option<PathPattern> {
    let text = reader.text(node, "path")?;
    let bare = text.strip_suffix('/').unwrap_or(text);
    let parts: Option<Vec<&str>> = bare.strip_prefix('/').map(|rest| rest.split('/').collect());
    let segment = |part: &&str| match part.strip_prefix('{').and_then(|p| p.split_once('}')) {
        Some((name, end)) => {
            let is_name = !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            let is_end =
                end.is_empty() || end.starts_with('.') && !end.contains(['{', '}', '?', '#', '%']);
            (is_name && is_end).then(|| PathSegment::Name(name.into(), end.into()))
        }
        None => {
            let is_word = !(part.is_empty() || part.contains(['{', '}', '?', '#']));
            is_word.then(|| PathSegment::Word((*part).into()))
        }
    };
    let segments: Option<Vec<PathSegment>> =
        parts.and_then(|parts| parts.iter().map(segment).collect());
    let read = segments.map(PathPattern).filter(|path| {
        let names = path.names();
        names.windows(2).all(|pair| pair[0] != pair[1])
    });
    if read.is_none() {
        let what = format!("`{text}` is not a valid path");
        let expected = "a path such as `/v1/users/{id}`, with each name once";
        reader.problems.add(ProblemCode::BadOption, node.location, what, expected, None);
    }
    read
}
