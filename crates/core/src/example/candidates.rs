//! Candidates for the values of a sample: by rule, by name, by type and by the parameters of a
//! violation. They are guesses; the form decides.

use jiff::ToSpan as _;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};

use crate::eval_context::Timestamp;
use crate::fields::FieldType;
use crate::form::Field;
use crate::messages::Param;
use crate::violation::Violation;

/// Values for each rule with a notation, the most usual first.
const BY_RULE: &[(&str, &[&str])] = &[
    ("email", &["ann@example.com", "bob@example.com"]),
    ("password", &["brisk-harbour-42", "Brisk-Harbour-42!", "quiet meadow lantern 1871 Orbit?"]),
    ("phone", &["+14155552671", "+4722334455", "+493012345678", "+33123456789", "+442079460958"]),
    ("url", &["https://example.com/", "http://example.com/", "https://www.example.com/"]),
    ("uuid", &["f47ac10b-58cc-4372-a567-0e02b2c3d479", "0190a5c2-7b1e-7c3a-9f00-0123456789ab"]),
    ("country", &["NO", "US", "DE", "GB", "FR", "NOR", "USA", "DEU"]),
    ("currency", &["EUR", "USD", "GBP", "NOK"]),
    ("timezone", &["UTC", "Europe/Berlin", "America/New_York"]),
    ("language", &["en", "de", "nb"]),
    ("ip", &["192.0.2.1", "2001:db8::1"]),
    ("hostname", &["example.com", "www.example.com"]),
    ("file_content_type", &["https://example.com/photo.jpg", "https://example.com/file.pdf"]),
    ("file_extension", &["https://example.com/photo.jpg", "https://example.com/file.pdf", "a.csv"]),
    ("acceptance", &["1", "yes"]),
    (
        "format",
        &[
            "ABC123",
            "123456",
            "12345",
            "NO123456789",
            "abc_1",
            "abc-def",
            "a",
            "A",
            "1",
            "https://example.com/",
            "+4722334455",
            "#aabbcc",
            "2026-01-31",
            "DE89370400440532013000",
        ],
    ),
];

/// Values for usual names of fields.
const BY_NAME: &[(&str, &str)] = &[
    ("first_name", "Ann"),
    ("last_name", "Example"),
    ("name", "Ann Example"),
    ("company_name", "Example Ltd"),
    ("phone", "+14155552671"),
    ("mobile_number", "+14155552671"),
    ("city", "Berlin"),
    ("postcode", "10115"),
    ("street", "Example Street"),
    ("country", "Germany"),
    ("iso_country_code", "DE"),
    ("direct_url", "https://example.com/photo.jpg"),
];

/// Text that long values consist of.
const FILLER: &str = "example text, ";
/// Maximum length of a text or list that is computed.
const MAX_LENGTH: f64 = 10_000.0;

/// Returns values of a scalar field, the best first. `violation` is the one to remove.
pub(super) fn of_scalar(
    field: &Field,
    field_type: FieldType,
    violation: Option<&Violation>,
    current: Option<&Json>,
    now: Timestamp,
) -> Vec<Json> {
    let mut values = Vec::new();
    if let Some(violation) = violation {
        values.extend(of_params(violation, field_type, current, now));
    }
    values.extend(field.included_values(Some(field_type)));
    let mut texts = Vec::new();
    let mut keyword_values = Vec::new();
    for rule in &field.rules {
        if let Some(keywords) = rule.check.keywords(field_type) {
            harvest(&keywords, field_type, &mut keyword_values);
        }
        let of_rule = BY_RULE.iter().filter(|(name, _)| *name == rule.rule.name);
        texts.extend(of_rule.flat_map(|(_, texts)| *texts).map(|text| json!(text)));
    }
    let named = BY_NAME.iter().filter(|(name, _)| *name == &*field.name);
    let named = named.map(|(_, text)| json!(text));
    let typed = of_type(field, field_type, now);
    if matches!(field_type, FieldType::String | FieldType::Text | FieldType::Any) {
        values.extend(texts.into_iter().chain(keyword_values).chain(named).chain(typed));
    } else {
        values.extend(keyword_values.into_iter().chain(typed).chain(texts));
    }
    // The values in the documentation of the rules, for their less usual options.
    let documented = field.rules.iter().flat_map(|rule| rule.rule.accepts);
    values.extend(documented.filter_map(|(_, value)| serde_json::from_str(value).ok()));
    values
}

/// Returns values to try inside a value, where a JSON Schema reports a violation.
pub(super) fn of_any(violation: &Violation) -> Vec<Json> {
    let mut values = vec![json!("example"), json!(1), json!(true), json!(["example"]), json!({})];
    if let Some(count) = count_of(violation) {
        values.extend([number(count), text_of_length("", count), number(count - 1.0)]);
    }
    values
}

/// Returns the `count` of a violation, if it has one.
pub(super) fn count_of(violation: &Violation) -> Option<f64> {
    violation.params.iter().find_map(|(name, param)| match param {
        Param::Number(text) if *name == "count" => text.parse().ok(),
        _ => None,
    })
}

/// Returns values by the parameters of a violation.
fn of_params(
    violation: &Violation,
    field_type: FieldType,
    current: Option<&Json>,
    now: Timestamp,
) -> Vec<Json> {
    let mut values = Vec::new();
    let is_length = matches!(violation.code(), "too_short" | "too_long" | "wrong_length");
    if let Some(count) = count_of(violation) {
        match current {
            Some(Json::Array(items)) if is_length => {
                let mut items = items.clone();
                items.truncate(count.clamp(0.0, MAX_LENGTH) as usize);
                while (items.len() as f64) < count.min(MAX_LENGTH) {
                    items.push(json!(format!("example {}", items.len() + 1)));
                }
                values.push(Json::Array(items));
            }
            current if is_length => {
                let text = current.and_then(Json::as_str).unwrap_or_default();
                values.push(text_of_length(text, count));
                values.push(text_of_length("", count));
                values.push(json!("1".repeat(count.clamp(0.0, MAX_LENGTH) as usize)));
            }
            _ => values.extend(around(count)),
        }
    }
    for (name, param) in &violation.params {
        if let ("restriction" | "count", Param::Text(text)) = (*name, param) {
            // A range, a date or a time.
            let limits = text.split("..").filter_map(|limit| limit.trim_matches('.').parse().ok());
            values.extend(limits.flat_map(around));
            values.extend(near_text(text, field_type));
        }
    }
    if matches!(violation.code(), "invalid_date" | "invalid_datetime" | "invalid_time") {
        values.extend(temporal(FieldType::Any, now));
    }
    values
}

/// Returns a text of a length in characters, made longer or shorter than `text`.
fn text_of_length(text: &str, length: f64) -> Json {
    let length = length.clamp(0.0, MAX_LENGTH) as usize;
    let filled: String = text.chars().chain(FILLER.chars().cycle()).take(length).collect();
    // A space at the end might be normalised away.
    let filled = filled.strip_suffix(' ').map(|text| format!("{text}x")).unwrap_or(filled);
    json!(filled)
}

/// Returns a number and numbers beside it.
fn around(limit: f64) -> Vec<Json> {
    let steps = [0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 0.01, -0.01];
    steps.into_iter().map(|step| number(limit + step)).collect()
}

fn number(number: f64) -> Json {
    serde_json::from_str(&format!("{number}")).unwrap_or(Json::Null)
}

/// Collects the values and limits in the keywords of a rule.
fn harvest(keywords: &Json, field_type: FieldType, values: &mut Vec<Json>) {
    let is_number =
        matches!(field_type, FieldType::Integer | FieldType::Float | FieldType::Decimal)
            || field_type == FieldType::Any;
    match keywords {
        Json::Object(entries) => {
            let limits: Vec<f64> = ["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"]
                .iter()
                .filter_map(|key| entries.get(*key)?.to_string().parse().ok())
                .collect();
            if is_number && let Some(first) = limits.first() {
                let middle = limits.iter().sum::<f64>() / limits.len() as f64;
                values.extend(around(middle.floor()));
                values.extend([number(middle)]);
                values.extend(around(*first));
            }
            for (key, value) in entries {
                match (key.as_str(), value) {
                    ("enum", Json::Array(listed)) => values.extend(listed.iter().cloned()),
                    ("const", value) => values.push(value.clone()),
                    (_, value) => harvest(value, field_type, values),
                }
            }
        }
        Json::Array(items) => items.iter().for_each(|item| harvest(item, field_type, values)),
        _ => {}
    }
}

/// Returns values of a type.
fn of_type(field: &Field, field_type: FieldType, now: Timestamp) -> Vec<Json> {
    let has = |name: &str| field.rules.iter().any(|rule| rule.rule.name == name);
    let temporal_type = match field_type {
        FieldType::Date | FieldType::Datetime | FieldType::Time => Some(field_type),
        _ if has("date") || has("datetime") || has("time") => Some(FieldType::Any),
        _ => None,
    };
    if let Some(temporal_type) = temporal_type {
        return temporal(temporal_type, now);
    }
    match field_type {
        FieldType::Any | FieldType::String | FieldType::Text => {
            vec![json!("example"), json!("Example 2"), json!("1"), json!(1), json!(true)]
        }
        FieldType::Integer => [1, 2, 10, 100, 0, -1].map(|number| json!(number)).into(),
        FieldType::Float | FieldType::Decimal => {
            [1.0, 10.0, 1.5, 100.0, 0.0, -1.0].map(number).into()
        }
        FieldType::Boolean => vec![json!(true), json!(false)],
        FieldType::Array => vec![json!(["example"]), json!([1]), json!([])],
        FieldType::Json => vec![json!({}), json!({"example": true}), json!(["example"])],
        FieldType::Date | FieldType::Datetime | FieldType::Time => Vec::new(),
    }
}

/// Returns dates and times around `now`; [`FieldType::Any`] stands for all notations.
fn temporal(field_type: FieldType, now: Timestamp) -> Vec<Json> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let days = [0, 1, -1, 7, -7, 30, -30, 365, -365, -20 * 365, -40 * 365, -100 * 365, 20 * 365];
    let dates: Vec<Date> =
        days.into_iter().filter_map(|days: i32| today.checked_add(days.days()).ok()).collect();
    let is = |wanted| field_type == wanted || field_type == FieldType::Any;
    let mut values = Vec::new();
    if is(FieldType::Date) {
        values.extend(dates.iter().map(|date| json!(date.to_string())));
    }
    if is(FieldType::Datetime) {
        values.extend(dates.iter().map(|date| json!(format!("{date}T12:00:00Z"))));
    }
    if is(FieldType::Time) {
        let times = ["12:00", "08:00", "17:00", "10:30", "14:30", "20:00", "00:00", "23:59"];
        values.extend(times.map(|time| json!(time)));
    }
    if field_type == FieldType::Any {
        let notations = ["%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%Y%m%d"];
        let written =
            |format| dates.iter().map(move |date| json!(date.strftime(format).to_string()));
        values.extend(notations.into_iter().flat_map(written));
    }
    values
}

/// Returns dates, points in time or times beside the one in a text.
fn near_text(text: &str, field_type: FieldType) -> Vec<Json> {
    if let Ok(time) = text.parse::<Time>()
        && text.len() < "2026-01-01".len()
    {
        let steps = [0, 1, -1, 30, -30].map(|minutes: i64| time.wrapping_add(minutes.minutes()));
        return steps.map(|time| json!(time.to_string())).into();
    }
    let Some(date) = text.get(..10).and_then(|date| date.parse::<Date>().ok()) else {
        return Vec::new();
    };
    let steps = [0, 1, -1, 30, -30, 365, -365];
    let dates = steps.into_iter().filter_map(|days: i32| date.checked_add(days.days()).ok());
    let is_moment = field_type == FieldType::Datetime || text.len() > 10;
    let mut values = if is_moment { vec![json!(text)] } else { Vec::new() };
    for date in dates {
        values.push(json!(date.to_string()));
        if is_moment {
            values.push(json!(format!("{date}T12:00:00Z")));
        }
    }
    values
}
