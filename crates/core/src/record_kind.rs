//! Kinds of records and their names.

/// Kind of record. The resource of a form, the kind of a type and the target of a reference are
/// kinds of records too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordKind {
    /// A user.
    User,
    /// A profile of a user.
    Profile,
    /// A user's membership in a relationship.
    RelationshipUser,
    /// Something that a user offers.
    Transactable,
    /// A group of users.
    Relationship,
    /// A transactable in a relationship.
    RelationshipTransactable,
    /// A record attached to a user, profile, transactable or customization.
    Customization,
    /// An address.
    Address,
    /// An image.
    Image,
    /// A file.
    Attachment,
    /// Credentials of a sign-in: validated, never stored.
    Session,
}

/// Names of a kind. The types of a kind without `platformos_folders` cannot be declared.
struct Names {
    record: &'static str,
    message: &'static str,
    list: &'static str,
    resource: &'static str,
    form: &'static str,
    types: &'static str,
    platformos_folders: &'static [&'static str],
}

macro_rules! names {
    ($record:literal, $message:literal, $list:literal, $resource:literal, $folders:expr) => {
        &Names {
            record: $record,
            message: $message,
            list: $list,
            resource: $resource,
            form: concat!($resource, "Form"),
            types: concat!($message, " type"),
            platformos_folders: &$folders,
        }
    };
}

impl RecordKind {
    /// All kinds.
    pub(crate) const ALL: [Self; 11] = [
        Self::User,
        Self::Profile,
        Self::RelationshipUser,
        Self::Transactable,
        Self::Relationship,
        Self::RelationshipTransactable,
        Self::Customization,
        Self::Address,
        Self::Image,
        Self::Attachment,
        Self::Session,
    ];

    /// Kinds that have forms of their own.
    pub const RESOURCES: [Self; 7] = [
        Self::User,
        Self::Transactable,
        Self::Relationship,
        Self::RelationshipUser,
        Self::RelationshipTransactable,
        Self::Customization,
        Self::Session,
    ];

    /// Kinds that have types.
    pub const WITH_TYPES: [Self; 6] = [
        Self::Profile,
        Self::Transactable,
        Self::Relationship,
        Self::RelationshipUser,
        Self::RelationshipTransactable,
        Self::Customization,
    ];

    #[rustfmt::skip]
    const fn names(self) -> &'static Names {
        match self {
            Self::User => names!("user", "user", "users", "User", []),
            Self::Profile => names!(
                "profile", "profile", "profiles", "Profile",
                ["user_profile_types", "user_profile_schemas"]
            ),
            Self::RelationshipUser => names!(
                "relationship_user", "relationship user", "relationship_users", "RelationshipUser",
                ["relationship_user_types"]
            ),
            Self::Transactable => names!(
                "transactable", "transactable", "transactables", "Transactable",
                ["transactable_types"]
            ),
            Self::Relationship => names!(
                "relationship", "relationship", "relationships", "Relationship",
                ["relationship_types", "reservation_types"]
            ),
            Self::RelationshipTransactable => names!(
                "relationship_transactable", "relationship transactable",
                "relationship_transactables", "RelationshipTransactable",
                ["relationship_transactable_types"]
            ),
            Self::Customization => names!(
                "customization", "customization", "customizations", "Customization",
                ["custom_model_types", "model_schemas"]
            ),
            Self::Address => names!("address", "address", "custom_addresses", "Address", []),
            Self::Image => names!("image", "image", "custom_images", "Image", []),
            Self::Attachment => {
                names!("attachment", "attachment", "custom_attachments", "Attachment", [])
            }
            Self::Session => names!("session", "session", "sessions", "Session", []),
        }
    }

    /// Returns the name in answers and in the database: `relationship_user`.
    #[must_use]
    pub const fn record_name(self) -> &'static str {
        self.names().record
    }

    /// Returns the name in messages: `relationship user`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.names().message
    }

    /// Returns the key of a list of such records, which is also the folder of their types:
    /// `relationship_users`.
    #[must_use]
    pub const fn list_name(self) -> &'static str {
        self.names().list
    }

    /// Returns the name in `resource:` of forms: `RelationshipUser`.
    #[must_use]
    pub const fn resource_name(self) -> &'static str {
        self.names().resource
    }

    /// Returns the name in platformOS' `base_form:`: `RelationshipUserForm`.
    pub(crate) const fn form_name(self) -> &'static str {
        self.names().form
    }

    /// Returns the name of its types in messages: `relationship user type`.
    pub(crate) const fn types_name(self) -> &'static str {
        self.names().types
    }

    /// Returns the names of platformOS' folders for its types.
    pub(crate) const fn platformos_folder_names(self) -> &'static [&'static str] {
        self.names().platformos_folders
    }

    /// Returns whether its records have types.
    #[must_use]
    pub const fn has_types(self) -> bool {
        !self.platformos_folder_names().is_empty()
    }

    /// Returns the field that names the owner, or `None` if the kind has no owner.
    pub(crate) const fn owner_field(self) -> Option<&'static str> {
        match self {
            Self::Transactable => Some("creator_id"),
            Self::RelationshipUser | Self::Customization => Some("user_id"),
            _ => None,
        }
    }
}
