//! Compiles the YAML tree of a form file to a [`Form`]. The configuration of a single field is read
//! in `field.rs`.

mod field;
mod form_json_schema;
mod key_kind;
mod metadata;
mod protected;
mod relationship_fields;
mod resolve_expressions;
mod root;
mod unknown_names;

pub use form_json_schema::form_format;

use std::sync::Arc;

use field::{FieldContext, bind_node, scalar};
use key_kind::{KeyKind, is_reserved, key_kind, property_type_of};

use crate::built_ins::{CUSTOMIZABLE, Container};
use crate::config::{Data, Entry, Node, ProblemCode, Problems, Reader};
use crate::expression::Conditions;
use crate::fields::FieldType;
use crate::form::{
    Field, FieldBody, FieldTarget, Form, Group, RESERVED, assertion, default_payload, natural_key,
};
use crate::lint;
use crate::locale::Locales;
use crate::record_kind::RecordKind;
use crate::rules::SiblingNames;
use crate::types::{PropertyType, RecordType, RecordTypes};

/// Returns the compiled form, or `None` if there are problems or the form is ignored.
pub(crate) fn compile(
    tree: &Node,
    types: &RecordTypes,
    name: &str,
    version: Arc<str>,
    locales: &Arc<Locales>,
    problems: &mut Problems,
) -> Option<Form> {
    let mut reader = Reader { problems };
    let header = metadata::read(&mut reader, tree);
    let resource = header.resource?;
    let of_type = root::type_of(&mut reader, types, resource, &header)?;
    let mut compiler = FormCompiler {
        reader,
        types,
        may_update: header.may_update,
        is_privileged: header.is_privileged,
        is_of_users: resource == RecordKind::User,
    };
    let root = compiler.root(resource, of_type, tree, header.fields);
    let mut form = Form {
        name: name.into(),
        version,
        resource,
        record_type: of_type.map(|of_type| of_type.name.clone()),
        description: header.description.map(Arc::from),
        may_create: root::may_create(resource, &root, header.may_update),
        may_update: header.may_update && resource != RecordKind::Session,
        is_privileged: header.is_privileged,
        strict_enumeration: header.strict_enumeration,
        natural_key: header.idempotency.map(|(key, _)| key),
        locales: locales.clone(),
        refuses_unknown: header.refuses_unknown,
        root,
        examples: Vec::new(),
        file: problems.main_file(),
        files: problems.files(),
        assertions: Vec::new(),
        payload: None,
        conditional: Vec::new(),
        computed: Vec::new(),
        is_dynamic: false,
    };
    let mut reader = Reader { problems };
    if let Some((key, location)) = header.idempotency {
        natural_key::check(&mut reader, &form, key, location);
        if header.strict_enumeration {
            let what = "`idempotency` reveals who has an account, which `enumeration: strict` hides: \
                        a repeated value gets a different response";
            let expected = "one of the two; clients of such a form can send an Idempotency-Key";
            reader.problems.add(ProblemCode::Contradiction, location, what, expected, None);
        }
    }
    if header.strict_enumeration && form.root.reveals_existence() {
        let what = "`exists` by `email` or `external_id` reveals who has an account, which \
                    `enumeration: strict` hides";
        let expected = "one of the two; or `exists: { resource: User, by: id }`";
        let (code, location) = (ProblemCode::Contradiction, header.enumeration_location);
        reader.problems.add(code, location, what, expected, None);
    }
    form.assertions = assertion::read(&mut reader, &form.root, header.rules);
    form.payload = default_payload::read(&mut reader, &form.root, header.default_payload);
    form.examples = crate::example::read(&mut reader, header.examples);
    resolve_expressions::resolve_expressions(&mut reader, &mut form);
    lint::check_overrides(&form, locales, problems);
    problems.is_empty().then_some(form)
}

pub(crate) struct FormCompiler<'p, 't> {
    pub(crate) reader: Reader<'p>,
    pub(crate) types: &'t RecordTypes,
    /// Whether the form may update stored records, whose values can then satisfy its rules.
    pub(crate) may_update: bool,
    /// Whether the form may list protected fields.
    pub(crate) is_privileged: bool,
    /// Whether the form's resource is `User`.
    pub(crate) is_of_users: bool,
}

/// Position of an object in the form.
pub(crate) struct RecordContext<'c> {
    /// Path that is the same in every form: `profiles.developer`.
    pub(crate) path: String,
    /// Fields of the enclosing object.
    pub(crate) enclosing: Option<&'c SiblingNames<'c>>,
    /// Whether it is the form's own record.
    pub(crate) is_root: bool,
}

impl RecordContext<'_> {
    fn of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

impl<'t> FormCompiler<'_, 't> {
    /// Compiles the fields of one record: a user, a profile, an address.
    pub(crate) fn record(
        &mut self,
        kind: RecordKind,
        of_type: Option<&'t RecordType>,
        node: &Node,
        record: &RecordContext<'_>,
    ) -> Vec<Field> {
        let entries = self.reader.map(node, kind.name());
        let mut plans = Vec::new();
        for entry in entries {
            // Fields of the record come before reserved keys: the `description` of a transactable
            // is a field.
            match key_kind(&mut self.reader, (kind, record.is_root), entries, entry) {
                Some(plan) => plans.push((entry, plan)),
                None if is_reserved(&mut self.reader, entry) => {}
                None => self.unknown_field((kind, record.is_root), entry),
            }
        }
        self.fields(of_type, plans, record)
    }

    fn fields(
        &mut self,
        of_type: Option<&'t RecordType>,
        plans: Vec<(&Entry, KeyKind)>,
        record: &RecordContext<'_>,
    ) -> Vec<Field> {
        let field_names: Vec<&str> = plans.iter().map(|(entry, _)| entry.key.as_str()).collect();
        let names = SiblingNames { fields: &field_names, enclosing: record.enclosing };
        let mut fields = Vec::new();
        for (entry, plan) in plans {
            let path = record.of(&entry.key);
            let context = FieldContext {
                name: &entry.key,
                global_path: &path,
                names: &names,
                location: entry.location,
                may_update: self.may_update,
                is_privileged: self.is_privileged,
            };
            fields.push(match plan {
                KeyKind::Container(container) => {
                    self.container(container, of_type, entry, &context, record)
                }
                KeyKind::BuiltIn(built_in) => {
                    let mut known =
                        context.known_as(built_in.field_type, FieldTarget::BuiltIn(built_in));
                    known.rules = built_in.rules;
                    known.is_secret = built_in.is_secret;
                    match (built_in.name, of_type) {
                        ("custom_model_type_name", Some(of_type)) => {
                            known.only = Some(vec![&of_type.name]);
                        }
                        ("customizable_type", _) => {
                            known.only = Some(CUSTOMIZABLE.map(|(name, _)| name).to_vec());
                        }
                        ("relationship_name", _) => known.only = self.relationship_types(entry),
                        ("relationship_key", _) => self.require_key(of_type, entry),
                        ("password", None) if record.is_root => self.check_password_rule(entry),
                        _ => {}
                    }
                    scalar(&mut self.reader, known, &entry.value)
                }
                KeyKind::Property { field_type, unique } => {
                    let mut known = context.known_as(field_type, FieldTarget::Property);
                    known.unique = unique;
                    scalar(&mut self.reader, known, &entry.value)
                }
                KeyKind::OwnProperty => {
                    let known = context.declared(FieldType::String, FieldTarget::Property);
                    scalar(&mut self.reader, known, &entry.value)
                }
                KeyKind::Ignored => {
                    let known = context.declared(FieldType::Any, FieldTarget::Virtual);
                    let nothing = Node { location: entry.value.location, data: Data::Null };
                    scalar(&mut self.reader, known, &nothing)
                }
                KeyKind::Virtual => {
                    let mut known = context.declared(FieldType::Any, FieldTarget::Virtual);
                    known.is_secret = entry.key == "password_confirmation";
                    scalar(&mut self.reader, known, &entry.value)
                }
            });
        }
        fields
    }

    /// Adds a notice if new passwords are checked by the built-in length rule only. Source: NIST SP
    /// 800-63B-4, 3.1.1.2, requires 8 characters and a blocklist of common passwords.
    fn check_password_rule(&mut self, entry: &Entry) {
        let validation = entry.value.get("validation").map(|entry| &entry.value);
        let rules = ["length", "size", "password"];
        let limits_length = |node: &Node| rules.iter().any(|rule| node.get(rule).is_some());
        if self.is_of_users && !validation.is_some_and(limits_length) {
            let what = "`password` may have 6 characters and be a common one: \
                        `validation: { password: { minimum: 8 } }` requires 8 and refuses common ones";
            self.reader.problems.add_weak_password(entry.location, what.to_owned());
        }
    }

    fn container(
        &mut self,
        container: Container,
        of_type: Option<&'t RecordType>,
        entry: &Entry,
        context: &FieldContext<'_>,
        record: &RecordContext<'_>,
    ) -> Field {
        let fields = match container.holds() {
            None => self.properties(of_type, entry, context, record),
            Some(kind) => self.records((container, kind), of_type, entry, context, record),
        };
        let body = FieldBody::Container(Group::new(None, container.name().into(), fields));
        self.nested(context, body, FieldTarget::Container(container), &entry.value)
    }

    /// Compiles `properties:` of a record.
    fn properties(
        &mut self,
        of_type: Option<&'t RecordType>,
        entry: &Entry,
        context: &FieldContext<'_>,
        record: &RecordContext<'_>,
    ) -> Vec<Field> {
        let mut plans = Vec::new();
        for property in self.reader.map(&entry.value, "properties") {
            let declared = of_type.iter().flat_map(|of_type| &of_type.properties);
            let found = declared.into_iter().find(|known| known.name == property.key);
            match (found.map(|known| (known, known.property_type)), of_type) {
                (Some((known, PropertyType::Field(field_type))), _) => {
                    let is_key = self.is_key(of_type, property);
                    let plan = KeyKind::Property { field_type, unique: known.unique || is_key };
                    plans.push((property, plan));
                }
                _ if is_reserved(&mut self.reader, property) => {}
                (_, None) => plans.push((property, KeyKind::OwnProperty)),
                (_, Some(of_type)) => self.unknown_property(of_type, property, |kind| {
                    matches!(kind, PropertyType::Field(_))
                }),
            }
        }
        let path = record.of("properties");
        let record = RecordContext { path, enclosing: Some(context.names), is_root: false };
        self.fields(of_type, plans, &record)
    }

    /// Compiles the records in a container. Their keys are type names, or properties of the
    /// enclosing record's type.
    fn records(
        &mut self,
        (container, kind): (Container, RecordKind),
        of_type: Option<&'t RecordType>,
        entry: &Entry,
        context: &FieldContext<'_>,
        enclosing: &RecordContext<'_>,
    ) -> Vec<Field> {
        let mut fields = Vec::new();
        let records = self.reader.map(&entry.value, container.name());
        let is_record = |record: &&Entry| !RESERVED.contains(&record.key.as_str());
        let field_names: Vec<&str> =
            records.iter().filter(is_record).map(|r| r.key.as_str()).collect();
        let names = SiblingNames { fields: &field_names, enclosing: Some(context.names) };
        for record in records {
            if is_reserved(&mut self.reader, record) {
                continue;
            }
            let (record_type, path) = match container.holds().filter(|kind| kind.has_types()) {
                Some(kind) => {
                    let Some(found) = self.types.get(kind, &record.key) else {
                        let known = self.types.names(kind);
                        let within = format!("`{}`", container.name());
                        let (code, what) = (ProblemCode::UnknownType, kind.types_name());
                        self.reader.unknown(
                            code,
                            what,
                            &record.key,
                            record.location,
                            &within,
                            &known,
                        );
                        continue;
                    };
                    (Some(found), format!("{}.{}", container.name(), found.name))
                }
                None => {
                    let wanted = property_type_of(kind);
                    let declared = of_type.is_some_and(|of_type| {
                        of_type
                            .properties
                            .iter()
                            .any(|known| known.name == record.key && known.property_type == wanted)
                    });
                    if let (false, Some(of_type)) = (declared, of_type) {
                        self.unknown_property(of_type, record, |kind| *kind == wanted);
                        continue;
                    }
                    (None, enclosing.of(&format!("{}.{}", container.name(), record.key)))
                }
            };
            let context = FieldContext {
                name: &record.key,
                global_path: &path,
                names: &names,
                location: record.location,
                may_update: self.may_update,
                is_privileged: self.is_privileged,
            };
            fields.push(self.record_field((container, kind), record_type, record, &context));
        }
        fields
    }

    fn record_field(
        &mut self,
        (container, kind): (Container, RecordKind),
        of_type: Option<&'t RecordType>,
        entry: &Entry,
        context: &FieldContext<'_>,
    ) -> Field {
        let record =
            RecordContext { path: context.global_path.to_owned(), enclosing: None, is_root: false };
        let fields = self.record(kind, of_type, &entry.value, &record);
        if kind == RecordKind::RelationshipUser {
            self.require_relationship(&entry.key, entry.location, &fields);
        }
        let type_name =
            of_type.map_or_else(|| entry.key.as_str().into(), |known| known.name.clone());
        let mut group = Group::new(Some(kind), type_name, fields);
        group.keyed = of_type.and_then(|of_type| self.types.keyed_relationship(of_type));
        let body = if container.holds_many() {
            FieldBody::Records(group)
        } else {
            FieldBody::Record(group)
        };
        self.nested(context, body, FieldTarget::Record, &entry.value)
    }

    fn nested(
        &mut self,
        context: &FieldContext<'_>,
        body: FieldBody,
        target: FieldTarget,
        node: &Node,
    ) -> Field {
        let validation = node.get("validation").map(|entry| &entry.value);
        let rules = bind_node(&mut self.reader, context, &body, validation);
        let mut conditions = Conditions::default();
        for entry in ["if", "unless"].iter().filter_map(|key| node.get(key)) {
            conditions.add(&mut self.reader, entry);
        }
        Field {
            name: context.name.into(),
            body,
            target,
            rules,
            conditions,
            is_secret: false,
            is_private: false,
        }
    }
}
