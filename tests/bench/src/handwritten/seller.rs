//! A valid submission, ready to be written.

use uuid::Uuid;

/// Where e-mail addresses are unique.
pub(super) const EMAIL: &str = "user.email";
/// Where names of shops are unique.
pub(super) const SHOP: &str = "user.profiles.seller.properties.shop_name";
/// Where registrations of boats are unique.
pub(super) const REGISTRATION: &str = "user.transactables.boat.properties.registration";

/// A user with its profile and its boats.
#[derive(Debug)]
pub(super) struct Seller {
    pub(super) uuid: Uuid,
    pub(super) email: String,
    pub(super) email_key: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
    /// The hash of the password, in PHC string format.
    pub(super) phc: Option<String>,
    pub(super) shop_key: String,
    /// The properties of the profile, as JSON.
    pub(super) profile: String,
    pub(super) boats: Vec<Listing>,
}

/// A boat.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) name: String,
    pub(super) currency: &'static str,
    pub(super) registration_key: String,
    /// As JSON.
    pub(super) properties: String,
}

impl Seller {
    /// What must be nobody else's: the e-mail, the shop's name, then each registration.
    pub(super) fn claims(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let boats = self.boats.iter().map(|boat| (REGISTRATION, boat.registration_key.as_str()));
        [(EMAIL, self.email_key.as_str()), (SHOP, self.shop_key.as_str())].into_iter().chain(boats)
    }
}

/// What became of a submission.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is stored, with this id.
    Stored(i64),
    /// Somebody else holds the claims with these indices.
    Taken(Vec<usize>),
    /// Another of its batch claims the same: it belongs into the next.
    PutOff,
    /// The database failed.
    Failed,
}
