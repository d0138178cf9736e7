//! The table of addresses.

use diesel::sql_types::{BigInt, Integer, Nullable, Text};

use registrar_core::aggregate::NewAddress;

use super::owner_ref::OwnerRef;
use crate::sql::rows;

rows! {
    /// An address.
    StoredAddress / AddressRow<'a> in addresses where (id, user_id) {
        insert {
            user_id: i64 as BigInt,
            owner_kind: &'a str as Text,
            owner_id: i64 as BigInt,
            position: i32 as Integer,
        }
        fixed {
            /// Id, from 1 on.
            id: i64 => i64 as BigInt,
            /// The property of the owner's type that the address is the value of.
            name: &'a str => String as Text,
        }
        update {
            /// The address in one line.
            address: Option<&'a str> => Option<String> as Nullable<Text>,
            /// Street.
            street: Option<&'a str> => Option<String> as Nullable<Text>,
            /// House number.
            street_number: Option<&'a str> => Option<String> as Nullable<Text>,
            /// Suburb.
            suburb: Option<&'a str> => Option<String> as Nullable<Text>,
            /// City.
            city: Option<&'a str> => Option<String> as Nullable<Text>,
            /// State, province or region.
            state: Option<&'a str> => Option<String> as Nullable<Text>,
            /// Postal code.
            postcode: Option<&'a str> => Option<String> as Nullable<Text>,
            /// Name of the country.
            country: Option<&'a str> => Option<String> as Nullable<Text>,
            /// ISO 3166-1 alpha-2 code.
            iso_country_code: Option<&'a str> => Option<String> as Nullable<Text>,
            /// Degrees north, as a plain decimal.
            latitude: Option<&'a str> => Option<String> as Nullable<Text>,
            /// Degrees east, as a plain decimal.
            longitude: Option<&'a str> => Option<String> as Nullable<Text>,
        }
        nested {}
    }
}

impl<'a> AddressRow<'a> {
    pub(crate) fn new(id: i64, owner: OwnerRef, position: i32, address: &'a NewAddress) -> Self {
        Self {
            id,
            user_id: owner.user_id,
            owner_kind: owner.kind,
            owner_id: owner.id,
            position,
            name: &address.name,
            address: address.address.as_deref(),
            street: address.street.as_deref(),
            street_number: address.street_number.as_deref(),
            suburb: address.suburb.as_deref(),
            city: address.city.as_deref(),
            state: address.state.as_deref(),
            postcode: address.postcode.as_deref(),
            country: address.country.as_deref(),
            iso_country_code: address.iso_country_code.as_deref(),
            latitude: address.latitude.as_deref(),
            longitude: address.longitude.as_deref(),
        }
    }
}
