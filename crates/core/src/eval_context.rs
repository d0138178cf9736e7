//! What a submission's verdict depends on besides the submission: passed in, for the core knows no
//! clock.

use std::sync::Arc;

pub use jiff::Timestamp;

/// The moment of a submission and who makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvalContext {
    /// The moment that `now` and `today` in rules and expressions mean. One for the whole
    /// submission.
    pub now: Timestamp,
    /// The name of the token it is made with; empty where there is none.
    pub token: Arc<str>,
}

impl Default for EvalContext {
    /// 1970-01-01T00:00:00Z, and no token.
    fn default() -> Self {
        Self { now: Timestamp::UNIX_EPOCH, token: Arc::default() }
    }
}
