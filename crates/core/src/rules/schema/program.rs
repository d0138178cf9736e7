//! A compiled JSON Schema: a list of schemas that refer to each other by index.
//!
//! The crate `jsonschema` validates schemas, patterns and formats. Values are traversed by
//! [`super::evaluate`], so that the cost of a value is bounded by construction.

use std::collections::{HashMap, HashSet};

use jsonschema::Validator;

use crate::decimal::Decimal;

/// Maximum number of nested references that apply to the same value.
const MAX_IN_PLACE_DEPTH: usize = 64;

/// Index of a schema in its program.
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
    /// Whether a reference points to the schema. Only such schemas can apply to a value repeatedly.
    pub(super) is_referenced: bool,
    pub(super) types: Option<Vec<&'static str>>,
    /// Canonical JSON of the value of `const`.
    pub(super) constant: Option<String>,
    /// Canonical JSON of the values of `enum`.
    pub(super) members: Option<HashSet<String>>,
    /// Bounds of a number, with their spelling in the schema.
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

/// A minimum and a maximum count.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) least: Option<u64>,
    pub(super) most: Option<u64>,
}

/// A keyword on a string or number that is evaluated by the crate `jsonschema`, with its argument.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) validator: Validator,
    pub(super) argument: String,
}

/// The error of a schema that cannot be compiled: a JSON pointer into it, the reason and a hint.
#[derive(Debug)]
pub(super) struct InvalidSchema {
    pub(super) pointer: String,
    pub(super) what: String,
    pub(super) hint: String,
}

impl SchemaProgram {
    /// Checks that no schema refers to itself without descending into the value, which would not
    /// terminate.
    ///
    /// # Errors
    ///
    /// Returns an error for the first such schema, and for one with more than
    /// [`MAX_IN_PLACE_DEPTH`] nested references.
    pub(super) fn check_references(
        &self,
        known: &HashMap<String, SchemaId>,
    ) -> Result<(), InvalidSchema> {
        let mut depths: HashMap<SchemaId, Option<usize>> = HashMap::new();
        for id in 0..self.schemas.len() {
            if self.depth_in_place(id, &mut depths).is_none_or(|depth| depth > MAX_IN_PLACE_DEPTH) {
                let found = known.iter().find(|(_, known)| **known == id);
                let pointer = found.map(|(pointer, _)| pointer.clone()).unwrap_or_default();
                let what =
                    "the schema refers to itself without descending into the value".to_owned();
                let hint = "refer to it below `properties` or `items`".to_owned();
                return Err(InvalidSchema { pointer, what, hint });
            }
        }
        Ok(())
    }

    /// Returns the number of nested references that apply to the same value, or `None` if they form
    /// a cycle.
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
    /// Returns the subschemas that apply to the same value.
    fn in_place(&self) -> impl Iterator<Item = SchemaId> {
        let lists = [&self.all_of, &self.any_of, &self.one_of, &self.references];
        let condition = self.condition.iter();
        let condition = condition.flat_map(|(when, then, other)| [Some(*when), *then, *other]);
        let dependent = self.dependent.iter().map(|(_, id)| *id);
        let single = condition.chain([self.not]).flatten();
        lists.into_iter().flatten().copied().chain(single).chain(dependent)
    }
}
