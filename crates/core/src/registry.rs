//! The registry: all forms, types and locales, compiled together. It is immutable and replaced as a
//! whole on reload.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use sha2::{Digest, Sha256};

use crate::compile::compile;
use crate::compose::{self, Budget, FormFile, Library};
use crate::config::{FileId, Location, Node, Policies, Problem, ProblemCode};
use crate::evaluate::MESSAGES;
use crate::example::ExampleReport;
use crate::form::Form;
use crate::lint;
use crate::locale::{self, Locale, Locales};
use crate::messages::MessageIndex;
use crate::private_fields::PrivateFields;
use crate::record_kind::RecordKind;
use crate::rules::RULES;
use crate::submission::canonical_json;
use crate::types::RecordTypes;

/// One configuration file. The caller reads it, since this crate does no IO.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Path as shown in problems: `forms/types/profiles/developer.yml`.
    pub file: Arc<str>,
    /// Path relative to the forms folder, with slashes: `types/profiles/developer.yml`.
    pub within: String,
    /// Content.
    pub text: String,
}

/// A compiled configuration.
#[derive(Debug)]
pub struct Registry {
    forms: FormMap,
    /// Names that files declare, of forms with problems too.
    declared: HashSet<String>,
    names: Vec<Arc<str>>,
    locales: Arc<Locales>,
    private: PrivateFields,
    notices: Vec<Problem>,
}

/// The role of a file, by its path.
#[derive(Debug)]
pub enum FileRole<'s> {
    /// A form.
    Form,
    /// A definition.
    Definition,
    /// A locale.
    Locale,
    /// A contract.
    Contract,
    /// A catalogue of messages.
    Catalogue,
    /// A record type.
    Type(RecordKind),
    /// None of these, with the reason.
    Unknown(&'s str),
}

impl Registry {
    /// Compiles forms, types and locales, rejecting forms with policies that Registrar does not
    /// enforce.
    ///
    /// # Errors
    /// Returns all problems, in order of file and location.
    pub fn compile(sources: &[SourceFile]) -> Result<Self, Vec<Problem>> {
        let (registry, mut problems) = Self::compile_partial(sources, Policies::Refuse);
        sort_problems(&mut problems);
        if problems.is_empty() { Ok(registry) } else { Err(problems) }
    }

    /// Compiles what can be compiled of forms, types and locales, and returns it with all problems,
    /// unsorted. `policies` decides on forms with policies that Registrar does not enforce.
    #[must_use]
    pub fn compile_partial(sources: &[SourceFile], policies: Policies) -> (Self, Vec<Problem>) {
        let (mut problems, mut notices) = (Vec::new(), Vec::new());
        let mut types = RecordTypes::default();
        let mut types_hash = Sha256::new();
        for source in sources {
            match role(&source.within) {
                FileRole::Type(kind) => {
                    types_hash.update(source.text.as_bytes());
                    let stem = stem(&source.within);
                    let (found, ignored) = types.add(kind, &source.file, stem, &source.text);
                    problems.extend(found);
                    notices.extend(ignored);
                }
                FileRole::Unknown(what) => problems.push(unusable_file(source, what)),
                FileRole::Form
                | FileRole::Definition
                | FileRole::Locale
                | FileRole::Contract
                | FileRole::Catalogue => {}
            }
        }
        problems.extend(types.check());
        let types_hash = types_hash.finalize();
        let library = library(sources, &mut problems);
        let (locales, references) =
            Locales::read(locale_files(sources), message_index(), &mut problems);
        let locales = Arc::new(locales);
        let (mut forms, mut is_whole, mut budget) = (HashMap::new(), true, Budget::new());
        for read in library.forms() {
            let mut found = library.problems(read).with_policies(policies);
            if let Some(tree) = library.resolve(read, &mut budget, &mut found) {
                let (name, version) = (&read.name, version(&types_hash, &tree));
                if let Some(form) = compile(&tree, &types, name, version, &locales, &mut found) {
                    forms.insert(form.name.clone(), Arc::new(form));
                }
            }
            is_whole &= found.is_empty();
            let (found, ignored) = found.into_parts();
            problems.extend(found);
            notices.extend(ignored);
        }
        let is_form = |name: &str| library.find(name).is_some();
        let known =
            lint::KnownNames { forms: &forms, is_form: &is_form, is_whole, index: message_index() };
        lint::check(references, &known, &mut problems);
        let forms = Arc::new(forms);
        sort_problems(&mut notices);
        let mut names: Vec<Arc<str>> = forms.keys().cloned().collect();
        names.sort_unstable();
        let private = PrivateFields::collect(forms.values().map(|form| &**form), &types);
        let declared = library.names();
        (Self { forms, names, declared, locales, private, notices }, problems)
    }

    /// Returns whether both have the same forms in the same versions and the same locales.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        let versions = |registry: &Self| -> Vec<Option<Arc<str>>> {
            registry
                .names
                .iter()
                .map(|name| registry.form(name).map(|form| form.version.clone()))
                .collect()
        };
        self.names == other.names
            && versions(self) == versions(other)
            && self.locales.is_same_as(&other.locales)
    }

    /// Returns the fields that only tokens with the scope `private` may read.
    #[must_use]
    pub fn private_fields(&self) -> &PrivateFields {
        &self.private
    }

    /// Returns the notices: findings that do not prevent loading, such as ignored keys.
    #[must_use]
    pub fn notices(&self) -> &[Problem] {
        &self.notices
    }

    /// Runs the examples of all forms.
    #[must_use]
    pub fn try_examples(&self) -> ExampleReport {
        let mut tried = ExampleReport::default();
        for form in self.names.iter().filter_map(|name| self.form(name)) {
            form.try_examples(&mut tried);
        }
        tried
    }

    /// Returns a form as YAML with everything that it extends and uses merged in; a comment after
    /// each leaf names its file and line. Returns `None` if there is no such form or it cannot be
    /// resolved.
    #[must_use]
    pub fn print_resolved(sources: &[SourceFile], name: &str) -> Option<String> {
        let library = library(sources, &mut Vec::new());
        let read = &library.forms()[library.find(name)?];
        let tree = library.resolve(read, &mut Budget::new(), &mut library.problems(read))?;
        Some(compose::print(&library, &tree))
    }

    /// Returns the form with a name, or `None` if there is none.
    #[must_use]
    pub fn form(&self, name: &str) -> Option<&Arc<Form>> {
        self.forms.get(name)
    }

    /// Returns the locale of a language tag, or `None` if there is none. English is always present.
    #[must_use]
    pub fn locale(&self, tag: &str) -> Option<&Arc<Locale>> {
        self.locales.get(tag)
    }

    /// Returns all locales.
    #[must_use]
    pub fn locales(&self) -> &Arc<Locales> {
        &self.locales
    }

    /// Returns the names of all forms, sorted.
    #[must_use]
    pub fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    /// Returns whether a file declares a form of this name, compiled or not.
    #[must_use]
    pub fn declares(&self, name: &str) -> bool {
        self.declared.contains(name)
    }

    /// Returns all forms by name.
    #[must_use]
    pub fn forms(&self) -> &FormMap {
        &self.forms
    }
}

/// Sorts problems by file and location. A problem of a form recurs in each form that extends it; it
/// is kept once.
pub fn sort_problems(problems: &mut Vec<Problem>) {
    problems.sort();
    problems.dedup();
}

/// Returns the built-in messages.
pub fn message_index() -> &'static MessageIndex {
    static INDEX: LazyLock<MessageIndex> = LazyLock::new(|| {
        let of_rules = RULES.iter().flat_map(|rule| rule.messages);
        MessageIndex::new(of_rules.chain(MESSAGES).copied())
    });
    &INDEX
}

/// Parses all forms and definitions among the files.
fn library(sources: &[SourceFile], problems: &mut Vec<Problem>) -> Library {
    let names: Vec<Arc<str>> = sources.iter().map(|source| source.file.clone()).collect();
    let files = |wanted: fn(&FileRole<'_>) -> bool| {
        let numbered = (0..).zip(sources);
        numbered.filter(move |(_, source)| wanted(&role(&source.within))).map(|(id, source)| {
            FormFile {
                id: FileId(id),
                name: &source.file,
                stem: stem(&source.within),
                text: &source.text,
                is_liquid: source.within.ends_with(LIQUID_EXTENSION),
            }
        })
    };
    let forms = files(|role| matches!(role, FileRole::Form));
    let definitions = files(|role| matches!(role, FileRole::Definition));
    Library::read(names.into(), forms, definitions, problems)
}

/// Returns the locale files.
fn locale_files(sources: &[SourceFile]) -> impl Iterator<Item = locale::LocaleFile<'_>> {
    let is_locale = |source: &&SourceFile| matches!(role(&source.within), FileRole::Locale);
    sources.iter().filter(is_locale).map(|source| locale::LocaleFile {
        name: &source.file,
        stem: stem(&source.within),
        text: &source.text,
    })
}

/// Forms by name.
pub type FormMap = Arc<HashMap<Arc<str>, Arc<Form>>>;

/// Extension of platformOS' form files, which have front matter and a page.
const LIQUID_EXTENSION: &str = ".liquid";

/// Returns the role of a file. Forms are all files outside `types/`, platformOS' type folders,
/// `definitions/`, `locales/` and `contracts/`, and those in `contracts/forms/`.
pub fn role(within: &str) -> FileRole<'_> {
    let is_yaml = within.ends_with(".yml") || within.ends_with(".yaml");
    if !is_yaml && !within.ends_with(LIQUID_EXTENSION) {
        return FileRole::Unknown("is not a .yml, .yaml or .liquid file");
    }
    if let Some((kind, _)) = RecordKind::of_folder(within).filter(|_| is_yaml) {
        return FileRole::Type(kind);
    }
    let inside = |folder: &str| within.strip_prefix(folder).is_some_and(|r| r.starts_with('/'));
    if inside("definitions") && is_yaml {
        return FileRole::Definition;
    }
    if inside("types") {
        return FileRole::Unknown("is not in a known folder below types/");
    }
    if inside("locales") {
        return if is_yaml {
            FileRole::Locale
        } else {
            FileRole::Unknown("is in locales/ but is not a .yml file")
        };
    }
    if inside("contracts/forms") {
        return FileRole::Form;
    }
    if inside("contracts") && is_yaml {
        return if inside("contracts/catalogues") {
            FileRole::Catalogue
        } else {
            FileRole::Contract
        };
    }
    if inside("contracts") {
        return FileRole::Unknown("is in contracts/ but is not a .yml file");
    }
    FileRole::Form
}

/// Returns the default name of a file: its path below the forms folder, or below the folder of its
/// role, without the extension.
pub fn stem(within: &str) -> &str {
    let path = within.strip_suffix(LIQUID_EXTENSION).unwrap_or(within);
    let path = [".yml", ".yaml"].iter().find_map(|end| path.strip_suffix(end)).unwrap_or(path);
    match RecordKind::of_folder(path) {
        Some((_, name)) => name,
        None => {
            let folders = [
                "definitions/",
                "locales/",
                "contracts/catalogues/",
                "contracts/forms/",
                "contracts/",
            ];
            folders.iter().find_map(|folder| path.strip_prefix(folder)).unwrap_or(path)
        }
    }
}

fn unusable_file(source: &SourceFile, what: &str) -> Problem {
    let folders: Vec<String> =
        RecordKind::WITH_TYPES.iter().map(|kind| format!("types/{}/", kind.list_name())).collect();
    Problem {
        file: source.file.clone(),
        location: Location::START,
        code: ProblemCode::BadFile,
        what: format!("the file {what}"),
        expected: format!(
            "forms as *.yml or *.liquid, messages in locales/*.yml, contracts in contracts/*.yml, \
             types in {}",
            folders.join(", ")
        ),
        hint: None,
    }
}

/// Returns the version of a form: the first 16 hexadecimal digits of a hash of all type files and
/// the resolved tree.
fn version(types: &[u8], tree: &Node) -> Arc<str> {
    let text = canonical_json(&tree.to_value());
    hex(&Sha256::new().chain_update(types).chain_update(text.as_bytes()).finalize())
}

/// Returns the first 16 hexadecimal digits of a hash.
pub fn hex(digest: &[u8]) -> Arc<str> {
    let mut version = String::with_capacity(16);
    for byte in &digest[..8] {
        let _ = write!(version, "{byte:02x}");
    }
    version.into()
}
