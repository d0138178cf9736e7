//! The result of a valid submission: a user with everything that is stored together with it, or one
//! record of an existing user. Updates of existing users and records are in [`crate::changes`].
//!
//! The store writes these types and does not depend on forms. They carry neither paths nor rules:
//! if the database rejects a [`Claim`] or a [`Reference`], it is identified by its index in
//! [`Aggregate::claims`] or [`Aggregate::references`].

pub use entity::{NewEntity, Records};

use crate::record_kind::RecordKind;
mod entity;

use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};

/// A JSON object as a string, with sorted keys and numbers in plain notation, so that every
/// database returns it unchanged. `{}` if there are no properties.
pub type JsonObject = String;

/// A validated user or record, ready to be written in one transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// The user or record.
    pub entity: NewEntity,
    /// The uniqueness that it claims. The database decides; a lost claim is named by its index.
    pub claims: Vec<NewClaim>,
    /// The rows of the database that must exist. One that is missing is named by its index.
    pub references: Vec<Reference>,
}

/// A validated user with everything nested in it, ready to be written in one transaction.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct NewUser {
    /// E-mail address as submitted, without surrounding whitespace.
    pub email: Option<String>,
    /// Canonical key of `email` (see [`crate::canonical::email_key`]).
    pub email_key: Option<String>,
    /// Id of the user in an external system.
    pub external_id: Option<String>,
    /// Plain password. It is hashed before it is stored, and never stored as it is.
    pub password: Option<Secret>,
    /// Password hash in PHC string format, computed elsewhere; ignored if `password` is set.
    pub password_hash: Option<Secret>,
    /// First name.
    pub first_name: Option<String>,
    /// Middle name.
    pub middle_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Full name as submitted; not derived from the other names.
    pub name: Option<String>,
    /// Whether the marketplace features this user.
    pub featured: bool,
    /// Whether the user's profile is public.
    pub public_profile: bool,
    /// BCP 47 language tag.
    pub language: Option<String>,
    /// IANA time zone.
    pub time_zone: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// Mobile number.
    pub mobile_number: Option<String>,
    /// Declared custom properties.
    pub properties: Option<JsonObject>,
    /// Profiles, at most one for each type.
    pub profiles: Vec<NewProfile>,
    /// Relationship users, in the order of the submission.
    pub relationship_users: Vec<NewRelationshipUser>,
    /// Transactables, in the order of the submission; this user is their creator.
    pub transactables: Vec<NewTransactable>,
    /// Customizations of the user itself, in the order of the submission.
    pub customizations: Vec<NewCustomization>,
}

impl NewUser {
    /// Returns whether the claims make the e-mail address unique among all users, so that its claim
    /// leads to this user.
    #[must_use]
    pub fn claims_its_email(&self, claims: &[NewClaim]) -> bool {
        let is_of_email = |NewClaim { claim, .. }: &NewClaim| {
            *claim.scope == *Claim::OF_EMAIL && Some(&claim.value_key) == self.email_key.as_ref()
        };
        self.email.is_some() && claims.iter().any(is_of_email)
    }
}

/// A profile of the user.
#[derive(Debug, Clone, PartialEq)]
pub struct NewProfile {
    /// Id of the stored record that is replaced, or `None` for a new one.
    pub id: Option<i64>,
    /// Name of the profile type.
    pub type_name: Arc<str>,
    /// Whether the profile is enabled.
    pub enabled: bool,
    /// Properties of the type.
    pub properties: JsonObject,
    /// Addresses, files and customizations of the profile.
    pub attached: Attachments,
}

/// A transactable of the user.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTransactable {
    /// Id of the stored record that is replaced, or `None` for a new one.
    pub id: Option<i64>,
    /// Name of the transactable type.
    pub type_name: Arc<str>,
    /// Name.
    pub name: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// ISO 4217 currency code.
    pub currency: String,
    /// Whether the transactable is enabled.
    pub enabled: bool,
    /// Properties of the type.
    pub properties: JsonObject,
    /// Addresses, files and customizations of the transactable.
    pub attached: Attachments,
}

/// A relationship user: the user's membership in a relationship.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRelationshipUser {
    /// Id of the stored record that is replaced, or `None` for a new one.
    pub id: Option<i64>,
    /// Name of the relationship user type.
    pub type_name: Arc<str>,
    /// The relationship that the user joins.
    pub relationship: RelationshipLink,
    /// Properties of the type.
    pub properties: JsonObject,
}

/// The relationship of a relationship user.
#[derive(Debug, Clone, PartialEq)]
pub enum RelationshipLink {
    /// An existing relationship, by id; [`Aggregate::references`] contains it too.
    Existing(i64),
    /// A new relationship of this type, created in the same transaction.
    New {
        /// Name of the relationship type.
        type_name: Arc<str>,
    },
    /// The relationship of this type that has this key.
    Keyed {
        /// Name of the relationship type.
        type_name: Arc<str>,
        /// The key, as returned by [`crate::canonical::canonical_text`].
        key: String,
        /// Properties of the relationship that is created in the same transaction if it does not
        /// exist. `None` if it must exist; [`Aggregate::references`] contains it then.
        make: Option<JsonObject>,
    },
}

/// A relationship.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRelationship {
    /// Id of the stored record that is replaced, or `None` for a new one.
    pub id: Option<i64>,
    /// Name of the relationship type.
    pub type_name: Arc<str>,
    /// Claim on the key that identifies the relationship among those of its type.
    pub key: Option<Claim>,
    /// Properties of the type.
    pub properties: JsonObject,
}

/// A relationship transactable: the membership of a transactable in a relationship.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRelationshipTransactable {
    /// Id of the stored record that is replaced, or `None` for a new one.
    pub id: Option<i64>,
    /// Name of the relationship transactable type.
    pub type_name: Arc<str>,
    /// Id of the relationship; [`Aggregate::references`] contains it too.
    pub relationship_id: i64,
    /// Id of the transactable; [`Aggregate::references`] contains it too.
    pub transactable_id: i64,
    /// Properties of the type.
    pub properties: JsonObject,
}

/// The parent record of a customization; [`Aggregate::references`] contains it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Customizable {
    /// Kind of the parent.
    pub resource: RecordKind,
    /// Id of the parent.
    pub id: i64,
}

/// A customization: a typed record that belongs to another record.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCustomization {
    /// Id of the stored record that is replaced, or `None` for a new one.
    pub id: Option<i64>,
    /// Name of the customization type.
    pub type_name: Arc<str>,
    /// Properties of the type.
    pub properties: JsonObject,
    /// Addresses, files and further customizations.
    pub attached: Attachments,
}

/// The records attached to a profile, a transactable or a customization.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Attachments {
    /// Addresses, each with the name of a property of the type.
    pub addresses: Vec<NewAddress>,
    /// Images and attachments, each with the name of a property of the type.
    pub files: Vec<NewFile>,
    /// Customizations, in the order of the submission.
    pub customizations: Vec<NewCustomization>,
}

/// An address.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct NewAddress {
    /// Id of the stored record that is replaced, or `None` for a new one.
    pub id: Option<i64>,
    /// Property of the type that the address is stored under.
    pub name: Arc<str>,
    /// The whole address in one line.
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
    /// Latitude in degrees, as a plain decimal.
    pub latitude: Option<String>,
    /// Longitude in degrees, as a plain decimal.
    pub longitude: Option<String>,
}

/// Metadata of a file whose content is stored elsewhere.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct NewFile {
    /// Id of the stored record that is replaced, or `None` for a new one.
    pub id: Option<i64>,
    /// Property of the type that the file is stored under.
    pub name: Arc<str>,
    /// Whether the file is an image.
    pub is_image: bool,
    /// URL of the content.
    pub direct_url: Option<String>,
    /// File name.
    pub file_name: Option<String>,
    /// Content type.
    pub content_type: Option<String>,
    /// Caption.
    pub caption: Option<String>,
}

/// A uniqueness claim: a value that only one user may hold within a scope (or one relationship, for
/// a relationship's key), as in the primary key of `unique_claims`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Claim {
    /// Scope, such as `user.email` or `profiles.developer.properties.handle`.
    pub scope: Arc<str>,
    /// Canonical value; at most 512 bytes (a longer one is replaced by its digest).
    pub value_key: String,
}

impl Claim {
    /// Scope in which e-mail addresses are unique among all users, by [`NewUser::email_key`].
    pub const OF_EMAIL: &str = "user.email";

    /// Returns whether case does not count in the claimed value.
    pub(crate) fn ignores_case(&self) -> bool {
        *self.scope == *Self::OF_EMAIL || self.scope.ends_with(Self::CASE_INSENSITIVE)
    }

    /// Suffix of the scopes in which case does not count.
    pub(crate) const CASE_INSENSITIVE: &str = "~case";
}

/// A claim of a submission, with the field that it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct NewClaim {
    /// The claim.
    pub claim: Claim,
    /// The record that holds it.
    pub holder: ClaimHolder,
    /// Path of the field within that record, such as `properties.code`.
    pub path: Arc<str>,
}

/// The record that holds a claim. Addresses and files belong to the record that they are attached to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ClaimHolder {
    /// The user itself.
    User,
    /// The relationship that the submission is about.
    Relationship,
    /// A stored record.
    Stored {
        /// Kind of the record.
        kind: RecordKind,
        /// Id of the record.
        id: i64,
    },
    /// A new record: from the outermost record inwards, the kind and the index in the list of that kind
    /// in [`Records`] or [`Attachments`].
    New(Vec<(RecordKind, usize)>),
}

/// A row that must exist when the record is written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    /// Kind of the row.
    pub resource: RecordKind,
    /// Key of the row.
    pub value: ReferenceKey,
}

/// The key by which the row of a [`Reference`] is found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ReferenceKey {
    /// Numeric id.
    Id(i64),
    /// External id (users only).
    ExternalId(String),
    /// Canonical key of the e-mail address (users only).
    EmailKey(String),
    /// Key of a relationship among those of its type (relationships only).
    Key {
        /// Name of the relationship type.
        type_name: Arc<str>,
        /// Canonical key.
        key: String,
    },
}

/// A string that is never printed and is erased from memory when dropped. Its `Debug` output is
/// `[secret]`.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a string.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text.into())
    }

    /// Returns the string itself, to be hashed or compared, never printed.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.reveal() == other.reveal()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}
