//! Creates users in batches, one transaction for each batch.

use std::collections::BTreeSet;

use diesel::QueryResult;
use uuid::Uuid;

use crate::audit::{self, AuditAction};
use crate::claims::{self, Candidate, ClaimDecision};
use crate::clock::now;
use crate::connection::{AnyConnection, WriterConnection};
use crate::dialect::insert;
use crate::error::Refusal;
use crate::idempotency::{self, IdempotencyKey};
use crate::ids::{IdCounts, reserve_ids};
use crate::plan::RowBatch;
use crate::relationship_keys;
use crate::requests::{CreateUser, Created};
use crate::tokens;
use crate::transaction::{Committed, TransactionError, transaction};

/// An item of a batch.
pub(crate) trait BatchItem {
    /// Returns the user to create.
    fn request(&self) -> &CreateUser;
    /// Returns whether an earlier batch deferred the item.
    fn was_deferred(&self) -> bool;
}

/// Result of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CreateOutcome {
    /// The user was created.
    Created(Created),
    /// The database rejects the user.
    Refused(Vec<Refusal>),
    /// The token of the actor is not valid.
    InvalidToken,
    /// The idempotency key was used before.
    IdempotencyKeyUsed,
    /// The item must be retried in the next batch.
    Deferred,
}

/// Creates the users of a batch in one transaction.
pub(crate) fn write<I: BatchItem>(
    writer: &mut WriterConnection,
    items: &[I],
) -> Result<Committed<Vec<CreateOutcome>>, TransactionError> {
    let is_dirty = |outcomes: &Vec<CreateOutcome>| {
        let mut all = items.iter().zip(outcomes);
        all.any(|(item, outcome)| audit_action(item.request(), outcome).is_some())
    };
    transaction(writer, |conn| create_users(conn, items), is_dirty)
}

fn create_users<I: BatchItem>(
    conn: &mut AnyConnection,
    items: &[I],
) -> QueryResult<Vec<CreateOutcome>> {
    let requests: Vec<&CreateUser> = items.iter().map(BatchItem::request).collect();
    let tokens: BTreeSet<i64> = requests.iter().filter_map(|request| request.actor.token).collect();
    let valid = tokens::valid_tokens(conn, &tokens)?;
    let has_valid_token =
        |request: &CreateUser| request.actor.token.is_none_or(|token| valid.contains(&token));
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
    let eligible: Vec<(&I, &CreateUser)> = items
        .iter()
        .zip(requests.iter().copied())
        .zip(&is_eligible)
        .filter_map(|(item, is_eligible)| is_eligible.then_some(item))
        .collect();
    let candidates: Vec<Candidate<'_>> = eligible
        .iter()
        .map(|(item, request)| Candidate {
            uuid: Uuid::now_v7(),
            claims: &request.user.claims,
            references: &request.user.references,
            was_deferred: item.was_deferred(),
        })
        .collect();
    let decisions = claims::resolve(conn, &candidates)?;

    let accepted: Vec<&CreateUser> = eligible
        .iter()
        .zip(&decisions)
        .filter(|(_, decision)| **decision == ClaimDecision::Accepted)
        .map(|((_, request), _)| *request)
        .collect();
    let mut counts = IdCounts::default();
    for request in &accepted {
        counts.add(&request.user);
    }
    let mut ids = reserve_ids(conn, &counts)?;
    let mut rows = RowBatch::new(now());
    rows.relationship_ids =
        relationship_keys::find_or_create(conn, accepted.iter().map(|request| &request.user))?;
    let mut outcomes = Vec::with_capacity(items.len());
    let mut decided = candidates.iter().zip(decisions);
    for (index, request) in requests.iter().enumerate() {
        let decision = if is_eligible[index] { decided.next() } else { None };
        outcomes.push(match decision {
            None if is_key_used[index] => CreateOutcome::IdempotencyKeyUsed,
            None => CreateOutcome::InvalidToken,
            Some((candidate, ClaimDecision::Accepted)) => {
                let uuid = candidate.uuid;
                let id = rows.add(request, uuid, &mut ids)?;
                CreateOutcome::Created(Created { id, uuid })
            }
            Some((_, ClaimDecision::Refused(refusals))) => CreateOutcome::Refused(refusals),
            Some((_, ClaimDecision::Deferred)) => CreateOutcome::Deferred,
        });
    }
    rows.insert(conn)?;
    insert_audit_rows(conn, &requests, &outcomes)?;
    for ((key, request), outcome) in keys.into_iter().zip(&requests).zip(&outcomes) {
        match (key, outcome) {
            (None, _) | (_, CreateOutcome::IdempotencyKeyUsed) => {}
            (Some(key), CreateOutcome::Created(created)) => {
                idempotency::store_user_response(conn, key, *created)?;
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
fn audit_action(request: &CreateUser, outcome: &CreateOutcome) -> Option<AuditAction> {
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
    requests: &[&CreateUser],
    outcomes: &[CreateOutcome],
) -> QueryResult<()> {
    let now = now();
    let rows = requests.iter().zip(outcomes).filter_map(|(request, outcome)| {
        let action = audit_action(request, outcome)?;
        let CreateUser { actor, form_name, form_version, .. } = request;
        let mut row = audit::audit_row(actor, action, now);
        (row.form_name, row.form_version) = (Some(&**form_name), Some(&**form_version));
        Some(row)
    });
    insert(conn, &rows.collect::<Vec<_>>())
}
