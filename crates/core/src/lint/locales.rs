//! Checks the references between locale files and forms: names of forms, paths, codes, languages.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::config::{Location, Problem, ProblemCode, Problems, Reader};
use crate::form::{FieldBody, Form, Group};
use crate::locale::{Locales, NameReference, ReferenceKind, unknown_code};
use crate::messages::MessageIndex;
use crate::record_kind::RecordKind;

/// The forms that a locale file may name.
pub(crate) struct KnownNames<'f> {
    pub(crate) forms: &'f HashMap<Arc<str>, Arc<Form>>,
    /// Returns whether there is a form of this name, valid or not.
    pub(crate) is_form: &'f dyn Fn(&str) -> bool,
    /// Whether all forms are valid; otherwise the set of paths and codes is incomplete.
    pub(crate) is_whole: bool,
    /// The built-in messages.
    pub(crate) index: &'f MessageIndex,
}

/// Reports references to forms, paths and codes that do not exist.
pub(crate) fn check(
    references: Vec<NameReference>,
    known: &KnownNames<'_>,
    problems: &mut Vec<Problem>,
) {
    if references.is_empty() {
        return;
    }
    let everywhere = FormNames::of(known);
    for reference in references {
        let mut found = Problems::new(reference.file.clone());
        let mut reader = Reader { problems: &mut found };
        let location = reference.location;
        let form = reference.form.as_deref();
        let in_form;
        let here = match form.map(|form| known.forms.get(form)) {
            None if known.is_whole => &everywhere,
            None => continue,
            Some(Some(form)) => {
                in_form = FormNames::in_form(form);
                &in_form
            }
            Some(None) => {
                if let (ReferenceKind::Form, Some(name)) = (&reference.to, form)
                    && !(known.is_form)(name)
                {
                    let names: Vec<&str> = known.forms.keys().map(|name| &**name).collect();
                    let code = ProblemCode::UnknownType;
                    reader.unknown(code, "form", name, location, "`forms`", &names);
                }
                problems.extend(found.into_vec());
                continue;
            }
        };
        match &reference.to {
            ReferenceKind::Form => {}
            ReferenceKind::Path(path) if here.has(path) => {}
            ReferenceKind::Path(path) => {
                let names: Vec<&str> = here.paths.iter().map(String::as_str).collect();
                let within = match form {
                    Some(form) => format!("the form `{form}`"),
                    None => "all forms".to_owned(),
                };
                reader.unknown(ProblemCode::UnknownField, "path", path, location, &within, &names);
            }
            ReferenceKind::Code(code, _) if here.ids.contains(&**code) => {}
            ReferenceKind::Code(code, section) => {
                let ids = here.ids.iter().map(|id| &**id);
                let mut names: Vec<&str> = if *section == "messages" {
                    known.index.keys().collect()
                } else {
                    known.index.codes().collect()
                };
                names.extend(ids);
                unknown_code(&mut reader, code, location, &format!("`{section}`"), &names);
            }
        }
        problems.extend(found.into_vec());
    }
}

/// The paths of one or all forms, and the codes of their rules across fields.
#[derive(Default)]
struct FormNames {
    paths: BTreeSet<String>,
    /// Paths of fields with a `schema` rule: any path below them is accepted.
    open: BTreeSet<String>,
    ids: BTreeSet<Box<str>>,
}

impl FormNames {
    fn of(known: &KnownNames<'_>) -> Self {
        let mut all = Self::default();
        // Built-in fields of users can be named even if no form lists them.
        all.paths.extend(RecordKind::User.built_ins().iter().map(|field| field.name.to_owned()));
        known.forms.values().for_each(|form| all.add(form));
        all
    }

    fn in_form(form: &Form) -> Self {
        let mut all = Self::default();
        all.add(form);
        all
    }

    fn add(&mut self, form: &Form) {
        self.paths.insert("base".to_owned());
        self.group(&form.root, "");
        let ids = form.assertions.iter().filter_map(|assertion| assertion.code.as_deref());
        self.ids.extend(ids.map(Box::from));
    }

    fn group(&mut self, group: &Group, parent: &str) {
        for field in &group.fields {
            let path = match parent {
                "" => field.name.to_string(),
                parent => format!("{parent}.{}", field.name),
            };
            match &field.body {
                FieldBody::Container(inner)
                | FieldBody::Record(inner)
                | FieldBody::Records(inner) => {
                    self.group(inner, &path);
                }
                FieldBody::Scalar(_) => {
                    if field.rules.iter().any(|rule| rule.rule.name == "schema") {
                        self.open.insert(path.clone());
                    }
                }
            }
            self.paths.insert(path);
        }
    }

    fn has(&self, path: &str) -> bool {
        let mut above = path.match_indices('.').map(|(end, _)| &path[..end]);
        self.paths.contains(path) || above.any(|above| self.open.contains(above))
    }
}

/// Reports languages in the message overrides of a form that are not served.
pub(crate) fn check_overrides(form: &Form, locales: &Locales, problems: &mut Problems) {
    let mut note = |tag: &str, location: Location| {
        if locales.get(tag).is_none() {
            let known: Vec<&str> = locales.all().iter().map(|locale| locale.tag()).collect();
            let reader = &mut Reader { problems };
            let code = ProblemCode::UnknownLanguage;
            reader.unknown(code, "language", tag, location, "a message", &known);
        }
    };
    of_group(&form.root, &mut note);
    for text in form.assertions.iter().filter_map(|assertion| assertion.message.as_ref()) {
        text.languages().for_each(|(tag, location)| note(tag, location));
    }
}

fn of_group(group: &Group, note: &mut dyn FnMut(&str, Location)) {
    for field in &group.fields {
        for text in field.rules.iter().flat_map(|rule| rule.message_overrides()) {
            text.languages().for_each(|(tag, location)| note(tag, location));
        }
        match &field.body {
            FieldBody::Container(inner) | FieldBody::Record(inner) | FieldBody::Records(inner) => {
                of_group(inner, note)
            }
            FieldBody::Scalar(_) => {}
        }
    }
}
