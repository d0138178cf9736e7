//! Validation: from a request body to a [`Seller`], or to errors by field.

use std::borrow::Cow;
use std::fmt::Write as _;

use registrar_core::canonical::{canonical_text, email_key};
use uuid::Uuid;

use super::body::{Boat, Form};
use super::seller::{BoatRow, Seller};

const BLANK: &str = "can't be blank";
const TAKEN: &str = "has already been taken";
const CURRENCIES: [&str; 3] = ["EUR", "NOK", "USD"];
const SHOP_NAME: &str = "profiles.seller.properties.shop_name";

/// Errors by field.
pub(super) type Errors = Vec<(Cow<'static, str>, &'static str)>;

/// Validates a form.
pub(super) fn check(form: &Form<'_>) -> Result<Seller, Errors> {
    let mut errors = Errors::new();
    let mut fail = |field: &'static str, message| errors.push((field.into(), message));

    let key = email_key(&form.email);
    if is_blank(&form.email) {
        fail("email", BLANK);
    } else if !is_email(&form.email, &key) {
        fail("email", "is invalid");
    }
    if form.password.as_ref().is_some_and(|password| password.chars().count() < 6) {
        fail("password", "is too short (minimum is 6 characters)");
    }
    let (first_name, last_name) = (squish(&form.first_name), squish(&form.last_name));
    if first_name.is_empty() {
        fail("first_name", BLANK);
    }
    if last_name.is_empty() {
        fail("last_name", BLANK);
    }
    let mut profile = String::new();
    let mut shop_key = String::new();
    match form.profiles.seller.as_ref().and_then(|seller| seller.properties.as_ref()) {
        None => fail("profiles.seller", BLANK),
        Some(properties) => {
            let shop = &*properties.shop_name;
            if is_blank(shop) {
                fail(SHOP_NAME, BLANK);
            } else if shop.chars().count() < 3 {
                fail(SHOP_NAME, "is too short (minimum is 3 characters)");
            } else if shop.chars().count() > 60 {
                fail(SHOP_NAME, "is too long (maximum is 60 characters)");
            }
            let hours = properties.response_hours;
            if hours.is_some_and(|hours| !(1..=72).contains(&hours)) {
                fail("profiles.seller.properties.response_hours", "must be in 1..72");
            }
            shop_key = canonical_text(shop, true);
            profile = String::with_capacity(64 + shop.len());
            profile.push_str(r#"{"commission":12.5"#);
            if let Some(hours) = hours {
                let _ = write!(profile, r#","response_hours":{hours}"#);
            }
            push_text(&mut profile, r#","shop_name":"#, shop);
            profile.push('}');
        }
    }
    let boats = check_boats(&form.transactables.boat, &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(Seller {
        uuid: Uuid::now_v7(),
        email: form.email.trim().to_owned(),
        email_key: key,
        first_name,
        last_name,
        phc: None,
        shop_key,
        profile,
        boats,
    })
}

fn check_boats(boats: &[Boat<'_>], errors: &mut Errors) -> Vec<BoatRow> {
    if boats.len() > 30 {
        let message = "is too long (maximum is 30 characters)";
        errors.push(("transactables.boat".into(), message));
        return Vec::new();
    }
    let mut listings: Vec<BoatRow> = Vec::with_capacity(boats.len());
    for (index, boat) in boats.iter().enumerate() {
        let properties = &boat.properties;
        let mut fail = |field, message| {
            errors.push((format!("transactables.boat[{index}].{field}").into(), message));
        };
        if is_blank(&boat.name) {
            fail("name", BLANK);
        } else if boat.name.chars().count() > 80 {
            fail("name", "is too long (maximum is 80 characters)");
        }
        let currency = CURRENCIES.into_iter().find(|currency| *currency == boat.currency);
        if currency.is_none() {
            fail("currency", "is not included in the list");
        }
        let registration = properties.registration.trim().to_uppercase();
        let registration_key = canonical_text(&registration, true);
        if registration.is_empty() {
            fail("properties.registration", BLANK);
        } else if listings.iter().any(|other| other.registration_key == registration_key) {
            fail("properties.registration", TAKEN);
        }
        match properties.length_m {
            None => fail("properties.length_m", BLANK),
            Some(length) if length <= 2.0 => fail("properties.length_m", "must be greater than 2"),
            Some(length) if length > 60.0 => {
                fail("properties.length_m", "must be less than or equal to 60");
            }
            Some(_) => {}
        }
        if properties.berths.is_some_and(|berths| berths < 0) {
            fail("properties.berths", "must be greater than or equal to 0");
        }
        match properties.price_per_day {
            None => fail("properties.price_per_day", BLANK),
            Some(price) if price <= 0.0 => {
                fail("properties.price_per_day", "must be greater than 0")
            }
            Some(_) => {}
        }
        let mut json = String::with_capacity(80 + registration.len());
        json.push('{'); // and keys in order; Rust prints a float as short as it can: 7, 9.5
        if let Some(berths) = properties.berths {
            let _ = write!(json, r#""berths":{berths},"#);
        }
        let length = properties.length_m.unwrap_or_default();
        let price = properties.price_per_day.unwrap_or_default();
        let _ = write!(json, r#""length_m":{length},"price_per_day":{price}"#);
        push_text(&mut json, r#","registration":"#, &registration);
        json.push('}');
        listings.push(BoatRow {
            name: boat.name.clone().into_owned(),
            currency: currency.unwrap_or(CURRENCIES[0]),
            registration_key,
            properties: json,
        });
    }
    listings
}

/// Returns the errors of claims that other users hold.
pub(super) fn taken(claims: &[usize]) -> Errors {
    let field = |claim: &usize| match *claim {
        0 => "email".into(),
        1 => SHOP_NAME.into(),
        boat => format!("transactables.boat[{}].properties.registration", boat - 2).into(),
    };
    claims.iter().map(|claim| (field(claim), TAKEN)).collect()
}

fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

fn squish(text: &str) -> String {
    let mut words = text.split_whitespace();
    let mut squished = String::with_capacity(text.len());
    squished.push_str(words.next().unwrap_or_default());
    for word in words {
        squished.push(' ');
        squished.push_str(word);
    }
    squished
}

/// Appends a key verbatim, then a string as JSON.
fn push_text(json: &mut String, key: &str, text: &str) {
    json.push_str(key);
    json.push_str(&serde_json::to_string(text).unwrap_or_default());
}

/// Returns true if browsers accept the address in an `email` input; `key` is its canonical form.
fn is_email(text: &str, key: &str) -> bool {
    let Some((local, domain)) = key.rsplit_once('@') else { return false };
    text.len() <= 4 * 254
        && key.len() <= 254
        && (1..=64).contains(&local.len())
        && local.chars().all(|character| {
            character.is_ascii_alphanumeric()
                || ".!#$%&'*+/=?^_`{|}~-".contains(character)
                || (!character.is_ascii() && !character.is_control() && !character.is_whitespace())
        })
        && domain.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}
