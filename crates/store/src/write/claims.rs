//! Decides which submissions get their claims, and updates the claims of stored users and records.

use std::collections::{BTreeSet, HashMap};

use diesel::QueryResult;
use registrar_core::aggregate::{Aggregate, Claim, ClaimHolder, NewClaim, Records, Reference};
use registrar_core::changes::ReleasedClaims;
use uuid::Uuid;

use crate::connection::AnyConnection;
use crate::error::Refusal;
use crate::read::references::{RowLock, missing_references};
use crate::tables::counters::{IdCounts, last_ids, preceding_records};
use crate::tables::unique_claims::{
    ClaimInsert, StoredClaim, delete_claim, delete_claims_of_owners, existing_claims, insert_claims,
};

/// A submission of a batch that competes for its claims.
#[derive(Debug)]
pub(crate) struct Candidate<'a> {
    pub(crate) uuid: Uuid,
    pub(crate) aggregate: &'a Aggregate,
    /// Whether it was deferred before. Its claims are then checked before they are inserted.
    pub(crate) was_deferred: bool,
}

/// Result of a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ClaimDecision {
    /// All its claims are inserted and all its references exist.
    Accepted,
    /// None of its claims is inserted. Taken claims in their order, then missing references in theirs.
    Refused(Vec<Refusal>),
    /// An earlier candidate of the batch has an equal claim, and may still be rejected. None of the
    /// claims is inserted; the candidate must be retried in the next batch.
    Deferred,
}

/// A claim of a candidate.
#[derive(Debug, Clone, Copy)]
struct CandidateClaim<'a> {
    new: &'a NewClaim,
    candidate: usize,
    index: usize,
}

/// Decides about the candidates of a batch, in the transaction that writes them.
pub(crate) fn resolve(
    conn: &mut AnyConnection,
    candidates: &[Candidate<'_>],
) -> QueryResult<Vec<ClaimDecision>> {
    let references: Vec<&[Reference]> =
        candidates.iter().map(|it| &*it.aggregate.references).collect();
    let mut missing = missing_references(conn, &references, RowLock::KeyShare)?;
    let mut taken: Vec<Vec<usize>> = vec![Vec::new(); candidates.len()];
    let mut is_deferred = vec![false; candidates.len()];

    let mut entries: Vec<CandidateClaim<'_>> = Vec::with_capacity(candidates.len() * 2);
    for (candidate, Candidate { aggregate, .. }) in candidates.iter().enumerate() {
        let claims = aggregate.claims.iter().enumerate();
        entries.extend(claims.map(|(index, new)| CandidateClaim { new, candidate, index }));
    }
    entries.sort_unstable_by_key(|entry| (&entry.new.claim, entry.candidate, entry.index));

    // A claim that a candidate makes twice is taken the second time.
    entries.dedup_by(|later, earlier| {
        let is_same = later.new.claim == earlier.new.claim && later.candidate == earlier.candidate;
        if is_same {
            taken[later.candidate].push(later.index);
        }
        is_same
    });

    // Candidates that are rejected anyway insert no claims, but all taken ones are reported. Those that
    // were deferred are checked first, so that many candidates with one claim are rejected at once.
    let is_rejected: Vec<bool> =
        (0..candidates.len()).map(|i| !missing[i].is_empty() || !taken[i].is_empty()).collect();
    let is_checked = |entry: &&CandidateClaim<'_>| {
        is_rejected[entry.candidate] || candidates[entry.candidate].was_deferred
    };
    let checked: Vec<&CandidateClaim<'_>> = entries.iter().filter(is_checked).collect();
    let claims: Vec<&Claim> = checked.iter().map(|entry| &entry.new.claim).collect();
    for index in existing_claims(conn, &claims)? {
        taken[checked[index].candidate].push(checked[index].index);
    }
    entries
        .retain(|entry| missing[entry.candidate].is_empty() && taken[entry.candidate].is_empty());

    // Of several candidates with one claim, the first continues.
    let mut first: Option<CandidateClaim<'_>> = None;
    for entry in &entries {
        match first {
            Some(first) if first.new.claim == entry.new.claim => {
                is_deferred[entry.candidate] = true;
            }
            _ => first = Some(*entry),
        }
    }
    entries.retain(|entry| !is_deferred[entry.candidate]);

    let mut is_accepted: Vec<bool> = (0..candidates.len())
        .map(|i| missing[i].is_empty() && taken[i].is_empty() && !is_deferred[i])
        .collect();
    insert_accepted(conn, candidates, entries, &mut is_accepted, &mut taken)?;

    Ok((0..candidates.len())
        .map(|i| {
            if is_deferred[i] {
                return ClaimDecision::Deferred;
            }
            taken[i].sort_unstable();
            let taken = taken[i].iter().map(|&claim| Refusal::Taken { claim });
            let refusals: Vec<Refusal> = taken.chain(missing[i].drain(..)).collect();
            if refusals.is_empty() {
                ClaimDecision::Accepted
            } else {
                ClaimDecision::Refused(refusals)
            }
        })
        .collect())
}

/// Inserts the claims of accepted candidates. Those of which another record holds a claim are no longer
/// accepted: their conflicts are added to `taken`, and none of their claims is inserted.
fn insert_accepted(
    conn: &mut AnyConnection,
    candidates: &[Candidate<'_>],
    mut entries: Vec<CandidateClaim<'_>>,
    is_accepted: &mut [bool],
    taken: &mut [Vec<usize>],
) -> QueryResult<()> {
    while !entries.is_empty() {
        let last_ids = match entries.iter().any(|entry| is_of_new_record(entry.new)) {
            true => last_ids(conn)?.map(|last| last_ids_before(last, candidates, is_accepted)),
            false => None,
        };
        let inserts: Vec<ClaimInsert<'_>> = entries
            .iter()
            .map(|entry| {
                let Candidate { uuid, aggregate, .. } = candidates[entry.candidate];
                let last_ids = last_ids.as_ref().map(|before| &before[entry.candidate]);
                claim_insert(entry.new, uuid, &aggregate.entity.records(), last_ids)
            })
            .collect();
        let mut rejected = BTreeSet::new();
        for index in insert_claims(conn, &inserts)? {
            let CandidateClaim { candidate, index, .. } = entries[index];
            taken[candidate].push(index);
            is_accepted[candidate] = false;
            rejected.insert(candidate);
        }
        let Some(&first) = rejected.first() else { break };
        // The new records of later candidates get other ids.
        let is_retried = |candidate: usize| last_ids.is_some() && candidate > first;
        let is_deleted = |it: &usize| rejected.contains(it) || is_retried(*it);
        let deleted = (0..candidates.len()).filter(is_deleted);
        let owners: Vec<Uuid> = deleted.map(|candidate| candidates[candidate].uuid).collect();
        delete_claims_of_owners(conn, &owners)?;
        entries.retain(|entry| is_accepted[entry.candidate] && is_retried(entry.candidate));
    }
    Ok(())
}

fn is_of_new_record(claim: &NewClaim) -> bool {
    matches!(claim.holder, ClaimHolder::New(_))
}

/// Returns the last ids before each candidate gets its own.
fn last_ids_before(
    mut last: IdCounts,
    candidates: &[Candidate<'_>],
    is_accepted: &[bool],
) -> Vec<IdCounts> {
    let mut before = Vec::with_capacity(candidates.len());
    for (candidate, is_accepted) in candidates.iter().zip(is_accepted) {
        before.push(last.clone());
        if *is_accepted {
            last.add_user(&candidate.aggregate.entity.records());
        }
    }
    before
}

/// Returns a claim to insert. The id of a new record follows from the last ids before its user's.
fn claim_insert<'a>(
    claim: &'a NewClaim,
    owner: Uuid,
    records: &Records<'_>,
    last_ids: Option<&IdCounts>,
) -> ClaimInsert<'a> {
    let new_id = match (&claim.holder, last_ids) {
        (ClaimHolder::New(path), Some(last)) => {
            let last = path.last().and_then(|(kind, _)| last.of(*kind));
            last.map(|last| last + 1 + preceding_records(records, path))
        }
        _ => None,
    };
    ClaimInsert { claim, owner, new_id }
}

/// The stored claims that an update may change, and those that it releases.
#[derive(Default)]
pub(crate) struct StoredClaims<'r> {
    pub(crate) held: Vec<StoredClaim>,
    pub(crate) released: Option<&'r ReleasedClaims>,
}

/// Inserts the new claims of a user, moves those that went from one of its records to another, and
/// deletes the released ones. Returns the taken claims and missing references, each in their order; if
/// there are any, the caller must roll back.
pub(crate) fn update_claims<'u>(
    conn: &mut AnyConnection,
    owner: &Uuid,
    aggregate: &'u Aggregate,
    stored: StoredClaims<'_>,
) -> QueryResult<Vec<Refusal>> {
    let is_released = |held: &StoredClaim| {
        let StoredClaim { claim, holder, path } = held;
        stored.released.is_some_and(|released| released.contains(claim, holder, path))
    };
    let mut held: HashMap<&Claim, &StoredClaim> =
        stored.held.iter().map(|held| (&held.claim, held)).collect();
    let (mut taken, mut new) = (Vec::new(), Vec::new());
    for (index, claim) in aggregate.claims.iter().enumerate() {
        match held.remove(&claim.claim) {
            None => new.push((index, claim)),
            Some(held) if held.holder == claim.holder => {}
            Some(held) if is_released(held) => {
                delete_claim(conn, &held.claim)?;
                new.push((index, claim));
            }
            Some(_) => taken.push(index),
        }
    }
    new.sort_by_key(|(_, new)| &new.claim);
    let last_ids = match new.iter().any(|(_, new)| is_of_new_record(new)) {
        true => last_ids(conn)?,
        false => None,
    };
    let records = aggregate.entity.records();
    let insert =
        |(_, new): &(usize, &'u NewClaim)| claim_insert(new, *owner, &records, last_ids.as_ref());
    let inserts: Vec<ClaimInsert<'_>> = new.iter().map(insert).collect();
    taken.extend(insert_claims(conn, &inserts)?.into_iter().map(|index| new[index].0));
    taken.sort_unstable();
    for held in held.into_values().filter(|held| is_released(held)) {
        delete_claim(conn, &held.claim)?;
    }

    let missing = missing_references(conn, &[&aggregate.references], RowLock::KeyShare)?;
    let taken = taken.into_iter().map(|claim| Refusal::Taken { claim });
    Ok(taken.chain(missing.into_iter().flatten()).collect())
}
