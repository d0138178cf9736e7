//! Request bodies. Each `@@` is replaced by a string that is unique to the request.

/// A user with a profile of three properties and two transactables.
pub(super) fn valid() -> String {
    body("\"email\":\"ann.@@@example.com\",", "EUR")
}

/// A valid user with a password.
pub(super) fn with_password() -> String {
    body("\"email\":\"ann.@@@example.com\",\"password\":\"correct horse 1\",", "EUR")
}

/// A valid user with this e-mail address and this unique string.
pub(super) fn with_email(email: &str, unique: &str) -> String {
    body(&format!("\"email\":\"{email}\","), "EUR").replace("@@", unique)
}

/// A user that violates rules, so that the request does not reach the database.
pub(super) fn invalid() -> String {
    body("\"email\":\"ann.at.example.com\",", "SEK")
}

fn body(head: &str, currency: &str) -> String {
    format!(
        r#"{{"form_configuration_name":"marketplace_seller","form":{{{head}"first_name":"Ann","last_name":"Lee","profiles":{{"seller":{{"properties":{{"shop_name":"Shop @@","response_hours":12}}}}}},"transactables":{{"boat":[{{"name":"Skiff of Ann","currency":"{currency}","properties":{{"registration":"@@-1","length_m":9.5,"berths":4,"price_per_day":120.5}}}},{{"name":"Ketch of Ann","currency":"NOK","properties":{{"registration":"@@-2","length_m":14,"berths":6,"price_per_day":250}}}}]}}}}}}"#
    )
}
