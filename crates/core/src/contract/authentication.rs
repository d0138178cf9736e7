//! How callers of an API say who they are.

use crate::config::{Data, Node, ProblemCode, Reader};

/// What stands in `Authorization`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `Token …`, `Token token=…` or `Token token="…"`, as Rails and Django REST framework have it.
    Token,
    /// `Bearer …` (RFC 6750).
    Bearer,
    /// The credential alone.
    Key,
}

/// What a request says of who sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential<'h> {
    /// Nothing that the contract listens to.
    Missing,
    /// This.
    Sent(&'h str),
    /// Something that cannot be a credential.
    Unreadable,
}

const SCHEMES: [&str; 4] = ["token", "bearer", "key", "none"];

impl Scheme {
    /// The whole header with a credential.
    #[must_use]
    pub fn header(self, credential: &str) -> String {
        match self {
            Self::Token => format!("Token {credential}"),
            Self::Bearer => format!("Bearer {credential}"),
            Self::Key => credential.to_owned(),
        }
    }

    /// Reads `authentication: {schemes: [bearer, key]}`; empty where anybody may call.
    pub(crate) fn read(reader: &mut Reader<'_>, node: &Node) -> Vec<Self> {
        let (mut schemes, mut is_open) = (Vec::new(), false);
        for entry in reader.map(node, "authentication") {
            if entry.key != "schemes" {
                reader.unknown_key(entry, "`authentication`", &["schemes"]);
                continue;
            }
            for item in reader.list(&entry.value, "schemes") {
                match reader.word(item, "schemes", &SCHEMES) {
                    Some("token") => schemes.push(Self::Token),
                    Some("bearer") => schemes.push(Self::Bearer),
                    Some("key") => schemes.push(Self::Key),
                    Some(_) => is_open = true,
                    None => {}
                }
            }
            if is_open && !schemes.is_empty() {
                let what = "`none` stands beside other schemes: then nobody need say who they are";
                let expected = "`none` alone, or the others";
                let code = ProblemCode::Contradiction;
                reader.problems.add(code, entry.value.place, what, expected, None);
            }
            if matches!(&entry.value.data, Data::List(items) if items.is_empty()) {
                let expected = "at least one scheme; `none` where anybody may call";
                reader.wrong_shape(&entry.value, "schemes", expected);
            }
        }
        schemes
    }
}

/// What a header says to a contract with these schemes. Another scheme than those says nothing to
/// it. Source: Django REST framework, `TokenAuthentication.authenticate`; Rails,
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
            Scheme::Bearer if word.eq_ignore_ascii_case("bearer") => rest,
            Scheme::Key if rest.is_empty() => word,
            _ => continue,
        };
        let is_one = !found.is_empty() && !found.contains([' ', '\t']);
        return if is_one { Credential::Sent(found) } else { Credential::Unreadable };
    }
    Credential::Missing
}

impl super::Contract {
    /// What a request's `Authorization` says to it.
    #[must_use]
    pub fn credential<'h>(&self, header: Option<&'h str>) -> Credential<'h> {
        credential(&self.schemes, header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scheme_hears_its_own_spellings() {
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
    }
}
