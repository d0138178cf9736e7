//! Who of a batch may be stored: the references and claims of its submissions, decided together.
//!
//! The answers come from the database (see [`crate::dialect`]); here they are drawn together, so
//! that a refused submission learns all that stands against it and its neighbours notice nothing.

use std::collections::{BTreeSet, HashSet};

use diesel::QueryResult;
use registrar_core::aggregate::{Claim, Reference, ReferenceKey, ReferenceTarget};
use uuid::Uuid;

use crate::connection::AnyConnection;
use crate::dialect::{self, Claiming, Lock, TextKey};
use crate::error::Refusal;

/// One submission of a batch, as far as it concerns its claims.
#[derive(Debug)]
pub(crate) struct Contender<'a> {
    pub(crate) uuid: Uuid,
    pub(crate) claims: &'a [Claim],
    pub(crate) references: &'a [Reference],
    /// Whether it was put off before. It is then first looked whether its claims are taken.
    pub(crate) was_put_off: bool,
}

/// What is decided about a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It holds all it claimed.
    Won,
    /// It holds nothing. Claims in their order, then references in theirs.
    Refused(Vec<Refusal>),
    /// It claims what an earlier submission of this batch claims too; who gets it shows only once
    /// that one is stored or refused. Nothing was asked for it: it belongs into the next batch.
    PutOff,
}

/// A claim of a contender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry<'a> {
    claim: &'a Claim,
    contender: usize,
    index: usize,
}

/// Decides about a batch, within the transaction that will write it.
pub(crate) fn decide(
    conn: &mut AnyConnection,
    contenders: &[Contender<'_>],
) -> QueryResult<Vec<Decision>> {
    let mut missing = missing_references(conn, contenders)?;
    let mut taken: Vec<Vec<usize>> = vec![Vec::new(); contenders.len()];
    let mut put_off = vec![false; contenders.len()];

    // Sorted by claim, and like claims by contender.
    let mut entries: Vec<Entry<'_>> = Vec::with_capacity(contenders.len() * 2);
    for (contender, Contender { claims, .. }) in contenders.iter().enumerate() {
        entries.extend(claims.iter().enumerate().map(|(index, claim)| Entry {
            claim,
            contender,
            index,
        }));
    }
    entries.sort_unstable();

    // What one submission claims twice, it cannot get twice.
    entries.dedup_by(|later, earlier| {
        let same = later.claim == earlier.claim && later.contender == earlier.contender;
        if same {
            taken[later.contender].push(later.index);
        }
        same
    });

    // Those that are refused anyway claim nothing, but are told what they would have been refused.
    // Those that were put off look first, so that a crowd after one claim is refused at once.
    let refused: Vec<bool> =
        (0..contenders.len()).map(|i| !missing[i].is_empty() || !taken[i].is_empty()).collect();
    let looks =
        |entry: &&Entry<'_>| refused[entry.contender] || contenders[entry.contender].was_put_off;
    let looked: Vec<&Entry<'_>> = entries.iter().filter(looks).collect();
    if !looked.is_empty() {
        let claims: Vec<&Claim> = looked.iter().map(|entry| entry.claim).collect();
        for place in dialect::claims_that_exist(conn, &claims)? {
            taken[looked[place].contender].push(looked[place].index);
        }
    }
    entries
        .retain(|entry| missing[entry.contender].is_empty() && taken[entry.contender].is_empty());

    // Of those that claim the same, the first goes on.
    let mut earlier: Option<Entry<'_>> = None;
    for entry in &entries {
        match earlier {
            Some(first) if first.claim == entry.claim => put_off[entry.contender] = true,
            _ => earlier = Some(*entry),
        }
    }
    entries.retain(|entry| !put_off[entry.contender]);

    let claims: Vec<Claiming<'_>> = entries
        .iter()
        .map(|entry| Claiming { claim: entry.claim, owner: &contenders[entry.contender].uuid })
        .collect();
    let mut losers = BTreeSet::new();
    if !claims.is_empty() {
        for place in dialect::insert_claims(conn, &claims)? {
            taken[entries[place].contender].push(entries[place].index);
            losers.insert(entries[place].contender);
        }
    }
    if !losers.is_empty() {
        let owners: Vec<Uuid> = losers.iter().map(|&loser| contenders[loser].uuid).collect();
        dialect::drop_claims(conn, &owners)?;
    }

    Ok((0..contenders.len())
        .map(|i| {
            if put_off[i] {
                return Decision::PutOff;
            }
            taken[i].sort_unstable();
            let taken = taken[i].iter().map(|&claim| Refusal::Taken { claim });
            let refusals: Vec<Refusal> = taken.chain(missing[i].drain(..)).collect();
            if refusals.is_empty() { Decision::Won } else { Decision::Refused(refusals) }
        })
        .collect())
}

/// What would be refused of claims and references, as things are.
pub(crate) fn refusals(
    conn: &mut AnyConnection,
    claims: &[Claim],
    references: &[Reference],
) -> QueryResult<Vec<Refusal>> {
    let claims: Vec<&Claim> = claims.iter().collect();
    let taken = match claims.is_empty() {
        true => Vec::new(),
        false => dialect::claims_that_exist(conn, &claims)?,
    };
    let contender = Contender { uuid: Uuid::nil(), claims: &[], references, was_put_off: false };
    let missing = missing_of(conn, &[contender], Lock::None)?;
    let taken = taken.into_iter().map(|claim| Refusal::Taken { claim });
    Ok(taken.chain(missing.into_iter().flatten()).collect())
}

/// The references of each contender that lead nowhere.
pub(crate) fn missing_references(
    conn: &mut AnyConnection,
    contenders: &[Contender<'_>],
) -> QueryResult<Vec<Vec<Refusal>>> {
    missing_of(conn, contenders, Lock::Kept)
}

fn missing_of(
    conn: &mut AnyConnection,
    contenders: &[Contender<'_>],
    lock: Lock,
) -> QueryResult<Vec<Vec<Refusal>>> {
    let mut missing = vec![Vec::new(); contenders.len()];
    let wanted: HashSet<&Reference> =
        contenders.iter().flat_map(|contender| contender.references).collect();
    if wanted.is_empty() {
        return Ok(missing);
    }
    let found = existing_references(conn, &wanted, lock)?;
    for (contender, missing) in contenders.iter().zip(&mut missing) {
        for (reference, wanted) in contender.references.iter().enumerate() {
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
    lock: Lock,
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
    for key in [TextKey::ExternalId, TextKey::EmailKey] {
        let texts: BTreeSet<&str> = wanted
            .iter()
            .filter(|reference| reference.resource == User)
            .filter_map(|reference| match (&reference.value, key) {
                (ReferenceKey::ExternalId(text), TextKey::ExternalId)
                | (ReferenceKey::EmailKey(text), TextKey::EmailKey) => Some(text.as_str()),
                _ => None,
            })
            .collect();
        if texts.is_empty() {
            continue;
        }
        let texts: Vec<&str> = texts.into_iter().collect();
        for text in dialect::existing_texts(conn, key, &texts, lock)? {
            let value = match key {
                TextKey::ExternalId => ReferenceKey::ExternalId(text),
                TextKey::EmailKey => ReferenceKey::EmailKey(text),
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
