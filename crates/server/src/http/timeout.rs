//! Time limit of a request.

use std::time::Duration;

use crate::error::ApiError;
use crate::settings::Settings;

/// Waits for a future, at most for the time limit of a request.
///
/// # Errors
/// Returns 503 on time-out. A write may still complete.
pub(crate) async fn with_timeout<T>(
    settings: &Settings,
    work: impl Future<Output = T>,
) -> Result<T, ApiError> {
    let limit = Duration::from_secs(settings.request_seconds);
    tokio::time::timeout(limit, work).await.map_err(|_| {
        let text = "the request timed out and may still be completed: check the result, or retry with \
                    the same Idempotency-Key";
        ApiError::unavailable("timeout", text, 2)
    })
}
