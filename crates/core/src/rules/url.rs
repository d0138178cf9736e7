//! `url`: the value must be an absolute URL with a host.

use url::{Host, Url as Parsed};

use super::notation::{INVALID, check_text};
use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput, RuleOption};

pub(super) static RULE: Rule = Rule {
    name: "url",
    aliases: &[],
    summary: "The value must be an absolute URL (WHATWG URL) with `//` and a host, without spaces, \
              user name or password. Blank values pass.",
    options: &[
        RuleOption::new(
            "schemes",
            "a scheme or a list",
            "The allowed schemes. Default: http and https.",
        ),
        RuleOption::new(
            "host",
            "a host or a list",
            "The allowed hosts. Default: any. `*.example.com` matches every subdomain of \
             example.com.",
        ),
    ],
    main_option: Some("schemes"),
    messages: &[&INVALID],
    applies_to: Applicability::VALUES,
    accepts: &[
        ("true", "\"https://example.com/a?b=c#d\""),
        ("true", "\"http://exåmple.no:8080\""),
        ("https", "\"https://[2001:db8::1]/\""),
        ("{schemes: [ftp, ftps]}", "\"ftp://example.com/file\""),
        ("{host: [example.com, \"*.example.com\"]}", "\"https://www.example.com\""),
        ("true", "\"\""),
    ],
    rejects: &[
        ("true", "\"example.com\"", "invalid"),
        ("true", "\"https://\"", "invalid"),
        ("true", "\"https:example.com\"", "invalid"),
        ("true", "\"https://exa mple.com\"", "invalid"),
        ("true", "\"javascript:alert(1)\"", "invalid"),
        ("true", "\"https://ann:secret@example.com\"", "invalid"),
        ("https", "\"http://example.com\"", "invalid"),
        ("{host: example.com}", "\"https://example.com.evil.net\"", "invalid"),
    ],
    compile,
};

fn compile(compile: &mut CompileContext<'_, '_>) -> Option<Box<dyn Check>> {
    let schemes = match compile.texts("schemes") {
        None => vec!["http".into(), "https".into()],
        Some(schemes) => schemes.into_iter().map(|scheme| scheme.to_ascii_lowercase()).collect(),
    };
    let hosts = compile.texts("host").unwrap_or_default();
    if let Some(scheme) = schemes.iter().find(|scheme| !is_scheme(scheme)) {
        let what = format!("`{scheme}` is not a URL scheme");
        compile.bad(compile.location, what, "a word such as https");
    }
    let hosts = hosts.iter().map(|host| host.to_lowercase()).collect();
    Some(Box::new(Url { schemes, hosts }))
}

/// Returns whether a string is a URL scheme (RFC 3986 section 3.1).
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

#[derive(Debug)]
struct Url {
    schemes: Vec<String>,
    hosts: Vec<String>,
}

impl Url {
    fn accepts(&self, text: &str) -> bool {
        // The parser repairs what browsers repair: a missing `//`, spaces, backslashes.
        let is_plain = |character: char| !character.is_whitespace() && !character.is_control();
        if !text.chars().all(|character| is_plain(character) && character != '\\') {
            return false;
        }
        let has_authority = text.split_once(':').is_some_and(|(_, rest)| {
            rest.strip_prefix("//").is_some_and(|rest| !rest.starts_with(['/', '?', '#']))
        });
        let Some(url) = Parsed::parse(text).ok().filter(|_| has_authority) else { return false };
        let host = match url.host() {
            Some(Host::Domain("")) | None => return false,
            Some(host) => host.to_string(),
        };
        self.schemes.iter().any(|scheme| scheme == url.scheme())
            && url.username().is_empty()
            && url.password().is_none()
            && (self.hosts.is_empty() || self.hosts.iter().any(|allowed| covers(allowed, &host)))
    }
}

fn covers(allowed: &str, host: &str) -> bool {
    match allowed.strip_prefix('*') {
        Some(below) => host.len() > below.len() && host.ends_with(below),
        None => host == allowed,
    }
}

impl Check for Url {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        check_text(input, reporter, |text| self.accepts(text));
    }
}
