//! Composes forms from several files: `extends:`, `definitions:` and `use:`.
//!
//! It works on trees, before compilation. The result is one tree in which every leaf keeps the file
//! and line that it came from.

mod budget;
mod definitions;
mod front_matter;
mod merge;
mod print;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

pub(crate) use budget::Budget;
pub(crate) use merge::{merge_over, report_removals};
pub(crate) use print::print;

use crate::config::{
    Data, Entry, FileId, Location, Node, Problem, ProblemCode, Problems, Reader, nearest, parse,
};

/// Maximum number of levels of `extends:`, and of `use:`.
const MAX_EXTENDS_DEPTH: usize = 16;

/// The parsed trees of all forms and definitions.
#[derive(Debug)]
pub(crate) struct Library {
    /// All files, indexed by [`FileId`].
    files: Arc<[Arc<str>]>,
    forms: Vec<FormTree>,
    by_name: HashMap<String, usize>,
    definitions: Vec<Entry>,
}

/// A parsed form file.
#[derive(Debug)]
pub(crate) struct FormTree {
    pub name: String,
    tree: Node,
    file: Arc<str>,
}

/// A file to be parsed as a form, definition or contract.
#[derive(Debug, Clone, Copy)]
pub struct FormFile<'s> {
    /// Number of the file in all locations.
    pub id: FileId,
    /// Path as shown in problems.
    pub name: &'s Arc<str>,
    /// Name of a form or definition that declares none.
    pub stem: &'s str,
    /// Content.
    pub text: &'s str,
    /// Whether the file has front matter and a page (`.liquid`).
    pub is_liquid: bool,
}

impl Library {
    /// Parses all files; problems are added to `problems`.
    pub(crate) fn read<'s>(
        files: Arc<[Arc<str>]>,
        forms: impl Iterator<Item = FormFile<'s>>,
        definitions: impl Iterator<Item = FormFile<'s>>,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut library =
            Self { files, forms: Vec::new(), by_name: HashMap::new(), definitions: Vec::new() };
        for file in definitions {
            if let Some(tree) = tree(file, problems) {
                let location = tree.location;
                library.definitions.push(Entry {
                    key: file.stem.to_owned(),
                    location,
                    value: tree,
                });
            }
        }
        for file in forms {
            let Some(mut tree) = tree(file, problems) else { continue };
            merge::rename(&mut tree, "configuration", "fields");
            let entry = tree.get("name");
            let name = entry.and_then(|entry| match &entry.value.data {
                Data::Text(name) => Some(name.clone()),
                _ => None,
            });
            let name = name.unwrap_or_else(|| file.stem.to_owned());
            if let Some(first) = library.by_name.get(&name) {
                let location = entry.map_or(Location::START, |entry| entry.value.location);
                let mut found = Problems::with_files(file.name.clone(), library.files.clone());
                found.add(
                    ProblemCode::DuplicateName,
                    location,
                    format!("there is another form `{name}`"),
                    "each name once",
                    Some(format!("the other one is {}", library.forms[*first].file)),
                );
                problems.extend(found.into_vec());
            } else {
                library.by_name.insert(name.clone(), library.forms.len());
            }
            library.forms.push(FormTree { name, tree, file: file.name.clone() });
        }
        library
    }

    /// Returns all forms; [`find`](Self::find) returns indexes into them.
    pub(crate) fn forms(&self) -> &[FormTree] {
        &self.forms
    }

    /// Returns an empty collection for the problems of a form, whichever files its parts are in.
    pub(crate) fn problems(&self, form: &FormTree) -> Problems {
        Problems::with_files(form.file.clone(), self.files.clone())
    }

    /// Returns the names of all forms.
    pub(crate) fn names(&self) -> HashSet<String> {
        self.by_name.keys().cloned().collect()
    }

    /// Returns the index of a form, or `None` if there is none of that name.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Returns the file of a location; empty if it is unknown.
    pub(crate) fn file(&self, location: Location) -> &str {
        let index = usize::try_from(location.file.0).unwrap_or(usize::MAX);
        self.files.get(index).map_or("", |file| file)
    }

    /// Returns a form with everything that it extends and uses merged in, or `None` if that exceeds
    /// the budget. If an extended form cannot be resolved, the form's own tree is returned.
    pub(crate) fn resolve(
        &self,
        form: &FormTree,
        budget: &mut Budget,
        problems: &mut Problems,
    ) -> Option<Node> {
        let mut reader = Reader { problems };
        budget.begin();
        let above = &mut vec![&*form.name];
        let tree = self.extended(form, form.tree.location, budget, &mut reader, above);
        let Some(mut tree) = tree else {
            return (!budget.is_exhausted()).then(|| form.tree.clone());
        };
        // Examples are taken out: their `!remove` refers to earlier examples.
        let examples = merge::remove_key(&mut tree, "examples");
        merge::report_removals(&mut tree, &mut reader);
        definitions::expand(&mut tree, &self.definitions, budget, &mut reader);
        if let (Some(examples), Data::Map(entries)) = (examples, &mut tree.data) {
            entries.push(examples);
        }
        (!budget.is_exhausted()).then_some(tree)
    }

    /// Returns the form merged over the forms that it extends, or `None`, with a problem, if one of
    /// them cannot be resolved or the budget is exceeded. `used_at` is the location of the
    /// `extends` that leads here.
    fn extended<'l>(
        &'l self,
        form: &'l FormTree,
        used_at: Location,
        budget: &mut Budget,
        reader: &mut Reader<'_>,
        above: &mut Vec<&'l str>,
    ) -> Option<Node> {
        if !budget.charge_node(&form.tree, used_at, reader) {
            return None;
        }
        let Some(entry) = form.tree.get("extends") else { return Some(form.tree.clone()) };
        let mut base: Option<Node> = None;
        for node in parents(reader, &entry.value)? {
            let name = reader.text(node, "extends")?;
            let Some(parent) = self.find(name).map(|index| &self.forms[index]) else {
                let known: Vec<&str> = self.by_name.keys().map(String::as_str).collect();
                let hint = nearest(name, known).map(|near| format!("did you mean `{near}`?"));
                let what = format!("unknown form `{name}` in `extends`");
                let code = ProblemCode::UnknownType;
                reader.problems.add(code, node.location, what, "the name of a form", hint);
                return None;
            };
            if above.contains(&parent.name.as_str()) || above.len() >= MAX_EXTENDS_DEPTH {
                let what = format!("`{}` extends itself, by way of `{name}`", above[0]);
                let expected =
                    format!("no cycle, and at most {MAX_EXTENDS_DEPTH} levels of `extends`");
                reader.problems.add(ProblemCode::Cycle, node.location, what, expected, None);
                return None;
            }
            above.push(&parent.name);
            let mut tree = self.extended(parent, node.location, budget, reader, above)?;
            above.pop();
            merge::remove_keys(&mut tree, &["name", "description", "extends", "examples"]);
            base = Some(match base {
                None => tree,
                Some(mut base) => {
                    merge::merge_over(&mut base, tree, reader);
                    base
                }
            });
        }
        let mut own_tree = form.tree.clone();
        merge::remove_keys(&mut own_tree, &["extends"]);
        let Some(mut base) = base else { return Some(own_tree) };
        base.location = own_tree.location;
        merge::merge_over(&mut base, own_tree, reader);
        Some(base)
    }
}

fn parents<'n>(reader: &mut Reader<'_>, node: &'n Node) -> Option<Vec<&'n Node>> {
    match &node.data {
        Data::Text(_) => Some(vec![node]),
        Data::List(items) if !items.is_empty() => Some(items.iter().collect()),
        _ => {
            reader.wrong_shape(node, "extends", "the name of a form, or a list of names");
            None
        }
    }
}

fn tree(file: FormFile<'_>, problems: &mut Vec<Problem>) -> Option<Node> {
    let mut found = Problems::new(file.name.clone());
    let text = if file.is_liquid {
        front_matter::extract(file.text, &mut found)
    } else {
        Some(file.text.into())
    };
    let tree = text.and_then(|text| parse(&text, &mut found));
    problems.extend(found.into_vec());
    let mut tree = tree?;
    merge::set_file(&mut tree, file.id);
    Some(tree)
}

/// Returns a file merged over the one that its `extends:` names by stem, or `None`, with a problem,
/// if that fails.
pub fn extended(file: FormFile<'_>, all: &[FormFile<'_>], problems: &mut Problems) -> Option<Node> {
    let mut own_tree = parse(file.text, problems)?;
    merge::set_file(&mut own_tree, file.id);
    let Some(entry) = merge::remove_key(&mut own_tree, "extends") else { return Some(own_tree) };
    let mut reader = Reader { problems };
    let name = reader.text(&entry.value, "extends")?.to_owned();
    let others = || all.iter().filter(|other| other.id != file.id);
    let Some(base) = others().find(|other| other.stem == name) else {
        let known: Vec<&str> = others().map(|other| other.stem).collect();
        let location = entry.value.location;
        reader.unknown(ProblemCode::UnknownKey, "file", &name, location, "`extends`", &known);
        return None;
    };
    // Problems of the extended file are reported when it is read itself.
    let mut tree = parse(base.text, &mut Problems::new(base.name.clone()))?;
    if let Some(entry) = tree.get("extends") {
        let what = format!("`{name}` itself extends another file");
        let expected = "a file without `extends`";
        let hint = Some(format!("line {} of {}", entry.location.line, base.name));
        reader.problems.add(ProblemCode::Contradiction, own_tree.location, what, expected, hint);
        return None;
    }
    merge::set_file(&mut tree, base.id);
    merge::remove_keys(&mut tree, &["name", "description"]);
    merge_over(&mut tree, own_tree, &mut reader);
    Some(tree)
}
