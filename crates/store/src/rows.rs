//! The rows that the writer inserts, one struct for each table.
//!
//! A new column is a line here (and in both migrations and the schema). How the rows come to be is
//! in [`crate::plan`]; they borrow all text from the submission.

use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use uuid::Uuid;

use crate::dialect::row;
use crate::types::{SqlJson, SqlTimestamp, SqlUuid};

row! {
    NewUserRow<'a> in users {
        id: i64 as BigInt,
        uuid: Uuid as SqlUuid,
        email: Option<&'a str> as Nullable<Text>,
        email_key: Option<&'a str> as Nullable<Text>,
        external_id: Option<&'a str> as Nullable<Text>,
        first_name: Option<&'a str> as Nullable<Text>,
        middle_name: Option<&'a str> as Nullable<Text>,
        last_name: Option<&'a str> as Nullable<Text>,
        name: Option<&'a str> as Nullable<Text>,
        featured: bool as Bool,
        public_profile: bool as Bool,
        language: Option<&'a str> as Nullable<Text>,
        time_zone: Option<&'a str> as Nullable<Text>,
        phone: Option<&'a str> as Nullable<Text>,
        mobile_number: Option<&'a str> as Nullable<Text>,
        properties: &'a str as SqlJson,
        form_name: &'a str as Text,
        form_version: &'a str as Text,
        created_at: i64 as SqlTimestamp,
        updated_at: i64 as SqlTimestamp,
    }
}

row! {
    PasswordRow<'a> in password_credentials {
        user_id: i64 as BigInt,
        phc: &'a str as Text,
        created_at: i64 as SqlTimestamp,
    }
}

row! {
    ProfileRow<'a> in user_profiles {
        id: i64 as BigInt,
        user_id: i64 as BigInt,
        position: i32 as Integer,
        type_name: &'a str as Text,
        enabled: bool as Bool,
        properties: &'a str as SqlJson,
    }
}

row! {
    TransactableRow<'a> in transactables {
        id: i64 as BigInt,
        user_id: i64 as BigInt,
        position: i32 as Integer,
        type_name: &'a str as Text,
        name: Option<&'a str> as Nullable<Text>,
        description: Option<&'a str> as Nullable<Text>,
        currency: &'a str as Text,
        enabled: bool as Bool,
        properties: &'a str as SqlJson,
    }
}

row! {
    RelationshipRow<'a> in relationships {
        id: i64 as BigInt,
        type_name: &'a str as Text,
        creator_id: Option<i64> as Nullable<BigInt>,
        properties: &'a str as SqlJson,
        created_at: i64 as SqlTimestamp,
        uuid: Uuid as SqlUuid,
        key: Option<&'a str> as Nullable<Text>,
        updated_at: i64 as SqlTimestamp,
    }
}

row! {
    RelationshipUserRow<'a> in relationship_users {
        id: i64 as BigInt,
        user_id: i64 as BigInt,
        relationship_id: i64 as BigInt,
        position: i32 as Integer,
        type_name: &'a str as Text,
        properties: &'a str as SqlJson,
    }
}

row! {
    CustomizationRow<'a> in customizations {
        id: i64 as BigInt,
        user_id: i64 as BigInt,
        owner_kind: &'a str as Text,
        owner_id: i64 as BigInt,
        position: i32 as Integer,
        type_name: &'a str as Text,
        properties: &'a str as SqlJson,
    }
}

row! {
    AddressRow<'a> in addresses {
        id: i64 as BigInt,
        user_id: i64 as BigInt,
        owner_kind: &'a str as Text,
        owner_id: i64 as BigInt,
        position: i32 as Integer,
        name: &'a str as Text,
        address: Option<&'a str> as Nullable<Text>,
        street: Option<&'a str> as Nullable<Text>,
        street_number: Option<&'a str> as Nullable<Text>,
        suburb: Option<&'a str> as Nullable<Text>,
        city: Option<&'a str> as Nullable<Text>,
        state: Option<&'a str> as Nullable<Text>,
        postcode: Option<&'a str> as Nullable<Text>,
        country: Option<&'a str> as Nullable<Text>,
        iso_country_code: Option<&'a str> as Nullable<Text>,
        latitude: Option<&'a str> as Nullable<Text>,
        longitude: Option<&'a str> as Nullable<Text>,
    }
}

row! {
    FileRow<'a> in files {
        id: i64 as BigInt,
        user_id: i64 as BigInt,
        owner_kind: &'a str as Text,
        owner_id: i64 as BigInt,
        position: i32 as Integer,
        name: &'a str as Text,
        is_image: bool as Bool,
        direct_url: Option<&'a str> as Nullable<Text>,
        file_name: Option<&'a str> as Nullable<Text>,
        content_type: Option<&'a str> as Nullable<Text>,
        caption: Option<&'a str> as Nullable<Text>,
    }
}

row! {
    TokenRow<'a> in api_tokens {
        name: &'a str as Text,
        token_hash: &'a [u8] as diesel::sql_types::Binary,
        scopes: Option<&'a str> as Nullable<SqlJson>,
        forms: Option<&'a str> as Nullable<SqlJson>,
        expires_at: Option<i64> as Nullable<SqlTimestamp>,
        created_at: i64 as SqlTimestamp,
    }
}
