//! The table of relationship transactables: transactables in relationships.

use diesel::sql_types::{BigInt, Integer, Text};

use crate::sql::rows;
use crate::sql::types::SqlJson;

rows! {
    /// A transactable in a relationship.
    StoredRelationshipTransactable / RelationshipTransactableRow<'a> in relationship_transactables
    where (id) {
        insert {
            position: i32 as Integer,
        }
        fixed {
            /// Id, from 1 on.
            id: i64 => i64 as BigInt,
            /// Name of the relationship transactable type.
            type_name: &'a str => String as Text,
            /// Id of the transactable.
            transactable_id: i64 => i64 as BigInt,
        }
        update {
            /// Id of the relationship.
            relationship_id: i64 => i64 as BigInt,
            /// Typed properties, a JSON object.
            properties: &'a str => String as SqlJson,
        }
        nested {}
    }
}
