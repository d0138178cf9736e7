//! What can come of a request to an API.

macro_rules! outcomes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal [$($value:literal),*],)+) => {
        /// What can come of a request.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Outcome { $($(#[doc = $doc])+ $variant,)+ }

        impl Outcome {
            /// All of them.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// What it is called in a contract, and in logs.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What it is, in words.
            pub(crate) fn description(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }

            /// The values that only its answer has.
            pub(crate) fn values(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($value),*],)+ }
            }
        }
    };
}

outcomes! {
    /// A user or a record was created.
    Created = "created" ["user", "record", "ids", "generated"],
    /// What was sent was taken, and nothing is told of what came of it.
    Accepted = "accepted" [],
    /// A user or a record is shown.
    Found = "found" ["user", "record", "ids"],
    /// A page of them is shown.
    Listed = "listed" ["users", "records", "page", "user"],
    /// One was changed.
    Updated = "updated" ["user", "record", "ids", "generated"],
    /// There was nothing to change.
    Unchanged = "unchanged" ["user", "record", "ids"],
    /// One was deleted.
    Deleted = "deleted" ["user", "record", "ids"],
    /// A credential was made.
    TokenIssued = "token_issued" ["credential", "user", "ids"],
    /// A credential counts.
    Verified = "verified" ["user", "ids"],
    /// A credential ended.
    Revoked = "revoked" [],
    /// There is nothing to do but to answer.
    Responded = "responded" [],
    /// A credential in the body does not count.
    Refused = "refused" ["errors", "details", "summary"],
    /// The state of things is against it.
    Conflict = "conflict" ["user", "record", "ids", "errors", "details", "summary"],
    /// Who asks may not.
    Forbidden = "forbidden" ["errors", "details", "summary"],
    /// Rules are broken.
    Invalid = "invalid" ["errors", "error", "details", "summary", "language", "truncated"],
    /// Somebody else has what must be one user's alone, where that has an answer of its own.
    Taken = "taken" ["errors", "error", "details", "summary", "language", "truncated"],
    /// What is around the form is wrong.
    WrongParameters = "wrong_parameters" ["parameter", "errors", "details", "summary"],
    /// The query makes no sense.
    BadQuery = "bad_query" ["errors", "details", "summary"],
    /// The body is something else than an object.
    NotAnObject = "not_an_object" ["got", "errors", "details", "summary"],
    /// The body cannot be read.
    Malformed = "malformed" ["malformed", "errors", "details", "summary"],
    /// Nobody says who asks.
    MissingCredentials = "missing_credentials" ["errors", "details", "summary"],
    /// Who asks is not let in.
    InvalidCredentials = "invalid_credentials" ["errors", "details", "summary"],
    /// There is no such user or record.
    NotFound = "not_found" ["errors", "details", "summary"],
    /// There is no such path.
    RouteNotFound = "route_not_found" ["errors", "details", "summary"],
    /// The path has other methods.
    MethodNotAllowed = "method_not_allowed" ["allow", "errors", "details", "summary"],
    /// The body is of a type that is not read.
    UnsupportedMediaType = "unsupported_media_type" ["media_type", "errors", "details", "summary"],
    /// There is no such version of the API.
    NotAcceptable = "not_acceptable" ["errors", "details", "summary"],
    /// Anything else: too large, too slow, too busy, broken. With the status that says which.
    Error = "error" ["errors", "details", "summary"],
}

/// Values that every answer has.
pub(crate) const COMMON_ROOTS: [&str; 9] =
    ["status", "reason", "request", "elapsed", "base_url", "path", "query", "sent", "caller"];
