//! The context of a validation besides the submission itself. The caller passes it in, since this
//! crate reads no clock.

use std::sync::Arc;

pub use jiff::Timestamp;

/// The time of a submission and the token that it is made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvalContext {
    /// The time that `now` and `today` mean in rules and expressions, fixed for the whole
    /// submission.
    pub now: Timestamp,
    /// Name of the token; empty if there is none.
    pub token: Arc<str>,
}

impl Default for EvalContext {
    /// Returns a context at 1970-01-01T00:00:00Z without a token.
    fn default() -> Self {
        Self { now: Timestamp::UNIX_EPOCH, token: Arc::default() }
    }
}
