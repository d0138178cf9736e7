//! What a route does.

use strum::{EnumString, IntoStaticStr, VariantNames};

use super::outcome::Outcome;

/// An operation on users or records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum Operation {
    /// Creates a user or a record from the submission.
    Create,
    /// Returns one user or record.
    Show,
    /// Returns a page of users or records.
    List,
    /// Updates one from the submission.
    Update,
    /// Updates one from the submission, or creates it if there is none.
    Upsert,
    /// Deletes one, with everything nested in it.
    Delete,
    /// Deletes nested records of a user.
    Remove,
    /// Issues a token to a caller that presents another credential.
    IssueToken,
    /// Verifies a user's name and password.
    Verify,
    /// Revokes the caller's token.
    Revoke,
    /// Sends an answer without doing anything else.
    Respond,
}

impl Operation {
    /// Returns the name of the operation in contracts.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Whether the submission is validated by a form.
    #[must_use]
    pub fn has_form(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Upsert)
    }

    /// Whether it writes nothing, so that the token need not be checked again in a transaction.
    #[must_use]
    pub fn only_reads(self) -> bool {
        matches!(self, Self::Show | Self::List)
    }

    /// Whether it reads a body.
    #[must_use]
    pub fn has_body(self) -> bool {
        self.has_form() || matches!(self, Self::Remove | Self::IssueToken | Self::Verify)
    }

    /// Whether it addresses an existing user or record.
    pub(crate) fn looks_up(self) -> bool {
        matches!(
            self,
            Self::Show | Self::Update | Self::Upsert | Self::Delete | Self::Remove | Self::Verify
        )
    }

    /// Returns the outcomes of the operation, without those that every operation can have.
    pub(crate) fn outcomes(self) -> &'static [Outcome] {
        use Outcome as O;
        match self {
            Self::Create => &[O::Created, O::Invalid],
            Self::Show => &[O::Found, O::NotFound],
            Self::List => &[O::Listed, O::NotFound],
            Self::Update => &[O::Updated, O::Invalid, O::NotFound],
            Self::Upsert => &[O::Updated, O::Created, O::Invalid],
            Self::Delete => &[O::Deleted, O::NotFound],
            Self::Remove => &[O::Updated, O::Unchanged, O::NotFound],
            Self::IssueToken => &[O::TokenIssued, O::Refused],
            Self::Verify => &[O::Verified, O::Refused],
            Self::Revoke => &[O::Revoked],
            Self::Respond => &[O::Responded],
        }
    }
}
