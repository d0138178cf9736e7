//! The configuration that a server runs: the registry of forms and the contracts over it, compiled
//! together and replaced as a whole on reload.

use std::sync::{Arc, OnceLock};

use registrar_core::compose::{self, FormFile};
use registrar_core::config::{FileId, Policies, Problem, Problems, nearest};
use registrar_core::form::Form;
use registrar_core::registry::{
    FileRole, FormMap, Registry, SourceFile, hex, role, sort_problems, stem,
};
use sha2::{Digest, Sha256};

use crate::contract::{self, Catalogue, Contract, Contracts, LoadContext};
use crate::openapi;

/// A compiled configuration: forms, types, locales and contracts. It dereferences to the
/// [`Registry`].
#[derive(Debug)]
pub struct Configuration {
    registry: Registry,
    /// Names of the forms that clients may submit, sorted.
    served: Vec<Arc<str>>,
    contracts: Contracts,
    openapi: OnceLock<Arc<[u8]>>,
}

impl std::ops::Deref for Configuration {
    type Target = Registry;

    fn deref(&self) -> &Registry {
        &self.registry
    }
}

impl Configuration {
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
        let (registry, mut problems) = Registry::compile_partial(sources, policies);
        let (contracts, served) = compile_contracts(sources, &registry, &mut problems);
        sort_problems(&mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut served: Vec<Arc<str>> = served.keys().cloned().collect();
        served.sort_unstable();
        Ok(Self { registry, served, contracts, openapi: OnceLock::new() })
    }

    /// Returns whether both have the same forms in the same versions, the same locales and the same
    /// contracts.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.registry.is_same_as(&other.registry) && self.contracts.is_same_as(&other.contracts)
    }

    /// Returns all contracts.
    #[must_use]
    pub fn contracts(&self) -> &Contracts {
        &self.contracts
    }

    /// Returns the OpenAPI 3.1 document of all served forms and contracts, as JSON. It is generated
    /// on first use.
    #[must_use]
    pub fn openapi(&self) -> Arc<[u8]> {
        let forms = self.served.iter().filter_map(|name| self.form(name));
        let written = || openapi::document(forms, &self.contracts).to_string().into_bytes().into();
        self.openapi.get_or_init(written).clone()
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

/// Compiles all contracts. Returns them sorted by name, with the forms that clients may submit. The
/// version of a contract is a hash of its own file, all contract files and all catalogues.
fn compile_contracts(
    sources: &[SourceFile],
    registry: &Registry,
    problems: &mut Vec<Problem>,
) -> (Contracts, FormMap) {
    let (forms, is_form) = (registry.forms(), |name: &str| registry.declares(name));
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
    let context =
        LoadContext { forms, served: &served, is_form: &is_form, catalogues, has_all_catalogues };
    let mut contracts: Vec<(Arc<str>, Contract)> = Vec::new();
    for (file, (tree, found)) in all.iter().zip(&mut trees) {
        let version = hex(&hash.clone().chain_update(file.text.as_bytes()).finalize());
        let read = tree
            .as_ref()
            .and_then(|tree| contract::read(file.stem, tree, version, &context, found));
        if let Some((contract, location)) = read {
            for (file, other) in &contracts {
                contract::clash(&contract, location, other, file, found);
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
