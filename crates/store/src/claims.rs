//! Who of a batch may be stored: the references and claims of its submissions, decided together.
//!
//! The answers come from the database (see [`crate::dialect`]); here they are drawn together, so
//! that a refused submission learns all that stands against it and its neighbours notice nothing.

use std::collections::{BTreeSet, HashSet};

use diesel::QueryResult;
use registrar_core::aggregate::{Claim, Reference, ReferenceKey, ReferenceTarget};
use uuid::Uuid;

use crate::connection::AnyConnection;
use crate::dialect::{self, ClaimInsert, RowLock, UserKey};
use crate::error::Refusal;

/// One submission of a batch, as far as it concerns its claims.
#[derive(Debug)]
pub(crate) struct Candidate<'a> {
    pub(crate) uuid: Uuid,
    pub(crate) claims: &'a [Claim],
    pub(crate) references: &'a [Reference],
    /// Whether it was put off before. It is then first checked whether its claims are taken.
    pub(crate) was_deferred: bool,
}

/// What is decided about a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ClaimDecision {
    /// It holds all it claimed.
    Accepted,
    /// It holds nothing. Claims in their order, then references in theirs.
    Refused(Vec<Refusal>),
    /// It claims what an earlier submission of this batch claims too; who gets it shows only once
    /// that one is stored or refused. Nothing was asked for it: it belongs into the next batch.
    Deferred,
}

/// A claim of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct CandidateClaim<'a> {
    claim: &'a Claim,
    candidate: usize,
    index: usize,
}

/// Decides about a batch, within the transaction that will write it.
pub(crate) fn resolve(
    conn: &mut AnyConnection,
    candidates: &[Candidate<'_>],
) -> QueryResult<Vec<ClaimDecision>> {
    let mut missing = missing_references(conn, candidates)?;
    let mut taken: Vec<Vec<usize>> = vec![Vec::new(); candidates.len()];
    let mut deferred = vec![false; candidates.len()];

    // Sorted by claim, and like claims by candidate.
    let mut entries: Vec<CandidateClaim<'_>> = Vec::with_capacity(candidates.len() * 2);
    for (candidate, Candidate { claims, .. }) in candidates.iter().enumerate() {
        entries.extend(claims.iter().enumerate().map(|(index, claim)| CandidateClaim {
            claim,
            candidate,
            index,
        }));
    }
    entries.sort_unstable();

    // What one submission claims twice, it cannot get twice.
    entries.dedup_by(|later, earlier| {
        let same = later.claim == earlier.claim && later.candidate == earlier.candidate;
        if same {
            taken[later.candidate].push(later.index);
        }
        same
    });

    // Those that are refused anyway claim nothing, but are told what they would have been refused.
    // Those that were put off look first, so that a crowd after one claim is refused at once.
    let refused: Vec<bool> =
        (0..candidates.len()).map(|i| !missing[i].is_empty() || !taken[i].is_empty()).collect();
    let needs_check = |entry: &&CandidateClaim<'_>| {
        refused[entry.candidate] || candidates[entry.candidate].was_deferred
    };
    let checked: Vec<&CandidateClaim<'_>> = entries.iter().filter(needs_check).collect();
    if !checked.is_empty() {
        let claims: Vec<&Claim> = checked.iter().map(|entry| entry.claim).collect();
        for index in dialect::claims_that_exist(conn, &claims)? {
            taken[checked[index].candidate].push(checked[index].index);
        }
    }
    entries
        .retain(|entry| missing[entry.candidate].is_empty() && taken[entry.candidate].is_empty());

    // Of those that claim the same, the first goes on.
    let mut earlier: Option<CandidateClaim<'_>> = None;
    for entry in &entries {
        match earlier {
            Some(first) if first.claim == entry.claim => deferred[entry.candidate] = true,
            _ => earlier = Some(*entry),
        }
    }
    entries.retain(|entry| !deferred[entry.candidate]);

    let claims: Vec<ClaimInsert<'_>> = entries
        .iter()
        .map(|entry| ClaimInsert { claim: entry.claim, owner: &candidates[entry.candidate].uuid })
        .collect();
    let mut rejected = BTreeSet::new();
    if !claims.is_empty() {
        for index in dialect::insert_claims(conn, &claims)? {
            taken[entries[index].candidate].push(entries[index].index);
            rejected.insert(entries[index].candidate);
        }
    }
    if !rejected.is_empty() {
        let owners: Vec<Uuid> = rejected.iter().map(|&index| candidates[index].uuid).collect();
        dialect::delete_claims(conn, &owners)?;
    }

    Ok((0..candidates.len())
        .map(|i| {
            if deferred[i] {
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

/// What would be refused of claims and references, as things are.
pub(crate) fn preview(
    conn: &mut AnyConnection,
    claims: &[Claim],
    references: &[Reference],
) -> QueryResult<Vec<Refusal>> {
    let claims: Vec<&Claim> = claims.iter().collect();
    let taken = match claims.is_empty() {
        true => Vec::new(),
        false => dialect::claims_that_exist(conn, &claims)?,
    };
    let candidate = Candidate { uuid: Uuid::nil(), claims: &[], references, was_deferred: false };
    let missing = missing_with_lock(conn, &[candidate], RowLock::None)?;
    let taken = taken.into_iter().map(|claim| Refusal::Taken { claim });
    Ok(taken.chain(missing.into_iter().flatten()).collect())
}

/// The references of each candidate that lead nowhere.
pub(crate) fn missing_references(
    conn: &mut AnyConnection,
    candidates: &[Candidate<'_>],
) -> QueryResult<Vec<Vec<Refusal>>> {
    missing_with_lock(conn, candidates, RowLock::KeyShare)
}

fn missing_with_lock(
    conn: &mut AnyConnection,
    candidates: &[Candidate<'_>],
    lock: RowLock,
) -> QueryResult<Vec<Vec<Refusal>>> {
    let mut missing = vec![Vec::new(); candidates.len()];
    let wanted: HashSet<&Reference> =
        candidates.iter().flat_map(|candidate| candidate.references).collect();
    if wanted.is_empty() {
        return Ok(missing);
    }
    let found = existing_references(conn, &wanted, lock)?;
    for (candidate, missing) in candidates.iter().zip(&mut missing) {
        for (reference, wanted) in candidate.references.iter().enumerate() {
            if !found.contains(wanted) {
                missing.push(Refusal::Missing { reference });
            }
        }
    }
    Ok(missing)
}

/// Those of the references that lead somewhere: one question for each kind that occurs.
fn existing_references(
    conn: &mut AnyConnection,
    wanted: &HashSet<&Reference>,
    lock: RowLock,
) -> QueryResult<HashSet<Reference>> {
    use ReferenceTarget::{Customization, Profile, Relationship, Transactable, User};

    let mut found = HashSet::new();
    for target in [User, Relationship, Transactable, Profile, Customization] {
        let ids: BTreeSet<i64> = wanted
            .iter()
            .filter(|reference| reference.resource == target)
            .filter_map(|reference| match reference.value {
                ReferenceKey::Id(id) => Some(id),
                _ => None,
            })
            .collect();
        if ids.is_empty() {
            continue;
        }
        let ids: Vec<i64> = ids.into_iter().collect();
        for id in dialect::existing_ids(conn, target, &ids, lock)? {
            found.insert(Reference { resource: target, value: ReferenceKey::Id(id) });
        }
    }
    for key in [UserKey::ExternalId, UserKey::EmailKey] {
        let texts: BTreeSet<&str> = wanted
            .iter()
            .filter(|reference| reference.resource == User)
            .filter_map(|reference| match (&reference.value, key) {
                (ReferenceKey::ExternalId(text), UserKey::ExternalId)
                | (ReferenceKey::EmailKey(text), UserKey::EmailKey) => Some(text.as_str()),
                _ => None,
            })
            .collect();
        if texts.is_empty() {
            continue;
        }
        let texts: Vec<&str> = texts.into_iter().collect();
        for text in dialect::existing_texts(conn, key, &texts, lock)? {
            let value = match key {
                UserKey::ExternalId => ReferenceKey::ExternalId(text),
                UserKey::EmailKey => ReferenceKey::EmailKey(text),
            };
            found.insert(Reference { resource: User, value });
        }
    }
    for reference in wanted {
        if let ReferenceKey::Key { type_name, key } = &reference.value
            && dialect::relationship_by_key(conn, (type_name, key), lock)?.is_some()
        {
            found.insert((*reference).clone());
        }
    }
    Ok(found)
}
