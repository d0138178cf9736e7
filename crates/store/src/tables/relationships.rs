//! The table of relationships.

use diesel::sql_types::{BigInt, Nullable, Text};
use uuid::Uuid;

use crate::sql::rows;
use crate::sql::types::{SqlJson, SqlTimestamp, SqlUuid};

rows! {
    /// A relationship.
    StoredRelationship / RelationshipRow<'a> in relationships where (id) {
        insert {}
        fixed {
            /// Id, from 1 on.
            id: i64 => i64 as BigInt,
            /// UUID, version 7; version 4 if it was created before relationships had one.
            uuid: Uuid => Uuid as SqlUuid,
            /// Name of the relationship type.
            type_name: &'a str => String as Text,
            /// Id of the user that created it.
            creator_id: Option<i64> => Option<i64> as Nullable<BigInt>,
            /// Time of creation.
            created_at: i64 => i64 as SqlTimestamp,
        }
        update {
            /// Identifies it among the relationships of its type.
            key: Option<&'a str> => Option<String> as Nullable<Text>,
            /// Typed properties, a JSON object.
            properties: &'a str => String as SqlJson,
            /// Time of the last update.
            updated_at: i64 => i64 as SqlTimestamp,
        }
        nested {}
    }
}
