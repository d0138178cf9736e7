//! The tables as diesel sees them: one schema for both databases.
//!
//! `migrations/` is what makes them; this file only names what the code reads and writes.

use diesel::{allow_tables_to_appear_in_same_query, joinable, table};

table! {
    users (id) {
        id -> BigInt,
        uuid -> crate::types::SqlUuid,
        email -> Nullable<Text>,
        email_key -> Nullable<Text>,
        external_id -> Nullable<Text>,
        first_name -> Nullable<Text>,
        middle_name -> Nullable<Text>,
        last_name -> Nullable<Text>,
        name -> Nullable<Text>,
        featured -> Bool,
        public_profile -> Bool,
        language -> Nullable<Text>,
        time_zone -> Nullable<Text>,
        phone -> Nullable<Text>,
        mobile_number -> Nullable<Text>,
        properties -> crate::types::SqlJson,
        form_name -> Text,
        form_version -> Text,
        created_at -> crate::types::SqlTimestamp,
        updated_at -> crate::types::SqlTimestamp,
    }
}

table! {
    user_profiles (id) {
        id -> BigInt,
        user_id -> BigInt,
        position -> Integer,
        type_name -> Text,
        enabled -> Bool,
        properties -> crate::types::SqlJson,
    }
}

table! {
    transactables (id) {
        id -> BigInt,
        user_id -> BigInt,
        position -> Integer,
        type_name -> Text,
        name -> Nullable<Text>,
        description -> Nullable<Text>,
        currency -> Text,
        enabled -> Bool,
        properties -> crate::types::SqlJson,
    }
}

table! {
    relationships (id) {
        id -> BigInt,
        type_name -> Text,
        creator_id -> Nullable<BigInt>,
        properties -> crate::types::SqlJson,
        created_at -> crate::types::SqlTimestamp,
        uuid -> crate::types::SqlUuid,
        key -> Nullable<Text>,
        updated_at -> crate::types::SqlTimestamp,
    }
}

table! {
    relationship_users (id) {
        id -> BigInt,
        user_id -> BigInt,
        relationship_id -> BigInt,
        position -> Integer,
        type_name -> Text,
        properties -> crate::types::SqlJson,
    }
}

table! {
    relationship_transactables (id) {
        id -> BigInt,
        relationship_id -> BigInt,
        transactable_id -> BigInt,
        position -> Integer,
        type_name -> Text,
        properties -> crate::types::SqlJson,
    }
}

table! {
    customizations (id) {
        id -> BigInt,
        user_id -> BigInt,
        owner_kind -> Text,
        owner_id -> BigInt,
        position -> Integer,
        type_name -> Text,
        properties -> crate::types::SqlJson,
    }
}

table! {
    addresses (id) {
        id -> BigInt,
        user_id -> BigInt,
        owner_kind -> Text,
        owner_id -> BigInt,
        position -> Integer,
        name -> Text,
        address -> Nullable<Text>,
        street -> Nullable<Text>,
        street_number -> Nullable<Text>,
        suburb -> Nullable<Text>,
        city -> Nullable<Text>,
        state -> Nullable<Text>,
        postcode -> Nullable<Text>,
        country -> Nullable<Text>,
        iso_country_code -> Nullable<Text>,
        latitude -> Nullable<Text>,
        longitude -> Nullable<Text>,
    }
}

table! {
    files (id) {
        id -> BigInt,
        user_id -> BigInt,
        owner_kind -> Text,
        owner_id -> BigInt,
        position -> Integer,
        name -> Text,
        is_image -> Bool,
        direct_url -> Nullable<Text>,
        file_name -> Nullable<Text>,
        content_type -> Nullable<Text>,
        caption -> Nullable<Text>,
    }
}

table! {
    unique_claims (scope, value_key) {
        scope -> Text,
        value_key -> Text,
        owner -> crate::types::SqlUuid,
        record_kind -> Text,
        record_id -> Nullable<BigInt>,
        path -> Text,
    }
}

table! {
    api_tokens (id) {
        id -> BigInt,
        name -> Text,
        token_hash -> Binary,
        scopes -> Nullable<crate::types::SqlJson>,
        forms -> Nullable<crate::types::SqlJson>,
        expires_at -> Nullable<crate::types::SqlTimestamp>,
        revoked_at -> Nullable<crate::types::SqlTimestamp>,
        created_at -> crate::types::SqlTimestamp,
        user_id -> Nullable<BigInt>,
        contract -> Nullable<Text>,
        parent_id -> Nullable<BigInt>,
        attributes -> Nullable<crate::types::SqlJson>,
        last_used_at -> Nullable<crate::types::SqlTimestamp>,
    }
}

table! {
    password_credentials (user_id) {
        user_id -> BigInt,
        phc -> Text,
    }
}

joinable!(relationship_users -> relationships (relationship_id));
joinable!(relationship_transactables -> transactables (transactable_id));
allow_tables_to_appear_in_same_query!(relationship_users, relationships, users);
allow_tables_to_appear_in_same_query!(relationship_transactables, transactables, users);
allow_tables_to_appear_in_same_query!(users, unique_claims);
allow_tables_to_appear_in_same_query!(users, customizations);
