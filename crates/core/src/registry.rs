//! All forms and types, compiled together: replaced as a whole or not at all.

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

/// One file of configuration, read by somebody else.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// How a person names the file: `forms/types/profiles/developer.yml`.
    pub file: Arc<str>,
    /// The same from the forms folder on, with slashes: `types/profiles/developer.yml`.
    pub within: String,
    /// Its text.
    pub text: String,
}

/// The compiled whole of a configuration.
#[derive(Debug)]
pub struct Registry {
    forms: Arc<HashMap<Arc<str>, Arc<Form>>>,
    names: Vec<Arc<str>>,
    /// The names of the forms that clients can submit, sorted.
    served: Vec<Arc<str>>,
    locales: Arc<Locales>,
    contracts: Contracts,
    private: PrivateFields,
    notices: Vec<Problem>,
    openapi: OnceLock<Arc<[u8]>>,
}

/// What a file holds, by where it lies.
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
    /// Compiles a configuration whose forms have no policies that would not be enforced.
    ///
    /// # Errors
    /// Everything that is wrong with it, in order of file and place.
    pub fn compile(sources: &[SourceFile]) -> Result<Self, Vec<Problem>> {
        Self::compile_with(sources, Policies::Refuse)
    }

    /// Compiles a configuration.
    ///
    /// # Errors
    /// Everything that is wrong with it, in order of file and place.
    pub fn compile_with(sources: &[SourceFile], policies: Policies) -> Result<Self, Vec<Problem>> {
        let (mut problems, mut notices) = (Vec::new(), Vec::new());
        let mut types = RecordTypes::default();
        let mut types_hash = Sha256::new();
        for source in sources {
            match role(&source.within) {
                FileRole::Type(kind) => {
                    types_hash.update(source.text.as_bytes());
                    let stem = stem(&source.within);
                    let (wrong, left) = types.add(kind, &source.file, stem, &source.text);
                    problems.extend(wrong);
                    notices.extend(left);
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
            let (wrong, left) = found.into_parts();
            problems.extend(wrong);
            notices.extend(left);
        }
        let is_form = |name: &str| library.find(name).is_some();
        let known = locale::KnownNames { forms: &forms, is_form: &is_form, is_whole };
        locale::check(references, &known, &mut problems);
        let forms = Arc::new(forms);
        let (contracts, served) = contracts(sources, &forms, &is_form, &mut problems);
        // What is wrong with a form is wrong with those that extend it: once is enough.
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

    /// Whether both hold the same forms in the same versions, and say the same of them.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        let versions = |of: &Self| -> Vec<Option<Arc<str>>> {
            of.names.iter().map(|name| of.form(name).map(|form| form.version.clone())).collect()
        };
        self.names == other.names
            && versions(self) == versions(other)
            && self.locales.is_same_as(&other.locales)
            && self.contracts.is_same_as(&other.contracts)
    }

    /// All contracts.
    #[must_use]
    pub fn contracts(&self) -> &Contracts {
        &self.contracts
    }

    /// Returns the fields that only tokens with the scope `private` see.
    #[must_use]
    pub fn private_fields(&self) -> &PrivateFields {
        &self.private
    }

    /// What is no mistake but worth a word: parts of the configuration that are left aside.
    #[must_use]
    pub fn notices(&self) -> &[Problem] {
        &self.notices
    }

    /// The OpenAPI 3.1 document of everything that is served, as JSON. It is written when it is
    /// first asked for.
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

    /// A form with all that it extends and uses in it, as YAML; behind each leaf stands the file
    /// and line that it came from. Nothing where there is no form of that name.
    #[must_use]
    pub fn print_resolved(sources: &[SourceFile], name: &str) -> Option<String> {
        let library = library(sources, &mut Vec::new());
        let read = &library.forms()[library.find(name)?];
        let tree = library.resolve(read, &mut Budget::new(), &mut library.problems(read))?;
        Some(compose::print(&library, &tree))
    }

    /// The form of a name.
    #[must_use]
    pub fn form(&self, name: &str) -> Option<&Arc<Form>> {
        self.forms.get(name)
    }

    /// The language of a tag; English is always there.
    #[must_use]
    pub fn locale(&self, tag: &str) -> Option<&Arc<Locale>> {
        self.locales.get(tag)
    }

    /// All languages.
    #[must_use]
    pub fn locales(&self) -> &Arc<Locales> {
        &self.locales
    }

    /// The names of all forms, sorted.
    #[must_use]
    pub fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    /// Returns the names of the forms that clients can submit, sorted: all but those that make callers
    /// of contracts (`new_caller`), which are the operator's.
    #[must_use]
    pub fn served(&self) -> &[Arc<str>] {
        &self.served
    }

    /// Returns the form of a name, or `None` where clients can submit no such form.
    #[must_use]
    pub fn served_form(&self, name: &str) -> Option<&Arc<Form>> {
        self.served.binary_search_by(|known| (**known).cmp(name)).ok()?;
        self.form(name)
    }

    /// Returns the name of a served form that is nearest to one that is not known.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Option<&str> {
        nearest(name, self.served.iter().map(|known| &**known))
    }
}

/// All forms and definitions among the files.
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

/// All files of texts.
fn locale_files(sources: &[SourceFile]) -> impl Iterator<Item = locale::LocaleFile<'_>> {
    let is_locale = |source: &&SourceFile| matches!(role(&source.within), FileRole::Locale);
    sources.iter().filter(is_locale).map(|source| locale::LocaleFile {
        name: &source.file,
        stem: stem(&source.within),
        text: &source.text,
    })
}

/// Forms by their names.
type FormMap = Arc<HashMap<Arc<str>, Arc<Form>>>;

/// Returns all contracts, by name, and the forms that clients can submit. The version of a contract is
/// a hash of its file and of the catalogues.
fn contracts(
    sources: &[SourceFile],
    forms: &FormMap,
    is_form: &dyn Fn(&str) -> bool,
    problems: &mut Vec<Problem>,
) -> (Contracts, FormMap) {
    let of = |wanted: fn(&FileRole<'_>) -> bool| {
        sources.iter().filter(move |source| wanted(&role(&source.within)))
    };
    let (mut catalogues, mut hash, mut has_all_catalogues) = (Vec::new(), Sha256::new(), true);
    for source in of(|role| matches!(role, FileRole::Catalogue)) {
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
    for (file, source) in all.iter().zip(of(|role| matches!(role, FileRole::Contract))) {
        let mut found = Problems::with_files(source.file.clone(), files.clone());
        trees.push((compose::extended(*file, &all, &mut found), found));
    }
    // Known before any contract is read: no contract may run the form of another's callers.
    let callers = trees.iter().filter_map(|(tree, _)| contract::new_caller(tree.as_ref()?));
    let callers: Vec<&str> = callers.collect();
    let served = forms.iter().filter(|(name, _)| !callers.contains(&&***name));
    let served = served.map(|(name, form)| (name.clone(), form.clone()));
    let served: FormMap = Arc::new(served.collect());
    let catalogues = &*catalogues;
    let around = LoadContext { forms, served: &served, is_form, catalogues, has_all_catalogues };
    let mut contracts: Vec<(Arc<str>, Contract)> = Vec::new();
    for (file, (tree, found)) in all.iter().zip(&mut trees) {
        let version = hex(&hash.clone().chain_update(file.text.as_bytes()).finalize());
        let read =
            tree.as_ref().and_then(|tree| contract::read(file.stem, tree, version, &around, found));
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

/// platformOS' form files: front matter and a page.
const LIQUID_EXTENSION: &str = ".liquid";

/// Forms lie anywhere but in `types/` and platformOS' folders of types, `definitions/`,
/// `locales/` and `contracts/`, but for `contracts/forms/`.
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
        return FileRole::Unknown("lies in no known folder below types/");
    }
    if inside("locales") {
        return if is_yaml {
            FileRole::Locale
        } else {
            FileRole::Unknown("holds texts but is no .yml file")
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
        return FileRole::Unknown("holds a contract but is no .yml file");
    }
    FileRole::Form
}

/// The default name: the path below the forms folder, or below the folder of its kind, without
/// the extension.
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
            "forms as *.yml or *.liquid, texts in locales/*.yml, contracts in contracts/*.yml, \
             types in {}",
            folders.join(", ")
        ),
        hint: None,
    }
}

/// The first 16 hexadecimal digits of a hash of everything that decides.
fn version(types: &[u8], tree: &Node) -> Arc<str> {
    let text = canonical_json(&tree.to_value());
    hex(&Sha256::new().chain_update(types).chain_update(text.as_bytes()).finalize())
}

/// The first 16 hexadecimal digits of a hash.
fn hex(digest: &[u8]) -> Arc<str> {
    let mut version = String::with_capacity(16);
    for byte in &digest[..8] {
        let _ = write!(version, "{byte:02x}");
    }
    version.into()
}
