//! One transaction per request, on a pooled connection in actix's blocking threads.

use actix_web::web;
use diesel::r2d2::Pool;

use super::connection::Manager;
use super::passwords::Hasher;
use super::seller::{Outcome, Seller};

/// The connection pool.
#[derive(Clone)]
pub(super) struct Each {
    pool: Pool<Manager>,
}

impl Each {
    /// Opens the pool with this number of connections.
    pub(super) fn start(url: &str, connections: u32) -> Result<Self, diesel::r2d2::PoolError> {
        let manager = Manager { url: url.to_owned() };
        Pool::builder().max_size(connections).build(manager).map(|pool| Self { pool })
    }

    /// Hashes the password, if there is one, and writes the seller.
    pub(super) async fn create(&self, mut seller: Seller, password: Option<String>) -> Outcome {
        let pool = self.pool.clone();
        let write = move || {
            if let Some(password) = password {
                // Hash before taking a connection, so that no connection is held meanwhile.
                seller.phc = Some(Hasher::new()?.hash(&password)?);
            }
            let mut conn = pool.get().ok()?;
            conn.write(&[&seller]).ok()?.pop()
        };
        web::block(write).await.ok().flatten().unwrap_or(Outcome::Failed)
    }
}
