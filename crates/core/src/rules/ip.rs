//! `ip`: the value must be an IP address.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::notation::{INVALID, check_text};
use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput, RuleOption};

pub(super) static RULE: Rule = Rule {
    name: "ip",
    aliases: &[],
    summary: "The value must be an IPv4 address of four decimal numbers or an IPv6 address (RFC \
              4291 section 2.2), without a port, a zone or a prefix. Blank values pass.",
    options: &[RuleOption::new("version", "4 or 6", "Required version. Default: any.")],
    main_option: Some("version"),
    messages: &[&INVALID],
    applies_to: Applicability::VALUES,
    accepts: &[
        ("true", "\"192.0.2.1\""),
        ("true", "\"2001:db8::1\""),
        ("4", "\"0.0.0.0\""),
        ("6", "\"::ffff:192.0.2.1\""),
    ],
    rejects: &[
        ("true", "\"192.0.2\"", "invalid"),
        ("true", "\"192.0.2.256\"", "invalid"),
        ("true", "\"192.0.2.01\"", "invalid"),
        ("true", "\"192.0.2.0/24\"", "invalid"),
        ("4", "\"::1\"", "invalid"),
        ("6", "\"192.0.2.1\"", "invalid"),
    ],
    compile,
};

fn compile(compile: &mut CompileContext<'_, '_>) -> Option<Box<dyn Check>> {
    let (four, six) = match compile.count("version") {
        None => (true, true),
        Some(4) => (true, false),
        Some(6) => (false, true),
        Some(_) => {
            compile.bad(compile.location, "this version of IP addresses does not exist", "4 or 6");
            return None;
        }
    };
    Some(Box::new(Ip { four, six }))
}

#[derive(Debug)]
struct Ip {
    four: bool,
    six: bool,
}

impl Check for Ip {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        check_text(input, reporter, |text| {
            (self.four && text.parse::<Ipv4Addr>().is_ok())
                || (self.six && text.parse::<Ipv6Addr>().is_ok())
        });
    }
}
