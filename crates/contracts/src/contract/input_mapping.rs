//! Maps a request body to a form submission: which form, and which fields.

use std::collections::HashMap;
use std::sync::Arc;

use super::expressions::Expressions;
use super::field_mapping::FieldMapping;
use super::operation::Operation;
use super::scope::Expr;
use registrar_core::config::{Data, Entry, Node, ProblemCode, Reader, nearest};
use registrar_core::form::Form;
use registrar_core::record_kind::RecordKind;
use registrar_core::value::Value;

/// The input mapping of a contract or a route.
#[derive(Debug, Clone, Default)]
pub(crate) struct InputMapping {
    pub(crate) form: FormSelector,
    /// Fields of the API, or `None` if they have the form's names.
    pub(crate) fields: Option<Arc<[FieldMapping]>>,
    pub(crate) refuses_unknown: bool,
    /// Form fields that are set regardless of the submission: path and value.
    pub(crate) set: Arc<[(Box<str>, Expr)]>,
    /// Values that are added to the submission, by the API's field names.
    pub(crate) inject: Arc<[(Box<str>, Expr)]>,
    /// Keys of the name and the value, if the submission is a single named value.
    pub(crate) name_value: Option<(Arc<str>, Arc<str>)>,
}

/// How the form of a route is selected.
#[derive(Debug, Clone, Default)]
pub(crate) enum FormSelector {
    #[default]
    None,
    /// A fixed form.
    One(Arc<Form>),
    /// The form that the request names.
    FromRequest(Arc<FormParameter>),
}

/// The parameters with which a request selects its form.
#[derive(Debug)]
pub(crate) struct FormParameter {
    /// Key of the form's name, in the body or the query.
    pub(crate) key: Box<str>,
    /// Key of the submitted object.
    pub(crate) under: Box<str>,
    /// Forms that can be selected.
    pub(crate) forms: Arc<HashMap<Arc<str>, Arc<Form>>>,
    /// Key of the record type, if the request may name it too.
    pub(crate) type_key: Option<Box<str>>,
}

impl InputMapping {
    /// Whether one of its forms hides which accounts exist (`strict_enumeration`).
    pub(crate) fn strict_enumeration(&self) -> bool {
        match &self.form {
            FormSelector::None => false,
            FormSelector::One(form) => form.strict_enumeration,
            FormSelector::FromRequest(named) => {
                named.forms.values().any(|form| form.strict_enumeration)
            }
        }
    }
}

/// An error in the parameters that select a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidParameter<'t> {
    /// Key of the parameter.
    pub field: &'t str,
    /// Code: `missing`, `unknown_form`, `wrong_form` or `wrong_type`.
    pub code: &'static str,
    /// Message.
    pub text: &'static str,
    /// The closest existing name, if the name is unknown.
    pub near: Option<&'t str>,
}

impl InputMapping {
    /// Reads the mapping of a contract, which is the default of its routes.
    pub(crate) fn of_contract(
        reader: &mut Reader<'_>,
        tree: &Node,
        expressions: &Expressions<'_>,
    ) -> Self {
        let form = match expressions.form {
            Some(form) => FormSelector::One(form.clone()),
            None => FormSelector::None,
        };
        Self { form, ..Self::default() }.with(reader, tree, expressions)
    }

    /// Reads the mapping of a route; keys that it lacks are taken from `default`.
    pub(crate) fn of_route(
        reader: &mut Reader<'_>,
        node: &Node,
        default: &Self,
        (operation, resource): (Operation, RecordKind),
        expressions: &Expressions<'_>,
    ) -> Self {
        let mut mapping = default.clone();
        if let Some(entry) = node.get("form") {
            mapping.form = match &entry.value.data {
                Data::Map(_) => read_form_parameter(reader, &entry.value, expressions),
                _ => expressions.load_context.form(reader, &entry.value).map_or(
                    // The problems of an invalid form have been reported already.
                    default.form.clone(),
                    FormSelector::One,
                ),
            };
        }
        if let (FormSelector::One(form), true) = (&mapping.form, operation.has_form()) {
            let is_allowed = match operation {
                Operation::Create => form.may_create,
                Operation::Upsert => form.may_create && form.may_update,
                _ => form.may_update,
            };
            let location = node.get("form").map_or(node.location, |entry| entry.value.location);
            let mut note = |what: String, expected: &str| {
                let code = ProblemCode::Contradiction;
                reader.problems.add(code, location, what, expected, None);
            };
            if form.resource != resource {
                let what = format!("the form `{}` is for another resource", form.name);
                note(what, "a form for the resource of the route");
            } else if !is_allowed {
                let what =
                    format!("the form `{}` does not allow the operation of the route", form.name);
                note(
                    what,
                    "a form that lists `email`, or for changes one with `resource_owner: anyone`",
                );
            }
        }
        match mapping.form.clone() {
            FormSelector::One(form) if node.get("form").is_some() => {
                mapping.with(reader, node, &expressions.with_form(&form))
            }
            _ => mapping.with(reader, node, expressions),
        }
    }

    /// Applies the keys of a contract or a route.
    fn with(mut self, reader: &mut Reader<'_>, node: &Node, expressions: &Expressions<'_>) -> Self {
        if let Some(entry) = node.get("fields") {
            self.fields = match &entry.value.data {
                Data::Text(text) if text == "as_form" => None,
                _ => Some(read_fields(reader, entry, expressions).into()),
            };
        } else if node.get("form").is_some()
            && let FormSelector::FromRequest(_) = self.form
        {
            self.fields = None;
        }
        if let Some(entry) = node.get("unknown") {
            let word = reader.keyword(&entry.value, "unknown", &["ignore", "reject"]);
            self.refuses_unknown = word == Some("reject");
        }
        if let Some(entry) = node.get("set") {
            let mut set = Vec::new();
            for entry in reader.map(&entry.value, "set") {
                if let Some(form) = expressions.form
                    && let Err((name, known)) = super::field_mapping::field_at(form, &entry.key)
                {
                    let within = format!("the form `{}`", form.name);
                    let code = ProblemCode::UnknownField;
                    reader.unknown(code, "field", &name, entry.location, &within, &known);
                }
                let value = expressions.condition(reader, &entry.value, &entry.key, &[]);
                set.extend(value.map(|value| (entry.key.as_str().into(), value)));
            }
            self.set = set.into();
        }
        if let Some(entry) = node.get("inject") {
            let mut inject = Vec::new();
            for entry in reader.map(&entry.value, "inject") {
                let value = expressions.condition(reader, &entry.value, &entry.key, &[]);
                inject.extend(value.map(|value| (entry.key.as_str().into(), value)));
            }
            self.inject = inject.into();
        }
        if let Some(entry) = node.get("name_value") {
            let mut key = |name: &str| {
                let entry = entry.value.get(name)?;
                reader.text(&entry.value, name).map(Arc::from)
            };
            self.name_value = key("name").zip(key("value"));
            if self.name_value.is_none() {
                reader.wrong_shape(&entry.value, "name_value", "`{name: attribute, value: value}`");
            }
        }
        self
    }

    /// Whether a form can be selected for an operation on a resource.
    pub(crate) fn serves(form: &Form, operation: Operation, resource: RecordKind) -> bool {
        let is_allowed = match operation {
            Operation::Create => form.may_create,
            Operation::IssueToken => true,
            _ => form.may_update,
        };
        is_allowed && form.resource == resource
    }

    /// Takes the form's input out of the submission.
    pub(crate) fn form_input<'v>(&self, sent: Value<'v>) -> Value<'v> {
        match (&self.form, sent) {
            (FormSelector::FromRequest(named), Value::Object(entries)) => {
                let form_entry = entries.into_iter().find(|(key, _)| *key == *named.under);
                form_entry.map_or(Value::Null, |(_, value)| value)
            }
            (_, sent) => sent,
        }
    }

    /// Returns the form that a request selects, with its input.
    ///
    /// # Errors
    /// Returns an error if a parameter is missing, names no suitable form or has the wrong type.
    pub(crate) fn select<'t, 'v>(
        &'t self,
        sent: &'v Value<'v>,
        query: &Value<'_>,
        operation: Operation,
        resource: RecordKind,
    ) -> Result<(&'t Arc<Form>, &'v Value<'v>), InvalidParameter<'t>> {
        let wrong = |field, code, text| Err(InvalidParameter { field, code, text, near: None });
        let named = match &self.form {
            FormSelector::One(form) => return Ok((form, sent)),
            FormSelector::None => return wrong("form", "missing", "is missing"),
            FormSelector::FromRequest(named) => named,
        };
        let name = sent.get(&named.key).or_else(|| query.get(&named.key)).and_then(Value::as_str);
        let Some(name) = name else {
            return wrong(&named.key, "missing", "is missing: expected the name of a form");
        };
        let Some(form) = named.forms.get(name) else {
            let mut known: Vec<&str> = named.forms.keys().map(|name| &**name).collect();
            known.sort_unstable();
            let (field, text) = (&*named.key, "is not the name of a form");
            let (code, near) = ("unknown_form", nearest(name, known));
            return Err(InvalidParameter { field, code, text, near });
        };
        if !Self::serves(form, operation, resource) {
            let text = match (operation, resource) {
                (Operation::Create, RecordKind::User) => "names a form that does not create users",
                (_, RecordKind::User) => {
                    "names a form that cannot update users: `resource_owner: anyone` is required"
                }
                _ => "names a form for another resource or operation",
            };
            return wrong(&named.key, "wrong_form", text);
        }
        if let (Some(key), Some(of)) = (&named.type_key, &form.record_type) {
            let value = sent.get(key);
            if value.is_some_and(|value| value.as_str().is_none_or(|value| !is_type(value, of))) {
                return wrong(key, "wrong_type", "is not the type of the form's records");
            }
        }
        match sent.get(&named.under) {
            Some(submitted @ Value::Object(_)) => Ok((form, submitted)),
            _ if matches!(operation, Operation::Delete | Operation::Revoke) => Ok((form, sent)),
            _ => wrong(&named.under, "missing", WITHOUT_FORM),
        }
    }
}

const WITHOUT_FORM: &str = "is missing: expected an object with the fields of the form";

/// Whether a name is that of a type, ignoring case and with spaces and hyphens as underscores.
fn is_type(value: &str, of: &str) -> bool {
    let plain = |text: &str| text.to_lowercase().replace([' ', '-'], "_");
    plain(value) == plain(of)
}

fn read_form_parameter(
    reader: &mut Reader<'_>,
    node: &Node,
    expressions: &Expressions<'_>,
) -> FormSelector {
    let keys = ["named_by", "under", "type"];
    for entry in reader.map(node, "form") {
        if !keys.contains(&entry.key.as_str()) {
            reader.unknown_key(entry, "`form`", &keys);
        }
    }
    let mut text = |key: &str| {
        let entry = node.get(key)?;
        reader.text(&entry.value, key).map(Into::into)
    };
    let (key, under, type_key) = (text("named_by"), text("under"), text("type"));
    let (Some(key), Some(under)) = (key, under) else {
        let expected = "`{named_by: form_configuration_name, under: form}`";
        reader.wrong_shape(node, "form", expected);
        return FormSelector::None;
    };
    let forms = expressions.load_context.served.clone();
    FormSelector::FromRequest(Arc::new(FormParameter { key, under, forms, type_key }))
}

fn read_fields(
    reader: &mut Reader<'_>,
    entry: &Entry,
    expressions: &Expressions<'_>,
) -> Vec<FieldMapping> {
    let form = expressions.form.map(|form| &**form);
    let mut fields: Vec<FieldMapping> = Vec::new();
    for entry in reader.map(&entry.value, "fields") {
        let mapped = FieldMapping::read(reader, entry, form);
        let path = |field: &FieldMapping| field.to.as_ref().map(|to| to.path.clone());
        let other =
            fields.iter().find(|other| path(other).is_some() && path(other) == path(&mapped));
        if let Some(other) = other {
            let what =
                format!("`{}` and `{}` map to the same field of the form", other.name, mapped.name);
            let code = ProblemCode::Contradiction;
            reader.problems.add(code, entry.location, what, "each field once", None);
        }
        if let Some(id) = mapped.id.as_ref().filter(|id| !expressions.has_id(id)) {
            let known: Vec<&str> = expressions.ids.iter().map(|id| &*id.name).collect();
            let location =
                entry.value.get("id").map_or(entry.location, |entry| entry.value.location);
            reader.unknown(ProblemCode::UnknownField, "id", id, location, "`ids`", &known);
        }
        fields.push(mapped);
    }
    fields
}
