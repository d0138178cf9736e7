//! Compiles a JSON Schema into a [`SchemaProgram`].

use std::collections::HashMap;

use jsonschema::{Draft, PatternOptions};
use serde_json::{Map, Value as Json};

use super::messages::{KeywordShape, from_json};
use super::program::{
    Bounds, CompiledSchema, InvalidSchema, Keywords, Leaf, Limit, SchemaId, SchemaProgram,
};
use crate::decimal::Decimal;
use crate::submission::canonical_json;

/// Maximum size of a compiled pattern in bytes.
pub(super) const SIZE_LIMIT: usize = 1 << 20;

const TYPES: [&str; 7] = ["null", "boolean", "number", "integer", "string", "array", "object"];

pub(super) fn compile(schema: &Json) -> Result<SchemaProgram, InvalidSchema> {
    let mut compiler = SchemaCompiler {
        document: schema,
        base: schema.get("$id").and_then(Json::as_str).map(|id| id.trim_end_matches('#')),
        anchors: HashMap::new(),
        known: HashMap::new(),
        schemas: Vec::new(),
    };
    compiler.note_anchors(schema, String::new());
    let root = compiler.schema(schema, String::new())?;
    let known = std::mem::take(&mut compiler.known);
    let program = SchemaProgram { schemas: compiler.schemas, root };
    program.check_references(&known)?;
    Ok(program)
}

struct SchemaCompiler<'j> {
    document: &'j Json,
    /// The schema's `$id`.
    base: Option<&'j str>,
    /// JSON pointers of the schemas with an anchor, by anchor.
    anchors: HashMap<&'j str, String>,
    /// Schemas that are compiled or being compiled, by JSON pointer.
    known: HashMap<String, SchemaId>,
    schemas: Vec<CompiledSchema>,
}

impl<'j> SchemaCompiler<'j> {
    fn note_anchors(&mut self, schema: &'j Json, pointer: String) {
        let Json::Object(keywords) = schema else { return };
        for keyword in ["$anchor", "$dynamicAnchor"] {
            if let Some(name) = keywords.get(keyword).and_then(Json::as_str) {
                self.anchors.insert(name, pointer.clone());
            }
        }
        for (keyword, value) in keywords {
            let at = |part: &str| format!("{pointer}/{}/{}", escaped(keyword), escaped(part));
            match (KeywordShape::of(keyword), value) {
                (Some(KeywordShape::Schema), inner) => {
                    self.note_anchors(inner, format!("{pointer}/{}", escaped(keyword)));
                }
                (Some(KeywordShape::List), Json::Array(items)) => {
                    for (index, inner) in items.iter().enumerate() {
                        self.note_anchors(inner, at(&index.to_string()));
                    }
                }
                (Some(KeywordShape::Names), Json::Object(named)) => {
                    for (name, inner) in named {
                        self.note_anchors(inner, at(name));
                    }
                }
                _ => {}
            }
        }
    }

    /// Compiles the schema at a pointer, or returns its id if it is already compiled.
    fn schema(&mut self, schema: &'j Json, pointer: String) -> Result<SchemaId, InvalidSchema> {
        if let Some(id) = self.known.get(&pointer) {
            return Ok(*id);
        }
        let id = self.schemas.len();
        self.known.insert(pointer.clone(), id);
        self.schemas.push(CompiledSchema::Bool(true));
        let compiled = match schema {
            Json::Object(keywords) => {
                CompiledSchema::Object(Box::new(self.keywords(keywords, &pointer)?))
            }
            Json::Bool(is_valid) => CompiledSchema::Bool(*is_valid),
            _ => {
                let what = "a reference points to something that is not a schema".to_owned();
                return Err(InvalidSchema { pointer, what, hint: LOCAL_REFERENCE_HINT.to_owned() });
            }
        };
        let is_referenced = matches!(
            self.schemas.get(id),
            Some(CompiledSchema::Object(keywords)) if keywords.is_referenced
        );
        if let Some(index) = self.schemas.get_mut(id) {
            *index = compiled;
        }
        if is_referenced {
            self.refer(id);
        }
        Ok(id)
    }

    fn keywords(
        &mut self,
        from: &'j Map<String, Json>,
        pointer: &str,
    ) -> Result<Keywords, InvalidSchema> {
        if from.contains_key("$id") && !pointer.is_empty() {
            let what = "a subschema has an `$id` of its own".to_owned();
            let pointer = format!("{pointer}/$id");
            return Err(InvalidSchema { pointer, what, hint: LOCAL_REFERENCE_HINT.to_owned() });
        }
        let count = |keyword: &str| from.get(keyword).and_then(whole);
        let bounds = |least: &str, most: &str| Bounds { least: count(least), most: count(most) };
        let texts = |value: &Json| -> Vec<String> {
            let texts = value.as_array().into_iter().flatten().filter_map(Json::as_str);
            texts.map(str::to_owned).collect()
        };
        let mut keywords = Keywords {
            types: from.get("type").map(types),
            constant: from.get("const").map(canonical),
            members: from
                .get("enum")
                .and_then(Json::as_array)
                .map(|members| members.iter().map(canonical).collect()),
            length: bounds("minLength", "maxLength"),
            item_count: bounds("minItems", "maxItems"),
            entry_count: bounds("minProperties", "maxProperties"),
            contained: bounds("minContains", "maxContains"),
            unique_items: from.get("uniqueItems") == Some(&Json::Bool(true)),
            required: from.get("required").map(texts).unwrap_or_default(),
            multiple_of: self.leaf(from, "multipleOf", pointer)?,
            pattern: self.leaf(from, "pattern", pointer)?,
            format: self.leaf(from, "format", pointer)?,
            ..Keywords::default()
        };
        for (name, limit) in [
            ("minimum", Limit::Minimum),
            ("maximum", Limit::Maximum),
            ("exclusiveMinimum", Limit::ExclusiveMinimum),
            ("exclusiveMaximum", Limit::ExclusiveMaximum),
        ] {
            let Some(Json::Number(number)) = from.get(name) else { continue };
            let text = number.to_string();
            let Some(number) = Decimal::parse(&text) else {
                let what = format!("the number of `{name}` is out of range");
                let hint = "at most 400 digits, and an exponent up to 400".to_owned();
                return Err(InvalidSchema { pointer: format!("{pointer}/{name}"), what, hint });
            };
            keywords.limits.push((limit, number, text));
        }
        for (name, value) in
            from.get("dependentRequired").and_then(Json::as_object).into_iter().flatten()
        {
            keywords.dependent_required.push((name.clone(), texts(value)));
        }
        self.applied(from, pointer, &mut keywords)?;
        Ok(keywords)
    }

    /// Compiles the applicator keywords, whose values are schemas.
    fn applied(
        &mut self,
        from: &'j Map<String, Json>,
        pointer: &str,
        into: &mut Keywords,
    ) -> Result<(), InvalidSchema> {
        for (name, list) in [
            ("prefixItems", &mut into.prefix),
            ("allOf", &mut into.all_of),
            ("anyOf", &mut into.any_of),
            ("oneOf", &mut into.one_of),
        ] {
            let items = from.get(name).and_then(Json::as_array).into_iter().flatten();
            for (index, inner) in items.enumerate() {
                list.push(self.schema(inner, format!("{pointer}/{name}/{index}"))?);
            }
        }
        for (name, one) in [
            ("additionalProperties", &mut into.additional),
            ("propertyNames", &mut into.names),
            ("items", &mut into.items),
            ("contains", &mut into.contains),
            ("not", &mut into.not),
            ("unevaluatedProperties", &mut into.unevaluated_properties),
            ("unevaluatedItems", &mut into.unevaluated_items),
        ] {
            *one = self.single(from, name, pointer)?;
        }
        if let Some(condition) = self.single(from, "if", pointer)? {
            let then = self.single(from, "then", pointer)?;
            into.condition = Some((condition, then, self.single(from, "else", pointer)?));
        }
        let mut named = |name: &str| -> Result<Vec<(String, SchemaId)>, InvalidSchema> {
            let entries = from.get(name).and_then(Json::as_object).into_iter().flatten();
            let compiled = entries.map(|(key, inner)| {
                let at = format!("{pointer}/{name}/{}", escaped(key));
                Ok((key.clone(), self.schema(inner, at)?))
            });
            compiled.collect()
        };
        into.properties = named("properties")?.into_iter().collect();
        into.dependent = named("dependentSchemas")?;
        for (pattern, id) in named("patternProperties")? {
            let alone = Map::from_iter([("pattern".to_owned(), Json::String(pattern))]);
            if let Some(leaf) = self.leaf(&alone, "pattern", pointer)? {
                into.patterns.push((leaf, id));
            }
        }
        for name in ["$ref", "$dynamicRef"] {
            if let Some(reference) = from.get(name).and_then(Json::as_str) {
                let at = format!("{pointer}/{name}");
                into.references.push(self.reference(reference, at)?);
            }
        }
        Ok(())
    }

    fn single(
        &mut self,
        from: &'j Map<String, Json>,
        name: &str,
        pointer: &str,
    ) -> Result<Option<SchemaId>, InvalidSchema> {
        let Some(inner) = from.get(name) else { return Ok(None) };
        self.schema(inner, format!("{pointer}/{name}")).map(Some)
    }

    /// Resolves a reference and compiles its target. As there is one schema resource, a dynamic
    /// reference resolves like a plain one.
    fn reference(&mut self, reference: &str, at: String) -> Result<SchemaId, InvalidSchema> {
        let local = self.base.and_then(|base| reference.strip_prefix(base));
        let fragment = match local.unwrap_or(reference) {
            "" => "",
            local => local.strip_prefix('#').ok_or_else(|| InvalidSchema {
                pointer: at.clone(),
                what: "a reference points outside the schema".to_owned(),
                hint: LOCAL_REFERENCE_HINT.to_owned(),
            })?,
        };
        let pointer = match fragment {
            pointer if pointer.is_empty() || pointer.starts_with('/') => unquoted(pointer),
            anchor => self.anchors.get(anchor).cloned().unwrap_or_default(),
        };
        let Some(target) = self.document.pointer(&pointer) else {
            let what = "the target of a reference does not exist".to_owned();
            return Err(InvalidSchema { pointer: at, what, hint: LOCAL_REFERENCE_HINT.to_owned() });
        };
        let id = self.schema(target, pointer)?;
        self.refer(id);
        Ok(id)
    }

    /// Marks a schema, which may still be being compiled, as the target of a reference.
    fn refer(&mut self, id: SchemaId) {
        match self.schemas.get_mut(id) {
            Some(CompiledSchema::Object(keywords)) => keywords.is_referenced = true,
            Some(index @ CompiledSchema::Bool(true)) => {
                let keywords = Keywords { is_referenced: true, ..Keywords::default() };
                *index = CompiledSchema::Object(Box::new(keywords));
            }
            _ => {}
        }
    }

    /// Compiles a keyword that is evaluated by the crate `jsonschema`.
    fn leaf(
        &self,
        from: &Map<String, Json>,
        keyword: &str,
        pointer: &str,
    ) -> Result<Option<Leaf>, InvalidSchema> {
        let Some(value) = from.get(keyword) else { return Ok(None) };
        let alone = Json::Object(Map::from_iter([(keyword.to_owned(), value.clone())]));
        let argument = match value {
            Json::String(text) => text.clone(),
            value => value.to_string(),
        };
        match options().build(&alone) {
            Ok(validator) => Ok(Some(Leaf { validator, argument })),
            Err(_) => Err(InvalidSchema {
                pointer: format!("{pointer}/{keyword}"),
                what: format!("`{keyword}` cannot be used"),
                hint: "no look-around, no back-references".to_owned(),
            }),
        }
    }
}

const LOCAL_REFERENCE_HINT: &str =
    "put the referenced schema into `$defs` and refer to it by `#/$defs/name`";

/// Returns the options of the crate `jsonschema`, for a whole schema and for single keywords.
pub(super) fn options<'o>() -> jsonschema::ValidationOptions<'o> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        .with_pattern_options(PatternOptions::regex().size_limit(SIZE_LIMIT))
}

fn types(value: &Json) -> Vec<&'static str> {
    let named = |name: &Json| TYPES.into_iter().find(|known| Some(*known) == name.as_str());
    match value {
        Json::Array(names) => names.iter().filter_map(named).collect(),
        name => named(name).into_iter().collect(),
    }
}

/// Returns a count, which may be written `2.0`. The meta-schema ensures that it is a non-negative
/// integer.
fn whole(value: &Json) -> Option<u64> {
    let Json::Number(number) = value else { return None };
    let number = Decimal::parse(&number.to_string())?;
    Some(number.to_i64().and_then(|count| u64::try_from(count).ok()).unwrap_or(u64::MAX))
}

fn canonical(value: &Json) -> String {
    canonical_json(&from_json(value))
}

/// Returns a segment of a JSON pointer with its special characters escaped.
fn escaped(part: &str) -> String {
    part.replace('~', "~0").replace('/', "~1")
}

/// Returns a percent-decoded URI fragment, or an empty string if it is not UTF-8.
fn unquoted(fragment: &str) -> String {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let hex = more.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (first, byte) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = more.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_default()
}
