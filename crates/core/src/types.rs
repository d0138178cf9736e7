//! Record types: the files in `types/` that declare the properties of profiles, transactables,
//! relationships, relationship users, relationship transactables and customizations.

mod relationship_keys;

use std::collections::HashMap;
use std::sync::Arc;

use crate::config::{Entry, Location, Node, Problem, ProblemCode, Problems, Reader, parse};
use crate::fields::FieldType;
use crate::record_kind::RecordKind;

pub(crate) use relationship_keys::KeyedRelationship;

/// Returns the path of a field within its record: `properties.code` of
/// `transactables.boat.properties.code`.
pub(crate) fn path_in_record(path: &str) -> &str {
    let mut parts = path.splitn(3, '.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(folder), Some(_), Some(rest))
            if RecordKind::WITH_TYPES.iter().any(|kind| kind.list_name() == folder) =>
        {
            rest
        }
        _ => path,
    }
}

impl RecordKind {
    /// Returns the kind of the type at a path and the rest of the path, which names the type, or
    /// `None` if the path is not in a folder of types.
    pub(crate) fn of_folder(within: &str) -> Option<(Self, &str)> {
        let (folder, rest) = within.split_once('/')?;
        if folder == "types" {
            let (folder, name) = rest.split_once('/')?;
            let kind = Self::WITH_TYPES.into_iter().find(|kind| kind.list_name() == folder)?;
            return Some((kind, name));
        }
        let is_of = |kind: &Self| kind.platformos_folder_names().contains(&folder);
        Some((Self::WITH_TYPES.into_iter().find(is_of)?, rest))
    }
}

/// A record type.
#[derive(Debug)]
pub(crate) struct RecordType {
    pub(crate) name: Arc<str>,
    pub(crate) properties: Vec<Property>,
    /// Of a relationship user type: the relationship type that its records join, and the location
    /// of the key.
    pub(crate) joins: Option<(Arc<str>, Location)>,
    /// Of a relationship user type: the location of `make: true`, which creates relationships that
    /// are named by key and missing.
    pub(crate) makes: Option<Location>,
    /// Of a relationship type: the property that identifies a relationship, and the location of the
    /// key.
    pub(crate) key: Option<(Arc<str>, Location)>,
    location: Location,
    file: Arc<str>,
}

/// A property of a record type.
#[derive(Debug)]
pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) property_type: PropertyType,
    pub(crate) unique: bool,
    /// Whether responses show it only to tokens with the scope `private`.
    pub(crate) is_private: bool,
}

/// The type of a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PropertyType {
    Field(FieldType),
    Address,
    Image,
    Attachment,
}

/// All record types, by kind and name.
#[derive(Debug, Default)]
pub(crate) struct RecordTypes(HashMap<(RecordKind, Arc<str>), RecordType>);

impl RecordTypes {
    /// Returns the type with a name, or `None` if there is none.
    pub(crate) fn get(&self, kind: RecordKind, name: &str) -> Option<&RecordType> {
        self.0.get(&(kind, Arc::from(name)))
    }

    /// Returns all types with their kinds, in no particular order.
    pub(crate) fn all(&self) -> impl Iterator<Item = (RecordKind, &RecordType)> {
        self.0.iter().map(|((kind, _), of_type)| (*kind, of_type))
    }

    /// Returns the names of all types of a kind, sorted.
    pub(crate) fn names(&self, kind: RecordKind) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .0
            .iter()
            .filter(|((other, _), _)| *other == kind)
            .map(|((_, name), _)| &**name)
            .collect();
        names.sort_unstable();
        names
    }

    /// Reads a type file and adds the type. Returns the problems and the notices.
    pub(crate) fn add(
        &mut self,
        kind: RecordKind,
        file: &Arc<str>,
        stem: &str,
        text: &str,
    ) -> (Vec<Problem>, Vec<Problem>) {
        let mut problems = Problems::new(file.clone());
        let Some(tree) = parse(text, &mut problems) else { return problems.into_parts() };
        let mut reader = Reader { problems: &mut problems };
        let read = read(&mut reader, kind, file, stem, &tree);
        if let Some(first) = self.0.get(&(kind, read.name.clone())) {
            problems.add(
                ProblemCode::DuplicateName,
                read.location,
                format!("there is another {} `{}`", kind.types_name(), read.name),
                "each name once",
                Some(format!("the other one is at {}:{}", first.file, first.location.line)),
            );
        } else {
            self.0.insert((kind, read.name.clone()), read);
        }
        problems.into_parts()
    }
}

/// Converts a name to snake case: "Tour Boat" to `tour_boat`.
fn snake(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '-'], "_")
}

fn read(
    reader: &mut Reader<'_>,
    kind: RecordKind,
    file: &Arc<str>,
    stem: &str,
    tree: &Node,
) -> RecordType {
    let keys: &[&str] = match kind {
        RecordKind::Relationship => &["name", "description", "properties", "key"],
        RecordKind::RelationshipUser => {
            &["name", "description", "properties", "relationship", "make"]
        }
        _ => &["name", "description", "properties"],
    };
    let mut read = RecordType {
        name: stem.into(),
        properties: Vec::new(),
        joins: None,
        makes: None,
        key: None,
        location: tree.location,
        file: file.clone(),
    };
    for entry in reader.map(tree, kind.types_name()) {
        match entry.key.as_str() {
            "name" => {
                if let Some(name) = reader.text(&entry.value, "name") {
                    read.name = snake(name).into();
                    read.location = entry.value.location;
                }
            }
            "description" => {
                reader.text(&entry.value, "description");
            }
            "properties" => read.properties = properties(reader, &entry.value),
            "key" if keys.contains(&"key") => {
                let key = reader.text(&entry.value, "key");
                read.key = key.map(|key| (key.into(), entry.value.location));
            }
            "relationship" if keys.contains(&"relationship") => {
                let name = reader.text(&entry.value, "relationship");
                read.joins = name.map(|name| (snake(name).into(), entry.value.location));
            }
            "make" if keys.contains(&"make") => {
                let makes = reader.boolean(&entry.value, "make") == Some(true);
                read.makes = makes.then_some(entry.value.location);
            }
            key if IGNORED_TYPE_KEYS.contains(&key) => reader.ignored_key(entry),
            _ => reader.unknown_key(entry, &format!("a {}", kind.types_name()), keys),
        }
    }
    relationship_keys::check_key(reader, &read);
    read
}

/// Keys of platformOS' properties that Registrar ignores, with a notice: they concern pages and
/// search.
const IGNORED_KEYS: [&str; 15] = [
    "options",
    "default_value",
    "html_tag",
    "public",
    "placeholder",
    "hint",
    "label",
    "prompt",
    "input_html_options",
    "wrapper_html_options",
    "searchable",
    "index",
    "versions",
    "acl",
    "belongs_to",
];
/// Keys of platformOS' types that Registrar ignores, with a notice.
const IGNORED_TYPE_KEYS: [&str; 6] = [
    "action_types",
    "custom_validations",
    "custom_model_types",
    "onboarding",
    "live_reindex",
    "metadata",
];

fn properties(reader: &mut Reader<'_>, node: &Node) -> Vec<Property> {
    let mut properties: Vec<Property> = Vec::new();
    for item in reader.list(node, "properties") {
        let Some(property) = property(reader, item) else { continue };
        if properties.iter().any(|other| other.name == property.name) {
            reader.problems.add(
                ProblemCode::DuplicateName,
                item.location,
                format!("the property `{}` is declared twice", property.name),
                "each property once",
                None,
            );
            continue;
        }
        properties.push(property);
    }
    properties
}

fn property(reader: &mut Reader<'_>, node: &Node) -> Option<Property> {
    const KEYS: [&str; 5] = ["name", "type", "unique", "private", "description"];
    let (mut name, mut property_type) = (None, None);
    let (mut unique, mut is_private) = (false, false);
    for entry in reader.map(node, "a property") {
        match entry.key.as_str() {
            "name" => name = reader.text(&entry.value, "name").map(|name| (name, entry)),
            "type" => property_type = Some(read_type(reader, entry)?),
            "unique" => unique = reader.boolean(&entry.value, "unique").unwrap_or(false),
            "private" => {
                is_private = reader.boolean(&entry.value, "private").unwrap_or(false);
            }
            "description" => {
                reader.text(&entry.value, "description");
            }
            key if IGNORED_KEYS.contains(&key) => reader.ignored_key(entry),
            _ => reader.unknown_key(entry, "a property", &KEYS),
        }
    }
    let Some((name, entry)) = name else {
        let code = ProblemCode::MissingKey;
        reader.problems.add(code, node.location, "a property without a name", "`name: …`", None);
        return None;
    };
    // In the fields of a form, `validation` holds the rules of the enclosing field.
    if name == "validation" {
        reader.problems.add(
            ProblemCode::BadOption,
            entry.value.location,
            format!("a property cannot be named `{name}`: it is a reserved key of forms"),
            "another name",
            None,
        );
        return None;
    }
    let property_type = property_type.unwrap_or(PropertyType::Field(FieldType::String));
    Some(Property { name: name.to_owned(), property_type, unique, is_private })
}

fn read_type(reader: &mut Reader<'_>, entry: &Entry) -> Option<PropertyType> {
    let mut words: Vec<&str> = FieldType::ALL.iter().map(|known| known.name()).collect();
    // The last four are platformOS' names.
    words.extend(["address", "image", "attachment", "photo", "file", "upload", "geojson"]);
    Some(match reader.keyword(&entry.value, "type", &words)? {
        "address" => PropertyType::Address,
        "image" | "photo" => PropertyType::Image,
        "attachment" | "file" | "upload" => PropertyType::Attachment,
        "geojson" => PropertyType::Field(FieldType::Json),
        name => PropertyType::Field(FieldType::named(name)?),
    })
}
