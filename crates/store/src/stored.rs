//! A stored user as it is read back: the tree that was written, with ids. Never the password.
//!
//! JSON texts have sorted keys and no space between their parts, on either database. Times are
//! microseconds since 1970 UTC.

use diesel::{Queryable, Selectable};
use uuid::Uuid;

use crate::records::StoredRelationship;
use crate::schema::{addresses, files, users};

/// A user with everything nested in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredUser {
    /// The user's own columns.
    pub columns: UserColumns,
    /// Profiles, in the order sent.
    pub profiles: Vec<StoredProfile>,
    /// Memberships in relationships, in the order sent.
    pub relationship_users: Vec<StoredRelationshipUser>,
    /// Listings, in the order sent.
    pub transactables: Vec<StoredTransactable>,
    /// Customizations of the user itself, in the order sent.
    pub customizations: Vec<StoredCustomization>,
}

/// A row of the table of users.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct UserColumns {
    /// The id, from 1 on.
    pub id: i64,
    /// UUID, version 7.
    pub uuid: Uuid,
    /// As the client spelled it.
    pub email: Option<String>,
    /// The id in somebody else's database.
    pub external_id: Option<String>,
    /// First name.
    pub first_name: Option<String>,
    /// Middle name.
    pub middle_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Full name, as given.
    pub name: Option<String>,
    /// Whether the marketplace shows this user first.
    pub featured: bool,
    /// Whether anybody may see this user's profile.
    pub public_profile: bool,
    /// BCP 47 language tag.
    pub language: Option<String>,
    /// IANA time zone.
    pub time_zone: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// Mobile number.
    pub mobile_number: Option<String>,
    /// Declared custom properties, a JSON object.
    pub properties: String,
    /// Name of the form that made the user.
    pub form_name: String,
    /// Version of that form.
    pub form_version: String,
    /// When it was stored.
    pub created_at: i64,
    /// When it was last changed.
    pub updated_at: i64,
}

/// A profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredProfile {
    /// The id, from 1 on.
    pub id: i64,
    /// Name of the profile type.
    pub type_name: String,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Typed properties, a JSON object.
    pub properties: String,
    /// What hangs on it.
    pub attached: StoredAttached,
}

/// A listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTransactable {
    /// The id, from 1 on.
    pub id: i64,
    /// Name of the transactable type.
    pub type_name: String,
    /// What it is called.
    pub name: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// ISO 4217 code.
    pub currency: String,
    /// Whether it is on offer.
    pub enabled: bool,
    /// Typed properties, a JSON object.
    pub properties: String,
    /// What hangs on it.
    pub attached: StoredAttached,
}

/// A membership in a relationship.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRelationshipUser {
    /// The id, from 1 on.
    pub id: i64,
    /// Name of the relationship user type.
    pub type_name: String,
    /// The relationship.
    pub relationship_id: i64,
    /// Name of the relationship's type.
    pub relationship_type_name: String,
    /// The relationship itself.
    pub relationship: StoredRelationship,
    /// Typed properties, a JSON object.
    pub properties: String,
}

/// A customization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCustomization {
    /// The id, from 1 on.
    pub id: i64,
    /// Name of the customization type.
    pub type_name: String,
    /// Typed properties, a JSON object.
    pub properties: String,
    /// What hangs on it.
    pub attached: StoredAttached,
}

/// What hangs on a profile, a listing or a customization; each in the order sent.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct StoredAttached {
    /// Addresses.
    pub addresses: Vec<StoredAddress>,
    /// Images and attachments.
    pub files: Vec<StoredFile>,
    /// Customizations.
    pub customizations: Vec<StoredCustomization>,
}

/// An address.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = addresses)]
pub struct StoredAddress {
    /// The id, from 1 on.
    pub id: i64,
    /// The property of the owner's type that it fills.
    pub name: String,
    /// The address in one line.
    pub address: Option<String>,
    /// Street.
    pub street: Option<String>,
    /// House number.
    pub street_number: Option<String>,
    /// Suburb.
    pub suburb: Option<String>,
    /// City.
    pub city: Option<String>,
    /// State, province or region.
    pub state: Option<String>,
    /// Postal code.
    pub postcode: Option<String>,
    /// Country, by name.
    pub country: Option<String>,
    /// ISO 3166-1 alpha-2 code.
    pub iso_country_code: Option<String>,
    /// Degrees north, as a plain decimal.
    pub latitude: Option<String>,
    /// Degrees east, as a plain decimal.
    pub longitude: Option<String>,
}

/// What is known of a file that lives elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = files)]
pub struct StoredFile {
    /// The id, from 1 on.
    pub id: i64,
    /// The property of the owner's type that it fills.
    pub name: String,
    /// Whether it is a picture.
    pub is_image: bool,
    /// Where its content is.
    pub direct_url: Option<String>,
    /// Its file name.
    pub file_name: Option<String>,
    /// Its media type.
    pub content_type: Option<String>,
    /// What to write below it.
    pub caption: Option<String>,
}
