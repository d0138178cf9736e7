//! What is posted. Each `@@` becomes a text that no other request has.

/// A user with a profile of three properties and two listings.
pub(super) fn valid() -> String {
    body("\"email\":\"ann.@@@example.com\",", "EUR")
}

/// The same with a password.
pub(super) fn with_password() -> String {
    body("\"email\":\"ann.@@@example.com\",\"password\":\"correct horse 1\",", "EUR")
}

/// The same for one address, whoever sends it.
pub(super) fn of(email: &str, unique: &str) -> String {
    body(&format!("\"email\":\"{email}\","), "EUR").replace("@@", unique)
}

/// One that breaks rules, and never reaches the database.
pub(super) fn broken() -> String {
    body("\"email\":\"ann.at.example.com\",", "SEK")
}

fn body(head: &str, currency: &str) -> String {
    format!(
        r#"{{"form_configuration_name":"marketplace_seller","form":{{{head}"first_name":"Ann","last_name":"Lee","profiles":{{"seller":{{"properties":{{"shop_name":"Shop @@","response_hours":12}}}}}},"transactables":{{"boat":[{{"name":"Skiff of Ann","currency":"{currency}","properties":{{"registration":"@@-1","length_m":9.5,"berths":4,"price_per_day":120.5}}}},{{"name":"Ketch of Ann","currency":"NOK","properties":{{"registration":"@@-2","length_m":14,"berths":6,"price_per_day":250}}}}]}}}}}}"#
    )
}
