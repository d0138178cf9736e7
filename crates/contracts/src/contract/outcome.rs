//! Outcomes of requests to a contract, each with its own answer.

macro_rules! outcomes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal [$($value:literal),*],)+) => {
        /// The outcome of a request.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Outcome { $($(#[doc = $doc])+ $variant,)+ }

        impl Outcome {
            /// All outcomes, in order of declaration.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Returns its name in contracts and logs.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
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
    Created = "created" ["user", "record", "ids", "generated"],
    /// The submission was accepted; the response does not reveal its result.
    Accepted = "accepted" [],
    /// The user or record.
    Found = "found" ["user", "record", "ids"],
    /// A page of users or records.
    Listed = "listed" ["users", "records", "page", "user"],
    /// The user or record was updated.
    Updated = "updated" ["user", "record", "ids", "generated"],
    /// Nothing was changed.
    Unchanged = "unchanged" ["user", "record", "ids"],
    /// The user or record was deleted.
    Deleted = "deleted" ["user", "record", "ids"],
    /// The token was issued.
    TokenIssued = "token_issued" ["credential", "user", "ids"],
    /// The name and password are valid.
    Verified = "verified" ["user", "ids"],
    /// The token was revoked.
    Revoked = "revoked" [],
    /// A fixed response.
    Responded = "responded" [],
    /// A credential in the body is not valid.
    Refused = "refused" ["errors", "details", "summary"],
    /// The request conflicts with the current state.
    Conflict = "conflict" ["user", "record", "ids", "errors", "details", "summary"],
    /// The caller is not allowed to do this.
    Forbidden = "forbidden" ["errors", "details", "summary"],
    /// Validation failed.
    Invalid = "invalid" ["errors", "error", "details", "summary", "language", "truncated"],
    /// A value that must be unique is already taken. If it has no answer of its own, `invalid` is
    /// used.
    Taken = "taken" ["errors", "error", "details", "summary", "language", "truncated"],
    /// The parameters that select the form are missing or wrong.
    WrongParameters = "wrong_parameters" ["parameter", "errors", "details", "summary"],
    /// The query is not valid.
    BadQuery = "bad_query" ["errors", "details", "summary"],
    /// The body is not a JSON object.
    NotAnObject = "not_an_object" ["got", "errors", "details", "summary"],
    /// The body is malformed.
    Malformed = "malformed" ["malformed", "errors", "details", "summary"],
    /// Credentials are missing.
    MissingCredentials = "missing_credentials" ["errors", "details", "summary"],
    /// The credentials are not valid.
    InvalidCredentials = "invalid_credentials" ["errors", "details", "summary"],
    /// The user or record was not found.
    NotFound = "not_found" ["errors", "details", "summary"],
    /// No route has this path.
    RouteNotFound = "route_not_found" ["errors", "details", "summary"],
    /// The path does not support this method.
    MethodNotAllowed = "method_not_allowed" ["allow", "errors", "details", "summary"],
    /// The content type of the body is not supported.
    UnsupportedMediaType = "unsupported_media_type" ["media_type", "errors", "details", "summary"],
    /// The API does not have the requested version.
    NotAcceptable = "not_acceptable" ["errors", "details", "summary"],
    /// Any other error, such as a body that is too large, a time-out, overload or a server failure.
    /// The answer takes the error's status.
    Error = "error" ["errors", "details", "summary"],
}

/// Root variables that every answer has.
pub(crate) const COMMON_ROOTS: [&str; 9] =
    ["status", "reason", "request", "elapsed", "base_url", "path", "query", "sent", "caller"];
