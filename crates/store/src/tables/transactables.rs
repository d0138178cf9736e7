//! The table of transactables: what users offer.

use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};

use registrar_core::aggregate::NewTransactable;

use super::customizations::StoredAttached;
use crate::sql::rows;
use crate::sql::types::SqlJson;

rows! {
    /// A transactable.
    StoredTransactable / TransactableRow<'a> in transactables where (id, user_id) {
        insert {
            user_id: i64 as BigInt,
            position: i32 as Integer,
        }
        fixed {
            /// Id, from 1 on.
            id: i64 => i64 as BigInt,
            /// Name of the transactable type.
            type_name: &'a str => String as Text,
        }
        update {
            /// Name.
            name: Option<&'a str> => Option<String> as Nullable<Text>,
            /// Description.
            description: Option<&'a str> => Option<String> as Nullable<Text>,
            /// ISO 4217 code.
            currency: &'a str => String as Text,
            /// Whether the transactable is enabled.
            enabled: bool => bool as Bool,
            /// Typed properties, a JSON object.
            properties: &'a str => String as SqlJson,
        }
        nested {
            /// Addresses, files and customizations of the transactable.
            attached: StoredAttached,
        }
    }
}

impl<'a> TransactableRow<'a> {
    pub(crate) fn new(id: i64, user_id: i64, position: i32, new: &'a NewTransactable) -> Self {
        Self {
            id,
            user_id,
            position,
            type_name: &new.type_name,
            name: new.name.as_deref(),
            description: new.description.as_deref(),
            currency: &new.currency,
            enabled: new.enabled,
            properties: &new.properties,
        }
    }
}
