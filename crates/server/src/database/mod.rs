//! Access to the store with the time limit of a request.

mod user_lookup;

use std::sync::Arc;

use actix_web::web;
use registrar_store::{ReadError, Store};

pub(crate) use user_lookup::{find_user, find_users};

use crate::error::ApiError;
use crate::http::timeout::with_timeout;
use crate::settings::Settings;

/// The store, with the time limit of a request. Clones are handles to the same store.
#[derive(Clone)]
pub(crate) struct Database {
    store: Store,
    settings: Arc<Settings>,
}

impl Database {
    pub(crate) fn new(store: Store, settings: Arc<Settings>) -> Self {
        Self { store, settings }
    }

    /// Returns the store.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Runs a read on the blocking pool.
    ///
    /// # Errors
    /// Returns 503 on time-out or if the database is unavailable, 500 if the read fails.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let store = self.store.clone();
        let done = self.within_timeout(web::block(move || work(&store))).await?;
        Ok(done.unwrap_or(Err(ReadError::Failed))?)
    }

    /// Waits for a write.
    ///
    /// # Errors
    /// Returns 503 on time-out. The write may still complete.
    pub(crate) async fn within_timeout<T>(
        &self,
        work: impl Future<Output = T>,
    ) -> Result<T, ApiError> {
        with_timeout(&self.settings, work).await
    }

    /// Checks that the write queue has room, before a submission is evaluated.
    ///
    /// # Errors
    /// Returns 503 if it is full.
    pub(crate) fn check_room(&self) -> Result<(), ApiError> {
        let is_free = self.store.has_room();
        if is_free { Ok(()) } else { Err((&registrar_store::CreateError::Busy).into()) }
    }
}
