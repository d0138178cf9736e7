//! Reads a contract file: everything that is wrong with it at once.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::answer::{Answer, Outcome};
use super::authentication::Scheme;
use super::decoding::{Decoding, casing};
use super::fields::{Casing, Mapped, field_at};
use super::id::IdFormat;
use super::route::{Operation, Route};
use super::{Catalogue, Contract, Host, ID, formatted};
use crate::config::{Data, Entry, Node, Place, ProblemCode, Problems, Reader, parse};
use crate::form::Form;
use crate::resources::Kind;

/// What a contract may name.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) forms: &'a HashMap<Arc<str>, Arc<Form>>,
    /// Whether there is a form of a name, be it a broken one.
    pub(crate) is_form: &'a dyn Fn(&str) -> bool,
    pub(crate) catalogues: &'a [Arc<Catalogue>],
    /// Whether a catalogue is broken, and so not among them.
    pub(crate) has_all_catalogues: bool,
}

const KEYS: [&str; 16] = [
    "name",
    "description",
    "mount",
    "hosts",
    "form",
    "authentication",
    "decoding",
    "unknown",
    "fields",
    "ids",
    "times",
    "catalogue",
    "aggregation",
    "casing_out",
    "routes",
    "answers",
];
/// Paths that are Registrar's own.
const OWN: [&str; 3] = ["/api", "/health", "/metrics"];

/// Reads a file; nothing comes back where something is missing without which there is no contract.
pub(crate) fn read(
    stem: &str,
    text: &str,
    version: Arc<str>,
    around: &Around<'_>,
    problems: &mut Problems,
) -> Option<(Contract, Place)> {
    let tree = parse(text, problems)?;
    let mut reader = Reader { problems };
    for entry in reader.map(&tree, "a contract") {
        if !KEYS.contains(&entry.key.as_str()) {
            reader.unknown_key(entry, "a contract", &KEYS);
        }
    }
    for key in ["form", "authentication", "fields", "catalogue", "routes", "answers"] {
        missing(&mut reader, &tree, key, Place::START);
    }
    let name_entry = tree.get("name");
    let name = name_entry.and_then(|entry| reader.text(&entry.value, "name")).unwrap_or(stem);
    let description = tree.get("description");
    let description =
        description.and_then(|entry| reader.text(&entry.value, "description")).map(Arc::from);
    let form = form(&mut reader, &tree, around);
    let catalogue = catalogue(&mut reader, &tree, around);
    let (mount, hosts) = (mount(&mut reader, &tree), hosts(&mut reader, &tree));
    if mount.is_none() && hosts.is_empty() && tree.get("mount").is_none() {
        let what = "the contract does not say where it is reached";
        let expected = "`mount:`, `hosts:`, or both";
        reader.problems.add(ProblemCode::MissingKey, Place::START, what, expected, None);
    }
    let ids = ids(&mut reader, &tree);
    let times = times(&mut reader, &tree);
    let part = |key: &str| tree.get(key).map(|entry| &entry.value);
    let schemes = part("authentication").map(|node| Scheme::read(&mut reader, node));
    let schemes = schemes.unwrap_or_default();
    let decoding = part("decoding").map(|node| Decoding::read(&mut reader, node));
    let decoding = decoding.unwrap_or_default();
    let word = |reader: &mut Reader<'_>, key: &str, words: &[&str; 2]| {
        let entry = tree.get(key)?;
        reader.word(&entry.value, key, words).map(|word| word == words[1])
    };
    let refuses_unknown = word(&mut reader, "unknown", &["ignore", "reject"]) == Some(true);
    let tells_first = word(&mut reader, "aggregation", &["all", "first"]) == Some(true);
    let casing_out = tree.get("casing_out");
    let casing_out =
        casing_out.map_or(Casing::Verbatim, |entry| casing(&mut reader, entry, &["camel"]));
    let fields = fields(&mut reader, &tree, form.as_deref());
    let routes = routes(&mut reader, &tree, &ids);
    let known = Known { form: form.as_deref(), ids: &ids, fields: &fields };
    let answers = answers(&mut reader, &tree, &routes, &schemes, &known);
    let place = name_entry.map_or(Place::START, |entry| entry.value.place);
    let contract = Contract {
        name: name.into(),
        description,
        form: form?,
        schemes,
        mount,
        hosts,
        ids,
        times,
        routes,
        decoding,
        fields,
        refuses_unknown,
        catalogue: catalogue?,
        tells_first,
        casing_out,
        answers,
        version,
    };
    Some((contract, place))
}

fn missing(reader: &mut Reader<'_>, node: &Node, key: &str, place: Place) {
    if node.get(key).is_none() {
        let what = format!("the contract does not say its `{key}`");
        let expected = format!("`{key}:`");
        reader.problems.add(ProblemCode::MissingKey, place, what, expected, None);
    }
}

fn form(reader: &mut Reader<'_>, tree: &Node, around: &Around<'_>) -> Option<Arc<Form>> {
    let node = &tree.get("form")?.value;
    let name = reader.text(node, "form")?;
    let found = around.forms.get(name);
    match found {
        Some(form) if form.may_create => {}
        Some(_) => {
            let what = format!("the form `{name}` changes users, it does not create them");
            let expected = "a form that creates users";
            reader.problems.add(ProblemCode::Contradiction, node.place, what, expected, None);
        }
        // What is wrong with a form that is there has been told.
        None if (around.is_form)(name) => {}
        None => {
            let mut known: Vec<&str> = around.forms.keys().map(|name| &**name).collect();
            known.sort_unstable();
            let code = ProblemCode::UnknownForm;
            reader.unknown(code, "form", name, node.place, "the contract", &known);
        }
    }
    found.cloned()
}

fn catalogue(reader: &mut Reader<'_>, tree: &Node, around: &Around<'_>) -> Option<Arc<Catalogue>> {
    let node = &tree.get("catalogue")?.value;
    let name = reader.text(node, "catalogue")?;
    let found = around.catalogues.iter().find(|catalogue| &*catalogue.name == name);
    if found.is_none() && around.has_all_catalogues {
        let known: Vec<&str> = around.catalogues.iter().map(|known| &*known.name).collect();
        let code = ProblemCode::UnknownCatalogue;
        reader.unknown(code, "catalogue", name, node.place, "the contract", &known);
    }
    found.cloned()
}

fn mount(reader: &mut Reader<'_>, tree: &Node) -> Option<Box<str>> {
    let node = &tree.get("mount")?.value;
    let mount = reader.text(node, "mount")?;
    let is_path = mount.len() > 1
        && mount.strip_prefix('/').is_some_and(|rest| {
            rest.split('/')
                .all(|part| !part.is_empty() && !part.contains(['{', '}', '?', '#', '%']))
        });
    let own = OWN.iter().find(|own| {
        mount.strip_prefix(**own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    if !is_path {
        let what = format!("`{mount}` is nowhere to mount a contract");
        let expected = "a path such as `/garmat`, without a slash at its end";
        reader.problems.add(ProblemCode::BadOption, node.place, what, expected, None);
    } else if let Some(own) = own {
        let what = format!("`{own}` is Registrar's own");
        let expected = "a mount of the contract's own";
        reader.problems.add(ProblemCode::Contradiction, node.place, what, expected, None);
    }
    Some(mount.into())
}

fn hosts(reader: &mut Reader<'_>, tree: &Node) -> Vec<Host> {
    let mut hosts = Vec::new();
    let Some(entry) = tree.get("hosts") else { return hosts };
    for node in reader.list(&entry.value, "hosts") {
        let Some(text) = reader.text(node, "hosts") else { continue };
        let host = match text.strip_prefix('*') {
            Some(end)
                if end.len() > 1 && end.starts_with('.') && !end.contains([':', '*', '/']) =>
            {
                Host::Below(end.into())
            }
            None if !text.is_empty() && !text.contains(['*', '/', ' ']) => Host::Exact(text.into()),
            _ => {
                let what = format!("`{text}` is no host");
                let expected = "`api.example.com`, `localhost:4000`, or `*.example.com`";
                reader.problems.add(ProblemCode::BadOption, node.place, what, expected, None);
                continue;
            }
        };
        hosts.push(host);
    }
    hosts
}

fn ids(reader: &mut Reader<'_>, tree: &Node) -> Vec<(Box<str>, IdFormat)> {
    let mut ids = Vec::new();
    let Some(entry) = tree.get("ids") else { return ids };
    for entry in reader.map(&entry.value, "ids") {
        let Some(text) = reader.text(&entry.value, &entry.key) else { continue };
        match IdFormat::parse(text) {
            Some(format) => ids.push((entry.key.as_str().into(), format)),
            None => {
                let what = format!("`{text}` is no format of ids");
                let (code, place) = (ProblemCode::BadOption, entry.value.place);
                reader.problems.add(code, place, what, IdFormat::EXPECTED, None);
            }
        }
    }
    ids
}

fn times(reader: &mut Reader<'_>, tree: &Node) -> Option<Box<str>> {
    let node = &tree.get("times")?.value;
    let format = reader.text(node, "times")?;
    if formatted(format, jiff::Timestamp::UNIX_EPOCH).is_none() {
        let what = format!("`{format}` is no format of times");
        let expected = "one of strftime's, such as `%Y-%m-%d %H:%M:%S.%3f000+00:00`";
        reader.problems.add(ProblemCode::BadOption, node.place, what, expected, None);
    }
    Some(format.into())
}

fn fields(reader: &mut Reader<'_>, tree: &Node, form: Option<&Form>) -> Vec<Mapped> {
    let Some(entry) = tree.get("fields") else { return Vec::new() };
    let mut fields: Vec<Mapped> = Vec::new();
    for entry in reader.map(&entry.value, "fields") {
        let mapped = Mapped::read(reader, entry, form);
        let path = |field: &Mapped| field.to.as_ref().map(|to| to.path.clone());
        let other =
            fields.iter().find(|other| path(other).is_some() && path(other) == path(&mapped));
        if let Some(other) = other {
            let what = format!("`{}` and `{}` are one field of the form", other.name, mapped.name);
            let code = ProblemCode::Contradiction;
            reader.problems.add(code, entry.place, what, "each field once", None);
        }
        fields.push(mapped);
    }
    fields
}

fn routes(reader: &mut Reader<'_>, tree: &Node, ids: &[(Box<str>, IdFormat)]) -> Vec<Route> {
    let Some(entry) = tree.get("routes") else { return Vec::new() };
    let id = ids.iter().find(|(name, _)| &**name == ID).map(|(_, format)| *format);
    let mut routes: Vec<Route> = Vec::new();
    for node in reader.list(&entry.value, "routes") {
        let Some(route) = Route::read(reader, node, id) else { continue };
        if routes.iter().any(|other| other.clashes_with(&route)) {
            let what = "two routes take the same method and path";
            let expected = "one route for each method and path";
            reader.problems.add(ProblemCode::Contradiction, node.place, what, expected, None);
        }
        routes.push(route);
    }
    routes
}

/// What templates may name.
struct Known<'k> {
    form: Option<&'k Form>,
    ids: &'k [(Box<str>, IdFormat)],
    fields: &'k [Mapped],
}

impl Known<'_> {
    /// The known names where a name is not.
    fn check(&self, name: &str) -> Result<(), (String, Vec<String>)> {
        let one_of = |part: &str, known: &mut dyn Iterator<Item = &str>| {
            let known: Vec<&str> = known.collect();
            let owned = || (part.to_owned(), known.iter().map(|name| (*name).to_owned()).collect());
            if known.contains(&part) { Ok(()) } else { Err(owned()) }
        };
        let mut parts = name.splitn(3, '.');
        let (root, part, rest) = (parts.next(), parts.next(), parts.next());
        match (root, part) {
            (Some("request"), Some(part)) => one_of(part, &mut ["method", "path"].into_iter()),
            (Some("error"), Some(part)) => one_of(part, &mut ["field", "code", "text"].into_iter()),
            (Some("malformed"), Some(part)) => {
                one_of(part, &mut ["line", "column", "offset", "what"].into_iter())
            }
            (Some("ids"), Some(part)) => {
                one_of(part, &mut self.ids.iter().map(|(name, _)| &**name))
            }
            (Some("user"), Some(part)) => {
                let built_in = Kind::User.built_ins().iter().filter(|field| !field.is_secret);
                let containers = Kind::User.containers().iter().map(|container| container.name());
                let more = ["id", "uuid", "created_at", "updated_at"].into_iter();
                one_of(part, &mut more.chain(built_in.map(|field| field.name)).chain(containers))?;
                match (self.form, rest) {
                    (Some(form), Some(rest)) if part == "properties" => {
                        let first = rest.split('.').next().unwrap_or(rest);
                        let owned = |(name, known): (String, Vec<&str>)| {
                            (name, known.into_iter().map(str::to_owned).collect())
                        };
                        field_at(form, &format!("properties.{first}")).map(|_| ()).map_err(owned)
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// The write-only field that a template shows.
    fn hidden(&self, text: &str) -> Option<&str> {
        let shown = self.fields.iter().filter(|field| field.is_write_only);
        let path = |field: &&Mapped| {
            let to = field.to.as_ref();
            to.is_some_and(|to| {
                let name = format!("user.{}", to.path);
                let is_more =
                    |rest: &str| rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
                text.match_indices(&name).any(|(at, _)| !is_more(&text[at + name.len()..]))
            })
        };
        shown.into_iter().find(path).map(|field| &*field.name)
    }
}

fn answers(
    reader: &mut Reader<'_>,
    tree: &Node,
    routes: &[Route],
    schemes: &[Scheme],
    known: &Known<'_>,
) -> HashMap<Outcome, Answer> {
    let mut answers = HashMap::new();
    let Some(all) = tree.get("answers") else { return answers };
    let names: Vec<&str> = Outcome::ALL.iter().map(|outcome| outcome.name()).collect();
    for entry in reader.map(&all.value, "answers") {
        let Some(outcome) = Outcome::ALL.iter().find(|outcome| outcome.name() == entry.key) else {
            let code = ProblemCode::UnknownKey;
            reader.unknown(code, "outcome", &entry.key, entry.place, "`answers`", &names);
            continue;
        };
        show_nothing_hidden(reader, &entry.value, known);
        let is_known = |name: &str| known.check(name);
        answers.insert(*outcome, Answer::read(reader, &entry.value, *outcome, &is_known));
    }
    let has = |operation| routes.iter().any(|route| route.operation == operation);
    for outcome in Outcome::ALL {
        let is_needed = match outcome {
            Outcome::Created
            | Outcome::Invalid
            | Outcome::NotAnObject
            | Outcome::Malformed
            | Outcome::MediaType => has(Operation::Create),
            Outcome::Found | Outcome::NotFound => has(Operation::Show),
            Outcome::Unauthenticated | Outcome::BadCredential => !schemes.is_empty(),
            Outcome::NoRoute | Outcome::Method | Outcome::Failed => true,
        };
        if is_needed && all.value.get(outcome.name()).is_none() {
            let what = format!("the outcome `{}` has no answer", outcome.name());
            let expected = format!("`{}:` with status and body", outcome.name());
            reader.problems.add(ProblemCode::MissingKey, all.place, what, expected, None);
        }
    }
    answers
}

/// Notes templates that show what is write-only.
fn show_nothing_hidden(reader: &mut Reader<'_>, node: &Node, known: &Known<'_>) {
    match &node.data {
        Data::Map(entries) => {
            entries
                .iter()
                .for_each(|entry: &Entry| show_nothing_hidden(reader, &entry.value, known));
        }
        Data::List(items) => items.iter().for_each(|item| show_nothing_hidden(reader, item, known)),
        Data::Text(text) => {
            if let Some(name) = known.hidden(text) {
                let what = format!("`{name}` is write-only, and an answer shows it");
                let expected: Cow<'_, str> = "an answer without it".into();
                let code = ProblemCode::Contradiction;
                reader.problems.add(code, node.place, what, expected, None);
            }
        }
        _ => {}
    }
}
