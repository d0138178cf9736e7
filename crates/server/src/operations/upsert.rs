//! Operation `upsert`.

use super::reply::Reply;
use super::request_cx::RequestCx;
use crate::error::ApiError;

impl RequestCx<'_> {
    /// Updates a user, or creates it if it does not exist.
    pub(super) async fn upsert(&mut self) -> Result<Reply, ApiError> {
        match self.find_user().await? {
            Some(user) => self.update_entity(user.into()).await,
            None => self.create().await,
        }
    }
}
