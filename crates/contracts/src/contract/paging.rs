//! Paging of lists.

use std::borrow::Cow;

use registrar_core::config::{Data, Node, Reader};
use registrar_core::value::Value;

/// Query keys and limits of paging.
#[derive(Debug)]
pub struct Paging {
    pub(crate) number: Option<Box<str>>,
    pub(crate) size: Option<Box<str>>,
    pub(crate) offset: Option<Box<str>>,
    pub(crate) default: u32,
    pub(crate) max: u32,
    /// Whether the newest come first.
    pub is_descending: bool,
    /// Whether invalid and unknown query parameters are rejected.
    pub is_strict: bool,
}

/// A requested page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// Number, from 1.
    pub number: u32,
    /// Maximum number of items on it.
    pub size: u32,
    /// Number of items before it.
    pub offset: u64,
}

impl Default for Paging {
    fn default() -> Self {
        let (number, size) = (Some("page".into()), None);
        Self {
            number,
            size,
            offset: None,
            default: 20,
            max: 100,
            is_descending: false,
            is_strict: false,
        }
    }
}

impl Paging {
    /// Reads `paging: {number: page, size: limit, default: 20, max: 100}`.
    pub(crate) fn read(reader: &mut Reader<'_>, node: &Node) -> Self {
        let mut paging = Self { number: None, ..Self::default() };
        let keys = ["number", "size", "offset", "default", "max", "order", "strict"];
        for entry in reader.map(node, "paging") {
            let value = &entry.value;
            let count = |reader: &mut Reader<'_>| {
                let count = match &value.data {
                    Data::Number(text) => text.parse().ok(),
                    _ => None,
                };
                let count = count.filter(|count| (1..=1000).contains(count));
                if count.is_none() {
                    reader.wrong_shape(value, &entry.key, "a number from 1 to 1000");
                }
                count
            };
            match entry.key.as_str() {
                "number" => paging.number = reader.text(value, "number").map(Into::into),
                "size" => paging.size = reader.text(value, "size").map(Into::into),
                "offset" => paging.offset = reader.text(value, "offset").map(Into::into),
                "default" => paging.default = count(reader).unwrap_or(paging.default),
                "max" => paging.max = count(reader).unwrap_or(paging.max),
                "order" => {
                    let word = reader.keyword(value, "order", &["first", "last"]);
                    paging.is_descending = word == Some("last");
                }
                "strict" => paging.is_strict = reader.boolean(value, "strict") == Some(true),
                _ => reader.unknown_key(entry, "`paging`", &keys),
            }
        }
        paging
    }
}

impl Paging {
    /// Returns the query keys of paging with their JSON Schemas. Only strict lists have typed
    /// schemas: others answer an invalid number with `not_found`.
    pub(crate) fn parameters(&self) -> Vec<(&str, serde_json::Value)> {
        let keys =
            [(&self.number, 1, u32::MAX), (&self.size, 1, self.max), (&self.offset, 0, u32::MAX)];
        let keys = keys.into_iter().filter_map(|(name, first, most)| {
            let schema = if self.is_strict {
                serde_json::json!({ "type": "integer", "minimum": first, "maximum": most })
            } else {
                let description = format!("A whole number from {first} to {most}.");
                serde_json::json!({ "description": description })
            };
            Some((name.as_deref()?, schema))
        });
        keys.collect()
    }

    /// Returns the page that a query requests, or `None` if a parameter is not a valid number.
    #[must_use]
    pub fn page_request(&self, query: &Value<'_>) -> Option<PageRequest> {
        let number = |key: &Option<Box<str>>| -> Option<Option<u32>> {
            let Some(value) = key.as_ref().and_then(|key| query.get(key)) else {
                return Some(None);
            };
            value.as_str()?.parse().ok().map(Some)
        };
        let size = number(&self.size)?.unwrap_or(self.default).clamp(1, self.max);
        if let Some(offset) = number(&self.offset)? {
            let number = (offset / size).saturating_add(1);
            return Some(PageRequest { number, size, offset: offset.into() });
        }
        let number = number(&self.number)?.unwrap_or(1);
        let before = u64::from(number.checked_sub(1)?) * u64::from(size);
        Some(PageRequest { number, size, offset: before })
    }

    /// Returns the root variable `page`. `base` is the URL without its query.
    #[must_use]
    pub fn page_value(
        &self,
        page: PageRequest,
        total: i64,
        base: &str,
        query: &Value<'_>,
    ) -> Value<'static> {
        let total = u64::try_from(total).unwrap_or_default();
        let count = |number: u64| Value::Number(Cow::Owned(number.to_string()));
        let pages = total.div_ceil(page.size.into());
        let address = |at: Option<u64>| match (at, self.offset.as_ref().or(self.number.as_ref())) {
            (Some(at), Some(key)) => {
                let mut address = url::form_urlencoded::Serializer::new(String::new());
                if let Value::Object(entries) = query {
                    for (name, value) in entries.iter().filter(|(name, _)| **name != **key) {
                        if let Value::String(value) = value {
                            address.append_pair(name, value);
                        }
                    }
                }
                address.append_pair(key, &at.to_string());
                Value::String(Cow::Owned(format!("{base}?{}", address.finish())))
            }
            _ => Value::Null,
        };
        let (next, previous) = if self.offset.is_some() {
            let next = Some(page.offset + u64::from(page.size)).filter(|next| *next < total);
            let previous = page.offset.checked_sub(u64::from(page.size));
            (next, previous.or((page.offset > 0).then_some(0)))
        } else {
            let number = u64::from(page.number);
            (Some(number + 1).filter(|next| *next <= pages), (number > 1).then(|| number - 1))
        };
        let entries = [
            ("number", count(page.number.into())),
            ("size", count(page.size.into())),
            ("offset", count(page.offset)),
            ("total", count(total)),
            ("pages", count(pages)),
            ("next", address(next)),
            ("previous", address(previous)),
        ];
        let entries = entries.map(|(name, value)| (Cow::Borrowed(name), value));
        Value::Object(entries.into())
    }
}
