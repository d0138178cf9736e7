//! A valid submission, ready to be written.

use uuid::Uuid;

/// Claim scope of e-mail addresses.
pub(super) const EMAIL_SCOPE: &str = "user.email";
/// Claim scope of shop names.
pub(super) const SHOP_NAME_SCOPE: &str = "user.profiles.seller.properties.shop_name";
/// Claim scope of boat registrations.
pub(super) const REGISTRATION_SCOPE: &str = "user.transactables.boat.properties.registration";

/// A user with a profile and boats.
#[derive(Debug)]
pub(super) struct Seller {
    pub(super) uuid: Uuid,
    pub(super) email: String,
    pub(super) email_key: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
    /// Password hash, in PHC string format.
    pub(super) phc: Option<String>,
    pub(super) shop_key: String,
    /// Properties of the profile, as JSON.
    pub(super) profile: String,
    pub(super) boats: Vec<BoatRow>,
}

/// A boat.
#[derive(Debug)]
pub(super) struct BoatRow {
    pub(super) name: String,
    pub(super) currency: &'static str,
    pub(super) registration_key: String,
    /// Properties of the boat, as JSON.
    pub(super) properties: String,
}

impl Seller {
    /// Returns the unique values: the e-mail address, the shop name, then each registration.
    pub(super) fn claims(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let boats =
            self.boats.iter().map(|boat| (REGISTRATION_SCOPE, boat.registration_key.as_str()));
        [(EMAIL_SCOPE, self.email_key.as_str()), (SHOP_NAME_SCOPE, self.shop_key.as_str())]
            .into_iter()
            .chain(boats)
    }
}

/// Result of writing a submission.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Stored with this id.
    Stored(i64),
    /// Other users hold the claims at these positions.
    Taken(Vec<usize>),
    /// Another submission of the batch has the same claim; retry in the next batch.
    Deferred,
    /// The database failed.
    Failed,
}
