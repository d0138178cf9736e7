//! All forms and types, compiled together: replaced as a whole or not at all.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::config::{Place, Problem, ProblemCode, Problems, nearest, parse};
use crate::form::{Form, compile};
use crate::types::{TypeKind, Types};

/// One file of configuration, read by somebody else.
#[derive(Debug, Clone)]
pub struct Source {
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
    forms: HashMap<Arc<str>, Arc<Form>>,
    names: Vec<Arc<str>>,
}

/// What a file holds, by where it lies.
enum Role<'s> {
    Form,
    Type(TypeKind),
    Unknown(&'s str),
}

impl Registry {
    /// Compiles a configuration.
    ///
    /// # Errors
    /// Everything that is wrong with it, in order of file and place.
    pub fn compile(sources: &[Source]) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut types = Types::default();
        let mut types_hash = Sha256::new();
        for source in sources {
            match role(&source.within) {
                Role::Type(kind) => {
                    types_hash.update(source.text.as_bytes());
                    let stem = stem(&source.within);
                    problems.extend(types.add(kind, &source.file, stem, &source.text));
                }
                Role::Unknown(what) => problems.push(bad_file(source, what)),
                Role::Form => {}
            }
        }
        let types_hash = types_hash.finalize();
        let mut forms = HashMap::new();
        let mut owners: HashMap<String, Arc<str>> = HashMap::new();
        for source in sources.iter().filter(|source| matches!(role(&source.within), Role::Form)) {
            let mut found = Problems::new(source.file.clone());
            if let Some(tree) = parse(&source.text, &mut found) {
                let version = version(&types_hash, &source.text);
                let (form, name) =
                    compile(&tree, &types, stem(&source.within), version, &mut found);
                if let Some(first) = owners.insert(name.clone(), source.file.clone()) {
                    let place = tree.get("name").map_or(Place::START, |entry| entry.value.place);
                    found.add(
                        ProblemCode::DuplicateName,
                        place,
                        format!("there is another form `{name}`"),
                        "each name once",
                        Some(format!("the other one is {first}")),
                    );
                }
                if let Some(form) = form {
                    forms.insert(form.name.clone(), Arc::new(form));
                }
            }
            problems.extend(found.into_vec());
        }
        if !problems.is_empty() {
            problems.sort();
            return Err(problems);
        }
        let mut names: Vec<Arc<str>> = forms.keys().cloned().collect();
        names.sort_unstable();
        Ok(Self { forms, names })
    }

    /// The form of a name.
    #[must_use]
    pub fn form(&self, name: &str) -> Option<&Arc<Form>> {
        self.forms.get(name)
    }

    /// The names of all forms, sorted.
    #[must_use]
    pub fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    /// The known name nearest to one that is not known.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Option<&str> {
        nearest(name, self.names.iter().map(|known| &**known))
    }
}

/// Forms lie anywhere but in `types/`, `contracts/` and `locales/`.
fn role(within: &str) -> Role<'_> {
    if !within.ends_with(".yml") && !within.ends_with(".yaml") {
        return Role::Unknown("is not a .yml or .yaml file");
    }
    let Some(rest) = within.strip_prefix("types/") else {
        return match within.split('/').next() {
            Some("contracts" | "locales") if within.contains('/') => {
                Role::Unknown("lies in a folder that this version does not serve yet")
            }
            _ => Role::Form,
        };
    };
    let folder = rest.split('/').next().unwrap_or_default();
    TypeKind::ALL
        .into_iter()
        .find(|kind| kind.folder() == folder && rest.contains('/'))
        .map_or(Role::Unknown("lies in no known folder below types/"), Role::Type)
}

/// The default name: the path below the forms folder, or below the folder of its kind, without
/// the extension.
fn stem(within: &str) -> &str {
    let path = within.rsplit_once('.').map_or(within, |(path, _)| path);
    match path.strip_prefix("types/") {
        Some(rest) => rest.split_once('/').map_or(rest, |(_, name)| name),
        None => path,
    }
}

fn bad_file(source: &Source, what: &str) -> Problem {
    let folders: Vec<String> =
        TypeKind::ALL.iter().map(|kind| format!("types/{}/", kind.folder())).collect();
    Problem {
        file: source.file.clone(),
        place: Place::START,
        code: ProblemCode::BadFile,
        what: format!("the file {what}"),
        expected: format!("forms as *.yml, types in {}", folders.join(", ")),
        hint: None,
    }
}

/// The first 16 hexadecimal digits of a hash of everything that decides.
fn version(types: &[u8], text: &str) -> Arc<str> {
    let digest = Sha256::new().chain_update(types).chain_update(text.as_bytes()).finalize();
    let mut version = String::with_capacity(16);
    for byte in &digest[..8] {
        let _ = write!(version, "{byte:02x}");
    }
    version.into()
}
