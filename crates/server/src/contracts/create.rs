//! What is sent becomes a user.

use registrar_core::contract::Outcome;
use registrar_core::value::Value;
use registrar_store::{CreateError, CreateUser, Created, Refusal};

use super::answer::{Done, Own, failed};
use super::judging::Judging;
use super::once::{Keyed, brief};
use super::{Call, not_taken, note_user};
use crate::auth;
use crate::limits::in_time;
use crate::refused::{by_kind, has_room, not_hashed, not_owned};
use crate::shown::stored_user;

impl Call<'_> {
    /// Creates a user.
    pub(super) async fn create(&mut self) -> Result<Done, Done> {
        self.check()?;
        if self.who.permissions.owner().is_some() {
            return Err(not_owned().into());
        }
        let keyed = self.by_key().await?;
        let store = self.state.store.clone();
        let judge = move |of: &Judging<'_>| match of.new_user(|| has_room(&store)) {
            (Some(form), judged) => (Some(form), Ok(judged)),
            (None, Ok(_)) => (None, Err(failed("no form was found".to_owned()))),
            (None, Err(done)) => (None, Err(done)),
        };
        let (form, judged) = self.judged_by_form(judge).await?;
        let mut user = match judged {
            Ok(user) => user,
            Err(done) if self.is_discreet(&form) => return Err(done),
            Err(done) => return Err(self.first_told(done).await?),
        };
        let keyed = match keyed {
            None => self.by_field(&form, &user).await?,
            keyed => keyed,
        };
        let password_hash = match user.password.take() {
            Some(password) => {
                let hash = in_time(&self.state.settings, self.state.hashes.hash(password)).await?;
                Some(hash.map_err(not_hashed)?)
            }
            None => user.password_hash.take().map(|hash| hash.reveal().to_owned()),
        };
        let external_id = user.external_id.clone();
        let once = keyed.as_ref().map(|keyed| self.once(keyed, &form, Some(&user)));
        let (form_name, form_version) = (form.name.clone(), form.version.clone());
        let (by, is_discreet) = (self.by_weight(&user)?, self.is_discreet(&form));
        let record = CreateUser {
            user,
            password_hash,
            form_name,
            form_version,
            actor: by,
            idempotency_key: once,
            hides_conflicts: is_discreet,
        };
        let created = in_time(&self.state.settings, self.state.store.create(record)).await?;
        match (created, &keyed) {
            (Ok(_), None) if is_discreet => Ok(Done::Outcome(Outcome::Accepted, Own::new())),
            (Ok(created), keyed) => match keyed.as_ref().and_then(Keyed::kept) {
                Some(done) => Ok(done),
                None => self.created(created, external_id).await,
            },
            (Err(CreateError::IdempotencyKeyUsed), Some(keyed)) => {
                Err(self.done_meanwhile(keyed).await)
            }
            (Err(CreateError::Refused(mut refusals)), _) => {
                if is_discreet {
                    refusals.retain(|refusal| !matches!(refusal, Refusal::Taken { .. }));
                    if refusals.is_empty() {
                        let kept = keyed.as_ref().and_then(Keyed::kept);
                        let accepted = || Done::Outcome(Outcome::Accepted, Own::new());
                        return Ok(kept.unwrap_or_else(accepted));
                    }
                }
                self.refused(None, &refusals).await
            }
            (Err(error), _) => Err(self.not_written(error)),
        }
    }

    /// What is told first of a submission that breaks rules, where that depends on what the
    /// database would refuse of it too.
    async fn first_told(&mut self, done: Done) -> Result<Done, Done> {
        if !matches!(done, Done::Invalid(_)) || !self.contract.order_needs_database() {
            return Ok(done);
        }
        let contested = |of: &Judging<'_>| {
            let contract = of.contract;
            of.by_form(|submission| contract.contested(submission).map_err(failed))
        };
        let (_, (claims, references)) = self.judged_by_form(contested).await?;
        let refusals =
            auth::load(self.state, move |store| store.refusals(&claims, &references)).await?;
        let refusals = by_kind(&refusals);
        let told = self.judged_by_form(move |of| {
            let contract = of.contract;
            of.by_form(|submission| Ok(not_taken(contract.explain_whole(submission, &refusals))))
        });
        Ok(told.await?.1)
    }

    async fn created(
        &mut self,
        created: Created,
        external_id: Option<String>,
    ) -> Result<Done, Done> {
        if self.contract.shows(self.action, Outcome::Created, "user") {
            let id = created.id;
            let found = auth::load(self.state, move |store| store.user(id)).await?;
            if let Some(user) = found {
                return Ok(self.shows(Outcome::Created, stored_user(user)));
            }
        }
        Ok(self.shows(Outcome::Created, brief(created, external_id)))
    }

    /// The outcome that shows a user.
    pub(super) fn shows(&mut self, outcome: Outcome, user: Value<'static>) -> Done {
        self.knows(user);
        Done::Outcome(outcome, Own::new())
    }

    /// From here on, expressions and answers know a user.
    pub(super) fn knows(&mut self, user: Value<'static>) {
        note_user(self.contract, self.asked, user);
    }
}
