//! Writes, which are queued for the writer threads.

use registrar_core::aggregate::NewEntity;
use registrar_core::record_kind::RecordKind;
use tokio::sync::oneshot;

use super::Store;
use crate::error::{CreateError, WriteError};
use crate::tables::api_tokens::NewToken;
use crate::tables::users::Created;
use crate::write::audit::Actor;
use crate::write::batch::CreateJob;
use crate::write::jobs::{Job, WriteJob, WriteOperation};
use crate::write::queue::PushError;
use crate::write::requests::{CreateRequest, UpdateRequest};

impl Store {
    /// Creates a user with its nested records, or a record, and returns its ids once they are durable.
    ///
    /// The call queues the job, not the first poll of the future. Dropping the future does not cancel
    /// it.
    ///
    /// # Errors
    /// See [`CreateError`]. Returns [`CreateError::Busy`] at once if the queue is full, and
    /// [`crate::Refusal::MissingOwner`] if the owner of a record is unknown.
    pub fn create(
        &self,
        request: CreateRequest,
    ) -> impl Future<Output = Result<Created, CreateError>> + Send + use<> {
        let (user, record) = match &request.aggregate.entity {
            NewEntity::User(user) => {
                debug_assert!(
                    user.password.is_none() || request.password_hash.is_some(),
                    "the caller must hash the password"
                );
                let (reply, result) = oneshot::channel();
                let job = CreateJob { request, reply, was_deferred: false };
                (Some((self.push(Job::Create(job)), result)), None)
            }
            _ => (None, Some(self.submit(WriteOperation::Create(Box::new(request))))),
        };
        async move {
            if let Some((queued, result)) = user {
                queued?;
                // A writer that ends without a reply has stored nothing, or ended during the commit.
                return result.await.unwrap_or(Err(CreateError::Unavailable));
            }
            let Some(record) = record else { return Err(CreateError::Internal) };
            match record.await {
                Ok(id) => Ok(Created { id, uuid: None }),
                Err(WriteError::Create(error)) => Err(error),
                // The owner is not the user that the actor is restricted to.
                Err(WriteError::NotFound) => Err(CreateError::OwnerMismatch),
                Err(WriteError::Conflict) => Err(CreateError::Internal),
            }
        }
    }

    /// Updates a user or record and returns once that is durable. Queued like [`create`](Self::create).
    ///
    /// # Errors
    /// See [`WriteError`]. Returns [`WriteError::Conflict`] if the user of the record, or the
    /// relationship, was changed since it was loaded.
    pub fn update(
        &self,
        request: UpdateRequest,
    ) -> impl Future<Output = Result<(), WriteError>> + Send + use<> {
        let user = request.changed.aggregate.entity.as_user();
        debug_assert!(
            user.is_none_or(|user| user.password.is_none()) || request.password_hash.is_some(),
            "the caller must hash the password"
        );
        without_id(self.submit(WriteOperation::Update(Box::new(request))))
    }

    /// Deletes a user or a record with its nested records and claims, and returns once that is durable.
    /// With a relationship its users and transactables are removed from it.
    ///
    /// # Errors
    /// See [`WriteError`]. Returns [`WriteError::NotFound`] if it does not exist.
    pub fn delete(
        &self,
        kind: RecordKind,
        id: i64,
        actor: Actor,
    ) -> impl Future<Output = Result<(), WriteError>> + Send + use<> {
        without_id(self.submit(WriteOperation::Delete { kind, id, actor }))
    }

    /// Stores a token, in a transaction that checks its parent token, and returns its id once that is
    /// durable. Queued like [`create`](Self::create).
    ///
    /// # Errors
    /// See [`WriteError`]. Returns [`WriteError::Conflict`] if the name or the hash exists, and
    /// [`WriteError::NotFound`] if its user does not exist.
    pub fn issue_token(
        &self,
        token: NewToken,
    ) -> impl Future<Output = Result<i64, WriteError>> + Send + use<> {
        self.submit(WriteOperation::IssueToken(Box::new(token)))
    }

    /// Revokes all tokens of a user's sessions except the actor's own, and returns once that is
    /// durable.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn end_sessions(
        &self,
        user_id: i64,
        actor: Actor,
    ) -> impl Future<Output = Result<(), WriteError>> + Send + use<> {
        without_id(self.submit(WriteOperation::EndSessions { user_id, actor }))
    }

    /// Revokes a token by its name and returns once that is durable.
    ///
    /// # Errors
    /// See [`WriteError`]. Returns [`WriteError::NotFound`] if there is no such token or it is already
    /// revoked.
    pub fn revoke(
        &self,
        name: String,
        actor: Actor,
    ) -> impl Future<Output = Result<(), WriteError>> + Send + use<> {
        without_id(self.submit(WriteOperation::RevokeToken { name, actor }))
    }

    /// Replaces the hash of a password by another hash of the same password. Does nothing if the job
    /// cannot be queued or the password was changed meanwhile.
    pub fn rehash(&self, user_id: i64, old: String, new: String) {
        drop(self.submit(WriteOperation::Rehash { user_id, old, new }));
    }

    /// Records a failed sign-in in the audit log. Does nothing if the job cannot be queued.
    pub fn record_failed_sign_in(&self, user_id: i64, actor: Actor) {
        drop(self.submit(WriteOperation::FailedSignIn { user_id, actor }));
    }

    fn submit(
        &self,
        operation: WriteOperation,
    ) -> impl Future<Output = Result<i64, WriteError>> + Send + use<> {
        let (reply, result) = oneshot::channel();
        let queued = self.push(Job::Write(WriteJob { operation, reply }));
        async move {
            queued?;
            result.await.unwrap_or(Err(CreateError::Unavailable.into()))
        }
    }

    fn push(&self, job: Job) -> Result<(), CreateError> {
        self.inner.queue.push(job).map_err(|error| match error {
            PushError::Full => CreateError::Busy,
            PushError::Closed => CreateError::ShuttingDown,
            PushError::NoWriters => CreateError::Unavailable,
        })
    }
}

async fn without_id(
    submitted: impl Future<Output = Result<i64, WriteError>> + Send,
) -> Result<(), WriteError> {
    submitted.await.map(drop)
}
