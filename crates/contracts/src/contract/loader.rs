//! Reads a contract file. All problems of a file are reported at once.

use std::collections::HashMap;
use std::sync::Arc;

use super::action::Action;
use super::authentication::{Authentication, attributes};
use super::catalogue::Catalogue;
use super::decoding::{Decoding, casing};
use super::expressions::{Expressions, ROOTS};
use super::field_mapping::Casing;
use super::id_field::IdField;
use super::input_mapping::{FormSelector, InputMapping};
use super::json_style::JsonStyle;
use super::load_context::LoadContext;
use super::model::{Contract, ErrorPriority, format_time};
use super::mount;
use super::outcome::Outcome;
use super::response::ResponseTemplate;
use super::responses::read_responses;
use super::route::{self, Route};
use registrar_core::config::{Data, Location, Node, ProblemCode, Problems, Reader};
use registrar_core::id_format::IdFormat;
use registrar_core::registry::message_index;

const KEYS: [&str; 22] = [
    "name",
    "description",
    "mount",
    "hosts",
    "version",
    "form",
    "authentication",
    "decoding",
    "unknown",
    "fields",
    "set",
    "users",
    "ids",
    "times",
    "json",
    "catalogue",
    "problems",
    "aggregation",
    "order",
    "casing_out",
    "routes",
    "answers",
];

/// Reads a contract, with the location of its name. Returns `None` if the file has no usable
/// catalogue.
pub(crate) fn read(
    stem: &str,
    tree: &Node,
    version: Arc<str>,
    load_context: &LoadContext<'_>,
    problems: &mut Problems,
) -> Option<(Contract, Location)> {
    let mut reader = Reader { problems };
    for entry in reader.map(tree, "a contract") {
        if !KEYS.contains(&entry.key.as_str()) {
            reader.unknown_key(entry, "a contract", &KEYS);
        }
    }
    for key in ["authentication", "catalogue", "routes", "answers"] {
        missing(&mut reader, tree, key, Location::START);
    }
    let name_entry = tree.get("name");
    let name = name_entry.and_then(|entry| reader.text(&entry.value, "name")).unwrap_or(stem);
    let description = tree.get("description");
    let description =
        description.and_then(|entry| reader.text(&entry.value, "description")).map(Arc::from);
    let form = tree.get("form").and_then(|entry| load_context.form(&mut reader, &entry.value));
    let catalogue = catalogue(&mut reader, tree, load_context);
    let (mount, hosts) = (mount::mount(&mut reader, tree), mount::hosts(&mut reader, tree));
    if mount.is_none() && hosts.is_empty() && tree.get("mount").is_none() {
        let what = "the contract has neither `mount` nor `hosts`";
        let expected = "`mount:`, `hosts:` or both";
        reader.problems.add(ProblemCode::MissingKey, Location::START, what, expected, None);
    }
    let api_version = mount::version(&mut reader, tree);
    let ids = ids(&mut reader, tree, name);
    let times = times(&mut reader, tree);
    let style = tree.get("json");
    let style =
        style.and_then(|entry| reader.keyword(&entry.value, "json", &["compact", "python"]));
    let style = if style == Some("python") { JsonStyle::Python } else { JsonStyle::Compact };
    let attributes = attributes(&mut reader, tree);
    let (form_here, attributes) = (form.as_ref(), &*attributes);
    let expressions = Expressions { load_context, form: form_here, ids: &ids, attributes, style };
    let part = |key: &str| tree.get(key).map(|entry| &entry.value);
    let authentication =
        part("authentication").map(|node| Authentication::read(&mut reader, node, &expressions));
    let authentication = authentication.unwrap_or_default();
    let decoding = part("decoding").map(|node| Decoding::read(&mut reader, node));
    let decoding = decoding.unwrap_or_default();
    let aggregation =
        part("aggregation").and_then(|node| reader.keyword(node, "aggregation", &["all", "first"]));
    let users = part("users").and_then(|node| reader.keyword(node, "users", &["all", "own"]));
    let casing_out = tree.get("casing_out");
    let casing_out =
        casing_out.map_or(Casing::Verbatim, |entry| casing(&mut reader, entry, &["camel"]));
    let input = InputMapping::of_contract(&mut reader, tree, &expressions);
    let order = part("order").map(|node| order(&mut reader, node, &input)).unwrap_or_default();
    let mut routes = routes(&mut reader, tree, &input, &expressions);
    let answers =
        part("answers").map(|node| read_responses(&mut reader, node, &input, &expressions));
    let answers = answers.unwrap_or_default();
    for Route { action, .. } in &mut routes {
        let is_read = |root: &str| {
            action.reads(root)
                || answers.values().any(|answer: &ResponseTemplate| answer.reads(root))
        };
        action.roots_read = ROOTS.into_iter().filter(|root| is_read(root)).collect();
        action.path = format!("{}{}", mount.as_deref().unwrap_or_default(), action.path).into();
    }
    let problems = part("problems").and_then(|node| reader.boolean(node, "problems"));
    is_complete(&mut reader, tree, &routes, &authentication, &answers);
    let location = name_entry.map_or(Location::START, |entry| entry.value.location);
    let contract = Contract {
        name: name.into(),
        description,
        authentication,
        mount,
        hosts,
        api_version,
        ids,
        times,
        routes,
        decoding,
        catalogue: catalogue?,
        has_problems: problems == Some(true),
        first_error_only: aggregation == Some("first"),
        order,
        casing_out,
        responses: answers,
        input,
        has_own_users: users == Some("own"),
        version,
    };
    Some((contract, location))
}

/// Reports a missing key of a contract.
fn missing(reader: &mut Reader<'_>, node: &Node, key: &str, location: Location) {
    if node.get(key).is_none() {
        let what = format!("the contract has no `{key}`");
        let expected = format!("`{key}:`");
        reader.problems.add(ProblemCode::MissingKey, location, what, expected, None);
    }
}

fn catalogue(
    reader: &mut Reader<'_>,
    tree: &Node,
    load_context: &LoadContext<'_>,
) -> Option<Arc<Catalogue>> {
    let node = &tree.get("catalogue")?.value;
    let name = reader.text(node, "catalogue")?;
    if name == Catalogue::OF_FORMS {
        return Some(Arc::new(Catalogue::of_forms()));
    }
    let found = load_context.catalogues.iter().find(|catalogue| &*catalogue.name == name);
    if found.is_none() && load_context.has_all_catalogues {
        let known: Vec<&str> = load_context.catalogues.iter().map(|known| &*known.name).collect();
        let code = ProblemCode::UnknownCatalogue;
        reader.unknown(code, "catalogue", name, node.location, "the contract", &known);
    }
    found.cloned()
}

fn ids(reader: &mut Reader<'_>, tree: &Node, contract: &str) -> Vec<IdField> {
    let mut ids: Vec<IdField> = Vec::new();
    let Some(entry) = tree.get("ids") else { return ids };
    for entry in reader.map(&entry.value, "ids") {
        let (name, node) = (entry.key.as_str(), &entry.value);
        let (mut format, mut given, mut of) = (None, None, None);
        if let Data::Map(_) = node.data {
            for inner in reader.map(node, name) {
                let value = &inner.value;
                match inner.key.as_str() {
                    "format" => format = Some(value),
                    "given" => given = reader.keyword(value, "given", &["external_id"]),
                    "of" => of = reader.text(value, "of"),
                    _ => reader.unknown_key(inner, "an id", &["format", "given", "of"]),
                }
            }
        } else {
            format = Some(node);
        }
        let Some(node) = format else {
            reader.wrong_shape(node, "an id", "a format, or `{format: uuid4, given: external_id}`");
            continue;
        };
        let Some(text) = reader.text(node, name) else { continue };
        let Some(format) = IdFormat::parse(text) else {
            let what = format!("`{text}` is not an id format");
            let code = ProblemCode::BadOption;
            reader.problems.add(code, node.location, what, IdFormat::EXPECTED, None);
            continue;
        };
        // Ids of other records have their own permutation.
        let salt = of.map_or_else(|| contract.to_owned(), |of| format!("{contract}.{of}"));
        ids.push(IdField {
            name: name.into(),
            format,
            spelled: text.into(),
            salt: salt.into(),
            may_be_given: given.is_some(),
            is_of_users: of.is_none(),
        });
    }
    ids
}

fn times(reader: &mut Reader<'_>, tree: &Node) -> Option<Box<str>> {
    let node = &tree.get("times")?.value;
    let format = reader.text(node, "times")?;
    if format_time(format, jiff::Timestamp::UNIX_EPOCH).is_none() {
        let what = format!("`{format}` is not a time format");
        let expected = "an `strftime` format such as `%Y-%m-%d %H:%M:%S.%3f000+00:00`";
        reader.problems.add(ProblemCode::BadOption, node.location, what, expected, None);
    }
    Some(format.into())
}

fn order(reader: &mut Reader<'_>, node: &Node, input: &InputMapping) -> Vec<ErrorPriority> {
    let fields = input.fields.as_deref().unwrap_or_default();
    let known: Vec<&str> = fields.iter().map(|field| &*field.name).collect();
    let ranks = reader.list(node, "order").iter().filter_map(|node| {
        let text = reader.text(node, "order")?;
        let (field, code) = match text.split_once('.') {
            Some((field, code)) if message_index().has_code(code) => (field, Some(code.into())),
            _ => (text, None),
        };
        if !known.contains(&field) {
            let code = ProblemCode::UnknownField;
            reader.unknown(code, "field", field, node.location, "`order`", &known);
        }
        Some(ErrorPriority { field: field.into(), code })
    });
    ranks.collect()
}

fn routes(
    reader: &mut Reader<'_>,
    tree: &Node,
    input: &InputMapping,
    expressions: &Expressions<'_>,
) -> Vec<Route> {
    let Some(entry) = tree.get("routes") else { return Vec::new() };
    let mut routes: Vec<Route> = Vec::new();
    for node in reader.list(&entry.value, "routes") {
        let route = route::read(reader, node, |reader, node, keys, names| {
            Action::read(reader, node, keys, names, input, expressions)
        });
        let Some(route) = route else { continue };
        if routes.iter().any(|other| other.clashes_with(&route)) {
            let what = "two routes have the same method, path and query";
            let expected = "one route for each method, path and query";
            reader.problems.add(ProblemCode::Contradiction, node.location, what, expected, None);
        }
        let action = &route.action;
        if action.operation.has_form() && matches!(action.input.form, FormSelector::None) {
            let what = "the route runs no form";
            let expected = "`form:`, at the route or for the whole contract";
            reader.problems.add(ProblemCode::MissingKey, node.location, what, expected, None);
        }
        let finds_uuid = action.lookup_names().any(|name| {
            expressions.ids.iter().any(|id| *id.name == *name && id.format == IdFormat::Uuid)
        });
        if finds_uuid {
            let what = "users cannot be found by a `uuid`";
            let expected = "a reversible format: `integer`, `uuid4` or a code such as `base62(8)`";
            reader.problems.add(ProblemCode::Contradiction, node.location, what, expected, None);
        }
        routes.push(route);
    }
    route::sort(&mut routes);
    routes
}

/// Reports outcomes that can occur but have no answer.
fn is_complete(
    reader: &mut Reader<'_>,
    tree: &Node,
    routes: &[Route],
    authentication: &Authentication,
    answers: &HashMap<Outcome, ResponseTemplate>,
) {
    use Outcome as O;
    let Some(all) = tree.get("answers") else { return };
    let mut needed = vec![O::RouteNotFound, O::MethodNotAllowed, O::Error];
    if !authentication.schemes.is_empty() {
        needed.extend([O::MissingCredentials, O::InvalidCredentials]);
    }
    if authentication.allowed_if.is_some() {
        needed.push(O::InvalidCredentials);
    }
    if tree.get("version").is_some() {
        needed.push(O::NotAcceptable);
    }
    for route in routes {
        let of_route = route.action.outcomes();
        needed.extend(of_route.into_iter().filter(|o| !route.action.responses.contains_key(o)));
    }
    needed.sort_unstable();
    needed.dedup();
    for outcome in needed {
        if !answers.contains_key(&outcome) && all.value.get(outcome.name()).is_none() {
            let what = format!("the outcome `{}` has no answer", outcome.name());
            let expected = format!("`{}:` with status and body", outcome.name());
            reader.problems.add(ProblemCode::MissingKey, all.location, what, expected, None);
        }
    }
}
