//! The table of relationship users: the memberships of users in relationships.

use diesel::sql_types::{BigInt, Integer, Text};

use super::relationships::StoredRelationship;
use crate::sql::rows;
use crate::sql::types::SqlJson;

rows! {
    /// The membership of a user in a relationship.
    StoredRelationshipUser / RelationshipUserRow<'a> in relationship_users where (id, user_id) {
        insert {
            user_id: i64 as BigInt,
            position: i32 as Integer,
        }
        fixed {
            /// Id, from 1 on.
            id: i64 => i64 as BigInt,
            /// Name of the relationship user type.
            type_name: &'a str => String as Text,
        }
        update {
            /// Id of the relationship.
            relationship_id: i64 => i64 as BigInt,
            /// Typed properties, a JSON object.
            properties: &'a str => String as SqlJson,
        }
        nested {
            /// The relationship.
            relationship: StoredRelationship,
        }
    }
}
