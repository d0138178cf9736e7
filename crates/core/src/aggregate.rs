//! What a valid submission becomes: a user with everything that is written together with it, or, of
//! a form for another resource, one record that hangs on a user who is there. What one to a stored
//! user or record becomes is in [`crate::changes`].
//!
//! The store writes these types and knows nothing of forms. They hold no path and no rule; what a
//! refusal of the database means for the client is looked up through [`Claim`]'s and
//! [`Reference`]'s places in [`NewUser`].

use std::fmt;
use std::sync::Arc;

use crate::rules::may_be_of;
use crate::value::Value;

/// A JSON object as text, with its keys sorted and its numbers in plain notation, so that every
/// database gives back the same. Always an object: `{}` when there is nothing to say.
pub type JsonObject = String;

/// A validated user with everything nested in it, ready to be written in one transaction.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct NewUser {
    /// As the client spelled it, without surrounding space.
    pub email: Option<String>,
    /// The key under which equal spellings of `email` meet (see [`crate::keys::email_key`]).
    pub email_key: Option<String>,
    /// The id this user has in somebody else's database.
    pub external_id: Option<String>,
    /// To be hashed before it is stored; never written as it is.
    pub password: Option<Secret>,
    /// Hashed elsewhere, in PHC string format; `password` counts before it.
    pub password_hash: Option<Secret>,
    /// First name.
    pub first_name: Option<String>,
    /// Middle name.
    pub middle_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Full name, as given; it is not made from the others.
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
    /// The declared custom properties.
    pub properties: Option<JsonObject>,
    /// At most one for each type.
    pub profiles: Vec<NewProfile>,
    /// Memberships of this user in relationships, in the order sent.
    pub relationship_users: Vec<NewRelationshipUser>,
    /// What this user offers, in the order sent; its creator is this user.
    pub transactables: Vec<NewTransactable>,
    /// Customizations of the user itself, in the order sent.
    pub customizations: Vec<NewCustomization>,
    /// Relationships: only of their own forms, and then one.
    pub relationships: Vec<NewRelationship>,
    /// Listings in relationships: only of their own forms, and then one.
    pub relationship_transactables: Vec<NewRelationshipTransactable>,
    /// Of the form of a record: the user that the submission says it belongs to.
    pub owner: Option<i64>,
    /// Of the form of a customization: the record that it hangs on; nothing where that is its user.
    pub customizable: Option<Customizable>,
    /// The uniqueness this user claims. The database decides; a lost claim is named by its index.
    pub claims: Vec<Claim>,
    /// The rows of the database that must exist. One that is missing is named by its index.
    pub references: Vec<Reference>,
}

impl NewUser {
    /// Whether nobody else may have its e-mail address, so that the claim leads to this user.
    #[must_use]
    pub fn claims_its_email(&self) -> bool {
        let is_of_email = |claim: &Claim| {
            *claim.scope == *Claim::OF_EMAIL && Some(&claim.value_key) == self.email_key.as_ref()
        };
        self.email.is_some() && self.claims.iter().any(is_of_email)
    }
}

/// A profile of the new user.
#[derive(Debug, Clone, PartialEq)]
pub struct NewProfile {
    /// The id of the stored record that this one takes the place of; nothing where it is new.
    pub id: Option<i64>,
    /// Name of the profile type.
    pub type_name: Arc<str>,
    /// Whether the profile is switched on.
    pub enabled: bool,
    /// Typed properties.
    pub properties: JsonObject,
    /// Addresses, files and customizations that hang on the profile.
    pub attached: Attachments,
}

/// A listing of the new user.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTransactable {
    /// The id of the stored record that this one takes the place of; nothing where it is new.
    pub id: Option<i64>,
    /// Name of the transactable type.
    pub type_name: Arc<str>,
    /// What it is called.
    pub name: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// ISO 4217 code.
    pub currency: String,
    /// Whether it is on offer.
    pub enabled: bool,
    /// Typed properties.
    pub properties: JsonObject,
    /// Addresses, files and customizations that hang on the listing.
    pub attached: Attachments,
}

/// A membership of the new user in a relationship.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRelationshipUser {
    /// The id of the stored record that this one takes the place of; nothing where it is new.
    pub id: Option<i64>,
    /// Name of the relationship user type.
    pub type_name: Arc<str>,
    /// The relationship.
    pub relationship: RelationshipLink,
    /// Typed properties.
    pub properties: JsonObject,
}

/// Which relationship a membership belongs to.
#[derive(Debug, Clone, PartialEq)]
pub enum RelationshipLink {
    /// One that exists, by its id. [`NewUser::references`] names it too.
    Existing(i64),
    /// A new one of this relationship type, made in the same transaction.
    New {
        /// Name of the relationship type.
        type_name: Arc<str>,
    },
    /// The one of this relationship type that has this key.
    Keyed {
        /// Name of the relationship type.
        type_name: Arc<str>,
        /// The key, as [`crate::keys::text_key`] makes it.
        key: String,
        /// The properties with which it is made in the same transaction where it is missing.
        /// Nothing where it must be there; [`NewUser::references`] names it then.
        make: Option<JsonObject>,
    },
}

/// A relationship.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRelationship {
    /// The id of the stored record that this one takes the place of; nothing where it is new.
    pub id: Option<i64>,
    /// Name of the relationship type.
    pub type_name: Arc<str>,
    /// What names it among those of its type, as the claim that no other has it.
    pub key: Option<Claim>,
    /// Typed properties.
    pub properties: JsonObject,
}

/// A listing in a relationship.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRelationshipTransactable {
    /// The id of the stored record that this one takes the place of; nothing where it is new.
    pub id: Option<i64>,
    /// Name of the relationship transactable type.
    pub type_name: Arc<str>,
    /// The relationship. [`NewUser::references`] names it too.
    pub relationship_id: i64,
    /// The listing. [`NewUser::references`] names it too.
    pub transactable_id: i64,
    /// Typed properties.
    pub properties: JsonObject,
}

/// What a customization hangs on. [`NewUser::references`] names it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Customizable {
    /// What kind of record it is.
    pub resource: ReferenceTarget,
    /// Its id.
    pub id: i64,
}

/// A customization: a typed record that hangs on another.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCustomization {
    /// The id of the stored record that this one takes the place of; nothing where it is new.
    pub id: Option<i64>,
    /// Name of the customization type.
    pub type_name: Arc<str>,
    /// Typed properties.
    pub properties: JsonObject,
    /// Addresses, files and further customizations.
    pub attached: Attachments,
}

/// What hangs on a profile, a listing or a customization.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Attachments {
    /// Addresses, each named by the type's property.
    pub addresses: Vec<NewAddress>,
    /// Images and attachments, each named by the type's property.
    pub files: Vec<NewFile>,
    /// Customizations, in the order sent.
    pub customizations: Vec<NewCustomization>,
}

/// An address.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct NewAddress {
    /// The id of the stored record that this one takes the place of; nothing where it is new.
    pub id: Option<i64>,
    /// The property of the type that this address fills.
    pub name: Arc<str>,
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

/// A file that lives elsewhere: Registrar keeps what is known of it.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct NewFile {
    /// The id of the stored record that this one takes the place of; nothing where it is new.
    pub id: Option<i64>,
    /// The property of the type that this file fills.
    pub name: Arc<str>,
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

/// A value that only one user (or, of a relationship's, one relationship) may hold within a scope, as the primary key of `unique_claims`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Claim {
    /// What is unique, e.g. `user.email` or `profiles.developer.properties.handle`.
    pub scope: Arc<str>,
    /// The normalised value; at most 512 bytes (longer ones are their digest).
    pub value_key: String,
}

impl Claim {
    /// The scope in which an e-mail address is unique among all users, under
    /// [`NewUser::email_key`].
    pub const OF_EMAIL: &str = "user.email";

    /// Whether a stored object may hold this claim, as far as its values say. `path` is where the
    /// object stands in every form, such as `transactables.boat.properties`; `around` is the record
    /// that it is the `properties` of.
    #[must_use]
    pub fn may_be_of(&self, path: &str, object: &Value<'_>, around: Option<&Value<'_>>) -> bool {
        may_be_of(self, path, object, around)
    }
}

/// A row that must exist when the user is written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    /// The table it is looked for in.
    pub resource: ReferenceTarget,
    /// The value it is found by.
    pub value: ReferenceKey,
}

/// Where a [`Reference`] points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReferenceTarget {
    /// A user.
    User,
    /// A relationship.
    Relationship,
    /// A transactable.
    Transactable,
    /// A profile of a user.
    Profile,
    /// A customization.
    Customization,
}

/// What a [`Reference`] is found by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ReferenceKey {
    /// The numeric id.
    Id(i64),
    /// The external id (users only).
    ExternalId(String),
    /// The key of the e-mail address (users only).
    EmailKey(String),
    /// The key of a relationship among those of its type (relationships only).
    Key {
        /// Name of the relationship type.
        type_name: Arc<str>,
        /// The key.
        key: String,
    },
}

/// A text that must never be shown: its `Debug` is `[secret]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself: to be hashed or compared, never to be printed.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}
