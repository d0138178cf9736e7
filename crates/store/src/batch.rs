//! A batch of submissions in one transaction.
//!
//! It writes once, and tells what happened. Whether to try again, and what to tell the clients, is
//! [`crate::writer`]'s to decide.

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use diesel::QueryResult;
use diesel::result::Error;
use uuid::Uuid;

use crate::claims::{self, Contender, Decision};
use crate::connection::AnyConnection;
use crate::dialect::{self, Fault};
use crate::error::Refusal;
use crate::keyed;
use crate::plan::{Counts, Ids, Plan};
use crate::record::{Created, NewRecord};
use crate::tokens;

/// A submission of a batch.
pub(crate) trait Submission {
    /// What is to be written.
    fn record(&self) -> &NewRecord;
    /// Whether an earlier batch put it off.
    fn was_put_off(&self) -> bool;
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is stored.
    Created(Created),
    /// The database refuses it.
    Refused(Vec<Refusal>),
    /// Its token does not count any more.
    TokenRefused,
    /// It belongs into the next batch.
    PutOff,
}

/// Why a batch was not written, and how far it came.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nothing was stored. The connection may be used again.
    Undone(Error),
    /// Nothing was stored. The connection is not fit to be used again.
    Broken(Error),
    /// The commit failed in a way that leaves open whether it happened.
    Unknown(Error),
}

/// What was written.
#[derive(Debug)]
pub(crate) struct Done<T> {
    /// What became of each.
    pub(crate) outcome: T,
    /// How long the commit took; nothing where there was nothing to commit.
    pub(crate) commit: Option<Duration>,
}

/// Writes a batch: all winners or, when it fails, nobody.
pub(crate) fn write<S: Submission>(
    conn: &mut AnyConnection,
    submissions: &[S],
) -> Result<Done<Vec<Verdict>>, Failure> {
    let is_kept = |verdicts: &Vec<Verdict>| {
        verdicts.iter().any(|verdict| matches!(verdict, Verdict::Created(_)))
    };
    transaction(conn, |conn| fill(conn, submissions), is_kept)
}

/// Runs writes in one transaction; where there is nothing to keep of them, it is not committed.
pub(crate) fn transaction<T>(
    conn: &mut AnyConnection,
    writes: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
    is_kept: impl FnOnce(&T) -> bool,
) -> Result<Done<T>, Failure> {
    if let Err(error) = dialect::begin_write(conn) {
        return Err(match dialect::fault(conn, &error) {
            Fault::Retry => Failure::Undone(error),
            _ => Failure::Broken(error),
        });
    }
    let outcome = match writes(conn) {
        Ok(outcome) => outcome,
        Err(error) => {
            return Err(match dialect::rollback(conn) {
                Ok(()) => Failure::Undone(error),
                Err(_) => Failure::Broken(error),
            });
        }
    };
    let mut commit = None;
    if is_kept(&outcome) {
        let begun = Instant::now();
        if let Err(error) = dialect::commit(conn) {
            return Err(if dialect::was_undone(conn, &error) {
                Failure::Undone(error)
            } else {
                Failure::Unknown(error)
            });
        }
        commit = Some(begun.elapsed());
    } else {
        // Nothing to keep, so nothing to wait for the disk for.
        dialect::rollback(conn).map_err(Failure::Broken)?;
    }
    Ok(Done { outcome, commit })
}

fn fill<S: Submission>(conn: &mut AnyConnection, submissions: &[S]) -> QueryResult<Vec<Verdict>> {
    let tokens: BTreeSet<i64> =
        submissions.iter().filter_map(|submission| submission.record().token).collect();
    let valid = tokens::still_valid(conn, &tokens)?;
    let may = |record: &NewRecord| record.token.is_none_or(|token| valid.contains(&token));
    let contenders: Vec<Contender<'_>> = submissions
        .iter()
        .filter(|submission| may(submission.record()))
        .map(|submission| Contender {
            uuid: Uuid::now_v7(),
            claims: &submission.record().user.claims,
            references: &submission.record().user.references,
            was_put_off: submission.was_put_off(),
        })
        .collect();
    let decisions = claims::decide(conn, &contenders)?;

    let mut counts = Counts::default();
    let asked = || submissions.iter().map(Submission::record).filter(|record| may(record));
    for (record, decision) in asked().zip(&decisions) {
        if *decision == Decision::Won {
            counts.add(&record.user);
        }
    }
    let mut ids =
        if counts.users == 0 { Ids::default() } else { dialect::reserve_ids(conn, &counts)? };
    let mut plan = Plan::new(now());
    let winners = asked().zip(&decisions).filter(|(_, decision)| **decision == Decision::Won);
    plan.keyed = keyed::find_or_make(conn, winners.map(|(record, _)| &record.user))?;
    let mut verdicts = Vec::with_capacity(submissions.len());
    let mut decided = contenders.iter().zip(decisions);
    for record in submissions.iter().map(Submission::record) {
        let next = if may(record) { decided.next() } else { None };
        verdicts.push(match next {
            None => Verdict::TokenRefused,
            Some((contender, Decision::Won)) => {
                let uuid = contender.uuid;
                let id = plan.add(record, uuid, &mut ids)?;
                Verdict::Created(Created { id, uuid })
            }
            Some((_, Decision::Refused(refusals))) => Verdict::Refused(refusals),
            Some((_, Decision::PutOff)) => Verdict::PutOff,
        });
    }
    plan.insert(conn)?;
    Ok(verdicts)
}

/// Microseconds since 1970 UTC. A clock before 1970 counts as 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
