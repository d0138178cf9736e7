//! A locale file, such as `locales/de.yml`, parsed into the translations of one language.

use std::collections::HashMap;
use std::sync::Arc;

use super::{LocaleFile, ValueUses};
use crate::config::{Data, Entry, Location, Node, ProblemCode, Problems, Reader, parse};
use crate::messages::{LocaleText, MessageIndex, Plurals, TYPES, tag};

/// The translations of one language, without those of its parents.
#[derive(Debug)]
pub(crate) struct LocaleTexts {
    pub(crate) tag: Box<str>,
    pub(crate) plurals: Plurals,
    /// The format of a full message.
    pub(crate) full_message: Option<Box<str>>,
    /// Messages by [`crate::violation::Message::key`], or by the id of a rule across fields.
    pub(crate) messages: HashMap<Box<str>, LocaleText>,
    /// Names of types, for `%{type}` in `wrong_type`.
    pub(crate) types: HashMap<Box<str>, Box<str>>,
    /// Attributes of all forms, by path.
    pub(crate) attributes: HashMap<Box<str>, Attribute>,
    /// Attributes of single forms, by form and path.
    pub(crate) forms: HashMap<Box<str>, HashMap<Box<str>, Attribute>>,
}

/// The translations of a field.
#[derive(Debug, Default)]
pub(crate) struct Attribute {
    /// The display name.
    pub(crate) name: Option<Box<str>>,
    /// Messages by code.
    pub(crate) texts: HashMap<Box<str>, LocaleText>,
}

/// A reference from a locale file to a form, a path or a code, checked once all forms are compiled.
#[derive(Debug)]
pub(crate) struct NameReference {
    pub(crate) file: Arc<str>,
    pub(crate) location: Location,
    /// The form to search; `None` for all forms.
    pub(crate) form: Option<Box<str>>,
    pub(crate) to: ReferenceKind,
}

/// The target of a [`NameReference`].
#[derive(Debug)]
pub(crate) enum ReferenceKind {
    /// The form itself.
    Form,
    Path(Box<str>),
    /// A code that no built-in rule has, and the section that contains it.
    Code(Box<str>, &'static str),
}

const SECTIONS: [&str; 5] = ["messages", "attributes", "forms", "types", "full_messages"];
/// The key of a field's display name.
const NAME_KEY: &str = "_name";
const FORMAT_KEY: &str = "format";

impl LocaleTexts {
    /// Returns a language without translations.
    pub(crate) fn empty(tag: &str) -> Self {
        Self {
            tag: tag.into(),
            plurals: Plurals::of(tag),
            full_message: None,
            messages: HashMap::new(),
            types: HashMap::new(),
            attributes: HashMap::new(),
            forms: HashMap::new(),
        }
    }

    /// Collects the messages that contain the submitted value.
    pub(crate) fn collect_value_uses(&self, index: &MessageIndex, shown: &mut Vec<ValueUses>) {
        let mut note =
            |form: Option<&str>, path: Option<&str>, texts: &HashMap<Box<str>, LocaleText>| {
                for (code, _) in texts.iter().filter(|(_, text)| text.uses_value()) {
                    let code = index.code_of(code).into();
                    shown.push(ValueUses {
                        form: form.map(Into::into),
                        path: path.map(Into::into),
                        code,
                    });
                }
            };
        note(None, None, &self.messages);
        for (path, attribute) in &self.attributes {
            note(None, Some(path), &attribute.texts);
        }
        for (form, attributes) in &self.forms {
            for (path, attribute) in attributes {
                note(Some(form), Some(path), &attribute.texts);
            }
        }
    }
}

/// Reads a locale file; returns `None` if its name is not a language tag or it is not YAML.
pub(crate) fn read(
    file: LocaleFile<'_>,
    index: &MessageIndex,
    problems: &mut Problems,
    references: &mut Vec<NameReference>,
) -> Option<LocaleTexts> {
    let mut reader = Reader { problems };
    let Some(tag) = tag::canonical(file.stem) else {
        tag::unknown(&mut reader, file.stem, Location::START, "the name of the file");
        return None;
    };
    let tree = parse(file.text, reader.problems)?;
    let node = inner(&mut reader, &tree, &tag);
    let mut sections = Sections {
        index,
        texts: LocaleTexts::empty(&tag),
        reader,
        file: file.name.clone(),
        references,
    };
    for entry in sections.reader.map(node, "a locale file") {
        sections.section(entry);
    }
    Some(sections.texts)
}

/// Returns the node below the language tag if that is the only key, as in Rails' locale files; else
/// the whole tree.
fn inner<'n>(reader: &mut Reader<'_>, tree: &'n Node, tag: &str) -> &'n Node {
    let Data::Map(entries) = &tree.data else { return tree };
    let [only] = entries.as_slice() else { return tree };
    let Some(declared) = tag::canonical(&only.key) else { return tree };
    if *declared != *tag {
        let what = format!("the file of language `{tag}` has the top-level key `{declared}`");
        let expected = format!("`{tag}:`, or the file `{declared}.yml`");
        reader.problems.add(ProblemCode::Contradiction, only.location, what, expected, None);
    }
    &only.value
}

struct Sections<'r, 'p> {
    index: &'r MessageIndex,
    texts: LocaleTexts,
    reader: Reader<'p>,
    file: Arc<str>,
    references: &'r mut Vec<NameReference>,
}

impl Sections<'_, '_> {
    fn section(&mut self, entry: &Entry) {
        match entry.key.as_str() {
            "messages" => {
                for entry in self.reader.map(&entry.value, "messages") {
                    if !self.index.has_key(&entry.key) {
                        self.refer(
                            entry,
                            None,
                            ReferenceKind::Code(entry.key.as_str().into(), "messages"),
                        );
                    }
                    if let Some(text) = self.text(entry) {
                        self.texts.messages.insert(entry.key.as_str().into(), text);
                    }
                }
            }
            "attributes" => self.texts.attributes = self.attributes(None, entry),
            "forms" => {
                for entry in self.reader.map(&entry.value, "forms") {
                    self.refer(entry, Some(&entry.key), ReferenceKind::Form);
                    let attributes = self.attributes(Some(&entry.key), entry);
                    self.texts.forms.insert(entry.key.as_str().into(), attributes);
                }
            }
            "types" => {
                for entry in self.reader.map(&entry.value, "types") {
                    if !TYPES.iter().any(|(name, _)| *name == entry.key) {
                        let known: Vec<&str> = TYPES.iter().map(|(name, _)| *name).collect();
                        self.reader.unknown_key(entry, "`types`", &known);
                    } else if let Some(text) = self.reader.text(&entry.value, &entry.key) {
                        self.texts.types.insert(entry.key.as_str().into(), text.into());
                    }
                }
            }
            "full_messages" => {
                for entry in self.reader.map(&entry.value, "full_messages") {
                    match entry.key.as_str() {
                        FORMAT_KEY => self.texts.full_message = self.format(entry),
                        _ => self.reader.unknown_key(entry, "`full_messages`", &[FORMAT_KEY]),
                    }
                }
            }
            _ => self.reader.unknown_key(entry, "a locale file", &SECTIONS),
        }
    }

    /// Reads fields by path, each with its display name, its messages, or both.
    fn attributes(&mut self, form: Option<&str>, of: &Entry) -> HashMap<Box<str>, Attribute> {
        let mut attributes = HashMap::new();
        for entry in self.reader.map(&of.value, &of.key) {
            self.refer(entry, form, ReferenceKind::Path(entry.key.as_str().into()));
            let mut attribute = Attribute::default();
            match &entry.value.data {
                Data::Map(texts) => {
                    for entry in texts {
                        if entry.key == NAME_KEY {
                            attribute.name =
                                self.reader.text(&entry.value, NAME_KEY).map(Into::into);
                            continue;
                        }
                        if !self.index.has_code(&entry.key) {
                            let section = if form.is_some() { "forms" } else { "attributes" };
                            self.refer(
                                entry,
                                form,
                                ReferenceKind::Code(entry.key.as_str().into(), section),
                            );
                        }
                        if let Some(text) = self.text(entry) {
                            attribute.texts.insert(entry.key.as_str().into(), text);
                        }
                    }
                }
                Data::Text(name) => attribute.name = Some(name.as_str().into()),
                _ => {
                    let expected = "the field's name, or a mapping of codes to texts";
                    self.reader.wrong_shape(&entry.value, &entry.key, expected);
                }
            }
            attributes.insert(entry.key.as_str().into(), attribute);
        }
        attributes
    }

    fn text(&mut self, entry: &Entry) -> Option<LocaleText> {
        let LocaleTexts { tag, plurals, .. } = &self.texts;
        LocaleText::read(&mut self.reader, &entry.key, &entry.value, tag, plurals)
    }

    fn format(&mut self, entry: &Entry) -> Option<Box<str>> {
        // `%{message}` is a placeholder here only.
        let text = self.reader.text(&entry.value, FORMAT_KEY)?;
        let has_message = text.contains("%{message}");
        let others = text.replace("%{message}", "").replace("%{attribute}", "");
        if has_message && !others.contains("%{") {
            return Some(text.into());
        }
        let expected = "a string with `%{message}`, and optionally `%{attribute}`";
        let what = format!("`{text}` is not a valid format of full messages");
        self.reader.problems.add(
            ProblemCode::BadOption,
            entry.value.location,
            what,
            expected,
            None,
        );
        None
    }

    fn refer(&mut self, entry: &Entry, form: Option<&str>, to: ReferenceKind) {
        let (file, location) = (self.file.clone(), entry.location);
        self.references.push(NameReference { file, location, form: form.map(Into::into), to });
    }
}
