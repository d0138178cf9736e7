//! The tables as diesel sees them: one schema for both databases.
//!
//! `migrations/` is what makes them; this file only names what the code reads and writes.

use diesel::{allow_tables_to_appear_in_same_query, joinable, table};

table! {
    users (id) {
        id -> BigInt,
        uuid -> crate::types::Uid,
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
        properties -> crate::types::JsonDoc,
        form_name -> Text,
        form_version -> Text,
        created_at -> crate::types::Micros,
        updated_at -> crate::types::Micros,
    }
}

table! {
    user_profiles (id) {
        id -> BigInt,
        user_id -> BigInt,
        position -> Integer,
        type_name -> Text,
        enabled -> Bool,
        properties -> crate::types::JsonDoc,
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
        properties -> crate::types::JsonDoc,
    }
}

table! {
    relationships (id) {
        id -> BigInt,
        type_name -> Text,
        creator_id -> Nullable<BigInt>,
        properties -> crate::types::JsonDoc,
        created_at -> crate::types::Micros,
        uuid -> crate::types::Uid,
        key -> Nullable<Text>,
        updated_at -> crate::types::Micros,
    }
}

table! {
    relationship_users (id) {
        id -> BigInt,
        user_id -> BigInt,
        relationship_id -> BigInt,
        position -> Integer,
        type_name -> Text,
        properties -> crate::types::JsonDoc,
    }
}

table! {
    relationship_transactables (id) {
        id -> BigInt,
        relationship_id -> BigInt,
        transactable_id -> BigInt,
        position -> Integer,
        type_name -> Text,
        properties -> crate::types::JsonDoc,
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
        properties -> crate::types::JsonDoc,
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
        owner -> crate::types::Uid,
    }
}

table! {
    api_tokens (id) {
        id -> BigInt,
        name -> Text,
        token_hash -> Binary,
        scopes -> Nullable<crate::types::JsonDoc>,
        forms -> Nullable<crate::types::JsonDoc>,
        expires_at -> Nullable<crate::types::Micros>,
        revoked_at -> Nullable<crate::types::Micros>,
        created_at -> crate::types::Micros,
        user_id -> Nullable<BigInt>,
        contract -> Nullable<Text>,
        parent_id -> Nullable<BigInt>,
        attributes -> Nullable<crate::types::JsonDoc>,
        last_used_at -> Nullable<crate::types::Micros>,
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
