//! Valid submissions for the shipped forms. `tag` goes into every field that must be unique.

use serde_json::{Value, json};

/// A submission for `reference_rest_api_create_user`.
#[must_use]
pub fn reference(tag: &str) -> Value {
    json!({ "first_name": "Ann", "email": format!("{tag}@example.com"), "password": "brisk-harbour-42" })
}

/// A submission for `developer_sign_up`.
#[must_use]
pub fn developer(tag: &str) -> Value {
    json!({
        "email": format!("{tag}@example.com"),
        "password": "brisk-harbour-42",
        "password_confirmation": "brisk-harbour-42",
        "first_name": "Ada",
        "terms_of_service": true,
        "profiles": { "developer": { "properties": { "handle": tag, "hourly_rate": 90 } } },
    })
}

/// A submission for `client_sign_up`.
#[must_use]
pub fn client(tag: &str) -> Value {
    json!({
        "email": format!("{tag}@example.com"),
        "external_id": tag,
        "name": "Clara Client",
        "profiles": { "client": { "properties": { "company_name": "Client AS" } } },
    })
}

/// A submission for `marketplace_seller` with a shop, a new agency and two boats. Without a
/// password, to avoid the cost of hashing.
#[must_use]
pub fn seller(tag: &str) -> Value {
    json!({
        "email": format!("{tag}@example.com"),
        "first_name": "Siri",
        "last_name": "Seller",
        "profiles": { "seller": { "properties": { "shop_name": format!("shop {tag}") } } },
        "relationship_users": { "agency_member": { "relationship_name": "agency" } },
        "transactables": { "boat": [boat(&format!("{tag}-1")), boat(&format!("{tag}-2"))] },
    })
}

/// A boat of a seller.
#[must_use]
pub fn boat(registration: &str) -> Value {
    json!({
        "name": format!("Boat {registration}"),
        "properties": { "registration": registration, "length_m": 7.5, "price_per_day": 120 },
        "custom_addresses": { "harbour": { "city": "Bergen" } },
    })
}
