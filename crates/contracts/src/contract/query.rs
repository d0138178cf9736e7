//! Checks the query of a strict list.

use super::action::Action;
use crate::decode::brackets;
use registrar_core::value::Value;

impl Action {
    /// Returns an error text for the first invalid or unknown query parameter, or `None` if there
    /// is none or the route is not strict.
    #[must_use]
    pub fn invalid_parameter(&self, query: &str) -> Option<String> {
        let paging = Some(&self.paging).filter(|paging| paging.is_strict)?;
        let entries = match brackets::parse_urlencoded(query.as_bytes()) {
            Ok(Value::Object(entries)) => entries,
            Ok(_) => return None,
            Err(error) => return Some(format!("the query cannot be read: {error}")),
        };
        let mut known: Vec<&str> = self.query_lookup_names().collect();
        let (counts, size) = ([&paging.number, &paging.offset], paging.size.as_deref());
        known.extend(counts.into_iter().filter_map(Option::as_deref).chain(size));
        known.sort_unstable();
        entries.iter().find_map(|(key, value)| {
            let Value::String(text) = value else {
                return Some("the query contains a list or an object: expected strings".to_owned());
            };
            let from = |first: u32, most: u32| {
                let is_one = text.parse().is_ok_and(|number| (first..=most).contains(&number));
                (!is_one).then(|| format!("`{key}` is not a number from {first} to {most}"))
            };
            let is = |name: &Option<Box<str>>| name.as_deref() == Some(&**key);
            if is(&paging.size) {
                from(1, paging.max)
            } else if is(&paging.number) {
                from(1, u32::MAX)
            } else if is(&paging.offset) {
                from(0, u32::MAX)
            } else if known.contains(&&**key) {
                None
            } else {
                Some(format!("the query has an unknown key: expected {}", one_of(&known)))
            }
        })
    }
}

/// Formats names as a list: `a`, `b` or `c`.
fn one_of(names: &[&str]) -> String {
    let mut text = String::new();
    for (index, name) in names.iter().enumerate() {
        text.push_str(match index {
            0 => "",
            last if last + 1 == names.len() => " or ",
            _ => ", ",
        });
        text.push_str(&format!("`{name}`"));
    }
    text
}
