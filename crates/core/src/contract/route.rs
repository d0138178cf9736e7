//! Where an API's operations are: methods and paths, within a mount or on a host.

use crate::config::{Entry, Node, ProblemCode, Reader};

use super::id::IdFormat;

/// What a route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// What is posted becomes a user.
    Create,
    /// The user of the id in the path.
    Show,
}

/// Whether a path ends with a slash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slash {
    Required,
    Optional,
    Forbidden,
}

/// A route of a contract.
#[derive(Debug)]
pub(crate) struct Route {
    method: Box<str>,
    paths: Vec<Path>,
    slash: Slash,
    pub(crate) operation: Operation,
}

/// `/v1/users/{id}`, by segments.
#[derive(Debug, PartialEq, Eq)]
struct Path(Vec<Segment>);

#[derive(Debug, PartialEq, Eq)]
enum Segment {
    Word(Box<str>),
    Id,
}

/// What a request is to a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matched<'r> {
    /// To be done; with the id in the path.
    Route(Operation, Option<&'r str>),
    /// The path is known, with other methods: these.
    Method(String),
    /// Nothing is there.
    Nothing,
}

const KEYS: [&str; 5] = ["method", "path", "aliases", "trailing_slash", "operation"];
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const ID: &str = "{id}";

impl Route {
    /// Reads one; `id` is how the contract names users in paths, where it says so.
    pub(crate) fn read(reader: &mut Reader<'_>, node: &Node, id: Option<IdFormat>) -> Option<Self> {
        let (mut method, mut operation, mut slash) = (None, None, Slash::Optional);
        let mut paths = Vec::new();
        for entry in reader.map(node, "a route") {
            let value = &entry.value;
            match entry.key.as_str() {
                "method" => method = reader.word(value, "method", &METHODS),
                "path" => paths.extend(path(reader, value)),
                "aliases" => {
                    for alias in reader.list(value, "aliases") {
                        paths.extend(path(reader, alias));
                    }
                }
                "trailing_slash" => slash = trailing_slash(reader, entry),
                "operation" => {
                    operation = reader.word(value, "operation", &["create", "show"]).map(|word| {
                        if word == "create" { Operation::Create } else { Operation::Show }
                    });
                }
                _ => reader.unknown_key(entry, "a route", &KEYS),
            }
        }
        for key in ["method", "path", "operation"] {
            if node.get(key).is_none() {
                let what = format!("a route does not say its `{key}`");
                let expected = format!("`{key}:`");
                reader.problems.add(ProblemCode::MissingKey, node.place, what, expected, None);
            }
        }
        let (method, operation) = (method?, operation?);
        let route = Self { method: method.into(), paths, slash, operation };
        let takes_id = |path: &Path| path.0.contains(&Segment::Id);
        let wants_id = operation == Operation::Show;
        if route.paths.iter().any(|path| takes_id(path) != wants_id) {
            let what = "a path with `{id}` shows a user, and one without creates one";
            let expected = "`{id}` once in the path of `show`, and not in that of `create`";
            reader.problems.add(ProblemCode::Contradiction, node.place, what, expected, None);
        }
        if wants_id && id.is_none_or(|id| id == IdFormat::Uuid) {
            let what = "users cannot be found by `{id}`: `ids` does not say how to read it";
            let expected = "`ids: {id: …}`, an integer or letters (no index leads from a UUID)";
            reader.problems.add(ProblemCode::MissingKey, node.place, what, expected, None);
        }
        Some(route)
    }

    /// Whether a request could be to both.
    pub(crate) fn clashes_with(&self, other: &Self) -> bool {
        let overlap = |one: &Path| other.paths.iter().any(|path| path.overlaps(one));
        self.method == other.method && self.paths.iter().any(overlap)
    }

    fn find<'p>(&self, path: &'p str) -> Option<Option<&'p str>> {
        let (bare, has_slash) = match path.strip_suffix('/') {
            Some(bare) => (bare, true),
            None => (path, false),
        };
        let fits = match self.slash {
            Slash::Required => has_slash,
            Slash::Optional => true,
            Slash::Forbidden => !has_slash,
        };
        if !fits {
            return None;
        }
        self.paths.iter().find_map(|known| known.find(bare))
    }
}

impl Path {
    fn find<'p>(&self, path: &'p str) -> Option<Option<&'p str>> {
        let (mut id, mut parts) = (None, path.strip_prefix('/')?.split('/'));
        for segment in &self.0 {
            let part = parts.next()?;
            match segment {
                Segment::Word(word) if **word == *part => {}
                Segment::Id if !part.is_empty() => id = Some(part),
                Segment::Word(_) | Segment::Id => return None,
            }
        }
        parts.next().is_none().then_some(id)
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self.0.iter().zip(&other.0).all(|pair| match pair {
                (Segment::Word(one), Segment::Word(other)) => one == other,
                _ => true,
            })
    }
}

/// The route of a request; `path` begins behind the mount.
pub(crate) fn find<'r>(routes: &[Route], method: &str, path: &'r str) -> Matched<'r> {
    let method = if method == "HEAD" { "GET" } else { method };
    let mut allowed: Vec<&str> = Vec::new();
    for route in routes {
        let Some(id) = route.find(path) else { continue };
        if *route.method == *method {
            return Matched::Route(route.operation, id);
        }
        allowed.push(&route.method);
        if &*route.method == "GET" {
            allowed.push("HEAD");
        }
    }
    if allowed.is_empty() { Matched::Nothing } else { Matched::Method(allowed.join(", ")) }
}

fn trailing_slash(reader: &mut Reader<'_>, entry: &Entry) -> Slash {
    let words = ["required", "optional", "forbidden"];
    match reader.word(&entry.value, &entry.key, &words) {
        Some("required") => Slash::Required,
        Some("forbidden") => Slash::Forbidden,
        _ => Slash::Optional,
    }
}

fn path(reader: &mut Reader<'_>, node: &Node) -> Option<Path> {
    let text = reader.text(node, "path")?;
    let bare = text.strip_suffix('/').unwrap_or(text);
    let parts: Option<Vec<&str>> = bare.strip_prefix('/').map(|rest| rest.split('/').collect());
    let is_fit = |part: &&str| *part == ID || !(part.is_empty() || part.contains(['{', '}', '?']));
    let parts = parts.filter(|parts| {
        parts.iter().all(is_fit) && parts.iter().filter(|part| **part == ID).count() <= 1
    });
    let Some(parts) = parts else {
        let what = format!("`{text}` is no path");
        let expected = "a path such as `/v1/users/{id}`, with `{id}` once at most";
        reader.problems.add(ProblemCode::BadOption, node.place, what, expected, None);
        return None;
    };
    let segment = |part: &str| if part == ID { Segment::Id } else { Segment::Word(part.into()) };
    Some(Path(parts.into_iter().map(segment).collect()))
}
