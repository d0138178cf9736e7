//! The table of user profiles.

use diesel::sql_types::{BigInt, Bool, Integer, Text};

use super::customizations::StoredAttached;
use crate::sql::rows;
use crate::sql::types::SqlJson;

rows! {
    /// A profile of a user.
    StoredProfile / ProfileRow<'a> in user_profiles where (id, user_id) {
        insert {
            user_id: i64 as BigInt,
            position: i32 as Integer,
        }
        fixed {
            /// Id, from 1 on.
            id: i64 => i64 as BigInt,
            /// Name of the profile type.
            type_name: &'a str => String as Text,
        }
        update {
            /// Whether the profile is enabled.
            enabled: bool => bool as Bool,
            /// Typed properties, a JSON object.
            properties: &'a str => String as SqlJson,
        }
        nested {
            /// Addresses, files and customizations of the profile.
            attached: StoredAttached,
        }
    }
}
