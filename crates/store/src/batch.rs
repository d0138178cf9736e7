//! A batch of submissions in one transaction.
//!
//! It writes once, and tells what happened. Whether to try again, and what to tell the clients, is
//! [`crate::writer`]'s to decide.

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use diesel::QueryResult;
use diesel::result::Error;
use uuid::Uuid;

use crate::audit::{self, Deed};
use crate::claims::{self, Contender, Decision};
use crate::connection::{AnyConnection, WriterConnection};
use crate::dialect::{self, Fault, insert};
use crate::error::Refusal;
use crate::keyed;
use crate::once::{self, Once};
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
    /// Something was done before under its key.
    Repeated,
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
    writer: &mut WriterConnection,
    submissions: &[S],
) -> Result<Done<Vec<Verdict>>, Failure> {
    let is_kept = |verdicts: &Vec<Verdict>| {
        let mut all = submissions.iter().zip(verdicts);
        all.any(|(submission, verdict)| deed_of(submission.record(), verdict).is_some())
    };
    transaction(writer, |conn| fill(conn, submissions), is_kept)
}

/// Runs writes in one transaction; where there is nothing to keep of them, it is not committed.
pub(crate) fn transaction<T>(
    writer: &mut WriterConnection,
    writes: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
    is_kept: impl FnOnce(&T) -> bool,
) -> Result<Done<T>, Failure> {
    let begun = dialect::begin_write(writer);
    let conn = &mut writer.conn;
    if let Err(error) = begun {
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
        submissions.iter().filter_map(|submission| submission.record().by.token).collect();
    let valid = tokens::still_valid(conn, &tokens)?;
    let counts_still =
        |record: &NewRecord| record.by.token.is_none_or(|token| valid.contains(&token));
    let keys = submissions.iter().map(|submission| {
        submission.record().once.as_ref().filter(|_| counts_still(submission.record()))
    });
    let keys: Vec<Option<&Once>> = keys.collect();
    let was_done = once::reserve(conn, &keys)?;
    let may: Vec<bool> = submissions
        .iter()
        .zip(&was_done)
        .map(|(submission, was_done)| counts_still(submission.record()) && !was_done)
        .collect();
    let contenders: Vec<Contender<'_>> = submissions
        .iter()
        .zip(&may)
        .filter(|(_, may)| **may)
        .map(|(submission, _)| Contender {
            uuid: Uuid::now_v7(),
            claims: &submission.record().user.claims,
            references: &submission.record().user.references,
            was_put_off: submission.was_put_off(),
        })
        .collect();
    let decisions = claims::decide(conn, &contenders)?;

    let mut counts = Counts::default();
    let asked = || submissions.iter().zip(&may).filter(|(_, may)| **may);
    let asked = || asked().map(|(submission, _)| submission.record());
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
    for (place, record) in submissions.iter().map(Submission::record).enumerate() {
        let next = if may[place] { decided.next() } else { None };
        verdicts.push(match next {
            None if was_done[place] => Verdict::Repeated,
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
    note(conn, submissions, &verdicts)?;
    for (place, (once, verdict)) in keys.iter().zip(&verdicts).enumerate() {
        match (once, verdict) {
            (None, _) | (_, Verdict::Repeated) => {}
            (Some(once), Verdict::Created(created)) => once::keep_user(conn, once, *created)?,
            (Some(once), _) if deed_of(submissions[place].record(), verdict).is_some() => {
                once::keep_nothing(conn, once)?;
            }
            (Some(once), _) => once::release(conn, once)?,
        }
    }
    Ok(verdicts)
}

/// What is noted of what became of a submission.
fn deed_of(record: &NewRecord, verdict: &Verdict) -> Option<Deed> {
    match verdict {
        Verdict::Created(created) => Some(Deed::made_user(created.id)),
        Verdict::Refused(refusals) if record.is_discreet && are_taken(refusals) => {
            Some(Deed::TRIED)
        }
        _ => None,
    }
}

/// Whether nothing is against a submission but that what it claims is taken.
fn are_taken(refusals: &[Refusal]) -> bool {
    refusals.iter().all(|refusal| matches!(refusal, Refusal::Taken { .. }))
}

/// Notes who made the users that were made.
fn note<S: Submission>(
    conn: &mut AnyConnection,
    submissions: &[S],
    verdicts: &[Verdict],
) -> QueryResult<()> {
    let now = now();
    let rows = submissions.iter().zip(verdicts).filter_map(|(submission, verdict)| {
        let deed = deed_of(submission.record(), verdict)?;
        let NewRecord { by, form_name, form_version, .. } = submission.record();
        let mut row = audit::told(by, deed, now);
        (row.form_name, row.form_version) = (Some(&**form_name), Some(&**form_version));
        Some(row)
    });
    insert(conn, &rows.collect::<Vec<_>>())
}

/// Microseconds since 1970 UTC. A clock before 1970 counts as 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
