//! Authentication of an API's callers.

use std::sync::Arc;

use data_encoding::BASE64;

use super::expressions::Expressions;
use super::lookup_key::{LookupKey, read_lookup};
use super::scope::Expr;
use registrar_core::aggregate::Secret;
use registrar_core::config::{Data, Node, ProblemCode, Reader};
use registrar_core::form::Form;
use registrar_core::value::Value;

/// A scheme of the `Authorization` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `Token …`, `Token token=…` or `Token token="…"`, as in Rails and Django REST framework.
    Token,
    /// `Bearer …` (RFC 6750).
    Bearer,
    /// The token alone, without a scheme.
    Key,
    /// `Basic …`: the name and password of a stored user (RFC 7617).
    Basic,
}

/// How callers authenticate.
#[derive(Debug, Default)]
pub struct Authentication {
    /// Accepted schemes, the preferred one first. If empty, no credential is needed.
    pub schemes: Vec<Scheme>,
    /// Whether callers are authenticated before routes are matched.
    pub is_first: bool,
    /// Whether a header with another scheme counts as an invalid credential instead of a missing
    /// one.
    pub(crate) refuses_others: bool,
    /// How the user of a Basic credential is found.
    pub(crate) user: Vec<(LookupKey, Expr)>,
    /// Token attributes that expressions read as `caller.attributes`.
    pub attributes: Vec<Box<str>>,
    /// Condition on the users that may call.
    pub(crate) allowed_if: Option<Expr>,
    /// Whether users that authenticate with a password have access to all users and records of the
    /// contract, not only to their own.
    pub has_access_to_all: bool,
    /// Form by which an operator creates a user that may call; it takes `email` and `password`.
    pub new_caller: Option<Arc<Form>>,
}

/// The credential of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential<'h> {
    /// None, or a scheme that the contract does not accept.
    Missing,
    /// A token.
    Sent(&'h str),
    /// The name and password of a user.
    Pair(String, Secret),
    /// A malformed credential, which is never valid.
    Unreadable,
}

const SCHEMES: [&str; 5] = ["token", "bearer", "key", "basic", "none"];
const KEYS: [&str; 8] = [
    "schemes",
    "other_schemes",
    "before_routing",
    "attributes",
    "user",
    "allowed_if",
    "access",
    "new_caller",
];

impl Scheme {
    /// Returns the value of `Authorization` for a credential. `name` is used by
    /// [`Basic`](Self::Basic) only.
    #[must_use]
    pub fn header(self, name: &str, credential: &str) -> String {
        match self {
            Self::Token => format!("Token {credential}"),
            Self::Bearer => format!("Bearer {credential}"),
            Self::Key => credential.to_owned(),
            Self::Basic => {
                let pair = format!("{name}:{credential}");
                format!("Basic {}", BASE64.encode(pair.as_bytes()))
            }
        }
    }
}

impl Authentication {
    /// Reads `authentication: {schemes: [bearer, key]}`.
    pub(crate) fn read(
        reader: &mut Reader<'_>,
        node: &Node,
        expressions: &Expressions<'_>,
    ) -> Self {
        let (mut read, mut is_open) = (Self::default(), false);
        for entry in reader.map(node, "authentication") {
            let value = &entry.value;
            match entry.key.as_str() {
                "schemes" => {
                    for item in reader.list(value, "schemes") {
                        match reader.keyword(item, "schemes", &SCHEMES) {
                            Some("token") => read.schemes.push(Scheme::Token),
                            Some("bearer") => read.schemes.push(Scheme::Bearer),
                            Some("key") => read.schemes.push(Scheme::Key),
                            Some("basic") => read.schemes.push(Scheme::Basic),
                            Some(_) => is_open = true,
                            None => {}
                        }
                    }
                    if is_open && !read.schemes.is_empty() {
                        let what = "`none` is combined with other schemes, so no caller has to \
                             authenticate";
                        let expected = "`none` alone, or the others";
                        let code = ProblemCode::Contradiction;
                        reader.problems.add(code, value.location, what, expected, None);
                    }
                    if matches!(&value.data, Data::List(items) if items.is_empty()) {
                        let expected = "at least one scheme; `none` if no credential is needed";
                        reader.wrong_shape(value, "schemes", expected);
                    }
                }
                "other_schemes" => {
                    let word = reader.keyword(value, "other_schemes", &["ignore", "refuse"]);
                    read.refuses_others = word == Some("refuse");
                }
                "before_routing" => {
                    read.is_first = reader.boolean(value, "before_routing") == Some(true);
                }
                "attributes" => read.attributes = expressions.attributes.to_vec(),
                "user" => read.user = read_lookup(reader, value, "user", expressions),
                "allowed_if" => {
                    read.allowed_if = expressions.condition(reader, value, "allowed_if", &[]);
                }
                "access" => {
                    let word = reader.keyword(value, "access", &["own", "all"]);
                    read.has_access_to_all = word == Some("all");
                    if read.has_access_to_all && node.get("allowed_if").is_none() {
                        let what = "`access: all` gives every stored user with a password access to all \
                             users and records";
                        let expected = "`allowed_if:` to limit who may call";
                        let code = ProblemCode::Contradiction;
                        reader.problems.add(code, value.location, what, expected, None);
                    }
                }
                "new_caller" => read.new_caller = expressions.load_context.any_form(reader, value),
                _ => reader.unknown_key(entry, "`authentication`", &KEYS),
            }
        }
        if read.schemes.contains(&Scheme::Basic) && read.user.is_empty() {
            let what = "`basic` has no `user` to find the user by name";
            let expected = "`user: {email: \"{{ credential.name }}\"}`";
            reader.problems.add(ProblemCode::MissingKey, node.location, what, expected, None);
        }
        read
    }
}

/// Returns the name of the form under `new_caller`, or `None` if the contract has none.
pub(crate) fn new_caller(tree: &Node) -> Option<&str> {
    match &tree.get("authentication")?.value.get("new_caller")?.value.data {
        Data::Text(name) => Some(name),
        _ => None,
    }
}

/// Reads `authentication: {attributes: [account_id]}`.
pub(crate) fn attributes(reader: &mut Reader<'_>, tree: &Node) -> Vec<Box<str>> {
    let entry = tree.get("authentication").and_then(|entry| entry.value.get("attributes"));
    let Some(entry) = entry else { return Vec::new() };
    let items = reader.list(&entry.value, "attributes");
    items.iter().filter_map(|item| reader.text(item, "attributes").map(Into::into)).collect()
}

/// Parses an `Authorization` header. A scheme that is not in `schemes` is ignored.
/// Source: Django REST framework, `TokenAuthentication.authenticate`; Rails,
/// `HttpAuthentication::Token`.
pub(crate) fn credential<'h>(schemes: &[Scheme], header: Option<&'h str>) -> Credential<'h> {
    let Some(header) = header.map(str::trim).filter(|header| !header.is_empty()) else {
        return Credential::Missing;
    };
    let (word, rest) = match header.split_once([' ', '\t']) {
        Some((word, rest)) => (word, rest.trim()),
        None => (header, ""),
    };
    for scheme in schemes {
        let found = match scheme {
            Scheme::Token if word.eq_ignore_ascii_case("token") => {
                let first = rest.split([',', ';']).next().unwrap_or(rest).trim();
                let value = first.strip_prefix("token=").unwrap_or(first).trim();
                let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
                bare.unwrap_or(value)
            }
            Scheme::Basic if word.eq_ignore_ascii_case("basic") => {
                return pair(rest).unwrap_or(Credential::Unreadable);
            }
            Scheme::Bearer if word.eq_ignore_ascii_case("bearer") => rest,
            Scheme::Key if rest.is_empty() => word,
            _ => continue,
        };
        let is_one = !found.is_empty() && !found.contains([' ', '\t']);
        return if is_one { Credential::Sent(found) } else { Credential::Unreadable };
    }
    Credential::Missing
}

/// Decodes Basic credentials (RFC 7617, section 2).
fn pair(text: &str) -> Option<Credential<'static>> {
    let bytes = BASE64.decode(text.as_bytes()).ok()?;
    let (name, password) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
    Some(Credential::Pair(name.to_owned(), Secret::new(password.to_owned())))
}

impl super::Contract {
    /// Returns the first declared attribute that is missing or blank in `noted`, the attributes of
    /// a token, or `None` if all are present.
    #[must_use]
    pub fn missing_attribute(&self, noted: &Value<'_>) -> Option<&str> {
        let is_there = |name: &str| {
            noted.get(name).and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty())
        };
        let lacking = self.authentication.attributes.iter().find(|name| !is_there(name));
        lacking.map(|name| &**name)
    }

    /// Parses the `Authorization` header of a request.
    #[must_use]
    pub fn credential<'h>(&self, header: Option<&'h str>) -> Credential<'h> {
        match credential(&self.authentication.schemes, header) {
            Credential::Missing if header.is_some() && self.authentication.refuses_others => {
                Credential::Unreadable
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_authorization_header_per_scheme() {
        let all = [Scheme::Token, Scheme::Bearer, Scheme::Key];
        for header in
            ["Token x", "token token=x", "Token token=\"x\"", "Bearer x", "bearer  x", "x"]
        {
            assert_eq!(credential(&all, Some(header)), Credential::Sent("x"), "{header}");
        }
        for header in ["Token", "Token ", "Token a b", "Bearer"] {
            let schemes = [Scheme::Token, Scheme::Bearer];
            assert_eq!(credential(&schemes, Some(header)), Credential::Unreadable, "{header}");
        }
        for header in [None, Some(""), Some("Basic x"), Some("Token x")] {
            assert_eq!(credential(&[Scheme::Bearer], header), Credential::Missing, "{header:?}");
        }
        assert_eq!(credential(&[Scheme::Key], Some("Bearer x")), Credential::Missing);
        let basic = |header: &str| {
            let found = credential(&[Scheme::Basic], Some(header));
            match found {
                Credential::Pair(name, password) => format!("{name}={}", password.reveal()),
                other => format!("{other:?}"),
            }
        };
        assert_eq!(basic(&Scheme::Basic.header("ann", "a:b")), "ann=a:b");
        for header in ["Basic", "Basic x", "Basic YW5u"] {
            assert_eq!(basic(header), "Unreadable", "{header}");
        }
    }
}
