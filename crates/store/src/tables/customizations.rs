//! The table of customizations: typed records that belong to a user, profile, transactable or other
//! customization.

use diesel::sql_types::{BigInt, Integer, Text};

use super::addresses::StoredAddress;
use super::files::StoredFile;
use crate::sql::rows;
use crate::sql::types::SqlJson;

/// The addresses, files and customizations of a record, each in the order sent.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct StoredAttached {
    /// Addresses.
    pub addresses: Vec<StoredAddress>,
    /// Images and attachments.
    pub files: Vec<StoredFile>,
    /// Customizations.
    pub customizations: Vec<StoredCustomization>,
}

rows! {
    /// A customization.
    StoredCustomization / CustomizationRow<'a> in customizations where (id, user_id) {
        insert {
            user_id: i64 as BigInt,
            owner_kind: &'a str as Text,
            owner_id: i64 as BigInt,
            position: i32 as Integer,
        }
        fixed {
            /// Id, from 1 on.
            id: i64 => i64 as BigInt,
            /// Name of the customization type.
            type_name: &'a str => String as Text,
        }
        update {
            /// Typed properties, a JSON object.
            properties: &'a str => String as SqlJson,
        }
        nested {
            /// Addresses, files and customizations of the customization.
            attached: StoredAttached,
        }
    }
}
