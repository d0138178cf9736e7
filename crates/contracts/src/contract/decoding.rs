//! Decoding of request bodies, by content type or by content.

use crate::decode::{DecodeError, brackets, json};
use registrar_core::config::{Entry, Node, Reader};
use registrar_core::value::Value;

use super::field_mapping::Casing;

/// Decoding options of a contract.
#[derive(Debug)]
pub(crate) struct Decoding {
    json: bool,
    form: bool,
    pub(crate) multipart: bool,
    /// Whether the content of a body takes precedence over its content type.
    sniff: bool,
    pub(crate) casing: Casing,
    /// Whether an empty body is an empty object.
    empty: bool,
    /// Whether `Content-Type` must be present, valid and consistent with the body.
    pub(crate) is_strict: bool,
}

/// Why a body was not decoded.
#[derive(Debug)]
pub enum BodyError {
    /// The content type is not accepted.
    MediaType,
    /// The body is malformed.
    Malformed(DecodeError),
}

const KEYS: [&str; 5] = ["accept", "sniff", "casing", "empty", "labels"];

impl Default for Decoding {
    fn default() -> Self {
        Self {
            json: true,
            form: false,
            multipart: false,
            sniff: false,
            casing: Casing::Verbatim,
            empty: true,
            is_strict: false,
        }
    }
}

impl Decoding {
    /// Reads `decoding: {accept: [json, form], sniff: true}`.
    pub(crate) fn read(reader: &mut Reader<'_>, node: &Node) -> Self {
        let mut decoding = Self::default();
        for entry in reader.map(node, "decoding") {
            let value = &entry.value;
            match entry.key.as_str() {
                "accept" => {
                    (decoding.json, decoding.form, decoding.multipart) = (false, false, false);
                    for item in reader.list(value, "accept") {
                        match reader.keyword(item, "accept", &["json", "form", "multipart"]) {
                            Some("json") => decoding.json = true,
                            Some("form") => decoding.form = true,
                            Some(_) => decoding.multipart = true,
                            None => {}
                        }
                    }
                }
                "sniff" => decoding.sniff = reader.boolean(value, "sniff") == Some(true),
                "casing" => decoding.casing = casing(reader, entry, &["both", "camel"]),
                "empty" => {
                    let word = reader.keyword(value, "empty", &["object", "malformed"]);
                    decoding.empty = word != Some("malformed");
                }
                "labels" => {
                    let word = reader.keyword(value, "labels", &["loose", "strict"]);
                    decoding.is_strict = word == Some("strict");
                }
                _ => reader.unknown_key(entry, "`decoding`", &KEYS),
            }
        }
        decoding
    }

    /// Returns whether JSON, urlencoded forms and multipart bodies are accepted.
    pub(crate) fn media_types(&self) -> (bool, bool, bool) {
        (self.json, self.form, self.multipart)
    }

    /// Whether an empty body is an empty object.
    pub(crate) fn accepts_no_body(&self) -> bool {
        self.empty
    }

    /// Decodes a body. `label` is its content type in lower case, without parameters; without one,
    /// the body is JSON.
    pub(crate) fn decode<'b>(
        &self,
        label: Option<&str>,
        bytes: &'b [u8],
    ) -> Result<Value<'b>, BodyError> {
        let is_json = label.is_none_or(|label| {
            label.is_empty() || label == "application/json" || label.ends_with("+json")
        });
        let is_form = label == Some("application/x-www-form-urlencoded");
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        if self.sniff && self.json && matches!(first, Some(b'{' | b'[')) {
            return json::parse(bytes).map_err(BodyError::Malformed);
        }
        if !(is_json && self.json || is_form && self.form) {
            return Err(BodyError::MediaType);
        }
        if first.is_none() && self.empty {
            return Ok(Value::Object(Vec::new()));
        }
        if is_form {
            return brackets::parse_urlencoded(bytes).map_err(BodyError::Malformed);
        }
        match json::parse(bytes) {
            Err(_) if self.sniff && self.form && looks_like_form(bytes) => {
                brackets::parse_urlencoded(bytes).map_err(BodyError::Malformed)
            }
            parsed => parsed.map_err(BodyError::Malformed),
        }
    }
}

/// Whether a body matches `k=v(&k=v)*` without whitespace.
fn looks_like_form(bytes: &[u8]) -> bool {
    let is_pair = |pair: &[u8]| pair.iter().position(|byte| *byte == b'=').is_some_and(|at| at > 0);
    !bytes.iter().any(u8::is_ascii_whitespace)
        && !matches!(bytes.first(), Some(b'"'))
        && bytes.split(|byte| *byte == b'&').all(is_pair)
}

/// Reads a casing: `verbatim`, `snake` or one of `more`.
pub(crate) fn casing(reader: &mut Reader<'_>, entry: &Entry, more: &[&str]) -> Casing {
    let words: Vec<&str> = ["verbatim", "snake"].iter().chain(more).copied().collect();
    match reader.keyword(&entry.value, &entry.key, &words) {
        Some("snake") => Casing::Snake,
        Some("camel") => Casing::Camel,
        Some("both") => Casing::Both,
        _ => Casing::Verbatim,
    }
}
