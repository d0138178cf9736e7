//! Typed request body.

use std::borrow::Cow;

use serde::Deserialize;

/// Request body.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body<'a> {
    #[serde(borrow)]
    pub(super) form_configuration_name: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) form: Form<'a>,
}

/// Submitted form. Absent strings are empty, since both are blank.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Form<'a> {
    #[serde(borrow, default)]
    pub(super) email: Cow<'a, str>,
    pub(super) password: Option<String>,
    #[serde(borrow, default)]
    pub(super) first_name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) last_name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) profiles: Profiles<'a>,
    #[serde(borrow, default)]
    pub(super) transactables: Transactables<'a>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Profiles<'a> {
    #[serde(borrow, default)]
    pub(super) seller: Option<Profile<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Profile<'a> {
    #[serde(borrow, default)]
    pub(super) properties: Option<ProfileProperties<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileProperties<'a> {
    #[serde(borrow, default)]
    pub(super) shop_name: Cow<'a, str>,
    pub(super) response_hours: Option<i64>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Transactables<'a> {
    #[serde(borrow, default)]
    pub(super) boat: Vec<Boat<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Boat<'a> {
    #[serde(borrow, default)]
    pub(super) name: Cow<'a, str>,
    #[serde(borrow, default = "euro")]
    pub(super) currency: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) properties: BoatProperties<'a>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct BoatProperties<'a> {
    #[serde(borrow, default)]
    pub(super) registration: Cow<'a, str>,
    pub(super) length_m: Option<f64>,
    pub(super) berths: Option<i64>,
    pub(super) price_per_day: Option<f64>,
}

fn euro<'a>() -> Cow<'a, str> {
    Cow::Borrowed("EUR")
}
