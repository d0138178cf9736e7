//! Outcomes of requests to a contract, each with its own answer.

use strum::{EnumString, IntoStaticStr, VariantNames};

macro_rules! outcomes {
    ($($(#[doc = $doc:literal])+ $variant:ident [$($value:literal),*],)+) => {
        /// The outcome of a request.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(EnumString, IntoStaticStr, VariantNames)]
        #[strum(serialize_all = "snake_case")]
        pub enum Outcome { $($(#[doc = $doc])+ $variant,)+ }

        impl Outcome {
            /// Returns its name in contracts and logs.
            #[must_use]
            pub fn name(self) -> &'static str {
                self.into()
            }

            /// Returns its description for OpenAPI.
            pub(crate) fn description(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }

            /// Returns the root variables that only this outcome's answer has.
            pub(crate) fn values(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($value),*],)+ }
            }
        }
    };
}

outcomes! {
    /// The user or record was created.
    Created ["user", "record", "ids", "generated"],
    /// The submission was accepted; the response does not reveal its result.
    Accepted [],
    /// The user or record.
    Found ["user", "record", "ids"],
    /// A page of users or records.
    Listed ["users", "records", "page", "user"],
    /// The user or record was updated.
    Updated ["user", "record", "ids", "generated"],
    /// Nothing was changed.
    Unchanged ["user", "record", "ids"],
    /// The user or record was deleted.
    Deleted ["user", "record", "ids"],
    /// The token was issued.
    TokenIssued ["credential", "user", "ids"],
    /// The name and password are valid.
    Verified ["user", "ids"],
    /// The token was revoked.
    Revoked [],
    /// A fixed response.
    Responded [],
    /// A credential in the body is not valid.
    Refused ["errors", "details", "summary"],
    /// The request conflicts with the current state.
    Conflict ["user", "record", "ids", "errors", "details", "summary"],
    /// The caller is not allowed to do this.
    Forbidden ["errors", "details", "summary"],
    /// Validation failed.
    Invalid ["errors", "error", "details", "summary", "language", "truncated"],
    /// A value that must be unique is already taken. If it has no answer of its own, `invalid` is
    /// used.
    Taken ["errors", "error", "details", "summary", "language", "truncated"],
    /// The parameters that select the form are missing or wrong.
    WrongParameters ["parameter", "errors", "details", "summary"],
    /// The query is not valid.
    BadQuery ["errors", "details", "summary"],
    /// The body is not a JSON object.
    NotAnObject ["got", "errors", "details", "summary"],
    /// The body is malformed.
    Malformed ["malformed", "errors", "details", "summary"],
    /// Credentials are missing.
    MissingCredentials ["errors", "details", "summary"],
    /// The credentials are not valid.
    InvalidCredentials ["errors", "details", "summary"],
    /// The user or record was not found.
    NotFound ["errors", "details", "summary"],
    /// No route has this path.
    RouteNotFound ["errors", "details", "summary"],
    /// The path does not support this method.
    MethodNotAllowed ["allow", "errors", "details", "summary"],
    /// The content type of the body is not supported.
    UnsupportedMediaType ["media_type", "errors", "details", "summary"],
    /// The API does not have the requested version.
    NotAcceptable ["errors", "details", "summary"],
    /// Any other error, such as a body that is too large, a time-out, overload or a server failure.
    /// The answer takes the error's status.
    Error ["errors", "details", "summary"],
}

/// Root variables that every answer has.
pub(crate) const COMMON_ROOTS: [&str; 9] =
    ["status", "reason", "request", "elapsed", "base_url", "path", "query", "sent", "caller"];
