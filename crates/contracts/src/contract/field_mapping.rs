//! Maps the fields of an API to the fields of a form, for input and for error messages.

use std::borrow::Cow;

use super::catalogue::MessageTemplates;
use registrar_core::config::{Data, Entry, ProblemCode, Reader};
use registrar_core::evaluate::validate_value;
use registrar_core::fields::FieldType;
use registrar_core::form::{Field, FieldBody, Form, Group};
use registrar_core::value::Value;

/// A field of an API and its place in the form.
#[derive(Debug)]
pub(crate) struct FieldMapping {
    /// Name in the API, as its documentation writes it; dots lead into nested values.
    pub(crate) name: Box<str>,
    /// Field of the form, or `None` if the submitted value is ignored.
    pub(crate) to: Option<MappingTarget>,
    /// Whether answers must not contain it.
    pub(crate) is_write_only: bool,
    /// Submitted codes and the values stored for them.
    codes: Vec<(Box<str>, Box<str>)>,
    /// Messages of its own.
    pub(crate) texts: MessageTemplates,
    /// Field of the nested records that each value becomes.
    pub(crate) each: Option<Box<str>>,
    /// Whether it takes a list of values, with `each`.
    pub(crate) is_list: bool,
    /// Name of the contract's id whose format it takes.
    pub(crate) id: Option<Box<str>>,
    /// Whether empty objects and other values than objects become null.
    pub(crate) is_object: bool,
    /// Whether it must be submitted on creation, regardless of the form.
    pub(crate) is_required: bool,
    /// Whether it must be submitted on creation and on update.
    pub(crate) is_always_required: bool,
}

/// A field of a form.
#[derive(Debug)]
pub(crate) struct MappingTarget {
    /// Path: `properties.city`.
    pub(crate) path: Box<str>,
    pub(crate) field_type: Option<FieldType>,
    pub(crate) is_secret: bool,
}

/// The casing of field names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Casing {
    /// Unchanged.
    Verbatim,
    /// `is_active`
    Snake,
    /// `isActive`
    Camel,
    /// Both; for input only.
    Both,
}

const KEYS: [&str; 10] = [
    "to",
    "codes",
    "read_only",
    "write_only",
    "messages",
    "each",
    "list",
    "id",
    "object",
    "required",
];

impl Casing {
    /// Converts a name to the API's casing.
    pub(crate) fn to_api(self, name: &str) -> Cow<'_, str> {
        match self {
            Self::Camel => Cow::Owned(camel(name)),
            Self::Verbatim | Self::Snake | Self::Both => Cow::Borrowed(name),
        }
    }

    /// Whether a submitted key is this name.
    pub(crate) fn matches(self, sent: &str, name: &str) -> bool {
        match self {
            Self::Verbatim | Self::Snake => sent == name,
            Self::Camel => sent == camel(name),
            Self::Both => sent == name || sent == camel(name),
        }
    }
}

/// Converts `is_active` to `isActive`. Source: djangorestframework-camel-case, `camelize`.
fn camel(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        match letters.peek() {
            Some(next) if letter == '_' && !text.is_empty() && next.is_ascii_alphanumeric() => {
                text.push(next.to_ascii_uppercase());
                letters.next();
            }
            _ => text.push(letter),
        }
    }
    text
}

impl FieldMapping {
    /// Whether the submitted value is passed to the form unchanged.
    pub(crate) fn is_plain(&self) -> bool {
        let is_other = self.is_list || self.is_object || self.each.is_some() || self.id.is_some();
        !is_other && self.codes.is_empty()
    }

    /// Reads a field mapping and checks that its target is in the form.
    pub(crate) fn read(reader: &mut Reader<'_>, entry: &Entry, form: Option<&Form>) -> Self {
        let mut mapped = Self {
            name: entry.key.as_str().into(),
            to: None,
            is_write_only: false,
            codes: Vec::new(),
            texts: MessageTemplates::default(),
            each: None,
            is_list: false,
            id: None,
            is_object: false,
            is_required: false,
            is_always_required: false,
        };
        let (mut path, mut is_read_only) = ((entry.key.as_str(), entry.location), false);
        if let Data::Text(text) = &entry.value.data {
            path = (text, entry.value.location);
        } else {
            for inner in reader.map(&entry.value, &entry.key) {
                let value = &inner.value;
                match inner.key.as_str() {
                    "to" => path = (reader.text(value, "to").unwrap_or(path.0), value.location),
                    "read_only" => is_read_only = reader.boolean(value, "read_only") == Some(true),
                    "write_only" => {
                        mapped.is_write_only = reader.boolean(value, "write_only") == Some(true);
                    }
                    "messages" => mapped.texts = MessageTemplates::read(reader, value),
                    "each" => mapped.each = reader.text(value, "each").map(Into::into),
                    "list" => mapped.is_list = reader.boolean(value, "list") == Some(true),
                    "id" => mapped.id = reader.text(value, "id").map(Into::into),
                    "object" => mapped.is_object = reader.boolean(value, "object") == Some(true),
                    "required" => {
                        let word = matches!(&value.data, Data::Text(word) if word == "always");
                        mapped.is_always_required = word;
                        mapped.is_required =
                            word || reader.boolean(value, "required") == Some(true);
                    }
                    "codes" => {
                        for code in reader.map(value, "codes") {
                            let label = reader.text(&code.value, &code.key);
                            mapped.codes.extend(
                                label.map(|label| (code.key.as_str().into(), label.into())),
                            );
                        }
                    }
                    _ => reader.unknown_key(inner, &format!("`{}`", entry.key), &KEYS),
                }
            }
        }
        if is_read_only {
            if let Some(other) = entry.value.get("to").or_else(|| entry.value.get("codes")) {
                let what = format!("`{}` is read-only, so `{}` has no use", entry.key, other.key);
                let code = ProblemCode::Contradiction;
                reader.problems.add(code, other.location, what, "one of the two", None);
            }
            return mapped;
        }
        // The problems of an invalid form have been reported already.
        let Some(form) = form else { return mapped };
        match field_at(form, path.0) {
            Ok(field) => {
                let field_type = match &field.body {
                    FieldBody::Scalar(scalar) => Some(scalar.field_type),
                    _ => None,
                };
                let is_secret = field.is_secret;
                mapped.check_codes(reader, entry, field, field_type);
                mapped.to = Some(MappingTarget { path: path.0.into(), field_type, is_secret });
            }
            Err((name, known)) => {
                let within = format!("the form `{}`", form.name);
                let code = ProblemCode::UnknownField;
                reader.unknown(code, "field", &name, path.1, &within, &known);
            }
        }
        if let Some(each) = &mapped.each
            && let Err((name, known)) = field_at(form, &format!("{}.{each}", path.0))
        {
            let within = format!("`{}` of the form `{}`", path.0, form.name);
            reader.unknown(ProblemCode::UnknownField, "field", &name, path.1, &within, &known);
        }
        mapped
    }

    /// Reports codes whose values the field rejects, and accepted values without a code.
    fn check_codes(
        &self,
        reader: &mut Reader<'_>,
        entry: &Entry,
        field: &Field,
        field_type: Option<FieldType>,
    ) {
        if self.codes.is_empty() {
            return;
        }
        let location =
            entry.value.get("codes").map_or(entry.location, |codes| codes.value.location);
        let mut note = |what: String, expected: &str| {
            let code = ProblemCode::Contradiction;
            reader.problems.add(code, location, what, expected, None);
        };
        for (code, label) in &self.codes {
            let value = Value::String(Cow::Owned(label.to_string()));
            if !validate_value(field, value).is_empty() {
                let what = format!("the code `{code}` maps to `{label}`, which the field rejects");
                note(what, "a value that the form's rules accept");
            }
        }
        for value in field.included_values(field_type) {
            let has_code = self.codes.iter().any(|(_, label)| value.as_str() == Some(label));
            if value.is_string() && !has_code {
                let what = format!("no code maps to {value}, which the field accepts");
                note(what, "a code for each value of the form's `inclusion`");
            }
        }
    }

    /// Converts a submitted value to the form's, or returns `None` if it counts as not submitted.
    /// An unknown code becomes a value that no field accepts. `number` looks up the number of an
    /// id.
    pub(crate) fn submitted<'v>(
        &self,
        sent: Value<'v>,
        number: &dyn Fn(&str, &str) -> Option<i64>,
    ) -> Option<Value<'v>> {
        if self.is_object {
            let is_filled = matches!(&sent, Value::Object(entries) if !entries.is_empty());
            return Some(if is_filled { sent } else { Value::Null });
        }
        if let Some(each) = &self.each {
            let record = |item: Value<'v>| {
                let item = self.one(item, number);
                Value::Object(vec![(Cow::Owned(each.to_string()), item)])
            };
            return match sent {
                Value::Null => None,
                Value::String(text) if text.is_empty() => None,
                Value::Array(items) => Some(Value::Array(items.into_iter().map(record).collect())),
                // An object would be taken for a record, which this field must not accept.
                Value::Object(_) => Some(Value::Bool(true)),
                one if self.is_list => Some(one),
                one => Some(Value::Array(vec![record(one)])),
            };
        }
        Some(self.one(sent, number))
    }

    /// Converts a single value.
    fn one<'v>(&self, sent: Value<'v>, number: &dyn Fn(&str, &str) -> Option<i64>) -> Value<'v> {
        if let (Some(id), Value::String(text) | Value::Number(text)) = (&self.id, &sent) {
            // No record has the number 0, so an invalid id is never found.
            let number = number(id, text).unwrap_or_default();
            return Value::Number(Cow::Owned(number.to_string()));
        }
        if self.codes.is_empty() || sent == Value::Null {
            return sent;
        }
        let text = match &sent {
            Value::String(text) | Value::Number(text) => text,
            _ => return Value::Object(Vec::new()),
        };
        match self.codes.iter().find(|(code, _)| **code == **text) {
            Some((_, label)) => Value::String(Cow::Owned(label.to_string())),
            None => Value::Object(Vec::new()),
        }
    }

    /// Returns the API's type of a field that becomes records: array for a list, else string.
    /// `rest` is the path within the field.
    pub(crate) fn api_type(&self, rest: &str) -> FieldType {
        if self.is_list && rest.is_empty() { FieldType::Array } else { FieldType::String }
    }

    /// Returns the API's code of a violation: `inclusion` for `wrong_type` if the field has codes.
    pub(crate) fn code<'c>(&self, code: &'c str) -> &'c str {
        if !self.codes.is_empty() && code == "wrong_type" { "inclusion" } else { code }
    }

    /// Returns the rest of a path below this field: `[1]` of `properties.tags[1]`. Returns `None`
    /// if the path is not in the field.
    pub(crate) fn rest_of<'p>(&self, path: &'p str) -> Option<&'p str> {
        let rest = path.strip_prefix(&*self.to.as_ref()?.path)?;
        let inner = self
            .each
            .as_ref()
            .and_then(|each| rest.strip_suffix(&**each).and_then(|rest| rest.strip_suffix('.')));
        let rest = inner.unwrap_or(rest);
        (rest.is_empty() || rest.starts_with(['.', '['])).then_some(rest)
    }
}

/// Returns the field at a path of a form.
///
/// # Errors
/// Returns the unknown name and the names known in its place.
pub(crate) fn field_at<'f>(
    form: &'f Form,
    path: &str,
) -> Result<&'f Field, (String, Vec<&'f str>)> {
    let mut group: &Group = &form.root;
    let mut parts = path.split('.').peekable();
    while let Some(part) = parts.next() {
        let names = || group.fields.iter().map(|field| &*field.name).collect();
        let unknown = || (part.to_owned(), names());
        let field = &group.fields[group.index_of(part).ok_or_else(unknown)?];
        if parts.peek().is_none() {
            return Ok(field);
        }
        group = match &field.body {
            FieldBody::Container(inner) | FieldBody::Record(inner) | FieldBody::Records(inner) => {
                inner
            }
            FieldBody::Scalar(_) => return Err((path.to_owned(), Vec::new())),
        };
    }
    Err((path.to_owned(), Vec::new()))
}

/// Inserts a value at a path, creating objects on the way.
pub(crate) fn insert_at<'v>(
    entries: &mut Vec<(Cow<'v, str>, Value<'v>)>,
    path: &str,
    value: Value<'v>,
) {
    let (first, rest) = match path.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    };
    let at = entries.iter().position(|(name, _)| name == first);
    let Some(rest) = rest else {
        match at {
            Some(at) => entries[at].1 = value,
            None => entries.push((Cow::Owned(first.to_owned()), value)),
        }
        return;
    };
    let at = at.unwrap_or_else(|| {
        entries.push((Cow::Owned(first.to_owned()), Value::Object(Vec::new())));
        entries.len() - 1
    });
    if let Value::Object(inner) = &mut entries[at].1 {
        insert_at(inner, rest, value);
    }
}

#[cfg(test)]
mod tests {
    use super::{Casing, camel};

    #[test]
    fn camel_case_names_match_snake_case_fields() {
        for (name, cased) in
            [("is_active", "isActive"), ("id", "id"), ("a_1_b", "a1B"), ("_x", "_x")]
        {
            assert_eq!(camel(name), cased);
            assert!(Casing::Both.matches(cased, name) && Casing::Both.matches(name, name));
        }
        assert!(!Casing::Verbatim.matches("isActive", "is_active"));
    }
}
