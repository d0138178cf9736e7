//! Stored users are changed, and go.

use std::sync::Arc;

use registrar_core::contract::{Lookup, Outcome};
use registrar_core::value::Value;
use registrar_store::{CreateError, StoredUser, UpdateUser, WriteError};

use super::answer::{Done, Own, failed};
use super::judging::Judging;
use super::records::kind_of;
use super::{ATTEMPTS, Call, contended, not_taken};
use crate::auth;
use crate::limits::in_time;
use crate::refused::not_hashed;
use crate::shown::{as_submitted, stored_user};

impl Call<'_> {
    /// Changes a user.
    pub(super) async fn update(&mut self) -> Result<Done, Done> {
        let user = self.find().await?;
        self.change(user).await
    }

    /// Changes a user who is there, or creates one.
    pub(super) async fn upsert(&mut self) -> Result<Done, Done> {
        match self.find_any().await? {
            Some(user) => self.change(user).await,
            None => self.create().await,
        }
    }

    async fn change(&mut self, mut user: StoredUser) -> Result<Done, Done> {
        let id = user.columns.id;
        let mut password_hash = None;
        for _ in 0..ATTEMPTS {
            self.knows(stored_user(user.clone()));
            self.check()?;
            if self.write(user, &mut password_hash).await? {
                if self.contract.shows(self.action, Outcome::Updated, "user")
                    && let Some(user) = auth::load(self.state, move |store| store.user(id)).await?
                {
                    self.knows(stored_user(user));
                }
                return Ok(Done::Outcome(Outcome::Updated, Own::new()));
            }
            let found = auth::load(self.state, move |store| store.user(id)).await?;
            let gone = || Done::Outcome(Outcome::NotFound, Own::new());
            user = found.ok_or_else(gone)?;
        }
        Err(contended())
    }

    /// Whether the user could be written as it was loaded. The hash of a password is kept for the
    /// next attempt.
    async fn write(
        &mut self,
        user: StoredUser,
        password_hash: &mut Option<String>,
    ) -> Result<bool, Done> {
        let (uuid, id, loaded_at) = (user.columns.uuid, user.columns.id, user.columns.updated_at);
        let stored = Arc::new(as_submitted(user));
        let before = Arc::clone(&stored);
        let judge = move |of: &Judging<'_>| {
            let contract = of.contract;
            of.by_form(|submission| {
                contract.validate_update(submission, &before).map_err(not_taken)
            })
        };
        let (_, mut changed) = self.judged_by_form(judge).await?;
        match changed.user.password.take() {
            Some(password) if password_hash.is_none() => {
                let hash = in_time(&self.state.settings, self.state.hashes.hash(password)).await?;
                *password_hash = Some(hash.map_err(not_hashed)?);
            }
            None => {
                let hashed = changed.user.password_hash.take();
                *password_hash = hashed.map(|hash| hash.reveal().to_owned());
            }
            Some(_) => {}
        }
        let (password_hash, by) = (password_hash.clone(), self.by_weight(&changed.user)?);
        let record =
            UpdateUser { id, uuid, lock_version: loaded_at, changed, password_hash, actor: by };
        let ends_sessions = record.password_hash.is_some();
        match in_time(&self.state.settings, self.state.store.update(record)).await? {
            Ok(()) => {
                if ends_sessions {
                    self.state.tokens.forget();
                }
                Ok(true)
            }
            Err(WriteError::NotFound | WriteError::Conflict) => Ok(false),
            Err(WriteError::Create(CreateError::Refused(refusals))) => {
                self.refused(Some(stored), &refusals).await
            }
            Err(WriteError::Create(error)) => Err(self.not_written(error)),
        }
    }

    /// Deletes a user.
    pub(super) async fn delete(&mut self) -> Result<Done, Done> {
        let id = match self.plainly_meant()? {
            Some(id) => id,
            None => {
                let user = self.find().await?;
                let id = user.columns.id;
                self.knows(stored_user(user));
                self.check()?;
                id
            }
        };
        let deleted = self.state.store.delete(id, self.by());
        match in_time(&self.state.settings, deleted).await? {
            Ok(()) => Ok(Done::Outcome(Outcome::Deleted, Own::new())),
            Err(WriteError::NotFound | WriteError::Conflict) => {
                Err(Done::Outcome(Outcome::NotFound, Own::new()))
            }
            Err(WriteError::Create(error)) => Err(self.not_written(error)),
        }
    }

    /// The id of the user who goes, where nothing need be known of them.
    fn plainly_meant(&self) -> Result<Option<i64>, Done> {
        let Call { contract, action, .. } = self;
        let shows = |root| contract.shows(action, Outcome::Deleted, root);
        let reaches_all = self.who.permissions.reaches_all() && contract.own_forms().is_none();
        if action.has_checks() || !reaches_all || shows("user") || shows("ids") {
            return Ok(None);
        }
        let sought = contract.resolve_lookup(action, self.asked).map_err(failed)?;
        Ok(if let [Lookup::Id(id)] = &*sought { Some(*id) } else { None })
    }

    /// Takes records of a user away.
    pub(super) async fn detach(&mut self) -> Result<Done, Done> {
        let user = self.find().await?;
        let shown: Value<'static> = stored_user(user);
        self.knows(shown.clone());
        self.check()?;
        let (resource, removed) =
            self.contract.removed_ids(self.action, self.asked, &shown).map_err(failed)?;
        let outcome = if removed.is_empty() { Outcome::Unchanged } else { Outcome::Updated };
        if let Some(kind) = kind_of(resource) {
            for id in removed {
                self.remove(kind, id).await?;
            }
        }
        Ok(Done::Outcome(outcome, Own::new()))
    }
}
