//! The tables as diesel sees them, and which of them can be joined.

use diesel::{allow_tables_to_appear_in_same_query, joinable};

pub(crate) use super::addresses::addresses;
pub(crate) use super::customizations::customizations;
pub(crate) use super::files::files;
pub(crate) use super::password_credentials::password_credentials;
pub(crate) use super::relationship_transactables::relationship_transactables;
pub(crate) use super::relationship_users::relationship_users;
pub(crate) use super::relationships::relationships;
pub(crate) use super::transactables::transactables;
pub(crate) use super::unique_claims::unique_claims;
pub(crate) use super::user_profiles::user_profiles;
pub(crate) use super::users::users;

joinable!(relationship_users -> relationships (relationship_id));
joinable!(relationship_transactables -> transactables (transactable_id));
allow_tables_to_appear_in_same_query!(relationship_users, relationships, users);
allow_tables_to_appear_in_same_query!(relationship_transactables, transactables, users);
allow_tables_to_appear_in_same_query!(users, unique_claims);
allow_tables_to_appear_in_same_query!(users, customizations);
