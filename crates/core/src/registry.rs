//! The registry: all forms, types, locales and contracts, compiled together. It is immutable and
//! replaced as a whole on reload.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};

use crate::compose::{self, Budget, FormFile, Library};
use crate::config::{FileId, Location, Node, Policies, Problem, ProblemCode, Problems, nearest};
use crate::contract::{self, Catalogue, Contract, Contracts, LoadContext};
use crate::evaluate::canonical_json;
use crate::example::ExampleReport;
use crate::form::{Form, compile};
use crate::locale::{self, Locale, Locales};
use crate::openapi;
use crate::private_fields::PrivateFields;
use crate::types::{RecordTypes, TypeKind};

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
    forms: Arc<HashMap<Arc<str>, Arc<Form>>>,
    names: Vec<Arc<str>>,
    /// Names of the forms that clients may submit, sorted.
    served: Vec<Arc<str>>,
    locales: Arc<Locales>,
    contracts: Contracts,
    private: PrivateFields,
    notices: Vec<Problem>,
    openapi: OnceLock<Arc<[u8]>>,
}

/// The role of a file, by its path.
enum FileRole<'s> {
    Form,
    Definition,
    Locale,
    Contract,
    Catalogue,
    Type(TypeKind),
    Unknown(&'s str),
}

impl Registry {
    /// Compiles a configuration, rejecting forms with policies that Registrar does not enforce.
    ///
    /// # Errors
    /// Returns all problems, in order of file and location.
    pub fn compile(sources: &[SourceFile]) -> Result<Self, Vec<Problem>> {
        Self::compile_with(sources, Policies::Refuse)
    }

    /// Compiles a configuration; `policies` decides on forms with policies that Registrar does not
    /// enforce.
    ///
    /// # Errors
    /// Returns all problems, in order of file and location.
    pub fn compile_with(sources: &[SourceFile], policies: Policies) -> Result<Self, Vec<Problem>> {
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
        let (locales, references) = Locales::read(locale_files(sources), &mut problems);
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
        let known = locale::KnownNames { forms: &forms, is_form: &is_form, is_whole };
        locale::check(references, &known, &mut problems);
        let forms = Arc::new(forms);
        let (contracts, served) = contracts(sources, &forms, &is_form, &mut problems);
        // A problem of a form recurs in each form that extends it; it is reported once.
        for list in [&mut problems, &mut notices] {
            list.sort();
            list.dedup();
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let sorted = |forms: &HashMap<Arc<str>, Arc<Form>>| {
            let mut names: Vec<Arc<str>> = forms.keys().cloned().collect();
            names.sort_unstable();
            names
        };
        let (names, served) = (sorted(&forms), sorted(&served));
        let private = PrivateFields::collect(forms.values().map(|form| &**form), &types);
        let openapi = OnceLock::new();
        Ok(Self { forms, names, served, locales, contracts, private, notices, openapi })
    }

    /// Returns whether both have the same forms in the same versions, the same locales and the same
    /// contracts.
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
            && self.contracts.is_same_as(&other.contracts)
    }

    /// Returns all contracts.
    #[must_use]
    pub fn contracts(&self) -> &Contracts {
        &self.contracts
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

    /// Returns the OpenAPI 3.1 document of all served forms and contracts, as JSON. It is generated
    /// on first use.
    #[must_use]
    pub fn openapi(&self) -> Arc<[u8]> {
        let forms = self.served.iter().filter_map(|name| self.form(name));
        let written = || openapi::document(forms, &self.contracts).to_string().into_bytes().into();
        self.openapi.get_or_init(written).clone()
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

    /// Returns the names of the forms that clients may submit, sorted: all but those that create
    /// the callers of contracts (`new_caller`), which only the operator uses.
    #[must_use]
    pub fn served(&self) -> &[Arc<str>] {
        &self.served
    }

    /// Returns the form with a name, or `None` if clients may not submit such a form.
    #[must_use]
    pub fn served_form(&self, name: &str) -> Option<&Arc<Form>> {
        self.served.binary_search_by(|known| (**known).cmp(name)).ok()?;
        self.form(name)
    }

    /// Returns the name of the served form most similar to an unknown name, or `None` if none is
    /// similar.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Option<&str> {
        nearest(name, self.served.iter().map(|known| &**known))
    }
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
type FormMap = Arc<HashMap<Arc<str>, Arc<Form>>>;

/// Compiles all contracts. Returns them sorted by name, with the forms that clients may submit. The
/// version of a contract is a hash of its own file, all contract files and all catalogues.
fn contracts(
    sources: &[SourceFile],
    forms: &FormMap,
    is_form: &dyn Fn(&str) -> bool,
    problems: &mut Vec<Problem>,
) -> (Contracts, FormMap) {
    let with_role = |wanted: fn(&FileRole<'_>) -> bool| {
        sources.iter().filter(move |source| wanted(&role(&source.within)))
    };
    let (mut catalogues, mut hash, mut has_all_catalogues) = (Vec::new(), Sha256::new(), true);
    for source in with_role(|role| matches!(role, FileRole::Catalogue)) {
        hash.update(source.text.as_bytes());
        let mut found = Problems::new(source.file.clone());
        let read = Catalogue::read(stem(&source.within), &source.text, &mut found);
        has_all_catalogues &= read.is_some();
        catalogues.extend(read.map(Arc::new));
        problems.extend(found.into_vec());
    }
    let files: Arc<[Arc<str>]> = sources.iter().map(|source| source.file.clone()).collect();
    let numbered = (0..).zip(sources);
    let all: Vec<FormFile<'_>> = numbered
        .filter(|(_, source)| matches!(role(&source.within), FileRole::Contract))
        .map(|(id, source)| FormFile {
            id: FileId(id),
            name: &source.file,
            stem: stem(&source.within),
            text: &source.text,
            is_liquid: false,
        })
        .collect();
    for file in &all {
        hash.update(file.text.as_bytes());
    }
    let mut trees = Vec::new();
    for (file, source) in all.iter().zip(with_role(|role| matches!(role, FileRole::Contract))) {
        let mut found = Problems::with_files(source.file.clone(), files.clone());
        trees.push((compose::extended(*file, &all, &mut found), found));
    }
    // Collected before any contract is compiled, since no contract may run the form of another
    // one's callers.
    let callers = trees.iter().filter_map(|(tree, _)| contract::new_caller(tree.as_ref()?));
    let callers: Vec<&str> = callers.collect();
    let served = forms.iter().filter(|(name, _)| !callers.contains(&&***name));
    let served = served.map(|(name, form)| (name.clone(), form.clone()));
    let served: FormMap = Arc::new(served.collect());
    let catalogues = &*catalogues;
    let context = LoadContext { forms, served: &served, is_form, catalogues, has_all_catalogues };
    let mut contracts: Vec<(Arc<str>, Contract)> = Vec::new();
    for (file, (tree, found)) in all.iter().zip(&mut trees) {
        let version = hex(&hash.clone().chain_update(file.text.as_bytes()).finalize());
        let read = tree
            .as_ref()
            .and_then(|tree| contract::read(file.stem, tree, version, &context, found));
        if let Some((contract, place)) = read {
            for (file, other) in &contracts {
                contract::clash(&contract, place, other, file, found);
            }
            contracts.push((found.main_file(), contract));
        }
    }
    problems.extend(trees.into_iter().flat_map(|(_, found)| found.into_vec()));
    let mut list: Vec<Arc<Contract>> =
        contracts.into_iter().map(|(_, contract)| Arc::new(contract)).collect();
    list.sort_by(|one, other| one.name.cmp(&other.name));
    (Contracts::new(list), served)
}

/// Extension of platformOS' form files, which have front matter and a page.
const LIQUID_EXTENSION: &str = ".liquid";

/// Returns the role of a file. Forms are all files outside `types/`, platformOS' type folders,
/// `definitions/`, `locales/` and `contracts/`, and those in `contracts/forms/`.
fn role(within: &str) -> FileRole<'_> {
    let is_yaml = within.ends_with(".yml") || within.ends_with(".yaml");
    if !is_yaml && !within.ends_with(LIQUID_EXTENSION) {
        return FileRole::Unknown("is not a .yml, .yaml or .liquid file");
    }
    if let Some((kind, _)) = TypeKind::of_folder(within).filter(|_| is_yaml) {
        return FileRole::Type(kind);
    }
    let inside = |folder: &str| within.strip_prefix(folder).is_some_and(|r| r.starts_with('/'));
    if inside("definitions") && is_yaml {
        return FileRole::Definition;
    }
    if inside("types") {
        return FileRole::Unknown("is in no known folder below types/");
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
fn stem(within: &str) -> &str {
    let path = within.strip_suffix(LIQUID_EXTENSION).unwrap_or(within);
    let path = [".yml", ".yaml"].iter().find_map(|end| path.strip_suffix(end)).unwrap_or(path);
    match TypeKind::of_folder(path) {
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
        TypeKind::ALL.iter().map(|kind| format!("types/{}/", kind.folder())).collect();
    Problem {
        file: source.file.clone(),
        place: Location::START,
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
fn hex(digest: &[u8]) -> Arc<str> {
    let mut version = String::with_capacity(16);
    for byte in &digest[..8] {
        let _ = write!(version, "{byte:02x}");
    }
    version.into()
}
