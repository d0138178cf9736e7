//! Operation `show`.

use registrar_contracts::Outcome;

use super::reply::Reply;
use super::request_cx::RequestCx;
use crate::error::ApiError;

impl RequestCx<'_> {
    /// Shows a user or a record.
    pub(super) async fn show(&mut self) -> Result<Reply, ApiError> {
        let entity = self.find().await?;
        self.set_entity(entity);
        self.check_preconditions()?;
        Ok(Outcome::Found.into())
    }
}
