//! A JSON Schema compiled into a list of schemas that refer to each other by number.
//!
//! The crate `jsonschema` checks schemas, patterns and formats; how values are walked is decided
//! here and in [`super::run`], so that what a value may cost has a bound by construction.

use std::collections::{HashMap, HashSet};

use jsonschema::Validator;

use crate::decimal::Decimal;

/// How deep schemas may be applied to one value through references, each in the next.
const MAX_IN_PLACE_DEPTH: usize = 64;

/// The number of a schema in its program.
pub(super) type SchemaId = usize;

#[derive(Debug)]
pub(super) struct SchemaProgram {
    pub(super) schemas: Vec<CompiledSchema>,
    pub(super) root: SchemaId,
}

#[derive(Debug)]
pub(super) enum CompiledSchema {
    Bool(bool),
    Object(Box<Keywords>),
}

/// The keywords of one schema.
#[derive(Debug, Default)]
pub(super) struct Keywords {
    /// Whether a reference leads here: only such schemas can be applied to a value again and again.
    pub(super) is_referenced: bool,
    pub(super) types: Option<Vec<&'static str>>,
    /// The canonical texts of the values that `const` and `enum` allow.
    pub(super) constant: Option<String>,
    pub(super) members: Option<HashSet<String>>,
    pub(super) limits: Vec<(Limit, Decimal, String)>,
    pub(super) multiple_of: Option<Leaf>,
    pub(super) length: Bounds,
    pub(super) item_count: Bounds,
    pub(super) entry_count: Bounds,
    pub(super) pattern: Option<Leaf>,
    pub(super) format: Option<Leaf>,
    pub(super) unique_items: bool,
    pub(super) required: Vec<String>,
    pub(super) dependent_required: Vec<(String, Vec<String>)>,
    pub(super) properties: HashMap<String, SchemaId>,
    pub(super) patterns: Vec<(Leaf, SchemaId)>,
    pub(super) additional: Option<SchemaId>,
    pub(super) names: Option<SchemaId>,
    pub(super) prefix: Vec<SchemaId>,
    pub(super) items: Option<SchemaId>,
    pub(super) contains: Option<SchemaId>,
    pub(super) contained: Bounds,
    pub(super) dependent: Vec<(String, SchemaId)>,
    pub(super) all_of: Vec<SchemaId>,
    pub(super) any_of: Vec<SchemaId>,
    pub(super) one_of: Vec<SchemaId>,
    pub(super) not: Option<SchemaId>,
    pub(super) condition: Option<(SchemaId, Option<SchemaId>, Option<SchemaId>)>,
    pub(super) references: Vec<SchemaId>,
    pub(super) unevaluated_properties: Option<SchemaId>,
    pub(super) unevaluated_items: Option<SchemaId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    Minimum,
    Maximum,
    ExclusiveMinimum,
    ExclusiveMaximum,
}

/// A keyword about the smallest and one about the largest count.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) least: Option<u64>,
    pub(super) most: Option<u64>,
}

/// A keyword that the library judges of one text or number, and what it says.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) validator: Validator,
    pub(super) says: String,
}

/// Why a schema is not used: where in it, and what to write instead.
#[derive(Debug)]
pub(super) struct InvalidSchema {
    pub(super) pointer: String,
    pub(super) what: String,
    pub(super) hint: String,
}

impl SchemaProgram {
    /// Refuses schemas that refer to themselves without going into the value: they would be applied
    /// to it without end.
    pub(super) fn check_references(
        &self,
        known: &HashMap<String, SchemaId>,
    ) -> Result<(), InvalidSchema> {
        let mut depths: HashMap<SchemaId, Option<usize>> = HashMap::new();
        for id in 0..self.schemas.len() {
            if self.depth_in_place(id, &mut depths).is_none_or(|depth| depth > MAX_IN_PLACE_DEPTH) {
                let found = known.iter().find(|(_, known)| **known == id);
                let pointer = found.map(|(pointer, _)| pointer.clone()).unwrap_or_default();
                let what = "the schema refers to itself without going into the value".to_owned();
                let hint = "refer to it below `properties` or `items`".to_owned();
                return Err(InvalidSchema { pointer, what, hint });
            }
        }
        Ok(())
    }

    /// Returns how many references follow each other on one value, or `None` where they go round.
    fn depth_in_place(
        &self,
        id: SchemaId,
        depths: &mut HashMap<SchemaId, Option<usize>>,
    ) -> Option<usize> {
        if let Some(depth) = depths.get(&id) {
            return *depth;
        }
        depths.insert(id, None);
        let mut deepest = 0;
        if let Some(CompiledSchema::Object(keywords)) = self.schemas.get(id) {
            for inner in keywords.in_place() {
                deepest = deepest.max(self.depth_in_place(inner, depths)?);
            }
            deepest += usize::from(!keywords.references.is_empty());
        }
        depths.insert(id, Some(deepest));
        Some(deepest)
    }
}

impl Keywords {
    /// Returns the schemas that are applied to the same value.
    fn in_place(&self) -> impl Iterator<Item = SchemaId> {
        let lists = [&self.all_of, &self.any_of, &self.one_of, &self.references];
        let condition = self.condition.iter();
        let condition = condition.flat_map(|(when, then, other)| [Some(*when), *then, *other]);
        let dependent = self.dependent.iter().map(|(_, id)| *id);
        let single = condition.chain([self.not]).flatten();
        lists.into_iter().flatten().copied().chain(single).chain(dependent)
    }
}
