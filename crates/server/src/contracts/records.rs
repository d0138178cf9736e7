//! Records by themselves: listings, relationships, memberships, listings in relationships and
//! customizations are created, shown, changed, and go.

use std::sync::Arc;

use registrar_core::contract::{Lookup, Outcome};
use registrar_core::form::Resource;
use registrar_core::value::Value;
use registrar_store::{
    CreateError, CreateRecord, Pagination, RecordFilter, RecordKind, RecordPage, StoredRecord,
    UpdateRecord, WriteError,
};

use super::answer::{Done, Own, failed};
use super::judging::Judging;
use super::once::{Keyed, only_id};
use super::{ATTEMPTS, Call, contended, not_taken, note_record};
use crate::auth;
use crate::limits::in_time;
use crate::records::render::{record_as_submitted, stored_record};
use crate::refused::has_room;
use crate::shown::stored_user;

/// The kind of record that a resource is; nothing of users and sessions.
pub(super) fn kind_of(resource: Resource) -> Option<RecordKind> {
    match resource {
        Resource::User | Resource::Session => None,
        Resource::Transactable => Some(RecordKind::Transactable),
        Resource::Relationship => Some(RecordKind::Relationship),
        Resource::RelationshipUser => Some(RecordKind::RelationshipUser),
        Resource::RelationshipTransactable => Some(RecordKind::RelationshipTransactable),
        Resource::Customization => Some(RecordKind::Customization),
    }
}

impl Call<'_> {
    /// Creates a record.
    pub(super) async fn create_record(&mut self, kind: RecordKind) -> Result<Done, Done> {
        let within = self.owner().await?;
        self.check()?;
        let keyed = self.by_key().await?;
        let store = self.state.store.clone();
        let judge = move |of: &Judging<'_>| {
            let contract = of.contract;
            of.by_form(|submission| {
                has_room::<Done>(&store)?;
                contract.validate(submission).map_err(not_taken)
            })
        };
        let (form, bag) = self.judged_by_form(judge).await?;
        let once = keyed.as_ref().map(|keyed| self.once(keyed, &form, None));
        let (owner, by) = (within.or(self.who.user_id), self.by_weight(&bag)?);
        let record = CreateRecord { bag, owner, actor: by, idempotency_key: once };
        match in_time(&self.state.settings, self.state.store.create_record(record)).await? {
            Ok(id) => {
                if let Some(done) = keyed.as_ref().and_then(Keyed::kept) {
                    return Ok(done);
                }
                let found = auth::load(self.state, move |store| store.record(kind, id)).await?;
                match found {
                    Some(record) => self.knows_record(stored_record(record)),
                    None => self.knows_record(only_id(id)),
                }
                Ok(Done::Outcome(Outcome::Created, Own::new()))
            }
            Err(CreateError::Refused(refusals)) => self.refused(None, &refusals).await,
            Err(CreateError::IdempotencyKeyUsed) => match &keyed {
                Some(keyed) => Err(self.done_meanwhile(keyed).await),
                None => Err(self.not_written(CreateError::IdempotencyKeyUsed)),
            },
            Err(error) => Err(self.not_written(error)),
        }
    }

    /// Shows a record.
    pub(super) async fn show_record(&mut self, kind: RecordKind) -> Result<Done, Done> {
        let record = self.find_record(kind).await?;
        self.knows_record(stored_record(record));
        self.check()?;
        Ok(Done::Outcome(Outcome::Found, Own::new()))
    }

    /// Shows a page of records.
    pub(super) async fn list_records(&mut self, kind: RecordKind) -> Result<Done, Done> {
        let owner = self.owner().await?;
        self.check()?;
        let (page, window) = self.page()?;
        let sought = self.contract.resolve_lookup(self.action, self.asked).map_err(failed)?;
        let filter = self.filter(&sought, owner);
        let room = self.room();
        let found = self.load(move |store| {
            let RecordPage { records, total } = store.records(kind, &filter, window)?;
            let held = room.hold(records.iter().map(StoredRecord::estimated_size));
            Ok(held.map(|held| {
                (held, records.into_iter().map(stored_record).collect::<Vec<_>>(), total)
            }))
        });
        let (held, records, total) = found.await??;
        self.keep(held);
        Ok(self.listed(records.into_iter(), (page, total)))
    }

    /// Changes a record.
    pub(super) async fn update_record(&mut self, kind: RecordKind) -> Result<Done, Done> {
        let mut record = self.find_record(kind).await?;
        let id = record.id();
        for _ in 0..ATTEMPTS {
            self.knows_record(stored_record(record.clone()));
            self.check()?;
            if self.write_record(kind, record).await? {
                if let Some(record) =
                    auth::load(self.state, move |store| store.record(kind, id)).await?
                {
                    self.knows_record(stored_record(record));
                }
                return Ok(Done::Outcome(Outcome::Updated, Own::new()));
            }
            record = self.find_record(kind).await?;
        }
        Err(contended())
    }

    /// Whether the record could be written as it was loaded.
    async fn write_record(&mut self, kind: RecordKind, record: StoredRecord) -> Result<bool, Done> {
        let (id, loaded_at) = (record.id(), record.lock_version);
        let stored = Arc::new(record_as_submitted(record));
        let before = Arc::clone(&stored);
        let judge = move |of: &Judging<'_>| {
            let contract = of.contract;
            of.by_form(|submission| {
                contract.validate_update(submission, &before).map_err(not_taken)
            })
        };
        let (_, changed) = self.judged_by_form(judge).await?;
        let by = self.by_weight(&changed.user)?;
        let record = UpdateRecord { kind, id, lock_version: loaded_at, changed, actor: by };
        match in_time(&self.state.settings, self.state.store.update_record(record)).await? {
            Ok(()) => Ok(true),
            Err(WriteError::NotFound | WriteError::Conflict) => Ok(false),
            Err(WriteError::Create(CreateError::Refused(refusals))) => {
                self.refused(Some(stored), &refusals).await
            }
            Err(WriteError::Create(error)) => Err(self.not_written(error)),
        }
    }

    /// Deletes a record.
    pub(super) async fn delete_record(&mut self, kind: RecordKind) -> Result<Done, Done> {
        let record = self.find_record(kind).await?;
        let id = record.id();
        self.knows_record(stored_record(record));
        self.check()?;
        self.remove(kind, id).await
    }

    /// Takes one record away.
    pub(super) async fn remove(&self, kind: RecordKind, id: i64) -> Result<Done, Done> {
        let deleted = self.state.store.delete_record(kind, id, self.by());
        match in_time(&self.state.settings, deleted).await? {
            Ok(()) => Ok(Done::Outcome(Outcome::Deleted, Own::new())),
            Err(WriteError::NotFound | WriteError::Conflict) => {
                Err(Done::Outcome(Outcome::NotFound, Own::new()))
            }
            Err(WriteError::Create(error)) => Err(self.not_written(error)),
        }
    }

    /// The record that is meant: of the type that the route or the form says, and of the user that
    /// the path names.
    async fn find_record(&mut self, kind: RecordKind) -> Result<StoredRecord, Done> {
        let owner = self.owner().await?;
        let of_form = if self.action.names_form() {
            let chosen = |of: &Judging<'_>| -> Result<_, Done> {
                let sent = of.sent()?;
                Ok(of.chosen(&sent)?.0.record_type.clone())
            };
            self.judged(chosen).await??
        } else {
            None
        };
        let sought = self.contract.resolve_lookup(self.action, self.asked).map_err(failed)?;
        let mut filter = self.filter(&sought, owner);
        if let Some(name) = of_form {
            filter.type_name = Some(name.to_string());
        }
        let room = self.room();
        let is_nobody = sought.is_empty() || sought.contains(&Lookup::Nobody);
        let found = self.load(move |store| match is_nobody {
            true => Ok(None),
            false => {
                let record = store.records(kind, &filter, Pagination::FIRST)?.records.pop();
                let held = room.hold(record.iter().map(StoredRecord::estimated_size));
                Ok(Some(held.map(|held| (held, record))))
            }
        });
        let found = match found.await? {
            Some(found) => {
                let (held, record) = found?;
                self.keep(held);
                record
            }
            None => None,
        };
        found.ok_or_else(|| Done::Outcome(Outcome::NotFound, Own::new()))
    }

    /// The user that the path says the record is of.
    async fn owner(&mut self) -> Result<Option<i64>, Done> {
        let Some(sought) = self.contract.resolve_parent(self.action, self.asked).map_err(failed)?
        else {
            return Ok(None);
        };
        let user = self.user(sought).await?;
        let user = user.ok_or_else(|| Done::Outcome(Outcome::NotFound, Own::new()))?;
        let id = user.columns.id;
        self.knows(stored_user(user));
        Ok(Some(id))
    }

    /// Returns the filter that every look-up of records uses: what is sought, of the user that the path
    /// names, among what the caller reaches.
    fn filter(&self, sought: &[Lookup], owner: Option<i64>) -> RecordFilter {
        let type_name = self.action.record_type.as_ref().map(ToString::to_string);
        let mut filter = RecordFilter { type_name, ..RecordFilter::default() };
        for said in sought {
            match said {
                Lookup::Id(id) => {
                    let is_one = filter.ids.as_ref().is_none_or(|ids| ids.contains(id));
                    filter.ids = Some(is_one.then_some(*id).into_iter().collect());
                }
                Lookup::Key(key) => filter.key = Some(key.clone()),
                Lookup::Owner(id) => filter.user_id = Some(*id),
                Lookup::Relationship(id) => filter.relationship_id = Some(*id),
                // Nothing of the kind is known of records.
                _ => filter.ids = Some(Vec::new()),
            }
        }
        filter.user_id = owner.or(filter.user_id);
        self.who.permissions.narrow_records(&mut filter);
        filter
    }

    /// From here on, expressions and answers know a record.
    fn knows_record(&mut self, record: Value<'static>) {
        note_record(self.contract, self.asked, record);
    }
}
