//! Creates users in batches, one transaction for each batch.

use std::collections::BTreeSet;

use diesel::QueryResult;
use registrar_core::record_kind::RecordKind;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::audit::{self, AuditAction};
use super::claims::{self, Candidate, ClaimDecision};
use super::idempotency::{self, IdempotencyKey};
use super::relationship_keys;
use super::requests::CreateRequest;
use super::row_batch::RowBatch;
use crate::clock::now;
use crate::connection::{
    AnyConnection, Committed, TransactionError, WriterConnection, transaction,
};
use crate::error::{CreateError, Refusal};
use crate::sql::insert;
use crate::tables::api_tokens::valid_tokens;
use crate::tables::counters::{IdCounts, reserve_ids};
use crate::tables::users::Created;

/// A user to create, with the channel for the result.
pub(crate) struct CreateJob {
    pub(crate) request: CreateRequest,
    pub(crate) reply: oneshot::Sender<Result<Created, CreateError>>,
    /// Whether an earlier batch deferred it.
    pub(crate) was_deferred: bool,
}

impl CreateJob {
    pub(super) fn reply(self, result: Result<Created, CreateError>) {
        // The receiver is dropped if the client has disconnected; the user stays stored.
        let _ = self.reply.send(result);
    }
}

/// Result of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CreateOutcome {
    /// The user was created.
    Created(Created),
    /// The database rejects the user.
    Refused(Vec<Refusal>),
    /// The token of the actor is not valid.
    InvalidToken,
    /// The idempotency key was used before.
    IdempotencyKeyUsed,
    /// The job must be retried in the next batch.
    Deferred,
}

/// Creates the users of a batch in one transaction.
pub(super) fn write(
    writer: &mut WriterConnection,
    jobs: &[CreateJob],
) -> Result<Committed<Vec<CreateOutcome>>, TransactionError> {
    let is_dirty = |outcomes: &Vec<CreateOutcome>| {
        let mut all = jobs.iter().zip(outcomes);
        all.any(|(job, outcome)| audit_action(&job.request, outcome).is_some())
    };
    transaction(writer, |conn| create_users(conn, jobs), is_dirty)
}

fn create_users(conn: &mut AnyConnection, jobs: &[CreateJob]) -> QueryResult<Vec<CreateOutcome>> {
    let requests: Vec<&CreateRequest> = jobs.iter().map(|job| &job.request).collect();
    let tokens: BTreeSet<i64> = requests.iter().filter_map(|request| request.actor.token).collect();
    let valid = valid_tokens(conn, &tokens)?;
    let has_valid_token =
        |request: &CreateRequest| request.actor.token.is_none_or(|token| valid.contains(&token));
    let keys: Vec<Option<&IdempotencyKey>> = requests
        .iter()
        .map(|request| request.idempotency_key.as_ref().filter(|_| has_valid_token(request)))
        .collect();
    let is_key_used = idempotency::reserve(conn, &keys)?;
    let is_eligible: Vec<bool> = requests
        .iter()
        .zip(&is_key_used)
        .map(|(request, is_key_used)| has_valid_token(request) && !is_key_used)
        .collect();
    let eligible: Vec<&CreateJob> = jobs
        .iter()
        .zip(&is_eligible)
        .filter_map(|(job, is_eligible)| is_eligible.then_some(job))
        .collect();
    let candidates: Vec<Candidate<'_>> = eligible
        .iter()
        .map(|job| Candidate {
            uuid: Uuid::now_v7(),
            aggregate: &job.request.aggregate,
            was_deferred: job.was_deferred,
        })
        .collect();
    let decisions = claims::resolve(conn, &candidates)?;

    let accepted: Vec<&CreateRequest> = eligible
        .iter()
        .zip(&decisions)
        .filter(|(_, decision)| **decision == ClaimDecision::Accepted)
        .map(|(job, _)| &job.request)
        .collect();
    let mut counts = IdCounts::default();
    for request in &accepted {
        counts.add_user(&request.aggregate.entity.records());
    }
    let mut ids = reserve_ids(conn, &counts)?;
    let records = accepted.iter().map(|request| request.aggregate.entity.records());
    let relationship_ids = relationship_keys::find_or_create(conn, records)?;
    let mut rows = RowBatch::new(now(), relationship_ids);
    let mut outcomes = Vec::with_capacity(jobs.len());
    let mut decided = candidates.iter().zip(decisions);
    for (index, request) in requests.iter().enumerate() {
        let decision = if is_eligible[index] { decided.next() } else { None };
        outcomes.push(match decision {
            None if is_key_used[index] => CreateOutcome::IdempotencyKeyUsed,
            None => CreateOutcome::InvalidToken,
            Some((candidate, ClaimDecision::Accepted)) => {
                let uuid = candidate.uuid;
                let id = rows.add_new_user(request, uuid, &mut ids)?;
                CreateOutcome::Created(Created { id, uuid: Some(uuid) })
            }
            Some((_, ClaimDecision::Refused(refusals))) => CreateOutcome::Refused(refusals),
            Some((_, ClaimDecision::Deferred)) => CreateOutcome::Deferred,
        });
    }
    rows.write(conn)?;
    insert_audit_rows(conn, &requests, &outcomes)?;
    for ((key, request), outcome) in keys.into_iter().zip(&requests).zip(&outcomes) {
        match (key, outcome) {
            (None, _) | (_, CreateOutcome::IdempotencyKeyUsed) => {}
            (Some(key), CreateOutcome::Created(created)) => {
                idempotency::store_created(conn, key, RecordKind::User, *created)?;
            }
            (Some(key), _) if audit_action(request, outcome).is_some() => {
                idempotency::store_empty_response(conn, key)?;
            }
            (Some(key), _) => idempotency::release(conn, key)?,
        }
    }
    Ok(outcomes)
}

/// Returns the action to record, or `None` if nothing is stored for the outcome.
fn audit_action(request: &CreateRequest, outcome: &CreateOutcome) -> Option<AuditAction> {
    match outcome {
        CreateOutcome::Created(created) => Some(AuditAction::user_created(created.id)),
        CreateOutcome::Refused(refusals) if request.hides_conflicts && are_all_taken(refusals) => {
            Some(AuditAction::SIGN_UP_ATTEMPT)
        }
        _ => None,
    }
}

fn are_all_taken(refusals: &[Refusal]) -> bool {
    refusals.iter().all(|refusal| matches!(refusal, Refusal::Taken { .. }))
}

fn insert_audit_rows(
    conn: &mut AnyConnection,
    requests: &[&CreateRequest],
    outcomes: &[CreateOutcome],
) -> QueryResult<()> {
    let now = now();
    let rows = requests.iter().zip(outcomes).filter_map(|(request, outcome)| {
        let action = audit_action(request, outcome)?;
        let CreateRequest { actor, form_name, form_version, .. } = request;
        let mut row = audit::audit_row(actor, action, now);
        (row.form_name, row.form_version) = (Some(&**form_name), Some(&**form_version));
        Some(row)
    });
    insert(conn, &rows.collect::<Vec<_>>())
}
