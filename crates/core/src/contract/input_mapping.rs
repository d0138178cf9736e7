//! What is taken of a request: into which form, under which names.

use std::collections::HashMap;
use std::sync::Arc;

use super::action::Operation;
use super::expressions::Expressions;
use super::field_mapping::FieldMapping;
use super::scope::Expr;
use crate::config::{Data, Entry, Node, ProblemCode, Reader, nearest};
use crate::form::{Form, Resource};
use crate::value::Value;

/// What is taken of a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct InputMapping {
    pub(crate) form: FormSelector,
    /// The fields of the API; nothing where they are called as the form calls them.
    pub(crate) fields: Option<Arc<[FieldMapping]>>,
    pub(crate) refuses_unknown: bool,
    /// What the contract says, whatever is sent: where in the form, and what.
    pub(crate) set: Arc<[(Box<str>, Expr)]>,
    /// What counts as sent too, by the API's own names.
    pub(crate) inject: Arc<[(Box<str>, Expr)]>,
    /// The keys of a name and a value, where what is sent is one field of that name.
    pub(crate) name_value: Option<(Arc<str>, Arc<str>)>,
}

/// The form that is run.
#[derive(Debug, Clone, Default)]
pub(crate) enum FormSelector {
    #[default]
    None,
    /// This one.
    One(Arc<Form>),
    /// The one that the request names.
    FromRequest(Arc<FormParameter>),
}

/// Where a request names its form.
#[derive(Debug)]
pub(crate) struct FormParameter {
    /// The key of its name, in the body or the query.
    pub(crate) key: Box<str>,
    /// The key of what is submitted to it.
    pub(crate) under: Box<str>,
    /// All there are.
    pub(crate) forms: Arc<HashMap<Arc<str>, Arc<Form>>>,
    /// The type of the records, where the request must name that too: its key.
    pub(crate) type_key: Option<Box<str>>,
}

impl InputMapping {
    /// Whether a form of its tells nobody who has an account.
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

/// What is around a form and wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidParameter<'t> {
    /// The key.
    pub field: &'t str,
    /// The code: `missing`, `unknown_form`, `wrong_form`.
    pub code: &'static str,
    /// What is said.
    pub text: &'static str,
    /// The name that was probably meant.
    pub near: Option<&'t str>,
}

impl InputMapping {
    /// What the contract says for all its routes.
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

    /// What a route says, and the contract where the route does not.
    pub(crate) fn of_route(
        reader: &mut Reader<'_>,
        node: &Node,
        default: &Self,
        (operation, resource): (Operation, Resource),
        expressions: &Expressions<'_>,
    ) -> Self {
        let mut taken = default.clone();
        if let Some(entry) = node.get("form") {
            taken.form = match &entry.value.data {
                Data::Map(_) => read_form_parameter(reader, &entry.value, expressions),
                _ => expressions.around.form(reader, &entry.value).map_or(
                    // What is wrong with it has been told.
                    default.form.clone(),
                    FormSelector::One,
                ),
            };
        }
        if let (FormSelector::One(form), true) = (&taken.form, operation.has_form()) {
            let may = match operation {
                Operation::Create => form.may_create,
                Operation::Upsert => form.may_create && form.may_update,
                _ => form.may_update,
            };
            let place = node.get("form").map_or(node.place, |entry| entry.value.place);
            let mut note = |what: String, expected: &str| {
                let code = ProblemCode::Contradiction;
                reader.problems.add(code, place, what, expected, None);
            };
            if form.resource != resource {
                let what = format!("the form `{}` is for another resource", form.name);
                note(what, "a form for the resource of the route");
            } else if !may {
                let what = format!("the form `{}` may not do what the route does", form.name);
                note(
                    what,
                    "a form that lists `email`, or for changes one with `resource_owner: anyone`",
                );
            }
        }
        match taken.form.clone() {
            FormSelector::One(form) if node.get("form").is_some() => {
                taken.with(reader, node, &expressions.with_form(&form))
            }
            _ => taken.with(reader, node, expressions),
        }
    }

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
                    reader.unknown(code, "field", &name, entry.place, &within, &known);
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

    /// Whether a form may be named for an operation on a resource.
    pub(crate) fn serves(form: &Form, operation: Operation, resource: Resource) -> bool {
        let may = match operation {
            Operation::Create => form.may_create,
            Operation::IssueToken => true,
            _ => form.may_update,
        };
        may && form.resource == resource
    }

    /// What goes to the form, taken out of what was sent.
    pub(crate) fn form_input<'v>(&self, sent: Value<'v>) -> Value<'v> {
        match (&self.form, sent) {
            (FormSelector::FromRequest(named), Value::Object(entries)) => {
                let own = entries.into_iter().find(|(key, _)| *key == *named.under);
                own.map_or(Value::Null, |(_, own)| own)
            }
            (_, sent) => sent,
        }
    }

    /// The form that a request asks for, and what is submitted to it.
    pub(crate) fn select<'t, 'v>(
        &'t self,
        sent: &'v Value<'v>,
        query: &Value<'_>,
        operation: Operation,
        resource: Resource,
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
                (Operation::Create, Resource::User) => "names a form that does not create users",
                (_, Resource::User) => {
                    "names no form that changes users: for them, with `resource_owner: anyone`"
                }
                _ => "names a form that is for something else",
            };
            return wrong(&named.key, "wrong_form", text);
        }
        if let (Some(key), Some(of)) = (&named.type_key, &form.record_type) {
            let said = sent.get(key);
            if said.is_some_and(|said| said.as_str().is_none_or(|said| !is_type(said, of))) {
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

/// Whether a name is that of a type: as it is, or in snake case.
fn is_type(said: &str, of: &str) -> bool {
    let plain = |text: &str| text.to_lowercase().replace([' ', '-'], "_");
    plain(said) == plain(of)
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
    let forms = expressions.around.served.clone();
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
            let what = format!("`{}` and `{}` are one field of the form", other.name, mapped.name);
            let code = ProblemCode::Contradiction;
            reader.problems.add(code, entry.place, what, "each field once", None);
        }
        if let Some(id) = mapped.id.as_ref().filter(|id| !expressions.has_id(id)) {
            let known: Vec<&str> = expressions.ids.iter().map(|id| &*id.name).collect();
            let place = entry.value.get("id").map_or(entry.place, |entry| entry.value.place);
            reader.unknown(ProblemCode::UnknownField, "id", id, place, "`ids`", &known);
        }
        fields.push(mapped);
    }
    fields
}
