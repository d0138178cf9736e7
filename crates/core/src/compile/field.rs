//! Reads the configuration of one field.

use strum::VariantNames;

use super::protected::is_protected;
use crate::built_ins::BuiltInRule;
use crate::config::{Data, Entry, Location, Node, ProblemCode, Reader};
use crate::expression::{Conditions, Template};
use crate::fields::FieldType;
use crate::form::{Field, FieldBody, FieldTarget, Normalizer, ScalarField};
use crate::rules::{BoundRule, FieldInfo, GroupLayout, SiblingNames, bind_all};
use crate::value::Value;

/// Field that is being read.
#[derive(Debug, Clone, Copy)]
pub(super) struct FieldContext<'c> {
    pub(super) name: &'c str,
    /// Path that is the same in every form: `profiles.developer.properties.handle`.
    pub(super) global_path: &'c str,
    pub(super) names: &'c SiblingNames<'c>,
    /// Location of its key in the form.
    pub(super) location: Location,
    /// Whether the form may update stored records.
    pub(super) may_update: bool,
    /// Whether the form may list protected fields.
    pub(super) is_privileged: bool,
}

/// Properties of a field that do not come from its own configuration.
#[derive(Debug)]
pub(super) struct FieldSpec<'c> {
    context: FieldContext<'c>,
    field_type: FieldType,
    /// Whether the form can set the type.
    is_declared: bool,
    target: FieldTarget,
    pub(super) rules: &'static [BuiltInRule],
    pub(super) unique: bool,
    pub(super) is_secret: bool,
    /// The allowed values, if they are limited.
    pub(super) only: Option<Vec<&'c str>>,
}

impl<'c> FieldContext<'c> {
    /// Returns the spec of a field with a fixed type.
    pub(super) fn known_as(self, field_type: FieldType, target: FieldTarget) -> FieldSpec<'c> {
        FieldSpec {
            context: self,
            field_type,
            is_declared: false,
            target,
            rules: &[],
            unique: false,
            is_secret: false,
            only: None,
        }
    }

    /// Returns the spec of a field whose type the form can set.
    pub(super) fn declared(self, otherwise: FieldType, target: FieldTarget) -> FieldSpec<'c> {
        FieldSpec { is_declared: true, ..self.known_as(otherwise, target) }
    }

    fn facts(self, field_type: FieldType) -> FieldInfo<'c> {
        let Self { name, global_path, names, location, .. } = self;
        let field_type = Some(field_type);
        FieldInfo { name, field_type, is_list: false, global_path, location, inner: None, names }
    }
}

pub(super) const KEYS: &[&str] = &[
    "type",
    "normalize",
    "validation",
    "schema",
    "if",
    "unless",
    "property_options",
    "description",
    "use",
];

/// Reads a scalar field.
pub(super) fn scalar(reader: &mut Reader<'_>, known: FieldSpec<'_>, node: &Node) -> Field {
    let mut scalar = ScalarField {
        field_type: known.field_type,
        default: None,
        computed: None,
        readonly: false,
        normalize: Vec::new(),
    };
    let (mut target, mut options) = (known.target, None);
    let (mut validation, mut schema) = (None, None);
    let mut conditions = Conditions::default();
    for entry in reader.map(node, known.context.name) {
        match entry.key.as_str() {
            "type" => read_type(reader, &known, &mut scalar, entry),
            "normalize" => scalar.normalize = normalizers(reader, &entry.value),
            "validation" => validation = Some(&entry.value),
            "property_options" => options = Some(&entry.value),
            "description" => {
                reader.text(&entry.value, "description");
            }
            "if" | "unless" => conditions.add(reader, entry),
            "schema" => schema = Some(entry),
            "use" => report_not_served(reader, entry),
            _ => {
                let within = format!("the field `{}`", known.context.name);
                reader.unknown_key(entry, &within, KEYS);
            }
        }
    }
    let options = options.map(|node| PropertyOptions::read(reader, node)).unwrap_or_default();
    scalar.readonly = options.readonly;
    if options.is_virtual {
        target = FieldTarget::Virtual;
    }
    let default = options.default;
    let FieldContext { name, location, is_privileged, .. } = known.context;
    let is_set_by_clients = !scalar.readonly && !matches!(target, FieldTarget::Virtual);
    if is_set_by_clients && !is_privileged && !options.public && is_protected(name) {
        reader.problems.add(
            ProblemCode::ProtectedField,
            location,
            format!("the name `{name}` suggests that the field sets privileges or ownership"),
            "`property_options: { public: true }` if any client may set it, `privileged: true` \
             next to `resource` if only trusted tokens use the form, or `property_options: { \
             readonly: true }`",
            None,
        );
    }
    let facts = known.context.facts(scalar.field_type);
    let mut rules = bind_all(reader, facts, known.rules, validation);
    implied_rules(reader, &known, facts, validation, &mut rules);
    if let Some(entry) = schema {
        rules.extend(schema_rule(reader, facts, entry));
    }
    let mut field = Field {
        name: known.context.name.into(),
        body: FieldBody::Scalar(scalar),
        target,
        rules,
        conditions,
        is_secret: known.is_secret,
        is_private: options.private,
    };
    read_default(reader, &mut field, default, node, known.context.may_update);
    field
}

/// Reads the rules of a nested form.
pub(super) fn bind_node(
    reader: &mut Reader<'_>,
    context: &FieldContext<'_>,
    body: &FieldBody,
    validation: Option<&Node>,
) -> Vec<BoundRule> {
    let inner: Option<&dyn GroupLayout> = match body {
        FieldBody::Container(group) | FieldBody::Record(group) | FieldBody::Records(group) => {
            Some(group)
        }
        FieldBody::Scalar(_) => None,
    };
    let FieldContext { name, global_path, names, location, .. } = *context;
    let is_list = matches!(body, FieldBody::Records(_));
    let facts = FieldInfo { name, field_type: None, is_list, global_path, location, inner, names };
    bind_all(reader, facts, &[], validation)
}

/// Adds a problem for a key that is reserved but not supported by this version.
pub(super) fn report_not_served(reader: &mut Reader<'_>, entry: &Entry) {
    reader.problems.add(
        ProblemCode::NotServed,
        entry.location,
        format!("`{}` of a field", entry.key),
        "a field without it: this version does not support it",
        None,
    );
}

fn read_type(
    reader: &mut Reader<'_>,
    known: &FieldSpec<'_>,
    scalar: &mut ScalarField,
    entry: &Entry,
) {
    let words: Vec<&str> = FieldType::ALL.iter().map(|known| known.name()).collect();
    let declared_type = reader.keyword(&entry.value, "type", &words).and_then(FieldType::named);
    let Some(declared_type) = declared_type else { return };
    if !known.is_declared && declared_type != known.field_type {
        let (name, is) = (known.context.name, known.field_type.name());
        reader.problems.add(
            ProblemCode::Contradiction,
            entry.value.location,
            format!("the type of `{name}` is {is}, not {}", declared_type.name()),
            format!("`type: {is}`, or no `type`"),
            None,
        );
        return;
    }
    scalar.field_type = declared_type;
}

fn normalizers(reader: &mut Reader<'_>, node: &Node) -> Vec<Normalizer> {
    let one = [node];
    let nodes: Vec<&Node> = match &node.data {
        Data::List(items) => items.iter().collect(),
        _ => one.to_vec(),
    };
    nodes
        .into_iter()
        .filter_map(|node| reader.keyword(node, "normalize", Normalizer::VARIANTS))
        .filter_map(|word| word.parse().ok())
        .collect()
}

/// `property_options:` of a field.
#[derive(Debug, Default)]
struct PropertyOptions<'n> {
    default: Option<&'n Node>,
    readonly: bool,
    is_virtual: bool,
    /// Whether any client may set the field, although its name is protected.
    public: bool,
    /// Whether only tokens with the scope `private` see the stored value.
    private: bool,
}

impl<'n> PropertyOptions<'n> {
    const KEYS: [&'static str; 5] = ["default", "readonly", "virtual", "public", "private"];

    fn read(reader: &mut Reader<'_>, node: &'n Node) -> Self {
        let mut options = Self::default();
        for entry in reader.map(node, "property_options") {
            let key = entry.key.as_str();
            if key == "default" {
                options.default = Some(&entry.value);
                continue;
            }
            let flag = match key {
                "readonly" => &mut options.readonly,
                "virtual" => &mut options.is_virtual,
                "public" => &mut options.public,
                "private" => &mut options.private,
                _ => {
                    reader.unknown_key(entry, "property_options", &Self::KEYS);
                    continue;
                }
            };
            *flag = reader.boolean(&entry.value, key) == Some(true);
        }
        options
    }
}

/// Adds the rules that follow from the field's spec: `unique`, and `inclusion` in the allowed
/// values.
fn implied_rules(
    reader: &mut Reader<'_>,
    known: &FieldSpec<'_>,
    facts: FieldInfo<'_>,
    validation: Option<&Node>,
    rules: &mut Vec<BoundRule>,
) {
    const UNIQUE: &[BuiltInRule] =
        &[BuiltInRule { name: "unique", options: "true", yields_to: &[], replaced_by: &[] }];
    if known.unique && validation.is_none_or(|node| !declares_unique(node)) {
        rules.extend(bind_all(reader, facts, UNIQUE, None));
    }
    let Some(names) = &known.only else { return };
    // These nodes are generated and valid, so they cause no problems.
    let location = known.context.location;
    let node = |data| Node { location, data };
    let entry = |key: &str, data| Entry { key: key.to_owned(), location, value: node(data) };
    let members = names.iter().map(|name| node(Data::Text((*name).to_owned()))).collect();
    let options =
        Data::Map(vec![entry("in", Data::List(members)), entry("allow_blank", Data::Bool(true))]);
    let inclusion = node(Data::Map(vec![entry("inclusion", options)]));
    rules.extend(bind_all(reader, facts, &[], Some(&inclusion)));
}

/// Binds `schema:` of a field as the rule of that name.
fn schema_rule(reader: &mut Reader<'_>, facts: FieldInfo<'_>, entry: &Entry) -> Vec<BoundRule> {
    let holding = |inner: Entry| Node { location: inner.location, data: Data::Map(vec![inner]) };
    let rule = Entry { value: holding(entry.clone()), ..entry.clone() };
    bind_all(reader, facts, &[], Some(&holding(rule)))
}

fn declares_unique(validation: &Node) -> bool {
    validation.get("unique").or_else(|| validation.get("uniqueness")).is_some()
}

/// Reads the default, which must be of the field's type and pass the field's rules. A read-only
/// field without a default must be valid when absent, unless the form may update stored records.
fn read_default(
    reader: &mut Reader<'_>,
    field: &mut Field,
    default: Option<&Node>,
    node: &Node,
    may_update: bool,
) {
    let name = field.name.clone();
    let FieldBody::Scalar(scalar) = &mut field.body else { return };
    let mut location = node.location;
    if let Some((default, text)) = default.and_then(computed_text) {
        scalar.computed = Template::compile(reader, default, text);
        return;
    }
    let mut refuse = |location, what: String, expected: String| {
        reader.problems.add(ProblemCode::BadDefault, location, what, expected, None);
    };
    if let Some(default) = default {
        location = default.location;
        let value = default.to_value();
        let value = scalar.normalize.iter().fold(value, |value, step| step.apply(value));
        match scalar.field_type.coerce(value) {
            Ok(value) => scalar.default = Some(value),
            Err(_) => {
                let expected = format!("a value of the type {}", scalar.field_type.name());
                return refuse(
                    location,
                    format!("the default of `{name}` is not of its type"),
                    expected,
                );
            }
        }
    }
    if default.is_none() && (!scalar.readonly || may_update) {
        return;
    }
    let value = scalar.default.clone();
    let violations = crate::evaluate::validate_value(field, value.unwrap_or(Value::Null));
    if let Some(first) = violations.list.first() {
        let what = match default {
            Some(_) => format!("the default of `{name}` violates the field's own rule"),
            None => format!("`{name}` is readonly without a default and so can never be valid"),
        };
        refuse(location, what, format!("a default that passes it (this one {})", first.text()));
    }
}

/// Returns the default as a template if it contains expressions.
fn computed_text(default: &Node) -> Option<(&Node, &str)> {
    match &default.data {
        Data::Text(text) if Template::is_in(text) => Some((default, text)),
        _ => None,
    }
}
